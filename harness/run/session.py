"""One process at work on a run: from its first or next round to its metrics."""

from __future__ import annotations

import functools
import time
import traceback
from typing import Any

import torch
from torch import nn

import harness
from harness import data
from harness.data.dataset import Dataset
from harness.engine import compiler, precision
from harness.engine.clock import Elapsed
from harness.engine.evaluate import Evaluator, metric_name
from harness.engine.failures import Diverged, MethodFailed, inside_method
from harness.engine.graphs import HeldStep
from harness.engine.loop import Engine
from harness.errors import LINE, UserError, one_line
from harness.machine import facts, memory
from harness.machine.devices import device_memory
from harness.networks.weights import save_weights
from harness.run import sheet
from harness.run.assemble import build_method, preset_note
from harness.run.manifest import Entry
from harness.run.operations import Work
from harness.run.progress import ProgressReport
from harness.run.run import Run
from harness.store import atomic, occupancy
from harness.store.bounds import MOST
from harness.store.checksums import sha256
from harness.store.records import Metrics, Seconds, Status
from harness.teachers import shelf
from methods.base import outside
from methods.base.method import Method, MethodConfig

SHEET = 64
"""Images on the sample sheet."""
DESCRIBED = 2000
"""At most this many images of the synthetic set are shown to the teacher for the class and difficulty histograms."""

NOTHING = 1
"""Bytes of a device that has no room for what can be found again, nor for images beside those that are there."""
NO_TIME = Seconds(startup=0.0, synthesis=0.0, distillation=0.0, evaluation=0.0)


def train(run: Run, waited: float, entry: Entry) -> Metrics:
    """Train, evaluate and record a run whose lock is held.

    Args:
        run: the run.
        waited: seconds spent waiting for lock and GPU.
        entry: of this process in the manifest.

    Writes the metrics, whatever the method did; raises for trouble of the machine and of the user's making.
    """
    _set_up(run)
    session = _Session(run)
    with session.report as report:
        status, reason, found = session.outcome(waited, entry)
        entry.end(status)  # before the metrics, which seal all other files
        with outside.kept():
            metrics = session.metrics(status, reason, found)
        atomic.write(run.folder.metrics, metrics)
        report.say(f"{status}: {reason}" if reason else f"done: {metrics.final:.2f} %")
    return metrics


def _set_up(run: Run) -> None:
    """Make PyTorch work as the cell asks for."""
    compiler.defer()
    torch.set_num_threads(run.cell.threads)
    precision.apply(run.cell.precision, run.cell.deterministic and run.device.type == "cuda")
    if run.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(run.device)


class _Session:
    """What one process holds while it works on a run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.dataset: Dataset = data.load(run.cell.data, run.cell.verify)
        self.teacher: nn.Module = shelf.load(run.teacher_folder, run.teacher, self.dataset.task, run.device)
        self.report = ProgressReport(run)
        self.engine: Engine | None = None

    def build(self, config: MethodConfig, memory: int = 0) -> Method:
        return build_method(self.run.cell, config, self.dataset, self.teacher, self.run.device, memory)

    def prepare(self) -> Method:
        """The method, built of the code that the key stands for. Raises MethodFailed or UserError."""
        try:
            with inside_method():
                method = self.build(self.run.config, device_memory(self.run.device.type) or 0)
            _require_memory(method)
            return method
        finally:  # what was imported must not be newer than the key, whatever came of it
            self.run.confirm()

    def outcome(self, waited: float, entry: Entry) -> tuple[Status, str | None, dict[str, Any]]:
        """What became of the run: its status, the reason unless it is done, and what was measured then."""
        try:
            method = self.prepare()
            self._tell(method, entry)
            with outside.kept():
                return "done", None, self.carry_out(method, waited)
        except Diverged as error:
            return "diverged", one_line(str(error), 2 * LINE), {}
        except MethodFailed as error:
            self.report.log_text("".join(traceback.format_exception(error)))
            return "failed", one_line(str(error), 2 * LINE), {}

    def _tell(self, method: Method, entry: Entry) -> None:
        """Note how the teacher is asked and where images lie; say what is not usual."""
        if method.asking:
            self.report.note(f"the teacher is asked {method.asking}")
            entry.note(asking=str(method.asking))
        if method.placing:
            entry.note(placing=str(method.placing))
            if not method.placing.on_device:
                self.report.note(f"images lie {method.placing}")

    def carry_out(self, method: Method, waited: float) -> dict[str, Any]:
        """Run the method to its end; returns what is measured afterwards.

        Raises Diverged or MethodFailed, and UserError if the teacher is another than its record's.
        """
        run, evaluator = self.run, Evaluator(self.dataset, self.teacher, self.run.device)
        shelf.require_as_recorded(run.teacher_folder, run.teacher, evaluator.teacher, evaluator.images)
        # From here on a failure's record can say how far the engine got.
        engine = self.engine = Engine(
            method, evaluator, run.folder, run.device, run.cell.checkpoint_seconds, self.report
        )
        if run.cell.graphs:
            HeldStep(method)
        resumed = engine.resume()
        self._book_start(engine, resumed, waited)
        engine.run()
        peak = self._peak_memory()  # before the artifacts, which need more than the method did
        with inside_method():
            return {"peak_memory_bytes": peak, **self._artifacts(engine)}

    def _book_start(self, engine: Engine, resumed: bool, waited: float) -> None:
        """Enter the start-up of a first attempt, or what an earlier one had done in vain."""
        clock, startup = engine.clock, _since_start(waited)
        done = clock.seconds, clock.cpu_seconds
        clock.book("waiting", Elapsed(wall=waited))
        clock.book("lost" if resumed else "startup", startup)
        # A killed process noted its progress more often than it wrote checkpoints: what lies between is lost work. The
        # note stays until the next one: after a second kill before that, it tells as much again.
        if progress := occupancy.progress(self.run.folder):
            earlier = progress.seconds, progress.cpu_seconds
            clock.book("lost", Elapsed(*(_lost(then, now) for then, now in zip(earlier, done, strict=True))))
        if resumed:
            self.report.say(f"resumed at round {engine.ledger.next_round}, {clock.seconds.lost:.0f} s lost")

    def _peak_memory(self) -> int:
        if self.run.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.run.device)
        return memory.peak()

    def _artifacts(self, engine: Engine) -> dict[str, Any]:
        """Write student and sample sheet; describe the synthetic set; count operations."""
        folder, method = self.run.folder, engine.method
        save_weights(method.context.student, folder.student)
        images = method.synthetic_images(DESCRIBED)
        if problem := sheet.problem(images, method.context.task, DESCRIBED):
            raise MethodFailed(problem)
        for name, (value, least) in _said(method, engine.ledger.step).items():
            if not _counts(value, least):
                raise MethodFailed(f"{name} is {one_line(repr(value), 80)}, not a number of images")
        sheet.save_sheet(folder.samples, images[:: max(1, len(images) // SHEET)][:SHEET])
        classes, difficulty = sheet.describe(images, self.teacher, self.dataset.task)
        done = engine.ledger
        work = Work(self.run.cell, self.run.config, done.synthesis_calls, done.step, method.asking)
        return {
            "student_sha256": sha256(folder.student),
            "samples_sha256": sha256(folder.samples),
            "class_counts": classes,
            "difficulty": difficulty,
            "flops": work.operations(functools.partial(self.build, memory=NOTHING)),
        }

    def metrics(self, status: Status, reason: str | None, found: dict[str, Any]) -> Metrics:
        """The record of the run, complete as far as it got."""
        run, cell = self.run, self.run.cell
        return Metrics(
            cell=cell.name,
            key=run.key,
            plan_key=run.plan_key,
            study=cell.study,
            dataset=cell.dataset,
            teacher=cell.pair.teacher,
            student=cell.pair.student,
            label=cell.label,
            method=cell.method,
            metric=metric_name(self.dataset.task),
            class_names=list(self.dataset.task.class_names),
            data_verified=run.teacher.data_verified and self.dataset.verified,
            prior=run.prior,
            preset=cell.preset,
            preset_note=preset_note(cell),
            scale=cell.scale,
            seed=cell.seed,
            status=status,
            reason=reason,
            teacher_sha256=run.teacher.identity,
            teacher_metric=run.teacher.value,
            device=run.device.type,
            device_name=run.device_name,
            threads=cell.threads,
            precision=cell.precision,
            concurrent=run.concurrent,
            share=cell.sharing,
            finished=facts.now(),
            manifest_sha256=sha256(run.folder.manifest),
            events_sha256=sha256(run.folder.events) if run.folder.events.exists() else None,
            **self._progress(status),
            **found,
        )

    def _progress(self, status: Status) -> dict[str, Any]:
        """How far the engine got, and the scores if it got to the end."""
        engine, slots = self.engine, self.dataset.task.images(self.run.cell.share)
        if engine is None:
            return {"seconds": NO_TIME, "cpu_seconds": NO_TIME, "images": slots}
        events = engine.ledger.events
        seconds, cpu_seconds = _elapsed(engine)
        found: dict[str, Any] = {
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "device_sharers": engine.ledger.device_sharers,
            "steps": engine.ledger.step,
            "inner_steps": inner if _counts(inner := getattr(self.run.config, "inner_steps", None), 0) else None,
            "synthesis_rounds": engine.ledger.synthesis_calls,
            "energy_joules": engine.ledger.energy,
            "images": slots,
            **_known(engine.method, engine.ledger.step),
        }
        if status == "done":
            best = max(events, key=lambda event: event.metric)
            last = {"final": events[-1].metric, "agreement": events[-1].agreement}
            found |= {**last, "best": best.metric, "best_epoch": best.epoch}
        return found


def _elapsed(engine: Engine) -> tuple[Seconds, Seconds]:
    """Seconds and CPU seconds so far; those of the last event where the method has left its card unable to answer."""
    try:
        return engine.clock.seconds, engine.clock.cpu_seconds
    except RuntimeError:
        last = engine.ledger.events[-1:]
        return (last[0].seconds, last[0].cpu_seconds) if last else (NO_TIME, NO_TIME)


def _said(method: Method, steps: int) -> dict[str, tuple[object, int]]:
    """What a method says of itself after so many distillation steps, and of how many there are at least."""
    return {
        "images": (method.images, 1),
        "images_synthesised": (method.images_synthesised, 0),
        "teacher_forwards": (method.context.teacher.images_forwarded, 0),
        "views": (steps * method.shown, 0),
    }


def _known(method: Method, steps: int) -> dict[str, object]:
    """What of it can be recorded: a method that has failed may say anything, or fail again."""
    try:
        with inside_method():
            return {name: value for name, (value, least) in _said(method, steps).items() if _counts(value, least)}
    except MethodFailed:
        return {}


def _counts(value: object, least: int) -> bool:
    return isinstance(value, int) and least <= value <= MOST


def _require_memory(method: Method) -> None:
    """Raise UserError if images that lie in main memory would not fit there."""
    wanted, there = method.placing.main_memory if method.placing else 0, memory.available()
    if wanted > there:
        gib = f"{wanted / 2**30:,.0f} GiB of main memory are wanted, there are {there / 2**30:,.0f}"
        raise UserError(f"images lie {method.placing}; with a checkpoint of them {gib}: `scales` has smaller ones")


def _since_start(waited: float) -> Elapsed:
    """From the start of the process until now, without the seconds spent waiting."""
    return Elapsed(time.monotonic() - harness.STARTED - waited, time.process_time())


def _lost(then: Seconds, done: Seconds) -> float:
    """What a killed process had done beyond its last checkpoint, and had lost before."""
    return max(0.0, then.lost + then.end_to_end - done.lost - done.end_to_end)
