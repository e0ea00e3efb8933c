"""Which dictionary of a checkpoint holds the weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from harness.errors import UserError
from harness.teachers.unwrap import weights_in

W, B, ACCURACY = torch.ones(2, 3), torch.zeros(2), torch.tensor(93.2)
STATE = {"w": W, "b": B, "n": torch.tensor(7)}


def silent(line: str) -> None:
    raise AssertionError(line)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"net": STATE, "acc": ACCURACY, "loss": ACCURACY}, ["weights are those under net"]),
        ({"a": {"b": {"c": STATE}}}, ["weights are those under a.b.c"]),
        ({"model": STATE, "more": {"deeper": {"w": W}}}, ["weights are those under model"]),
        ({"model": STATE, "optimizer": {"state": {0: {"w": W}}}}, ["weights are those under model"]),
        ({**STATE, "epoch": 3}, ["left out, being no tensors: epoch"]),
        ({"s": {**STATE, "epoch": 3}}, ["weights are those under s", "left out, being no tensors: epoch"]),
        ({**STATE, "optimizer": {"state": {0: {"w": W}}}}, ["left out, being no tensors: optimizer"]),
        ({"a": STATE, "b": STATE}, ["weights are those under a"]),
    ],
)
def test_the_one_dictionary_of_tensors_is_found(content: Any, said: list[str]) -> None:
    lines: list[str] = []
    assert weights_in(content, None, lines.append) == STATE
    assert lines == said


def test_what_is_plain_needs_no_word() -> None:
    assert weights_in(STATE, None, silent) == STATE


def test_a_dictionary_that_contains_itself_has_an_end() -> None:
    content: dict[str, Any] = {"net": STATE}
    content["self"] = content
    assert weights_in(content, None, lambda line: None) == STATE


def test_among_several_the_user_chooses() -> None:
    content = {"student": dict(STATE), "teacher": {"w": W}, "epoch": 1, "deep": {"x": {"w": W}}}
    with pytest.raises(UserError, match=r"student \(3 entries\), teacher \(1 entries\)\n  choose one: --key student"):
        weights_in(content, None, silent)
    assert weights_in(content, "teacher", silent) == {"w": W}
    assert weights_in(content, "deep.x", silent) == {"w": W}
    assert weights_in(content, "deep", lambda line: None) == {"w": W}
    with pytest.raises(UserError, match=r"--key teachr: there is no 'teachr'[\s\S]*did you mean: teacher"):
        weights_in(content, "teachr", silent)
    with pytest.raises(UserError, match=r"--key deep\.y: there is no 'y'[\s\S]*valid choices: x"):
        weights_in(content, "deep.y", silent)
    with pytest.raises(UserError, match="not a state dict: expected names and tensors, found a int"):
        weights_in(content, "epoch", silent)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([1, 2], "a list"),
        (W, "a Tensor"),
        ({}, "an empty dictionary"),
        ({"acc": ACCURACY, "epoch": 3}, r"acc \(Tensor\), epoch \(int\); --key NAME picks an entry"),
        ({"models": [STATE]}, r"models \(list\)"),
        ({0: W}, r"0 \(Tensor\)"),
        ({str(n): n for n in range(20)}, r".*11 \(int\), \.\.\.;"),
    ],
)
def test_where_there_are_no_weights_what_is_there_is_listed(content: Any, expected: str) -> None:
    with pytest.raises(UserError, match=f"not a state dict: expected names and tensors, found {expected}"):
        weights_in(content, None, silent)
