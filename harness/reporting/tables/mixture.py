"""What may not be mixed in one table: teachers, versions of the code, devices, precisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import UserError
from harness.reporting import text
from harness.reporting.rows import Row
from harness.reporting.runs import RecordedRun
from harness.reporting.tables.remarks import Odd
from harness.store.layout import CellName
from harness.wording import count

NUMBERS = " (family "
"""Where the numbers of a processor begin that has a hidden name (`facts.cpu_name`)."""


@dataclass(frozen=True)
class Mix:
    """Something that all runs of a table should share and do not."""

    problem: str
    """What is mixed, how many runs have which version, and the filter that would keep one."""
    odd: Odd


def check(rows: Sequence[Row], mixed: bool) -> Odd:
    """Refuse rows of one study that should not stand in one table.

    Args:
        rows: all rows of a study; only runs that are done are looked at.
        mixed: accept them nevertheless.

    Returns:
        Cell of each run that differs from the others -> the footnote that its row needs.

    Raises:
        UserError: the runs differ in teacher, device, precision or code, and ``mixed`` is false.
    """
    runs = [run for row in rows for run in row.done]
    mixes = [*_teachers(runs), *_devices(runs), *_precisions(runs), *_code(runs)]
    if mixes and not mixed:
        problems = "\n".join(f"  {mix.problem}" for mix in mixes)
        raise UserError(
            f"study {rows[0].study}: one table would mix\n{problems}\n"
            "  keep one of them (`dkd report --only COLUMN=VALUE --out DIR`),\n"
            "  or let them stand together, marked (`--mixed`)"
        )
    return _joined([mix.odd for mix in mixes])


Versions = dict[str, list[RecordedRun]]
"""What the runs have -> those that have it."""


def _teachers(runs: Sequence[RecordedRun]) -> list[Mix]:
    found = _split(runs, lambda run: {f"{run.metrics.dataset}/{run.metrics.teacher}": run.metrics.teacher_sha256})
    return [
        Mix(
            f"teachers of {network}: {_count(versions)} (column teacher_sha256)",
            {run.name: f"taught by {text.sha(sha256)}" for sha256, run in _odd(versions)},
        )
        for network, versions in found.items()
    ]


def _devices(runs: Sequence[RecordedRun]) -> list[Mix]:
    # Processors with a hidden name were once recorded without their numbers, which may be those of the others.
    bare = {run.metrics.device_name for run in runs if NUMBERS not in run.metrics.device_name}

    def device(run: RecordedRun) -> dict[str, str]:
        name, _, _ = run.metrics.device_name.partition(NUMBERS)
        return {"device": name if name in bare else run.metrics.device_name}

    found = _split(runs, device)
    return [
        Mix(
            f"devices: {_count(versions)} (column device_name)",
            {run.name: f"ran on {name}" for name, run in _odd(versions)},
        )
        for versions in found.values()
    ]


def _precisions(runs: Sequence[RecordedRun]) -> list[Mix]:
    """Records that do not tell it are left out: they are of older code."""
    found = _split(runs, lambda run: {"precision": run.metrics.precision} if run.metrics.precision else {})
    return [
        Mix(
            f"precisions: {_count(versions)} (column precision)",
            {run.name: f"calculated in {name}" for name, run in _odd(versions)},
        )
        for versions in found.values()
    ]


def _code(runs: Sequence[RecordedRun]) -> list[Mix]:
    """A file with two hashes among the runs of a study is a mixture, whichever methods use it.

    Commits alone do not count: most of them change nothing that a result depends on.
    """
    found = _split(runs, lambda run: run.sources)
    if not found:
        return []
    odd = [run for versions in found.values() for _, run in _odd(versions)]
    commits = _split(runs, lambda run: {"commit": text.commit(run.last)}).get("commit")
    return [
        Mix(
            f"versions of {', '.join(found)}" + (f": {_count(commits)} (column commit)" if commits else ""),
            {run.name: f"other code than most runs: commit {text.commit(run.last)}" for run in odd},
        )
    ]


def _split(runs: Iterable[RecordedRun], versions: Callable[[RecordedRun], Mapping[str, str]]) -> dict[str, Versions]:
    """Thing -> its versions, for the things of which the runs have more than one version."""
    found: dict[str, Versions] = {}
    for run in runs:
        for thing, version in versions(run).items():
            found.setdefault(thing, {}).setdefault(version, []).append(run)
    return {thing: versions for thing, versions in sorted(found.items()) if len(versions) > 1}


def _odd(versions: Versions) -> list[tuple[str, RecordedRun]]:
    """The runs that do not have the most common version, with theirs."""
    usual = min(versions, key=lambda version: (-len(versions[version]), version))
    return [(version, run) for version, runs in sorted(versions.items()) if version != usual for run in runs]


def _count(versions: Versions) -> str:
    return ", ".join(f"{version} ({count(len(runs), 'run')})" for version, runs in sorted(versions.items()))


def _joined(odd: Sequence[Odd]) -> dict[CellName, str]:
    """One footnote for a run that is odd in several ways."""
    notes: dict[CellName, str] = {}
    for found in odd:
        for cell, note in found.items():
            notes[cell] = f"{notes[cell]}; {note}" if cell in notes else note
    return notes
