"""The studies whose runs are made: SSD-KD on digits, or on CIFAR-10 where a public teacher's file is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.gpu_check.setting import PLAIN, Mode, Setting
from harness.errors import UserError
from harness.store.atomic import write_bytes
from harness.teachers.public import TEACHERS, PublicTeacher

SSD_KD = {"rounds": 60, "warmup": 6, "inversion_batch": 128, "generator_width": 32, "nz": 64, "lr": 0.1}
TINY_SSD_KD = SSD_KD | {"rounds": 4, "warmup": 1, "inversion_batch": 16, "generator_width": 8}
DIGITS = {"dataset": "digits", "pairs": [{"teacher": "wrn10_1", "student": "cnn3_16"}], "scales": [100]}
DIGITS_BUDGET = {"steps": 1000, "epochs": 4, "batch": 64}
CIFAR10_BUDGET = {"steps": 6000, "epochs": 4, "batch": 128}
QUICK_BUDGET = {"steps": 100, "epochs": 2, "batch": 64}
TINY_BUDGET = {"steps": 8, "epochs": 2, "batch": 8}


def public_teacher(file: Path) -> PublicTeacher:
    """The public teacher on CIFAR-10 whose file this is. Raises UserError."""
    if not file.is_file():
        raise UserError(f"--teacher {file}: no such file")
    for known in TEACHERS:
        if known.dataset == "cifar10" and known.file == file.name:
            return known
    names = ", ".join(known.file for known in TEACHERS if known.dataset == "cifar10")
    raise UserError(f"--teacher {file}: not the file of a public teacher on CIFAR-10\n  it is one of {names}")


def write(
    setting: Setting, name: str, device: str, seeds: Sequence[int], mode: Mode = PLAIN, quick: bool = False, **more: Any
) -> Path:
    """The file of a study of one cell and these seeds; ``more`` are keys of it, ``quick`` is a run of few steps."""
    study = {**_task(setting), "study": name, "device": device, "seeds": list(seeds), **more}
    study["methods"] = {"ssd-kd": TINY_SSD_KD if setting.tiny else SSD_KD}
    study |= {"precision": mode.precision, "graphs": mode.graphs}
    if setting.tiny or quick:
        study["budget"] = TINY_BUDGET if setting.tiny else QUICK_BUDGET
    file = setting.out / f"studies/{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(file, yaml.safe_dump(study).encode())
    return file


def _task(setting: Setting) -> dict[str, Any]:
    """Dataset, pair, scale and budget."""
    if not setting.teacher:
        return DIGITS | {"budget": DIGITS_BUDGET}
    known = public_teacher(setting.teacher)
    pair = {"teacher": {"network": known.network, "name": known.repository.owner}, "student": "resnet20"}
    return {"dataset": "cifar10", "verify": False, "pairs": [pair], "scales": [10], "budget": CIFAR10_BUDGET}
