"""What every part of a configuration keeps to: no key that is not known, no value of another type, plain names."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

NAME = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"
"""Studies, labels, teachers: names of folders, of MLflow's experiments and runs, and words of tables."""
LONGEST = 80
"""Letters of such a name, at most."""


class Strict(BaseModel):
    """Refuses unknown keys and silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)
