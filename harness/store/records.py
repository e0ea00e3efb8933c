"""What is stored of a run, of an evaluation and of a teacher: the schema of every record.

`reading.py` reads them, `atomic.py` writes them, `layout.py` says where they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.store.bounds import (
    Count,
    Device,
    Duration,
    Inside,
    Key,
    Line,
    MetricName,
    Moment,
    Name,
    Percent,
    Precision,
    Scale,
    Seed,
    Sha256,
    Some,
    Text,
    Values,
    Verified,
)
from methods.base.names import network_name, network_of
from methods.base.prior import Prior

SCHEMA: Literal[2] = 2

Status = Literal["done", "diverged", "failed"]

OVERLOADED = 1.25
"""Wall seconds to a CPU second of work beyond which a processor had more to do than it could: our choice. An idle
machine stays below 1.05."""
TELLING = 1.0
"""CPU seconds of work from which that ratio says something."""

FIRST_ATTEMPTS, LAST_ATTEMPTS = 5, 95
"""How many attempts a manifest tells at most: a node that kills a job every minute makes ten thousand in a week."""

FEW_IMAGES = 32
"""With fewer images than this a result says more about the protocol than about its method."""


class Record(BaseModel):
    """Base of everything stored: unknown fields are refused, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Seconds(Record):
    """Seconds of one run by phase, on the wall or on cores. ``end_to_end`` is the headline; the others stand apart."""

    startup: Duration
    """Process start to first round, imports included, waiting for a lock or a GPU excluded."""
    synthesis: Duration
    """Making images."""
    distillation: Duration
    """Training the student."""
    evaluation: Duration
    """Measuring on the test set. Outside the headline."""
    waiting: Duration = 0.0
    """For a lock or a GPU. Outside the headline."""
    lost: Duration = 0.0
    """Work that a kill threw away, and the start-up of later attempts. Outside the headline."""

    @property
    def end_to_end(self) -> float:
        """Start-up + synthesis + distillation."""
        return self.startup + self.working

    @property
    def working(self) -> float:
        """Synthesis + distillation: the method's own."""
        return self.synthesis + self.distillation

    @property
    def evaluated(self) -> float:
        """End to end and the evaluations: what a run takes of its machine."""
        return self.end_to_end + self.evaluation


class Flops(Record):
    """Floating-point operations of a whole run, by phase (two per multiply-add)."""

    synthesis: Count
    """Making images."""
    distillation: Count
    """Training the student."""

    @property
    def total(self) -> int:
        """Of both phases."""
        return self.synthesis + self.distillation


class Metrics(Record):
    """The result of one cell. ``final`` is the metric after the last epoch: the headline."""

    schema_version: Literal[2] = SCHEMA
    """Of the form of these records."""
    cell: Line
    """``study/dataset/teacher--student/label/scale-P/seed-K``."""
    key: Key
    """Cell key: plan key and the teacher's sha256."""
    plan_key: Key
    """Of the configuration, code and data; docs/glossary.md."""
    study: Name
    """Name of the configuration: the first folder under results/."""
    dataset: Name
    """What the teacher was trained on and the student is tested on."""
    teacher: Name
    """Its network, with the teacher's own name behind a + if it has one."""
    student: Name
    """Its network."""
    label: Name
    """What the study calls the method with its options."""
    method: Line
    """The method that the label runs."""
    prior: Prior
    """What the method uses beyond the teacher."""
    preset: Line | None = None
    """Named set of hyperparameters that the label runs with."""
    preset_note: Line | None = None
    """Set where the preset's values were never published for this dataset and pair: whose they are."""
    scale: Scale
    """Percent of the reference size."""
    seed: Seed
    """Of all random streams of the run."""
    status: Status
    """Whether the run came to its end; a method that diverged or failed is a result too."""
    reason: Text | None = None
    """Why the run failed or diverged."""
    metric: MetricName = "top1"
    """What ``final``, ``best`` and ``teacher_metric`` are in percent of: top-1 accuracy, or mean IoU."""
    data_verified: Verified = True
    """Whether files without their official checksums would have been refused."""
    final: Percent | None = None
    """Percent, after the last epoch."""
    best: Percent | None = None
    """Percent, best epoch, selected on the test set."""
    best_epoch: Count | None = None
    """The epoch that ``best`` was measured after."""
    agreement: Percent | None = None
    """Percent of test samples on which student and teacher predict the same class, after the last epoch."""
    seconds: Seconds
    """On the wall."""
    cpu_seconds: Seconds
    """On cores, of all threads of the process: other processes do not add to them."""
    device_sharers: Count | None = None
    """Most other processes on the GPU at the start of an attempt, a checkpoint or the end; None on a CPU, or if it does
    not tell."""
    images: Some
    """How many images the student could draw from in the end: N = scale × reference size, or fewer if fewer were made.
    For live generators N."""
    images_synthesised: Count | None = None
    """How many images were made, kept or not."""
    synthesis_rounds: Count | None = None
    """How many rounds made images."""
    steps: Count | None = None
    """Distillation steps in all."""
    views: Count | None = None
    """Images that the student was shown, each as often as it was: steps × those of a step. None in older records."""
    inner_steps: Count | None = None
    """Steps of inversion for each batch of images; None where the method has no such number, and in older records."""
    teacher_forwards: Count | None = None
    """Images that went forward through the teacher during synthesis and distillation."""
    flops: Flops | None = None
    """Floating-point operations."""
    peak_memory_bytes: Count | None = None
    """On a GPU the allocator's peak, on a CPU the process's resident set."""
    energy_joules: float | None = Field(default=None, ge=0)
    """None where the device does not report it; never 0 for unknown."""
    class_names: list[Line] | None = Field(default=None, max_length=10_000)
    """What the classes are called; None in records that are older than this field."""
    class_counts: list[Count] | None = Field(default=None, max_length=10_000)
    """Teacher-predicted classes of the synthetic set at the end."""
    difficulty: list[Count] | None = Field(default=None, max_length=1000)
    """Histogram of 1 - p_t over the synthetic set, 20 equal bins on [0, 1]."""
    teacher_sha256: Sha256
    """Which teacher it was: `TeacherRecord.identity`."""
    teacher_metric: Percent
    """The teacher's own test metric, percent."""
    manifest_sha256: Sha256
    """Of the file beside this one, like the three that follow: what is changed afterwards is noticed."""
    events_sha256: Sha256 | None = None
    """Of the learning curve."""
    student_sha256: Sha256 | None = None
    """Of the student's weights."""
    samples_sha256: Sha256 | None = None
    """Of the sheet of samples."""
    device: Device
    """``cpu`` or ``cuda``."""
    device_name: Line
    """Model of the processor or card."""
    threads: Count
    """Of one process, on a CPU."""
    precision: Precision | None = None
    """How networks calculated; None in records that are older than this field."""
    concurrent: Count
    """How many cells were allowed to run at the same time on this machine."""
    share: Some = 1
    """How many cells were allowed on one GPU at the same time."""
    finished: Moment
    """When, UTC."""

    @model_validator(mode="before")
    @classmethod
    def _said_whether_it_is_data_free(cls, value: Any) -> Any:
        """Records of before there were several priors say ``data_free``."""
        if not (isinstance(value, dict) and value.get("data_free") in (True, False)):
            return value
        rest = {name: known for name, known in value.items() if name != "data_free"}
        return {"prior": Prior.NONE if value["data_free"] else Prior.REAL_IMAGES, **rest}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """A result that is done has its numbers and files; one that is not has no number that a table could take."""
        needed = ("final", "best", "best_epoch", "agreement", "steps", "events_sha256", "student_sha256")
        if self.status == "done" and (lacking := [name for name in needed if getattr(self, name) is None]):
            raise ValueError(f"done, but without {', '.join(lacking)}")
        if self.status != "done" and self.final is not None:
            raise ValueError(f"{self.status}, but with a final value")
        return self

    @property
    def cost(self) -> Seconds:
        """The seconds that count: on cores where the processor did the work, on the wall where a GPU did."""
        return _counting(self, self.device)

    @property
    def clock(self) -> str:
        """Whose seconds these are."""
        return "CPU s" if self.device == "cpu" else "GPU s"

    @property
    def overloaded(self) -> bool:
        """Whether the machine had so much else to do that the seconds say little about the method."""
        if self.device != "cpu":
            return (self.device_sharers or 0) >= self.share
        return self.cpu_seconds.working >= TELLING and self.seconds.working > OVERLOADED * self.cpu_seconds.working


class Event(Record):
    """One evaluation, at the end of an epoch. A line of ``events.jsonl``."""

    n: Count
    """Line number, from 0, without gaps."""
    epoch: Count
    """From 0."""
    round: Count
    """The round that it was the end of."""
    step: Count
    """Distillation steps so far."""
    time: float = Field(ge=0, le=1e11)
    """Unix time in seconds at which the evaluation ended."""
    seconds: Seconds
    """Totals so far, on the wall."""
    cpu_seconds: Seconds
    """Totals so far, on cores."""
    metric: Percent
    """Percent on the test set."""
    agreement: Percent
    """Percent of test samples on which student and teacher predict the same class."""
    synthesis: dict[str, float]
    """Mean of each named quantity of the synthesis rounds since the last event; empty if there were none."""
    distillation: dict[str, float]
    """Mean of each named quantity of the distillation steps since the last event."""

    def cost(self, device: str) -> Seconds:
        """The totals that count on ``device``."""
        return _counting(self, device)


class Attempt(Record):
    """One process that worked on the cell."""

    start: Moment
    end: Moment | None = None
    outcome: Text | None = None
    """``done``, ``diverged``, ``failed`` or ``error: ...``; None while it runs, and for ever if it was killed."""
    host: Line
    pid: Count
    device: Line
    device_name: Line
    threads: Count
    precision: dict[Line, bool] | None = None
    """How the GPU calculated: the switches of harness/engine/precision.py. None on a CPU, which has none."""
    graphs: bool = False
    """Whether distillation steps were played from a recorded one."""
    concurrent: Count
    asking: Line | None = None
    """How the teacher is asked (`methods/base/asking.py`); None where the method does not say, or was never built."""
    placing: Line | None = None
    """Where the student's images lie (`methods/base/placing.py`); None alike."""
    commit: Line | None
    dirty: bool | None
    versions: dict[Line, Line]


class Normalisation(Record):
    """How images in [0, 1] become inputs, channel by channel: (image - mean) / std."""

    mean: list[Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1, max_length=1000)
    std: list[Annotated[float, Field(gt=0, le=1)]] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if len(self.mean) != len(self.std):
            raise ValueError(f"{len(self.mean)} means, but {len(self.std)} deviations")
        return self

    def __str__(self) -> str:
        mean, std = (", ".join(f"{value:.4g}" for value in values) for values in (self.mean, self.std))
        return f"mean {mean}, deviation {std}"


class Imported(Record):
    """Where a teacher's weights come from that were not trained here, and what was done to make them fit."""

    file: Line
    """Its name, without its folder."""
    sha256: Sha256
    source: Line | None = None
    """Address that its authors keep it at, if it is a public one."""
    checksums: dict[Line, Line] = {}
    """Of other kinds, in full, where these are what its authors print."""
    layout: Line | None = None
    """Whose names of weights were recognised in it; None where they are the network's own."""
    renamings: list[Line] = []
    """``pattern=replacement``, as given by hand."""
    drops: list[Line] = []
    """Patterns of what was left out, as given by hand."""


class Manifest(Record):
    """Where a number comes from: resolved configuration, sources, teacher, and one entry per attempt."""

    schema_version: Literal[2] = SCHEMA
    cell: Line
    key: Key
    plan_key: Key
    config: Values
    """Every value the method ran with, defaults included."""
    chosen: Values | None = None
    """Those that the study sets, in its budget or behind the label, over the preset's. None in older records."""
    precision: Precision | None = None
    """How networks calculated; None in records that are older than this field."""
    sources: dict[Line, Sha256]
    """File to sha256 of its code without comments and docstrings."""
    outside: dict[Inside, Sha256] = Field(default={}, max_length=10_000)
    """Files of one's own that it was made with, by their place in the run's folder, to sha256 of all their bytes; large
    ones have no copy there."""
    scheme: Count | None = None
    """``SCHEME`` of harness/grid/keys.py: how its keys and hashes were computed; None in older records."""
    data: Line | None = None
    """Hash of the dataset's files; empty where its code holds their checksums, None in older records."""
    numbers: Count | None = None
    """``NUMBERS`` of harness/grid/keys.py; None in records that are older than this field."""
    prior: Prior | None = None
    """What the method uses beyond the teacher; None in records that are older than this field."""
    teacher_sha256: Sha256
    """`TeacherRecord.identity`."""
    teacher_normalisation: Normalisation | None = None
    """The teacher's own, where it learned with another than the task's."""
    teacher_imported: Imported | None = None
    """Where its teacher comes from, if that was not trained here."""
    networks: dict[Line, Line] | None = None
    """What `harness.networks` built as ``teacher`` and ``student``; None in older records, where names say it."""
    attempts: list[Attempt] = Field(min_length=1)
    """The first and the last of them; all, unless there were very many."""
    dropped: Count = 0
    """How many attempts between these are no longer told."""

    @property
    def begun(self) -> int:
        """How many attempts there were in all."""
        return len(self.attempts) + self.dropped

    def numbered(self) -> Iterator[tuple[int, Attempt]]:
        """The attempts that are told, each with its number from 1."""
        for index, attempt in enumerate(self.attempts, 1):
            yield index + (self.dropped if index > FIRST_ATTEMPTS else 0), attempt


class Progress(Record):
    """How far a running cell is; written about once a second, for `dkd list` and for the lost seconds of a kill."""

    epoch: Count
    epochs: Count
    seconds: Seconds
    cpu_seconds: Seconds
    pid: Count
    time: float = Field(ge=0, le=1e11)


class Planned(Record):
    """A cell that is to run."""

    plan_key: str
    method: str
    grid: str | None = None
    """Name of the configuration that asks for it; None in older plans."""


class Plan(Record):
    """The cells of a study that the workflow set out to run; written when it starts, for reports."""

    cells: dict[str, Planned]
    """By name."""


class TeacherRecord(Record):
    """``teacher.json``: how good a teacher is, and the identity of its weights."""

    schema_version: Literal[2] = SCHEMA
    dataset: Name
    name: Name
    """Its network's name, with its own behind a + if there are several of that network."""
    network: Line
    """What `harness.networks` builds for it."""
    sha256: Sha256
    metric: MetricName = "top1"
    value: Percent
    """Percent on the test set."""
    floor: Percent
    recipe: Values
    """How it was trained; empty for one that was imported."""
    imported: Imported | None = None
    seconds: Duration
    parameters: Count
    device_name: Line | None = None
    """What it was measured on; None in records that are older than this field."""
    versions: dict[Line, Line]
    finished: Moment
    data: Line | None = None
    """Identity of what it learned from (`harness/data/identity.py`); None in records that are older than this field."""
    data_verified: Verified = True
    """Whether files without their official checksums would have been refused."""
    own: Values | None = None
    """How one's own images were described (`harness/data/own.py`), if it learned from such."""
    normalisation: Normalisation | None = None
    """Of the inputs that it learned from, where that is another than the task's."""

    @property
    def identity(self) -> Sha256:
        """What tells it from every other teacher: sha256 of its weights, or of these and its normalisation."""
        if self.normalisation is None:
            return self.sha256
        return hashlib.sha256(to_json([self.sha256, self.normalisation.model_dump()]).encode()).hexdigest()

    @model_validator(mode="before")
    @classmethod
    def _was_its_networks_only_one(cls, value: Any) -> Any:
        """Records of before there were several teachers of a network have no name."""
        return {"name": value.get("network"), **value} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _is_named_for_its_network(self) -> Self:
        if network_of(self.name) != network_name(self.network):
            raise ValueError(f"a teacher {self.name} that is a {self.network}")
        return self


class Verification(Record):
    """What a stored student does on the test set, measured again by `dkd verify`."""

    metrics_sha256: Sha256
    """Of the metrics that were verified: it says nothing about any others."""
    metric: Percent | None = None
    """None, like the next, where a file of the run was changed, and nothing was measured."""
    agreement: Percent | None = None
    problem: Text | None = None
    """What does not agree; None if all does."""
    device: Device
    device_name: Line
    versions: dict[Line, Line]
    finished: Moment
    """When, UTC."""


class TrackingLink(Record):
    """Which MLflow run shows a run, and what it showed when it was last sent; written by `dkd sync`."""

    run_id: Line
    tracking_uri: Line
    store: Line
    """Identity of the store: a database made anew at the same address is another one."""
    fingerprint: Line
    """Of the records as they were sent."""


RecordT = TypeVar("RecordT", bound=Record)


def to_json(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces; the form that keys are computed from."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _counting(record: Metrics | Event, device: str) -> Seconds:
    return record.cpu_seconds if device == "cpu" else record.seconds
