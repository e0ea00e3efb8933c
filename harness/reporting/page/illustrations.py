"""Figures as the page shows them: the most telling ones within it, the others as links."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from harness.reporting.figures.gallery import Picture, rank

EMBEDDED = 8 * 2**20
"""Bytes of figures inside the page; the figures after that are linked, so that it still opens at once."""

REM_PER_INCH = 5.6
"""Two figures of the width of a paper fit side by side."""


@dataclass(frozen=True)
class Link:
    """A file of a figure."""

    address: str
    """Relative to the page, as a link has it."""
    kind: str


@dataclass(frozen=True)
class Illustration:
    """A figure on the page."""

    caption: str
    links: tuple[Link, ...]
    source: str | None
    """Its content as an address; None where it is only linked."""
    width: str
    """For a style sheet."""


def chosen(pictures: Iterable[Picture]) -> set[Picture]:
    """The pictures that go into the page: kind by kind through all studies, the most telling kind first."""
    left, found = EMBEDDED, set()
    for picture in sorted(pictures, key=rank):
        left -= _source(picture).stat().st_size
        # Nothing smaller is looked for after that: a kind would be there for some pairs and not for others.
        if left < 0:
            break
        found.add(picture)
    return found


def illustration(picture: Picture, embedded: Set[Picture], folder: Path) -> Illustration:
    """A picture as the page in ``folder`` shows it."""
    files = (picture.svg, picture.png)
    links = tuple(Link(quote(os.fsencode(path.relative_to(folder))), path.suffix[1:]) for path in files)
    source = _data(_source(picture)) if picture in embedded else None
    return Illustration(picture.caption, links, source, f"{picture.inches * REM_PER_INCH:.1f}rem")


def _source(picture: Picture) -> Path:
    """The svg, but for figures made of pixels, of which the smaller file shows as much."""
    return picture.png if picture.kind == "samples" else picture.svg


def _data(path: Path) -> str:
    kind = "image/svg+xml" if path.suffix == ".svg" else "image/png"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
