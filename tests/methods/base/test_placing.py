"""Where images lie, from how large they and the device are."""

from __future__ import annotations

import pytest
import torch

from methods.base.placing import Placing

CARD, HOST, SHAPES = torch.device("cuda"), torch.device("cpu"), torch.device("meta")


@pytest.mark.parametrize(("memory", "place"), [(0, CARD), (4_000_000, CARD), (3_999_999, HOST), (1, HOST)])
def test_images_lie_on_the_device_if_they_take_a_quarter_of_it_at_most(memory: int, place: torch.device) -> None:
    placing = Placing(images=10, bytes=1_000_000, memory=memory)
    assert placing.place(CARD) == place
    assert placing.place(SHAPES) == SHAPES
    assert placing.main_memory == (2_000_000 if place == HOST else 0)


def test_a_pool_without_answers_may_take_more() -> None:
    """SpaceshipNet's maps of 50,000 images of CIFAR, on the cards that there are: of 80 and 48 GB, and not of 24."""
    size = 50_000 * 106_496 * 4
    placed = [Placing(50_000, size, gib * 2**30, share=1 / 2).on_device for gib in (79, 47, 23)]
    assert placed == [True, True, False]


def test_the_rule_is_said_with_its_numbers() -> None:
    """N images of ImageNet at 10 %, bordered by 4 pixels, and a card of 80 GiB, of which a quarter is 20."""
    size = 128_117 * 3 * 232 * 232
    assert str(Placing(128_117, size, 80 * 2**30)) == (
        "on the device: 128,117 images take 19,729 MiB of 20,480 MiB that they may there"
    )
    assert str(Placing(128_117, size, 24 * 2**30)) == (
        "in main memory, copied batch by batch: 128,117 images take 19,729 MiB, "
        "more than the 6,144 MiB that they may there"
    )
    assert str(Placing(128_117, size, 0)) == "on the device: 128,117 images take 19,729 MiB"
