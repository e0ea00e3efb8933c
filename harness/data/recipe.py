"""How a dataset's teachers are trained, and how good they must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import ConfigError


class Recipe(BaseModel):
    """SGD with momentum on the task's augmentation."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    epochs: int = Field(ge=1)
    batch: int = Field(ge=1)
    lr: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    milestones: list[float] = []
    """Shares of the training after each of which the rate falls to a tenth; empty for half a cosine."""
    focal: float = Field(default=0.0, ge=0)
    """Exponent γ of the focal loss, (1 - p_y)^γ · cross entropy; 0 is the cross entropy."""
    images: int | None = Field(default=None, ge=1)
    """How many of the training images are used, a stratified part of them; None for all."""
    floor: float = Field(default=0.0, ge=0, le=100)
    """A teacher below this metric, percent, is refused."""
    seed: int = 0


@dataclass(frozen=True)
class Teachers:
    """The recipe of a dataset's teachers, and the published ones that they have to reach."""

    recipe: Recipe
    published: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Network -> its published metric, percent."""
    below: float = 0.0
    """How many points below the published value a teacher may be."""

    def recipe_for(self, network: str, changes: Mapping[str, Any]) -> Recipe:
        """The recipe with the network's floor and ``changes``. Raises ConfigError that names the field."""
        base = self.recipe.model_dump()
        if network in self.published:
            base["floor"] = self.published[network] - self.below
        try:
            return Recipe(**{**base, **changes})
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            choices = Recipe.model_fields if first["type"] == "extra_forbidden" else ()
            raise ConfigError(f"recipe.{name}", f"{first['input']!r}: {first['msg']}", name, choices) from None
