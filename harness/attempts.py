"""The manifest: one entry for every process that worked on a run."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from harness import keys, provenance, records, storage
from harness.assemble import choose_device, method_config
from harness.records import Attempt, Manifest
from harness.runner import Run


@dataclass
class Outcome:
    """How an attempt ended; set by whoever trains."""

    outcome: str | None = None


@contextmanager
def recorded(run: Run) -> Iterator[Outcome]:
    """Enter the attempt in manifest.json, and its end when the block ends.

    An exception that passes through is noted with its traceback in attempts.log. A process that is killed leaves its
    entry without an end.
    """
    manifest = _begun(run)
    storage.write(run.folder / "manifest.json", manifest)
    result = Outcome()
    try:
        yield result
    except BaseException as error:
        result.outcome = f"error: {type(error).__name__}: {error}"
        with (run.folder / "attempts.log").open("a") as log:
            log.write(traceback.format_exc())
        raise
    finally:
        last = manifest.attempts[-1].model_copy(update={"end": provenance.now(), "outcome": result.outcome})
        ended = manifest.model_copy(update={"attempts": [*manifest.attempts[:-1], last]})
        storage.write(run.folder / "manifest.json", ended)


def device_name(device: torch.device) -> str:
    """Model of the GPU or the processor."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else provenance.cpu_name()


def _begun(run: Run) -> Manifest:
    path = run.folder / "manifest.json"
    earlier = records.read(path, Manifest).attempts if path.exists() else []
    return Manifest(
        cell=run.cell.name,
        key=run.key,
        plan_key=run.plan_key,
        config=method_config(run.cell).model_dump(mode="json"),
        sources=keys.sources(run.cell),
        numbers=keys.numbers(),
        teacher_sha256=run.teacher.sha256,
        attempts=[*earlier, _attempt(run)],
    )


def _attempt(run: Run) -> Attempt:
    device = choose_device(run.cell.device)
    commit, dirty = provenance.commit()
    return Attempt(
        start=provenance.now(),
        host=provenance.host(),
        pid=os.getpid(),
        device=device.type,
        device_name=device_name(device),
        threads=run.cell.threads,
        concurrent=run.concurrent,
        commit=commit,
        dirty=dirty,
        versions=provenance.versions(),
    )
