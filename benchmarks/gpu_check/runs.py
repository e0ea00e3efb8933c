"""Real runs by `dkd run`: one to three cells on the card, accuracy in bf16, a lease that is waited for, and a kill."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gpu_check import studies, test_images
from benchmarks.gpu_check.record import Found
from benchmarks.gpu_check.setting import PLAIN, Items, Mode, Setting
from harness import ROOT, start
from harness.machine import gpus
from harness.machine.devices import choose_device

DKD = (sys.executable, "-m", "harness")
POLL_SECONDS = 0.02
SAID = 600
"""Letters of what a failed command said that are kept: its end."""
RUN = "*/*/*/*"
"""What lies between a study's folder and that of a seed: dataset, pair, label and scale."""


def items(setting: Setting) -> Items:
    """The teacher; kill; lease; one to three runs at once, each of its own seeds, and bf16 with some of these."""
    runs = Runs(setting)
    bf16 = Mode("bf16", graphs=runs.device == "cuda")
    found: Items = {
        "teacher": runs.teacher,
        "resume": runs.resume,
        "lease": runs.lease,
        "1 at once": functools.partial(runs.together, "one", [0]),
        "3 at once": functools.partial(runs.together, "three", [3, 4, 5]),
        "3 at once, bf16": functools.partial(runs.together, "bf16", [0, 1, 2], bf16),
        "2 at once": functools.partial(runs.together, "two", [1, 2]),
    }
    return {name: found[name] for name in ("teacher", "resume")} if setting.tiny else found


@dataclass
class Runs:
    """Studies of one cell and several seeds, and what their runs record."""

    setting: Setting

    @property
    def device(self) -> str:
        """Of all runs."""
        return choose_device("auto").type

    @property
    def results(self) -> Path:
        """Their results folder."""
        return self.setting.out / "results"

    def teacher(self) -> Found:
        """Put the teacher on the shelf; its metric."""
        if file := self.setting.teacher:
            name = studies.public_teacher(file).name
            _end(self._dkd("teachers", "get", name, "--file", str(file.resolve()), "--no-verify"))
        else:
            quick = ("--set", "epochs=1", "--set", "floor=0.0") if self.setting.tiny else ()
            _end(self._dkd("train-teacher", "digits", "wrn10_1", *quick))
        record = self._read("teachers/*/*/teacher.json")
        return {"teacher": record["network"], "percent": record["value"]}

    def together(
        self, name: str, seeds: Sequence[int], mode: Mode = PLAIN, share: int | None = None, **more: Any
    ) -> Found:
        """Runs of these seeds, started at once; all of them share the card unless ``share`` says otherwise."""
        study = studies.write(self.setting, name, self.device, seeds, mode, share=share or len(seeds), **more)
        _end(*[self._run(study, seed, len(seeds)) for seed in seeds])
        found = [self._metrics(name, seed) for seed in seeds]
        names = ("final", "steps", "device_sharers", "peak_memory_bytes", "energy_joules", "device_name")
        seconds = ("startup", "synthesis", "distillation", "waiting")
        return {
            "mode": str(mode),
            **{name: [one[name] for one in found] for name in names},
            **{name: [one["seconds"][name] for one in found] for name in seconds},
        }

    def lease(self) -> Found:
        """Two cells that want the card alone: one waits for the other."""
        found = self.together("lease", [6, 7], share=1, quick=True)
        if len(gpus.visible()) == 1 and max(found["waiting"]) < min(found["synthesis"]):
            raise AssertionError(f"neither waited for the card: {found['waiting']} s")
        return found

    def resume(self) -> Found:
        """A run that is killed after a checkpoint ends with the student of one that is not, bit for bit."""
        options = {"deterministic": True, "checkpoint_seconds": 0.001, "quick": True}
        self.together("whole", [0], **options)
        killed = self._run(studies.write(self.setting, "killed", self.device, [0], **options), 0, 1)
        while killed.poll() is None and not any(self.results.glob(f"killed/{RUN}/*/runs/*/checkpoint.pt")):
            time.sleep(POLL_SECONDS)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        self.together("killed", [0], **options)
        whole, resumed = (self._metrics(name, 0) for name in ("whole", "killed"))
        if whole["student_sha256"] != resumed["student_sha256"]:
            raise AssertionError(f"another student after a kill: {whole['final']} % and {resumed['final']} %")
        attempts = len(self._read(f"killed/{RUN}/*/runs/*/manifest.json")["attempts"])
        if attempts < 2:
            raise AssertionError("the run had ended before it could be killed")
        return {"attempts": attempts, "lost": resumed["seconds"]["lost"], "final": resumed["final"]}

    def _run(self, study: Path, seed: int, concurrent: int) -> subprocess.Popen[str]:
        cell = f"{study.stem}/{RUN}/seed-{seed}"
        return self._dkd("run", cell, "--configfile", str(study), "--concurrent", str(concurrent))

    def _dkd(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*DKD, *arguments, "--results", str(self.results)],
            cwd=ROOT,
            env=start.environment() | {"DKD_DATA": str(test_images.folder(self.setting.out))},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def _metrics(self, name: str, seed: int) -> dict[str, Any]:
        metrics = self._read(f"{name}/{RUN}/seed-{seed}/metrics.json")
        if metrics["status"] != "done":
            raise RuntimeError(f"{name}, seed {seed}: {metrics['status']}: {metrics['reason']}")
        return metrics

    def _read(self, pattern: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(next(self.results.glob(pattern)).read_text(encoding="utf-8"))
        return record


def _end(*processes: subprocess.Popen[str]) -> None:
    """Wait for commands. Raises RuntimeError with the end of what one said if it failed."""
    for process, said in [(process, process.communicate()[0]) for process in processes]:
        if process.returncode:
            raise RuntimeError(f"{process.args}: status {process.returncode}: {said[-SAID:]}")
