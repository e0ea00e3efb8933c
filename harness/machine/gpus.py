"""Which GPU a process may use: a place on a card, held for the life of the process.

Snakemake's ``--resources gpu=N`` limits how many cells run at once, but gives no card to any of them. Every process
therefore takes a lease before CUDA is initialised. Cards go by UUID, because an index means another card inside a
SLURM job. The kernel frees a lock when its process dies, however it dies. Never imports torch.

A card has `MOST` places, each a note that is locked. A process that shares a card with ``share - 1`` others at most
takes one of the first ``share`` places, and keeps all later ones free: then no process has more company than it asked
for, whatever the others ask.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError
from harness.machine import notes, nvml
from harness.terminal import say

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""What CUDA reads, once, when it is initialised."""
POLL_SECONDS = 1.0
REPORT_SECONDS = 60.0
"""How often a waiting process says who holds the cards."""
MOST = 8
"""Processes that can share one card."""

_held: dict[str, list[int]] = {}
"""UUID of a card that this process has -> the open files whose locks say so."""


@dataclass
class Lease:
    """A place on a card, ours until `release` or the end of the process."""

    uuid: str
    waited: float
    """Seconds until the card was free."""
    others: str | None
    """What CUDA_VISIBLE_DEVICES was before."""

    def release(self) -> None:
        """Give the card back. Only before CUDA is initialised: a process keeps its memory on a card to its end."""
        _close(_held.pop(self.uuid))
        if self.others is None:
            os.environ.pop(VISIBLE, None)
        else:
            os.environ[VISIBLE] = self.others


def device(wanted: str) -> str:
    """Where a cell's device leads on this machine: ``auto`` to ``cuda`` if there is a card, else to ``cpu``."""
    return wanted if wanted != "auto" else "cuda" if visible() else "cpu"


def visible() -> list[str]:
    """UUIDs of the cards (or MIG instances) that this process may use; empty without a driver.

    A CUDA_VISIBLE_DEVICES that is already set counts, with indices in PCI order, as SLURM and nvidia-smi count.
    """
    return _allowed(nvml.cards(), os.environ.get(VISIBLE))


def check(device: str, wanted: int | None, cards: int, share: int = 1, precisions: Collection[str] = ()) -> None:
    """Raise UserError if so many ``cards`` cannot serve a study's ``device`` or ``--resources gpu=<wanted>``.

    Nor if the ``precisions`` of its cells need a card and there is none. Each card serves ``share`` cells at once.
    Without any card, ``device: auto`` means the CPU, and ``gpu=N`` asks for nothing.
    """
    if device == "cuda" and not cards:
        raise UserError("device: cuda, but no GPU is visible here\n  on this machine's CPU: set device: auto or cpu")
    if "tf32" in precisions and not cards:
        raise UserError("precision: tf32, but no GPU is visible here\n  on this machine's CPU: precision: fp32 or bf16")
    if device != "cpu" and cards and wanted == 0:
        raise UserError("--resources gpu=0, and the study wants one\n  on this machine's CPU: set device: cpu")
    places = cards * share
    if device != "cpu" and cards and wanted is not None and wanted > places:
        shared = f", each for {share} cells at once" if share > 1 else ""
        raise UserError(
            f"--resources gpu={wanted}: there {_are(cards)} here{shared}\n  type: --resources gpu={places}\n"
            "  CUDA_VISIBLE_DEVICES, if it is set, limits which ones count"
        )


def lease(
    uuids: list[str],
    folder: Path | None = None,
    report: Callable[[str], object] = say,
    name: str = "",
    share: int = 1,
) -> Lease:
    """Take a place on one of the cards, wait if none is free, and make the card the only one that CUDA will see.

    A process that has one of them already keeps it: CUDA will not see another.

    Args:
        uuids: the cards to choose from; at least one.
        folder: where the locks are; by default one per user on this node.
        report: told who holds the cards, at once and then every minute, while this process waits.
        name: what others are told about us, such as the cell's name.
        share: how many processes may be on the card, this one included; 1 to `MOST`.
    """
    started, others = time.monotonic(), os.environ.get(VISIBLE)
    for held in _held.keys() & set(uuids):
        return Lease(held, 0.0, others)
    folder = folder or _default_folder()
    reports = itertools.count(started, REPORT_SECONDS)
    due = next(reports)
    while (uuid := _take_any(uuids, folder, name, share)) is None:
        if time.monotonic() >= due:
            report(f"waiting for a GPU: {holders(uuids, folder)}")
            due = next(reports)
        time.sleep(POLL_SECONDS)
    os.environ[VISIBLE] = uuid
    return Lease(uuid, time.monotonic() - started, others)


def holders(uuids: list[str], folder: Path) -> str:
    """Who holds each card, as one line of text."""
    return "; ".join(f"{uuid} is held by {_holders(folder, uuid)}" for uuid in uuids)


def _holders(folder: Path, uuid: str) -> str:
    held = [note for note in (_note(folder, uuid, place) for place in range(MOST)) if notes.held(note)]
    return ", ".join(map(notes.holder, held)) or "nobody any more"


def _take_any(uuids: list[str], folder: Path, name: str, share: int) -> str | None:
    """The first card that has a place; first places of all cards come first, so that cards fill evenly."""
    for place, uuid in itertools.product(range(share), uuids):
        if files := _take(folder, uuid, place, name, share):
            _held[uuid] = files
            return uuid
    return None


def _take(folder: Path, uuid: str, place: int, name: str, share: int) -> list[int]:
    """Files whose locks hold the place, and keep those free that a card with ``share`` places lacks; none if taken."""
    files: list[int] = []
    for other in (place, *range(share, MOST)):
        note = _note(folder, uuid, other)
        file = notes.take(note, name) if other == place else notes.keep_free(note)
        if file is None:
            _close(files)
            return []
        files.append(file)
    return files


def _close(files: list[int]) -> None:
    for file in files:
        os.close(file)


def _note(folder: Path, uuid: str, place: int) -> Path:
    return folder / f"{uuid.replace('/', '_')}{f'.{place}' if place else ''}.lock"


def _default_folder() -> Path:
    """A private folder on this node: a shared one would mix up the cards of several nodes."""
    folder = Path(tempfile.gettempdir()) / f"dkd-gpus-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    about = folder.lstat()  # not what a link of somebody else leads to
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o022:
        raise UserError(
            f"{folder}: not a folder that only you can write to; remove it, or set TMPDIR to a folder of your own"
        )
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
