"""Writes one recurrent stack as ONNX for onnxruntime: export_onnx.py CELL HIDDEN LAYERS FILE."""
import sys

import torch
from torch import nn

cell, hidden, layers, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell](hidden, hidden, layers)

    def forward(self, x, *state):
        return self.layer(x, state if cell == "lstm" else state[0])


zeros = torch.zeros(layers, 1, hidden)
state = (zeros, zeros) if cell == "lstm" else (zeros,)
torch.onnx.export(
    Stack().eval(),
    (torch.randn(1, 1, hidden),) + state,
    path,
    input_names=["x", "h", "c"][: 1 + len(state)],
    output_names=["y", "hn", "cn"][: 1 + len(state)],
    dynamic_axes={"x": {0: "T"}, "y": {0: "T"}},
    opset_version=14,
)
