"""A study: one configuration file, read and checked. `docs/configuration.md` is generated from these classes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

import methods
from harness import data, networks
from harness.errors import ConfigError, UserError
from methods.base.pair import Pair

CONFIGS = Path("workflow/config")
DEFAULT = CONFIGS / "digits.yaml"

GONE = {
    "defaults": (
        "`defaults` is called `budget` now, and goes over presets: a label whose preset shall keep a value of its own "
        "says it again"
    ),
    "references": "`references` is gone: they are methods, so write them under `methods`, such as kd-real: {}",
}
"""Keys of earlier versions -> what to write now."""


class Strict(BaseModel):
    """Refuses unknown keys and silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Budget(BaseModel):
    """What every method of a study gets alike: these three, and any other option that all its methods have."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, use_attribute_docstrings=True)

    steps: int | None = Field(default=None, ge=1, examples=[2000])
    """Distillation steps at 100 % data scale; fewer in proportion at smaller scales."""
    epochs: int | None = Field(default=None, ge=1, examples=[20])
    """How many times the student is evaluated; learning rates move with them."""
    batch: int | None = Field(default=None, ge=1, examples=[64])
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
        return {**self.model_dump(exclude_none=True), **(self.model_extra or {})}


class Label(BaseModel):
    """What stands behind a label: any option of its method, beside these two."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, use_attribute_docstrings=True)

    method: str | None = Field(default=None, examples=["dafl", "my_method.py"])
    """A method's name, or the path of its file; the label itself where it is not given."""
    preset: str | None = Field(default=None, examples=["original"])
    """One of the method's named sets of hyperparameters."""

    @property
    def options(self) -> dict[str, Any]:
        """The method's options, which go over preset and budget."""
        return dict(self.model_extra or {})


class Study(Strict):
    """One configuration file."""

    base: str | None = Field(default=None, examples=["ablation.yaml"])
    """Another study's file, beside this one: keys that are not given here are taken from there."""
    study: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", examples=["digits"])
    """First folder under results/; keeps studies apart."""
    dataset: str | list[str] = Field(examples=["digits", ["cifar10", "cifar100"]])
    """One, or several that share everything else."""
    verify: bool = Field(default=True, examples=[False])
    """Whether the dataset's files must have their official checksums; false marks every record and table."""
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", examples=["cuda"])
    """`auto` takes a GPU if there is one, `cuda` fails without one."""
    threads: int = Field(default=1, ge=1, examples=[1])
    """CPU threads of one cell. Changes the last bits of a result, so it is part of the cell's key."""
    checkpoint_seconds: float = Field(default=300.0, gt=0, examples=[60])
    """A checkpoint is written at the first round boundary after this many seconds."""
    recipe: dict[str, Any] = Field(default={}, examples=[{"epochs": 12, "floor": 40.0}])
    """What differs in the teachers' recipe (`harness/data/recipe.py`); a teacher that is there is not trained again."""
    pairs: list[Pair] = Field(min_length=1, examples=[[{"teacher": "wrn40_2", "student": "wrn16_1"}]])
    """Teacher and student, by the names of their networks."""
    scales: list[float] = Field(min_length=1, examples=[[100, 10]])
    """Percent of the dataset's reference size: how many images the student can draw from."""
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, examples=[[0, 1, 2]])
    """They change initialisation, generator and sampling; never the teacher, never the subsets."""
    budget: Budget = Field(default=Budget(), examples=[{"steps": 2000, "epochs": 20, "batch": 64}])
    """What every method gets alike, whatever its preset says; labels go over it."""
    methods: dict[str, Label] = Field(
        examples=[{"ssd-kd": {}, "dafl-original": {"method": "dafl", "preset": "original"}, "kd-real": {}}],
    )
    """Label -> method, preset and options. The label names the line in the tables. References are methods too."""

    @property
    def datasets(self) -> list[str]:
        """All datasets."""
        return [self.dataset] if isinstance(self.dataset, str) else self.dataset

    @field_validator("scales", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        return [float(v) if type(v) is int else v for v in value] if isinstance(value, list) else value


def load_study(path: Path, above: tuple[Path, ...] = ()) -> Study:
    """Read and check a configuration file. Raises ConfigError that names file, key path, value and choices.

    Args:
        path: of the file.
        above: the files that it is the base of.
    """
    raw = _over_base(path, above)
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        raise _explain(path.name, error, Study.model_fields) from None
    _check(path.name, study)
    return study


def _over_base(path: Path, above: tuple[Path, ...]) -> object:
    """What a study's file holds, over what its base holds, which is checked by itself: its mistakes bear its name."""
    if path in above:
        raise ConfigError(f"{above[-1].name}: base", f"{path.name} cannot be the base of itself")
    raw = parse(path)
    if not isinstance(raw, dict):
        return raw
    for key, advice in GONE.items():
        if key in raw:
            raise ConfigError(f"{path.name}: {key}", advice)
    if not isinstance(raw.get("base"), str):
        return raw
    base = load_study(beside(path, "base", raw["base"]), (*above, path))
    return {**base.model_dump(exclude_unset=True), **raw}


def beside(path: Path, key: str, name: str) -> Path:
    """The file that ``key`` of a configuration names. Raises ConfigError unless it lies in the same folder."""
    if not name or Path(name).name != name:
        raise ConfigError(f"{path.name}: {key}", f"{name!r}: give the name of a file beside this one")
    return path.with_name(name)


def parse(path: Path) -> object:
    """What a YAML file holds. Raises ConfigError if there is no such file, UserError if it is not YAML."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise ConfigError(str(path), "no such file", path, sorted(map(str, CONFIGS.glob("*.yaml")))) from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {error}") from None


def explain_options(where: str, error: ValidationError, fields: Iterable[str]) -> ConfigError:
    """A ConfigError for method options that failed their own validation."""
    return _explain(where, error, fields, separator=".")


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(None, None, f"the key {key.value!r} stands twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _check(file: str, study: Study) -> None:
    for dataset in study.datasets:
        _choose(f"{file}: dataset", "unknown dataset", dataset, data.names())
    for i, pair in enumerate(study.pairs):
        _choose(f"{file}: pairs.{i}.teacher", "unknown network", pair.teacher, networks.names())
        _choose(f"{file}: pairs.{i}.student", "unknown network", pair.student, networks.names())
    for i, scale in enumerate(study.scales):
        if not 0 < scale <= 100:
            raise ConfigError(
                f"{file}: scales.{i}", f"{scale:g} is not a data scale: give percent, above 0 and at most 100"
            )
    for key in ("datasets", "pairs", "scales", "seeds"):
        items = getattr(study, key)
        if len({str(item) for item in items}) != len(items):
            raise ConfigError(f"{file}: {key}", "the same value stands twice")
    if not study.methods:
        raise ConfigError(f"{file}: methods", "nothing to run: no methods")
    for name, label in study.methods.items():
        _check_label(file, name, label)
        _check_folder(file, name, study.methods)


def _check_label(file: str, name: str, label: Label) -> None:
    where = f"{file}: methods.{name}"
    if not name[:1].isalnum() or not all(c.isalnum() or c in "._+-" for c in name):
        raise ConfigError(where, "a label is letters, digits and . _ + - and starts with a letter or digit")
    method = label.method or name
    try:
        methods.source(method)
    except methods.UnknownMethod as error:
        raise ConfigError(f"{where}.method" if label.method else where, str(error), method, methods.names()) from None


def _check_folder(file: str, name: str, labels: Iterable[str]) -> None:
    """A label is a folder's name, and some file systems do not tell A from a."""
    if same := [other for other in labels if other != name and other.casefold() == name.casefold()]:
        raise ConfigError(f"{file}: methods.{name}", f"the same folder as {same[0]}, where case does not count")


def _choose(where: str, problem: str, value: str, choices: Iterable[str]) -> None:
    names = list(choices)
    if value not in names:
        raise ConfigError(where, f"{problem}: {value!r}", value, names)


def _explain(file: str, error: ValidationError, fields: Iterable[str], separator: str = ": ") -> ConfigError:
    """The first problem that pydantic found, in our words."""
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    where = f"{file}{separator}{path}" if path else file
    if first["type"] == "extra_forbidden":
        choices = fields if len(first["loc"]) == 1 else Pair.model_fields
        return ConfigError(where, "unknown key", first["loc"][-1], choices)
    if first["type"] == "missing":
        return ConfigError(where, "this key is missing")
    return ConfigError(where, f"{first['input']!r}: {first['msg'].removeprefix('Value error, ')}")
