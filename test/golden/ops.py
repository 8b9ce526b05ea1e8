"""PyTorch's linear, embedding, layer_norm, softmax, log_softmax and cross_entropy; outputs and all gradients.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python3 test/golden/ops.py
"""

import torch
import torch.nn.functional as F

from golden import Inputs, case, write

cases = []


def add(op, name, inputs, y, **options):
    cases.append(case(f"{op}: {name}", {"op": op, **options}, inputs, {"y": y}))


for bias in (True, False):
    inputs = Inputs()
    x, weight = inputs.real("x", [4, 3, 5]), inputs.real("weight", [7, 5])
    y = F.linear(x, weight, inputs.real("bias", [7]) if bias else None)
    add("linear", "bias" if bias else "no bias", inputs, y)

inputs = Inputs()
tokens = inputs.integers("tokens", [[0, 3, 3], [5, 1, 3]])
add("embedding", "repeated tokens", inputs, F.embedding(tokens, inputs.real("weight", [6, 5])))

for affine in (True, False):
    for eps in (1e-5, 0.1):
        inputs = Inputs()
        x = inputs.real("x", [4, 3, 7], 4)
        weight = inputs.real("weight", [7]) if affine else None
        bias = inputs.real("bias", [7]) if affine else None
        name = f"{'weight and bias' if affine else 'plain'}, eps {eps}"
        add("layerNorm", name, inputs, F.layer_norm(x, [7], weight, bias, eps), eps=eps)

for op, function in (("softmax", F.softmax), ("logSoftmax", F.log_softmax)):
    for scale in (2, 64):
        inputs = Inputs()
        add(op, f"values up to {scale}", inputs, function(inputs.real("x", [4, 3, 9], scale), -1))

IGNORED = -100
TARGETS = {"": [[0, 3, 8], [5, 1, 3]], ", ignored": [[0, IGNORED, 8], [IGNORED, 1, IGNORED]]}
for reduction in ("mean", "sum", "none"):
    for smoothing in (0.0, 0.1):
        for ignored, numbers in TARGETS.items():
            inputs = Inputs()
            logits = inputs.real("logits", [2, 3, 9], 4)
            targets = inputs.integers("targets", numbers)
            y = F.cross_entropy(
                logits.reshape(-1, 9),
                targets.flatten(),
                ignore_index=IGNORED,
                label_smoothing=smoothing,
                reduction=reduction,
            )
            y = y.reshape(2, 3) if reduction == "none" else y
            options = {"reduction": reduction, "labelSmoothing": smoothing}
            if ignored:
                options["ignoreIndex"] = IGNORED
            add("crossEntropy", f"{reduction}, smoothing {smoothing}{ignored}", inputs, y, **options)

write("ops", cases)
