"""What the golden scripts share: inputs by a formula that the tests know too, and the form of the files.

A file holds cases. A case holds its options, its inputs (shape and seed of the formula, or integers as they are), and
what PyTorch computed in float64: the outputs, and the gradients of sum(weights * output) with weights by the formula.
"""

import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def values(shape, seed, scale=1.0):
    """Numbers in [-scale, scale), exact in float32 for a scale that is a power of two."""
    size = 1
    for n in shape:
        size *= n
    words = [((i + 1) * (i + seed) * 2654435761 & 0xFFFFFFFF) >> 20 for i in range(size)]
    return torch.tensor([(w / 2048 - 1) * scale for w in words]).reshape(shape)


class Inputs:
    """The inputs of a case, each with a seed of its own, in the order they are asked for."""

    def __init__(self):
        self.specs = {}
        self.leaves = {}

    def real(self, name, shape, scale=1.0):
        """A leaf tensor that gets a gradient."""
        seed = 1 + 10 * len(self.specs)
        self.specs[name] = {"shape": list(shape), "seed": seed, "scale": scale}
        self.leaves[name] = values(shape, seed, scale).requires_grad_()
        return self.leaves[name]

    def parameters(self, module, scale=0.5):
        """Gives a module's parameters values by the formula."""
        for name, parameter in module.named_parameters():
            parameter.data.copy_(self.real(name, parameter.shape, scale).data)
            self.leaves[name] = parameter

    def integers(self, name, numbers):
        tensor = torch.tensor(numbers)
        self.specs[name] = {"shape": list(tensor.shape), "integers": tensor.flatten().tolist()}
        return tensor


def case(name, options, inputs, outputs):
    """One case as it stands in the file. `outputs` is a dict of tensors."""
    objective = 0
    for index, output in enumerate(outputs.values()):
        objective = objective + (output * values(output.shape, 5 + 10 * index)).sum()
    objective.backward()
    return {
        "name": name,
        "options": options,
        "inputs": inputs.specs,
        "outputs": {key: numbers(output) for key, output in outputs.items()},
        "gradients": {key: numbers(leaf.grad) for key, leaf in inputs.leaves.items()},
    }


def numbers(tensor):
    return tensor.detach().flatten().tolist()


def write(name, cases):
    path = pathlib.Path(__file__).parent / f"{name}.json"
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    path.write_text(f'{{"torch":"{torch.__version__}","cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size // 1024} kB")
