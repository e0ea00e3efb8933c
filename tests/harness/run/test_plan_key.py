"""A result stands under the key of the code that made it, whoever edits what meanwhile."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from PIL import Image

from harness.errors import UserError
from harness.grid import grid, keys, study
from harness.grid.cell import Cell
from harness.run import runner, session
from harness.run.run import Run
from methods.base.prior import Prior
from tests import factory
from tests.harness.run.test_runner import BODY, STUDY

STEP = "return super().distill_step()"


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    factory.untrained_teacher(tmp_path)
    write(tmp_path, STEP)
    file = tmp_path / "t.yaml"
    file.write_text(STUDY.format(method=tmp_path / "m.py", device="cpu", batch=8), encoding="utf-8")
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


LAZY = """
from pathlib import Path

import torch
from methods.references import KDNoise

class M(KDNoise):
    name = "m"

    def distill_step(self):
        Path(__file__).write_text("edited and broken")
        (Path(__file__).parent / "helper.py").write_text("def images(n): return torch.ones(n, 1, 8, 8)")
        (Path(__file__).parent / "deeper.py").write_text("VALUE = 1.0")
        return super().distill_step()

    def synthetic_images(self, count):
        import helper
        return helper.images(count)
"""


def test_code_edited_while_it_runs_changes_nothing(cell: Cell, tmp_path: Path) -> None:
    """Neither what is imported late, inside functions, nor the method that is built once more to count operations."""
    (tmp_path / "m.py").write_text(LAZY, encoding="utf-8")
    helper = "import torch\n\ndef images(n):\n    from deeper import VALUE\n    return torch.full((n, 1, 8, 8), VALUE)"
    (tmp_path / "helper.py").write_text(helper, encoding="utf-8")
    (tmp_path / "deeper.py").write_text("VALUE = 0.0", encoding="utf-8")
    keys.forget()
    result = runner.run_cell(cell, results=tmp_path)
    assert (result.status, result.reason) == ("done", None)
    assert result.flops is not None
    with Image.open(next(tmp_path.glob("t/**/samples.png"))) as sheet:
        assert sheet.getpixel((sheet.width // 16, sheet.height // 16)) == 0
    assert (tmp_path / "m.py").read_text(encoding="utf-8") == "edited and broken"
    assert result.prior is Prior.NONE


def test_all_that_the_key_stands_for_is_imported_before_it_is_confirmed(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = ("harness.networks.deeplab", "methods.parts.views", "harness.networks.small")
    ours = dict(keys.sources(cell))
    monkeypatch.setattr(keys, "sources", lambda cell: ours | {f"{name.replace('.', '/')}.py": "" for name in late})
    for name in late:
        importlib.import_module(name)
        monkeypatch.delitem(sys.modules, name)
    Run.of(cell, tmp_path, None).confirm()
    assert sys.modules.keys() >= set(late)
