"""PyTorch's StepLR, CosineAnnealingLR (after LinearLR) and ReduceLROnPlateau: the learning rates they give.

    python3 test/golden/schedules.py
"""

import json
import pathlib
import warnings

import torch
from torch.optim import lr_scheduler

warnings.simplefilter("ignore")  # SequentialLR calls its parts in a way that PyTorch itself calls deprecated

RATE = 0.8
# Losses that rise, stay and fall, now by much and now by little.
LOSSES = [5, 4, 4.5, 4, 3, 3, 3.5, 3.2, 2.9999, 2.9, 2.9, 3.1, 2.5, 2.6, 2.7, 2.8, 2.9, 1]


def run(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], RATE)
    scheduler = make(optimizer)
    rates = []
    for step in steps:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*step)
    return rates + [optimizer.param_groups[0]["lr"]]


def warm_cosine(warmup, total, minimum):
    """From RATE/warmup in equal steps to RATE, which the cosine then starts from."""

    def make(optimizer):
        rise = lr_scheduler.LinearLR(optimizer, 1 / warmup, 1, warmup - 1)
        fall = lr_scheduler.CosineAnnealingLR(optimizer, total - warmup, minimum)
        return lr_scheduler.SequentialLR(optimizer, [rise, fall], [warmup])

    return make


EPOCHS = [()] * 12
cases = []
for every, factor in ((1, 0.5), (3, 0.1)):
    rates = run(lambda o: lr_scheduler.StepLR(o, every, factor), EPOCHS)
    cases.append({"schedule": "step", "options": {"every": every, "factor": factor}, "rates": rates})
for minimum in (0, 0.05):
    rates = run(lambda o: lr_scheduler.CosineAnnealingLR(o, len(EPOCHS), minimum), EPOCHS)
    options = {"totalSteps": len(EPOCHS), "minimum": minimum}
    cases.append({"schedule": "cosine", "options": options, "rates": rates})
    rates = run(warm_cosine(4, len(EPOCHS), minimum), EPOCHS)
    cases.append({"schedule": "cosine", "options": {"warmupSteps": 4, **options}, "rates": rates})
for factor, patience in ((0.5, 0), (0.2, 2)):
    rates = run(
        lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=factor, patience=patience, threshold=0, eps=0),
        [(loss,) for loss in LOSSES],
    )
    options = {"factor": factor, "patience": patience}
    cases.append({"schedule": "plateau", "options": options, "losses": LOSSES, "rates": rates})

path = pathlib.Path(__file__).parent / "schedules.json"
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
path.write_text(f'{{"torch":"{torch.__version__}","learningRate":{RATE},"cases":[\n{lines}\n]}}\n')
