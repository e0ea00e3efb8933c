"""What must be said below any table of a study: what is counted; teachers, devices, precision and code behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.reporting import names, text
from harness.reporting.rows import Row
from harness.reporting.runs import RecordedRun
from harness.store.bounds import BY_HASH
from harness.wording import count

SCOPE = (
    "Cost is end to end: start-up + synthesis + distillation. "
    "Evaluation, waiting, checkpoints and work lost to a kill are excluded. "
    "CPU: seconds on cores, of all threads. GPU: seconds on the wall of a run on a GPU."
)
TUNING = "-tuning"
"""How the names of datasets end whose test images are training images that no method is given."""


def spread(rows: Sequence[Row]) -> str:
    """What the number after ± is."""
    seeds = rows[0].expected
    several = f"mean ± sample standard deviation over {seeds} seeds, fewer where marked (k/{seeds})"
    return "1 seed" if seeds == 1 else several


def progress(rows: Sequence[Row]) -> str | None:
    """How many of the planned cells are done as planned, and what became of the others; None if none waits."""
    states = Counter(run.status for row in rows for run in row.runs)
    if not (waiting := states["waiting"]):
        return None
    lost = "".join(f", {states[state]} {state}" for state in ("failed", "diverged", "damaged") if states[state])
    wait = "waits" if waiting == 1 else "wait"
    stale = sum(run.stale for row in rows for run in row.done)
    current = f"{states['done'] - stale} of {states.total()} planned cells are done"
    return f"{current}{f', {stale} stale' if stale else ''}; {waiting} {wait}{lost}."


def left_out(rows: Sequence[Row]) -> list[str]:
    """How many cells the rows lack, and why; empty if they lack none."""
    damaged = sum(run.status == "damaged" for row in rows for run in row.runs)
    told = [f"Left out: {count(damaged, 'cell')} with damaged records."] if damaged else []
    return [*([waits] if (waits := progress(rows)) else []), *told]


def provenance(rows: Sequence[Row]) -> list[str]:
    """The teachers, the device, the precision and the code behind the runs that count; empty if none does."""
    runs = [run for row in rows for run in row.done]
    if not runs:
        return []
    devices = sorted({device(run) for run in runs})
    machine = [f"Device: {'; '.join(devices)}.", *_precision(runs)]
    return [*sorted({teacher(run) for run in runs}), *_unverified(runs), *tuning(runs), *machine, _code(runs)]


def teacher(run: RecordedRun) -> str:
    """A run's teacher: how good it is, which weights it has, and where these come from if not from here."""
    metrics = run.metrics
    value = f"{metrics.teacher_metric:.2f} {text.metric(metrics.metric)}"
    known = f"{value}, sha256 {text.sha(metrics.teacher_sha256)}{_normalisation(run)}"
    teacher = names.network(metrics.teacher)
    return f"Teacher {teacher} on {names.dataset(metrics.dataset)}: {known}{_origin(run)}."


def _normalisation(run: RecordedRun) -> str:
    """With what a teacher learned, if not with the task's."""
    own = run.manifest.teacher_normalisation
    return f"; inputs normalised by {own}" if own else ""


def _origin(run: RecordedRun) -> str:
    """Where a teacher comes from that was not trained here, and what was done to it."""
    if not (origin := run.manifest.teacher_imported):
        return ""
    told = [f"read as {origin.layout}"] if origin.layout else []
    told += [f"renamed {', '.join(origin.renamings)}"] if origin.renamings else []
    told += [f"left out {', '.join(origin.drops)}"] if origin.drops else []
    how = f" ({'; '.join(told)})" if told else ""
    return text.line(f"; imported from {origin.file}, sha256 {text.sha(origin.sha256)}{how}")


def _unverified(runs: Sequence[RecordedRun]) -> list[str]:
    unknown = sorted({names.dataset(run.metrics.dataset) for run in runs if not run.metrics.data_verified})
    own = sorted({_own(run) for run in runs if run.metrics.data_verified == BY_HASH})
    return [
        *([f"Unverified data: {', '.join(unknown)}; checksums were not compared."] if unknown else []),
        *([f"Own images: {', '.join(own)}."] if own else []),
    ]


def tuning(runs: Sequence[RecordedRun]) -> list[str]:
    """Which accuracies are not of a test set, as they are for choosing hyperparameters."""
    return [
        f"{names.dataset(name)}: training images stand in for the test set, for choosing hyperparameters; "
        "public teachers may have learned from them."
        for name in sorted({run.metrics.dataset for run in runs})
        if name.endswith(TUNING)
    ]


def _own(run: RecordedRun) -> str:
    known = f" {text.sha(run.manifest.data)}" if run.manifest.data else ""
    return f"{names.dataset(run.metrics.dataset)}, {BY_HASH}{known}"


def device(run: RecordedRun) -> str:
    """What a run worked on."""
    threads = "1 thread" if run.metrics.threads == 1 else f"{run.metrics.threads} threads"
    return f"{run.metrics.device_name} ({run.metrics.device}, {threads})"


def _precision(runs: Sequence[RecordedRun]) -> list[str]:
    """How networks calculated, as far as the runs tell it; scores are always measured in fp32."""
    found = sorted({run.metrics.precision for run in runs if run.metrics.precision})
    return [f"Precision: {', '.join(found)}{' (scores: fp32)' * (found != ['fp32'])}."] if found else []


def _code(runs: Sequence[RecordedRun]) -> str:
    commits = sorted(Counter(text.commit(run.last) for run in runs).items())
    listed = ", ".join(f"commit {name} ({count(of, 'run')})" for name, of in commits)
    dirty = any(run.last.dirty for run in runs)
    return f"Code: {listed}" + ("; + means uncommitted changes." if dirty else ".")
