"""How a dataset's teachers are trained, and how good they must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.explain import At, explain
from methods.base.bounds import Batch, Epochs


class Recipe(BaseModel):
    """SGD with momentum on the task's augmentation."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    epochs: Epochs
    batch: Batch
    lr: float = Field(gt=0, le=1000)
    weight_decay: float = Field(ge=0, le=1000)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    milestones: list[Annotated[float, Field(gt=0, lt=1)]] = []
    """Shares of the training after each of which the rate falls to a tenth; empty for half a cosine."""
    focal: float = Field(default=0.0, ge=0, le=100)
    """Exponent γ of the focal loss, (1 - p_y)^γ · cross entropy; 0 is the cross entropy."""
    images: int | None = Field(default=None, ge=1)
    """How many of the training images are used, a stratified part of them; None for all."""
    floor: float | None = Field(default=None, ge=0, le=100)
    """A teacher below this metric, percent, is refused; None refuses one that is no better than chance."""
    seed: int = Field(default=0, ge=0, lt=2**63)


def _under_recipe(*path: str | int) -> str:
    return ".".join(map(str, ("recipe", *path)))


@dataclass(frozen=True)
class Teachers:
    """The recipe of a dataset's teachers, and the published ones that they have to reach."""

    recipe: Recipe
    published: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Network -> its published metric, percent."""
    below: float = 0.0
    """How many points below the published value a teacher may be."""

    def recipe_for(self, network: str, changes: Mapping[str, Any], at: At = _under_recipe) -> Recipe:
        """The recipe with the network's floor and ``changes``, which stand ``at`` some place.

        Raises ConfigError that names the field.
        """
        base = self.recipe.model_dump()
        if network in self.published:
            base["floor"] = self.published[network] - self.below
        try:
            return Recipe(**{**base, **changes})
        except ValidationError as error:
            raise explain(error, at, Recipe.model_fields) from None
