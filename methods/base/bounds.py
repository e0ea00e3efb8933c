"""How many steps, epochs and images a batch a run can have, for a study's budget and every method alike."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Steps = Annotated[int, Field(ge=1, le=10**9)]
"""Distillation steps; ten thousand times what the papers take."""
Epochs = Annotated[int, Field(ge=1, le=10**4)]
"""Each is an evaluation, and a line of the events; fifty times what the papers take."""
Batch = Annotated[int, Field(ge=1, le=2**20)]
"""Images per distillation step."""
