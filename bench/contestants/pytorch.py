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


class Translation(nn.Module):
    """An encoder that reads both ways, a decoder that looks back: general scores, the output tied to both embeddings."""

    def __init__(self, row):
        super().__init__()
        size, vocabulary = row["hiddenSize"], row["vocabulary"]
        self.embedding = nn.Embedding(vocabulary, size)
        self.encoder = nn.LSTM(size, size // 2, bidirectional=True)
        self.decoder = nn.LSTM(size, size)
        self.key = nn.Linear(size, size, bias=False)
        self.combine = nn.Linear(2 * size, size)
        self.output = nn.Linear(size, vocabulary)
        self.output.weight = self.embedding.weight
        self.dropout = nn.Dropout(row["dropout"])

    def forward(self, source, inputs):
        read, (h, c) = self.encoder(self.dropout(self.embedding(source)))
        state = tuple(torch.cat([part[0], part[1]], 1).unsqueeze(0) for part in (h, c))
        memory = self.dropout(read).transpose(0, 1)
        hidden, _ = self.decoder(self.dropout(self.embedding(inputs)), state)
        scores = torch.bmm(hidden.transpose(0, 1), self.key(memory).transpose(1, 2))
        context = torch.bmm(torch.softmax(scores, 2), memory).transpose(0, 1)
        return self.output(self.dropout(torch.tanh(self.combine(torch.cat([context, hidden], 2)))))


class Speech(nn.Module):
    def __init__(self, row):
        super().__init__()
        size = row["hiddenSize"]
        self.lstm = nn.LSTM(FEATURES, size, 3, bidirectional=True, dropout=row["dropout"])
        self.dropout = nn.Dropout(row["dropout"])
        self.output = nn.Linear(2 * size, row["vocabulary"])

    def forward(self, windows):
        return torch.log_softmax(self.output(self.dropout(self.lstm(windows)[0])), 2)


FEATURES, LETTERS = 156, 24


def task(row):
    torch.manual_seed(1)
    n, time_steps, vocabulary = row["batch"], row["time"], row["vocabulary"]
    if row["task"] == "translation":
        model = Translation(row)
        criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
        source, inputs, targets = (torch.randint(0, vocabulary, (time_steps, n)) for _ in range(3))
        loss_of = lambda: criterion(model(source, inputs).view(-1, vocabulary), targets.view(-1))
    else:
        model = Speech(row)
        windows = torch.randn(time_steps, n, FEATURES)
        targets = torch.randint(1, vocabulary, (n, LETTERS))
        lengths = torch.full((n,), time_steps), torch.full((n,), LETTERS)
        loss_of = lambda: nn.functional.ctc_loss(model(windows), targets, *lengths)
    parameters = list(model.parameters())
    adam = torch.optim.Adam(parameters, 1e-3)

    def step():
        adam.zero_grad()
        loss = loss_of()
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


KINDS = {"training": training, "task": task, "growth": training, "streaming": streaming, "gemm": gemm, "kernel": kernel}
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
