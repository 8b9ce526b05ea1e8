"""Loads safetensors files that `unrolled` wrote into torch.nn modules and compares outputs.

    python3 scripts/torch_parity.py FILE.safetensors …

A file holds `model.*`, the weights; `input`, and where there are any `lengths` and `state.h`, `state.c`; what `unrolled`
computed from them, `expected.output`, `expected.h`, `expected.c`; and as metadata `modules`, the layers in order, each
[name, class of torch.nn, options]. Weights must fit by name and shape, all of them. The exit status is 1 if any output is
off by more than 1e-5 of its largest magnitude.
"""

import json
import re
import struct
import sys

import torch

TOLERANCE = 1e-5
DTYPES = {"F32": torch.float32, "I32": torch.int32}


def read_safetensors(path):
    """The format by hand: eight bytes of header length, the header as JSON, the data."""
    data = bytearray(open(path, "rb").read())
    (header_length,) = struct.unpack_from("<Q", data)
    start = 8 + header_length
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = DTYPES[entry["dtype"]]
        if end > begin:
            flat = torch.frombuffer(data, dtype=dtype, offset=start + begin, count=(end - begin) // 4)
        else:
            flat = torch.empty(0, dtype=dtype)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def under(tensors, prefix):
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}


def snake_case(name):
    return re.sub(r"[A-Z]", lambda letter: "_" + letter.group().lower(), name)


def build(modules):
    made = torch.nn.ModuleDict()
    for name, cls, options in modules:
        arguments = {snake_case(key): value for key, value in options.items()}
        made[name] = getattr(torch.nn, cls)(**arguments)
    return made.eval()


def run_recurrent(layer, x, lengths, state):
    if isinstance(layer, torch.nn.LSTM):
        state = (state["h"], state["c"]) if state else None
    else:
        state = state["h"] if state else None
    if lengths is not None:
        x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths.long(), enforce_sorted=False)
    output, last = layer(x, state)
    if lengths is not None:
        output, _ = torch.nn.utils.rnn.pad_packed_sequence(output, total_length=int(lengths.max()))
    h, c = last if isinstance(last, tuple) else (last, None)
    return {"output": output, "h": h, "c": c}


def run(model, tensors):
    outputs = {"output": tensors["input"]}
    for layer in model.values():
        x = outputs["output"]
        if isinstance(layer, torch.nn.RNNBase):
            outputs.update(run_recurrent(layer, x, tensors.get("lengths"), under(tensors, "state.")))
        elif isinstance(layer, torch.nn.AdaptiveLogSoftmaxWithLoss):
            outputs["output"] = layer.log_prob(x.flatten(0, -2)).reshape(*x.shape[:-1], -1)
        else:
            outputs["output"] = layer(x)
    return outputs


def compare(path):
    tensors, metadata = read_safetensors(path)
    modules = json.loads(metadata["modules"])
    model = build(modules)
    model.load_state_dict(under(tensors, "model."), strict=True)
    with torch.no_grad():
        actual = run(model, tensors)
    worst = 0.0
    for name, expected in under(tensors, "expected.").items():
        if actual[name].shape != expected.shape:
            raise SystemExit(f"{path}: {name} is {list(expected.shape)}, torch gives {list(actual[name].shape)}")
        error = (actual[name] - expected).abs().max() / actual[name].abs().max()
        worst = max(worst, float(error)) if error == error else float("inf")
    print(f"{'ok ' if worst <= TOLERANCE else 'BAD'} {worst:.1e}  {json.dumps(modules)}")
    return worst <= TOLERANCE


if __name__ == "__main__":
    print(f"torch {torch.__version__}")
    results = [compare(path) for path in sys.argv[1:]]
    sys.exit(0 if results and all(results) else 1)
