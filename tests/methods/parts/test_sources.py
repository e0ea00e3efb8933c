"""The growing pool: what comes back of an image, and the order in which images are drawn."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from methods.parts.sources import GrowingPool
from tests import small
from tests.methods import slow

CAPACITY = 65


def pool(**changes: Any) -> GrowingPool:
    changes = {"reference_size": CAPACITY, **changes}
    given = small.context(small.network("wrn10_1", 1), small.network("cnn3_16", 2), scale=1.0, **changes)
    return GrowingPool(given, small.ONE_ROUND)


def images(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) * 1.2 - 0.1


def slots(source: GrowingPool, draws: int) -> list[int]:
    return torch.cat([source.draw().slot for _ in range(draws)]).tolist()  # type: ignore[misc]


def test_images_are_clamped_and_truncated_not_rounded() -> None:
    source, given = pool(), images(40)
    source.admit(given, 0)
    expected = [[int(255 * min(max(x, 0.0), 1.0)) / 255 for x in image.flatten().tolist()] for image in given]
    stored = source.store.images(torch.arange(40)).flatten(1)
    assert torch.allclose(stored, torch.tensor(expected), rtol=0, atol=1e-7)
    source.admit(torch.full((1, 1, 8, 8), 254.9 / 255), 1)
    assert (source.store.images(torch.tensor([40])) * 255).unique().tolist() == [254]


def test_bytes_survive() -> None:
    """Real images, which are bytes divided by 255, come back as they are."""
    source, given = pool(), torch.arange(256, dtype=torch.uint8).view(4, 1, 8, 8)
    source.admit(given / 255, 0)
    assert torch.equal(source.store.pixels[:4, :, 1:9, 1:9], given)


def test_the_last_batch_is_cut() -> None:
    source, given = pool(), images(40)
    for index in range(3):
        source.admit(given, index)
    assert source.filled == source.capacity == CAPACITY
    assert torch.equal(source.store.images(torch.arange(40, CAPACITY)), source.store.images(torch.arange(25)))


@pytest.mark.parametrize("flip", [False, True])
def test_a_draw_is_the_stored_image_in_its_view_with_a_black_border(flip: bool) -> None:
    source = pool(pad=2, flip=flip)
    source.admit(images(20), 0)
    source.begin_round(steps=2, batch=16, index=0)
    batch = source.draw()
    assert batch.slot is not None and batch.view is not None
    stored = source.store.images(batch.slot)
    views = [slow.crop(image, view, 2) for image, view in zip(stored, batch.view.tolist(), strict=True)]
    expected = slow.normalised(torch.stack(views), small.DIGITS.mean, small.DIGITS.std)
    assert torch.allclose(batch.x, expected, atol=1e-6)


@pytest.mark.parametrize(("filled", "steps", "batch"), [(20, 5, 8), (64, 4, 16), (65, 9, 16), (5, 3, 16), (1, 2, 4)])
def test_shuffled_epochs_are_chained_into_full_batches(filled: int, steps: int, batch: int) -> None:
    source = pool()
    source.admit(images(filled), 0)
    source.begin_round(steps, batch, index=3)
    drawn = slots(source, steps)
    assert len(drawn) == steps * batch
    epochs = [drawn[i : i + filled] for i in range(0, len(drawn), filled)]
    assert all(sorted(epoch) == list(range(filled)) for epoch in epochs[: len(drawn) // filled])
    assert all(len(set(epoch)) == len(epoch) for epoch in epochs)
    if filled > 8 and len(epochs) > 1:
        assert epochs[0][: len(epochs[1])] != epochs[1]


def test_nothing_is_left_over_from_the_round_before() -> None:
    source = pool()
    source.admit(images(20), 0)
    source.begin_round(steps=1, batch=8, index=0)
    early = slots(source, 1)
    source.admit(images(12, 1), 1)
    source.begin_round(steps=4, batch=8, index=1)
    drawn = slots(source, 4)
    assert sorted(drawn) == list(range(32))  # those of the round before are drawn again, and the new ones too
    assert set(early) < set(drawn)


def test_a_round_depends_on_its_number_alone() -> None:
    orders = []
    for index in (1, 1, 2):
        source = pool()
        source.admit(images(20), 0)
        source.begin_round(steps=2, batch=10, index=index)
        orders.append(slots(source, 2))
    assert orders[0] == orders[1] != orders[2]


def test_samples_are_spread_over_the_history() -> None:
    source = pool()
    source.admit(images(40), 0)
    assert torch.equal(source.sample(2), source.store.images(torch.tensor([0, 39])))
    assert len(source.sample(100)) == 40
