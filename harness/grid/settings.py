"""Options given by hand, beside the grid: `dkd run --set gamma=1 --out DIR`, `dkd train-teacher --set epochs=1`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.explain import brief
from harness.grid import files, yaml_file
from harness.grid.cell import Cell


def parse(settings: list[str]) -> dict[str, Any]:
    """``["gamma=1", "diversity=false"]`` as options; values are YAML. Raises UserError that names the bad one."""
    return dict(_parse(setting) for setting in settings)


def apply(settings: Mapping[str, Any], cell: Cell) -> Cell:
    """The cell with ``settings`` over its own options; ``preset`` names another preset.

    Files go from the current folder. Raises ConfigError for one that is not there.
    """
    places = cell.places.instead("--set", *(("methods", cell.label, name) for name in settings))
    found = files.options(settings, Path("--set"), functools.partial(places.at, "methods", cell.label))
    options = {**cell.options, **found}
    preset = options.pop("preset", cell.preset)
    return dataclasses.replace(cell, preset=preset, options=options, places=places)


def _parse(setting: str) -> tuple[str, Any]:
    name, equals, text = setting.partition("=")
    if not (name and equals and name.isprintable()):
        raise UserError(f"--set {brief(setting)}: write it as key=value, such as --set gamma=1")
    return name, yaml_file.value(text, f"--set {brief(setting)}")
