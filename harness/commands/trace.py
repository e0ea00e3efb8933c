"""`dkd trace`: from a cell's name, a part of it or a key to the runs behind it and where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.commands import costs, differences
from harness.commands.output import Line, columns
from harness.grid import keys
from harness.store import checking, reading, verdict
from harness.store.layout import RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Attempt, Manifest, Metrics, RecordT, TrackingLink


def describe(run: RunFolder) -> Iterator[Line]:
    """The lines that tell where a run's numbers come from. What is missing or damaged is said, not hidden."""
    yield str(run.cell.path)
    yield columns(_facts(run), indent=2)


def _facts(run: RunFolder) -> Iterator[tuple[str, str]]:
    """A word and what it stands for."""
    yield "key", run.key + _standing(run)
    yield "result", _result(_checked(run))
    yield "verified", _verified(run)
    yield "records", str(run.path)
    yield "log", str(run.log) if run.log.exists() else "none"
    yield "MLflow", _mlflow(run)
    yield from _origin(_read(run.manifest, Manifest))


def _read(path: Path, kind: type[RecordT]) -> RecordT | str:
    try:
        return reading.read(path, kind)
    except FileNotFoundError:
        return "none"
    except DamagedRecord as error:
        return str(error)


def _checked(run: RunFolder) -> Metrics | str:
    try:
        result, _ = checking.whole(run)
    except FileNotFoundError:
        return "none"
    except DamagedRecord as error:
        return str(error)
    return result


def _standing(run: RunFolder) -> str:
    current = checking.current_key(run.cell)
    if current is None:
        return ""
    return " (current)" if current == run.key else f" (superseded by {current})"


def _result(result: Metrics | str) -> str:
    if isinstance(result, str):
        return result
    if result.status != "done":
        return f"{result.status}: {result.reason}"
    # Records count epochs from 0, people from 1, as the run's progress did.
    best = "" if result.best_epoch is None else f", best {result.best:.2f} % in epoch {result.best_epoch + 1}"
    return f"{result.final:.2f} % {result.metric} after the last epoch{best}, {costs.spent(result)}"


def _verified(run: RunFolder) -> str:
    found = verdict.of(run)
    if found is None:
        return "not yet (dkd verify)"
    return f"{found.problem or 'yes'}; {found.finished}, on {found.device_name}, torch {found.versions.get('torch')}"


def _mlflow(run: RunFolder) -> str:
    link = reading.read_intact(run.link, TrackingLink)
    return f"run {link.run_id} in {link.tracking_uri}" if link else "not synced (dkd sync)"


def _origin(manifest: Manifest | str) -> Iterator[tuple[str, str]]:
    if isinstance(manifest, str):
        yield "manifest", manifest
        return
    yield "plan key", manifest.plan_key
    if manifest.data:
        yield "data", f"hash {manifest.data}"
    yield "teacher", f"sha256 {manifest.teacher_sha256}{_imported(manifest)}"
    if manifest.teacher_normalisation:
        yield "teacher", f"learned from images normalised by {manifest.teacher_normalisation}"
    if manifest.networks:
        yield "networks", ", ".join(f"{role} {network}" for role, network in manifest.networks.items())
    if asking := manifest.attempts[-1].asking:
        yield "teacher", f"asked {asking}"
    if placing := manifest.attempts[-1].placing:
        yield "images", placing
    yield "precision", manifest.precision or "unknown"
    yield "config", ", ".join(f"{name}={value}" for name, value in manifest.config.items())
    yield from _code(manifest)
    yield from _attempts(manifest)


def _code(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for file, digest in manifest.sources.items():
        yield "code", f"{digest[:16]}  {file}"
    for place, digest in manifest.outside.items():
        yield "file", f"{digest[:16]}  {place}"
    if manifest.scheme != keys.SCHEME:
        yield "code", differences.OTHER_SCHEME
    yield "code", f"NUMBERS = {_known(manifest.numbers)}  harness/grid/keys.py"


def _attempts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    last = 0
    for number, attempt in manifest.numbered():
        if number > last + 1:
            yield f"attempts {last + 1} to {number - 1}", "no longer told"
        yield f"attempt {(last := number)}", _attempt(attempt)


def _imported(manifest: Manifest) -> str:
    origin = manifest.teacher_imported
    return f", imported from {origin.source or origin.file}, sha256 {origin.sha256}" if origin else ""


def _known(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def _attempt(attempt: Attempt) -> str:
    tree = {True: " with local changes", False: "", None: ""}[attempt.dirty]
    graphs = ", steps from a graph" if attempt.graphs else ""
    return (
        f"{attempt.start} to {attempt.end or '?'}: {attempt.outcome or 'killed or running'}; "
        f"{attempt.device} ({attempt.device_name}){graphs}, threads={attempt.threads}, on {attempt.host}; "
        f"commit {attempt.commit or 'unknown'}{tree}"
    )
