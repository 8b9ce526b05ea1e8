"""PyTorch's linear, embedding, layer_norm, softmax, log_softmax, cross_entropy, conv2d, pooling and batch_norm, and what a
softmax by classes is made of with them; outputs and all gradients.

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

# A softmax by classes: that of the classes, and for each row that of the words of its target's class.
FIRST = [0, 1, 4, 9]
WORDS = 12
for reduction in ("mean", "none"):
    inputs = Inputs()
    x = inputs.real("x", [2, 3, 5])
    class_weight, class_bias = inputs.real("classWeight", [4, 5]), inputs.real("classBias", [4])
    weight, bias = inputs.real("weight", [WORDS, 5]), inputs.real("bias", [WORDS])
    targets = inputs.integers("targets", [[11, 0, 9], [3, 2, 11]])
    losses = []
    for row, target in zip(x.reshape(-1, 5), targets.flatten().tolist()):
        c = max(i for i, first in enumerate(FIRST) if first <= target)
        words = slice(FIRST[c], (FIRST + [WORDS])[c + 1])
        of_class = F.log_softmax(F.linear(row, class_weight, class_bias), -1)[c]
        of_word = F.log_softmax(F.linear(row, weight[words], bias[words]), -1)[target - FIRST[c]]
        losses.append(-of_class - of_word)
    y = torch.stack(losses).reshape(2, 3)
    y = y.mean() if reduction == "mean" else y
    add("classCrossEntropy", reduction, inputs, y, reduction=reduction, first=FIRST)

for stride, padding in ((1, 0), (1, 1), ((2, 1), (0, 2))):
    inputs = Inputs()
    x, weight = inputs.real("x", [2, 3, 6, 5]), inputs.real("weight", [4, 3, 3, 2])
    y = F.conv2d(x, weight, inputs.real("bias", [4]), stride=stride, padding=padding)
    add("conv2d", f"stride {stride}, padding {padding}", inputs, y, stride=stride, padding=padding)

for op, function in (("maxPool2d", F.max_pool2d), ("avgPool2d", F.avg_pool2d)):
    for kernel, stride, padding in ((2, 2, 0), ((3, 2), (1, 2), (1, 0))):
        inputs = Inputs()
        y = function(inputs.real("x", [2, 2, 5, 6]), kernel, stride, padding)
        options = {"kernel": kernel, "stride": stride, "padding": padding}
        add(op, f"window {kernel}, stride {stride}, padding {padding}", inputs, y, **options)

inputs = Inputs()
x, weight, bias = inputs.real("x", [3, 2, 2, 4]), inputs.real("weight", [2]), inputs.real("bias", [2])
add("batchNorm", "of images", inputs, F.batch_norm(x, None, None, weight, bias, training=True, eps=0.01), eps=0.01)

write("ops", cases)
