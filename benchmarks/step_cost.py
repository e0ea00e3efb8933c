"""Cost of one inversion step and one distillation step of every method on a CPU, beside a plain distillation step.

    python benchmarks/step_cost.py [--repeats 5] [--batch 32]

WRN-40-2 → WRN-16-1 on 3 × 32 × 32 images with untrained weights, one thread. Methods and the plain step (teacher
forward, student forward and backward, SGD) take turns, so that whatever else the machine does hits all alike; medians
are printed, as a Markdown table. Operations are the tensor operations that PyTorch dispatches, views included.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

import methods
from harness import data, networks
from harness.commands.contract import tiny_cell
from harness.grid.study import Budget
from harness.run.assemble import build_method, method_config
from methods.base.method import Method
from methods.base.pair import Pair
from methods.base.teacher import FrozenTeacher
from methods.parts.losses import kl_divergence

CPU = torch.device("cpu")
CIFAR10 = data.load("cifar10")
"""Its images are never read."""
INNER_STEPS = 2

METHODS: dict[str, dict[str, Any]] = {
    "ssd-kd": {"method": "ssd-kd", "preset": "fast-2"},
    "fast-2": {"method": "fast", "preset": "fast-2"},
    "cmi": {"method": "cmi", "preset": "cmi", "inner_steps": INNER_STEPS},
    "deepinversion": {"method": "deepinversion", "preset": "adi", "inner_steps": INNER_STEPS},
    "dafl-original": {"method": "dafl", "preset": "original"},
    "dafl-cmi": {"method": "dafl", "preset": "cmi"},
    "dfad-original": {"method": "dfad", "preset": "original"},
    "dfad-cmi": {"method": "dfad", "preset": "cmi"},
    "zskt-original": {"method": "zskt", "preset": "original"},
    "zskt-cmi": {"method": "zskt", "preset": "cmi"},
    "dfq": {"method": "dfq", "preset": "cmi"},
}


class Operations(TorchDispatchMode):
    """Counts what PyTorch dispatches."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


def operations(action: Callable[[], object]) -> int:
    """Tensor operations of one call."""
    with Operations() as mode:
        action()
    return mode.count


def seconds(action: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def build(label: str, batch: int) -> Method:
    """The method at 10 % of CIFAR, ready to distil: one round of synthesis lies behind it."""
    options = dict(METHODS[label])
    method, preset = options.pop("method"), options.pop("preset")
    for name in {"batch", "inversion_batch"} & set(methods.load(method).Config.model_fields):
        options[name] = batch
    cell = replace(
        tiny_cell(method, options),
        dataset="cifar10",
        pair=Pair.of("wrn40_2", "wrn16_1"),
        teacher_network="wrn40_2",
        student_network="wrn16_1",
        scale=10.0,
        preset=preset,
        budget=Budget(),
    )
    made = build_method(cell, method_config(cell), CIFAR10, networks.build("wrn40_2", 10).eval(), CPU)
    made.synthesise(0)
    made.begin_round(made.schedule.warmup, 1000)
    return made


def plain_step(batch: int) -> Callable[[], None]:
    """Teacher forward, student forward and backward, SGD: what no distillation can do without."""
    teacher, student = FrozenTeacher(networks.build("wrn40_2", 10)), networks.build("wrn16_1", 10).train()
    optimizer = torch.optim.SGD(student.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    x = torch.randn(batch, *CIFAR10.task.shape)

    def step() -> None:
        loss = kl_divergence(teacher.logits(x), student(x), 20.0).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def measure(label: str, batch: int, repeats: int) -> tuple[float, int, float, int, float]:
    """ms and operations of an inversion step, ms and operations of a distillation step, ratio to a plain one."""
    method, plain = build(label, batch), plain_step(batch)
    index = method.schedule.warmup  # the first round in which the adversarial term acts
    synthesise = partial(method.synthesise, index)
    inner = getattr(method.config, "inner_steps", 1)
    invert, distil, reference = [], [], []
    for _ in range(repeats):
        invert.append(seconds(synthesise) / inner)
        method.begin_round(index, 1000)
        distil.append(seconds(method.distill_step))
        reference.append(seconds(plain))
    ratio = statistics.median(distil) / statistics.median(reference)
    counts = operations(synthesise) // inner, operations(method.distill_step)
    return 1000 * statistics.median(invert), counts[0], 1000 * statistics.median(distil), counts[1], ratio


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("labels", nargs="*", default=list(METHODS), help="methods; all of them if none is named")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print("| method | inversion step, ms | operations | distillation step, ms | operations | to a plain step |")
    print("|---|---:|---:|---:|---:|---:|")
    for label in chosen.labels:
        invert, first, distil, second, ratio = measure(label, chosen.batch, chosen.repeats)
        print(f"| {label} | {invert:.0f} | {first} | {distil:.0f} | {second} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
