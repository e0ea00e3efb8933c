"""Crops, flips and the pool, against loops over single images."""

from __future__ import annotations

from collections import Counter

import torch

from harness import data
from harness.assemble import build_method, build_network, method_config
from harness.check import CPU, tiny_cell
from harness.rng import Streams
from methods.parts.augment import Views
from methods.parts.growing_pool import GrowingPool


def test_views_equal_a_loop() -> None:
    views = Views(height=6, width=5, pad=2, flip=True)
    images = torch.rand(views.count, 3, 6, 5)
    padded = torch.nn.functional.pad(images, [2] * 4)
    taken = views.take(padded, torch.arange(views.count))
    seen = set()
    for number, (picture, result) in enumerate(zip(padded, taken, strict=True)):
        mirrored, offset = divmod(number, 25)
        top, left = divmod(offset, 5)
        expected = picture[:, top : top + 6, left : left + 5]
        assert torch.equal(result, expected.flip(2) if mirrored else expected)
        seen.add((top, left, mirrored))
    assert len(seen) == views.count == 50


def test_views_are_uniform() -> None:
    counts = Counter(Views(8, 8, 1, False).draw(90_000, torch.Generator().manual_seed(0)).tolist())
    assert sorted(counts) == list(range(9))
    assert all(abs(count - 10_000) < 500 for count in counts.values())


def pool() -> GrowingPool:
    cell, dataset = tiny_cell("deepinversion"), data.load("digits")
    teacher = Streams(7, CPU).build("teacher-init", lambda: build_network("wrn10_1", dataset)).eval()
    source = build_method(cell, method_config(cell), dataset, teacher, CPU).source  # type: ignore[attr-defined]
    assert isinstance(source, GrowingPool)
    return source


def test_pool_truncates_and_cuts_the_last_batch() -> None:
    source = pool()
    images = torch.rand(40, 1, 8, 8) * 1.2 - 0.1
    source.admit(images, 0)
    source.admit(images, 1)
    assert source.filled == source.capacity == 65
    expected = (images.clamp(0, 1) * 255).floor() / 255
    assert torch.equal(source.store.images(torch.arange(40)), expected)
    assert torch.equal(source.store.images(torch.arange(40, 65)), expected[:25])


def test_pool_chains_shuffled_epochs_of_full_batches() -> None:
    source = pool()
    source.admit(torch.rand(20, 1, 8, 8), 0)
    source.begin_round(steps=5, batch=8, index=3)
    slots = torch.cat([source.draw().slot for _ in range(5)]).tolist()  # type: ignore[misc]
    assert sorted(slots[:20]) == sorted(slots[20:]) == list(range(20))
    assert slots[:20] != slots[20:]
