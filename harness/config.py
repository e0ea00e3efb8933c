"""Study configurations: YAML in, validated grid of cells out. Never imports torch."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

import methods
from harness import data, networks
from harness.errors import ConfigError, UserError

CONFIGS = Path("workflow/config")
DEFAULT = CONFIGS / "digits.yaml"

Name = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")


class Strict(BaseModel):
    """Refuses unknown keys and silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Pair(Strict):
    """A teacher network and the student that learns from it."""

    teacher: str
    student: str


class Study(Strict):
    """One configuration file."""

    study: str = Name
    """First folder under results/; keeps studies apart."""
    dataset: str | list[str]
    """One, or several that share everything else."""
    verify: bool = True
    """Whether the dataset's files must have their official checksums; False marks every record and table."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(default=1, ge=1)
    """CPU threads of one cell. Changes the last bits of a result, so it is part of the cell's key."""
    checkpoint_seconds: float = Field(default=300.0, gt=0)
    """A checkpoint is written at the first round boundary after this many seconds."""
    recipe: dict[str, Any] = {}
    """What differs in the teachers' recipe (`harness/recipes.py`); a teacher that is there is not trained again."""
    pairs: list[Pair] = Field(min_length=1)
    scales: list[float] = Field(min_length=1)
    """Percent of the dataset's reference size."""
    seeds: list[int] = Field(min_length=1)
    defaults: dict[str, Any] = {}
    """Options given to every method and reference, under their own presets and options."""
    methods: dict[str, dict[str, Any]] = {}
    """Label -> options; `method` names the method where it is not the label."""
    references: list[str] = []

    @property
    def datasets(self) -> list[str]:
        """All datasets."""
        return [self.dataset] if isinstance(self.dataset, str) else self.dataset

    @field_validator("scales", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        return [float(v) if type(v) is int else v for v in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Cell:
    """One run of the grid: a method on one pair, at one data scale, with one seed."""

    study: str
    dataset: str
    verify: bool
    teacher: str
    student: str
    label: str
    method: str
    defaults: dict[str, Any] = field(hash=False)
    """Options that the study gives to every method; a preset goes over them."""
    options: dict[str, Any] = field(hash=False)
    """The label's own options; they go over everything. `preset` names a preset of the method."""
    scale: float
    seed: int
    threads: int
    device: str
    checkpoint_seconds: float

    @property
    def name(self) -> str:
        """Path of the cell under results/."""
        pair = f"{self.teacher}--{self.student}"
        return f"{self.study}/{self.dataset}/{pair}/{self.label}/scale-{self.scale:g}/seed-{self.seed}"

    @property
    def teacher_folder(self) -> str:
        """Path of the cell's teacher under results/."""
        return f"teachers/{self.dataset}/{self.teacher}"


def load(path: Path) -> Study:
    """Read and check a configuration file. Raises ConfigError that names file, key path, value and choices."""
    raw = _parse(path)
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        raise _explain(path.name, error, Study.model_fields) from None
    _check(path.name, study)
    return study


def grid(study: Study) -> list[Cell]:
    """All cells of a study, methods first, in the order of the file."""
    entries = {**study.methods, **{name: {} for name in study.references}}
    return [
        Cell(
            study=study.study,
            dataset=dataset,
            verify=study.verify,
            teacher=pair.teacher,
            student=pair.student,
            label=label,
            method=entry.get("method", label),
            defaults=study.defaults,
            options={key: value for key, value in entry.items() if key != "method"},
            scale=scale,
            seed=seed,
            threads=study.threads,
            device=study.device,
            checkpoint_seconds=study.checkpoint_seconds,
        )
        for dataset in study.datasets
        for pair in study.pairs
        for label, entry in entries.items()
        for scale in study.scales
        for seed in study.seeds
    ]


@dataclass(frozen=True)
class Grid:
    """All that one configuration file asks for."""

    name: str
    device: str
    threads: int
    studies: list[Study]
    cells: list[Cell]

    @property
    def recipes(self) -> dict[str, dict[str, Any]]:
        """Dataset -> what differs in its teachers' recipe. Raises ConfigError if two studies do not agree."""
        found: dict[str, dict[str, Any]] = {}
        for study in self.studies:
            for dataset in study.datasets:
                if found.setdefault(dataset, study.recipe) != study.recipe:
                    raise ConfigError(f"{self.name}: recipe", f"two studies differ in the teachers of {dataset}")
        return found

    @property
    def unverified(self) -> set[str]:
        """Datasets whose checksums do not count."""
        return {dataset for study in self.studies if not study.verify for dataset in study.datasets}


def load_grid(path: Path) -> Grid:
    """The grid of a study, or of a file that says ``include: [other.yaml, ...]``, which lie beside it.

    Raises ConfigError; studies of one grid must agree on device and threads.
    """
    raw = _parse(path)
    if not isinstance(raw, dict) or "include" not in raw:
        study = load(path)
        return Grid(study.study, study.device, study.threads, [study], grid(study))
    included = [load(path.with_name(name)) for name in _included(path, raw)]
    for key in ("device", "threads"):
        if len(values := {str(getattr(study, key)) for study in included}) > 1:
            raise ConfigError(f"{path.name}: include", f"the studies differ in {key}: {', '.join(sorted(values))}")
    cells = [cell for study in included for cell in grid(study)]
    if len({cell.name for cell in cells}) != len(cells):
        raise ConfigError(f"{path.name}: include", "two studies have the same name and a cell in common")
    return Grid(path.stem, included[0].device, included[0].threads, included, cells)


def _collects(path: Path) -> bool:
    """Whether a file has no cells of its own."""
    raw = _parse(path)
    return isinstance(raw, dict) and "include" in raw


def _included(path: Path, raw: dict[str, object]) -> list[str]:
    files = raw["include"]
    if set(raw) != {"include"} or not isinstance(files, list) or not files:
        raise ConfigError(f"{path.name}: include", "a list of files, and no other key beside it")
    return [str(name) for name in files]


def select(cells: Iterable[Cell], filters: Mapping[str, object]) -> list[Cell]:
    """The cells that pass all ``filters``, such as ``{"methods": "ssd-kd", "scales": 10}``.

    Values are a single item, a list, or text separated by commas. Raises ConfigError for an unknown filter or value.
    """
    chosen = list(cells)
    attributes = {"methods": "label", "scales": "scale", "seeds": "seed", "teachers": "teacher", "students": "student"}
    for name, wanted in filters.items():
        if name not in attributes:
            raise ConfigError(f"--config {name}", "no such selection", name, attributes)
        present = {_text(getattr(cell, attributes[name])) for cell in chosen}
        items = [_text(item).strip() for item in _listed(wanted)]
        for item in items:
            if item not in present:
                raise ConfigError(f"--config {name}={item}", "not in the grid", item, sorted(present))
        chosen = [cell for cell in chosen if _text(getattr(cell, attributes[name])) in items]
    return chosen


def find(pattern: str, path: Path | None = None) -> list[tuple[Path, Cell]]:
    """The cells whose names match a shell pattern, from ``path`` or else from every file in workflow/config."""
    files = [path] if path else [file for file in sorted(CONFIGS.glob("*.yaml")) if not _collects(file)]
    cells = [(file, cell) for file in files for cell in load_grid(file).cells]
    found = [(file, cell) for file, cell in cells if fnmatch.fnmatchcase(cell.name, pattern)]
    if not found:
        raise ConfigError(
            pattern, "no cell of this name in " + ", ".join(map(str, files)), pattern, _near(pattern, cells)
        )
    return found


def explain_options(where: str, error: ValidationError, fields: Iterable[str]) -> ConfigError:
    """A ConfigError for method options that failed their own validation."""
    return _explain(where, error, fields, separator=".")


def _parse(path: Path) -> object:
    try:
        return yaml.load(path.read_text(), Loader=_UniqueKeys)
    except FileNotFoundError:
        raise ConfigError(str(path), "no such file", path, sorted(map(str, CONFIGS.glob("*.yaml")))) from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {error}") from None


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
    for key in ("datasets", "pairs", "scales", "seeds", "references"):
        items = getattr(study, key)
        if len({str(item) for item in items}) != len(items):
            raise ConfigError(f"{file}: {key}", "the same value stands twice")
    for label, entry in study.methods.items():
        _check_entry(file, label, entry)
        _check_folder(file, label, [*study.methods, *study.references])
    for i, name in enumerate(study.references):
        _choose(f"{file}: references.{i}", "unknown reference", name, methods.REFERENCES)
        if name in study.methods:
            raise ConfigError(f"{file}: references.{i}", f"{name} is also a label under methods")
    if not study.methods and not study.references:
        raise ConfigError(f"{file}: methods", "nothing to run: no methods and no references")


def _check_entry(file: str, label: str, entry: dict[str, Any]) -> None:
    where = f"{file}: methods.{label}"
    if not label[:1].isalnum() or not all(c.isalnum() or c in "._+-" for c in label):
        raise ConfigError(where, "a label is letters, digits and . _ + - and starts with a letter or digit")
    method = entry.get("method", label)
    if not isinstance(method, str):
        raise ConfigError(f"{where}.method", f"{method!r} is not the name of a method")
    try:
        methods.source(method)
    except methods.UnknownMethod as error:
        raise ConfigError(
            where if "method" not in entry else f"{where}.method", str(error), method, methods.names()
        ) from None


def _check_folder(file: str, label: str, labels: list[str]) -> None:
    """A label is a folder's name, and some file systems do not tell A from a."""
    if same := [other for other in labels if other != label and other.casefold() == label.casefold()]:
        raise ConfigError(f"{file}: methods.{label}", f"the same folder as {same[0]}, where case does not count")


def _choose(where: str, problem: str, value: str, choices: Iterable[str]) -> None:
    names = list(choices)
    if value not in names:
        raise ConfigError(where, f"{problem}: {value!r}", value, names)


def _explain(file: str, error: ValidationError, fields: Iterable[str], separator: str = ": ") -> ConfigError:
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    where = f"{file}{separator}{path}" if path else file
    if first["type"] == "extra_forbidden":
        choices = fields if len(first["loc"]) == 1 else Pair.model_fields
        return ConfigError(where, "unknown key", first["loc"][-1], choices)
    if first["type"] == "missing":
        return ConfigError(where, "this key is missing")
    return ConfigError(where, f"{first['input']!r}: {first['msg'].removeprefix('Value error, ')}")


def _near(pattern: str, cells: list[tuple[Path, Cell]]) -> list[str]:
    import difflib

    return difflib.get_close_matches(pattern, [cell.name for _, cell in cells], n=5, cutoff=0.3)


def _listed(value: object) -> list[object]:
    if isinstance(value, str):
        return list(value.split(","))
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
