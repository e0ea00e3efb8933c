"""P, w, replacement and the histogram, against slow float64 references."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch

from methods.parts.images import quantised
from methods.parts.modulation import Modulation
from methods.parts.replay_buffer import ReplayBuffer
from methods.parts.sources import Batch
from methods.ssd_kd import SSDKDConfig
from tests import small

PHI = Modulation(gamma=2.0)


def buffer(**options: Any) -> ReplayBuffer:
    given = small.context(*small.agreeing_pair())
    return ReplayBuffer(SSDKDConfig(**options), given, small.ONE_ROUND, PHI)


def images(count: int, seed: int) -> torch.Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def filled(**options: Any) -> ReplayBuffer:
    source = buffer(**options)
    for index in range(5):
        source.admit(images(16, index), index)
    assert source.filled == source.capacity == 65
    return source


def test_draws_follow_the_priorities() -> None:
    source = filled()
    source.priority.copy_(torch.linspace(0, 3, source.capacity))
    scores = [(p + 1e-6) ** 0.6 for p in source.priority.tolist()]
    expected = [score / sum(scores) for score in scores]
    source.begin_round(1, 200_000, 0)
    assert source.probabilities().tolist() == pytest.approx(expected, rel=1e-5)
    counts = torch.bincount(source.draw().slot, minlength=source.capacity) / 200_000  # type: ignore[arg-type]
    for share, p in zip(counts.tolist(), expected, strict=True):
        assert abs(share - p) < 5 * math.sqrt(p / 200_000) + 1e-5


@pytest.mark.parametrize(("scale", "largest"), [("max", max), ("mean", lambda raw: sum(raw) / len(raw))])
def test_weights_are_the_formula_divided_by_their_maximum_or_mean(
    scale: str, largest: Callable[[list[float]], float]
) -> None:
    source = filled(weight_scale=scale)
    source.priority.copy_(torch.linspace(0.1, 3, source.capacity))
    source.begin_round(1, 50, 0)
    p = source.probabilities().tolist()
    batch = source.draw()
    assert batch.slot is not None and batch.importance is not None and batch.weight is not None
    raw = [(source.capacity * p[slot]) ** -0.4 for slot in batch.slot.tolist()]
    assert batch.importance.tolist() == pytest.approx(raw, rel=1e-5)
    assert batch.weight.tolist() == pytest.approx([w / largest(raw) for w in raw], rel=1e-5)


@pytest.mark.parametrize("alpha", [0.6, 0.0])
@pytest.mark.parametrize("count", [1, 16, 64])
def test_empty_slots_are_never_drawn(count: int, alpha: float) -> None:
    """Whatever their priorities: P is that of the filled ones alone, and so are the weights."""
    source = buffer(alpha=alpha)
    source.admit(images(count, 0), 0)
    source.priority.copy_(torch.linspace(0.5, 3, source.capacity))
    scores = [(p + 1e-6) ** alpha for p in source.priority[:count].tolist()]
    expected = [score / sum(scores) for score in scores]
    source.begin_round(2, 4000, 0)
    for _ in range(2):
        batch = source.draw()
        assert source.probabilities().tolist() == pytest.approx([*expected, *[0.0] * (source.capacity - count)])
        assert batch.slot is not None and batch.importance is not None
        assert batch.slot.unique().tolist() == list(range(count))
        raw = [(count * expected[slot]) ** -0.4 for slot in batch.slot.tolist()]
        assert batch.importance.tolist() == pytest.approx(raw, rel=1e-5)


def test_every_draw_of_a_round_is_another() -> None:
    source = filled()
    source.begin_round(3, 16, 0)
    batches = [source.draw() for _ in range(3)]
    assert len({tuple(batch.slot.tolist()) for batch in batches}) == 3  # type: ignore[union-attr]
    assert len({tuple(batch.view.tolist()) for batch in batches}) == 3  # type: ignore[union-attr]


def test_weighted_mean_is_unbiased_at_beta_one() -> None:
    source = filled(beta=1.0)
    source.priority.copy_(torch.linspace(0.1, 3, source.capacity))
    values = torch.linspace(-1, 5, source.capacity)
    source.begin_round(1, 400_000, 0)
    batch = source.draw()
    assert batch.slot is not None and batch.importance is not None
    assert (batch.importance * values[batch.slot]).mean().item() == pytest.approx(2.0, abs=0.03)


def test_feedback_keeps_the_largest_of_a_slot_drawn_twice() -> None:
    source = filled()
    before = source.priority.clone()
    teacher = torch.tensor([[3.0, 0.0], [3.0, 0.0], [1.0, 0.0]])
    student = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    weight = torch.tensor([0.5, 0.5, 2.0])
    source.feedback(Batch(torch.empty(3), slot=torch.tensor([4, 4, 9]), importance=weight), teacher, student)

    def kl(t: float, s: float) -> float:
        p, q = 1 / (1 + math.exp(-t)), 1 / (1 + math.exp(-s))
        return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))

    assert source.priority[4].item() == pytest.approx(max(0.5 * kl(3, 0), 0.5 * kl(3, 2)), rel=1e-5)
    assert source.priority[9].item() == pytest.approx(2 * kl(1, -1), rel=1e-5)
    untouched = [slot for slot in range(source.capacity) if slot not in (4, 9)]
    assert torch.equal(source.priority[untouched], before[untouched])


def test_histogram_equals_a_recount_after_random_replacements() -> None:
    source, shuffle = filled(), random.Random(5)
    for index in range(5, 25):
        source.priority.copy_(torch.rand(source.capacity))
        source.drawn.copy_(torch.rand(source.capacity) < shuffle.random())
        source.admit(images(16, index), index)
        stored = source.store.images(torch.arange(source.capacity))
        recount = source.teacher.logits(source.store.normalise(stored)).argmax(dim=1)
        assert source.content.argmax(dim=1).tolist() == recount.tolist()
        assert source.histogram.tolist() == torch.bincount(recount, minlength=10).tolist()


def test_lowest_priorities_go_first_and_unseen_slots_last() -> None:
    source = filled()
    source.priority.copy_(torch.arange(65.0).flip(0))
    source.born.copy_(torch.arange(65))
    source.drawn.zero_()
    source.drawn[[3, 60, 30]] = True
    assert source._victims(64, 100)[:5].tolist() == [60, 30, 3, 0, 1]  # judged by priority, then the oldest
    assert source._victims(64, 62)[:3].tolist() == [60, 30, 3]
    assert source._victims(64, 62)[3:5].tolist() == [1, 0]  # more than 62 rounds old: judged too


def test_at_most_a_quarter_is_replaced_and_the_best_takes_the_first_slot() -> None:
    source = filled()
    source.drawn.fill_(True)
    source.priority.copy_(torch.arange(65.0))
    new = images(40, 99)
    first = source._first_look(new, source.filled).priority
    source.admit(new, 9)
    assert (source.born == 9).sum().item() == 17  # ⌈65 / 4⌉
    best = sorted(range(40), key=lambda i: (-first[i].item(), i))[:17]
    assert source.priority[:17].tolist() == pytest.approx([first[i].item() for i in best])


@pytest.mark.parametrize("order", ["priority", "phi"])
@pytest.mark.parametrize("replacement", ["lowest", "oldest"])
@pytest.mark.parametrize(("slots", "batches"), [(13, [32, 32]), (31, [32, 64, 32]), (40, [20, 32, 32]), (3, [8, 8])])
def test_no_batch_pushes_out_its_own_images(slots: int, batches: list[int], replacement: str, order: str) -> None:
    """What fills a slot is there when the student draws next, also where a batch is larger than the buffer."""
    given = small.context(*small.agreeing_pair(), scale=1.0, reference_size=slots)
    source = ReplayBuffer(SSDKDConfig(replacement=replacement, order=order), given, small.ONE_ROUND, PHI)
    for call, count in enumerate(batches):
        before, new = source.filled, images(count, call)
        source.priority[:before] = 100.0  # dear ones: neither low priority nor age protects what has just come
        source.drawn[:before] = True
        source.admit(new, call)
        kept = source.store.images(torch.arange(before, source.filled))
        assert torch.equal(kept, (new[: len(kept)] * 255).floor() / 255)
        replaced = min(count - len(kept), math.ceil(slots / 4), before)
        assert int((source.born[:before] == call).sum()) == replaced
        assert int(source.histogram.sum()) == source.filled == min(slots, sum(batches[: call + 1]))


def test_a_small_full_buffer_gives_new_images_its_largest_priority() -> None:
    given = small.context(*small.agreeing_pair(), scale=1.0, reference_size=13)
    source = ReplayBuffer(SSDKDConfig(first_priority="max"), given, small.ONE_ROUND, PHI)
    source.admit(images(32, 0), 0)
    source.priority.copy_(torch.arange(13.0) + 50)
    source.admit(images(32, 1), 1)
    assert source.priority[source.born == 1].tolist() == [62.0] * 4  # ⌈13 / 4⌉


@pytest.mark.parametrize("calls", [3, 8])
def test_ordered_by_phi_the_hardest_of_rare_classes_enter_and_the_easiest_of_common_ones_leave(calls: int) -> None:
    """Against a slow loop that knows the stored images alone; priorities and draws say nothing."""
    source = filled(order="phi")
    for call in range(5, 5 + calls):
        source.priority.copy_(torch.rand(source.capacity))
        source.drawn.copy_(torch.rand(source.capacity) < 0.5)
        new, stored = images(40, call), source.store.images(torch.arange(65))
        rows = [
            source.teacher.logits(source.store.normalise(x)).double().tolist() for x in (stored, quantised(new) / 255)
        ]
        predicted = [row.index(max(row)) for row in rows[0]]

        def phi(row: list[float], predicted: list[int] = predicted) -> float:
            powers = [math.exp(value - max(row)) for value in row]
            share = predicted.count(powers.index(1.0)) / len(predicted)
            return (1 - share) * ((sum(powers) - 1) / sum(powers)) ** 2

        leaving = sorted(range(65), key=lambda slot: phi(rows[0][slot]))[:17]  # ⌈65 / 4⌉
        entering = sorted(range(40), key=lambda image: -phi(rows[1][image]))[:17]
        source.admit(new, call)
        for slot, image in zip(leaving, entering, strict=True):
            assert torch.equal(source.store.images(torch.tensor([slot]))[0], quantised(new)[image] / 255)
        assert (source.born == call).sum().item() == 17
