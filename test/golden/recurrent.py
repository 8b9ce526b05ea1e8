"""PyTorch's RNN, LSTM and GRU: layers, directions, lengths, initial states; outputs and all gradients.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python3 test/golden/recurrent.py
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from golden import Inputs, case, write

T, N, I, H, P = 5, 3, 3, 4, 2
LENGTHS = [3, 5, 1]  # neither sorted nor all of T

# layers, bidirectional, lengths, initial state
ONE_LAYER = [(1, b, l, s) for b in (False, True) for l in (False, True) for s in (False, True)]
DEEP = [(2, b, both, both) for b in (False, True) for both in (False, True)]
DEEPER = [(3, b, True, True) for b in (False, True)]


def run(kind, layers, bidirectional, lengths, initial, **options):
    module = kind(I, H, num_layers=layers, bidirectional=bidirectional, **options)
    inputs = Inputs()
    x = inputs.real("x", [T, N, I])
    inputs.parameters(module)
    rows = layers * (2 if bidirectional else 1)
    proj = options.get("proj_size", 0)
    state = None
    if initial:
        state = inputs.real("h0", [rows, N, proj or H])
        if kind is torch.nn.LSTM:
            state = (state, inputs.real("c0", [rows, N, H]))
    if lengths:
        packed = pack_padded_sequence(x, inputs.integers("lengths", LENGTHS), enforce_sorted=False)
        output, last = module(packed, state)
        output, _ = pad_packed_sequence(output, total_length=T)
    else:
        output, last = module(x, state)
    outputs = {"output": output}
    if kind is torch.nn.LSTM:
        outputs["h"], outputs["c"] = last
    else:
        outputs["h"] = last
    told = {"hiddenSize": H, "numLayers": layers, "bidirectional": bidirectional}
    if "nonlinearity" in options:
        told["nonlinearity"] = options["nonlinearity"]
    if proj:
        told["projSize"] = proj
    name = f"{layers} layer{'s' if layers > 1 else ''}"
    name += ", bidirectional" if bidirectional else ""
    name += ", lengths" if lengths else ""
    name += ", initial state" if initial else ""
    for option, value in options.items():
        name = f"{option} {value}, {name}"
    return case(name, told, inputs, outputs)


def cases(kind, shapes, **options):
    return [run(kind, *shape, **options) for shape in shapes]


everything = ONE_LAYER + DEEP + DEEPER
write("gru", cases(torch.nn.GRU, everything))
write(
    "rnn",
    cases(torch.nn.RNN, everything, nonlinearity="tanh")
    + cases(torch.nn.RNN, ONE_LAYER + DEEPER, nonlinearity="relu"),
)
write(
    "lstm",
    cases(torch.nn.LSTM, everything)
    + cases(torch.nn.LSTM, ONE_LAYER[-1:] + DEEP[-1:] + [(1, False, False, False)], proj_size=P),
)
