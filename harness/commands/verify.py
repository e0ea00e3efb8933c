"""`dkd verify`: measures stored students and their teachers again, and compares with what their records say."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from harness import data, networks
from harness.commands import stored
from harness.data import identity
from harness.data.dataset import Dataset
from harness.engine import precision
from harness.engine.evaluate import Evaluator, Score
from harness.errors import UserError
from harness.machine import facts
from harness.machine.devices import device_name, lease_device
from harness.networks.weights import load_weights
from harness.store import atomic, checking
from harness.store.checksums import sha256
from harness.store.files import there
from harness.store.layout import CellFolder, Results, RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Metrics, TeacherRecord, Verification
from harness.teachers import shelf
from harness.wording import count
from methods.base.names import network_spec

State = Literal["verified", "wrong", "unverified", "nothing"]

EXACT = 1e-9
"""Percent by which equal scores of one device under one PyTorch may differ."""


@dataclass(frozen=True)
class Outcome:
    """What came of one cell."""

    name: str
    state: State
    """``wrong``: something does not agree. ``unverified``: it could not be measured here. ``nothing`` to measure."""
    detail: str

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the result."""
        return self.state in ("verified", "nothing")

    def __str__(self) -> str:
        return f"{self.state:10}  {self.name}  {self.detail}"


def verify(results: Path, pattern: str = "*") -> Iterator[Outcome]:
    """Measure the current results that match, one after another, and note the outcome beside their runs.

    Raises UserError if there is none.
    """
    cells = stored.finished(results, pattern)
    bench = _Bench(Results(results))
    for cell in cells:
        yield bench.outcome(cell)


def totals(found: list[Outcome]) -> str:
    """One line on all of them."""
    verified = sum(1 for outcome in found if outcome.state == "verified")
    return f"{count(len(found), 'result')}, {verified} verified, {sum(1 for outcome in found if not outcome.ok)} not"


class _Wrong(Exception):
    """Something that was measured does not agree with its record."""


@dataclass(frozen=True)
class _Teacher:
    """What the cells of one teacher have in common."""

    dataset: Dataset
    record: TeacherRecord
    evaluator: Evaluator
    measured: float
    """Its own metric, percent."""


class _Bench:
    """Where students are measured: every teacher is loaded once, for all its cells."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.teacher, self.device = functools.cache(self._teacher), functools.cache(_device)

    def outcome(self, cell: CellFolder) -> Outcome:
        """Measure a cell's current result."""
        try:
            result = checking.current(cell)
            if result.status != "done":
                return Outcome(result.cell, "nothing", f"{result.status}: there is nothing to verify")
            return self._measured(cell.run(result.key), result)
        except DamagedRecord as error:
            return Outcome(str(cell.name), "wrong", f"{error.path.name}: {error.reason}")
        except UserError as error:
            return Outcome(str(cell.name), "unverified", str(error).partition("\n")[0])

    def _measured(self, run: RunFolder, result: Metrics) -> Outcome:
        if not there(run.metrics):
            raise UserError(f"{run.metrics}: lost; `dkd run` takes it back from the cell's copy")
        device, score, problem = self.device(result.device), None, None
        try:
            evidence = checking.evidence(run, result)
            if not there(run.student):
                raise UserError("records without the student's weights: there is nothing to measure")
            built = evidence.manifest.networks or {}
            teacher = self.teacher(result.dataset, bool(result.data_verified), result.teacher, device)
            _compare_teacher(result, teacher, device)
            student = built.get("student", network_spec(result.student))
            score = _score(run, student, result.threads, teacher, device)
            by = {_calculator(attempt.device_name, attempt.versions) for attempt in evidence.manifest.attempts}
            given = _Given(by, device, teacher.evaluator.images)
            given.compare("final", result.final, score.metric)
            given.compare("agreement", result.agreement, score.agreement)
        except DamagedRecord as error:
            problem = f"{error.path.name}: {error.reason}"
        except _Wrong as error:
            problem = str(error)
        self._note(run, device, score, problem)
        if problem or not score:
            return Outcome(result.cell, "wrong", problem or "")
        return Outcome(result.cell, "verified", f"{score.metric:.2f} %, agreement {score.agreement:.2f} %")

    def _teacher(self, dataset: str, verified: bool, name: str, device: torch.device) -> _Teacher:
        """A teacher, measured. Raises UserError if it, or its data, is not here or not intact."""
        folder = self.results.teacher(dataset, name)
        record = shelf.find(folder)
        loaded = data.load(identity.described(record), verified)
        teacher = shelf.load(folder, record, loaded.task, device)
        evaluator = Evaluator(loaded, teacher, device)
        return _Teacher(loaded, record, evaluator, evaluator.teacher)

    def _note(self, run: RunFolder, device: torch.device, score: Score | None, problem: str | None) -> None:
        found = Verification(
            metrics_sha256=sha256(run.metrics),
            metric=score.metric if score else None,
            agreement=score.agreement if score else None,
            problem=problem,
            device=device.type,
            device_name=device_name(device),
            versions=facts.versions(),
            finished=facts.now(),
        )
        atomic.write(run.verified, found)


def _device(wanted: str) -> torch.device:
    """The device of the record."""
    device = lease_device(wanted, "dkd verify")
    precision.apply()
    return device


def _score(run: RunFolder, network: str, threads: int, teacher: _Teacher, device: torch.device) -> Score:
    """Of the stored student, which is a ``network``. Raises UserError if it cannot be loaded."""
    try:
        networks.check(network)
    except networks.UnknownNetwork as error:
        raise UserError(f"its student is not known here: {error}") from None
    torch.set_num_threads(max(1, min(threads, os.cpu_count() or 1)))
    student = load_weights(networks.for_task(network, teacher.dataset.task), run.student)
    return teacher.evaluator(student.to(device))


def _compare_teacher(result: Metrics, teacher: _Teacher, device: torch.device) -> None:
    record = teacher.record
    if result.teacher_sha256 != record.identity:
        raise UserError(f"it learned from another teacher than {result.teacher} is now: sha256 {result.teacher_sha256}")
    if not checking.measured_alike(result.teacher_metric, record.value):
        raise _Wrong(f"teacher_metric is {result.teacher_metric}, its record says {record.value}")
    by = {_calculator(record.device_name or "an unknown device", record.versions)}
    given = _Given(by, device, teacher.evaluator.images)
    given.compare(f"teacher {result.teacher}", record.value, teacher.measured)


@dataclass(frozen=True)
class _Given:
    """Where a score was recorded, and where and on how much it is measured now."""

    recorded_by: Set[str]
    """`_calculator` of every attempt: any of them may have measured it."""
    device: torch.device
    images: int

    def compare(self, name: str, recorded: float | None, measured: float) -> None:
        """Raise _Wrong unless a score is the recorded one: to the last digit, or to one image if others calculate."""
        here = _calculator(device_name(self.device), facts.versions())
        same = self.recorded_by == {here}
        allowed = EXACT if same else max(checking.ONE_IMAGE, 100 / self.images + EXACT)
        if recorded is None or not math.isclose(recorded, measured, rel_tol=0, abs_tol=allowed):
            where = "" if same else f" (on {here}, recorded on {' or '.join(sorted(self.recorded_by))})"
            raise _Wrong(f"{name} is {recorded}, measured now {measured}{where}")


def _calculator(device: str, versions: Mapping[str, str]) -> str:
    """What decides in which order numbers are added."""
    return f"{device}, PyTorch {versions.get('torch', 'unknown')}"
