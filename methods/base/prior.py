"""What a method uses beyond the teacher: it stands beside its numbers, as not all of it is data-free to everybody."""

from __future__ import annotations

from enum import StrEnum


class Prior(StrEnum):
    """What a student's training rests on besides the teacher and what `Task` says of the data.

    The strongest one counts, where there are several: they are listed from the weakest.
    """

    NONE = "none"
    LABEL_TEXT = "label text"
    """What the classes are called, in the vectors of an encoder of text."""
    EXTERNAL_MODEL = "external model"
    """Another network that saw images, such as one that generates some."""
    REAL_IMAGES = "real images"
    """Images of the training part, which the bench gives to such methods alone: references."""
