"""What is stored of a run, of an evaluation and of a teacher: the schema of every record.

`reading.py` reads them, `atomic.py` writes them, `layout.py` says where they are.
"""

from __future__ import annotations

import json
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

SCHEMA: Literal[1] = 1

Status = Literal["done", "diverged", "failed"]

OVERLOADED = 1.25
"""Wall seconds to a CPU second of work beyond which a processor had more to do than it could: our choice. An idle
machine stays below 1.05."""
TELLING = 1.0
"""CPU seconds of work from which that ratio says something."""

FEW_IMAGES = 32
"""With fewer images than this a result says more about the protocol than about its method."""


class Record(BaseModel):
    """Base of everything stored: unknown fields are refused, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Seconds(Record):
    """Seconds of one run by phase, on the wall or on cores. ``end_to_end`` is the headline; the others stand apart."""

    startup: float
    """Process start to first round, imports included, waiting for a lock or a GPU excluded."""
    synthesis: float
    distillation: float
    evaluation: float
    """Outside the headline."""
    waiting: float = 0.0
    """For a lock or a GPU. Outside the headline."""
    lost: float = 0.0
    """Work that a kill threw away, and the start-up of later attempts. Outside the headline."""

    @property
    def end_to_end(self) -> float:
        """Start-up + synthesis + distillation."""
        return self.startup + self.working

    @property
    def working(self) -> float:
        """Synthesis + distillation: the method's own."""
        return self.synthesis + self.distillation


class Flops(Record):
    """Floating-point operations of a whole run, by phase (two per multiply-add)."""

    synthesis: int
    distillation: int


class Metrics(Record):
    """The result of one cell. ``final`` is the metric after the last epoch: the headline."""

    schema_version: Literal[1] = SCHEMA
    cell: str
    """``study/dataset/teacher--student/label/scale-P/seed-K``."""
    key: str
    """Cell key: plan key and the teacher's sha256."""
    plan_key: str
    study: str
    dataset: str
    teacher: str
    student: str
    label: str
    method: str
    data_free: bool
    preset: str | None = None
    """Named set of hyperparameters that the label runs with."""
    preset_note: str | None = None
    """Set where the preset's values were never published for this dataset and pair: whose they are."""
    scale: float
    """Percent of the reference size."""
    seed: int
    status: Status
    reason: str | None = None
    """Why the run failed or diverged."""
    metric: str = "top1"
    data_verified: bool = True
    """Whether files without their official checksums would have been refused."""
    final: float | None = None
    """Percent, after the last epoch."""
    best: float | None = None
    """Percent, best epoch, selected on the test set."""
    best_epoch: int | None = None
    agreement: float | None = None
    """Percent of test samples on which student and teacher predict the same class, after the last epoch."""
    seconds: Seconds
    """On the wall."""
    cpu_seconds: Seconds
    """On cores, of all threads of the process: other processes do not add to them."""
    device_sharers: int | None = None
    """Most other processes on the GPU at the start and end of an attempt; None on a CPU or where it does not tell."""
    images: int
    """How many images the student could draw from in the end: N = scale × reference size, or fewer if fewer were made.
    For live generators N."""
    images_synthesised: int | None = None
    synthesis_rounds: int | None = None
    steps: int | None = None
    """Distillation steps in all."""
    teacher_forwards: int | None = None
    """Images that went forward through the teacher during synthesis and distillation."""
    flops: Flops | None = None
    peak_memory_bytes: int | None = None
    """On a GPU the allocator's peak, on a CPU the process's resident set."""
    energy_joules: float | None = None
    """None where the device does not report it; never 0 for unknown."""
    class_counts: list[int] | None = None
    """Teacher-predicted classes of the synthetic set at the end."""
    difficulty: list[int] | None = None
    """Histogram of 1 - p_t over the synthetic set, 20 equal bins on [0, 1]."""
    teacher_sha256: str
    teacher_metric: float
    """The teacher's own test metric, percent."""
    student_sha256: str | None = None
    samples_sha256: str | None = None
    device: str
    """``cpu`` or ``cuda``."""
    device_name: str
    threads: int
    concurrent: int
    """How many cells were allowed to run at the same time on this machine."""
    finished: str
    """UTC, ISO 8601."""

    @property
    def cost(self) -> Seconds:
        """The seconds that count: on cores where the processor did the work, on the wall where a GPU did."""
        return _counting(self, self.device)

    @property
    def overloaded(self) -> bool:
        """Whether the machine had so much else to do that the seconds say little about the method."""
        if self.device != "cpu":
            return bool(self.device_sharers)
        return self.cpu_seconds.working >= TELLING and self.seconds.working > OVERLOADED * self.cpu_seconds.working


class Event(Record):
    """One evaluation, at the end of an epoch. A line of ``events.jsonl``."""

    n: int
    """Line number, from 0, without gaps."""
    epoch: int
    round: int
    step: int
    time: float
    """Unix time in seconds at which the evaluation ended."""
    seconds: Seconds
    """Totals so far, on the wall."""
    cpu_seconds: Seconds
    """Totals so far, on cores."""
    metric: float
    """Percent on the test set."""
    agreement: float
    synthesis: dict[str, float]
    """Mean of each named quantity of the synthesis rounds since the last event; empty if there were none."""
    distillation: dict[str, float]
    """Mean of each named quantity of the distillation steps since the last event."""

    def cost(self, device: str) -> Seconds:
        """The totals that count on ``device``."""
        return _counting(self, device)


class Attempt(Record):
    """One process that worked on the cell."""

    start: str
    end: str | None = None
    outcome: str | None = None
    """``done``, ``diverged``, ``failed`` or ``error: ...``; None while it runs, and for ever if it was killed."""
    host: str
    pid: int
    device: str
    device_name: str
    threads: int
    precision: dict[str, bool] | None = None
    """How the GPU calculated: the switches of harness/engine/precision.py. None on a CPU, which has none."""
    concurrent: int
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]


class Manifest(Record):
    """Where a number comes from: resolved configuration, sources, teacher, and one entry per attempt."""

    schema_version: Literal[1] = SCHEMA
    cell: str
    key: str
    plan_key: str
    config: dict[str, Any]
    """Every value the method ran with, defaults included."""
    sources: dict[str, str]
    """File to sha256 of its code without comments and docstrings."""
    scheme: int | None = None
    """``SCHEME`` of harness/grid/keys.py: how its keys and hashes were computed; None in older records."""
    data: str | None = None
    """Hash of the dataset's files; empty where its code holds their checksums, None in older records."""
    numbers: int | None = None
    """``NUMBERS`` of harness/grid/keys.py; None in records that are older than this field."""
    teacher_sha256: str
    attempts: list[Attempt]


class Progress(Record):
    """How far a running cell is; written about once a second, for `dkd list` and for the lost seconds of a kill."""

    epoch: int
    epochs: int
    seconds: Seconds
    cpu_seconds: Seconds
    pid: int
    time: float


class TeacherRecord(Record):
    """``teacher.json``: how good a teacher is, and the identity of its weights."""

    schema_version: Literal[1] = SCHEMA
    dataset: str
    network: str
    sha256: str
    metric: str = "top1"
    value: float
    """Percent on the test set."""
    floor: float
    recipe: dict[str, Any]
    seconds: float
    parameters: int
    versions: dict[str, str]
    finished: str
    data: str | None = None
    """Identity of what it learned from (`harness/data/identity.py`); None in records that are older than this field."""
    data_verified: bool = True
    """Whether files without their official checksums would have been refused."""


class TrackingLink(Record):
    """Which MLflow run shows a run, and what it showed when it was last sent; written by `dkd sync`."""

    run_id: str
    tracking_uri: str
    store: str
    """Identity of the store: a database made anew at the same address is another one."""
    fingerprint: str
    """Of the records as they were sent."""


RecordT = TypeVar("RecordT", bound=Record)


def to_json(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces; the form that keys are computed from."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _counting(record: Metrics | Event, device: str) -> Seconds:
    return record.cpu_seconds if device == "cpu" else record.seconds
