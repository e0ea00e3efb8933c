"""A method that says where it runs, and waits there in the middle until a file allows it to go on."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from methods.base.method import Clock, RoundLosses
from methods.parts.fixed_images import FixedImagesConfig
from methods.references import KDNoise


class WaitingConfig(FixedImagesConfig):
    """Where the files are; which round waits."""

    folder: str
    wait_at: int = 2


class Waiting(KDNoise):
    """Distillation on noise."""

    name = "waiting"
    Config = WaitingConfig

    def round(self, index: int, clock: Clock) -> RoundLosses:
        """Tell, wait, go on."""
        assert isinstance(self.config, WaitingConfig)
        folder = Path(self.config.folder)
        if index == self.config.wait_at and not (folder / "go").exists():
            job = os.environ.get("SLURM_JOB_ID", "none")
            place = {key: os.environ.get(key) for key in ("SLURMD_NODENAME", "CUDA_VISIBLE_DEVICES")}
            (folder / f"{job}-{os.getpid()}.json").write_text(
                json.dumps({**place, "job": job, "pid": os.getpid()}), encoding="utf-8"
            )
            while not (folder / "go").exists():
                time.sleep(0.1)
        return super().round(index, clock)
