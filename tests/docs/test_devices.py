"""What reference-results.md says of the two devices: no row differs by more than its seeds do."""

from __future__ import annotations

from harness import ROOT
from harness.commands import output
from harness.commands.compare import sides, versions

REFERENCE = ROOT / "results/reference"


def test_no_row_depends_on_the_device() -> None:
    processor, card = REFERENCE / "cpu-amd-epyc/cifar10-cpu", REFERENCE / "gpu-nvidia-h200/cifar10-gpu"
    told = list(output.lines(versions.table(sides.side(str(processor), ROOT), sides.side(str(card), ROOT))))
    within, of, *_ = told[-1].replace(" of ", " ").split()
    assert within == of and int(of) >= 11, told[-1]
