"""Steps that are recorded and played again: what is refused, and that nothing is lost between Python and the graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from harness.commands.contract import tiny_cell
from harness.engine import graphs
from harness.engine.failures import MethodFailed
from harness.engine.graphs import HeldStep
from harness.engine.sequence import difference, recorded
from harness.errors import UserError
from harness.grid import keys
from harness.run import manifest
from methods.references import KDNoise
from tests import small
from tests.tape import Tape


class Odd(KDNoise):
    """A method whose step does something more, named by the test."""

    more: Callable[[Any, int], object]
    taken = 0
    state_of_its_own = 0

    def distill_step(self) -> Any:
        losses = super().distill_step()
        type(self).more(self, self.taken)
        self.taken += 1
        return losses

    def state_dict(self) -> Any:
        return {**super().state_dict(), "own": self.state_of_its_own}


def odd(more: Callable[[Any, int], object]) -> Odd:
    given = small.context(small.network("wrn10_1", 1), small.network("cnn3_16", 2))
    method = type("Odder", (Odd,), {"more": staticmethod(more)})(KDNoise.Config(**small.FEW), given)
    assert isinstance(method, Odd)
    method.place = torch.arange(30.0)
    return method


def play(method: Any) -> None:
    for index in range(method.schedule.rounds):
        method.round(index, small.Stopwatch())


def add_a_count(method: Any, taken: int) -> None:
    method.state_of_its_own += 1


def replace_a_tensor(method: Any, taken: int) -> None:
    """Two in turn: the memory of one that is gone could be another's."""
    method.others = [*getattr(method, "others", []), torch.ones(3)]
    method.others[-2:][0].add_(1)


def take_a_float_rate(method: Any, taken: int) -> None:
    weight = torch.ones(3, requires_grad=True)
    weight.grad = torch.ones(3)
    torch.optim.SGD([weight], lr=0.1).step()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (
            lambda method, taken: method.place * (1 + 0.5 * taken),
            r"operation \d+, aten.mul.Tensor, has 1.5 in one step",
        ),
        (lambda method, taken: method.place[:taken].sum(), r"aten.slice.Tensor, has 1 in one step and \d+ in another"),
        (lambda method, taken: method.place.roll(taken), "aten.roll.default, has 1 in one step"),
        (lambda method, taken: [method.place.exp() for _ in range(taken)], "one step has .* operations and another"),
        (lambda method, taken: method.place.exp() if taken > 1 else method.place.log(), "aten.log.* and aten.exp"),
        (lambda method, taken: method.place.sum().item(), "it reads the device inside a step"),
        (lambda method, taken: method.place.nonzero(), "it reads the device inside a step"),
        (lambda method, taken: torch.rand(3, generator=torch.Generator()), "draws random numbers inside a step"),
        (take_a_float_rate, "the learning rate of its SGD is a number of Python's"),
        (replace_a_tensor, r"operation \d+, aten.add_.Tensor, has"),
        (add_a_count, "it moves numbers of Python's in its state"),
    ],
)
def test_steps_that_differ_are_refused(more: Callable[[Any, int], object], why: str) -> None:
    method = odd(more)
    HeldStep(method, Tape)
    with pytest.raises(MethodFailed, match=rf"graphs: true needs steps that are all the same: .*{why}.*graphs: false"):
        play(method)


def test_the_stand_in_knows_nothing_of_python() -> None:
    """Like a graph it goes on with the numbers that it was recorded with."""
    total, number = torch.zeros(()), 3.0

    def step() -> dict[str, Tensor]:
        return {"loss": total.add_(number).clone()}

    tape = Tape()
    losses = tape.capture(step)
    assert total == 0
    number = 100.0
    tape.replay()
    tape.replay()
    assert (total.item(), losses["loss"].item()) == (6.0, 6.0)


def test_losses_of_earlier_steps_stay_what_they_were() -> None:
    mine, theirs = odd(lambda method, taken: None), odd(lambda method, taken: None)
    HeldStep(theirs, Tape)
    for method in (mine, theirs):
        method.synthesise(0)
    kept: dict[int, list[Any]] = {}
    for number, method in enumerate((mine, theirs)):
        kept[number] = []
        for index in range(3):
            method.begin_round(index, 3)
            kept[number] += [method.distill_step() for _ in range(3)]
    assert kept[0] == kept[1]
    assert len({loss["kd"].item() for loss in kept[1]}) == 9


def test_the_step_is_left_to_python_until_two_rounds_agree() -> None:
    method = odd(lambda method, taken: None)
    HeldStep(method, Tape)
    method.synthesise(0)
    for index, steps, by_python in ((0, 3, 3), (1, 3, 5), (2, 3, 5)):  # the second one more, while it is recorded
        method.begin_round(index, steps)
        for _ in range(steps):
            method.distill_step()
        assert method.taken == by_python


def test_what_is_made_within_a_step_may_lie_anywhere() -> None:
    x = torch.arange(6.0)
    keep = []

    def step() -> Tensor:
        keep.append(x * 2)
        return keep[-1].exp().sum()

    (_, one), (_, other) = recorded(step), recorded(step)
    assert difference(one, other) is None
    assert [operation[0] for operation in one] == ["aten.mul.Tensor", "aten.exp.default", "aten.sum.default"]


@pytest.mark.parametrize("asked", [True, False])
def test_it_is_recorded_and_changes_no_key(asked: bool) -> None:
    cell = replace(tiny_cell("kd-noise"), graphs=asked)
    assert keys.plan_key(cell) == keys.plan_key(tiny_cell("kd-noise"))
    run: Any = SimpleNamespace(cell=cell, device=torch.device("cuda"), device_name="a card", concurrent=1)
    assert manifest._attempt(run).graphs is asked


def test_a_processor_has_no_graphs() -> None:
    with pytest.raises(UserError, match="graphs: true is for GPUs"):
        graphs.require(torch.device("cpu"))
    graphs.require(torch.device("cuda"))


def test_images_in_main_memory_are_refused_before_the_first_step() -> None:
    networks = small.network("wrn10_1", 1), small.network("cnn3_16", 2)
    method = KDNoise(KDNoise.Config(**small.FEW), small.context(*networks, memory=1))
    with pytest.raises(MethodFailed, match=r"images lie in main memory, .* `graphs: false` does"):
        HeldStep(method, Tape)
