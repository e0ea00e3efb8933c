"""A method of one's own, end to end: moved it is not stale, gone it can be run again from what its run kept."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from harness.commands import import_results, prune, status, trace
from harness.grid import keys
from harness.grid.cell import Cell
from harness.grid.grid import load_grid
from harness.run import copies, runner
from harness.store import checking, reading
from harness.store.layout import Results, RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Manifest
from tests import factory

STUDY = """
study: own
dataset: digits
pairs: [{teacher: wrn10_1, student: cnn3_16}]
scales: [5]
seeds: [0]
device: cpu
budget: {steps: 40, epochs: 2, batch: 8}
methods: {mine: {method: mine.py, levels: {file: levels.txt}}}
"""
METHOD = """
import torch
from methods.base.files import File
from methods.parts.fixed_images import FixedImages, FixedImagesConfig
from helper import level

class Config(FixedImagesConfig):
    levels: File

class Mine(FixedImages):
    name = "mine"
    Config = Config

    def fixed_images(self):
        with open(self.config.levels) as file:
            return level(float(file.read())).expand(self.context.images, *self.context.task.shape)
"""
HELPER = "import torch\ndef level(value):\n    return torch.full((1, 1, 1, 1), value)\n"
COPIES = {"method/mine.py": METHOD, "method/helper.py": HELPER, "options/levels/levels.txt": "0.5"}


def lay(folder: Path, method: str = METHOD, helper: str = HELPER, levels: str = "0.5") -> Cell:
    """The files of the study; returns its one cell."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"own.yaml": STUDY, "mine.py": method, "helper.py": helper, "levels.txt": levels}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    keys.forget()
    return load_grid(folder / "own.yaml").cells[0]


def state(cell: Cell, results: Path) -> tuple[str, str]:
    (found,) = status.of_grid([cell], results)
    return found.state, found.detail


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the study, in ``here``, and the results of its cell. Not to be changed."""
    place = tmp_path_factory.mktemp("own")
    factory.untrained_teacher(place / "results")
    found = runner.run_cell(lay(place / "here"), results=place / "results")
    assert (found.status, found.method) == ("done", "mine.py")
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    shutil.copytree(made, tmp_path / "own")
    return tmp_path / "own"


def run_of(place: Path) -> RunFolder:
    (run,) = Results(place / "results").runs()
    return run


def test_the_run_keeps_what_it_was_made_with(made: Path) -> None:
    run = run_of(made)
    assert {name: run.outside(name).read_text(encoding="utf-8") for name in COPIES} == COPIES
    assert reading.read(run.manifest, Manifest).outside.keys() == COPIES.keys()
    kept = [file for file in run.path.rglob("*") if file.suffix in (".json", ".jsonl", ".log")]
    assert len(kept) >= 3
    assert not [file for file in kept if str(made) in file.read_text(encoding="utf-8")]  # no path of this machine
    assert sum("options/levels/levels.txt" in str(line) for line in trace.describe(run)) == 1


def test_moved_nothing_is_stale(place: Path) -> None:
    cell = lay(place / "there/deeper")
    shutil.rmtree(place / "here")
    (place / "results").rename(place / "moved")
    assert state(cell, place / "moved")[0] == "done"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"method": METHOD + "x = 1\n"}, "method/mine.py changed"),
        ({"helper": HELPER + "x = 1\n"}, "method/helper.py changed"),
        ({"helper": "import more\n" + HELPER}, "method/helper.py changed; method/more.py is new"),
        ({"levels": "0.25"}, "levels: "),
    ],
)
def test_what_changed_is_said(place: Path, changes: dict[str, str], why: str) -> None:
    (place / "here/more.py").touch()
    found, said = state(lay(place / "here", **changes), place / "results")
    assert (found, said[: len(why)]) == ("stale", why)


def test_what_the_run_kept_makes_the_same_run(place: Path) -> None:
    outside = run_of(place).path / "outside"
    again = place / "again.yaml"
    asked = STUDY.replace("mine.py", f"{outside}/method/mine.py")
    again.write_text(asked.replace("levels.txt", f"{outside}/options/levels/levels.txt"), encoding="utf-8")
    keys.forget()
    assert state(load_grid(again).cells[0], place / "results")[0] == "done"


def test_a_copy_that_was_changed_is_noticed(place: Path) -> None:
    run = run_of(place)
    run.outside("method/helper.py").write_text("x = 1", encoding="utf-8")
    with pytest.raises(DamagedRecord, match=r"was changed after it was written.*") as error:
        checking.evidence(run, checking.finished(run))
    assert f"remove {run.path} and run the cell again" in str(error.value)


def test_an_import_takes_the_copies(place: Path) -> None:
    report = import_results.merge(place / "results", place / "ours")
    assert (report.imported, report.problems) == (1, [])
    (run,) = Results(place / "ours").runs()
    assert {name: run.outside(name).read_text(encoding="utf-8") for name in COPIES} == COPIES


def test_an_import_follows_no_link_to_a_copy(place: Path) -> None:
    outside = run_of(place).path / "outside"
    (outside / "method").rename(place / "elsewhere")
    (outside / "method").symlink_to(place / "elsewhere")
    report = import_results.merge(place / "results", place / "ours")
    assert report.imported == 0
    assert "there is a symbolic link on the way to it" in report.problems[0]


@pytest.mark.parametrize("name", ["../mine.py", "/etc/passwd", "method//mine.py", "method/..", ".", "", "a\nb"])
def test_a_manifest_names_nothing_outside_its_folder(made: Path, name: str) -> None:
    run = run_of(made)
    with pytest.raises(ValueError, match="outside"):
        Manifest(**{**reading.read(run.manifest, Manifest).model_dump(), "outside": {name: "0" * 64}})


def test_a_large_file_is_known_by_its_sha256_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MOST", 3)
    cell, (target,) = lay(place / "here", levels="0.25"), Results(place / "results").runs()
    found = copies._kept(cell.options["levels"].path, target.outside("options/large.txt"))
    assert found == hashlib.sha256(b"0.25").hexdigest()
    assert not target.outside("options/large.txt").exists()


def test_pruned_with_their_run(place: Path) -> None:
    runner.run_cell(lay(place / "here", levels="0.25"), results=place / "results")
    assert len(prune.prune(place / "results")) == 1
    assert run_of(place).outside("options/levels/levels.txt").read_text(encoding="utf-8") == "0.25"
