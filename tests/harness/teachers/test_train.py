"""Whoever trains a teacher, or takes one from elsewhere, is alone with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from harness import networks
from harness.errors import UserError
from harness.store import occupancy
from harness.store.layout import Results
from harness.store.reading import read
from harness.store.records import TeacherRecord
from harness.teachers import foreign, train
from tests import factory

PLACE = ("digits", "wrn10_1")


class Second(threading.Thread):
    """A second process at the same teacher, as a thread: what it said, and how it ended."""

    def __init__(self, work: Callable[..., TeacherRecord], *arguments: object, **options: object) -> None:
        super().__init__(daemon=True)
        self.work = lambda: work(*PLACE, *arguments, report=self.say, **options)
        self.waits, self.said = threading.Event(), list[str]()
        self.ended: TeacherRecord | UserError | None = None

    def say(self, line: str) -> None:
        self.said.append(line)
        self.waits.set()

    def run(self) -> None:
        try:
            self.ended = self.work()
        except UserError as error:
            self.ended = error


def meet(results: Path, second: Second) -> TeacherRecord:
    """Let ``second`` come while a teacher is being made; returns that one's record."""
    with occupancy.hold(Results(results).teacher(*PLACE).lock, "first"):
        second.start()
        assert second.waits.wait(60)
        record = read(factory.untrained_teacher(results) / "teacher.json", TeacherRecord)
    second.join(60)
    return record


def test_a_second_training_takes_the_teacher_of_the_first(tmp_path: Path) -> None:
    second = Second(train.train, results=tmp_path)
    assert meet(tmp_path, second) == second.ended
    assert second.said == [
        "teacher digits/wrn10_1: another process is at work on it; waiting",
        f"teacher digits/wrn10_1: there already, {second.ended.value:.2f} %; --replace makes it anew",
    ]


def test_an_import_does_not_overwrite_the_teacher_it_waited_for(tmp_path: Path) -> None:
    torch.save(networks.build("wrn10_1", 10, 1).state_dict(), tmp_path / "w.pt")
    second = Second(foreign.take, tmp_path / "w.pt", results=tmp_path, changes={"floor": 0.0})
    record = meet(tmp_path, second)
    assert isinstance(second.ended, UserError)
    assert "there is a teacher already" in str(second.ended)
    assert read(Results(tmp_path).teacher(*PLACE).record, TeacherRecord) == record


def test_with_replace_the_second_goes_on_after_the_first(tmp_path: Path) -> None:
    torch.save(networks.build("wrn10_1", 10, 1).state_dict(), tmp_path / "w.pt")
    second = Second(foreign.take, tmp_path / "w.pt", results=tmp_path, changes={"floor": 0.0}, replace=True)
    record = meet(tmp_path, second)
    assert second.ended == read(Results(tmp_path).teacher(*PLACE).record, TeacherRecord) != record


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_training_that_diverges_is_not_stored(value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(fit: train.Fit, _report: object) -> None:
        next(fit.network.parameters()).data.fill_(value)

    monkeypatch.setattr(train.Fit, "run", diverge)
    with pytest.raises(UserError, match=r"NaN or infinite values in conv1\.weight; nothing was stored; a smaller lr"):
        train.train(*PLACE, results=tmp_path)
    assert not Results(tmp_path).teacher(*PLACE).record.exists()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such file"),
        (b"", "an empty file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"PK\x03\x04 cut", "its end is missing"),
        ([1, 2], "not a state dict"),
        ({"conv1.weight": torch.zeros(2)}, "wrn10_1 has no backbone that could start from a file"),
    ],
)
def test_a_backbone_is_read_as_any_file_of_weights(content: object, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "backbone.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        torch.save(content, file)
    with pytest.raises(UserError, match=f"--backbone {file}: {expected}"):
        train.train(*PLACE, results=tmp_path / "results", backbone=file)
