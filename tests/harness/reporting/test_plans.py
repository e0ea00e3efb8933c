"""A report of a grid that is not finished says what it lacks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.reporting import frame
from harness.reporting.report import render
from harness.reporting.rows import Row, group
from harness.reporting.runs import load
from harness.store.records import Metrics
from tests import factory

UNPLANNED = b", how many were planned is not recorded"
PARTIAL = "3 of 12 planned cells are done; 7 wait, 1 failed, 1 damaged."


def grid() -> dict[tuple[str, float, int], Metrics]:
    """Twelve cells: two labels, two scales, three seeds."""
    keys = [(label, scale, seed) for label in ("a", "b") for scale in (100.0, 10.0) for seed in (0, 1, 2)]
    return {key: factory.metrics(*key, method="m") for key in keys}


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """Of the grid, label a at 10 % is whole but for a seed that failed; b there has one result and one damaged."""
    cells = grid()
    factory.plan(tmp_path / "results", cells.values())
    for key in [("a", 10.0, 0), ("a", 10.0, 1), ("b", 10.0, 0)]:
        factory.write(tmp_path / "results", cells[key])
    broken = {"status": "failed", "reason": "no", "final": None, "best": None}
    factory.write(tmp_path / "results", factory.metrics("a", 10.0, 2, method="m", **broken))
    damaged = factory.write(tmp_path / "results", cells["b", 10.0, 1])
    (damaged / "metrics.json").write_text("{", encoding="utf-8")
    return tmp_path / "results"


def rows(results: Path) -> dict[tuple[str, float], Row]:
    return {(row.label, row.scale): row for row in group(load(results))}


def test_a_complete_report_differs_with_a_plan_in_that_it_says_so(results: Path, reports: Path, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "results")
    cells = [Metrics.model_validate_json(path.read_bytes()) for path in results.rglob("runs/*/metrics.json")]
    factory.plan(tmp_path / "results", cells)
    written = render(tmp_path / "results", tmp_path / "out")
    assert len(written) == sum(path.is_file() for path in reports.rglob("*"))
    here, there = (
        os.path.relpath(found, out) for found, out in ((tmp_path / "results", tmp_path / "out"), (results, reports))
    )
    for path in written:
        expected = (reports / path.relative_to(tmp_path / "out")).read_bytes()
        expected = expected.replace(b" recorded are done", b" planned are done").replace(UNPLANNED, b"")
        # The page alone leads to the records.
        assert path.read_bytes() == expected.replace(f"{there}/".encode(), f"{here}/".encode()), path.name


def test_rows_have_the_seeds_that_wait(partial: Path) -> None:
    found = rows(partial)
    assert {key: [run.status for run in row.runs] for key, row in found.items()} == {
        ("a", 100.0): ["waiting"] * 3,
        ("a", 10.0): ["done", "done", "failed"],
        ("b", 100.0): ["waiting"] * 3,
        ("b", 10.0): ["done", "damaged", "waiting"],
    }
    assert found["b", 10.0].problems()[1] == "seed 2 waiting: no result yet"
    assert {row.method for row in found.values()} == {"m"}
    names = [run.cell.path for run in load(partial)]
    assert names == sorted(names)


def test_every_table_and_the_page_say_how_much_is_done(partial: Path, tmp_path: Path) -> None:
    written = render(partial, tmp_path / "out")
    tables = [path.read_text(encoding="utf-8") for path in written if path.suffix in (".md", ".tex")]
    assert tables
    for table in tables:
        assert PARTIAL in table
        assert "Left out: 1 cell with damaged records." in table
    page = written[-1].read_text(encoding="utf-8")
    assert f'<p class="lead">1 study: {PARTIAL}</p>' in page
    assert page.count("waiting: no result yet") > 7  # a line per cell, and footnotes
    table = (tmp_path / "out/toy/tables/accuracy-time.md").read_text(encoding="utf-8")
    assert "– (0/3)" in table
    assert "seeds 0, 1, 2 waiting: no result yet" in table


def test_seeds_that_nobody_ran_yet_are_expected(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics(seed=0))
    assert [run.expected for run in load(tmp_path)] == [1]
    factory.plan(tmp_path, [factory.metrics(seed=seed) for seed in (0, 1, 7)])
    assert [run.expected for run in load(tmp_path)] == [3, 3, 3]


def test_a_plan_of_some_seeds_takes_none_away(tmp_path: Path) -> None:
    for seed in (0, 1):
        factory.write(tmp_path, factory.metrics(seed=seed))
    factory.plan(tmp_path, [factory.metrics(seed=0)])
    assert [(run.status, run.expected) for run in load(tmp_path)] == [("done", 2)] * 2


def test_studies_without_any_result_are_not_reported(tmp_path: Path) -> None:
    factory.plan(tmp_path, grid().values())
    assert load(tmp_path) == []
    with pytest.raises(UserError, match="no results to report"):
        render(tmp_path, tmp_path / "out")


def test_filters_go_by_what_is_known_of_cells_that_wait(partial: Path, tmp_path: Path) -> None:
    render(partial, tmp_path / "out", only={"scale": ["100"], "method": ["m"]})
    table = (tmp_path / "out/toy/tables/images.md").read_text(encoding="utf-8")
    assert "0 of 6 planned cells are done; 6 wait." in table
    render(partial, tmp_path / "done", only={"status": ["done"]})
    assert "planned" not in (tmp_path / "done/toy/tables/images.md").read_text(encoding="utf-8")


def _folder(plan: Path) -> None:
    plan.unlink()
    plan.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        lambda plan: plan.write_bytes(b""),
        lambda plan: plan.write_bytes(b"{"),
        lambda plan: plan.write_bytes(b"\xff\xfe{}"),
        lambda plan: plan.write_text("[]", encoding="utf-8"),
        lambda plan: plan.write_text('{"cells": {"a": "b"}}', encoding="utf-8"),
        lambda plan: plan.write_text('{"cells": {"../x": {"plan_key": "", "method": ""}}}', encoding="utf-8"),
        _folder,
    ],
)
def test_a_damaged_plan_is_a_warning(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    factory.write(tmp_path, factory.metrics())
    plan = factory.plan(tmp_path, grid().values())
    damage(plan)
    with pytest.warns(UserWarning, match="toy.plan.json"):
        found = load(tmp_path)
    assert [(run.status, run.expected) for run in found] == [("done", 1)]


def test_a_result_of_another_plan_is_marked(tmp_path: Path) -> None:
    for seed in (0, 1):
        factory.write(tmp_path / "results", factory.metrics(seed=seed))
    waiting = factory.metrics(seed=2)
    factory.plan(tmp_path / "results", [factory.metrics(seed=0), factory.metrics(seed=1, plan_key="0" * 16), waiting])
    render(tmp_path / "results", tmp_path / "out")
    for kind in ("md", "tex", "csv"):
        table = (tmp_path / f"out/toy/tables/accuracy-time.{kind}").read_text(encoding="utf-8")
        assert "seed 1 stale: code or configuration changed since" in table
        assert kind == "csv" or "1 of 3 planned cells are done, 1 stale; 1 waits." in table


def test_a_variant_that_waits_has_its_line_in_the_ablation(tmp_path: Path) -> None:
    cells = [factory.metrics(label, method="m") for label in ("m", "without-x", "without-y")]
    for cell, x in zip(cells[:2], (True, False), strict=True):
        factory.write(tmp_path / "results", cell, config={"x": x})
    factory.plan(tmp_path / "results", cells)
    render(tmp_path / "results", tmp_path / "out")
    table = (tmp_path / "out/toy/tables/ablation-m.md").read_text(encoding="utf-8")
    assert "2 of 3 planned cells are done; 1 waits." in table
    assert "| without-y | – | – (0/1) <sup>a</sup> | – |" in table


def test_a_notebook_has_the_cells_that_wait_and_no_curve_of_them(partial: Path) -> None:
    cells = frame.load(partial)
    assert cells["status"].value_counts().to_dict() == {"waiting": 7, "done": 3, "failed": 1, "damaged": 1}
    assert cells[cells["status"] == "waiting"]["method"].eq("m").all()
    assert len(frame.curves(cells).groupby(["label", "scale", "seed"])) == 4
