"""Answers that are kept: when it pays, and that a run with them is the run without, up to rounding."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import methods
from harness.commands.contract import differences, interrupt_and_resume, run, tiny_cell
from methods.base.asking import Asking
from methods.base.method import Context, MethodConfig
from methods.parts.answers import PIXELS, Answers, asking
from methods.parts.images import ImageStore
from methods.parts.modulation import Modulation
from methods.parts.replay_buffer import ReplayBuffer, admitted
from methods.parts.sources import GrowingPool
from methods.ssd_kd import SSDKDConfig
from tests import small
from tests.methods import slow, test_dense

PHI = Modulation(gamma=2.0)

PLENTY = 2**40
OFTEN = {"steps": 240, "epochs": 4, "batch": 48}
"""576 draws in all; 20 images have 180 views, and the 55 that SSD-KD's buffer takes in have 495."""
KEEPERS = ("cmi", "cpnet", "deepinversion", "fast", "kd-noise", "kd-real", "nayer", "ssd-kd")


def given(**changes: Any) -> Context:
    return small.context(small.network("wrn10_1", 1), small.network("cnn3_16", 2), **changes)


def images(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def made(name: str, memory: int) -> Any:
    context = small.with_noise(given(memory=memory, reference_size=400))
    values = small.options(name, **OFTEN) if "smoke" in methods.load(name).presets else OFTEN
    return small.make(name, context, values)


def all_rounds(method: Any) -> list[tuple[str, float]]:
    """Every loss of a whole run."""
    found = []
    for index in range(method.schedule.rounds):
        losses = method.round(index, small.Stopwatch())
        found += [item for step in (*losses.synthesis, *losses.distillation) for item in step.items()]
    return [(name, float(value)) for name, value in found]


@pytest.mark.parametrize(
    ("draws", "size", "memory", "once"),
    [(101, 25, 100, True), (100, 25, 100, False), (101, 26, 100, False), (10**9, 1, 0, False), (1, 0, 10**9, False)],
)
def test_the_teacher_is_asked_once_where_views_are_drawn_again_and_a_quarter_is_enough(
    draws: int, size: int, memory: int, once: bool
) -> None:
    found = Asking(draws=draws, views=100, bytes=size, memory=memory)
    assert found.once == once
    assert (found.remembered, found.at_draws) == ((100, 0) if once else (0, draws))


@pytest.mark.parametrize(
    ("draws", "memory", "text"),
    [
        (250, 2**30, "once for every view: a view is drawn 2.5 times, answers take 8 MiB of 256 MiB that they may"),
        (250, 2**24, "at every draw: a view is drawn 2.5 times, but answers take 8 MiB of 4 MiB that they may"),
        (25, 2**30, "at every draw: a view is drawn 0.25 times"),
    ],
)
def test_the_verdict_says_why(draws: int, memory: int, text: str) -> None:
    assert str(Asking(draws=draws, views=100, bytes=2**23, memory=memory)) == text


@pytest.mark.parametrize("scale", [1.0, 0.2, 0.01])
def test_on_cifar_every_pool_is_drawn_two_and_a_half_times(scale: float) -> None:
    """80,000 steps of 256 images, on 50,000 with 162 views."""
    context = given(task=dataclasses.replace(small.CIFAR, classes=100), scale=scale, memory=16 * 2**30)
    found = asking(MethodConfig(), context, context.images)
    assert found.draws / found.views == pytest.approx(80_000 * 256 / (50_000 * 162))
    assert found.bytes == 50_000 * scale * 162 * 100 * 4
    assert found.once


@pytest.mark.parametrize(("scale", "stored", "once"), [(1.0, 56_320, True), (0.5, 56_320, True), (0.1, 56_320, False)])
def test_ssd_kd_on_cifar_keeps_answers_where_its_buffer_is_large(scale: float, stored: int, once: bool) -> None:
    """220 rounds of 256 images come in at every scale; at 10 % they would be asked 162 times, and drawn 36."""
    context = given(task=small.CIFAR, scale=scale, memory=PLENTY)
    assert admitted(context.images, 256, 220) == stored
    assert asking(SSDKDConfig(), context, stored).once == once


def test_segmentation_does_not_fit() -> None:
    """NYUv2: 16,000 images with 33 × 33 × 2 views of 13 classes at every pixel."""
    nyuv2 = dataclasses.replace(small.CIFAR, classes=13, shape=(3, 64, 64), pad=16, dense=True, reference_size=16_000)
    found = asking(MethodConfig(steps=10**6), given(task=nyuv2, scale=1.0, memory=80 * 2**30), 16_000)
    assert found.bytes == 16_000 * 33 * 33 * 2 * 13 * 64 * 64 * 4
    assert not found.once


@pytest.mark.parametrize(
    ("slots", "batch", "calls"), [(65, 16, 8), (65, 40, 6), (13, 32, 3), (3, 8, 4), (40, 40, 2), (100, 16, 3)]
)
def test_what_a_buffer_takes_in_is_known_beforehand(slots: int, batch: int, calls: int) -> None:
    source = ReplayBuffer(SSDKDConfig(), given(scale=1.0, reference_size=slots), small.ONE_ROUND, PHI)
    asked: list[int] = []
    source.answers.admit = lambda slots: asked.append(len(slots))  # type: ignore[method-assign]
    for call in range(calls):
        source.admit(images(batch, call), call)
    assert sum(asked) == admitted(slots, batch, calls)


@pytest.mark.parametrize(("pad", "flip"), [(0, False), (0, True), (1, False), (2, True)])
@pytest.mark.parametrize("at_once", [7, 10**6])
def test_answers_are_those_of_the_cropped_and_mirrored_images(
    monkeypatch: pytest.MonkeyPatch, double: None, pad: int, flip: bool, at_once: int
) -> None:
    """Whatever is asked together, each view is cut out by itself here; a slot that is written again is asked again."""
    monkeypatch.setitem(PIXELS, "cpu", at_once * 64)
    context = given(pad=pad, flip=flip, scale=1.0, reference_size=6, memory=PLENTY)
    store = ImageStore(context, 6)
    answers = Answers(Asking(draws=2, views=1, bytes=0, memory=1), context, store)
    for slots in (torch.tensor([4, 0, 2]), torch.tensor([2, 5])):
        store.write(slots, images(len(slots), len(slots)).double())
        answers.admit(slots)
        answers.ask()
    for slot in (0, 2, 4, 5):
        image = store.images(torch.tensor([slot])).squeeze(0).double()
        for view in range(store.views.count):
            seen = slow.normalised(slow.crop(image, view, pad)[None], small.DIGITS.mean, small.DIGITS.std)
            found = answers.read(torch.tensor([slot]), torch.tensor([view]))
            assert found is not None
            assert torch.allclose(found.logits, context.teacher.logits(seen.double()), rtol=1e-10)


def test_answers_of_segmentation_are_maps() -> None:
    context = dataclasses.replace(test_dense.context(), memory=PLENTY)
    source = GrowingPool(context, small.ONE_ROUND, asking(MethodConfig(), context, context.images))
    source.admit(images(5), 0)
    source.begin_round(steps=1, batch=20, index=0)
    batch = source.draw()
    assert batch.answer is not None
    assert torch.allclose(batch.answer.logits, context.teacher.logits(batch.x), atol=1e-6)


@pytest.mark.parametrize("name", KEEPERS)
def test_a_run_with_answers_is_the_run_that_asks(name: str, double: None) -> None:
    keeps, asks = made(name, PLENTY), made(name, 0)
    assert (keeps.asking.once, asks.asking.once) == (True, False)
    expected = all_rounds(asks)
    for (part, value), (same, wanted) in zip(all_rounds(keeps), expected, strict=True):
        assert part == same
        assert value == pytest.approx(wanted, rel=1e-7, abs=1e-10)
    student, other = keeps.context.student.state_dict(), asks.context.student.state_dict()
    assert all(torch.allclose(student[part].double(), other[part].double(), rtol=1e-6, atol=1e-9) for part in other)
    more = keeps.context.teacher.images_forwarded - asks.context.teacher.images_forwarded
    assert more == keeps.asking.views - 12 * 48


def test_every_method_that_stores_images_says_how_it_asks() -> None:
    assert {name for name in methods.names() if made(name, 0).asking is not None} == set(KEEPERS)


def test_who_never_asks_keeps_nothing() -> None:
    scratch = made("scratch", PLENTY)
    all_rounds(scratch)
    assert scratch.context.teacher.images_forwarded == 0
    assert scratch.source.answers.logits is None


@pytest.mark.parametrize("name", ["fast", "kd-noise", "ssd-kd"])
def test_answers_come_back_from_a_checkpoint_bit_by_bit(name: str, tmp_path: Path) -> None:
    cell = tiny_cell(name)
    cell = dataclasses.replace(cell, options={**cell.options, "batch": 128})
    whole, resumed = run(cell, tmp_path / "whole"), interrupt_and_resume(cell, tmp_path / "resumed")
    assert whole.method.asking is not None
    assert whole.method.asking.once
    assert differences(whole, resumed) == []
    kept = [engine.method.source.answers.logits for engine in (whole, resumed)]  # type: ignore[attr-defined]
    assert torch.equal(*kept)


@pytest.mark.parametrize(("before", "after"), [(PLENTY, 0), (0, PLENTY)])
def test_a_machine_with_another_memory_goes_on_by_asking(before: int, after: int) -> None:
    first, second = made("fast", before), made("fast", after)
    middle = first.schedule.rounds // 2
    for index in range(middle):
        first.round(index, small.Stopwatch())
    second.load_state_dict(first.state_dict())
    asked = second.context.teacher.images_forwarded
    second.begin_round(middle, 1)
    second.distill_step()
    assert second.context.teacher.images_forwarded == asked + 48


@pytest.mark.parametrize("name", ["fast", "ssd-kd"])
def test_distillation_asks_and_synthesis_does_not(name: str) -> None:
    """Answers of images that a warm-up stored come with the first round that distils, also after a restart."""
    keeps, again = made(name, PLENTY), made(name, PLENTY)
    keeps.synthesise(0)
    before = keeps.context.teacher.images_forwarded
    again.load_state_dict(keeps.state_dict())
    for method in (keeps, again):
        method.begin_round(keeps.schedule.warmup, 1)
        assert method.context.teacher.images_forwarded - before == method.source.filled * 9
        method.begin_round(keeps.schedule.warmup, 1)
        assert method.context.teacher.images_forwarded - before == method.source.filled * 9
    assert torch.equal(keeps.source.answers.logits, again.source.answers.logits)
