"""PyTorch in the race. Reads one JSON request a line, answers one a line; see ../race.ts for the protocol."""
import ctypes
import json
import os
import resource
import sys
import time

try:
    import torch
    from torch import nn
except ImportError:
    print(json.dumps({"missing": "python3-torch (apt-get install python3-torch libopenblas0-pthread)"}), flush=True)
    sys.exit(0)

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def blas_core():
    """The processor that OpenBLAS has chosen its kernels for."""
    try:
        name = ctypes.CDLL("libopenblas.so.0").openblas_get_corename
        name.restype = ctypes.c_char_p
        return name().decode()
    except OSError:
        return "missing: another BLAS"


def training(row):
    torch.manual_seed(1)
    directions = 2 if row["bidirectional"] else 1
    embedding = nn.Embedding(row["vocabulary"], row["hiddenSize"])
    layer = CELLS[row["cell"]](
        row["hiddenSize"], row["hiddenSize"], row["numLayers"], bidirectional=row["bidirectional"]
    )
    output = nn.Linear(row["hiddenSize"] * directions, row["vocabulary"])
    parameters = [p for module in (embedding, layer, output) for p in module.parameters()]
    adam = torch.optim.Adam(parameters, 1e-3)
    criterion = nn.CrossEntropyLoss()
    tokens = torch.randint(0, row["vocabulary"], (row["time"], row["batch"]))
    targets = torch.randint(0, row["vocabulary"], (row["time"] * row["batch"],))

    def step():
        adam.zero_grad()
        hidden, _ = layer(embedding(tokens))
        loss = criterion(output(hidden.view(len(targets), -1)), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        adam.step()
        return loss.item()

    return step


def streaming(row):
    layer = CELLS[row["cell"]](row["hiddenSize"], row["hiddenSize"], row["numLayers"]).eval()
    x = torch.randn(row["time"], 1, row["hiddenSize"])
    state = None

    def step():
        nonlocal state
        with torch.no_grad():
            _, state = layer(x, state)

    return step


def gemm(row):
    a = torch.randn(row["m"], row["k"])
    b = torch.randn(row["k"], row["n"])
    c = torch.empty(row["m"], row["n"])

    def step():
        torch.mm(a, b, out=c)

    return step


def kernel(row):
    op, rows, columns = row["op"], row["rows"], row["columns"]
    if op == "embedding":
        weight = torch.randn(row["vocabulary"], columns, requires_grad=True)
        tokens = torch.randint(0, row["vocabulary"], (rows,))
        return lambda: nn.functional.embedding(tokens, weight).sum().backward()
    if op == "crossEntropy":
        logits = torch.randn(rows, columns, requires_grad=True)
        targets = torch.randint(0, columns, (rows,))
        return lambda: nn.functional.cross_entropy(logits, targets).backward()
    x, out = torch.randn(rows, columns), torch.empty(rows, columns)
    if op == "relu":
        return lambda: torch.clamp_min(x, 0, out=out)
    f = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}[op]
    return lambda: f(x, out=out)


KINDS = {"training": training, "growth": training, "streaming": streaming, "gemm": gemm, "kernel": kernel}
step = None
for line in sys.stdin:
    request = json.loads(line)
    if "row" in request:
        row = request["row"]
        step = KINDS[row["kind"]](row)
        print(json.dumps({"ready": f"PyTorch {torch.__version__}, OpenBLAS {blas_core()}"}), flush=True)
    else:
        times = []
        deadline = time.perf_counter() + request["seconds"]
        while not times or time.perf_counter() < deadline:
            start = time.perf_counter()
            for _ in range(request["repeat"]):
                step()
            times.append((time.perf_counter() - start) * 1e3 / request["repeat"])
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"milliseconds": times, "peakRss": rss}), flush=True)
