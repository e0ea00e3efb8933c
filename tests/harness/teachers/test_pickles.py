"""Nothing of a pickle runs; what it would take to open it is told, and how to make weights of it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.errors import UserError
from harness.teachers import contents
from tests.harness.teachers import checkpoints


def told(file: Path) -> str:
    with pytest.raises(UserError) as raised:
        contents.read(file)
    return str(raised.value)


def convert(message: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the line that the message gives makes, as it is read afterwards."""
    python, flag, program, *arguments = shlex.split(message.split("make weights of it: ")[1])
    assert (python, flag) == ("python", "-c")
    monkeypatch.setattr(sys, "argv", ["-c", *arguments])
    exec(program, {})
    return contents.read(Path(arguments[1]))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("case", checkpoints.classes())
def test_a_class_is_named_with_the_line_that_makes_weights(
    case: str, legacy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, name = checkpoints.classes()[case]
    file = tmp_path / "it's a $file.pt"
    torch.save(saved, file, _use_new_zipfile_serialization=not legacy)
    message = told(file)
    assert f"the class {name}, and opening it would run code" in message
    assert "\x1b" not in message
    weights = convert(message, monkeypatch)
    state = checkpoints.network().state_dict()
    found = weights.get("state_dict", weights)
    assert all(torch.equal(found[key], value) for key, value in state.items())


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("case", checkpoints.models())
def test_a_whole_model_is_named_with_the_line_that_makes_weights(
    case: str, legacy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, name = checkpoints.models()[case]
    file = tmp_path / "model.pt"
    torch.save(saved, file, _use_new_zipfile_serialization=not legacy)
    message = told(file)
    assert f"a whole pickled model, of the class {name}," in message
    found = convert(message, monkeypatch)
    state = checkpoints.network().state_dict()
    found = {key.removeprefix("module."): value for key, value in found.items()}
    assert found.keys() == state.keys()
    assert all(torch.equal(found[key], value) for key, value in state.items())


def test_a_script_is_made_into_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = convert(told(checkpoints.script(tmp_path / "script.pt")), monkeypatch)
    assert found.keys() >= {"0.weight", "1.running_mean"}


class Runs:
    """Runs a function where it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("function", [exec, Path.touch, getattr])
def test_no_code_of_a_pickle_runs(function: Any, legacy: bool, tmp_path: Path) -> None:
    touched, file = tmp_path / "touched", tmp_path / "evil.pt"
    arguments = (touched,) if function is Path.touch else (f"open({str(touched)!r}, 'w')",)
    if function is getattr:
        arguments = (touched, "parent")
    torch.save({"x": Runs(function, *arguments)}, file, _use_new_zipfile_serialization=not legacy)
    assert "cannot be read as weights" in told(file)
    assert not touched.exists()


def test_what_stands_beside_the_weights_is_not_even_made(tmp_path: Path) -> None:
    file = tmp_path / "beside.pt"
    torch.save({"args": Path("/dev/null"), "w": torch.ones(2)}, file)
    found = contents.read(file)
    assert isinstance(found, dict)
    assert type(found["args"]).__name__ == "Aside"
