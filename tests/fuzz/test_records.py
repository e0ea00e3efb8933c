"""Records that are damaged in any way: every command that reads them says so and goes on, without a traceback."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import cli
from harness.store import atomic
from harness.store.records import Progress, Seconds, TrackingLink
from harness.tracking import sync
from tests import factory
from tests.fuzz.hostile import TEXTS, paths, replaced, seeded, values

GRID = """
study: toy
dataset: digits
pairs: [{teacher: wrn10_1, student: cnn3_16}]
scales: [10]
seeds: [0, 1]
methods: {ssd-kd: {}, dafl: {}}
"""
COMMANDS = {
    "list": ("list", "--configfile", "toy.yaml"),
    "stale": ("list", "--configfile", "toy.yaml", "--stale"),
    "trace": ("trace", "toy/*"),
    "compare": ("compare", "results", "other"),
    "retry": ("retry",),
    "prune": ("prune",),
    "import": ("import", "other"),
    "doctor": ("doctor",),
    "verify": ("verify",),
}
"""Those that take no seconds by themselves; `other` is what `results` was before the damage, or the other way round."""


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with two finished cells, a failed and an unfinished one, a superseded run and a teacher."""
    folder = tmp_path_factory.mktemp("intact")
    for result in (
        factory.metrics("ssd-kd"),
        factory.metrics("ssd-kd", seed=1),
        factory.metrics("dafl", status="failed", reason="loss is not finite", final=None),
        factory.metrics("dafl", seed=1),
    ):
        factory.write(folder, result)
    old = factory.metrics("ssd-kd", key="0" * 16)
    run = folder / old.cell / "runs" / old.key
    run.mkdir()
    atomic.write(run / "metrics.json", old)
    atomic.write(run / "manifest.json", factory.manifest(old))
    (folder / factory.metrics("dafl", seed=1).cell / "metrics.json").unlink()
    unfinished = folder / factory.metrics("dafl", seed=1).cell / "runs" / factory.metrics("dafl", seed=1).key
    (unfinished / "metrics.json").unlink()
    seconds = Seconds(startup=1.0, synthesis=2.0, distillation=3.0, evaluation=0.0)
    atomic.write(
        unfinished / "progress.json", Progress(epoch=1, epochs=3, seconds=seconds, cpu_seconds=seconds, pid=1, time=1e9)
    )
    link = TrackingLink(run_id="a" * 32, tracking_uri="sqlite:///x", store="1", fingerprint="f" * 64)
    atomic.write(unfinished / "mlflow.json", link)
    teacher = folder / "teachers/digits/wrn10_1"
    atomic.write(teacher / "teacher.json", factory.teacher())
    atomic.write_bytes(teacher / "teacher.safetensors", b"weights")
    return folder


def damage(file: Path, data: st.DataObject) -> None:
    """Change one file as disks, editors and people do."""
    match data.draw(
        st.sampled_from(["value", "value", "key", "bytes", "cut", "text", "folder", "loop", "fifo", "gone"])
    ):
        case "value" | "key" as what if file.suffix in (".json", ".jsonl"):
            whole = file.read_text(encoding="utf-8")
            lines = whole.splitlines() if file.suffix == ".jsonl" else [whole]
            number = data.draw(st.integers(0, len(lines) - 1))
            content = json.loads(lines[number])
            path = data.draw(st.sampled_from(paths(content)))
            new = data.draw(values)
            if what == "key":
                content = {**content, data.draw(st.sampled_from(TEXTS)): new}
            else:
                content = replaced(content, path, new)
            lines[number] = json.dumps(content)
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        case "bytes":
            content = file.read_bytes()
            start = data.draw(st.integers(0, len(content)))
            file.write_bytes(content[:start] + data.draw(st.binary(min_size=1, max_size=4)) + content[start + 1 :])
        case "cut":
            file.write_bytes(file.read_bytes()[: data.draw(st.integers(0, 40))])
        case "text":
            file.write_bytes(data.draw(st.sampled_from(TEXTS)).encode("utf-8", "surrogatepass"))
        case other:
            file.unlink()
            if other == "folder":
                file.mkdir()
            elif other == "loop":
                file.symlink_to(file)
            elif other == "fifo":
                os.mkfifo(file)


def damaged(intact: Path, folder: Path, data: st.DataObject) -> str:
    """Two results folders, of which one is damaged; gives the damaged file's name."""
    for name in ("results", "other"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(intact, folder / name)
    files = sorted(path.relative_to(intact) for path in intact.rglob("*") if path.is_file())
    chosen = data.draw(st.sampled_from(files))
    damage(folder / data.draw(st.sampled_from(["results", "results", "other"])) / chosen, data)
    return str(chosen)


def dkd(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The status of a command line."""
    monkeypatch.setattr(sys, "argv", ["dkd", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


@settings(seeded, max_examples=50)
@given(command=st.sampled_from(sorted(COMMANDS)), data=st.data())
def test_commands_that_read(
    intact: Path, tmp_path: Path, command: str, data: st.DataObject, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.yaml").write_text(GRID, encoding="utf-8")
    damaged(intact, tmp_path, data)
    assert dkd(COMMANDS[command], monkeypatch) in (None, 0, 1, 2)
    assert "Traceback" not in "".join(capsys.readouterr())


@settings(seeded, max_examples=6)
@given(data=st.data())
def test_reports(
    intact: Path, tmp_path: Path, data: st.DataObject, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    damaged(intact, tmp_path, data)
    assert dkd(("report", "--mixed"), monkeypatch) in (None, 0, 1, 2)
    assert "Traceback" not in "".join(capsys.readouterr())


@pytest.fixture(scope="module")
def store(intact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's store after a sync of what is intact; made once, for making one takes seconds."""
    folder = tmp_path_factory.mktemp("store")
    shutil.copytree(intact, folder / "results")
    sync.sync(folder / "results")
    return folder / "results"


@settings(seeded, max_examples=8)
@given(data=st.data())
def test_syncs(
    intact: Path, store: Path, tmp_path: Path, data: st.DataObject, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    # A place of its own: MLflow keeps its connections, and another file in the old one's place is read-only to them.
    place = Path(tempfile.mkdtemp(dir=tmp_path))
    monkeypatch.chdir(place)
    damaged(intact, place, data)
    shutil.copy(store / "mlflow.db", place / "results/mlflow.db")
    assert dkd(("sync",), monkeypatch) in (None, 0, 1, 2, cli.LEFT_OUT)
    assert "Traceback" not in "".join(capsys.readouterr())
