"""How many images a data scale stands for."""

from __future__ import annotations

import dataclasses

import pytest

from tests import small


@pytest.mark.parametrize(
    ("size", "scale", "expected"),
    [
        (50_000, 1.0, 50_000),
        (50_000, 0.1, 5_000),
        (1_297, 0.05, 65),
        (1_297, 0.01, 13),
        (16_000, 0.01, 160),
        (40, 0.01, 1),
    ],
)
def test_images_of_a_data_scale(size: int, scale: float, expected: int) -> None:
    assert dataclasses.replace(small.DIGITS, reference_size=size).images(scale) == expected
