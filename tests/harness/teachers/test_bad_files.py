"""Files that are no teacher, given to the command: one screen, status 2, nothing kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from harness import networks
from tests.harness.conftest import Command
from tests.harness.teachers import checkpoints

Write = Callable[[Path], object]


def half(file: Path) -> None:
    """What a broken download leaves."""
    torch.save(checkpoints.network().state_dict(), file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def damaged(file: Path) -> None:
    """What a disk, or a transfer of text, makes of it."""
    torch.save(checkpoints.network().state_dict(), file)
    content = bytearray(file.read_bytes())
    content[content.index(b"_rebuild_tensor_v2")] ^= 1
    file.write_bytes(content)


def saved(content: object) -> Write:
    return lambda file: torch.save(content, file)


def nan() -> dict[str, torch.Tensor]:
    state = checkpoints.network().state_dict()
    return {name: value * float("nan") if value.is_floating_point() else value for name, value in state.items()}


BAD: dict[str, tuple[Write, str]] = {
    "settings of its own code": (saved({"state_dict": {}, "cfg": checkpoints.Settings()}), "opening it would run code"),
    "a whole model": (saved(checkpoints.network()), "a whole pickled model"),
    "half a file": (half, "download it again"),
    "a damaged file": (damaged, "cut, damaged or not made by torch.save"),
    "another network": (saved(networks.build("wrn10_1", 10, 1).state_dict()), "wrn10_1"),
    "other classes": (saved(networks.build("cnn3_16", 7, 1).state_dict()), "7 classes"),
    "other channels": (saved(networks.build("cnn3_16", 10, 3).state_dict()), "3 channels"),
    "an optimizer alone": (saved(checkpoints.optimizer()), "expected names and tensors"),
    "no numbers": (saved(nan()), "NaN or infinite"),
    "a web page": (lambda file: file.write_text("<!DOCTYPE html><html>", encoding="utf-8"), "a web page"),
    "nothing": (lambda file: file.touch(), "an empty file"),
    "not there": (lambda file: None, "no such file"),
    "too bad": (saved(checkpoints.network().state_dict()), "is below its floor"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_teacher_is_refused_on_one_screen(kind: str, dkd: Command, tmp_path: Path) -> None:
    write, words = BAD[kind]
    write(tmp_path / "w.pt")
    code, _, errors = dkd(
        *("train-teacher", "digits", "cnn3_16", "--import", tmp_path / "w.pt", "--results", tmp_path / "r"),
        *("--set", "floor=99"),
    )
    assert code == 2
    assert words in errors
    assert len(errors.splitlines()) <= 24
    assert "Traceback" not in errors
    assert {file.name for file in (tmp_path / "r").rglob("*") if file.is_file()} <= {"lock"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("train-teacher", "digits", "cnn3_16", "--normalisation", "half"), "for a file that --import names"),
        (("train-teacher", "digits", "cnn3_16", "--import", "w.pt", "--normalisation", "imagenet"), "1 channel"),
        (("train-teacher", "digits", "cnn3_16", "--import", "w.pt", "--mean", ".5,.5,.5", "--std", ".5"), "3 numbers"),
        (("teachers", "get", "resnet20"), "did you mean: akamaster-resnet20"),
        (("teachers", "get", "akamaster-resnet20", "--set", "epochs=3"), "only floor can be set"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_before_any_work(
    options: tuple[str, ...], words: str, dkd: Command, tmp_path: Path
) -> None:
    code, _, errors = dkd(*options, "--results", tmp_path / "r")
    assert (code, words in errors) == (2, True), errors
    assert not (tmp_path / "r").exists()
