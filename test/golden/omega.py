"""Pascanu's regulariser (2013, eq. 9 and 10) of an Elman network, written step by step: all gradients with it added.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python3 test/golden/omega.py
"""

import torch

from golden import Inputs, case, values, write

T, N, I, H = 6, 3, 3, 4
LENGTHS = [3, 6, 1]

f = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}
slope = {"tanh": lambda h: 1 - h * h, "relu": lambda h: (h > 0).double(), "sigmoid": lambda h: h * (1 - h)}


def run(nonlinearity, omega, lengths=None):
    inputs = Inputs()
    x = inputs.real("x", [T, N, I])
    w_ih = inputs.real("weight_ih_l0", [H, I], 0.5)
    w_hh = inputs.real("weight_hh_l0", [H, H], 0.5)
    bias = inputs.real("bias_ih_l0", [H], 0.5)
    bias_hh = inputs.real("bias_hh_l0", [H], 0.5)
    if lengths:
        inputs.integers("lengths", lengths)
    counts = lengths or [T] * N

    # Sequence by sequence, so that padding is nowhere.
    states, sums = {}, {}
    for n in range(N):
        h = torch.zeros(H)
        for t in range(counts[n]):
            sums[t, n] = w_ih @ x[t, n] + w_hh @ h + bias + bias_hh
            states[t, n] = h = f[nonlinearity](sums[t, n])
    zero = torch.zeros(H)
    output = torch.stack([torch.stack([states.get((t, n), zero) for n in range(N)]) for t in range(T)])
    last = torch.stack([states[counts[n] - 1, n] for n in range(N)])[None]
    outputs = {"output": output, "h": last}

    objective = sum((o * values(o.shape, 5 + 10 * i)).sum() for i, o in enumerate(outputs.values()))
    keys = list(sums)
    gradients = dict(zip(keys, torch.autograd.grad(objective, [sums[k] for k in keys], retain_graph=True)))
    terms = []
    for t, n in keys:
        g = gradients.get((t + 1, n))
        if g is None or not g.any():
            continue
        v = (g @ w_hh) * slope[nonlinearity](states[t, n].detach())
        terms.append((v.norm() / g.norm() - 1) ** 2)
    (omega * torch.stack(terms).mean()).backward()
    name = f"{nonlinearity}, omega {omega}" + (", lengths" if lengths else "")
    return case(name, {"hiddenSize": H, "nonlinearity": nonlinearity, "omega": omega}, inputs, outputs)


write("omega", [run(kind, 4, lengths) for kind in f for lengths in (None, LENGTHS)])
