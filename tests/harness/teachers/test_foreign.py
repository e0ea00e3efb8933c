"""Teachers that were trained elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from harness import data, networks
from harness.errors import UserError
from harness.store.layout import Results
from harness.teachers import foreign, shelf, train
from harness.teachers.normalisation import Asked
from harness.teachers.renaming import KeyRules
from tests.harness.teachers import checkpoints

PLACE = ("digits", "cnn3_16")


def silent(line: str) -> None:
    """Takes what is said."""


def loaded(file: Path, report: Callable[[str], None] = silent, **rules: Any) -> dict[str, Tensor]:
    """The state of a network that was filled from ``file``, having held other weights."""
    model = checkpoints.network(seed=1)
    foreign.load_foreign(model, file, network="cnn3_16", dataset="digits", rules=KeyRules(**rules), report=report)
    return model.state_dict()


def same(found: dict[str, Tensor], state: dict[str, Tensor]) -> bool:
    return found.keys() == state.keys() and all(torch.equal(found[name], value) for name, value in state.items())


@pytest.mark.parametrize("layout", checkpoints.FITTING)
@pytest.mark.parametrize("legacy", [False, True])
def test_a_layout_that_people_have_is_taken_as_it_is(layout: str, legacy: bool, tmp_path: Path) -> None:
    state = checkpoints.network().state_dict()
    file = checkpoints.write(layout, state, tmp_path / "w.pth.tar", _use_new_zipfile_serialization=not legacy)
    assert same(loaded(file), state)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_safetensors_are_taken_whatever_the_name_of_the_file(prefix: str, tmp_path: Path) -> None:
    state = checkpoints.network().state_dict()
    for name in ("w.safetensors", "w.bin"):
        assert same(loaded(checkpoints.write_safetensors(checkpoints.prefixed(prefix, state), tmp_path / name)), state)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_converted_and_said(kind: torch.dtype, tmp_path: Path) -> None:
    state = {name: v.to(kind) if v.is_floating_point() else v for name, v in checkpoints.network().state_dict().items()}
    said: list[str] = []
    found = loaded(checkpoints.write_safetensors(state, tmp_path / "half"), report=said.append)
    assert same(found, {name: v.float() if v.is_floating_point() else v for name, v in state.items()})
    assert said == [f"{tmp_path}/half: converted from {str(kind).removeprefix('torch.')}"]


def test_tensors_that_lay_on_a_card_come_to_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = checkpoints.network().state_dict()
    with monkeypatch.context() as written:
        written.setattr(torch.serialization, "location_tag", lambda storage: "cuda:3")
        torch.save({"model": state}, tmp_path / "card.pt")
    assert b"cuda:3" in (tmp_path / "card.pt").read_bytes()
    assert same(loaded(tmp_path / "card.pt"), state)


def test_a_model_that_holds_two_networks_needs_a_word(tmp_path: Path) -> None:
    own, ema = (checkpoints.network(seed).state_dict() for seed in (2, 3))
    mixed = {**checkpoints.prefixed("net.", own), **checkpoints.prefixed("ema.", ema)}
    torch.save({"state_dict": mixed}, tmp_path / "mixed.pt")
    torch.save({"state_dict": own, "ema": ema, "best": 3}, tmp_path / "apart.pt")
    with pytest.raises(UserError, match=r"net\.layers\.0\.0\.weight and ema\.layers\.0\.0\.weight would both"):
        loaded(tmp_path / "mixed.pt", renamings=[r"^(net|ema)\.="])
    assert same(loaded(tmp_path / "mixed.pt", drops=[r"^ema\."]), own)
    assert same(loaded(tmp_path / "mixed.pt", renamings=[r"^ema\.="], drops=[r"^net\."]), ema)
    with pytest.raises(UserError, match=r"several dictionaries of tensors: state_dict .*, ema .*\n  choose one"):
        loaded(tmp_path / "apart.pt")
    assert same(loaded(tmp_path / "apart.pt", entry="ema"), ema)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_named(value: float, tmp_path: Path) -> None:
    state = checkpoints.network().state_dict()
    state["layers.1.1.running_var"][3] = value
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(UserError, match=r"w\.pt: NaN or infinite values in layers\.1\.1\.running_var; "):
        loaded(tmp_path / "w.pt")


def test_every_refusal_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"--import {tmp_path}/nothing.pt: no such file"):
        loaded(tmp_path / "nothing.pt")


def test_a_foreign_checkpoint_is_renamed_measured_and_stored(tmp_path: Path) -> None:
    network = networks.build("cnn3_16", 10, 1)
    file = tmp_path / "foreign.pt"
    torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, file)
    record = foreign.take(
        *PLACE, file, rules=KeyRules(renamings=[r"^module\.="]), results=tmp_path, changes={"floor": 0.0}
    )
    folder, task = Results(tmp_path).teacher(*PLACE), data.load("digits").task
    stored = shelf.load(folder, record, task, torch.device("cpu"))
    assert same(stored.state_dict(), network.state_dict())
    assert record.imported
    assert record.imported.renamings == [r"^module\.="]
    with pytest.raises(UserError, match="there is a teacher already"):
        foreign.take(*PLACE, file, results=tmp_path)


def test_what_was_typed_is_looked_at_before_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A teacher that is there already, and images of which nothing is read."""
    Results(tmp_path).teacher(*PLACE).record.parent.mkdir(parents=True)
    Results(tmp_path).teacher(*PLACE).record.touch()
    monkeypatch.delattr("harness.engine.evaluate.check")
    missing = tmp_path / "w.pt"
    with pytest.raises(UserError, match=f"--import {missing}: no such file"):
        foreign.take(*PLACE, missing, results=tmp_path)
    with pytest.raises(UserError, match="--normalisation nun: not known"):
        foreign.take(*PLACE, missing, normalisation=Asked("nun"), results=tmp_path)
    with pytest.raises(UserError, match=f"--backbone {missing}: no such file"):
        train.train(*PLACE, results=tmp_path, backbone=missing)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"module.linear.weight": torch.zeros(10, 64)},
            r"not the keys of cnn3_16; nearest .*\n  not in the file: 16 keys",
        ),
        ([1, 2], "not a state dict"),
    ],
)
def test_a_foreign_checkpoint_that_does_not_fit_says_why(tmp_path: Path, content: object, expected: str) -> None:
    torch.save(content, tmp_path / "foreign.pt")
    with pytest.raises(UserError, match=expected):
        foreign.take(*PLACE, tmp_path / "foreign.pt", results=tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_the_layout_that_was_recognised_is_recorded(tmp_path: Path) -> None:
    model = networks.build("resnet20", 10, 1)
    named = {
        name.replace("groups.2", "layer3").replace("groups.1", "layer2"): v for name, v in model.state_dict().items()
    }
    torch.save({name.replace("groups.0", "layer1"): v for name, v in named.items()}, file := tmp_path / "theirs.pt")
    record = foreign.take("digits", "resnet20", file, results=tmp_path, changes={"floor": 0.0}, report=silent)
    assert record.imported
    assert record.imported.layout == "akamaster"
