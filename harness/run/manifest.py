"""The manifest: what a run was made with, and one entry for every process that worked on it."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.engine import precision
from harness.errors import describe
from harness.grid import files, keys
from harness.machine import facts
from harness.run import copies, log
from harness.run.run import Run
from harness.store import atomic, reading
from harness.store.records import FIRST_ATTEMPTS, LAST_ATTEMPTS, Attempt, Manifest


@dataclass
class Entry:
    """The entry of this process."""

    run: Run
    manifest: Manifest

    def note(self, **known: str) -> None:
        """Note what the attempt has found out; names are those of `Attempt`."""
        last = self.manifest.attempts[-1].model_copy(update=known)
        attempts = [*self.manifest.attempts[:-1], last]
        self.manifest = self.manifest.model_copy(update={"attempts": attempts})
        atomic.write(self.run.folder.manifest, self.manifest)

    def end(self, outcome: str) -> None:
        """Note how the attempt ended. The manifest is final then, until another attempt: metrics seal it."""
        self.note(end=facts.now(), outcome=outcome)


@contextmanager
def attempt(run: Run) -> Iterator[Entry]:
    """Enter an attempt at the run in its manifest; whoever trains notes its end.

    An exception that passes through is noted, with its traceback in the log. A process that is killed leaves its
    entry without an end.
    """
    # Written before the work begins: whatever ends the process, the manifest says that it was there.
    entry = Entry(run, _begun(run))
    atomic.write(run.folder.manifest, entry.manifest)
    try:
        yield entry
    except BaseException as error:
        entry.end(f"error: {describe(error)}")
        log.append(run.folder, traceback.format_exc())
        raise


def _begun(run: Run) -> Manifest:
    path = run.folder.manifest
    earlier = reading.read(path, Manifest) if path.exists() else None
    attempts = [*(earlier.attempts if earlier else []), _attempt(run)]
    surplus = range(FIRST_ATTEMPTS, len(attempts) - LAST_ATTEMPTS)
    return Manifest(
        cell=run.cell.name,
        key=run.key,
        plan_key=run.plan_key,
        config=run.config.model_dump(mode="json"),
        chosen=files.plain({**run.cell.budget.options, **run.cell.options}),
        precision=run.cell.precision,
        sources=keys.sources(run.cell),
        data=keys.data(run.cell),
        scheme=keys.SCHEME,
        numbers=keys.NUMBERS,
        prior=run.prior,
        teacher_sha256=run.teacher.identity,
        teacher_normalisation=run.teacher.normalisation,
        teacher_imported=run.teacher.imported,
        outside=copies.keep(run),
        networks={"teacher": run.cell.teacher_network, "student": run.cell.student_network},
        attempts=[attempt for index, attempt in enumerate(attempts) if index not in surplus],
        dropped=len(surplus) + (earlier.dropped if earlier else 0),
    )


def _attempt(run: Run) -> Attempt:
    commit, dirty = facts.commit()
    return Attempt(
        start=facts.now(),
        host=facts.host(),
        pid=os.getpid(),
        device=run.device.type,
        device_name=run.device_name,
        threads=run.cell.threads,
        precision=precision.settings(run.cell.precision, run.cell.deterministic) if run.device.type == "cuda" else None,
        graphs=run.cell.graphs,
        concurrent=run.concurrent,
        commit=commit,
        dirty=dirty,
        versions=facts.versions(),
    )
