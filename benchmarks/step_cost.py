"""Cost of one inversion step and one distillation step of every method on a CPU, beside what no method can do without.

    python benchmarks/step_cost.py [--pair wrn|resnet] [--before CHECKOUT] [--repeats 5] [--batch 32] [--threads 1]

A pair of CIFAR-10 with untrained weights. Two floors are plain PyTorch in its usual format:

- *plain step*: teacher forward, student forward and backward, SGD;
- *inversion floor*: generator forward and backward, teacher forward and backward to the images, student forward.

CPU seconds, which other processes hardly move. The method, the same method of another checkout (``--before``) and the
floors take turns, so that whatever else the machine does hits all alike; each is a process of its own, at work while
the others wait. Medians of ratios are printed, as a Markdown table. Operations are those that PyTorch
dispatches, views included.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

import methods
from harness import data, networks
from harness.commands.contract import tiny_cell
from harness.grid.study import Budget
from harness.run.assemble import build_method, method_config
from methods.base.method import Method
from methods.base.pair import Pair

CPU = torch.device("cpu")
CIFAR10 = data.load("cifar10")
"""Its images are never read."""
INNER_STEPS = 2
PAIRS = {"wrn": ("wrn40_2", "wrn16_1"), "resnet": ("resnet34", "resnet18")}

KEPT = "fast-2-kept"
"""The row whose teacher has answered before, as the published batches of 256 make it: a step looks the answers up.

To their price belongs the teacher's pass over the views of every image, 0.4 of a pass for each image drawn."""
KEPT_OPTIONS = {"inversion_batch": 2, "steps": 10**7}
"""Few images, whose 162 views each are asked for before every measured step, and more draws than views."""
METHODS: dict[str, dict[str, Any]] = {
    "ssd-kd": {"method": "ssd-kd", "preset": "fast-2"},
    "fast-2": {"method": "fast", "preset": "fast-2"},
    KEPT: {"method": "fast", "preset": "fast-2"},
    "cmi": {"method": "cmi", "preset": "cmi", "inner_steps": INNER_STEPS},
    "deepinversion": {"method": "deepinversion", "preset": "adi", "inner_steps": INNER_STEPS},
    "dafl-original": {"method": "dafl", "preset": "original"},
    "dafl-cmi": {"method": "dafl", "preset": "cmi"},
    "dfad-original": {"method": "dfad", "preset": "original"},
    "dfad-cmi": {"method": "dfad", "preset": "cmi"},
    "dfad-ema": {"method": "dfad", "preset": "ema"},
    "zskt-original": {"method": "zskt", "preset": "original"},
    "zskt-cmi": {"method": "zskt", "preset": "cmi"},
    "dfq": {"method": "dfq", "preset": "cmi"},
    "nayer": {"method": "nayer", "preset": "nayer-100", "inner_steps": INNER_STEPS},
    "cpnet": {"method": "cpnet", "preset": "cpnet-100", "inner_steps": INNER_STEPS},
    "spaceshipnet": {"method": "spaceshipnet", "preset": "spaceshipnet", "inner_steps": INNER_STEPS},
    "pre-dfkd": {"method": "pre-dfkd", "preset": "original"},
}
ROOM = 2**34
"""Bytes, more than are needed."""
FLOORS = "floors"
"""What a worker is told that measures no method."""

Measured = tuple[float, float]
"""Seconds of an inversion step and of a distillation step."""
Turn = Callable[[], Measured]


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
    """CPU seconds of one call."""
    start = time.process_time()
    action()
    return time.process_time() - start


def build(label: str, pair: str, batch: int) -> Method:
    """The method at 10 % of CIFAR, ready to distil: one round of synthesis lies behind it."""
    options = dict(METHODS[label])
    method, preset = options.pop("method"), options.pop("preset")
    for name in {"batch", "inversion_batch"} & set(methods.load(method).Config.model_fields):
        options[name] = batch
    options |= KEPT_OPTIONS if label == KEPT else {}
    teacher, student = PAIRS[pair]
    cell = replace(
        tiny_cell(method, options),
        dataset="cifar10",
        pair=Pair.of(teacher, student),
        teacher_network=teacher,
        student_network=student,
        scale=10.0,
        preset=preset,
        budget=Budget(),
    )
    made = build_method(
        cell, method_config(cell), CIFAR10, networks.build(teacher, 10).eval(), CPU, ROOM if label == KEPT else 0
    )
    made.synthesise(0)
    made.begin_round(made.schedule.warmup, 1)
    return made


def method_turn(label: str, pair: str, batch: int) -> tuple[Turn, tuple[int, int]]:
    """What measures a method once, and the operations of an inversion and a distillation step."""
    method = build(label, pair, batch)
    index = method.schedule.warmup + 1  # the adversarial term acts, and no generator of several lives begins
    inner = getattr(method.config, "inner_steps", 1)

    def synthesise() -> None:
        method.synthesise(index)

    def turn() -> Measured:
        invert = seconds(synthesise) / inner
        method.begin_round(index, 1)
        return invert, seconds(method.distill_step)

    turn()  # what is set up once
    counted = operations(synthesise) // inner
    method.begin_round(index, 1)
    return turn, (counted, operations(method.distill_step))


def generator() -> nn.Module:
    """The generator of CMI and Fast from PyTorch's own layers, for latents [B, 256]."""
    return nn.Sequential(
        *(nn.Linear(256, 128 * 8 * 8), nn.Unflatten(1, (128, 8, 8)), nn.BatchNorm2d(128)),
        *(nn.Upsample(scale_factor=2), nn.Conv2d(128, 128, 3, padding=1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2)),
        *(nn.Upsample(scale_factor=2), nn.Conv2d(128, 64, 3, padding=1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(64, 3, 3, padding=1), nn.Sigmoid()),
    )


def floors_turn(pair: str, batch: int) -> Turn:
    """What measures the inversion floor and the plain step once."""
    teacher, student = (networks.build(name, 10) for name in PAIRS[pair])
    teacher.eval().requires_grad_(False)
    maker = generator()
    optimizer = torch.optim.SGD(student.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    z, x = torch.randn(batch, 256), torch.randn(batch, *CIFAR10.task.shape)

    def invert() -> None:
        student.eval()
        images = maker(z)
        with torch.no_grad():
            student(images)
        torch.autograd.grad(_distance(teacher(images), torch.zeros(batch, 10)), list(maker.parameters()))

    def distil() -> None:
        student.train()
        with torch.no_grad():
            target = teacher(x)
        loss = _distance(target, student(x))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return lambda: (seconds(invert), seconds(distil))


def _distance(teacher: Tensor, student: Tensor) -> Tensor:
    target, found = F.log_softmax(teacher, dim=1), F.log_softmax(student, dim=1)
    return F.kl_div(found, target, reduction="batchmean", log_target=True)


def work(label: str, pair: str, batch: int, threads: int) -> None:
    """A worker: operations first, then one measurement for every line that it reads."""
    torch.set_num_threads(threads)
    turn, counts = (floors_turn(pair, batch), None) if label == FLOORS else method_turn(label, pair, batch)
    print(json.dumps(counts), flush=True)
    for _ in sys.stdin:
        print(json.dumps(turn()), flush=True)


class Worker:
    """A process that measures with the code of one checkout."""

    def __init__(self, checkout: Path, label: str, chosen: argparse.Namespace) -> None:
        command = [sys.executable, __file__, "--worker", label, "--pair", chosen.pair]
        command += ["--batch", str(chosen.batch), "--threads", str(chosen.threads)]
        self._process = subprocess.Popen(
            command,
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self.operations = self._answer()

    def measure(self) -> Measured:
        """Once."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        invert, distil = self._answer()
        return invert, distil

    def stop(self) -> None:
        """Let the process end."""
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def compare(label: str, chosen: argparse.Namespace) -> list[str]:
    """The table's cells for one method: operations and ratio to the floor, of both kinds of step, per checkout."""
    checkouts = [*([chosen.before.resolve()] if chosen.before else []), Path(__file__).parents[1]]
    floors, *workers = [Worker(checkouts[-1], FLOORS, chosen), *(Worker(path, label, chosen) for path in checkouts)]
    turns = [[worker.measure() for worker in (floors, *workers)] for _ in range(chosen.repeats)]
    for worker in (floors, *workers):
        worker.stop()
    cells = [label]
    for kind in (0, 1):
        cells.append(" → ".join(str(worker.operations[kind]) for worker in workers))
        ratios = ([turn[i][kind] / turn[0][kind] for turn in turns] for i in range(1, len(workers) + 1))
        cells.append(" → ".join(f"{statistics.median(found):.2f}" for found in ratios))
    return [label, "as above", "", *cells[3:]] if label == KEPT else cells


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", choices=PAIRS, default="wrn")
    parser.add_argument("--before", type=Path, help="another checkout to compare with")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--worker", choices=[FLOORS, *METHODS], help=argparse.SUPPRESS)
    parser.add_argument("labels", nargs="*", default=list(METHODS), help="methods; all of them if none is named")
    chosen = parser.parse_args()
    if chosen.worker:
        work(chosen.worker, chosen.pair, chosen.batch, chosen.threads)
        return
    print("| method | inversion step: operations | to the floor | distillation step: operations | to a plain step |")
    print("|---|---:|---:|---:|---:|")
    for label in chosen.labels:
        print(f"| {' | '.join(compare(label, chosen))} |", flush=True)


if __name__ == "__main__":
    main()
