"""The GPU lease, with made-up cards and real processes: who holds what, never how long it took."""

from __future__ import annotations

import fcntl
import json
import os
import random
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
folder, name, share, *cards = sys.argv[1:]
lease = gpus.lease(cards, Path(folder), lambda text: say(waiting=text), name, int(share))
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

    def __init__(self, folder: Path, name: str, cards: list[str], share: int = 1) -> None:
        command = [sys.executable, "-c", HOLDER, str(folder), name, str(share), *cards]
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


Start = Callable[..., Holder]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    holders: list[Holder] = []

    def _start(name: str, cards: list[str], share: int = 1) -> Holder:
        holders.append(Holder(tmp_path, name, cards, share))
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


def test_three_processes_share_a_card_and_the_fourth_waits_for_any_of_them(start: Start) -> None:
    three = [start(f"cell-{i}", ["GPU-a"], 3) for i in range(3)]
    assert [holder.says()["holds"] for holder in three] == ["GPU-a"] * 3
    fourth = start("cell-3", ["GPU-a"], 3)
    text = fourth.says()["waiting"]
    assert all(f"process {holder.process.pid} cell-{i}" in text for i, holder in enumerate(three))
    three[1].process.kill()
    assert fourth.says()["holds"] == "GPU-a"


@pytest.mark.parametrize("shares", [(1, 3), (3, 1), (2, 1)])
def test_a_process_that_wants_a_card_alone_has_it_alone(start: Start, shares: tuple[int, int]) -> None:
    first = start("first", ["GPU-a"], shares[0])
    assert first.says()["holds"] == "GPU-a"
    second = start("second", ["GPU-a"], shares[1])
    assert f"GPU-a is held by process {first.process.pid} first" in second.says()["waiting"]
    first.end()
    assert second.says()["holds"] == "GPU-a"


def test_cards_that_are_shared_fill_evenly(tmp_path: Path) -> None:
    cards, taken = ["GPU-a", "GPU-b", "GPU-c"], []
    for place in range(3):
        for _ in cards:
            card = next(card for card in cards if gpus._take(tmp_path, card, place, "", 3))
            taken.append(card)
    assert taken == cards * 3


@pytest.mark.parametrize("shares", [(1,), (2,), (3,), (8,), (1, 2), (2, 3), (3, 5), (1, 4, 8)])
def test_no_process_ever_has_more_company_than_it_asked_for(tmp_path: Path, shares: tuple[int, ...]) -> None:
    """Comings and goings by chance: where all share alike, a process waits only if the card is full."""
    chance, here = random.Random(0), list[tuple[int, list[int]]]()
    for _ in range(300):
        if here and chance.random() < 0.4:
            gpus._close(here.pop(chance.randrange(len(here)))[1])
            continue
        share = chance.choice(shares)
        places = (gpus._take(tmp_path, "GPU-a", place, "", share) for place in range(share))
        files = next((files for files in places if files), None)
        full = len(here) >= min([share, *(other for other, _ in here)])
        assert not (files and full)
        assert files or here
        assert files or full or len(shares) > 1
        if files:
            here.append((share, files))
    for _, files in here:
        gpus._close(files)


def test_a_lease_can_be_given_back(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    lease = gpus.lease(["GPU-a", "GPU-b"], tmp_path)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == lease.uuid == "GPU-a"
    other = start("other", ["GPU-a"])
    assert "waiting" in other.says()
    lease.release()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-a,GPU-b"
    assert other.says()["holds"] == "GPU-a"
    second = gpus.lease(["GPU-a", "GPU-b"], tmp_path)
    assert second.uuid == "GPU-b"
    second.release()


@pytest.mark.parametrize("before", [None, "GPU-a"])
def test_a_process_that_has_a_card_does_not_wait_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.setattr(gpus.time, "sleep", lambda seconds: pytest.fail("it waits"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if before:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before)
    first = gpus.lease(["GPU-a"], tmp_path, name="first")
    again = gpus.lease(["GPU-b", "GPU-a"], tmp_path, name="second")
    assert (again.uuid, again.waited) == ("GPU-a", 0.0)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-a"
    first.release()
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == before


def put_link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def put_hard_link(path: Path, victim: Path) -> None:
    path.hardlink_to(victim)


def put_pipe(path: Path, victim: Path) -> None:
    os.mkfifo(path)


def put_folder(path: Path, victim: Path) -> None:
    path.mkdir()


def put_dangling_link(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("made"))


@pytest.mark.parametrize("put", [put_link, put_hard_link, put_pipe, put_folder, put_dangling_link])
def test_what_lies_in_the_place_of_a_note_is_refused_and_left_alone(
    tmp_path: Path, put: Callable[[Path, Path], None]
) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "locks"
    victim.write_text("precious", encoding="utf-8")
    folder.mkdir()
    put(folder / "GPU-a.lock", victim)
    with pytest.raises(UserError, match=r"GPU-a\.lock: not a file of ours; remove it"):
        gpus.lease(["GPU-a"], folder)
    assert gpus.holders(["GPU-a"], folder) == "GPU-a is held by another process"
    assert victim.read_text(encoding="utf-8") == "precious"
    assert not victim.with_name("made").exists()


@pytest.mark.parametrize("note", [b"", b"{", b"[1]", b"\xff\xfe", b'{"pid": 1}', b"9" * 10_000_000, b"[" * 4096])
def test_a_note_that_says_nothing_is_another_process(tmp_path: Path, note: bytes) -> None:
    with held(tmp_path / "GPU-a.lock", note):
        assert gpus.holders(["GPU-a"], tmp_path) == "GPU-a is held by another process"


def test_a_name_in_a_note_is_cleaned(tmp_path: Path) -> None:
    with held(tmp_path / "GPU-a.lock", json.dumps({"pid": 7, "name": "\x1b[2J"}).encode()):
        assert gpus.holders(["GPU-a"], tmp_path) == r"GPU-a is held by process 7 \x1b[2J"


@contextmanager
def held(note: Path, content: bytes) -> Iterator[None]:
    """A note whose lock somebody else holds."""
    note.write_bytes(content)
    with note.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_a_note_without_a_holder_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "GPU-a.lock").write_bytes(b'{"pid": 7, "name": "gone"}')
    assert gpus.holders(["GPU-a"], tmp_path) == "GPU-a is held by nobody any more"


def test_the_folder_of_leases_is_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = tmp_path / f"dkd-gpus-{os.getuid()}"
    lease = gpus.lease(["GPU-z"])
    lease.release()
    assert place.stat().st_mode & 0o777 == 0o700
    place.chmod(0o777)
    with pytest.raises(UserError, match="not a folder that only you can write to"):
        gpus.lease(["GPU-z"])
    place.chmod(0o700)
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="not a folder that only you can write to"):
        gpus.lease(["GPU-z"])


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
    ("device", "wanted", "cards", "share"),
    [
        ("auto", 4, 0, 1),
        ("auto", 0, 0, 1),
        ("cpu", 0, 1, 1),
        ("cpu", 4, 1, 1),
        ("cuda", None, 1, 1),
        ("auto", 3, 1, 3),
        ("cuda", 8, 4, 2),
    ],
)
def test_check_accepts(device: str, wanted: int | None, cards: int, share: int) -> None:
    gpus.check(device, wanted, cards, share)


def test_check_refuses_a_precision_that_needs_a_card_where_there_is_none() -> None:
    gpus.check("auto", None, 1, precisions={"fp32", "tf32"})
    gpus.check("auto", None, 0, precisions={"fp32", "bf16"})
    with pytest.raises(UserError, match=r"precision: tf32, but no GPU is visible here\n.*fp32 or bf16"):
        gpus.check("auto", None, 0, precisions={"fp32", "tf32"})


def test_check_says_how_many_cards_there_are_and_what_to_type() -> None:
    with pytest.raises(UserError, match=r"(?s)gpu=4: there is 1 GPU here.*type: --resources gpu=1"):
        gpus.check("auto", 4, 1)
    with pytest.raises(UserError, match=r"(?s)gpu=7: there are 2 GPUs here, each for 3 cells.*type: --resources gpu=6"):
        gpus.check("auto", 7, 2, 3)
    with pytest.raises(UserError, match="no GPU is visible"):
        gpus.check("cuda", None, 0)
    with pytest.raises(UserError, match=r"gpu=0, and the study wants one\n.*device: cpu"):
        gpus.check("auto", 0, 1)


def fake_nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
