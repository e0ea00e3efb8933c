"""`dkd trace`: from a cell's name, a part of it or a key to the runs behind it and where they come from."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path

from harness import records, runs
from harness.errors import UserError, suggest
from harness.records import Attempt, DamagedRecord, Manifest, Metrics, RecordT


def find(results: Path, text: str) -> list[Path]:
    """The run folders meant by ``text``: a cell's name, a shell pattern, a part such as ``ssd-kd/scale-10``, or a key.

    Raises UserError if there is none.
    """
    everything = [
        (cell.relative_to(results).as_posix(), run) for cell in runs.cells(results) for run in runs.of_cell(cell)
    ]
    found = [run for name, run in everything if _meant(text, name, run.name)]
    if not found:
        raise UserError(f"no run matches {text!r} under {results}{suggest(text, _near(text, everything))}")
    return found


def describe(run: Path) -> Iterator[str]:
    """The lines that tell where a run's numbers come from. What is missing or damaged is said, not hidden."""
    manifest = _read(run / "manifest.json", Manifest)
    result = _read(run / "metrics.json", Metrics)
    yield str(run.parent.parent)
    yield _line("key", run.name + _standing(run))
    yield _line("result", _result(result))
    yield _line("records", str(run))
    yield _line("logs", ", ".join(str(log) for log in sorted(run.glob("*.log"))) or "none")
    yield _line("MLflow", _mlflow(run))
    yield from _origin(manifest)


def _meant(text: str, name: str, key: str) -> bool:
    part = text.strip("/")
    return f"/{part}/" in f"/{name}/" or fnmatch.fnmatchcase(name, text) or (len(text) >= 4 and key.startswith(text))


def _near(text: str, everything: list[tuple[str, Path]]) -> list[str]:
    import difflib

    return difflib.get_close_matches(text, sorted({name for name, _ in everything}), n=5, cutoff=0.3)


def _read(path: Path, kind: type[RecordT]) -> RecordT | str:
    try:
        return records.read(path, kind)
    except FileNotFoundError:
        return "none"
    except DamagedRecord as error:
        return str(error)


def _standing(run: Path) -> str:
    current = runs.current_key(run.parent.parent)
    if current is None:
        return ""
    return " (current)" if current == run.name else f" (superseded by {current})"


def _result(result: Metrics | str) -> str:
    if isinstance(result, str):
        return result
    if result.status != "done":
        return f"{result.status}: {result.reason}"
    best = f", best {result.best:.2f} % in epoch {result.best_epoch}" if result.best is not None else ""
    return f"{result.final:.2f} % {result.metric} after the last epoch{best}, {result.seconds.end_to_end:.1f} s"


def _mlflow(run: Path) -> str:
    try:
        link = json.loads((run / "mlflow.json").read_bytes())
        return f"run {link['run_id']} in {link['tracking_uri']}"
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return "not synced (dkd sync)"


def _origin(manifest: Manifest | str) -> Iterator[str]:
    if isinstance(manifest, str):
        yield _line("manifest", manifest)
        return
    yield _line("plan key", manifest.plan_key)
    yield _line("teacher", f"sha256 {manifest.teacher_sha256}")
    yield _line("config", ", ".join(f"{name}={value}" for name, value in manifest.config.items()))
    for file, digest in manifest.sources.items():
        yield _line("code", f"{digest[:16]}  {file}")
    yield _line("code", f"NUMBERS = {_known(manifest.numbers)}  harness/engine.py")
    for number, attempt in enumerate(manifest.attempts, 1):
        yield _line(f"attempt {number}", _attempt(attempt))


def _known(value: int | None) -> str:
    return "unknown" if value is None else str(value)


def _attempt(attempt: Attempt) -> str:
    tree = {True: " with local changes", False: "", None: ""}[attempt.dirty]
    return (
        f"{attempt.start} to {attempt.end or '?'}: {attempt.outcome or 'killed or running'}; "
        f"{attempt.device} ({attempt.device_name}), threads={attempt.threads}, on {attempt.host}; "
        f"commit {attempt.commit or 'unknown'}{tree}"
    )


def _line(name: str, value: str) -> str:
    return f"  {name:<10} {value}"
