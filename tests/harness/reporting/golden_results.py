"""The results behind the golden tables. ``python -m tests.harness.reporting.golden_results`` writes the tables anew."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.reporting.report import render
from harness.store.records import Seconds
from tests import factory

GOLDEN = Path(__file__).parent / "golden"
TABLES = ("accuracy-time", "time-split", "operations", "images", "best-epoch")
ABLATIONS = ("ablation-ssd-kd",)

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

OVERLOADED = ("fast-2", 100.0, 1)
"""The run whose synthesis took four times as long on the wall as on cores."""

BASE = {"alpha": 0.6, "batch": 64, "difficulty": True, "diversity": True, "replacement": "priority"}
VARIANTS: dict[str, tuple[dict[str, Any], tuple[float | None, ...]]] = {
    "ssd-kd": ({}, (90.0, 91.0, 95.0)),
    "neither": ({"diversity": False, "difficulty": False}, (86.0, 88.0, 90.0)),
    "no-diversity": ({"diversity": False}, (89.0, None, 92.5)),
    "oldest": ({"replacement": "oldest"}, (90.5, 91.5, 95.5)),
    "uniform": ({"alpha": 0.0}, (88.0,)),
}
"""Label -> what it changes in ``BASE``, and its last epoch by seed."""


def build(results: Path) -> None:
    """A study with partial, failed, diverged and damaged rows at three scales."""
    for (label, scale), finals in FINALS.items():
        for seed, final in enumerate(finals):
            lost = LOST.get((label, scale), {}) if final is None else {}
            cpu = Seconds(startup=3.0, synthesis=0.5 * scale + seed, distillation=0.25 * scale, evaluation=7.0)
            slow = 4.0 if (label, scale, seed) == OVERLOADED else 1.0
            wall = cpu.model_copy(update={"startup": 4.0, "synthesis": slow * cpu.synthesis})
            shown = 50.0 if final is None and not lost else final
            cell = factory.metrics(label, scale, seed, final=shown, seconds=wall, cpu_seconds=cpu, **lost)
            folder = factory.write(results, cell)
            if final is None and not lost:
                _damage(folder)


def build_ablation(results: Path) -> None:
    """A study of variants of one method, some seeds missing, beside a label of another method."""
    for label, (changes, finals) in VARIANTS.items():
        for seed, final in enumerate(finals):
            lost = {"status": "diverged", "reason": "loss is NaN in round 3"} if final is None else {}
            note = "values of CIFAR-10" if label == "oldest" else None
            cell = factory.metrics(label, 10.0, seed, method="ssd-kd", final=final, preset_note=note, **lost)
            factory.write(results, cell, config=BASE | changes)
    factory.write(results, factory.metrics("fast-2", 10.0, 0), config={"inner_steps": 2})


def _damage(folder: Path) -> None:
    """The record of another cell, as a wrong copy by hand leaves it."""
    other = folder.parent / "seed-0" / "metrics.json"
    (folder / "metrics.json").write_bytes(other.read_bytes())


def _write(make: Callable[[Path], None], tables: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        make(Path(scratch) / "results")
        render(Path(scratch) / "results", Path(scratch) / "reports")
        for table in tables:
            for kind in ("md", "csv", "tex"):
                shutil.copy(Path(scratch) / "reports/toy/tables" / f"{table}.{kind}", GOLDEN)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    _write(build, TABLES)
    _write(build_ablation, ABLATIONS)
