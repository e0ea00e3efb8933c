"""A study: one configuration file, read and checked. `docs/configuration.md` is generated from these classes."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from harness import data
from harness.data.own import OwnData
from harness.errors import ConfigError
from harness.explain import brief, explain, shown
from harness.grid import files, paths, yaml_file
from harness.grid.own_data import described
from harness.grid.pairs import AskedPair, AskedTeacher
from harness.grid.places import Places
from harness.grid.strict import Name, Strict, plain
from harness.machine import gpus
from harness.store.bounds import Precision
from harness.store.layout import RESERVED
from methods.base.bounds import Batch, Epochs, Steps
from methods.base.names import network_name

CELLS = 100_000
"""Of one study, at most: ten times the largest grid that was tried."""
BASES = 10
"""Studies that extend one another, at most."""

GONE = {
    "base": "`base` is called `extends` now",
    "defaults": (
        "`defaults` is called `budget` now, and goes over presets: a label whose preset shall keep a value of its own "
        "says it again"
    ),
    "references": "`references` is gone: they are methods, so write them under `methods`, such as kd-real: {}",
}
"""Keys of earlier versions -> what to write now."""
INNER = {"pairs": AskedPair.model_fields, "teacher": AskedTeacher.model_fields}
"""Key -> the keys that there are further in."""


class Budget(BaseModel):
    """What every method of a study gets alike: these three, and any other option that all its methods have."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, use_attribute_docstrings=True)

    steps: Steps | None = Field(default=None, examples=[2000])
    """Distillation steps at 100 % data scale; fewer in proportion at smaller scales."""
    epochs: Epochs | None = Field(default=None, examples=[20])
    """How many times the student is evaluated; learning rates move with them."""
    batch: Batch | None = Field(default=None, examples=[64])
    """Images per distillation step, at every scale."""

    @model_validator(mode="after")
    def _belongs_to_all(self) -> Self:
        for name in {"method", "preset"} & (self.model_extra or {}).keys():
            raise ValueError(f"{name} belongs to a label")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """What is given, as options of a method; the rest is the preset's, or the method's own."""
        # Options of the methods' own are taken as they stand: there, null is a value.
        given = {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}
        return {**given, **(self.model_extra or {})}


class Label(BaseModel):
    """What stands behind a label: any option of its method, beside these two."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, use_attribute_docstrings=True)

    method: str | None = Field(default=None, examples=["dafl", "my_method.py"])
    """A method's name, or the path of its .py file from the folder of this configuration; the label itself where it is
    not given."""
    preset: str | None = Field(default=None, examples=["original"])
    """One of the method's named sets of hyperparameters."""

    @property
    def options(self) -> dict[str, Any]:
        """The method's options, which go over preset and budget."""
        return dict(self.model_extra or {})


class Study(Strict):
    """One configuration file."""

    extends: str | None = Field(default=None, examples=["digits.yaml"])
    """Another study's file, beside this one or of workflow/config: keys that are not given here are taken from it."""
    study: Name = Field(examples=["digits"])
    """First folder under results/; keeps studies apart."""
    dataset: str | OwnData | list[str | OwnData] = Field(
        examples=["digits", ["cifar10", "cifar100"], {"name": "shapes", "folder": "pictures"}]
    )
    """One, or several that share everything else: names, or images of your own (below)."""
    verify: bool = Field(default=True, examples=[False])
    """Whether the dataset's files must have their official checksums; false marks every record and table."""
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", examples=["cuda"])
    """`auto` takes a GPU if there is one, `cuda` fails without one."""
    threads: int = Field(default=1, ge=1, le=1024, examples=[1])
    """CPU threads of one cell. Changes the last bits of a result, so it is part of the cell's key."""
    deterministic: bool = Field(default=False, examples=[True])
    """On a GPU, only operations that give the same bits every time, which is slower. Part of the cell's key."""
    graphs: bool = Field(default=False, examples=[True])
    """On a GPU, whether a distillation step is recorded once and played again: the same kernels in one launch. A method
    whose steps are not all the same fails then. No part of the cell's key. Tried with SSD-KD on an H100."""
    share: int = Field(default=1, ge=1, le=gpus.MOST, examples=[3])
    """How many cells run on one GPU at once, which small networks leave idle between launches. Their seconds are longer
    than alone, and marked so in every table. On this machine `--resources gpu=N` then counts cells, not cards.
    No part of the cell's key."""
    precision: Precision = Field(default="fp32", examples=["bf16"])
    """How networks calculate: `fp32`; `tf32`, which multiplies in 19 bits, on a GPU that can; or `bf16`, networks and
    nothing else under autocast in bfloat16. Teachers' training and all scores are fp32. Part of the cell's key."""
    checkpoint_seconds: float | None = Field(default=None, gt=0, le=1e6, examples=[600])
    """A checkpoint is written at the first round boundary after this many seconds; left out, after a minute, or after
    twenty times as long as the last one took to write, where that is more."""
    recipe: dict[str, Any] = Field(default={}, examples=[{"epochs": 12, "floor": 40.0}])
    """What differs in the teachers' recipe (`harness/data/recipe.py`); a teacher that is there is not trained again."""
    pairs: list[AskedPair] = Field(min_length=1, examples=[[{"teacher": "wrn40_2", "student": "wrn16_1"}]])
    """Teacher and student, by their networks; a teacher with a name of its own by that as well."""
    scales: list[Annotated[float, Field(ge=0.001, le=100)]] = Field(min_length=1, examples=[[100, 10]])
    """Percent of the dataset's reference size: how many images the student can draw from."""
    seeds: list[Annotated[int, Field(ge=0, lt=2**31)]] = Field(min_length=1, examples=[[0, 1, 2]])
    """They change initialisation, generator and sampling; never the teacher, never the subsets."""
    budget: Budget = Field(default=Budget(), examples=[{"steps": 2000, "epochs": 20, "batch": 64}])
    """What every method gets alike, whatever its preset says; labels go over it."""
    methods: dict[str, Label] = Field(
        examples=[{"ssd-kd": {}, "dafl-original": {"method": "dafl", "preset": "original"}, "kd-real": {}}],
    )
    """Label -> method, preset and options. The label names the line in the tables. References are methods too."""

    _places: Places = PrivateAttr(default=Places())

    @property
    def datasets(self) -> list[str | OwnData]:
        """All datasets."""
        return self.dataset if isinstance(self.dataset, list) else [self.dataset]

    @property
    def size(self) -> int:
        """How many cells it has."""
        factors = (self.datasets, self.pairs, self.scales, self.seeds, self.methods)
        return math.prod(len(factor) for factor in factors)

    @property
    def places(self) -> Places:
        """Where its values stand."""
        return self._places

    @field_validator("study")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value.casefold() in RESERVED:
            raise ValueError("results/ and reports/ have something else of this name")
        return value

    @field_validator("dataset", mode="before")
    @classmethod
    def _is_named(cls, value: object) -> object:
        names = value if isinstance(value, list) else [value]
        if not names or not all(isinstance(name, str | OwnData) for name in names):
            raise ValueError("the name of a dataset is wanted, {name: NAME, folder: PATH}, or a list of such")
        return value

    @field_validator("recipe", "budget", mode="before")
    @classmethod
    def _may_be_empty(cls, value: object) -> object:
        return {} if value is None else value

    @field_validator("methods", mode="before")
    @classmethod
    def _labels_may_be_empty(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: {} if label is None else label for name, label in value.items()}


def load_study(path: Path, above: tuple[Path, ...] = ()) -> Study:
    """Read and check a configuration file. Raises ConfigError that names file, line, key path, value and choices.

    Args:
        path: of the file.
        above: the files that extend it.
    """
    return study_of(path, *yaml_file.read(path), above)


def study_of(path: Path, raw: dict[str, Any], places: Places, above: tuple[Path, ...] = ()) -> Study:
    """The study that the file ``path`` holds, as read. Raises ConfigError."""
    for key, advice in GONE.items():
        if key in raw:
            raise ConfigError(places.at(key), advice)
    if isinstance(raw.get("extends"), str):
        base = _base(path, raw["extends"], places, above)
        raw, places = {**base.model_dump(exclude_unset=True), **raw}, places.over(base.places)
    if "dataset" in raw:
        raw = {**raw, "dataset": described(path, raw["dataset"], places)}
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        raise explain(error, places.at, Study.model_fields, INNER) from None
    pairs = [pair.at(path, functools.partial(places.at, "pairs", i)) for i, pair in enumerate(study.pairs)]
    study = study.model_copy(update={"pairs": pairs})
    study._places = places
    _check(study)
    return study


def _base(path: Path, text: str, places: Places, above: tuple[Path, ...]) -> Study:
    """The study that ``path`` extends. It is checked by itself: its mistakes bear its name."""
    where = places.at("extends")
    file, above = paths.configuration(path, text, where), (*above, path.resolve())
    if file in above:
        raise ConfigError(where, f"{file.name} cannot extend itself")
    if len(above) > BASES:
        raise ConfigError(where, f"more than {BASES} studies that extend one another")
    return load_study(file, above)


def _check(study: Study) -> None:
    """What the schema cannot say: names that must exist, and values that must not stand twice."""
    _check_datasets(study)
    _check_networks(study)
    _check_repeats(study)
    _check_device(study)
    if not study.methods:
        raise ConfigError(study.places.at("methods"), "nothing to run: no methods")
    if study.size > CELLS:
        raise ConfigError(study.places.at(), f"{study.size:,} cells: a study has {CELLS:,} at most")
    _check_labels(study)


def _check_datasets(study: Study) -> None:
    known = data.names()
    for i, dataset in enumerate(study.datasets):
        if isinstance(dataset, str) and dataset not in known:
            where = study.places.at("dataset", *([i] if isinstance(study.dataset, list) else []))
            raise ConfigError(where, f"unknown dataset: {shown(dataset)}", dataset, known)


def _check_networks(study: Study) -> None:
    """No two may have one name, which folders and records know them by."""
    asked: dict[str, str] = {}
    for i, network in ((i, network) for i, pair in enumerate(study.pairs) for network in pair.networks):
        if (other := asked.setdefault(network_name(network), network)) != network:
            problem = f"{network} and {other} have one name, {network_name(network)}"
            raise ConfigError(study.places.at("pairs", i), problem)


def _check_repeats(study: Study) -> None:
    lists: dict[str, Sequence[object]] = {"dataset": study.datasets, "pairs": study.pairs}
    for key, items in (lists | {"scales": study.scales, "seeds": study.seeds}).items():
        # They are folders' names, and some file systems do not tell A from a.
        names = [str(item).casefold() for item in items]
        name, times = Counter(names).most_common(1)[0]
        if times > 1:
            problem = f"the same value stands twice: {brief(str(items[names.index(name)]))}"
            raise ConfigError(study.places.at(key), problem)


def _check_device(study: Study) -> None:
    at = study.places.at
    if study.graphs and study.device == "cpu":
        raise ConfigError(at("graphs"), "graphs are for GPUs, and device is cpu: leave out one of the two")
    if (study.device, study.precision) == ("cpu", "tf32"):
        raise ConfigError(at("precision"), "a CPU has no tf32", study.precision, ["fp32", "bf16"])


def _check_labels(study: Study) -> None:
    folders: dict[str, str] = {}
    for name, label in study.methods.items():
        where = study.places.at("methods", name)
        try:
            plain(name, what="a label")
        except ValueError as error:
            raise ConfigError(where, str(error)) from None
        # It is a folder's name, and some file systems do not tell A from a.
        if (same := folders.setdefault(name.casefold(), name)) != name:
            raise ConfigError(where, f"the same folder as {same}, where case does not count")
        where = study.places.at("methods", name, "method") if label.method else where
        files.method(label.method or name, study.places.written_in("methods"), where)
