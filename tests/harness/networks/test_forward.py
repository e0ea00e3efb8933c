"""Networks and tasks that do not fit each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness import data, networks
from harness.errors import UserError
from harness.networks.forward import check_answer
from methods.base.task import Task

DIGITS = data.load("digits").task
SCENES = replace(DIGITS, shape=(3, 32, 32), mean=(0.5,) * 3, std=(0.5,) * 3, classes=13, dense=True)


@pytest.mark.parametrize(("name", "task"), [("cnn3_16", DIGITS), ("deeplabv3_mobilenetv2", SCENES)])
def test_a_network_of_the_right_kind_is_accepted(name: str, task: Task) -> None:
    check_answer(networks.for_task(name, task), name, task)


@pytest.mark.parametrize(
    ("name", "task", "expected"),
    [
        ("deeplabv3_mobilenetv2", DIGITS, "answers an image with 10 × 8 × 8 numbers; one class for an image needs 10"),
        ("cnn3_16", SCENES, "answers an image with 13 numbers; a class for every pixel needs 13 × 32 × 32"),
    ],
)
def test_a_network_of_the_other_kind_is_refused(name: str, task: Task, expected: str) -> None:
    with pytest.raises(UserError, match=f"{name}: {expected}"):
        check_answer(networks.for_task(name, task), name, task)


def test_images_that_a_network_cannot_take_are_told() -> None:
    network = networks.build("cnn3_16", 10, 3)
    with pytest.raises(UserError, match="cnn3_16: cannot take images of 1 × 8 × 8: RuntimeError: Given groups=1"):
        check_answer(network, "cnn3_16", DIGITS)
