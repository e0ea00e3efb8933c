from __future__ import annotations

from pathlib import Path

from harness import estimate
from harness.records import Seconds
from harness.status import CellStatus, State
from tests import factory

ROW = "toy/digits/wrn10_1--cnn3_16/{}/scale-10"


def cell(results: Path, label: str, seed: int, state: State, hours: float = 0.0, size: int = 0) -> CellStatus:
    """A cell; if it is done, a run that took so long, a tenth of it for evaluation, in so many bytes."""
    seconds = Seconds(startup=0.0, synthesis=3240 * hours, distillation=0.0, evaluation=360 * hours, waiting=9e9)
    result = factory.metrics(label, seed=seed, seconds=seconds)
    if state == "done":
        run = factory.write(results, result) / "runs" / result.key
        used = sum(path.stat().st_size for path in run.iterdir())
        (run / "student.safetensors").write_bytes(bytes(size - used))
    return CellStatus(result.cell, results / result.cell / "metrics.json", state)


def test_the_rest_is_judged_by_the_seeds_that_are_done(tmp_path: Path) -> None:
    cells = [
        cell(tmp_path, "dafl", 0, "done", hours=1.0, size=2**20),
        cell(tmp_path, "dafl", 1, "done", hours=2.0, size=3 * 2**20),
        cell(tmp_path, "dafl", 2, "waiting"),
        cell(tmp_path, "dafl", 3, "stale"),
        cell(tmp_path, "dafl", 4, "failed"),
        cell(tmp_path, "cmi", 0, "done", hours=5.0, size=2**20),
        cell(tmp_path, "fast", 0, "running"),
        cell(tmp_path, "fast", 1, "waiting"),
    ]
    assert list(estimate.lines(cells)) == [
        "done: 3 cells, 8.00 device hours, 5.0 MiB",
        "left: 2 cells, 3.00 device hours, 4.0 MiB",
        f"not estimated: 2 cells of {ROW.format('fast')}, no seed of which is done",
    ]


def test_nothing_done_tells_nothing(tmp_path: Path) -> None:
    assert list(estimate.lines([cell(tmp_path, "dafl", 0, "waiting")])) == [
        "done: 0 cells, 0.00 device hours, 0.0 MiB",
        "left: 0 cells, 0.00 device hours, 0.0 MiB",
        f"not estimated: 1 cells of {ROW.format('dafl')}, no seed of which is done",
    ]
