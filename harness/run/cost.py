"""What a cell will cost, judged by the shapes of one round: operations, and memory on its device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from harness.engine import shapes
from harness.engine.evaluate import batch_size
from harness.engine.flops import asked
from harness.grid.cell import Cell
from harness.machine import gpus
from harness.machine.devices import device_memory
from harness.run import rounds, shaped
from harness.run.costs import Cost, Images
from harness.store.records import Flops
from methods.base.method import Method
from methods.base.placing import Placing
from methods.base.task import Task

ASSUMED_MEMORY = 80 * 2**30
"""Bytes of a device that is not here: a recent data-centre GPU, our choice."""
HEADROOM = 1.25
"""Peak over what autograd keeps: gradients of activations, workspace of convolutions. Our choice."""
PROCESS = 700 * 2**20
"""Bytes of main memory that a run takes before its first round, PyTorch included. Measured, docs/scale.md."""
EVALUATION = 95
"""Bytes of main memory that evaluations take at most, and what is kept of them, by those of a batch of test images in
fp32. Measured, docs/scale.md."""


def estimate(cell: Cell) -> Cost | None:
    """The cost of one cell; None if its method fails in the round that would tell, or needs more than shapes.

    Raises ConfigError like `method_config`.
    """
    config = shaped.config_of(replace(cell, scale=100.0, seed=0))
    device = gpus.device(cell.device)
    try:
        with shapes.alone():
            whole = shaped.build(cell, config, device_memory(device) or ASSUMED_MEMORY)
        round_ = rounds.of(cell, whole)
    except Exception:  # noqa: BLE001 - whatever a method's file raises: the run will tell it, with its traceback
        return None
    flops = Flops(
        synthesis=round_.flops.synthesis * whole.schedule.synthesis_rounds,
        distillation=round_.flops.distillation * whole.schedule.steps,
    )
    if whole.asking:
        flops = asked(flops, whole.asking, round_.answer)
    images = _images(whole.placing)
    beside = 0 if images is None or images.on_device or device == "cpu" else images.bytes
    activations = round(HEADROOM * max(round_.activations.values()))
    return Cost(flops, resident(whole) - beside, activations, images, _process(shaped.task_of(cell.data)))


def _process(task: Task) -> int:
    return PROCESS + EVALUATION * batch_size(task) * math.prod(task.shape) * 4


def _images(placing: Placing | None) -> Images | None:
    return None if placing is None else Images(placing.bytes, placing.on_device, str(placing))


def forget() -> None:
    """Count everything again when it is asked for next."""
    rounds.forget()
    shaped.forget()


def resident(method: Method) -> int:
    """Bytes of the method's state, of the teacher, and of the student's gradients and momentum."""
    context = method.context
    student = sum(parameter.nbytes for parameter in context.student.parameters())
    return _bytes(method.state_dict()) + context.teacher.nbytes + 2 * student


def _bytes(state: Any) -> int:
    if isinstance(state, Tensor):
        return state.nbytes
    if isinstance(state, Mapping):
        return sum(_bytes(value) for value in state.values())
    return sum(_bytes(value) for value in state) if isinstance(state, list | tuple) else 0
