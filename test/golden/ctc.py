"""PyTorch's ctc_loss of log_softmax, with the gradient of the logits.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python3 test/golden/ctc.py
"""

import torch
import torch.nn.functional as F

from golden import Inputs, case, write

# Repeated labels, one that just fits, an empty target, a single frame, all of one label.
MIXED = {
    "targets": [[1, 1, 2, 2], [2, 3, 3, 0], [0, 0, 0, 0], [5, 0, 0, 0], [4, 4, 4, 0]],
    "inputLengths": [9, 4, 7, 1, 8],
    "targetLengths": [4, 3, 0, 1, 3],
}
# The first and the last do not fit: 4 labels and 2 repeats need 6 frames, 3 labels and 2 repeats need 5.
SHORT = {**MIXED, "inputLengths": [5, 4, 9, 9, 4]}

cases = []
for reduction in ("mean", "sum", "none"):
    for name, numbers in (("mixed", MIXED), ("too short", SHORT)):
        for blank in (0, 6):
            inputs = Inputs()
            logits = inputs.real("logits", [9, 5, 7], 4)
            integers = [inputs.integers(key, value) for key, value in numbers.items()]
            zero = numbers is SHORT
            y = F.ctc_loss(
                F.log_softmax(logits, -1), *integers, blank=blank, reduction=reduction, zero_infinity=zero
            )
            options = {"blank": blank, "reduction": reduction, "zeroInfinity": zero}
            cases.append(case(f"{name}, blank {blank}, {reduction}", options, inputs, {"y": y}))

# Without zero_infinity the two are infinite, which JSON cannot hold; a test of its own has that.
y = F.ctc_loss(F.log_softmax(logits, -1), *integers, blank=6, reduction="none")
assert torch.isfinite(y).tolist() == [False, True, True, True, False]

write("ctc", cases)
