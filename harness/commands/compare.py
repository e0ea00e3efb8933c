"""`dkd compare`: two versions of the same cells, paired by seed. Reads records alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from harness.commands import differences, within
from harness.commands.output import Line, columns
from harness.errors import UserError, suggest
from harness.grid import pattern
from harness.machine import facts
from harness.store import checking, reading
from harness.store.layout import CellFolder, CellName, Results, RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Manifest, Metrics


@dataclass(frozen=True)
class Version:
    """One finished run and where it comes from."""

    result: Metrics
    manifest: Manifest | None
    """None where it is lost."""

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


Paired = list[tuple[Version, Version]]
"""Two runs of the same cell each."""
Done = list[tuple[Metrics, Metrics]]
"""The results of those where both have one."""


def side(text: str, results: Path) -> Side:
    """The runs meant by a results folder, a report's records.jsonl, a key under ``results`` or a commit.

    Keys, of cells and of plans, and commits may be shortened. Of several runs of a cell the one that finished last
    counts.

    Raises UserError if there is none.
    """
    problems: list[str] = []
    if (path := Path(text).expanduser()).is_dir():
        versions = _read_all(Results(path).finished(), problems)
    elif path.suffix == ".jsonl":
        versions = [Version(result, None) for result in reading.read_lines(path, Metrics)]
    else:
        versions = _named(text, _read_all(Results(results).runs(), problems), results)
    if not versions:
        raise UserError(f"{text}: no finished run in it")
    latest = {version.result.cell: version for version in sorted(versions, key=lambda v: v.result.finished)}
    return Side(text, latest, problems)


def table(a: Side, b: Side) -> Iterator[Line]:
    """For every row that both have: accuracy and time of both sides, and what differs between them."""
    pairs = _pairs(a, b)
    groups: dict[str, Paired] = {}
    for before, after in pairs:
        groups.setdefault(CellName.parse(before.result.cell).row, []).append((before, after))
    yield f"A = {a.name}, B = {b.name}: {len(pairs)} runs in both"
    for name, group in groups.items():
        yield name
        yield columns(_group(group), indent=2)
    judged = [verdict for group in groups.values() if (verdict := within.judge(*_finals(_done(group))))]
    if judged:
        yield f"{sum(verdict.within for verdict in judged)} of {len(judged)} rows are within what their seeds differ by"
    paired = {version.result.cell for pair in pairs for version in pair}
    for letter, one in (("A", a), ("B", b)):
        yield from (f"only in {letter}: {cell}" for cell in sorted(one.runs.keys() - paired))
        yield from one.problems


def _named(text: str, versions: list[Version], results: Path) -> list[Version]:
    commit = facts.resolve(text) or text
    of_key = pattern.of_key(text, versions, lambda version: (version.result.key, version.result.plan_key))
    found = of_key or [version for version in versions if version.commit.startswith(commit)]
    if not found or len(text) < pattern.SHORTEST:
        known = sorted({version.commit[:12] for version in versions} - {""})
        raise UserError(f"{text}: neither a folder nor a key or commit of runs under {results}{suggest(text, known)}")
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


def _pairs(a: Side, b: Side) -> Paired:
    """Runs of the same cell and seed; two single runs are compared whatever they are."""
    if len(a.runs) == len(b.runs) == 1:
        return list(zip(a.runs.values(), b.runs.values(), strict=True))
    return [(a.runs[cell], b.runs[cell]) for cell in sorted(a.runs.keys() & b.runs.keys())]


def _group(pairs: Paired) -> Iterator[tuple[str, str]]:
    """What is said of one row: a word and what it stands for."""
    both = _done(pairs)
    for before, after in pairs:
        for letter, result in (("A", before.result), ("B", after.result)):
            if result.status != "done":
                yield "left out", f"seed {result.seed}: {result.status} in {letter}: {result.reason}"
    if both:
        yield "accuracy", _accuracy(both)
        verdict = within.judge(*_finals(both))
        yield "expected", str(verdict) if verdict else "one seed does not say"
        yield "cost", _cost(both)
    found = dict.fromkeys(text for pair in pairs for text in _differences(*pair))
    yield from (("differs", text) for text in found or ["nothing that is recorded"])


def _done(pairs: Paired) -> Done:
    return [(x.result, y.result) for x, y in pairs if x.result.status == y.result.status == "done"]


def _finals(both: Done) -> tuple[list[float], list[float]]:
    return [x.final or 0.0 for x, _ in both], [y.final or 0.0 for _, y in both]


def _accuracy(both: Done) -> str:
    before, after = _finals(both)
    deltas = [y - x for x, y in zip(before, after, strict=True)]
    spread = f" ± {stdev(deltas):.2f}" if len(deltas) > 1 else ""
    seeds = ", ".join(str(result.seed) for result, _ in both)
    return (
        f"{mean(before):.2f} → {mean(after):.2f} % {both[0][0].metric}, Δ {mean(deltas):+.2f}{spread} "
        f"(n = {len(deltas)}, seeds {seeds})"
    )


def _cost(both: Done) -> str:
    before, after = (mean(result.cost.end_to_end for result in results) for results in zip(*both, strict=True))
    units = dict.fromkeys("CPU s" if result.device == "cpu" else "GPU s" for pair in both for result in pair)
    ratio = f", × {after / before:.2f}" if before and len(units) == 1 else ""
    overloaded = sum(result.overloaded for pair in both for result in pair)
    note = f"; {overloaded} of these runs on an overloaded machine" if overloaded else ""
    return f"{before:.1f} → {after:.1f} {' → '.join(units)}{ratio}{note}"


def _differences(a: Version, b: Version) -> list[str]:
    found = differences.of_values(_facts(a), _facts(b))
    if not (a.manifest and b.manifest):
        return [*found, "unknown: a manifest is lost"]
    return [
        *found,
        *differences.of_options(a.manifest.config, b.manifest.config),
        *differences.of_code(a.manifest, b.manifest),
    ]


def _facts(version: Version) -> dict[str, object]:
    """What should be equal for two runs to be comparable, or what was meant to differ."""
    names = ("study", "dataset", "teacher", "student", "label", "method", "preset", "scale", "seed", "metric")
    machine = ("teacher_sha256", "device", "device_name", "threads", "precision", "concurrent")
    found: dict[str, object] = {name: getattr(version.result, name) for name in names + machine}
    if version.manifest and version.manifest.attempts:
        last = version.manifest.attempts[-1]
        found |= {"commit": last.commit, **last.versions}
    return found
