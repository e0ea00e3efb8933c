"""One's own images, as a study describes them: a folder of class folders, or arrays in an npz file.

Importing this module imports neither torch nor numpy: listing a grid needs the description alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from harness.data import catalogue

NAME = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"
"""It is a folder's name under results/, and a word of tables."""
FINE, COARSE, LARGE = 4, 16, 64
"""Generators make images whose sides are multiples of 4, beyond 64 pixels of 16 (`methods/parts/generators.py`)."""

Values = tuple[Annotated[float, Field(ge=0, le=1)], ...]


class OwnData(BaseModel):
    """A mapping in the place of a dataset's name: images of your own. What is not given follows from the images."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    name: str = Field(pattern=NAME, max_length=80, examples=["shapes"])
    """What the dataset is called: a folder under results/."""
    folder: str | None = Field(default=None, examples=["pictures"])
    """A folder with `train` and `test`, each with a folder for every class; or with class folders alone."""
    npz: str | None = Field(default=None, examples=["pictures.npz"])
    """Instead of a folder: a file of numpy with the arrays `images` and `labels`; `test_images` and `test_labels`, and
    `class_names`, if you like."""
    test_share: float = Field(default=0.2, gt=0, lt=1, examples=[0.25])
    """Share of every class that is tested on, where there is no test part. Chosen by content: it stays."""
    size: int | None = Field(default=None, ge=FINE, le=512, examples=[32])
    """Height and width: the short side is resized to it, the middle is cut out. 64, or 32 if half of the images are
    smaller, or, below that, the multiple of 4 that half of the images reach."""
    resize: int | None = Field(default=None, ge=FINE, le=1024, examples=[256])
    """What the short side is resized to before a middle of `size` is cut out, if it is more: 256 for ImageNet's 224."""
    channels: int | None = Field(default=None, examples=[1])
    """1 for grey, 3 for RGB; 1 if all images are grey."""
    mean: Values | None = Field(default=None, examples=[[0.5, 0.5, 0.5]])
    """A value per channel, of images in [0, 1]; that of the training part."""
    std: Values | None = Field(default=None, examples=[[0.25, 0.25, 0.25]])
    """The same for the standard deviation."""
    pad: int | None = Field(default=None, ge=0, le=64, examples=[4])
    """Augmentation: zero padding in pixels before a random crop. An eighth of the size."""
    flip: bool | None = Field(default=None, examples=[False])
    """Augmentation: whether images are mirrored. True for RGB, false for grey."""
    reference_size: int | None = Field(default=None, ge=1, examples=[1281167])
    """How many images 100 % stand for, where the training part is not read: then references have no images, and
    teachers come from elsewhere. `classes`, `size`, `channels`, `mean` and `std` are said then, too."""
    classes: int | None = Field(default=None, ge=2, examples=[1000])
    """How many classes there are, with `reference_size`."""

    @property
    def place(self) -> Path:
        """Where the images lie."""
        return Path(self.folder or self.npz or "")

    @property
    def rule(self) -> dict[str, Any]:
        """All that decides what comes of the images; where they lie does not."""
        return self.model_dump(mode="json", exclude={"folder", "npz"})

    @property
    def trained(self) -> bool:
        """Whether there is a training part that is read."""
        return self.reference_size is None

    def __str__(self) -> str:
        return self.name

    @field_validator("mean", "std", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("name")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value.casefold() in (known.casefold() for known in catalogue.names()):
            raise ValueError("the bench has a dataset of this name: choose another")
        return value

    @field_validator("size")
    @classmethod
    def _can_be_generated(cls, value: int | None) -> int | None:
        step = COARSE if value and value > LARGE else FINE
        if value and value % step:
            beyond = f" beyond {LARGE} pixels" if step == COARSE else ""
            near = f"{value - value % step} or {value - value % step + step}"
            raise ValueError(f"generators make sizes that are multiples of {step}{beyond}: {near}")
        return value

    @field_validator("channels")
    @classmethod
    def _is_grey_or_rgb(cls, value: int | None) -> int | None:
        if value not in (None, 1, 3):
            raise ValueError("1 for grey or 3 for RGB is wanted")
        return value

    @model_validator(mode="after")
    def _is_told_if_unread(self) -> Self:
        told = {name: getattr(self, name) for name in ("classes", "size", "channels", "mean", "std")}
        if self.reference_size is None and self.classes is not None:
            raise ValueError("classes goes with reference_size; else they are counted")
        if self.reference_size is not None and self.folder is None:
            raise ValueError("reference_size goes with folder")
        if self.reference_size is not None and (unsaid := [name for name, value in told.items() if value is None]):
            raise ValueError(f"reference_size: no training image is read, so say {', '.join(unsaid)} as well")
        return self

    @model_validator(mode="after")
    def _cuts_what_is_there(self) -> Self:
        if self.resize is not None and (self.size is None or self.resize < self.size):
            raise ValueError("resize goes with size, and is no smaller")
        return self

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.folder is None) == (self.npz is None):
            raise ValueError("either folder or npz says where the images lie")
        lengths = {len(given) for given in (self.mean, self.std) if given is not None}
        if not lengths <= ({1, 3} if self.channels is None else {self.channels}) or len(lengths) > 1:
            raise ValueError("mean and std have a value for every channel: 1 for grey, 3 for RGB")
        if self.std is not None and 0 in self.std:
            raise ValueError("std must be above 0")
        return self
