"""Costs from a small round against what a real one counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import methods
from harness import data, networks
from harness.commands.contract import tiny_cell
from harness.engine.flops import FlopClock, count_flops
from harness.grid.cell import Cell
from harness.run.assemble import build_method, method_config
from harness.run.cost import estimate, resident
from harness.run.fitting import crowd_problem, memory_problem, shared_problem
from harness.run.rounds import CostClock
from harness.store.records import Flops
from methods.base.method import Method, MethodConfig


def tiny(name: str, **more: int) -> Cell:
    cell = tiny_cell(name)
    return replace(cell, options={**cell.options, **more})


def on_the_cpu(cell: Cell, config: MethodConfig, memory: int = 0) -> Method:
    """The cell's method with real tensors."""
    dataset = data.load(cell.dataset)
    teacher = networks.for_task(cell.teacher_network, dataset.task).eval()
    return build_method(cell, config, dataset, teacher, torch.device("cpu"), memory)


@pytest.mark.parametrize("name", methods.names())
def test_operations_are_those_of_rounds_with_real_tensors_at_every_scale(name: str) -> None:
    """Of 1,297 digits SSD-KD inverts 64 images a call; where 1 % are 13 slots, 32."""
    fields = methods.load(name).Config.model_fields
    more = {"inversion_batch": 64} if "inversion_batch" in fields else {}
    for scale in (100.0, 1.0, 10.0):
        cell = replace(tiny(name, **more), scale=scale)
        config = method_config(cell)
        whole = on_the_cpu(cell, config, 2**30)

        def build(steps: int, cell: Cell = cell, config: MethodConfig = config) -> Method:
            return on_the_cpu(cell, config.model_copy(update={"steps": steps * 100 / cell.scale}))

        rounds, steps = whole.schedule.synthesis_rounds, whole.schedule.steps
        assert estimate(cell).flops == count_flops(build, rounds, steps, asking=whole.asking)


@pytest.mark.parametrize("name", methods.names())
def test_what_a_run_holds_is_told_without_building_it(name: str) -> None:
    cell = tiny(name)
    assert estimate(cell).resident == pytest.approx(resident(on_the_cpu(cell, method_config(cell))), rel=1e-3)


@pytest.mark.parametrize("name", ["fast", "kd-noise", "ssd-kd"])
def test_answers_that_are_kept_are_counted_where_they_are_paid(name: str) -> None:
    """Against all rounds of a real run under the counter, which needs no rule of three."""
    cell = tiny(name, batch=128)
    config = method_config(cell)
    whole, clock = on_the_cpu(cell, config, 2**30), FlopClock()
    assert whole.asking is not None
    assert whole.asking.once
    assert estimate(cell).resident == pytest.approx(resident(whole), rel=1e-3)
    for index in range(whole.schedule.rounds):
        whole.round(index, clock)

    def asks(steps: int) -> Method:
        return on_the_cpu(cell, config.model_copy(update={"steps": steps * 20}))

    counted = count_flops(asks, whole.schedule.synthesis_rounds, whole.schedule.steps, asking=whole.asking)
    for found in (counted, estimate(cell).flops):
        assert found.distillation == pytest.approx(clock.total["distillation"], rel=0.02)
        assert found.synthesis == pytest.approx(
            clock.total["synthesis"], rel=0.25 if name == "ssd-kd" else 0.05
        )  # its warm-up asks no student


def test_a_loop_of_its_own_is_counted_whole() -> None:
    """Against all rounds of a real run; the first, which tells, is the only one without replay."""
    cell = tiny("pre-dfkd", student_steps=6)
    config = method_config(cell)
    whole, clock = on_the_cpu(cell, config), FlopClock()
    for index in range(whole.schedule.rounds):
        whole.round(index, clock)
    counted = count_flops(
        lambda steps: on_the_cpu(cell, config.model_copy(update={"steps": steps * 20})),
        whole.schedule.synthesis_rounds,
        whole.schedule.steps,
    )
    for found in (counted, estimate(cell).flops):
        assert found.distillation == pytest.approx(clock.total["distillation"], rel=1e-6)
        assert found.synthesis == pytest.approx(clock.total["synthesis"], rel=0.2)


def test_operations_grow_with_batch_steps_and_inner_steps() -> None:
    plain = estimate(tiny("cmi")).flops
    assert estimate(tiny("cmi", batch=16)).flops.distillation == 2 * plain.distillation
    assert estimate(tiny("cmi", inner_steps=6)).flops == Flops(
        synthesis=2 * plain.synthesis, distillation=plain.distillation
    )
    assert estimate(tiny("cmi", steps=480)).flops.distillation == 2 * plain.distillation


def test_what_autograd_keeps_is_counted_once_and_weights_are_not() -> None:
    layer, x = nn.Linear(100, 100, bias=False), torch.randn(50, 100)
    clock = CostClock()
    with clock.distillation():
        hidden = layer(x).relu()
        (layer(hidden) + layer(hidden)).sum().backward()
    assert clock.saved["distillation"] == 2 * 50 * 100 * 4  # the input, and the hidden activations


def test_memory_holds_the_images_of_the_data_scale() -> None:
    small, large = (estimate(replace(tiny("fast"), scale=scale)).resident for scale in (1.0, 100.0))
    assert large - small == (1297 - 13) * 10 * 10  # uint8, padded
    once, twice = (estimate(tiny("fast", batch=batch)).activations for batch in (512, 1024))
    assert twice == pytest.approx(2 * once, rel=1e-3)  # what batch norm keeps of its channels is no image's


PROCESS = 700 * 1024**2 + 95 * 1000 * 8 * 8 * 4
"""Bytes beside a method's tensors in main memory: a process, and 95 times 1,000 test images of 8 x 8 fp32 numbers."""


@pytest.mark.parametrize(("device", "beside"), [("auto", 0), ("cpu", PROCESS)])
def test_a_cell_that_does_not_fit_says_what_would(device: str, beside: int) -> None:
    cell = replace(tiny("fast", batch=512), device=device)
    cost = estimate(cell)
    assert memory_problem(cell, cost.memory + beside) is None
    problem = memory_problem(cell, cost.resident + cost.activations // 4 + beside)
    assert "fast on wrn10_1 → cnn3_16 at 5 % needs about" in problem
    assert "this would fit: batch: 128 instead of 512, inversion_batch: 4 instead of 16" in problem
    assert "no batch would fit" in memory_problem(cell, cost.resident + beside)


@pytest.mark.parametrize(("share", "seeds"), [(2, 1), (2, 2), (3, 2), (8, 1)])
def test_cells_that_share_a_card_are_judged_by_their_sum(share: int, seeds: int) -> None:
    large, small = replace(tiny("fast", batch=512), label="large"), replace(tiny("fast"), label="small")
    cells = [replace(cell, seed=seed) for cell in (small, large) for seed in range(seeds)]
    sizes = [size for size in (estimate(large).memory, estimate(small).memory) for _ in range(seeds)][:share]
    assert shared_problem(cells, share, sum(sizes)) is None
    problem = shared_problem(cells, share, sum(sizes) - 1)
    assert f"share: {share}: the cells that need most" in problem
    assert large.row in problem
    assert problem.endswith(f"for {len(sizes) - 1} of them")


def test_cells_that_run_at_once_are_judged_with_their_processes() -> None:
    cells = [replace(tiny("fast", batch=512), seed=seed, threads=2) for seed in range(9)]
    each = estimate(cells[0]).memory + PROCESS
    assert crowd_problem(cells, 4, 4 * each) is None
    problem = crowd_problem(cells, 4, 4 * each - 1)
    assert problem.startswith("4 cells at once: the cells that need most take about")
    assert f"{4 * each / 1024**3:.1f} GiB together, up to {each / 1024**3:.1f} GiB each" in problem
    assert problem.endswith("for 3 of them: type snakemake --cores 6")
    assert crowd_problem(cells, 64, 9 * each) is None  # there are no more cells than nine
    assert crowd_problem(cells, 4, each - 1).endswith("for none of them: type snakemake --cores 2")


def test_a_method_that_fails_is_not_estimated_and_not_refused(tmp_path: Path) -> None:
    file = tmp_path / "failing.py"
    file.write_text(FAILING, encoding="utf-8")
    cell = replace(tiny_cell("fast", {}), method=str(file))
    assert estimate(cell) is None
    assert memory_problem(cell, 1) is None


FAILING = """
from methods.references import KDNoise

class Failing(KDNoise):
    name = "failing"
    def distill_step(self):
        raise ValueError("as written")
"""


@pytest.mark.parametrize(("device", "apart"), [("cuda", True), ("cpu", False)])
def test_images_that_do_not_fit_on_a_card_are_main_memory(
    device: str, apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a card of which a quarter is one byte less than the 1,297 digits with their border of 1 pixel."""
    cell = replace(tiny("kd-noise"), device=device, scale=100.0)
    monkeypatch.setattr("harness.run.cost.device_memory", lambda device: 4 * 1297 * 10 * 10)
    fits = estimate(cell)
    monkeypatch.setattr("harness.run.cost.device_memory", lambda device: 4 * 1297 * 10 * 10 - 4)
    found = estimate(cell)
    assert [cost.images.on_device for cost in (fits, found)] == [True, False]
    assert fits.resident - found.resident == apart * 1297 * 10 * 10


def test_where_no_card_is_auto_means_main_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the 1 GiB that the machine has, or of the 80 that we assume of a card."""
    monkeypatch.setattr("harness.machine.gpus.visible", list)
    monkeypatch.setattr("harness.run.cost.device_memory", lambda device: 2**30 if device == "cpu" else None)
    for device, allowed in (("auto", "256"), ("cpu", "256"), ("cuda", "20,480")):
        cell = replace(tiny("kd-noise"), device=device, scale=100.0)
        lie = f"on the device: 1,297 images take 0 MiB of {allowed} MiB that they may there"
        assert estimate(cell).images.lie == lie
