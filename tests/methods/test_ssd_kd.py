"""How SSD-KD puts its parts together, against loops; when its warm-up ends and its generator starts again."""

from __future__ import annotations

import copy

import pytest
import torch

from methods.parts.sources import Batch
from tests import small
from tests.methods import slow


def test_fewer_warm_up_rounds_if_the_buffer_is_full_earlier() -> None:
    method = small.build("ssd-kd", rounds=100, warmup=20, inversion_batch=256)
    assert method.schedule.warmup == 3  # 65 images, 32 a round


def test_adversarial_term_is_off_during_warm_up_alone() -> None:
    method = small.build("ssd-kd", warmup=2)
    names = [set(method.synthesise(index)) for index in range(3)]
    assert ["adversarial" in found for found in names] == [False, False, True]


@pytest.mark.usefixtures("double")
def test_a_samples_loss_counts_by_its_weight() -> None:
    method = small.build("ssd-kd")
    student, given = copy.deepcopy(method.context.student).train(), method.context
    x, weight = torch.randn(6, 1, 8, 8), torch.tensor([1.0, 0.5, 0.2, 0.0, 0.7, 0.1])
    rows = slow.kl_rows(given.teacher.logits(x), student(x), method.config.temperature)
    expected = sum(w * row.item() for w, row in zip(weight.tolist(), rows, strict=True)) / 6
    method.distiller.begin_round(0)
    assert method.distiller.step(Batch(x, weight=weight)).losses["kd"].item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.usefixtures("double")
def test_the_task_term_counts_by_phi() -> None:
    """φ = (1 - the share of the predicted class in the buffer) · (1 - confidence)²."""
    method = small.build("ssd-kd", small.context(*small.agreeing_pair()), gamma=2)
    for index in range(2):
        method.synthesise(index)
    share = method.source.class_share().tolist()
    assert len(set(share)) > 1
    x, y = torch.randn(5, 1, 8, 8), torch.tensor([3, 1, 4, 1, 5])
    logits = small.agreeing_pair()[0](x).detach()
    total = 0.0
    for row, loss in zip(logits.tolist(), slow.cross_entropies(logits, y.tolist()), strict=True):
        p = slow.softmax(row)
        total += (1 - share[p.index(max(p))]) * (1 - max(p)) ** 2 * loss.item()
    found = method.inverter.objective(x, y).parts["task"].item()
    assert found == pytest.approx(total / 5, rel=1e-6)


@pytest.mark.usefixtures("double")
def test_what_was_drawn_is_put_back_with_its_importance_and_its_divergence() -> None:
    method = small.build("ssd-kd")
    method.synthesise(0)
    method.begin_round(0, 1)
    student, drawn, draw = copy.deepcopy(method.context.student).train(), list[Batch](), method.source.draw

    def kept() -> Batch:
        drawn.append(draw())
        return drawn[-1]

    method.source.draw = kept
    method.distill_step()
    (batch,) = drawn
    assert batch.slot is not None and batch.importance is not None
    rows = slow.kl_rows(method.context.teacher.logits(batch.x), student(batch.x))
    expected: dict[int, float] = {}
    for slot, weight, row in zip(batch.slot.tolist(), batch.importance.tolist(), rows, strict=True):
        expected[slot] = max(expected.get(slot, 0.0), weight * row.item())
    for slot, priority in expected.items():
        assert method.source.priority[slot].item() == pytest.approx(priority, rel=1e-5)
