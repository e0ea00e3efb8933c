"""What the workflow set out to run, study by study: without it, a report does not know what it lacks."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from harness.store.layout import CellName, Results
from harness.store.reading import DamagedRecord, read
from harness.store.records import Plan, Planned


def read_all(results: Results, studies: Iterable[str]) -> dict[CellName, Planned]:
    """The planned cells of these studies; none, with a warning, where a plan is damaged."""
    return {name: cell for study in sorted(studies) for name, cell in _read(results, study).items()}


def _read(results: Results, study: str) -> dict[CellName, Planned]:
    path = results.planned(study)
    try:
        cells = read(path, Plan).cells
        return {CellName.parse(name): cell for name, cell in cells.items()}
    except FileNotFoundError:
        return {}
    except DamagedRecord as error:
        warnings.warn(str(error), stacklevel=2)
    except ValueError as error:
        warnings.warn(str(DamagedRecord(path, str(error))), stacklevel=2)
    return {}
