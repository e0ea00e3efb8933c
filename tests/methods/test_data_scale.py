"""Rounds, images and steps of every kind of source at every data scale: docs/protocol.md, 4."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests import small

SCALES = (1.0, 0.2, 0.1, 0.05, 0.01)
SIZES = (50_000, 16_000, 1297)
GRID = [(size, scale) for size in SIZES for scale in SCALES]
STEPS = 80_000


def number(size: int, scale: float) -> int:
    return max(1, round(scale * size))


def built(name: str, size: int, scale: float, preset: str = "smoke", **more: Any) -> Any:
    """A method at this scale, on images of 4 × 4 pixels, so that the largest pool is small."""
    networks = small.network("wrn10_1", 1), small.network("cnn3_16", 2)
    given = small.context(*networks, scale=scale, reference_size=size, shape=(1, 4, 4), pad=0)
    return small.make(name, given, {**small.full_options(name, preset), "steps": STEPS, "epochs": 20, **more})


def totals(method: Any) -> tuple[int, int, list[int]]:
    """Synthesis rounds, distillation steps, and the rounds that synthesise."""
    schedule = method.schedule
    making = [index for index in range(schedule.rounds) if schedule.synthesises(index)]
    return len(making), sum(schedule.steps_in(index) for index in range(schedule.rounds)), making


@pytest.mark.parametrize(("size", "scale"), GRID)
@pytest.mark.parametrize("name", ["fast", "cmi", "deepinversion"])
def test_growing_pools(name: str, size: int, scale: float) -> None:
    batch = 256
    method = built(name, size, scale, inversion_batch=batch)
    rounds, steps, making = totals(method)
    assert rounds == math.ceil(number(size, scale) / batch)
    assert steps == max(1, round(scale * STEPS))
    assert making[0] == 0
    for index in making:
        method.source.admit(torch.zeros(batch, 1, 4, 4), index)
    assert method.source.filled == method.source.capacity == number(size, scale)


@pytest.mark.parametrize(("size", "scale"), GRID)
def test_replay_buffers(size: int, scale: float) -> None:
    method = built("ssd-kd", size, scale, rounds=220, warmup=20, inversion_batch=256)
    n = number(size, scale)
    batch = min(256, max(32, math.ceil(n / 4)))
    rounds, steps, making = totals(method)
    assert method.inverter.batch == batch
    assert method.schedule.warmup == min(20, math.ceil(n / batch))
    assert rounds == 220
    assert steps == max(1, round(scale * STEPS))
    assert method.source.capacity == n
    assert making[0] == 0


@pytest.mark.parametrize("n", [13, 65, 130, 1297])
def test_a_buffer_never_holds_more_than_its_slots(n: int) -> None:
    method = built("ssd-kd", n, 1.0, rounds=220, inversion_batch=256)
    for index in range(n // method.inverter.batch + 3):
        method.source.admit(torch.rand(method.inverter.batch, 1, 4, 4), index)
        assert method.source.filled == min(n, (index + 1) * method.inverter.batch)
    assert int(method.source.histogram.sum()) == n


@pytest.mark.parametrize(("size", "scale"), GRID)
@pytest.mark.parametrize(("name", "preset", "ratio"), [("dafl", "original", 1), ("dfad", "cmi", 5), ("dfq", "cmi", 10)])
def test_live_generators(name: str, preset: str, ratio: int, size: int, scale: float) -> None:
    method = built(name, size, scale, preset, student_steps=ratio, batch=8)
    rounds, steps, _ = totals(method)
    assert steps == max(1, round(scale * STEPS))
    assert rounds == math.ceil(steps / ratio)
    assert method.context.images == number(size, scale)


@pytest.mark.parametrize(("preset", "expected"), [("original", 4 * 8), ("cmi", 4 * 8 + 20 * 8)])
def test_live_images_are_counted(preset: str, expected: int) -> None:
    """Four steps of the generator to twenty of the student; the original's student sees the generator's own images."""
    method = built("dafl", 1297, 1.0, preset, student_steps=5, batch=8, steps=20, epochs=4)
    for index in range(method.schedule.rounds):
        method.round(index, small.Stopwatch())
    assert method.images_synthesised == expected


@pytest.mark.parametrize(("size", "scale"), GRID)
def test_references(size: int, scale: float) -> None:
    networks = small.network("wrn10_1", 1), small.network("cnn3_16", 2)
    given = small.context(*networks, scale=scale, reference_size=size, shape=(1, 4, 4), pad=0)
    method = small.make("kd-noise", given, {"steps": STEPS})
    rounds, steps, making = totals(method)
    assert (rounds, making) == (1, [0])
    assert steps == max(1, round(scale * STEPS))
    method.synthesise(0)
    assert method.source.filled == number(size, scale)


def test_batches_are_full_even_if_the_pool_is_smaller() -> None:
    method = built("fast", 1297, 0.01, inversion_batch=256, batch=256)
    method.source.admit(torch.zeros(256, 1, 4, 4), 0)
    method.begin_round(0, 3)
    drawn = [method.source.draw().slot for _ in range(3)]
    assert [len(slots) for slots in drawn] == [256] * 3
    assert torch.cat(drawn).unique().tolist() == list(range(13))
    counts = torch.bincount(torch.cat(drawn))
    assert int(counts.max() - counts.min()) <= 1


@pytest.mark.parametrize(
    ("options", "slots", "expected"),
    [
        ({"rounds": 220, "inversion_batch": 64}, 16_000, 14_080),
        ({"rounds": 220, "inversion_batch": 256}, 16_000, 16_000),
        ({"rounds": 3, "inversion_batch": 256}, 100, 96),  # 32 a round
        ({"rounds": 1, "inversion_batch": 256}, 13, 13),
    ],
)
def test_images_that_exist_are_counted_not_slots(options: dict[str, int], slots: int, expected: int) -> None:
    method = built("ssd-kd", slots, 1.0, warmup=0, **options)
    assert method.images == 0
    assert type(method).most_images(method.config, slots) == expected
    for call in range(options["rounds"]):
        method.source.admit(torch.rand(method.inverter.batch, 1, 4, 4), call)
    assert method.images == expected


@pytest.mark.parametrize(("name", "before", "after"), [("fast", 0, 16), ("dafl", 65, 65), ("kd-noise", 0, 65)])
def test_only_what_stores_images_starts_with_none(name: str, before: int, after: int) -> None:
    given = small.context(*small.agreeing_pair())  # 65 images
    method = small.make(name, given, small.options(name) if name != "kd-noise" else small.FEW)
    assert method.images == before
    method.synthesise(0)
    assert method.images == after
