"""What every part of a configuration keeps to: no key that is not known, no value of another type, plain names."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

NAME = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"
"""Studies, labels, teachers: names of folders, of MLflow's experiments and runs, and words of tables."""
LONGEST = 80
"""Letters of such a name, at most."""
LETTERS = "letters, digits and . _ + - after a first letter or digit"
"""NAME in words."""


def plain(value: str, *, what: str = "a name") -> str:
    """The value, if it can be a name of this kind. Raises ValueError, which says how ``what`` is written."""
    if not re.fullmatch(NAME, value) or len(value) > LONGEST:
        raise ValueError(f"{what} is {LETTERS}, at most {LONGEST} in all")
    return value


Name = Annotated[str, AfterValidator(plain)]


class Strict(BaseModel):
    """Refuses unknown keys and silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)
