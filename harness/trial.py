"""One cell by hand with other options, beside the grid: `dkd run --set gamma=1 --out DIR`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from harness import storage
from harness.config import Cell
from harness.errors import UserError


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """``["gamma=1", "diversity=false"]`` as options; values are YAML. Raises UserError that names the bad one."""
    return dict(_parse(setting) for setting in settings)


def with_options(cell: Cell, options: dict[str, Any]) -> Cell:
    """The cell with ``options`` over its own."""
    return dataclasses.replace(cell, options={**cell.options, **options})


def borrow_teacher(cell: Cell, results: Path, out: Path) -> None:
    """Copy the cell's teacher from ``results`` to ``out``, if it is there."""
    source, target = results / cell.teacher_folder, out / cell.teacher_folder
    if (source / "teacher.json").exists():
        for name in ("teacher.safetensors", "teacher.json"):
            storage.copy(source / name, target / name)


def _parse(setting: str) -> tuple[str, Any]:
    name, equals, text = setting.partition("=")
    if not (name and equals):
        raise UserError(f"--set {setting}: write it as key=value, such as --set gamma=1")
    try:
        return name, yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"--set {setting}: the value is not valid YAML: {str(error).splitlines()[0]}") from None
