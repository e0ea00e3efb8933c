"""Command lines of any kind: a status that says whose fault it is, and never a traceback or a training."""

from __future__ import annotations

import os
import sys
import types
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import cli, data
from harness.commands import contract
from harness.data import prepare
from harness.run import runner
from harness.teachers import train
from harness.tracking import serve, sync
from tests import factory
from tests.fuzz.hostile import TEXTS, seeded, texts

CELL = "smoke/digits/wrn10_1--cnn3_16/dafl/scale-10/seed-0"
GRID = """
study: smoke
dataset: digits
pairs: [{teacher: wrn10_1, student: cnn3_16}]
scales: [10]
seeds: [0]
methods: {dafl: {preset: smoke}, ssd-kd: {preset: smoke}, kd-noise: {}}
"""
KNOWN = [
    CELL,
    "workflow/config/digits.yaml",
    "smoke/*",
    "digits",
    "wrn10_1",
    "cnn3_16",
    "results",
    "results/teachers",
    "ssd-kd",
    "0123456789abcdef",
]


def stays_here(word: str) -> bool:
    """Whether a word, taken for a path, leads nowhere outside the test's folder."""
    return not word.startswith(("/", "~")) and ".." not in word


words = st.one_of(st.sampled_from([*TEXTS, *KNOWN]), texts).filter(stays_here)

COMMANDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "run": (1, ("--set", "--out", "--plan-key", "--concurrent", "--configfile", "--results")),
    "train-teacher": (2, ("--set", "--import", "--rename", "--results", "--replace", "--no-verify")),
    "prepare": (1, ("--from", "--splits", "--classes")),
    "validate": (0, ("--configfile", "--results")),
    "check": (1, ()),
    "list": (1, ("--configfile", "--results", "--stale", "--estimate", "--cells")),
    "retry": (1, ("--results",)),
    "prune": (0, ("--dry-run", "--results")),
    "trace": (1, ("--results",)),
    "compare": (2, ("--results",)),
    "import": (1, ("--results",)),
    "ui": (0, ("--port", "--results")),
    "show": (1, ("--configfile", "--results")),
    "report": (0, ("--only", "--out", "--mixed", "--results")),
    "publish": (1, ("--out", "--mixed", "--results")),
    "submit": (1, ("--out", "--check", "--results")),
}
"""Command -> how many words it takes, and its options."""
FLAGS = ("--replace", "--no-verify", "--stale", "--estimate", "--cells", "--dry-run", "--mixed")


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with a few results; what would train, serve or download does nothing."""
    folder = tmp_path_factory.mktemp("arguments")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "workflow/config").mkdir(parents=True)
        (folder / "workflow/config/digits.yaml").write_text(GRID, encoding="utf-8")
        factory.write(folder / "results", factory.metrics("dafl"))
        patch.setattr("harness.commands.run.run_cell", nothing)
        for module, name in ((runner, "run_cell"), (train, "train"), (contract, "check"), (prepare, "prepare")):
            patch.setattr(module, name, nothing)
        patch.setattr(data, "load", lambda *args: types.SimpleNamespace(teachers=None))
        patch.setattr(os, "execv", nothing)
        patch.setattr(sync, "sync", nothing)
        patch.setattr(cli, "_say_synced", nothing)
        patch.setattr(serve, "served", lambda *args: nullcontext(types.SimpleNamespace(wait=nothing)))
        patch.setattr(serve, "links", lambda *args: [])
        yield folder


def nothing(*arguments: object, **named: object) -> None:
    """In place of what takes time."""


@seeded
@given(command=st.sampled_from(sorted(COMMANDS)), data=st.data())
def test_any_words(
    command: str, data: st.DataObject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    count, options = COMMANDS[command]
    arguments = data.draw(st.lists(words, min_size=count, max_size=count))
    for option in data.draw(st.lists(st.sampled_from(options), max_size=3)) if options else ():
        arguments += [option] if option in FLAGS else [option, data.draw(words)]
    monkeypatch.setattr(sys, "argv", ["dkd", command, *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, errors = capsys.readouterr()
    assert ended.value.code in (None, 0, 1, 2)
    assert "Traceback" not in out + errors


def test_the_commands_are_those_that_there_are() -> None:
    known = {command.name or command.callback.__name__.replace("_", "-") for command in cli.app.registered_commands}
    assert known - set(COMMANDS) <= {"sync", "doctor", "verify"}
