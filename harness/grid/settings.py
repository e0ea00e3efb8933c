"""Options given by hand, beside the grid: `dkd run --set gamma=1 --out DIR`, `dkd train-teacher --set epochs=1`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from harness.errors import UserError
from harness.explain import brief
from harness.grid import yaml_file
from harness.grid.cell import Cell


def parse(settings: list[str]) -> dict[str, Any]:
    """``["gamma=1", "diversity=false"]`` as options; values are YAML. Raises UserError that names the bad one."""
    return dict(_parse(setting) for setting in settings)


def apply(settings: Mapping[str, Any], cell: Cell) -> Cell:
    """The cell with ``settings`` over its own options; ``preset`` names another preset."""
    options = {**cell.options, **settings}
    preset = options.pop("preset", cell.preset)
    places = cell.places.instead("--set", *(("methods", cell.label, name) for name in settings))
    return dataclasses.replace(cell, preset=preset, options=options, places=places)


def _parse(setting: str) -> tuple[str, Any]:
    name, equals, text = setting.partition("=")
    if not (name and equals and name.isprintable()):
        raise UserError(f"--set {brief(setting)}: write it as key=value, such as --set gamma=1")
    return name, yaml_file.value(text, f"--set {brief(setting)}")
