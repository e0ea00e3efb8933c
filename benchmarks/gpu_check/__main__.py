"""Checks a machine with a GPU in minutes, and writes what it found: one JSON file and one table.

    make gpu-check                     # or: python3 -m benchmarks.gpu_check [--out DIR] [--minutes 8] [--teacher FILE]

Every part is a process of its own, so that one which a GPU takes down costs its item alone. The same command goes on
where it was killed or out of time, and tries again what failed. Status 0: all items are done and none failed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

PARTS = {"machine": 0.3, "rehearsal": 0.35, "runs": 0.7, "steps": 1.0}
"""Part -> share of the time that is left which it may take, in their order."""
NEEDED = (
    "torch torchvision numpy pillow pydantic typer rich pyyaml filelock safetensors packaging; energy: nvidia-ml-py"
)


def main() -> int:
    """Parse the command line; check, or do one part of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("gpu-check"), help="folder of record, table and runs")
    parser.add_argument("--minutes", type=float, default=8.0, help="when to end, whatever is done by then")
    parser.add_argument(
        "--teacher", type=Path, help="a public teacher's file: runs are then of CIFAR-10, not of digits"
    )
    parser.add_argument("--tiny", action="store_true", help="a little of everything, for a CPU")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, default=0.0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    try:
        from benchmarks.gpu_check import studies, work
        from benchmarks.gpu_check.setting import Setting
        from harness.errors import UserError
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is not installed; what is needed: {NEEDED}")
    setting = Setting(chosen.out.resolve(), chosen.teacher and chosen.teacher.resolve(), chosen.tiny)
    try:
        if setting.teacher:
            studies.public_teacher(setting.teacher)
    except UserError as error:
        return _fail(str(error))
    if chosen.part:
        return work.do(chosen.part, setting, chosen.until)
    return work.check(PARTS, setting, 60 * chosen.minutes)


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
