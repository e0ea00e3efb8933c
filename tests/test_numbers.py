"""Notices when a method's numbers move although no key says so.

numbers.json holds the losses of a tiny run of every method and reference. They say nothing about right or wrong; where
a change of harness/ moves them on purpose, raise NUMBERS of harness/engine.py, so that old results become stale, and
write the file again: python -m tests.test_numbers
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

import methods
from harness.check import run, tiny_cell
from harness.engine import NUMBERS

FILE = Path(__file__).with_name("numbers.json")
ALL = [*methods.names(), *methods.REFERENCES]


def losses(name: str, folder: Path) -> dict[str, float]:
    """Means over the last epoch of a run with an untrained teacher."""
    last = run(tiny_cell(name), folder).ledger.events[-1]
    parts = {"synthesis": last.synthesis, "distillation": last.distillation}
    return {f"{phase}.{part}": value for phase, found in parts.items() for part, value in found.items()}


@pytest.mark.parametrize("name", ALL)
def test_the_numbers_have_not_moved(name: str, tmp_path: Path) -> None:
    committed = json.loads(FILE.read_text())
    assert losses(name, tmp_path) == pytest.approx(committed["losses"][name], rel=2e-3, abs=1e-6), (
        "the numbers moved: if harness/ moved them on purpose, raise NUMBERS and run python -m tests.test_numbers"
    )
    assert committed["NUMBERS"] == NUMBERS, "NUMBERS was raised: run python -m tests.test_numbers"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        found = {name: losses(name, Path(place) / name) for name in ALL}
    FILE.write_text(json.dumps({"NUMBERS": NUMBERS, "losses": found}, indent=1) + "\n")
