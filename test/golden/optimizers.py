"""Writes test/golden/optimizers.json: 20 steps of PyTorch's optimizers in float64.

    python3 test/golden/optimizers.py

The gradients are a formula of the parameter and the step, which src/optim/optimizer.test.ts repeats; where a case has a
clip, the gradients are clipped to that norm first. Parameters are stored after every fifth step.
"""

import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)
SHAPES = [[3, 7], [5]]
STEPS = 20

RATE = {"lr": 0.05}
CASES = [
    ("SGD", torch.optim.SGD, {}, None),
    ("SGD", torch.optim.SGD, {"weight_decay": 0.1}, 0.5),
    ("SGD", torch.optim.SGD, {"momentum": 0.9}, None),
    ("SGD", torch.optim.SGD, {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}, None),
    ("SGD", torch.optim.SGD, {"momentum": 0.9, "nesterov": True}, 1.5),
    ("Adagrad", torch.optim.Adagrad, {}, None),
    ("Adagrad", torch.optim.Adagrad, {"lr_decay": 0.1, "weight_decay": 0.1, "eps": 0.01}, None),
    ("RMSProp", torch.optim.RMSprop, {}, None),
    ("RMSProp", torch.optim.RMSprop, {"alpha": 0.95, "eps": 0.001, "momentum": 0.9, "weight_decay": 0.1}, None),
    ("RMSProp", torch.optim.RMSprop, {"alpha": 0.9, "eps": 0.01, "momentum": 0.9, "centered": True}, 1.0),
    ("Adam", torch.optim.Adam, {}, None),
    ("Adam", torch.optim.Adam, {"betas": [0.8, 0.95], "eps": 0.001, "weight_decay": 0.1}, 1.0),
    ("AdamW", torch.optim.AdamW, {}, None),
    ("AdamW", torch.optim.AdamW, {"betas": [0.8, 0.95], "weight_decay": 0.3}, None),
]


def formula(shape, f):
    size = torch.Size(shape).numel()
    return f(torch.arange(size, dtype=torch.float64)).reshape(shape)


def trajectory(optimizer_class, options, clip):
    parameters = [formula(shape, lambda i: torch.sin(1.7 * i + k)).requires_grad_() for k, shape in enumerate(SHAPES)]
    optimizer = optimizer_class(parameters, **RATE, **options)
    stored = []
    for step in range(STEPS):
        for p in parameters:
            size = p.numel()
            index = torch.arange(size, dtype=torch.float64).reshape(p.shape)
            p.grad = (torch.cos(2 * p + 0.3 * step) + 0.1 * p * index).detach()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        if step % 5 == 4:
            stored.append([p.detach().flatten().tolist() for p in parameters])
    return stored


cases = [
    {"optimizer": name, "options": options, "clip": clip, "parameters": trajectory(optimizer_class, options, clip)}
    for name, optimizer_class, options, clip in CASES
]
golden = {"torch": torch.__version__, "shapes": SHAPES, "cases": cases}
path = pathlib.Path(__file__).parent / "optimizers.json"
path.write_text(json.dumps(golden) + "\n")
print(f"{path}: {len(cases)} cases, {path.stat().st_size} bytes")
