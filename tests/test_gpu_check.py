"""The check of a machine with a GPU: in little on this processor, and its bookkeeping with made-up parts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu_check import machine, rehearsal, runs, standins, steps, table, work
from benchmarks.gpu_check.record import Record
from benchmarks.gpu_check.setting import FASTEST, PLAIN, Setting
from harness.run.assemble import method_config

ROOT = Path(__file__).parent.parent
ABSENT = ("mlflow", "snakemake", "pandas", "scipy", "matplotlib", "jinja2", "pytest", "sklearn", "timm", "h5py")
"""What a machine need not have for `dkd run`, and so not for this."""


def test_in_little_and_with_no_more_than_a_run_needs(tmp_path: Path) -> None:
    for name in ABSENT:
        (tmp_path / f"lacks/{name}").mkdir(parents=True)
        (tmp_path / f"lacks/{name}/__init__.py").write_text("raise ModuleNotFoundError(__name__)", encoding="utf-8")
    out = tmp_path / "check"
    done = subprocess.run(
        ["make", "-C", str(ROOT), "gpu-check", f"PYTHON={sys.executable}", f"CHECK=--tiny --out {out}"],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "lacks"), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    parts = Record(out / "gpu-check.json").parts
    assert {part: list(items) for part, items in parts.items()} == {
        "machine": ["machine"],
        "rehearsal": ["cifar10 wrn40_2--wrn16_1 ssd-kd fp32"],
        "runs": ["teacher", "resume"],
        "steps": ["wrn40_2--wrn16_1 ssd-kd fp32"],
    }
    assert parts["runs"]["resume"]["attempts"] == 2
    assert min(parts["steps"]["wrn40_2--wrn16_1 ssd-kd fp32"][name] for name in ("synthesis_ms", "distillation_ms")) > 0
    assert "1 labels went from their first round" in (out / "gpu-check.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("part", [rehearsal, steps])
def test_every_item_has_values_that_its_method_takes(
    part: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on a card: in all modes."""
    monkeypatch.setattr(standins, "possible", lambda mode: True)
    items = part.items(Setting(tmp_path, None, tiny=False))
    found = [(action.args[0], action.args[1]) for action in items.values()]
    assert {mode for _, mode in found} >= {PLAIN, FASTEST}
    for cell, mode in found:
        for sizes in (part.SIZES, part.TINY_SIZES):
            assert method_config(standins.sized(cell, mode, 1.0, sizes)).steps > 0
    labels = {cell.label for cell, _ in found}
    assert labels >= {"ssd-kd", "fast-2", "cmi", "deepinversion", "dafl-original", "dfad-cmi", "zskt-original", "dfq"}
    assert labels >= {"nayer", "cpnet", "spaceshipnet", "pre-dfkd", "dfad-ema"}


class Forked:
    """A part's process that is this one's copy."""

    def __init__(self, command: list[str], **_: object) -> None:
        part, until = command[command.index("--part") + 1], float(command[-1])
        self.status: int | None = None
        self.pid = os.fork()
        if not self.pid:
            os._exit(work.do(part, Setting(Path(command[command.index("--out") + 1]), None, tiny=True), until))

    def wait(self, timeout: float = 0.0) -> int:
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    poll = wait


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Checks made-up parts: their names and items, and the seconds there are."""
    monkeypatch.setattr(work.subprocess, "Popen", Forked)

    def _check(parts: dict[str, dict[str, Callable[[], Any]]], seconds: float = 60.0) -> int:
        monkeypatch.setattr(work, "_items", lambda part, setting: parts[part])
        return work.check(dict.fromkeys(parts, 1.0), Setting(tmp_path, None, tiny=True), seconds)

    return _check


def fails() -> Any:
    raise ValueError("no luck")


def dies() -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(("bad", "said"), [(fails, "ValueError: no luck"), (dies, "its process ended with status -9")])
def test_an_item_that_fails_costs_itself_alone(
    check: Callable[..., int], tmp_path: Path, bad: Callable[[], Any], said: str
) -> None:
    good = {"first": lambda: {"x": 1}, "bad": bad, "last": lambda: {"x": 2}}
    assert check({"one": good, "two": {"other": lambda: {"x": 3}}}) == 1
    found = Record(tmp_path / "gpu-check.json")
    assert list(found.failures) == ["one: bad"]
    assert found.failures["one: bad"].splitlines()[-1] == said
    assert [found.parts[part][item]["x"] for part, item in (("one", "first"), ("one", "last"), ("two", "other"))] == [
        1,
        2,
        3,
    ]
    assert said in (tmp_path / "gpu-check.md").read_text(encoding="utf-8")


def test_a_later_call_does_what_is_missing_and_what_failed(check: Callable[..., int], tmp_path: Path) -> None:
    calls = tmp_path / "calls"

    def noted() -> dict[str, Any]:
        calls.write_text(calls.read_text(encoding="utf-8") + "x" if calls.exists() else "x", encoding="utf-8")
        return {}

    assert check({"one": {"first": noted, "bad": dies}}) == 1
    assert check({"one": {"first": noted, "bad": noted}, "two": {"more": noted}}) == 0
    assert calls.read_text(encoding="utf-8") == "xxx"


def test_without_time_nothing_is_begun_and_all_is_said_to_be_missing(
    check: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check({"one": {"first": fails}}, seconds=-1.0) == 1
    assert "not all of one: the same command goes on" in capsys.readouterr().out
    assert not Record(tmp_path / "gpu-check.json").parts


def test_a_part_that_outlasts_its_time_is_ended_with_all_that_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "GRACE", 0.0)
    script = "import subprocess, sys; subprocess.Popen(['sleep', '600'], stdout=1); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert work._wait(process, until=0.0) is None
    assert process.stdout is not None
    assert process.stdout.read() == b""  # it ends when nobody can write to it any more


def test_the_table_compares_steps_with_floors_and_bf16_with_fp32(tmp_path: Path) -> None:
    found = Record(tmp_path / "record.json")
    run: dict[str, Any] = {
        "steps": [100, 100],
        "synthesis": [4.0, 6.0],
        "distillation": [6.0, 14.0],
        "startup": [1.0, 1.0],
        "waiting": [0.0, 0.0],
        "device_sharers": [1, None],
        "peak_memory_bytes": [2**20, 3 * 2**20],
        "energy_joules": [5.0, None],
    }
    found.end("runs", "2 at once", {"mode": "fp32", "final": [90.0, 92.0], **run})
    found.end("runs", "3 at once, bf16", {"mode": "bf16, graphs", "final": [90.5, 93.0], **run})
    step = {
        "batch": 8,
        "synthesis_ms": 40.0,
        "inversion_floor_ms": 30.0,
        "distillation_ms": 30.0,
        "plain_step_ms": 20.0,
    }
    found.end("steps", "pair label fp32", {**step, "peak_memory_bytes": None, "joules_per_step": 0.25})
    text = table.text(found, [])
    assert "| pair label fp32 | 8 | 40.0 | 30.0 | 30.0 | 20.0 | 1.50 | – | 0.25 |" in text
    # 100 steps in 10 s and 100 in 20 s
    assert (
        "| 2 at once | fp32 | 90.00, 92.00 | 4.0, 6.0 | 6.0, 14.0 | 15.0 | 1.0, 1.0 | 0.0, 0.0 | 1, – | 3 | – |" in text
    )
    assert "bf16 − fp32: +0.75 points, of means over 2 and 2 seeds:" in text
    assert "Rehearsal" not in text  # none was made


def test_the_machine_is_described(tmp_path: Path) -> None:
    found = machine.machine()
    assert json.dumps(found)
    assert found["device"]


def test_a_file_of_no_public_teacher_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.pt"
    file.write_bytes(b"")
    for given, said in ((file, "not the file of a public teacher"), (tmp_path / "none.th", "no such file")):
        command = [
            sys.executable,
            "-m",
            "benchmarks.gpu_check",
            "--teacher",
            str(given),
            "--out",
            str(tmp_path / "out"),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert not (tmp_path / "out").exists()


def test_runs_of_a_study_are_found_again(tmp_path: Path) -> None:
    names = list(runs.items(Setting(tmp_path, None, tiny=False)))
    assert names == ["teacher", "resume", "lease", "1 at once", "3 at once", "3 at once, bf16", "2 at once"]
