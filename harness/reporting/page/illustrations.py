"""Figures as the page shows them: the most telling ones within it, the others from their files when they are seen."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from harness.reporting.figures.gallery import Picture, rank
from harness.reporting.page.trails import Link, to_file

EMBEDDED = 2**20
"""Bytes of figures inside the page. Where there are more, the most telling half of that, as there is more of all else
too; the others lie beside it, so that it opens at once."""

REM_PER_INCH = 5.2
"""Two figures of the width of a paper fit side by side."""


@dataclass(frozen=True)
class Illustration:
    """A figure on the page."""

    kind: str
    caption: str
    links: tuple[Link, ...]
    source: str
    """An address: its content, or its file."""
    width: str
    """For a style sheet."""
    across: int
    """Pixels, with those down: the page keeps room for a figure that is not there yet."""
    down: int


def chosen(pictures: Iterable[Picture]) -> set[Picture]:
    """The pictures that go into the page: kind by kind through all studies, the most telling kind first."""
    sizes = {picture: _source(picture).stat().st_size for picture in sorted(pictures, key=rank)}
    left, found = EMBEDDED if sum(sizes.values()) <= EMBEDDED else EMBEDDED // 2, set()
    for picture, size in sizes.items():
        left -= size
        # Nothing smaller is looked for after that: a kind would be there for some pairs and not for others.
        if left < 0:
            break
        found.add(picture)
    return found


def illustration(picture: Picture, embedded: Set[Picture], folder: Path) -> Illustration:
    """A picture as the page in ``folder`` shows it."""
    kinds = ("svg", "png", "pdf", "pdf, one column")
    links = tuple(to_file(path, folder, kind) for path, kind in zip(picture.files, kinds, strict=True))
    shown = _source(picture)
    source = _data(shown) if picture in embedded else to_file(shown, folder, "").address
    with Image.open(picture.png) as drawn:
        across, down = drawn.size
    return Illustration(
        picture.kind, picture.caption, links, source, f"{picture.inches * REM_PER_INCH:.1f}rem", across, down
    )


def _source(picture: Picture) -> Path:
    """The svg, but for figures made of pixels, of which the smaller file shows as much."""
    return picture.png if picture.kind == "samples" else picture.svg


def _data(path: Path) -> str:
    kind = "image/svg+xml" if path.suffix == ".svg" else "image/png"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
