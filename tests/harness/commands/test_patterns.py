"""Every command that takes a pattern means the same by it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.commands import run, verify
from harness.grid import keys
from harness.grid.cell import Cell
from harness.grid.grid import load_grid
from harness.store import atomic
from harness.store.layout import Results
from tests import factory
from tests.harness.conftest import Command

STUDY = """study: toy
dataset: digits
pairs: [{teacher: wrn10_1, student: cnn3_16}]
scales: [1, 10]
seeds: [0, 1]
methods: {kd-noise: {}, kd-real: {}, noisy: {method: kd-noise}}
"""
Asked = Callable[[str], tuple[int, list[str], str]]
"""A pattern to exit status, names of the cells that a command took for meant, and what it said."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result for every cell of the study, failed, so that `dkd retry` has something to do."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "toy.yaml").write_text(STUDY, encoding="utf-8")
    atomic.write(Results(folder).teacher("digits", "wrn10_1").record, factory.teacher())
    for cell in cells(folder):
        plan, key = both_keys(cell)
        failed: dict[str, Any] = {"status": "failed", "reason": "boom", "method": cell.method}
        factory.write(folder, factory.metrics(cell.label, cell.scale, cell.seed, key=key, plan_key=plan, **failed))
    return folder


@pytest.fixture
def results(made: Path, tmp_path: Path) -> Path:
    """A copy, to change."""
    return Path(shutil.copytree(made, tmp_path / "results"))


def cells(folder: Path) -> list[Cell]:
    return load_grid(folder / "toy.yaml").cells


def both_keys(cell: Cell) -> tuple[str, str]:
    """Plan key and cell key."""
    plan = keys.plan_key(cell)
    return plan, keys.cell_key(plan, factory.TEACHER_SHA)


@pytest.fixture(params=["run", "list", "trace", "retry", "verify"])
def asked(request: pytest.FixtureRequest, results: Path, dkd: Command, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A command that only notes which cells it would work on."""
    ran: list[str] = []

    def process(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        ran.append(command[4])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(run, "run_cell", lambda cell, **_: ran.append(cell.name))
    monkeypatch.setattr(subprocess, "run", process)
    monkeypatch.setattr(verify._Bench, "outcome", lambda _, cell: verify.Outcome(str(cell.name), "nothing", ""))
    grid = ["--configfile", results / "toy.yaml"] if request.param in ("run", "list") else []

    def ask(pattern: str) -> tuple[int, list[str], str]:
        each = ["--cells"] if request.param == "list" else []
        status, output, errors = dkd(request.param, pattern, *grid, *each, "--results", results)
        words = [word.removeprefix(f"{results}/") for line in output.splitlines() for word in line.split()]
        names = {cell.name for cell in cells(results)}
        return status, sorted({*ran, *(word for word in words if word in names)}), errors

    return ask


def named(results: Path, *words: str) -> list[str]:
    return sorted(cell.name for cell in cells(results) if all(f"/{word}/" in f"/{cell.name}/" for word in words))


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("toy/digits/wrn10_1--cnn3_16/noisy/scale-10/seed-1", ["noisy", "scale-10", "seed-1"]),
        ("kd-noise", ["kd-noise"]),
        ("kd-real/scale-1", ["kd-real", "scale-1"]),
        ("scale-10/seed-0", ["scale-10", "seed-0"]),
        ("toy/*/noisy/*/seed-0", ["noisy", "seed-0"]),
        ("*/kd-noise/scale-10/*", ["kd-noise", "scale-10"]),
        ("*", []),
    ],
)
def test_names(asked: Asked, results: Path, pattern: str, words: list[str]) -> None:
    status, found, _ = asked(pattern)
    assert (status, found) == (0, named(results, *words))


@pytest.mark.parametrize("kind", [0, 1], ids=["plan key", "cell key"])
@pytest.mark.parametrize("digits", [16, 12])
def test_keys(asked: Asked, results: Path, kind: int, digits: int) -> None:
    cell = cells(results)[4]
    status, found, _ = asked(both_keys(cell)[kind][:digits])
    assert (status, found) == (0, [cell.name])


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("kd-niose", "did you mean: kd-noise"),
        ("kd-noise/scale-100", "did you mean: kd-noise/scale-10"),
        ("kd-*/scale-10", "did you mean '*/kd-*/scale-10/*'"),
        ("toy", None),
        ("noisy/seed-0", "a name looks like this: toy/digits/"),
        ("0123456789abcdef", "a name looks like this: toy/digits/"),
    ],
)
def test_nothing_found(asked: Asked, results: Path, pattern: str, advice: str | None) -> None:
    status, found, errors = asked(pattern)
    if advice is None:
        assert (status, found) == (0, named(results))
    else:
        assert (status, found) == (2, [])
        assert f"no cell matches '{pattern}' in {results}" in errors and "12 cells" in errors
        assert advice in errors


def test_the_key_of_a_run_that_was_superseded(asked: Asked, results: Path) -> None:
    """It still leads to its cell."""
    cell = cells(results)[2]
    factory.write(results, factory.metrics(cell.label, cell.scale, cell.seed, key="0dd" * 5 + "0", status="failed"))
    assert asked("0dd0dd")[:2] == (0, [cell.name])


def test_a_run_of_many_says_what_it_will_do(results: Path, dkd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for cell in cells(results)[:2]:  # one row; its second seed is to run
        (results / cell.name / "metrics.json").unlink()
        shutil.rmtree(results / cell.name / "runs")
    plan, key = both_keys(cells(results)[0])
    factory.write(results, factory.metrics("kd-noise", 1.0, 0, key=key, plan_key=plan))
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0))
    status, output, _ = dkd("run", "kd-noise", "--configfile", results / "toy.yaml", "--results", results)
    first = output.splitlines()[0]
    assert status == 0
    # the one that waits takes 13.5 s, as the other seed of its row
    told = "2 failed, 1 done, 1 waiting; under a minute left, 1 at once"
    assert first == f"4 cells of {results}/toy.yaml; {told}"


@pytest.mark.parametrize("command", ["trace", "verify", "retry"])
def test_what_never_ran_is_told_from_what_is_not_there(command: str, tmp_path: Path, dkd: Command) -> None:
    status, _, errors = dkd(command, "ssd-kd/scale-10", "--results", tmp_path)
    assert status == 2
    assert f"no cell matches 'ssd-kd/scale-10' in {tmp_path} (0 cells)" in errors
    assert "digits.yaml has 3 such cells that never ran" in errors
    status, _, errors = dkd(command, "sdd-kd", "--results", tmp_path)
    assert status == 2 and "did you mean: ssd-kd" in errors and "never ran" not in errors


@pytest.mark.parametrize("command", ["run", "list"])
def test_without_a_file_the_default_grid_comes_first(
    command: str, tmp_path: Path, dkd: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "workflow/config"
    folder.mkdir(parents=True)
    for name, label in (("digits", "kd-noise"), ("other", "kd-noise"), ("third", "kd-real")):
        text = STUDY.replace("toy", name).replace(
            "{kd-noise: {}, kd-real: {}, noisy: {method: kd-noise}}", f"{{{label}: {{}}}}"
        )
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "all.yaml").write_text("include: [digits.yaml, other.yaml]\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ran: list[str] = []
    monkeypatch.setattr(run, "run_cell", lambda cell, **_: ran.append(cell.study))
    for pattern, study in (("kd-noise/scale-1/seed-0", "digits"), ("*/kd-real/scale-1/seed-0", "third")):
        status, output, _ = dkd(command, pattern)
        assert status == 0
        assert ran == [study] if command == "run" else f"{study}/digits/" in output and "1 cell:" in output
        ran.clear()
    status, _, errors = dkd(command, "kd-raal")
    assert status == 2
    where = "no cell matches 'kd-raal' in workflow/config/digits.yaml (4 cells) or elsewhere in workflow/config"
    assert where in errors and "did you mean: kd-real" in errors
