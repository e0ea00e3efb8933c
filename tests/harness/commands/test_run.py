"""`dkd run`: several cells in a process each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.commands import run
from harness.errors import ConfigError, UserError
from harness.grid import keys
from harness.grid.grid import load_grid
from harness.store import atomic
from tests import factory

STUDY = """study: toy
dataset: digits
pairs: [{teacher: wrn10_1, student: cnn3_16}]
scales: [10]
seeds: [0, 1, 2]
methods: {kd-noise: {}}
"""
CELL = "toy/digits/wrn10_1--cnn3_16/kd-noise/scale-10/seed-"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "toy.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return path


class Commands(list[list[str]]):
    """Stands for `subprocess.run`: notes the commands and ends them with these statuses."""

    def __init__(self, *statuses: int) -> None:
        super().__init__()
        self.statuses = iter(statuses)

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        self.append(command)
        return subprocess.CompletedProcess(command, next(self.statuses))


def test_every_cell_of_a_pattern_gets_a_process(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = Commands(0, 2, 1)
    monkeypatch.setattr(subprocess, "run", commands)
    wanted: dict[str, Any] = {"results": tmp_path / "r", "out": tmp_path / "o", "concurrent": 3}
    assert run.run("toy/*", study, changes=["steps=4", "epochs=1"], **wanted) == 2
    options = ["--set", "steps=4", "--set", "epochs=1", "--out", str(tmp_path / "o")]
    options += ["--results", str(tmp_path / "r"), "--concurrent", "3"]
    cells = [[sys.executable, "-m", "harness", "run", f"{CELL}{seed}", "--configfile", str(study)] for seed in range(3)]
    assert list(commands) == [cell + options for cell in cells]
    assert [line for line in capsys.readouterr().err.splitlines() if "did not come" in line] == [
        f"error: {CELL}{seed} did not come to its end" for seed in (1, 2)
    ]


def test_one_cell_stays_in_this_process(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[dict[str, Any]] = []
    monkeypatch.setattr(run, "run_cell", lambda cell, **wanted: ran.append({"cell": cell.name, **wanted}))
    assert run.run(f"{CELL}1", study, results=tmp_path, plan_key="0" * 16, concurrent=2) == 0
    assert ran == [{"cell": f"{CELL}1", "results": tmp_path, "plan_key": "0" * 16, "concurrent": 2}]


@pytest.mark.parametrize(
    ("done", "told"), [(0, "3 waiting"), (1, "2 waiting, 1 done; under a minute left, 1 at once"), (3, "3 done")]
)
def test_what_is_about_to_run_is_told_with_the_time_as_far_as_records_tell(
    done: int,
    told: str,
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """13.5 s a cell."""
    monkeypatch.setattr(subprocess, "run", Commands(0, 0, 0))
    for cell in load_grid(study).cells[:done]:
        factory.write(tmp_path, factory.metrics("kd-noise", seed=cell.seed, plan_key=keys.plan_key(cell)))
    assert run.run("toy/*", study, results=tmp_path) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"3 cells of {study}; {told}"


def test_a_cell_that_is_done_is_told_so(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "run_cell", lambda cell, **wanted: None)
    cell = load_grid(study).cells[1]
    factory.write(tmp_path, factory.metrics("kd-noise", seed=1, final=87.0, plan_key=keys.plan_key(cell)))
    for seed in (0, 1):
        run.run(f"{CELL}{seed}", study, results=tmp_path)
    assert capsys.readouterr().out.splitlines() == [f"{CELL}1: done: 87.00 % top1, 13.0 CPU s in 13.0 s"]


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_cell_that_failed_is_told_so_and_how_to_run_it_again(
    status: str, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "run_cell", lambda cell, **wanted: None)
    ended: dict[str, Any] = {"status": status, "reason": "loss is nan", "best": None, "best_epoch": None}
    plan = keys.plan_key(load_grid(study).cells[0])
    factory.write(tmp_path, factory.metrics("kd-noise", final=None, plan_key=plan, **ended))
    run.run(f"{CELL}0", study, results=tmp_path)
    assert capsys.readouterr().out == f"{CELL}0: {status}: loss is nan; `dkd retry` lets it run again\n"


def test_cells_without_a_teacher_are_told_before_the_others_run(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named = "{teacher: {network: wrn10_1, name: theirs}, student: cnn3_16}"
    study.write_text(STUDY.replace("cnn3_16}]", f"cnn3_16}}, {named}]"), encoding="utf-8")
    monkeypatch.setattr(subprocess, "run", Commands(0, 0, 0, 0, 0, 0))
    atomic.write(tmp_path / "teachers/digits/wrn10_1/teacher.json", factory.teacher())
    run.run("toy/*", study, results=tmp_path)
    (note,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note")]
    assert note.startswith(f"note: 3 cells will not run: no {tmp_path}/teachers/digits/wrn10_1+theirs/teacher.json; ")
    assert "dkd train-teacher digits wrn10_1 --name theirs --import FILE" in note


@pytest.mark.parametrize(("methods", "given"), [("{kd-noise: {roundz: 3}}", []), ("{kd-noise: {}}", ["roundz=3"])])
def test_a_wrong_option_is_told_once_and_starts_nothing(
    methods: str, given: list[str], study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = Commands()
    monkeypatch.setattr(subprocess, "run", commands)
    study.write_text(STUDY.replace("{kd-noise: {}}", methods), encoding="utf-8")
    with pytest.raises(ConfigError, match="roundz"):
        run.run("toy/*", study, changes=given, results=tmp_path, out=tmp_path / "out" if given else None)
    assert not commands


def test_a_plan_key_belongs_to_one_cell(study: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--plan-key belongs to one cell .* names 3"):
        run.run("toy/*", study, results=tmp_path, plan_key="0" * 16)
    with pytest.raises(UserError, match="--set needs --out"):
        run.run("toy/*", study, changes=["steps=1"], results=tmp_path)


def test_a_cell_that_was_killed_is_the_machines_trouble(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(subprocess, "run", Commands(0, -9, 2))
    assert run.run("toy/*", study, results=tmp_path) == 1
    assert capsys.readouterr().err.splitlines()[-2:] == [
        f"error: {CELL}1 did not come to its end: killed by SIGKILL",
        f"error: {CELL}2 did not come to its end",
    ]
