"""SpaceshipNet's pool: what is exchanged, in which order maps are drawn, and that nothing stored ever changes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from methods.parts.feature_generator import Entry
from methods.parts.feature_pool import MAPS, FeaturePool, exchanged, halves, packed
from tests import small

SHAPES = [(5, 1, 2), (4, 2, 2), (6, 4, 4)]
N, BATCH, STEPS = 24, 7, 30


class Listener(nn.Module):
    """Stands in for the generator: keeps what it is given."""

    shapes = SHAPES

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Entry] = []

    def forward(self, entry: Entry) -> tuple[Tensor, None]:
        self.heard.append(entry)
        return torch.full((len(entry.maps[0]), 1, 8, 8), 0.5), None


def numbered(count: int) -> list[Tensor]:
    """Maps [n, C, H, W] whose entries say image, channel and place: no two are alike."""
    found = []
    for c, h, w in SHAPES:
        image, channel = torch.arange(count)[:, None, None, None], torch.arange(c)[:, None, None]
        place = torch.arange(h)[:, None] * w + torch.arange(w)
        found.append((image * 1000 + channel * 100 + place).float())
    return found


def filled(exchange: float) -> FeaturePool:
    """A pool of N images, whose inverter makes more."""
    given = small.context(*small.agreeing_pair(), scale=1.0, reference_size=N)
    generator: Any = Listener()
    pool = FeaturePool(given, small.ONE_ROUND, generator, exchange)
    maps = numbered(30)
    for call, taken in enumerate((slice(0, 15), slice(15, 30))):
        rows = packed(tuple(one[taken] for one in maps))
        pool.admit(torch.zeros(15, 1, 8, 8), call, {MAPS: rows})
    assert pool.filled == N
    return pool


def heard(pool: FeaturePool) -> list[Entry]:
    pool.begin_round(STEPS, BATCH, 0)
    for _ in range(STEPS):
        assert pool.draw().x.shape == (BATCH, 1, 8, 8)
    return pool.generator.heard  # type: ignore[return-value]


def test_what_was_stored_comes_back() -> None:
    slots = torch.tensor([23, 0, 7])
    for mine, expected in zip(filled(0.0).maps(slots), numbered(30), strict=True):
        assert torch.equal(mine, expected[slots])


@pytest.mark.parametrize("batch", [6, 7])
def test_channels_come_from_an_image_itself_or_from_its_partner_as_it_was(batch: int) -> None:
    maps, own = numbered(batch)[0], halves(batch, 5, torch.Generator().manual_seed(0))
    before = maps.clone()
    found = exchanged(maps, own)
    for i in range(batch):
        for c in range(5):
            giver = i if own[i, c] else batch - 1 - i
            assert torch.equal(found[i, c], before[giver, c])
    assert torch.equal(maps, before)
    if batch == 7:
        assert torch.equal(found[3], before[3])


@pytest.mark.parametrize("channels", [4, 5])
def test_every_half_is_as_likely(channels: int) -> None:
    """⌊c / 2⌋ channels, of which each set comes as often: 6 and 10 of them."""
    own = halves(6000, channels, torch.Generator().manual_seed(0))
    found = Counter(tuple(row) for row in own.tolist())
    assert {sum(row) for row in found} == {2}
    assert len(found) == {4: 6, 5: 10}[channels]
    assert all(count == pytest.approx(6000 / len(found), rel=0.15) for count in found.values())


def images_of(entry: Entry) -> list[list[set[int]]]:
    """For every depth and sample, which images its channels are of."""
    return [[{int(value) // 1000 for value in sample[:, 0, 0]} for sample in one] for one in entry.maps]


def test_without_exchange_every_depth_goes_through_all_images_before_one_comes_again() -> None:
    order: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for entry in heard(filled(0.0)):
        depth = int(entry.depth)
        drawn = [image for (image,) in images_of(entry)[depth]]
        assert all(images == [{one} for one in drawn] for images in images_of(entry))
        order[depth] += drawn
    assert sum(map(len, order.values())) == STEPS * BATCH
    for drawn in order.values():
        epochs = [drawn[start : start + N] for start in range(0, len(drawn), N)]
        assert len(epochs) > 1
        assert all(sorted(epoch) == list(range(N)) for epoch in epochs[:-1])
        assert len(set(epochs[-1])) == len(epochs[-1])
        assert all(one != other for one, other in pairwise(epochs[:-1]))
    assert order[0][:N] != order[1][:N]


def test_in_a_share_of_the_steps_all_images_of_a_batch_exchange() -> None:
    mixed = 0
    for entry in heard(filled(0.7)):
        images = images_of(entry)[int(entry.depth)]
        partners = [i for i in range(BATCH) if i != BATCH // 2]
        shares = {len(images[i]) for i in partners}
        assert shares in ({1}, {2})
        if shares == {2}:
            mixed += 1
            assert all(images[i] == images[BATCH - 1 - i] for i in partners)
    assert 14 <= mixed <= 27, "70 % of 30 steps, within 2.8 standard deviations"


def test_two_samples_keep_channels_of_their_own() -> None:
    pool = filled(1.0)
    entry = heard(pool)[0]
    first = entry.maps[2][:, :, 0, 0] // 1000
    assert len({tuple((row == row[0]).tolist()) for row in first}) > 2


def test_its_size_is_known_from_the_beginning() -> None:
    """4 bytes for each number of each image: what a plan reckons with before any is stored."""
    given = small.context(*small.agreeing_pair(), scale=1.0, reference_size=N)
    generator: Any = Listener()
    assert FeaturePool(given, small.ONE_ROUND, generator, 0.5).state_dict()["rows"].nbytes == N * (10 + 16 + 96) * 4
