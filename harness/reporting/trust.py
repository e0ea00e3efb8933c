"""Whether a study's numbers can be trusted: what they rest on, and what speaks against them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness import remaining
from harness.reporting import names, speed, text
from harness.reporting.rows import Row
from harness.reporting.runs import RecordedRun
from harness.reporting.tables import mixture, notes, remarks
from harness.store import verdict
from harness.store.bounds import BY_HASH
from harness.store.layout import scale_text
from harness.wording import count

LOST = ("failed", "diverged", "damaged")
"""States of cells that have ended without a number."""
SOUND = "Nothing in the records speaks against these numbers."


@dataclass(frozen=True)
class Fact:
    """Something that numbers rest on."""

    name: str
    lines: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    """A sentence for each thing that cannot be trusted because of it."""


@dataclass(frozen=True)
class Trust:
    """What there is to know before believing a number of a study."""

    facts: tuple[Fact, ...]

    @property
    def verdict(self) -> list[str]:
        """All that cannot be trusted, a sentence each; that this is nothing, if it is."""
        return [doubt for fact in self.facts for doubt in fact.doubts] or [SOUND]

    @property
    def sound(self) -> bool:
        """Whether nothing speaks against the numbers."""
        return self.verdict == [SOUND]


def trust(rows: Sequence[Row]) -> Trust:
    """What the numbers of one study rest on; ``rows`` are all of its rows. Records alone are read."""
    runs = [run for row in rows for run in row.done]
    cells = (_cells(rows), _seeds(rows))
    if not runs:
        return Trust(cells)
    return Trust(
        (*cells, _teachers(runs), _devices(runs), _machine(rows, runs), _code(runs), _data(runs), _likeness(rows))
    )


def _cells(rows: Sequence[Row]) -> Fact:
    states = Counter(run.status for row in rows for run in row.runs)
    stale = sum(run.stale for row in rows for run in row.done)
    lost = {state: states[state] for state in LOST if states[state]}
    ended = ", ".join(f"{count} {state}" for state, count in lost.items())
    left = {**lost, "stale": stale, "waiting": states["waiting"]}
    # Records that travelled, or were made one by one, do not tell of what they are a part.
    known = any(run.planned for row in rows for run in row.runs)
    line = [f"{states['done'] - stale} of {states.total()} {'planned' if known else 'recorded'} are done"]
    line += [f"{count} {state}" for state, count in left.items() if count]
    line += [] if known else ["how many were planned is not recorded"]
    line += filter(None, [_time_left(rows)])
    doubts = {
        "The grid is not finished: ranks and means may change.": states["waiting"],
        f"{count(sum(lost.values()), 'cell')} ended without a number ({ended}): means are of the other seeds.": lost,
        f"{count(stale, 'number')} of older code or configuration than the workflow asks for now.": stale,
    }
    return Fact("Cells", (", ".join(line),), tuple(doubt for doubt, there in doubts.items() if there))


def _time_left(rows: Sequence[Row]) -> str:
    """How long what waits, or must run again, will take from now on; empty if nothing does, or nothing tells."""
    done = [(run.name, run.metrics) for row in rows for run in row.done if not run.stale]
    waiting = [run.name for row in rows for run in row.runs if run.status == "waiting"]
    stale = [run.name for row in rows for run in row.done if run.stale]
    return remaining.words(done, [(name, 0.0) for name in [*waiting, *stale]])


def _seeds(rows: Sequence[Row]) -> Fact:
    """How many seeds the rows have that have any: fewer than the study asks for while a grid is under way."""
    asked, done = rows[0].expected, [len(row.done) for row in rows if row.done]
    few, most, alone = min(done, default=0), max(done, default=0), done.count(1)
    there = f"{few} of every row" if few == most else f"{few} to {most} of a row"
    with_one = "With" if alone == len(done) else f"In {count(alone, 'row')} with"
    doubt = f"{with_one} a single seed no difference can be told from chance."
    return Fact("Seeds", (there if few == asked else f"{there}, {asked} asked for",), (doubt,) if alone else ())


def _teachers(runs: Sequence[RecordedRun]) -> Fact:
    found = {notes.teacher(run).removeprefix("Teacher "): run.manifest.teacher_imported for run in runs}
    lines = (line if origin else f"{line.removesuffix('.')}; trained here." for line, origin in found.items())
    return Fact("Teachers", tuple(sorted(lines)))


def _devices(runs: Sequence[RecordedRun]) -> Fact:
    counts = Counter(notes.device(run) for run in runs)
    return Fact("Devices", tuple(f"{device}: {count(number, 'run')}" for device, number in sorted(counts.items())))


def _machine(rows: Sequence[Row], runs: Sequence[RecordedRun]) -> Fact:
    busy = sum(run.metrics.overloaded for run in runs)
    cells = max(run.metrics.concurrent if run.metrics.device == "cpu" else run.metrics.share for run in runs)
    shared = f"shared by up to {cells} cells at once" if cells > 1 else "one cell at a time"
    load = f"overloaded in {busy} of {count(len(runs), 'run')}" if busy else "not overloaded"
    faster, fair = speed.spread(runs), speed.factors(rows)
    shown = "leaderboards, figures and profiles compare costs as on an equally fast one, tables show seconds"
    doubts = {
        f"The machine was overloaded in {count(busy, 'run')}, whose seconds say little.": busy,
        f"The machine was up to {faster:.1f} times as fast in some runs as in others, by the evaluations that all of "
        f"them make: {shown if fair else 'seconds differ by as much'}.": faster > speed.ALIKE,
    }
    return Fact("Machine", (f"{load}, {shared}",), tuple(doubt for doubt, there in doubts.items() if there))


def _code(runs: Sequence[RecordedRun]) -> Fact:
    counts = Counter(_commit(run) for run in runs)
    lines = tuple(f"{commit}: {count(number, 'run')}" for commit, number in sorted(counts.items()))
    own = Counter(run.metrics.label for run in runs if run.manifest.outside)
    lines += (f"with files of their own, kept beside them: {text.some(sorted(own))}",) if own else ()
    dirty, unknown = sum(bool(run.last.dirty) for run in runs), sum(run.last.commit is None for run in runs)
    doubts = {
        f"{count(dirty, 'run')} of code with uncommitted changes, which nobody else has.": dirty,
        f"{count(unknown, 'run')} of unknown code: no commit was recorded.": unknown,
    }
    return Fact("Code", lines, tuple(doubt for doubt, there in doubts.items() if there))


def _commit(run: RecordedRun) -> str:
    if run.last.commit is None:
        return "no commit recorded"
    return f"commit {text.sha(run.last.commit)}, {'uncommitted changes' if run.last.dirty else 'clean'}"


def _data(runs: Sequence[RecordedRun]) -> Fact:
    words = {True: "verified", False: "not verified", BY_HASH: "own images, known by their hash alone"}
    found = sorted({(run.metrics.dataset, words[run.metrics.data_verified]) for run in runs})
    unverified = sorted({run.metrics.dataset for run in runs if run.metrics.data_verified is False})
    doubts = [f"Data of {names.dataset(name)}: checksums were not compared." for name in unverified]
    lines = tuple(f"{names.dataset(name)}: {word}" for name, word in found)
    return Fact("Data", lines, (*doubts, *notes.tuning(runs)))


def _likeness(rows: Sequence[Row]) -> Fact:
    """Whether all runs have the same teacher, code, device and precision, and whether `dkd verify` agrees with them."""
    odd = Counter(mixture.check(rows, mixed=True).values())
    runs = [run for row in rows for run in row.done]
    found = [verdict.words(run.folder) for run in runs]
    wrong, again = sum(word.startswith("NOT") for word in found), sum(map(bool, found))
    alike = "teacher, code, device and precision are the same in all runs"
    unlike = f"{count(odd.total(), 'run')} unlike the others"
    doubts = [f"{count(number, 'run')} unlike the others: {note}." for note, number in sorted(odd.items())]
    doubts += _options(rows)
    doubts += [f"{count(wrong, 'run')} did not give the same number when measured again."] if wrong else []
    return Fact(
        "Runs", (unlike if odd else alike, f"{again} of {len(runs)} measured again by dkd verify"), tuple(doubts)
    )


def _options(rows: Sequence[Row]) -> list[str]:
    """Which rows are means over runs of different options."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(remarks.differing(row), []).append(f"{row.title} at {scale_text(row.scale)} %")
    return [
        f"Seeds of {text.some(list(dict.fromkeys(of)))} ran with different {options}."
        for options, of in found.items()
        if options
    ]
