from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from harness.commands import estimate
from harness.commands.contract import tiny_cell
from harness.commands.output import columns
from harness.commands.status import CellStatus, State
from harness.grid.cell import Cell
from harness.run.costs import Cost, Images
from harness.store.layout import Results
from harness.store.records import Flops, Seconds
from tests import factory

ROW = "toy/digits/wrn10_1--cnn3_16/{}/scale-10"


def cell(results: Path, label: str, seed: int, state: State, hours: float = 0.0, size: int = 0) -> CellStatus:
    """A cell; if it is done, a run that took so long, a tenth of it for evaluation, in so many bytes."""
    seconds = Seconds(startup=0.0, synthesis=3240 * hours, distillation=0.0, evaluation=360 * hours, waiting=9e8)
    result = factory.metrics(label, seed=seed, seconds=seconds)
    if state == "done":
        run = factory.write(results, result) / "runs" / result.key
        used = sum(path.stat().st_size for path in run.iterdir())
        (run / "student.safetensors").write_bytes(bytes(size - used))
    named = replace(tiny_cell("fast", {}), study="toy", label=label, scale=10.0, seed=seed)
    assert named.name == result.cell
    return CellStatus(named, Results(results).cell(named), state, result=result if state == "done" else None)


def no_cost(_: Sequence[Cell]) -> list[tuple[Cell, Cost]]:
    raise AssertionError("all rows have a finished seed")


def test_the_rest_is_judged_by_the_seeds_that_are_done(tmp_path: Path) -> None:
    cells = [
        cell(tmp_path, "dafl", 0, "done", hours=1.0, size=2**20),
        cell(tmp_path, "dafl", 1, "done", hours=2.0, size=3 * 2**20),
        cell(tmp_path, "dafl", 2, "waiting"),
        cell(tmp_path, "dafl", 3, "stale"),
        cell(tmp_path, "dafl", 4, "failed"),
        cell(tmp_path, "cmi", 0, "done", hours=5.0, size=2**20),
    ]
    assert list(estimate.lines(cells, no_cost)) == [
        columns([("dafl", "2 cells", "3 device hours", "by their finished seeds")]),
        "done: 3 cells, 8.00 device hours, 5.0 MiB",
        "left, judged by finished seeds: 2 cells, 3.00 device hours, 4.0 MiB",
        f"memory: about 400 MiB at most, in {ROW.format('dafl')}",  # what its seeds took
    ]


def priced(found: Cell) -> tuple[Cell, Cost]:
    """3e16 and 6e16 operations; CMI stores more images."""
    first = found.label == "fast"
    images = Images(2**30 if first else 2**40, first, "on the device" if first else "in main memory")
    return found, Cost(Flops(synthesis=10**16, distillation=(2 if first else 5) * 10**16), 2**30, 2**31, images)


def test_without_any_finished_seed_operations_tell(tmp_path: Path) -> None:
    left = [cell(tmp_path, label, seed, "waiting") for label, seed in (("fast", 0), ("fast", 1), ("cmi", 0))]
    *_, hours, memory, images = estimate.lines(left, partial(map, priced))
    # 3e16 + 3e16 + 6e16 operations at 3e10 a second are 4,000,000 s
    assert "operations: 3 cells, about 1.11e+03 device hours at 30 GFLOP/s (our assumption" in hours
    assert memory == f"memory: about 3,072 MiB at most, in {ROW.format('fast')}"
    assert images == f"images: the most in {ROW.format('cmi')}, in main memory"


def test_hours_are_told_by_label_over_all_scales(tmp_path: Path) -> None:
    """Three cells of 3e16 operations and one of 6e16 at 3e10 a second; the larger scale of CMI fails."""

    def counting(cells: Sequence[Cell]) -> list[tuple[Cell, Cost | None]]:
        return [(one, None if one.label == "cmi" and one.scale == 100.0 else priced(one)[1]) for one in cells]

    left = [cell(tmp_path, label, seed, "waiting") for label, seed in (("fast", 0), ("fast", 1), ("cmi", 0))]
    table, *_ = estimate.lines([*left, *map(larger, left[1:])], counting)
    assert table == columns(
        [
            ("fast", "3 cells", "833 device hours", "by our assumption"),
            ("cmi", "2 cells", "556 device hours", "1 by our assumption, 1 not estimated"),
        ]
    )


def test_labels_of_several_studies_are_told_apart_and_each_by_what_it_is_judged(tmp_path: Path) -> None:
    """DAFL's row took 1 h, 3240 s of it for 3e9 operations; twice as many take 1.8 h wherever they are."""
    done = cell(tmp_path, "dafl", 0, "done", hours=1.0, size=2**20)
    left = cell(tmp_path, "dafl", 1, "waiting")
    elsewhere = replace(left, cell=replace(left.cell, study="other"))
    cost = Cost(Flops(synthesis=6 * 10**9, distillation=0), 0, 0)
    table, *_ = estimate.lines([done, left, larger(left), elsewhere], lambda cells: [(one, cost) for one in cells])
    assert table == columns(
        [
            ("toy/dafl", "2 cells", "2.8 device hours", "1 by their finished seeds, 1 by their label and pair"),
            ("other/dafl", "1 cell", "1.8 device hours", "by their label and pair"),
        ]
    )


@pytest.mark.parametrize(("needed", "most", "label"), [(399, 400, "dafl"), (401, 401, "fast")])
def test_memory_is_the_most_of_what_seeds_took_and_what_is_counted(
    needed: int, most: int, label: str, tmp_path: Path
) -> None:
    found = [cell(tmp_path, "dafl", 0, "done", hours=1.0, size=2**20), cell(tmp_path, "dafl", 1, "waiting")]
    found.append(cell(tmp_path, "fast", 0, "waiting"))
    cost = Cost(Flops(synthesis=1, distillation=1), needed * 2**20, 0)
    *_, memory = estimate.lines(found, lambda cells: [(one, cost) for one in cells])
    assert memory == f"memory: about {most} MiB at most, in {ROW.format(label)}"


def larger(status: CellStatus) -> CellStatus:
    return replace(status, cell=replace(status.cell, scale=100.0))


@pytest.mark.parametrize(("device", "needed"), [("cpu", "3,772"), ("cuda", "3,072")])
def test_memory_is_with_the_process_where_both_are_in_main_memory(device: str, needed: str, tmp_path: Path) -> None:
    waiting = cell(tmp_path, "fast", 0, "waiting")
    waiting = replace(waiting, cell=replace(waiting.cell, device=device))
    cost = Cost(Flops(synthesis=1, distillation=1), 2**30, 2**31, process=700 * 2**20)
    *_, memory = estimate.lines([waiting], lambda cells: [(one, cost) for one in cells])
    assert memory == f"memory: about {needed} MiB at most, in {ROW.format('fast')}"


def test_finished_cells_tell_how_fast_the_device_is(tmp_path: Path) -> None:
    done = cell(tmp_path, "dafl", 0, "done", hours=1.0, size=2**20)
    found = [done, cell(tmp_path, "fast", 0, "waiting")]  # 3e9 operations of synthesis in 3240 s
    *_, hours, _, _ = estimate.lines(found, partial(map, priced))
    assert f"about {1e16 / (3e9 / 3240) / 3600:.3g} device hours" in hours
    assert "as the finished cells" in hours


def test_each_cell_is_judged_by_the_finished_ones_most_like_it(tmp_path: Path) -> None:
    done = cell(tmp_path, "dafl", 0, "done", hours=1.0, size=2**20)
    left = [cell(tmp_path, label, 1, "waiting") for label in ("dafl", "fast")]
    scaled = replace(left[0], cell=replace(left[0].cell, scale=100.0))
    *_, hours, _, _ = estimate.lines([done, scaled, left[1]], partial(map, priced))
    assert "(as the finished cells on Test CPU: 1 by their label and pair, 1 by their pair)" in hours
