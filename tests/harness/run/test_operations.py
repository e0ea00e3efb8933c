"""Operations found on shapes are those that a round with real tensors counts, to the last one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

import methods
from harness import data, networks
from harness.commands.contract import tiny_cell
from harness.engine.flops import FlopClock, count_flops
from harness.grid.cell import Cell
from harness.run.assemble import build_method, method_config, steps_for
from harness.run.operations import Work
from methods.base.method import Method, MethodConfig
from methods.references import KDNoise


def on_the_cpu(cell: Cell, config: MethodConfig) -> Method:
    dataset = data.load(cell.dataset)
    teacher = networks.for_task(cell.teacher_network, dataset.task).eval()
    return build_method(cell, config, dataset, teacher, torch.device("cpu"), 1)


def work(cell: Cell) -> Work:
    return Work(cell, method_config(cell), 7, 30, None)


def never(_: MethodConfig) -> Method:
    raise AssertionError("shapes must tell")


def real(cell: Cell) -> Any:
    config = method_config(cell)

    def build(steps: int) -> Method:
        return on_the_cpu(cell, config.model_copy(update={"steps": steps * 20}))  # tiny cells are of 5 %

    return count_flops(build, 7, 30, FlopClock())


@pytest.mark.parametrize("name", methods.names())
def test_every_method_is_counted_on_shapes(name: str) -> None:
    cell = tiny_cell(name)
    inner = {"inner_steps": 5} if "inner_steps" in methods.load(name).Config.model_fields else {}
    cell = replace(cell, options={**cell.options, **inner})
    assert work(cell).operations(never) == real(cell)


class Deciding(KDNoise):
    """A step that depends on content: two more passes where shapes alone would have one."""

    def distill_step(self) -> Any:
        x = torch.zeros(8, *self.context.task.shape, device=self.context.device)
        for _ in range(2 - int(x.sum().item())):
            self.context.student(x)
        return super().distill_step()


def test_what_decides_by_a_number_is_counted_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = tiny_cell("kd-noise")
    plain = real(cell)
    monkeypatch.setattr("harness.run.assemble.method_class", lambda _: Deciding)
    monkeypatch.setattr("harness.run.shaped.class_of", lambda _: Deciding)
    found = work(replace(cell, label="deciding")).operations(lambda config: on_the_cpu(cell, config))
    assert found == real(cell)
    assert found.distillation > plain.distillation


def test_a_method_is_built_with_a_whole_number_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    cell, built = tiny_cell("kd-noise"), []

    def build(config: MethodConfig) -> Method:
        built.append(config.steps)
        return on_the_cpu(cell, config)

    monkeypatch.setattr("harness.run.shaped.class_of", lambda _: Deciding)
    work(replace(cell, label="whole")).operations(build)
    assert 600 in built  # 30 steps at 5 %
    assert all(type(steps) is int for steps in built)


@pytest.mark.parametrize("scale", [0.5, 1, 5, 10, 20, 50, 70, 100])
@pytest.mark.parametrize("given", [1, 2, 7, 999, 240_000])
def test_as_many_steps_are_left_as_were_wanted_or_a_few_more(given: int, scale: float) -> None:
    left = round(scale / 100 * steps_for(given, scale))
    assert given <= left <= given + 1
