"""From studies to cells: all of a file's, those of a selection, those that a pattern means."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness import data
from harness.data.own import OwnData
from harness.errors import ConfigError
from harness.explain import brief
from harness.grid import files, keys, yaml_file
from harness.grid.cell import Cell
from harness.grid.own_data import agree
from harness.grid.paths import configs, configuration, default
from harness.grid.pattern import keys_of, matching, nothing
from harness.grid.places import Places
from harness.grid.study import CELLS, Budget, Study, load_study, study_of
from harness.store import checking
from harness.store.layout import Results, scale_text
from harness.wording import count

SELECTIONS = {
    "methods": lambda cell: cell.label,
    "scales": lambda cell: scale_text(cell.scale),
    "seeds": lambda cell: str(cell.seed),
    "teachers": lambda cell: cell.pair.teacher,
    "students": lambda cell: cell.pair.student,
}
"""What `--config` can select by -> how a cell's value is written."""
INCLUDED = 100
"""Files of one grid, at most."""


@dataclass(frozen=True)
class Grid:
    """All that one configuration file asks for."""

    name: str
    device: str
    threads: int
    share: int
    studies: list[Study]
    cells: list[Cell]

    @property
    def recipes(self) -> dict[str, dict[str, Any]]:
        """Dataset -> what differs in its teachers' recipe. Raises ConfigError if two studies do not agree."""
        found: dict[str, dict[str, Any]] = {}
        for study in self.studies:
            for dataset in map(str, study.datasets):
                if found.setdefault(dataset, study.recipe) != study.recipe:
                    where = study.places.at("recipe")
                    raise ConfigError(where, f"two studies differ in the teachers of {dataset}")
        return found

    @property
    def unverified(self) -> set[str]:
        """Datasets whose checksums do not count."""
        return {str(dataset) for study in self.studies if not study.verify for dataset in study.datasets}

    @property
    def own(self) -> dict[str, OwnData]:
        """Names of one's own images -> what is said of them."""
        return {cell.dataset: cell.own for cell in self.cells if cell.own}


def expand(study: Study) -> list[Cell]:
    """All cells of a study, in the order of the file. Raises ConfigError for a file that is not there."""
    budget, labels = _budget(study), [_label(study, name) for name in study.methods]
    return [
        Cell(
            study=study.study,
            dataset=str(dataset),
            own=dataset if isinstance(dataset, OwnData) else None,
            pair=pair.pair,
            teacher_network=pair.teacher.network,
            student_network=pair.student,
            scale=scale,
            seed=seed,
            budget=budget,
            verify=study.verify,
            threads=study.threads,
            deterministic=study.deterministic,
            graphs=study.graphs,
            sharing=study.share,
            precision=study.precision,
            device=study.device,
            checkpoint_seconds=study.checkpoint_seconds,
            places=study.places,
            **{**label, "outside": {**label["outside"], **pair.outside}},
        )
        for dataset in study.datasets
        for pair in study.pairs
        for label in labels
        for scale in study.scales
        for seed in study.seeds
    ]


def load_grid(path: Path) -> Grid:
    """The grid of a study, or of a file that says ``include: [other.yaml, ...]``.

    Raises ConfigError; studies of one grid must agree on device, threads and share.
    """
    raw, places = yaml_file.read(path)
    if "include" not in raw:
        study = study_of(path, raw, places)
        return Grid(study.study, study.device, study.threads, study.share, [study], expand(study))
    included = [load_study(configuration(path, name, where)) for name, where in _included(raw, places)]
    where = places.at("include")
    for key in ("device", "threads", "share"):
        if len(values := {str(getattr(study, key)) for study in included}) > 1:
            raise ConfigError(where, f"the studies differ in {key}: {', '.join(sorted(values))}")
    if (size := sum(study.size for study in included)) > CELLS:
        raise ConfigError(where, f"{size:,} cells: a grid has {CELLS:,} at most")
    agree([(own, study.places) for study in included for own in study.datasets if isinstance(own, OwnData)])
    cells = [cell for study in included for cell in expand(study)]
    if len({cell.name for cell in cells}) != len(cells):
        raise ConfigError(where, "two studies have the same name and a cell in common")
    first = included[0]
    return Grid(path.stem, first.device, first.threads, first.share, included, cells)


def select(cells: Iterable[Cell], filters: Mapping[str, object]) -> list[Cell]:
    """The cells that pass all ``filters``, such as ``{"methods": "ssd-kd", "scales": 10}``.

    Values are a single item, a list, or text separated by commas. Raises ConfigError for an unknown filter or value.
    """
    chosen = list(cells)
    for name, wanted in filters.items():
        if name not in SELECTIONS:
            raise ConfigError(f"--config {name}", "no such selection", name, SELECTIONS)
        value = SELECTIONS[name]
        present = {value(cell) for cell in chosen}
        items = [_text(item).strip() for item in _listed(wanted)]
        if not items:
            raise ConfigError(f"--config {name}", "nothing is chosen", None, sorted(present))
        for item in items:
            if item not in present:
                raise ConfigError(f"--config {name}={brief(item)}", "not in the grid", item, sorted(present))
        chosen = [cell for cell in chosen if value(cell) in items]
    return chosen


def find(pattern: str, path: Path | None = None, results: Path = Path("results")) -> list[tuple[Path, Cell]]:
    """The cells that a pattern means (`harness/grid/pattern.py`), each with the file of its grid.

    Args:
        pattern: part of a name, shell pattern or key: of what a cell asks for now, or of a run that it has.
        path: the grid to look in; without one the default grid, and if it has none, all of workflow/config.
        results: where teachers and runs are, for keys.

    Raises ConfigError, or UserError if there is none.
    """
    usual = path or default()
    cells = _cells([usual] if path or usual.exists() else [])
    if found := _matching(pattern, cells, results):
        return found
    others = [] if path else _cells(file for file in _studies() if file != usual)
    if found := _matching(pattern, others, results):
        return found
    where = f"{usual} ({count(len(cells), 'cell')}){f' or elsewhere in {configs()}' if others else ''}"
    more = "" if path else "\n  a study elsewhere: add --configfile FILE"
    raise nothing(pattern, [cell.name for _, cell in [*cells, *others]], where, more)


def find_dataset(name: str, path: Path | None = None) -> str | OwnData:
    """The dataset of this name, as `data.load` takes it: one of the bench, or one that the grid ``path`` describes.

    Raises ConfigError.
    """
    own = load_grid(path).own if path else {}
    if name not in (*data.names(), *own):
        where = "" if path else "; images of your own are described in a configuration: add --configfile FILE"
        raise ConfigError(brief(name), f"unknown dataset{where}", name, [*data.names(), *own])
    return own.get(name, name)


def _studies() -> list[Path]:
    """The files of workflow/config that have cells of their own."""
    return [file for file in sorted(configs().glob("*.yaml")) if "include" not in yaml_file.read(file)[0]]


def _cells(files: Iterable[Path]) -> list[tuple[Path, Cell]]:
    return [(file, cell) for file in files for cell in load_grid(file).cells]


def _matching(pattern: str, cells: Iterable[tuple[Path, Cell]], results: Path) -> list[tuple[Path, Cell]]:
    place = Results(results)
    identity = functools.cache(lambda dataset, teacher: checking.teacher_identity(place.teacher(dataset, teacher)))

    def of_cell(item: tuple[Path, Cell]) -> Iterator[str]:
        _, cell = item
        yield (plan := keys.plan_key(cell))
        if taught := identity(cell.dataset, cell.pair.teacher):
            yield keys.cell_key(plan, taught)
        yield from keys_of(place.cell(cell.name))

    return matching(pattern, ((item[1].name, item) for item in cells), of_cell)


def _included(raw: dict[str, Any], places: Places) -> list[tuple[str, str]]:
    """The files that are included, and where each is named."""
    names = raw["include"]
    if set(raw) != {"include"} or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(places.at("include"), "a list of files, and no other key beside it")
    if not 0 < len(names) <= INCLUDED or len(set(names)) != len(names):
        raise ConfigError(places.at("include"), f"a list of files: 1 to {INCLUDED}, each once")
    return [(name, places.at("include", number)) for number, name in enumerate(names)]


def _budget(study: Study) -> Budget:
    """What the study gives to every method, with the files that it names."""
    places = study.places
    return Budget(**files.options(study.budget.options, places.written_in("budget"), partial(places.at, "budget")))


def _label(study: Study, name: str) -> dict[str, Any]:
    """What a cell has of its label: method, preset, options, and the files that these name."""
    label, at, file = study.methods[name], partial(study.places.at, "methods", name), study.places.written_in("methods")
    method, outside = files.method(label.method or name, file, at("method"))
    return {
        "label": name,
        "method": method,
        "outside": {"method": outside} if outside else {},
        "preset": label.preset,
        "options": files.options(label.options, file, at),
    }


def _listed(value: object) -> list[object]:
    if isinstance(value, str):
        return list(value.split(","))
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _text(value: object) -> str:
    return scale_text(value) if isinstance(value, float) else str(value)
