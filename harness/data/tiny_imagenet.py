"""Tiny-ImageNet as its archive unpacks: the pictures of ``val`` lie in one folder, and a text says what they show.

``val/images/val_0.JPEG``, and ``val/val_annotations.txt`` with a line for each: name, class, and a box, by tabs.
"""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError, one_line

ANNOTATIONS = "val_annotations.txt"
BOXES = "{}_boxes.txt"
"""Beside the pictures of a training class lies a text with their boxes, which is no picture."""


def is_annotated(part: Path) -> bool:
    """Whether a text says what the pictures of this part show."""
    return (part / ANNOTATIONS).is_file()


def labelled(part: Path) -> dict[str, list[Path]]:
    """Class -> the pictures that the text says are of it. Raises UserError for lines that name no picture."""
    text = part / ANNOTATIONS
    found: dict[str, list[Path]] = {}
    try:
        lines = text.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{text}: cannot be read: {one_line(str(error), 200)}") from None
    for number, line in enumerate(lines, start=1):
        name, label, *_ = *line.split("\t"), "", ""
        if Path(name).name != name or not name or not label:
            raise UserError(f"{text}, line {number}: a picture's name and its class are wanted: {one_line(line, 80)!r}")
        found.setdefault(label, []).append(part / "images" / name)
    return found


def unsaid(part: Path) -> list[Path]:
    """Pictures of the part of which the text says nothing."""
    said = {path for paths in labelled(part).values() for path in paths}
    return sorted(path for path in (part / "images").glob("*") if path.is_file() and path not in said)
