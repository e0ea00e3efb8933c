"""One's own images where a study names its datasets: mappings become descriptions, their paths absolute."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.data.own import OwnData
from harness.errors import ConfigError
from harness.explain import explain
from harness.grid.paths import beside
from harness.grid.places import KeyPath, Places

PLACES = ("folder", "npz")
"""Keys that say where the images lie."""


def described(file: Path, value: Any, places: Places) -> Any:
    """What stands behind `dataset`, every mapping in it as an OwnData. Raises ConfigError.

    Args:
        file: the configuration.
        value: as read: names and mappings, or a list of them.
        places: where its values stand.
    """
    if isinstance(value, list):
        return [_one(file, item, places, ("dataset", number)) for number, item in enumerate(value)]
    return _one(file, value, places, ("dataset",))


def agree(several: list[tuple[OwnData, Places]]) -> None:
    """Raise ConfigError if two descriptions of one name differ: their teachers and cells would be the same folders."""
    known: dict[str, OwnData] = {}
    for own, places in several:
        if known.setdefault(own.name, own) != own:
            raise ConfigError(places.at("dataset"), f"{own} is described otherwise in another study of this grid")


def _one(file: Path, value: Any, places: Places, path: KeyPath) -> Any:
    if not isinstance(value, dict):
        return value
    try:
        own = OwnData.model_validate(value)
    except ValidationError as error:
        raise explain(error, partial(places.at, *path), OwnData.model_fields) from None
    given = {key: text for key in PLACES if (text := getattr(own, key)) is not None}
    found = {key: str(beside(file, text, places.at(*path, key), needed=False)) for key, text in given.items()}
    return own.model_copy(update=found)
