"""The contract test of one method: `dkd check FILE`. Runs on a CPU in seconds, with an untrained teacher."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import methods
from harness import data, networks
from harness.engine.evaluate import Evaluator
from harness.engine.failures import Diverged, MethodFailed, inside_method
from harness.engine.loop import Engine, NoResume
from harness.engine.randomness import Streams
from harness.errors import UserError, one_line, suggest
from harness.grid import settings
from harness.grid.cell import Cell
from harness.grid.study import Budget
from harness.run import sheet
from harness.run.assemble import build_method, method_class, method_config
from harness.store.layout import RunFolder
from harness.store.records import Event
from harness.terminal import say
from methods.base.method import Method
from methods.base.pair import Pair
from methods.base.presets import SMOKE
from methods.parts.composed import ComposedMethod

CPU = torch.device("cpu")
MEMORY = 2**30
"""Bytes that a method is told of here, wherever it is checked: enough for all of a tiny cell."""


class Interrupted(Exception):
    """Stands for a kill in the middle of a run."""


def check(name: str) -> None:
    """Check a method by name or file. Raises UserError with everything that is wrong."""
    if problems := contract_problems(name):
        raise UserError(f"{name} breaks the contract of methods/base/method.py:\n  " + "\n  ".join(problems))
    say(f"{name}: keeps the contract: steps, images, randomness, exact resume, no output")


def contract_problems(name: str, options: Mapping[str, Any] | None = None) -> list[str]:
    """What a run of the method on a tiny cell shows to be wrong; empty if it keeps the contract.

    Args:
        name: of the method, or its file.
        options: its options; those of its ``smoke`` preset unless given.

    Raises UserError or UnknownMethod if it cannot be run at all.
    """
    cell = tiny_cell(name, options)
    with tempfile.TemporaryDirectory() as folder:
        try:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                whole = run(cell, Path(folder) / "whole")
            problems = [*_schedule_problems(whole), *_image_problems(whole.method), *_printed(printed.getvalue())]
            return problems + differences(whole, interrupt_and_resume(cell, Path(folder) / "resumed"))
        except (MethodFailed, Diverged) as error:
            return [str(error)]
        except NoResume as error:
            return [f"it does not go on after a kill: {error.__cause__}"]


def tiny_cell(name: str, options: Mapping[str, Any] | None = None) -> Cell:
    """A cell of the method on 65 digits, with its ``smoke`` preset if it has one and no options are given."""
    outside = name.endswith(".py")
    try:
        source = methods.source(name)
    except methods.UnknownMethod as error:
        raise UserError(f"{error}{'' if outside else suggest(name, methods.names())}") from None
    cell = Cell(
        study="check",
        dataset="digits",
        pair=Pair.of("wrn10_1", "cnn3_16"),
        teacher_network="wrn10_1",
        student_network="cnn3_16",
        label=Path(name).stem,
        scale=5.0,
        seed=0,
        method=source.name if outside else name,
        preset=None,
        budget=Budget(steps=240, epochs=4, batch=8),
        options={},
        verify=True,
        threads=1,
        device="cpu",
        checkpoint_seconds=0.0,
        outside={"method": source} if outside else {},
    )
    smoke = SMOKE in method_class(cell).presets
    return settings.apply(options if options is not None else {"preset": SMOKE} if smoke else {}, cell)


def prepare(cell: Cell, folder: Path, stop_before: int | None = None) -> Engine:
    """An engine for the cell with an untrained teacher; it raises Interrupted when round ``stop_before`` is next."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset = data.load(cell.dataset, cell.verify)
    teacher = (
        Streams(7, CPU).build("teacher-init", lambda: networks.for_task(cell.teacher_network, dataset.task)).eval()
    )
    with inside_method():
        method = build_method(cell, method_config(cell), dataset, teacher, CPU, MEMORY)
    _watch_range(method)

    def on_round(engine: Engine) -> None:
        if engine.ledger.next_round == stop_before:
            raise Interrupted

    evaluator = Evaluator(dataset, teacher, CPU)
    return Engine(method, evaluator, RunFolder(folder), CPU, cell.checkpoint_seconds, on_round)


def _watch_range(method: Method) -> None:
    """Let a pool refuse images that are not in [0, 1]: elsewhere it clamps them, and waits for no card to tell."""
    if not isinstance(method, ComposedMethod) or method.source.filled is None:
        return
    admit = method.source.admit

    def watched(images: torch.Tensor, call: int, extras: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        low, high = images.aminmax()
        if not 0 <= low <= high <= 1:
            raise MethodFailed(f"its images go from {low:.3f} to {high:.3f}, expected [0, 1]; Normaliser.inverse helps")
        return admit(images, call, extras)

    method.source.admit = watched  # type: ignore[method-assign, assignment]


def run(cell: Cell, folder: Path) -> Engine:
    """Run the cell from its beginning, or from its checkpoint, to its end."""
    engine = prepare(cell, folder)
    engine.resume()
    engine.run()
    return engine


def interrupt_and_resume(cell: Cell, folder: Path) -> Engine:
    """Interrupt the cell in the middle, after the last checkpoint, and finish it with fresh objects."""
    middle = prepare(cell, folder).method.schedule.rounds // 2
    with contextlib.suppress(Interrupted):
        prepare(cell, folder, stop_before=max(1, middle)).run()
    return run(cell, folder)


def differences(whole: Engine, resumed: Engine) -> list[str]:
    """Where the resumed run does not equal the whole one, bit for bit; times aside."""
    mine, theirs = (engine.method.context.student.state_dict() for engine in (whole, resumed))
    problems = []
    if other := [name for name in mine if not torch.equal(mine[name], theirs[name])]:
        problems.append(f"after a resume the student differs: {len(other)} of {len(mine)} tensors, {other[0]} first")
    if [_timeless(event) for event in whole.ledger.events] != [_timeless(event) for event in resumed.ledger.events]:
        problems.append("after a resume the recorded losses or accuracies differ")
    with inside_method():
        images = [engine.method.synthetic_images(50) for engine in (whole, resumed)]
    if not torch.equal(*images):
        problems.append("after a resume the synthetic images differ")
    counts = [(e.method.images_synthesised, e.method.context.teacher.images_forwarded) for e in (whole, resumed)]
    if counts[0] != counts[1]:
        problems.append(f"after a resume the counters differ: {counts[0]} and {counts[1]}")
    return [*problems, "whatever changes while a run goes on belongs into Stateful.state"] if problems else []


def _schedule_problems(engine: Engine) -> list[str]:
    method = engine.method
    expected = method.context.steps(method.config)
    problems = []
    if engine.ledger.step != expected:
        problems.append(f"it took {engine.ledger.step} distillation steps, the budget says {expected}")
    if len(engine.ledger.events) != method.schedule.epochs:
        problems.append(f"it was evaluated {len(engine.ledger.events)} times in {method.schedule.epochs} epochs")
    if method.images != (most := type(method).most_images(method.config, method.context.images)):
        problems.append(f"the student could draw from {method.images} images in the end, most_images says {most}")
    return problems


def _image_problems(method: Method) -> list[str]:
    with inside_method():
        found = sheet.problem(method.synthetic_images(50), method.context.task, 50)
    return [found] if found else []


def _printed(text: str) -> list[str]:
    return [f"it prints, where losses and counts tell what it does: {one_line(text, 100)!r}"] if text else []


def _timeless(event: Event) -> dict[str, object]:
    return event.model_dump(exclude={"time", "seconds", "cpu_seconds"})
