"""DeepInversion's total variation against a loop, in float64."""

from __future__ import annotations

import pytest
import torch

from methods.deepinversion import total_variation
from tests import small

pytestmark = pytest.mark.usefixtures("double")


def test_total_variation_equals_a_loop() -> None:
    x = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    sums = {step: [] for step in ((0, 1), (1, 0), (1, 1), (1, -1))}  # type: dict[tuple[int, int], list[float]]
    for image in x.flatten(0, 1).tolist():
        for row in range(4):
            for column in range(5):
                for (down, right), found in sums.items():
                    if row + down < 4 and 0 <= column + right < 5:
                        found.append(abs(image[row + down][column + right] - image[row][column]))
    assert total_variation(x).item() == pytest.approx(sum(sum(f) / len(f) for f in sums.values()), rel=1e-10)


@pytest.mark.parametrize(("side", "pixels"), [(32, 4), (128, 16), (8, 1), (224, 28)])
def test_jitter_is_an_eighth_of_the_side(side: int, pixels: int) -> None:
    given = small.context(*small.agreeing_pair(), shape=(1, side, side))
    inverter = small.make("deepinversion", given, small.options("deepinversion", inner_steps=2000)).inverter
    for shifts in inverter._shifts(torch.Generator().manual_seed(0)):
        moved = set(((shifts[:, 0] + side // 2) % side - side // 2).tolist())
        assert moved == set(range(-pixels, pixels + 1))
