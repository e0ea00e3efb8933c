"""Files cut in the middle, through the real commands: what is said, and that no finished result is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.grid import grid, study
from harness.run import runner
from harness.store import atomic, reading
from harness.store.layout import RunFolder
from harness.store.records import Metrics, TeacherRecord
from tests import factory
from tests.harness.conftest import Command

METHOD = """
from pathlib import Path
from methods.references import KDNoise

class M(KDNoise):
    name = "m"
    calls = 0
    def distill_step(self):
        self.calls += 1
        if self.calls == 3 and Path(__file__).with_name("full").exists():
            raise OSError(28, "No space left on device")
        return super().distill_step()
"""
STUDY = """
study: t
dataset: digits
device: cpu
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [5]
seeds: [0, 1]
checkpoint_seconds: 0.000001
budget: {{steps: 60, epochs: 3, batch: 8}}
methods: {{m: {{method: {method}}}}}
"""
CELL = "t/digits/wrn10_1--cnn3_16/m/scale-5/seed-{}"


class Bench:
    """A cell that is done (seed 0) and one that stopped at a checkpoint (seed 1), with the files they left."""

    def __init__(self, folder: Path, dkd: Command) -> None:
        self.folder, self.results, self._dkd = folder, folder / "results", dkd
        self.teacher = self.results / "teachers/digits/wrn10_1"
        self.copy = self.results / CELL.format(0) / "metrics.json"
        self.done, self.stopped = (self._run_folder(seed) for seed in (0, 1))
        self._finished = {path: path.read_bytes() for path in (self.copy, *self.done.iterdir()) if path.is_file()}

    def _run_folder(self, seed: int) -> Path:
        (run,) = (self.results / CELL.format(seed) / "runs").iterdir()
        return run

    def run(self, seed: int) -> tuple[int, str]:
        """`dkd run` on one cell: exit status and errors."""
        command = ("run", CELL.format(seed), "--configfile", self.folder / "t.yaml", "--results", self.results)
        code, _, errors = self._dkd(*command)
        return code, errors

    def list(self) -> tuple[int, list[str], str]:
        """`dkd list`: exit status, the first word of every cell's line, errors."""
        places = ("--configfile", self.folder / "t.yaml", "--results", self.results)
        code, output, errors = self._dkd("list", "--cells", *places)
        return code, [line.split()[0] for line in output.splitlines()[:2]], errors

    def report(self) -> tuple[int, str, str]:
        """`dkd report`: exit status, the page's text, errors."""
        code, _, errors = self._dkd("report", "--results", self.results, "--out", self.folder / "reports")
        return code, (self.folder / "reports/index.html").read_text(encoding="utf-8"), errors

    def lost(self) -> set[str]:
        """Names of the finished cell's files that are not what they were."""
        return {
            path.name for path, content in self._finished.items() if not path.exists() or path.read_bytes() != content
        }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    factory.untrained_teacher(folder / "results")
    (folder / "m.py").write_text(METHOD, encoding="utf-8")
    (folder / "t.yaml").write_text(STUDY.format(method=folder / "m.py"), encoding="utf-8")
    done, stopped = grid.expand(study.load_study(folder / "t.yaml"))
    runner.run_cell(done, results=folder / "results")
    (folder / "full").touch()
    with pytest.raises(OSError, match="No space"):
        runner.run_cell(stopped, results=folder / "results")
    (folder / "full").unlink()
    return folder


@pytest.fixture
def bench(made: Path, tmp_path: Path, dkd: Command) -> Bench:
    shutil.copytree(made, tmp_path / "bench")
    return Bench(tmp_path / "bench", dkd)


def cut(path: Path) -> Path:
    """Cut a file in the middle."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def refused(found: tuple[int, str], *texts: object) -> None:
    """A short error with these texts."""
    code, errors = found
    assert code == 2
    for text in texts:
        assert str(text) in errors
    assert len(errors.splitlines()) <= 4


def test_a_cut_copy_of_the_metrics_is_made_again(bench: Bench) -> None:
    cut(bench.copy)
    assert bench.list() == (0, ["damaged", "waiting"], "")
    code, page, _ = bench.report()
    assert (code, "damaged: Invalid JSON" in page) == (0, True)
    assert bench.run(0)[0] == 0
    assert bench.lost() == set()


def test_cut_metrics_are_named_and_the_copy_stays(bench: Bench) -> None:
    path = cut(bench.done / "metrics.json")
    refused(bench.run(0), f"{path}: damaged record", f"remove it and run the cell again: {bench.copy} is taken back")
    assert bench.list()[1] == ["damaged", "waiting"]
    assert bench.report()[0] == 0
    assert bench.lost() == {"metrics.json"}
    assert reading.read(bench.copy, Metrics).final is not None


def test_cut_events_are_named_and_the_number_does_not_count(bench: Bench) -> None:
    path = cut(bench.done / "events.jsonl")
    reason = "final is"
    code, page, _ = bench.report()
    assert (code, f"damaged: {reason}" in page) == (0, True)
    assert bench.list()[:2] == (0, ["damaged", "waiting"])
    refused(bench.run(0), f"{path}: damaged record: {reason}", f"remove {bench.done} and run the cell again")
    assert bench.lost() == {"events.jsonl"}


def test_cut_events_of_an_unfinished_run_are_written_again(bench: Bench) -> None:
    path = bench.stopped / "events.jsonl"
    assert [event.step for event in reading.read_events(RunFolder(bench.stopped))] == [1, 2]
    cut(path)
    assert bench.run(1) == (0, "")
    assert [event.step for event in reading.read_events(RunFolder(bench.stopped))] == [1, 2, 3]


def test_a_cut_checkpoint_is_named(bench: Bench) -> None:
    path = cut(bench.stopped / "checkpoint.pt")
    refused(bench.run(1), f"{path}: damaged checkpoint", "delete it to start this run again")
    assert bench.list() == (0, ["done", "waiting"], "")
    path.unlink()
    assert bench.run(1) == (0, "")
    assert bench.list()[1] == ["done", "done"]
    assert bench.lost() == set()


def test_a_checkpoint_of_another_run_is_refused(bench: Bench) -> None:
    """Copied by hand it fits in all its shapes: another seed of the same cell would go on from these weights."""
    for path in (bench.copy, bench.done / "metrics.json"):
        path.unlink()
    path = bench.done / "checkpoint.pt"
    shutil.copy(bench.stopped / path.name, path)
    told = f"does not fit this run: ValueError: it is the checkpoint of run {bench.stopped.name}"
    refused(bench.run(0), f"{path}: {told}", "delete it to start this run again")
    path.unlink()
    assert bench.run(0) == (0, "")


@pytest.mark.parametrize("content", [b"", b'{"epoch": 1, "ep'])
def test_a_torn_note_of_progress_stops_nobody(bench: Bench, content: bytes) -> None:
    (bench.stopped / "progress.json").write_bytes(content)
    assert bench.run(1) == (0, "")


def test_a_cut_manifest_is_named(bench: Bench) -> None:
    path = cut(bench.stopped / "manifest.json")
    refused(bench.run(1), f"{path}: damaged record", f"remove {bench.stopped} and run the cell again")


def test_a_cut_teacher_record_is_named(bench: Bench) -> None:
    path = cut(bench.teacher / "teacher.json")
    for seed in (0, 1):
        refused(bench.run(seed), f"{path}: damaged record", "dkd train-teacher digits wrn10_1 --replace")
    code, _, errors = bench.list()
    refused((code, errors), f"{path}: damaged record")
    assert bench.report()[0] == 0
    assert bench.lost() == set()


def test_cut_weights_of_a_teacher_are_named(bench: Bench) -> None:
    path = cut(bench.teacher / "teacher.safetensors")
    refused(bench.run(1), f"{path}: sha256 is", "dkd train-teacher digits wrn10_1 --replace")
    assert bench.run(0) == (0, "")
    assert bench.lost() == set()


def test_a_teacher_below_its_floor_teaches_nobody(bench: Bench, dkd: Command) -> None:
    path = bench.teacher / "teacher.json"
    atomic.write(path, reading.read(path, TeacherRecord).model_copy(update={"value": 97.0, "floor": 98.5}))
    refused(bench.run(1), "97.00 % is below its floor of 98.50 %", "dkd train-teacher digits wrn10_1 --replace")
    code, _, errors = dkd("train-teacher", "digits", "wrn10_1", "--results", bench.results)
    refused((code, errors), f"{path}: teacher: 97.00 % is below its floor")
    assert bench.lost() == set()


def test_training_that_ends_below_the_floor_replaces_no_teacher(bench: Bench, dkd: Command) -> None:
    hopeless = ("--set", "epochs=1", "--set", "floor=100")
    before = {path: path.read_bytes() for path in bench.teacher.iterdir()}
    code, _, errors = dkd("train-teacher", "digits", "wrn10_1", "--replace", *hopeless, "--results", bench.results)
    refused((code, errors), "is below its floor of 100.00 %", "nothing was stored")
    assert {
        path: path.read_bytes() for path in bench.teacher.iterdir() if path.name not in ("lock", "training.pt")
    } == before
    code, _, errors = dkd("train-teacher", "digits", "wrn10_1", *hopeless, "--results", bench.folder / "new")
    refused((code, errors), "nothing was stored")
    assert {path.name for path in (bench.folder / "new").rglob("*") if path.is_file()} <= {"lock", "training.pt"}
