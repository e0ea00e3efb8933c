"""How a dataset's teachers are trained, and how good they must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from harness.explain import At, explain
from methods.base.bounds import Batch, Epochs, Steps

LENGTHS = ("epochs", "steps")
"""What says how long a training is; one of them."""
STEPS, PASSES, BATCH = 1000, 50, 128
"""Where nothing is known of the images: so many steps at least, and so many times through them."""


class Recipe(BaseModel):
    """SGD with momentum on the task's augmentation, for so many epochs, or for so many steps."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    epochs: Epochs | None = None
    """Times through the images."""
    steps: Steps | None = None
    """Updates of the teacher, however many images there are."""
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

    @field_validator(*LENGTHS, mode="before")
    @classmethod
    def _is_a_number(cls, value: object) -> object:
        if value is None:
            raise ValueError("a whole number is wanted; what is not meant is left out")
        return value

    @model_validator(mode="after")
    def _has_one_length(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("either epochs or steps say how long the training is")
        return self

    @property
    def given(self) -> dict[str, Any]:
        """Every value that there is."""
        return self.model_dump(exclude_none=True)


def by_steps(images: int) -> Recipe:
    """The recipe for images of which nothing else is known: a few hundred take as many steps as many thousands.

    Our choice: that of the digits and of CIFAR, 1,000 steps, or 50 times through the images where that is more.
    """
    return Recipe(steps=max(STEPS, PASSES * images // BATCH), batch=BATCH, lr=0.1, weight_decay=5e-4)


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
        base = self.recipe.given
        if any(name in changes for name in LENGTHS):
            base = {name: value for name, value in base.items() if name not in LENGTHS}
        if network in self.published:
            base["floor"] = self.published[network] - self.below
        try:
            return Recipe(**{**base, **changes})
        except ValidationError as error:
            raise explain(error, at, Recipe.model_fields) from None
