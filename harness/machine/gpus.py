"""Which GPU a process may use: one lock per card, held for the life of the process.

Snakemake's ``--resources gpu=N`` limits how many cells run at once, but gives no card to any of them. Every process
therefore takes a lease before CUDA is initialised. Cards go by UUID, because an index means another card inside a
SLURM job. The kernel frees a lock when its process dies, however it dies. Never imports torch.
"""

from __future__ import annotations

import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from harness.errors import UserError
from harness.machine import nvml

POLL_SECONDS = 1.0
REPORT_SECONDS = 60.0
"""How often a waiting process says who holds the cards."""

_held: list[FileLock] = []
"""Keeps the locks from being collected, and so released, when a caller drops its lease."""


@dataclass
class Lease:
    """One card, ours until `release` or the end of the process."""

    uuid: str
    waited: float
    """Seconds until the card was free."""
    lock: FileLock

    def release(self) -> None:
        """Give the card back."""
        self.lock.release()
        _held.remove(self.lock)


def visible() -> list[str]:
    """UUIDs of the cards (or MIG instances) that this process may use; empty without a driver.

    A CUDA_VISIBLE_DEVICES that is already set counts, with indices in PCI order, as SLURM and nvidia-smi count.
    """
    return _allowed(nvml.cards(), os.environ.get("CUDA_VISIBLE_DEVICES"))


def check(device: str, wanted: int | None, cards: int) -> None:
    """Raise UserError if so many ``cards`` cannot serve a study's ``device`` or ``--resources gpu=<wanted>``.

    Without any card, ``device: auto`` means the CPU, and ``gpu=N`` asks for nothing.
    """
    if device == "cuda" and not cards:
        raise UserError("device: cuda, but no GPU is visible here\n  on this machine's CPU: set device: auto or cpu")
    if device != "cpu" and cards and wanted is not None and wanted > cards:
        raise UserError(
            f"--resources gpu={wanted}: there {_are(cards)} here\n  type: --resources gpu={cards}\n"
            "  CUDA_VISIBLE_DEVICES, if it is set, limits which ones count"
        )


def lease(
    uuids: list[str], folder: Path | None = None, report: Callable[[str], object] = print, name: str = ""
) -> Lease:
    """Take one of the cards, wait if none is free, and make it the only one that CUDA will see.

    Args:
        uuids: the cards to choose from; at least one.
        folder: where the locks are; by default one per user on this node.
        report: told who holds the cards, at once and then every minute, while this process waits.
        name: what others are told about us, such as the cell's name.
    """
    folder = folder or _default_folder()
    started = time.monotonic()
    reports = itertools.count(started, REPORT_SECONDS)
    due = next(reports)
    while (taken := _take_any(uuids, folder)) is None:
        if time.monotonic() >= due:
            report(f"waiting for a GPU: {holders(uuids, folder)}")
            due = next(reports)
        time.sleep(POLL_SECONDS)
    uuid, lock = taken
    # A lock that is collected is released: whoever drops its lease without giving it back keeps the card all the same.
    _held.append(lock)
    _sidecar(folder, uuid).write_text(json.dumps({"pid": os.getpid(), "name": name}), encoding="utf-8")
    # CUDA reads this once, when it is initialised; torch must not have been asked for a card before.
    os.environ["CUDA_VISIBLE_DEVICES"] = uuid
    return Lease(uuid, time.monotonic() - started, lock)


def holders(uuids: list[str], folder: Path) -> str:
    """Who holds each card, as one line of text."""
    return "; ".join(f"{uuid} is held by {_holder(_sidecar(folder, uuid))}" for uuid in uuids)


def _take_any(uuids: list[str], folder: Path) -> tuple[str, FileLock] | None:
    for uuid in uuids:
        lock = FileLock(_sidecar(folder, uuid).with_suffix(".lock"), mode=0o600, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        return uuid, lock
    return None


def _sidecar(folder: Path, uuid: str) -> Path:
    return folder / f"{uuid.replace('/', '_')}.json"


def _holder(sidecar: Path) -> str:
    try:
        entry = json.loads(sidecar.read_text(encoding="utf-8"))
        return f"process {entry['pid']} {entry['name']}".rstrip()
    except (OSError, ValueError):
        return "another process"  # it has the lock and is about to write its name


def _default_folder() -> Path:
    """A private folder on this node: a shared one would mix up the cards of several nodes."""
    folder = Path(tempfile.gettempdir()) / f"dkd-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise UserError(f"{folder}: belongs to another user; remove it, or set TMPDIR to a folder of your own")
    return folder


def _allowed(cards: list[list[str]], setting: str | None) -> list[str]:
    """The usable UUIDs that CUDA_VISIBLE_DEVICES leaves; as in CUDA, the first invalid entry ends the list."""
    usable = [card[1:] or card for card in cards]  # a card in MIG mode is used through its instances
    if setting is None:
        return [uuid for card in usable for uuid in card]
    chosen: list[str] = []
    for entry in filter(None, setting.replace(" ", "").split(",")):
        matching = _matching(entry, cards, usable)
        if not matching:
            break
        chosen += [uuid for uuid in matching if uuid not in chosen]
    return chosen


def _matching(entry: str, cards: list[list[str]], usable: list[list[str]]) -> list[str]:
    if entry.isdigit():
        return usable[int(entry)] if int(entry) < len(cards) else []
    for card, instances in zip(cards, usable, strict=True):
        if card[0].startswith(entry):
            return instances
        for uuid in instances:
            if uuid.startswith(entry):
                return [uuid]
    return []


def _are(count: int) -> str:
    return "is 1 GPU" if count == 1 else f"are {count} GPUs"
