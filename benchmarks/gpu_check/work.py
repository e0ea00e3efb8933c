"""Does the parts of a check, each in a process of its own, within the time that there is."""

from __future__ import annotations

import functools
import gc
import importlib
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from benchmarks.gpu_check import table
from benchmarks.gpu_check.record import Record
from benchmarks.gpu_check.setting import Items, Setting
from harness import ROOT, start
from harness.machine.locks import lock
from harness.store.atomic import write_bytes

GRACE = 5.0
"""Seconds past its time after which a part is killed."""
KEPT = 800
"""Letters of an error that are kept: its end."""
BROKEN, OVER = 4, 5
"""Status of a part's process that cannot use the card any more, and of one whose time is over."""


def check(parts: Mapping[str, float], setting: Setting, seconds: float) -> int:
    """Do what is left of all parts; 0 if nothing failed and nothing is left.

    Args:
        parts: name -> share of the time left that it may take, in their order.
        setting: what is checked, and where record and table go.
        seconds: when to end.
    """
    out, until = setting.out, time.time() + seconds
    out.mkdir(parents=True, exist_ok=True)
    with lock(out / "lock"):  # a part of an earlier call that was killed may still be at its last item
        record(out).try_again()
    cut = []
    for part, share in parts.items():
        if not _part(part, setting, time.time() + share * (until - time.time())):
            cut.append(part)
    found = record(out)
    write_bytes(out / "gpu-check.md", table.text(found, cut).encode())
    for item, error in found.failures.items():
        print(f"failed: {item}: {error.splitlines()[-1]}")
    print(f"{sum(map(len, found.parts.values()))} items, {len(found.failures)} failed: {out / 'gpu-check.md'}")
    if cut:
        print(f"not all of {', '.join(cut)}: the same command goes on")
    return int(bool(cut or found.failures))


def _part(part: str, setting: Setting, until: float) -> bool:
    """Do one part; whether it came to its end. A process that dies costs the item it was at, and another goes on."""
    out, command = setting.out, [sys.executable, "-m", "benchmarks.gpu_check", *setting.arguments, "--part", part]
    while time.time() < until:
        before = len(record(out).parts.get(part, {}))
        child = [*command, "--until", str(until)]
        status = _wait(subprocess.Popen(child, cwd=ROOT, env=start.environment(), start_new_session=True), until)
        found = record(out)
        if status in (None, OVER):
            found.lost("out of time")
            return False
        if status == 0:
            return True
        if status != BROKEN and not found.lost(f"its process ended with status {status}"):
            found.end(part, "start", {"error": f"it ended with status {status} before its first item"})
            return True
        if len(found.parts.get(part, {})) == before:
            return True
    return False


def _wait(process: subprocess.Popen[bytes], until: float) -> int | None:
    """Status of the process; None if it had to be killed, with all that it started, since its time was over."""
    try:
        return process.wait(max(0.0, until + GRACE - time.time()))
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:  # also when this process is interrupted
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def do(part: str, setting: Setting, until: float) -> int:
    """Do the items that are not in the record yet, while there is time and the process that began this lives."""
    parent, out = os.getppid(), setting.out
    with lock(out / "lock"):
        for name, action in _items(part, setting).items():
            found = record(out)
            if name in found.parts.get(part, {}):
                continue
            if time.time() > until or os.getppid() != parent:
                return OVER
            found.begin(part, name)
            began = time.monotonic()
            try:
                result = action()
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is what the check is for
                result = {"error": _told(error)}
            found.end(part, name, {**result, "took": time.monotonic() - began})
            print(f"{part}: {name}: {'failed' if 'error' in result else 'done'}", flush=True)
            if "error" in result and not _usable():
                return BROKEN
            gc.collect()
    return 0


def _items(part: str, setting: Setting) -> Items:
    """The part's; one that fails if they cannot be made."""
    try:
        items: Items = importlib.import_module(f"benchmarks.gpu_check.{part}").items(setting)
    except Exception as error:  # noqa: BLE001 - as above
        return {"start": functools.partial(_raise, error)}
    return items


def _raise(error: Exception) -> NoReturn:
    raise error


def record(out: Path) -> Record:
    """What has been found so far."""
    return Record(out / "gpu-check.json")


def _told(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-KEPT:].strip()


def _usable() -> bool:
    """Whether the card still calculates in this process: some errors end that."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return True
    try:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
    except RuntimeError:
        return False
    return True
