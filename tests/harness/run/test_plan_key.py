"""A result stands under the key of the code that made it, whoever edits what meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.grid import grid, keys, study
from harness.grid.cell import Cell
from harness.run import runner, session
from tests import factory
from tests.harness.run.test_runner import BODY, STUDY

STEP = "return super().distill_step()"


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    factory.untrained_teacher(tmp_path)
    write(tmp_path, STEP)
    file = tmp_path / "t.yaml"
    file.write_text(STUDY.format(method=tmp_path / "m.py", device="cpu"), encoding="utf-8")
    keys.forget()
    (found,) = grid.expand(study.load_study(file))
    return found


def write(folder: Path, step: str) -> None:
    (folder / "m.py").write_text(BODY.format(step=step), encoding="utf-8")


def results(folder: Path) -> list[Path]:
    return list(folder.glob("t/**/metrics.json"))


def test_the_planned_key_runs(cell: Cell, tmp_path: Path) -> None:
    planned = keys.plan_key(cell)
    assert runner.run_cell(cell, results=tmp_path, plan_key=planned).plan_key == planned


def test_another_key_than_the_planned_one_is_refused(cell: Cell, tmp_path: Path) -> None:
    planned = keys.plan_key(cell)
    write(tmp_path, "return {}")
    keys.forget()
    for given in (planned, "0123456789abcdef"):
        with pytest.raises(UserError, match=f"planned with key {given}, now it is"):
            runner.run_cell(cell, results=tmp_path, plan_key=given)
    assert results(tmp_path) == []


@pytest.mark.parametrize("step", [STEP, "raise ValueError"])
def test_code_edited_between_key_and_import_is_refused(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    build = session.build_method

    def edited_meanwhile(*arguments: object) -> object:
        write(tmp_path, step + "  # and other code\n    more = 1")
        return build(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "build_method", edited_meanwhile)
    with pytest.raises(UserError, match="changed meanwhile"):
        runner.run_cell(cell, results=tmp_path)
    assert results(tmp_path) == []
