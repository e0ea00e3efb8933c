"""What may not be mixed in one table: teachers, versions of the code, devices."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import UserError
from harness.reporting.cells import Cell, Run

SHA_DIGITS = 12
"""How much of a hash is printed; the csv tables hold all of it."""


@dataclass(frozen=True)
class Mix:
    """Something that all runs of a table should share and do not."""

    problem: str
    """What is mixed, how many runs have which version, and the filter that would keep one."""
    odd: dict[str, str]
    """Path of each run that differs from most of the others -> the footnote of its cell."""


def check(cells: Sequence[Cell], mixed: bool) -> dict[str, str]:
    """Refuse cells of one study that should not stand in one table.

    Args:
        cells: all cells of a study; only runs that are done are looked at.
        mixed: accept them nevertheless.

    Returns:
        Path of each run that differs from the others -> the footnote that its cell needs.

    Raises:
        UserError: the runs differ in teacher, code or device, and ``mixed`` is false.
    """
    runs = [run for cell in cells for run in cell.done]
    mixes = [*_teachers(runs), *_devices(runs), *_code(runs)]
    if mixes and not mixed:
        problems = "\n".join(f"  {mix.problem}" for mix in mixes)
        raise UserError(
            f"study {runs[0]['study']}: one table would mix\n{problems}\n"
            "  keep one of them with the filter, or allow the mixture: the cells are then marked"
        )
    notes: dict[str, str] = {}
    for mix in mixes:
        for path, note in mix.odd.items():
            notes[path] = f"{notes[path]}; {note}" if path in notes else note
    return notes


@functools.cache
def sources(text: str | None) -> dict[str, str]:
    """File -> hash, from the ``sources`` column of a frame; empty if the run has no manifest."""
    return json.loads(text) if text else {}


def commit(run: Run) -> str:
    """The commit as printed: ``unknown``, or its first digits, with ``+`` for uncommitted changes."""
    if run["commit"] is None:
        return "unknown"
    return str(run["commit"])[:SHA_DIGITS] + ("+" if run["dirty"] else "")


Versions = dict[str, list[Run]]
"""What the runs have -> those that have it."""


def _teachers(runs: Sequence[Run]) -> list[Mix]:
    found = _split(runs, lambda run: {f"{run['dataset']}/{run['teacher']}": run["teacher_sha256"]})
    return [
        Mix(
            f"teachers of {network}: {_count(versions)} (column teacher_sha256)",
            {run["path"]: f"taught by {sha[:SHA_DIGITS]}" for sha, run in _odd(versions)},
        )
        for network, versions in found.items()
    ]


def _devices(runs: Sequence[Run]) -> list[Mix]:
    found = _split(runs, lambda run: {"device": run["device_name"]})
    return [
        Mix(
            f"devices: {_count(versions)} (column device_name)",
            {run["path"]: f"ran on {name}" for name, run in _odd(versions)},
        )
        for versions in found.values()
    ]


def _code(runs: Sequence[Run]) -> list[Mix]:
    """A file with two hashes among the runs of a study is a mixture, whichever methods use it.

    Commits alone do not count: most of them change nothing that a result depends on. They decide only for runs whose
    manifest is gone.
    """
    found = _split(runs, _code_version)
    if not found:
        return []
    odd = [run for versions in found.values() for _, run in _odd(versions)]
    commits = _split(runs, lambda run: {"commit": commit(run)}).get("commit")
    return [
        Mix(
            f"versions of {', '.join(found)}" + (f": {_count(commits)} (column commit)" if commits else ""),
            {run["path"]: f"other code than most runs: commit {commit(run)}" for run in odd},
        )
    ]


def _code_version(run: Run) -> Mapping[str, str]:
    recorded = sources(run["sources"])
    return recorded | {"the code": "recorded"} if recorded else {"the code": f"unrecorded, commit {commit(run)}"}


def _split(runs: Iterable[Run], versions: Callable[[Run], Mapping[str, str]]) -> dict[str, Versions]:
    """Thing -> its versions, for the things of which the runs have more than one version."""
    found: dict[str, Versions] = {}
    for run in runs:
        for thing, version in versions(run).items():
            found.setdefault(thing, {}).setdefault(version, []).append(run)
    return {thing: versions for thing, versions in sorted(found.items()) if len(versions) > 1}


def _odd(versions: Versions) -> list[tuple[str, Run]]:
    """The runs that do not have the most common version, with theirs."""
    usual = min(versions, key=lambda version: (-len(versions[version]), version))
    return [(version, run) for version, runs in sorted(versions.items()) if version != usual for run in runs]


def _count(versions: Versions) -> str:
    return ", ".join(f"{version} ({len(runs)} runs)" for version, runs in sorted(versions.items()))
