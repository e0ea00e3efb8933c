"""The runs that an argument of `dkd compare` stands for, and in what two of them differ. Reads records alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.commands import differences
from harness.errors import UserError, suggest
from harness.grid import pattern
from harness.machine import facts
from harness.store import checking, place, reading
from harness.store.layout import CellFolder, Results, RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Manifest, Metrics


@dataclass(frozen=True)
class Version:
    """One finished run and where it comes from."""

    result: Metrics
    manifest: Manifest | None
    """None where it is lost, or in a file of records."""
    alone: bool = False
    """Whether it is of a file of records, which has no manifests."""

    @property
    def commit(self) -> str:
        """Of the last attempt; empty if it is not known."""
        return (self.manifest.attempts[-1].commit or "") if self.manifest and self.manifest.attempts else ""


@dataclass(frozen=True)
class Side:
    """The runs that one argument of `dkd compare` stands for."""

    name: str
    runs: dict[str, Version]
    """Cell's name -> its run."""
    problems: list[str]
    """Records that could not be read."""

    @property
    def studies(self) -> set[str]:
        """Of its runs."""
        return {version.result.study for version in self.runs.values()}


def side(text: str, results: Path) -> Side:
    """The runs meant by a results folder or a study's in it, a report's records.jsonl, a key or commit in ``results``.

    Keys, of cells and of plans, and commits may be shortened. Of several runs of a cell the one that finished last
    counts.

    Raises UserError if there is none, DamagedRecord for a line of records.jsonl that is no record.
    """
    problems: list[str] = []
    if _is_folder(path := place.path(text)):
        versions = _read_all(_finished(path), problems)
    elif path.suffix == ".jsonl":
        versions = _of_report(path)
    else:
        versions = _named(text, _read_all(Results(results).runs(), problems), results)
    if not versions:
        raise UserError(f"{text}: no finished run in it")
    latest = {version.result.cell: version for version in sorted(versions, key=lambda v: v.result.finished)}
    return Side(text, latest, problems)


def differing(a: Version, b: Version) -> list[str]:
    """What differs between two runs, in words: facts, versions of packages, options, code."""
    found = differences.of_values(_facts(a), _facts(b))
    if not (a.manifest and b.manifest):
        return [*found, _untold(a, b)]
    return [
        *found,
        *differences.of_options(a.manifest.config, b.manifest.config),
        *differences.of_code(a.manifest, b.manifest),
    ]


def _untold(*versions: Version) -> str:
    """Why nothing is known of options and code."""
    lost = any(not (version.manifest or version.alone) for version in versions)
    return "unknown: a manifest is lost" if lost else "options and code unknown: a file of records has neither"


def _finished(folder: Path) -> list[CellFolder]:
    """The cells of a results folder, or of the study whose folder it is."""
    whole = folder.absolute()
    of_study = (cell for cell in Results(whole.parent).finished() if cell.name.study == whole.name)
    return list(Results(folder).finished()) or list(of_study)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def _of_report(path: Path) -> list[Version]:
    try:
        return [Version(result, None, alone=True) for result in reading.read_lines(path, Metrics)]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None


def _named(text: str, versions: list[Version], results: Path) -> list[Version]:
    resolved = facts.resolve(text)
    commit = resolved or text
    of_key = pattern.of_key(text, versions, lambda version: (version.result.key, version.result.plan_key))
    found = of_key or [version for version in versions if version.commit.startswith(commit)]
    if not found or (len(text) < pattern.SHORTEST and not resolved):
        known = {version.result.label for version in versions} | {version.commit[:12] for version in versions} - {""}
        raise UserError(
            f"{text}: neither a folder nor a label, key or commit of runs under {results}{suggest(text, sorted(known))}"
        )
    return found


def _read_all(folders: Iterable[CellFolder | RunFolder], problems: list[str]) -> list[Version]:
    found = []
    for folder in folders:
        try:
            found.append(_read(folder))
        except FileNotFoundError:
            continue  # unfinished
        except DamagedRecord as error:
            problems.append(str(error))
    return found


def _read(folder: CellFolder | RunFolder) -> Version:
    """The version that a run is, or that a cell's result is a copy of."""
    if isinstance(folder, CellFolder):
        result = checking.current(folder)
        run = folder.run(result.key)
    else:
        result, run = checking.finished(folder), folder
    return Version(result, reading.read(run.manifest, Manifest) if run.manifest.exists() else None)


def _facts(version: Version) -> dict[str, object]:
    """What should be equal for two runs to be comparable, or what was meant to differ."""
    names = ("study", "dataset", "teacher", "student", "label", "method", "preset", "scale", "seed", "metric", "steps")
    machine = ("data_verified", "teacher_sha256", "device", "device_name", "threads", "precision", "concurrent")
    found: dict[str, object] = {name: getattr(version.result, name) for name in names + machine}
    if version.manifest and version.manifest.attempts:
        last = version.manifest.attempts[-1]
        found |= {"commit": last.commit, **last.versions}
    return found
