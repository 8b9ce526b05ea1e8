"""Features of a signal, from the formulas that HTK, Kaldi and Sphinx document, with torch.fft and dense matrices.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python3 test/golden/audio.py

The signal is the formula's noise and two tones. None of the three programs is asked: what stands here is what their
documentation says (the HTK Book 3.4, ch. 5; Kaldi's feature-mfcc, mel-computations, feature-window; Sphinx's fe_sigproc).
"""

import json
import math
import pathlib

import torch

from golden import values

RATE = 16000
N = 2000
time = torch.arange(N) / RATE
signal = 0.25 * values([N], 3) + 0.25 * torch.sin(2 * math.pi * 440 * time) + 0.125 * torch.cos(2 * math.pi * 2500 * time)
signal = signal.float().double()
ints = signal * 32768


def frames_of(x, length, shift):
    return x.unfold(0, length, shift).clone()


def hamming(n):
    return 0.54 - 0.46 * torch.cos(2 * math.pi * torch.arange(n) / (n - 1))


def mel(f):
    return 1127 * torch.log(1 + torch.as_tensor(f) / 700)


def mel_matrix(filters, low, high, size):
    """Triangles on the mel scale over the frequencies below Nyquist's."""
    edges = torch.linspace(mel(low).item(), mel(high).item(), filters + 2)
    m = mel(torch.arange(size // 2) * (RATE / size))
    rows = []
    for i in range(filters):
        a, b, c = edges[i : i + 3]
        rows.append(torch.clamp(torch.minimum((m - a) / (b - a), (c - m) / (c - b)), min=0))
    return torch.stack(rows)


def dct_matrix(n, count):
    i, j = torch.arange(count)[:, None], torch.arange(n)[None, :]
    return math.sqrt(2 / n) * torch.cos(math.pi * i / n * (j + 0.5))


lift = 1 + 11 * torch.sin(math.pi * torch.arange(13) / 22)

# Kaldi
x = frames_of(ints, 400, 160)
x = x - x.mean(1, keepdim=True)
energy = torch.log(torch.clamp((x * x).sum(1), min=torch.finfo(torch.float32).eps))
x = x - 0.97 * torch.cat([x[:, :1], x[:, :-1]], 1)
x = x * (0.5 - 0.5 * torch.cos(2 * math.pi * torch.arange(400) / 399)) ** 0.85
power = torch.fft.rfft(x, 512).abs() ** 2
kaldi_mel = torch.log(torch.clamp(power[:, :256] @ mel_matrix(23, 20, 8000, 512).T, min=torch.finfo(torch.float32).eps))
dct = dct_matrix(23, 13)
dct[0] /= math.sqrt(2)
kaldi_mfcc = (kaldi_mel @ dct.T) * lift
kaldi_mfcc[:, 0] = energy
spectrogram = torch.log(torch.clamp(power, min=torch.finfo(torch.float32).eps))

# HTK: MFCC_0
x = frames_of(ints, 400, 160)
x = x - 0.97 * torch.cat([x[:, :1], x[:, :-1]], 1)
magnitude = torch.fft.rfft(x * hamming(400), 512).abs()
bands = torch.log(torch.clamp(magnitude[:, :256] @ mel_matrix(26, 0, 8000, 512).T, min=1.0))
cepstra = (bands @ dct_matrix(26, 13).T) * lift
htk_mfcc = torch.cat([cepstra[:, 1:], cepstra[:, :1]], 1)

# Sphinx: the signal ends within a frame, which goes on with zeros.
emphasised = ints - 0.97 * torch.cat([torch.zeros(1), ints[:-1]])
count = 1 + (N - 410) // 160
padded = torch.cat([emphasised, torch.zeros(410)])
x = frames_of(padded[: 410 + 160 * count], 410, 160)
power = torch.fft.rfft(x * hamming(410), 512).abs() ** 2
low, high = (2595 * math.log10(1 + f / 700) for f in (133.33334, 6855.4976))
spacing = RATE / 512
corners = [math.floor(700 * (10 ** ((low + i * (high - low) / 41) / 2595) - 1) / spacing + 0.5) * spacing for i in range(42)]
hertz = torch.arange(257) * spacing
rows = []
for a, b, c in zip(corners, corners[1:], corners[2:]):
    height = 2 / (c - a)
    rows.append(torch.clamp(torch.minimum((hertz - a) / (b - a) * height, (c - hertz) / (c - b) * height), min=0))
bands = torch.log(power @ torch.stack(rows).T + 1e-4)
i, j = torch.arange(13)[:, None], torch.arange(40)[None, :]
cosine = torch.cos(math.pi * i / 40 * (j + 0.5)) / 40
cosine[:, 0] /= 2
sphinx_mfcc = bands @ cosine.T

# The HTK Book's regression over two vectors on either side, twice.


def deltas(c):
    t = len(c)
    at = lambda k: c[torch.clamp(torch.arange(t) + k, 0, t - 1)]
    return sum(k * (at(k) - at(-k)) for k in (1, 2)) / 10


with_deltas = torch.cat([kaldi_mfcc, deltas(kaldi_mfcc), deltas(deltas(kaldi_mfcc))], 1)

golden = {
    "signal": signal,
    "fft": torch.fft.rfft(signal[:64]).abs() ** 2,
    "kaldi spectrogram": spectrogram[:2],
    "kaldi mel": kaldi_mel,
    "kaldi mfcc": kaldi_mfcc,
    "htk mfcc": htk_mfcc,
    "sphinx mfcc": sphinx_mfcc,
    "deltas": with_deltas,
}
path = pathlib.Path(__file__).parent / "audio.json"
lines = ",\n".join(f"{json.dumps(k)}:{json.dumps([float(f'{x:.10g}') for x in v.flatten().tolist()], separators=(',', ':'))}" for k, v in golden.items())
path.write_text(f'{{"torch":"{torch.__version__}",\n{lines}\n}}\n')
print(f"{path.name}: {path.stat().st_size // 1024} kB")
