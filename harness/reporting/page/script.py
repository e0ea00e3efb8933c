"""The page's script: libraries from the folder vendor, each under its licence, and ours, which connects them."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

HERE = Path(__file__).parent
LIBRARIES = {"tablesort-5.7.1.min.js": "tablesort-LICENCE.txt", "uPlot-1.6.32.iife.min.js": "uPlot-LICENSE.txt"}
"""File in vendor -> its licence there."""


def script() -> Markup:
    """All of it, for one script element."""
    vendored = [f"/*\n{_read(f'vendor/{licence}')}*/\n{_read(f'vendor/{name}')}" for name, licence in LIBRARIES.items()]
    # These files are ours as we ship them, and none of them ends a script element.
    return Markup("\n").join(map(Markup, [*vendored, _read("points.js"), _read("page.js")]))


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
