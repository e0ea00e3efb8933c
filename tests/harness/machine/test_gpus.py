"""The GPU lease, with made-up cards and real processes: who holds what, never how long it took."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.machine import gpus

HOLDER = """
import json, os, sys
from pathlib import Path
from harness.machine import gpus
gpus.POLL_SECONDS = 0.02
say = lambda **facts: print(json.dumps(facts), flush=True)
folder, name, *cards = sys.argv[1:]
lease = gpus.lease(cards, Path(folder), lambda text: say(waiting=text), name)
say(holds=lease.uuid, sees=os.environ["CUDA_VISIBLE_DEVICES"], torch="torch" in sys.modules)
del lease
sys.stdin.readline()
"""

LISTING = """\
GPU 0: NVIDIA H100 (UUID: GPU-aaaa-1)
GPU 1: NVIDIA H100 (UUID: GPU-bbbb-2)
  MIG 3g.40gb     Device  0: (UUID: MIG-b1)
  MIG 3g.40gb     Device  1: (UUID: MIG-b2)
GPU 2: NVIDIA H100 (UUID: GPU-cccc-3)
"""


class Holder:
    """A process that takes a card and keeps it until it is told to end."""

    def __init__(self, folder: Path, name: str, cards: list[str]) -> None:
        command = [sys.executable, "-c", HOLDER, str(folder), name, *cards]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def fileno(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def says(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        facts: dict[str, Any] = json.loads(self.process.stdout.readline())
        return facts

    def end(self) -> None:
        self.process.communicate(b"\n")


Start = Callable[[str, list[str]], Holder]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    holders: list[Holder] = []

    def _start(name: str, cards: list[str]) -> Holder:
        holders.append(Holder(tmp_path, name, cards))
        return holders[-1]

    yield _start
    for holder in holders:
        holder.process.kill()
        holder.process.communicate()


def test_processes_never_share_a_card_and_the_rest_wait(start: Start) -> None:
    cards = ["GPU-a", "GPU-b"]
    first, second = start("cell-1", cards), start("cell-2", cards)
    held = [first.says(), second.says()]
    assert {facts["holds"] for facts in held} == set(cards)
    assert all(facts["sees"] == facts["holds"] and not facts["torch"] for facts in held)

    third = start("cell-3", cards)
    text = third.says()["waiting"]
    for holder, name, facts in ((first, "cell-1", held[0]), (second, "cell-2", held[1])):
        assert f"{facts['holds']} is held by process {holder.process.pid} {name}" in text

    second.end()
    assert third.says()["holds"] == held[1]["holds"]


def test_a_killed_process_frees_its_card_at_once(start: Start) -> None:
    first = start("first", ["GPU-a"])
    assert first.says()["holds"] == "GPU-a"
    waiting = start("second", ["GPU-a"])
    assert "waiting" in waiting.says()
    first.process.kill()
    assert waiting.says()["holds"] == "GPU-a"


def test_many_processes_all_get_their_turn(start: Start) -> None:
    cards = ["GPU-a", "GPU-b"]
    waiting = [start(f"cell-{i}", cards) for i in range(5)]
    held: dict[str, Holder] = {}
    while waiting:
        holder = select.select(waiting, [], [])[0][0]
        facts = holder.says()
        if "holds" in facts:
            assert facts["holds"] not in held
            held[facts["holds"]] = holder
            waiting.remove(holder)
        if len(held) == len(cards):
            held.pop("GPU-a" if len(waiting) % 2 else "GPU-b").end()


def test_a_lease_can_be_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    lease = gpus.lease(["GPU-a", "GPU-b"], tmp_path)
    other = gpus.lease(["GPU-a", "GPU-b"], tmp_path)
    assert (lease.uuid, other.uuid) == ("GPU-a", "GPU-b")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-b"
    lease.release()
    assert gpus.lease(["GPU-a"], tmp_path).uuid == "GPU-a"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (None, ["GPU-aaaa-1", "MIG-b1", "MIG-b2", "GPU-cccc-3"]),
        ("", []),
        ("-1", []),
        ("0", ["GPU-aaaa-1"]),
        ("2, 0", ["GPU-cccc-3", "GPU-aaaa-1"]),
        ("1", ["MIG-b1", "MIG-b2"]),
        ("GPU-cc", ["GPU-cccc-3"]),
        ("MIG-b2", ["MIG-b2"]),
        ("0,7,2", ["GPU-aaaa-1"]),
        ("0,0", ["GPU-aaaa-1"]),
    ],
)
def test_cuda_visible_devices_limits_the_cards(
    setting: str | None, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvidia_smi(tmp_path, monkeypatch, f"cat <<'EOF'\n{LISTING}EOF")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if setting is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    assert gpus.visible() == expected


@pytest.mark.parametrize("script", ["echo 'no driver'; exit 9", "echo 'No devices were found'"])
def test_no_working_driver_means_no_cards(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nvidia_smi(tmp_path, monkeypatch, script)
    assert gpus.visible() == []


def test_no_nvidia_smi_means_no_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus.visible() == []


@pytest.mark.parametrize(
    ("device", "wanted", "cards"),
    [("auto", 4, 0), ("cpu", 4, 1), ("cuda", None, 1), ("auto", 1, 1)],
)
def test_check_accepts(device: str, wanted: int | None, cards: int) -> None:
    gpus.check(device, wanted, cards)


def test_check_says_how_many_cards_there_are_and_what_to_type() -> None:
    with pytest.raises(UserError, match=r"(?s)gpu=4: there is 1 GPU here.*type: --resources gpu=1"):
        gpus.check("auto", 4, 1)
    with pytest.raises(UserError, match="no GPU is visible"):
        gpus.check("cuda", None, 0)


def fake_nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
