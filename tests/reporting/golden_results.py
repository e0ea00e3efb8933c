"""The results behind the golden tables. ``python -m tests.reporting.golden_results`` writes the tables anew."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from harness.records import Seconds
from harness.reporting import render
from tests import factory

GOLDEN = Path(__file__).parent / "golden"
TABLES = ("accuracy-time", "time-split", "images", "best-epoch")

FINALS = {
    ("ssd-kd", 100.0): (90.0, 92.0, 97.0),
    ("ssd-kd", 10.0): (88.0, 88.5, 90.0),
    ("ssd-kd", 1.0): (70.0, 71.0, 75.0),
    ("fast-2", 100.0): (91.0, 91.5, 92.0),
    ("fast-2", 10.0): (80.0, 82.0, None),
    ("fast-2", 1.0): (40.0, None, 44.0),
    ("fast-10", 100.0): (93.0, 93.0, 93.0),
    ("fast-10", 10.0): (85.0, 86.0),
    ("fast-10", 1.0): (None, None, None),
    ("scratch", 100.0): (97.0, 97.5, 98.0),
    ("scratch", 10.0): (90.0, 90.5, 91.0),
}
"""(label, scale) -> last epoch by seed; None did not get there."""

LOST = {
    ("fast-2", 10.0): {"status": "diverged", "reason": "loss is NaN in round 3"},
    ("fast-10", 1.0): {"status": "failed", "reason": "ValueError: expected 10 classes, not 9"},
}


def build(results: Path) -> None:
    """A study with partial, failed, diverged and damaged cells at three scales."""
    for (label, scale), finals in FINALS.items():
        for seed, final in enumerate(finals):
            lost = LOST.get((label, scale), {}) if final is None else {}
            time = Seconds(startup=3.0, synthesis=0.5 * scale + seed, distillation=0.25 * scale, evaluation=7.0)
            best = None if final is None else final + 1
            cell = factory.metrics(label, scale, seed, final=final, best=best, seconds=time, **lost)
            folder = factory.write(results, cell)
            if final is None and not lost:
                _damage(folder)


def _damage(folder: Path) -> None:
    """The record of another cell, as a wrong copy by hand leaves it."""
    other = folder.parent / "seed-0" / "metrics.json"
    (folder / "metrics.json").write_bytes(other.read_bytes())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        build(Path(scratch) / "results")
        render(Path(scratch) / "results", Path(scratch) / "reports")
        GOLDEN.mkdir(exist_ok=True)
        for table in TABLES:
            for kind in ("md", "csv", "tex"):
                shutil.copy(Path(scratch) / "reports/toy/tables" / f"{table}.{kind}", GOLDEN)
