"""Plans: a step reads its row, wherever in the run it is, from memory that stays where it is."""

from __future__ import annotations

import pytest
import torch

from methods.base.teacher import TeacherOutput
from methods.parts.plan import Plan, written_over
from methods.parts.sources import Batch

CPU = torch.device("cpu")


def test_rows_come_one_after_another_round_by_round() -> None:
    plan = Plan(5, CPU)
    for steps in (3, 5, 1):
        numbers = torch.arange(steps * 2).view(steps, 2) + 10 * steps
        plan.begin(numbers, numbers[:, 0] * -0.5)
        for step in range(steps):
            row, number = plan.draw()
            assert row.tolist() == [10 * steps + 2 * step, 10 * steps + 2 * step + 1]
            assert number.tolist() == -5.0 * steps - step


def test_a_round_need_not_be_drawn_to_its_end() -> None:
    plan = Plan(3, CPU)
    plan.begin(torch.arange(3))
    plan.draw()
    plan.begin(torch.arange(3) + 7)
    assert [int(plan.draw()[0]) for _ in range(3)] == [7, 8, 9]


def test_a_round_longer_than_the_longest_is_refused() -> None:
    plan = Plan(3, CPU)
    with pytest.raises(ValueError, match="a round of 4 steps; the longest of the schedule has 3"):
        plan.begin(torch.zeros(4, 2))


def test_what_is_written_over_stays_where_it_was() -> None:
    def batch(number: float) -> Batch:
        stages = (torch.full((2, 1, 2, 2), number), torch.full((2, 3, 1, 1), number + 1))
        answer = TeacherOutput(torch.full((2, 4), number + 2), stages=stages)
        return Batch(torch.full((2, 1, 4, 4), number + 3), answer, extras={"label": torch.full((2,), number + 4)})

    def tensors(kept: Batch) -> list[torch.Tensor]:
        assert kept.answer is not None and kept.answer.stages is not None
        return [*kept.answer.stages, kept.answer.logits, kept.x, kept.extras["label"]]

    first = batch(0.0)
    kept = written_over(None, first)
    places = [tensor.data_ptr() for tensor in tensors(kept)]
    assert not set(places) & {tensor.data_ptr() for tensor in tensors(first)}
    for number in (10.0, 20.0):
        kept = written_over(kept, batch(number))
        assert [tensor.data_ptr() for tensor in tensors(kept)] == places
        assert [tensor.unique().item() for tensor in tensors(kept)] == [number + i for i in range(5)]
        assert kept.answer.features is None and kept.weight is None and kept.fresh is False
