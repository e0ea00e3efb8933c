"""Notices when a method's numbers move although no key says so.

numbers.json holds the losses of a tiny run of every method and reference. They say nothing about right or wrong; where
a change of harness/ moves them on purpose, raise NUMBERS of harness/grid/keys.py, so that old results become stale, and
write the file again: python -m tests.test_numbers. The same command enters a new method.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch

import methods
from harness.commands.contract import run, tiny_cell
from harness.grid.keys import NUMBERS

FILE = Path(__file__).with_name("numbers.json")
COMMITTED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


def losses(name: str, folder: Path) -> dict[str, float]:
    """Means over the last epoch of a run with an untrained teacher.

    In float64, where types of processors and numbers of threads move no digit that counts: in float32 they tip the
    balance of choices, such as which image a full buffer keeps.
    """
    torch.set_default_dtype(torch.float64)
    try:
        last = run(tiny_cell(name), folder).ledger.events[-1]
    finally:
        torch.set_default_dtype(torch.float32)
    parts = {"synthesis": last.synthesis, "distillation": last.distillation}
    return {f"{phase}.{part}": value for phase, found in parts.items() for part, value in found.items()}


@pytest.mark.parametrize("name", sorted({*COMMITTED["losses"], *methods.names()}))
def test_the_numbers_have_not_moved(name: str, tmp_path: Path) -> None:
    if name not in COMMITTED["losses"]:
        pytest.skip(f"{name} has no entry in tests/numbers.json: python -m tests.test_numbers adds one")
    assert losses(name, tmp_path) == pytest.approx(COMMITTED["losses"][name], rel=1e-5, abs=1e-9), (
        "the numbers moved: if harness/ moved them on purpose, raise NUMBERS and run python -m tests.test_numbers"
    )
    assert COMMITTED["NUMBERS"] == NUMBERS, "NUMBERS was raised: run python -m tests.test_numbers"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        found = {name: losses(name, Path(place) / name) for name in methods.names()}
    FILE.write_text(json.dumps({"NUMBERS": NUMBERS, "losses": found}, indent=1) + "\n", encoding="utf-8")
