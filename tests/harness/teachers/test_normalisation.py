"""What a teacher's inputs are normalised by: names, numbers, and the errors of both."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness import data
from harness.errors import UserError
from harness.store.records import Normalisation
from harness.teachers import normalisation
from harness.teachers.normalisation import KNOWN, Asked
from tests.small import CIFAR

DIGITS = data.load("digits").task
IMAGENET = Normalisation(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])


@pytest.mark.parametrize(
    "asked",
    [
        Asked("imagenet"),
        Asked(mean=".485,.456,.406", std=".229,.224,.225"),
        Asked(mean=" 0.485, 0.456, 4.06e-1", std="0.229,0.224 ,0.2250"),
    ],
)
def test_names_and_numbers_mean_the_same(asked: Asked) -> None:
    assert asked.of("cifar10", CIFAR) == IMAGENET


def test_the_tasks_own_is_none_of_the_teachers() -> None:
    assert Asked().of("cifar10", CIFAR) is None
    assert Asked("task").of("cifar10", CIFAR) is None
    own = {name: ",".join(map(str, values)) for name, values in (("mean", CIFAR.mean), ("std", CIFAR.std))}
    assert Asked(**own).of("cifar10", CIFAR) is None
    assert Asked("cifar10").of("cifar10", data.load("cifar10").task) is None
    assert Asked("cifar10").of("cifar100", data.load("cifar100").task) is not None


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_one_number_is_for_every_channel_alike(channels: int) -> None:
    assert KNOWN["half"].of(channels) == Normalisation(mean=[0.5] * channels, std=[0.5] * channels)
    assert KNOWN["none"].of(channels) == Normalisation(mean=[0.0] * channels, std=[1.0] * channels)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            Asked("imagnet"),
            r"--normalisation imagnet: not known\n  valid choices: imagenet, .*\n  did you mean: imagenet",
        ),
        (Asked("imagenet", mean="0"), "one or the other"),
        (Asked(mean=".5,.5,.5"), "--mean and --std belong together"),
        (Asked(std=".5,.5,.5"), "--mean and --std belong together"),
        (Asked(mean=".5", std=".5"), r"--mean \.5: 1 number; images of cifar10 have 3 channels"),
        (Asked(mean=".5,.5,.5", std=".5,.5"), r"--std \.5,\.5: 2 numbers; images of cifar10 have 3 channels"),
        (Asked(mean=".5,.5,.5", std=".5,0,.5"), r"--std \.5,0,\.5: a deviation is above 0"),
        (Asked(mean=".5,.5,.5", std=".5,-.1,.5"), r"-0\.1 is not in \[0, 1\], as images are here$"),
        (Asked(mean=".5,nan,.5", std=".5,.5,.5"), r"--mean \.5,nan,\.5: nan is not in \[0, 1\]"),
        (Asked(mean=".5,.5,.5", std="inf,.5,.5"), r"inf is not in \[0, 1\]"),
        (
            Asked(mean="125.3,123,113.9", std="63,62.1,66.7"),
            r"125\.3 is not in \[0, 1\], as images are here: divide by 255",
        ),
        (Asked(mean="(.5,.5,.5)", std=".5,.5,.5"), r"write numbers between commas, such as \.485"),
        (Asked(mean=".5,.5,", std=".5,.5,.5"), "write numbers between commas"),
        (Asked(mean=".5\x1b[2J", std=".5"), "--mean '.5.*x1b"),
    ],
)
def test_what_cannot_be_meant_is_told(asked: Asked, expected: str) -> None:
    with pytest.raises(UserError, match=expected) as told:
        asked.of("cifar10", CIFAR)
    assert str(told.value).isprintable() or "\n" in str(told.value)


def test_constants_of_colours_are_not_for_grey_images() -> None:
    with pytest.raises(
        UserError, match="--normalisation imagenet: for images of 3 channels; images of digits have 1 channel"
    ):
        Asked("imagenet").of("digits", DIGITS)
    assert Asked(mean=".1307", std=".3081").of("digits", DIGITS) == Normalisation(mean=[0.1307], std=[0.3081])


def test_others_are_those_that_the_images_can_have_but_for_the_one_that_was_tried() -> None:
    grey = dict(normalisation.others(DIGITS, None))
    assert set(grey) == {"half", "none"}
    colour = dict(normalisation.others(CIFAR, IMAGENET))
    assert set(colour) == {"task", *KNOWN} - {"imagenet"}
    assert colour["task"] is None


@pytest.mark.parametrize(
    "values",
    [
        {"mean": [0.5], "std": [0.0]},
        {"mean": [0.5], "std": [float("nan")]},
        {"mean": [0.5, 0.5], "std": [0.5]},
        {"mean": [], "std": []},
        {"mean": [300.0], "std": [0.5]},
    ],
)
def test_a_record_that_was_edited_to_what_cannot_be_is_refused(values: dict[str, list[float]]) -> None:
    with pytest.raises(ValidationError):
        Normalisation(**values)
