"""Where everything under ``results/`` lies: the only file that spells a name there, or takes a path apart.

`results/README.md` shows the tree. Folders are plain values: making one touches no file.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.store.files import there
from methods.base.names import network_of, network_spec, own_name
from methods.base.pair import Pair

_CELL = re.compile(
    r"(?P<study>[^/]+)/(?P<dataset>[^/]+)/(?P<pair>[^/]+--[^/]+)/(?P<label>[^/]+)"
    r"/scale-(?P<scale>[0-9]+(?:\.[0-9]+)?)/seed-(?P<seed>[0-9]+)"
)
CELL_PATTERN = re.sub(r"\?P<\w+>", "?:", _CELL.pattern)
"""Regular expression of a cell's name, as wildcards of the workflow need it: without names of groups."""
_CELLS = "*/*/*--*/*/scale-*/seed-*"
RESERVED = ("teachers", "reference", "mlflow.db", "mlflow-artifacts", "index.html")
"""What else stands beside the studies, in a results folder or a report."""


def scale_text(scale: float) -> str:
    """A data scale as it is written everywhere: the shortest text that is this number again; no two are alike."""
    return repr(float(scale)).removesuffix(".0")


def words_of(name: str) -> list[str]:
    """The words of a cell's name, or of a part of one: what stands between slashes."""
    return name.strip("/").split("/")


@dataclass(frozen=True)
class CellName:
    """What tells the cells of all studies apart. As text it is the cell's path under ``results/``."""

    study: str
    dataset: str
    pair: Pair
    label: str
    scale: float
    """Percent."""
    seed: int

    @classmethod
    def parse(cls, text: str) -> CellName:
        """The cell of this name. Raises ValueError if the text is none, or is not how its name is written."""
        if not (found := _CELL.fullmatch(text)):
            raise ValueError(f"not the name of a cell: {text!r}")
        study, dataset, pair, label, scale, seed = found.groups()
        name = CellName(study, dataset, Pair.from_folder(pair), label, float(scale), int(seed))
        if str(name) != text:
            raise ValueError(f"not how the name of a cell is written: {text!r}, but {str(name)!r}")
        return name

    @property
    def share(self) -> float:
        """The data scale in (0, 1]."""
        return self.scale / 100

    @property
    def row(self) -> str:
        """Name of the row that the cell belongs to: its own without the seed."""
        return f"{self.study}/{self.dataset}/{self.pair.folder}/{self.label}/scale-{scale_text(self.scale)}"

    def __str__(self) -> str:
        return f"{self.row}/seed-{self.seed}"


@dataclass(frozen=True)
class RunFolder:
    """The folder ``runs/<key>``: all that one run leaves behind."""

    path: Path

    @property
    def key(self) -> str:
        """The run's cell key."""
        return self.path.name

    @property
    def cell(self) -> CellFolder:
        """The cell that the run belongs to."""
        return CellFolder(self.path.parents[1])

    @property
    def metrics(self) -> Path:
        """The result; there once the run has come to its end."""
        return self.path / "metrics.json"

    @property
    def events(self) -> Path:
        """The learning curve, a line per evaluation."""
        return self.path / "events.jsonl"

    @property
    def manifest(self) -> Path:
        """Configuration, hashes of the code, attempts."""
        return self.path / "manifest.json"

    @property
    def student(self) -> Path:
        """The student's weights."""
        return self.path / "student.safetensors"

    @property
    def samples(self) -> Path:
        """A sheet of synthetic images."""
        return self.path / "samples.png"

    @property
    def log(self) -> Path:
        """What the attempts printed, and why they ended."""
        return self.path / "attempts.log"

    @property
    def link(self) -> Path:
        """Which MLflow run shows this one; written by `dkd sync`."""
        return self.path / "mlflow.json"

    @property
    def verified(self) -> Path:
        """Whether its student is as good as its metrics say; written by `dkd verify`."""
        return self.path / "verified.json"

    @property
    def checkpoint(self) -> Path:
        """Where an unfinished run goes on."""
        return self.path / "checkpoint.pt"

    @property
    def progress(self) -> Path:
        """How far an unfinished run is."""
        return self.path / "progress.json"

    @property
    def lock(self) -> Path:
        """Held by the process that works on the run; the file stays."""
        return self.path / "lock"

    def outside(self, place: str) -> Path:
        """The copy of a file of one's own, such as ``method/mine.py``."""
        return self.path / "outside" / place

    @property
    def told(self) -> tuple[Path, ...]:
        """What tells of a finished run without its weights, the result last: what is sent to others."""
        return self.manifest, self.events, self.samples, self.metrics

    @property
    def kept(self) -> tuple[Path, ...]:
        """What a finished run consists of, the result last. What other commands say of it stays where they said it."""
        return self.manifest, self.events, self.student, self.samples, self.log, self.metrics

    def torn(self) -> Iterator[Path]:
        """Temporary files of processes that were killed while they wrote."""
        yield from self.path.rglob(".*.tmp")

    def leftovers(self) -> Iterator[Path]:
        """What nobody needs once the run has a result."""
        yield from (path for path in (self.checkpoint, self.progress) if path.exists())
        yield from self.torn()

    def size(self) -> int:
        """Bytes of all its files."""
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())


@dataclass(frozen=True)
class CellFolder:
    """The folder of a cell: a copy of its current result, and its runs."""

    path: Path

    @property
    def name(self) -> CellName:
        """Which cell it is. Raises ValueError for a folder that is none of a cell's."""
        return CellName.parse(self.place)

    @property
    def is_cell(self) -> bool:
        """Whether its path is the name of a cell, letter by letter."""
        try:
            CellName.parse(self.place)
        except ValueError:
            return False
        return True

    @property
    def place(self) -> str:
        """Its path under the results folder, letter by letter: ``scale-10.0`` is another one than ``scale-10``."""
        return "/".join(self.path.parts[-6:])

    @property
    def results(self) -> Results:
        """The results folder that it is in."""
        return Results(self.path.parents[5])

    @property
    def metrics(self) -> Path:
        """A copy of the current run's result: the only file of the cell that the workflow knows."""
        return self.path / "metrics.json"

    def run(self, key: str) -> RunFolder:
        """The run of this key, whether it is there or not."""
        return RunFolder(self.path.joinpath("runs", key))

    def runs(self) -> list[RunFolder]:
        """The runs that are there, in the order of their keys."""
        folder = self.path / "runs"
        found = sorted(path for path in folder.glob("*") if path.is_dir())
        return [RunFolder(path) for path in found]


@dataclass(frozen=True)
class TeacherFolder:
    """The folder of a trained teacher."""

    path: Path

    @property
    def dataset(self) -> str:
        """What it was trained on."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """Its network's name, with its own behind it if it has one."""
        return self.path.name

    @property
    def own(self) -> str:
        """Its own name, which tells it from the other teachers of its network; empty if it has none."""
        return own_name(self.name)

    def command(self, network: str | None = None) -> str:
        """The command that makes it. ``network`` is what it is of, where that is known; or else its name must do."""
        own = f" --name {self.own}" if self.own else ""
        return f"dkd train-teacher {self.dataset} {network or network_spec(network_of(self.name))}{own}"

    @property
    def elsewhere(self) -> str:
        """What a command must be told to find this folder; empty where it looks by itself."""
        results = self.path.parents[2]
        return "" if results == Path("results") else f" --results {shlex.quote(str(results))}"

    @property
    def record(self) -> Path:
        """How good it is, and the sha256 of its weights."""
        return self.path / "teacher.json"

    @property
    def weights(self) -> Path:
        """Its weights."""
        return self.path / "teacher.safetensors"

    @property
    def training(self) -> Path:
        """Checkpoint of an unfinished training."""
        return self.path / "training.pt"

    @property
    def download(self) -> Path:
        """A file that is fetched from elsewhere, as far as it has come."""
        return self.path / "download.part"

    @property
    def fetching(self) -> Path:
        """Held by the process that fetches it; the file stays."""
        return self.path / "download.lock"

    @property
    def lock(self) -> Path:
        """Held by the process that trains or takes a teacher; the file stays."""
        return self.path / "lock"

    @property
    def staged(self) -> Path:
        """Weights that this process is about to make the teacher's."""
        return self.path / f".staged.{os.getpid()}.tmp"

    def torn(self) -> Iterator[Path]:
        """Temporary files of processes that were killed while they wrote."""
        yield from self.path.glob(".*.tmp")

    @property
    def ready(self) -> Path:
        """Stamp of the workflow: training has ended."""
        return self.path / "ready"


@dataclass(frozen=True)
class Results:
    """A results folder."""

    path: Path

    def cell(self, name: object) -> CellFolder:
        """The folder of the cell of this name, whether it is there or not."""
        return CellFolder(self.path / str(name))

    def cells(self) -> Iterator[CellFolder]:
        """The folders of all cells that are there, in name order."""
        yield from (folder for folder in self._folders() if folder.is_cell)

    def strays(self) -> Iterator[CellFolder]:
        """Folders that look like a cell's and are none: no command reads what is in them."""
        yield from (folder for folder in self._folders() if not folder.is_cell)

    def _folders(self) -> Iterator[CellFolder]:
        yield from (CellFolder(path) for path in sorted(self.path.glob(_CELLS)) if path.is_dir())

    def finished(self) -> Iterator[CellFolder]:
        """The cells that have a result, readable or not, in name order."""
        yield from (cell for cell in self.cells() if there(cell.metrics))

    def runs(self) -> Iterator[RunFolder]:
        """The folders of all runs that are there, cell by cell."""
        for cell in self.cells():
            yield from cell.runs()

    def teacher(self, dataset: str, name: str) -> TeacherFolder:
        """The folder of a teacher, whether it is there or not."""
        return TeacherFolder(self.path / "teachers" / dataset / name)

    def teachers(self) -> Iterator[TeacherFolder]:
        """The folders of all teachers that are there, in name order."""
        yield from (TeacherFolder(path) for path in sorted(self.path.glob("teachers/*/*")) if path.is_dir())

    def references(self) -> Iterator[Results]:
        """Committed records: a results folder for every device that they were made on, in name order."""
        yield from (Results(path) for path in sorted(self.path.glob("reference/*")) if path.is_dir())

    def torn(self) -> Iterator[Path]:
        """Temporary files beside records: of processes that were killed while they wrote, or that are writing."""
        yield from self.path.glob(".*.tmp")
        for cell in self.cells():
            yield from cell.path.glob(".*.tmp")
        for run in self.runs():
            yield from run.torn()
        for teacher in self.teachers():
            yield from teacher.torn()

    @property
    def database(self) -> Path:
        """MLflow's store, unless a server is named."""
        return self.path / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """Files of MLflow's runs, study by study."""
        return self.path / "mlflow-artifacts"

    @property
    def sync_lock(self) -> Path:
        """Held by the one process that writes to MLflow."""
        return self.path / ".sync.lock"

    @property
    def stage(self) -> Path:
        """Where imported runs are put together before they are moved to their place."""
        return self.path / ".import"

    @property
    def import_lock(self) -> Path:
        """Held by the one process that imports."""
        return self.path / ".import.lock"

    def validated(self, grid: str) -> Path:
        """Stamp of the workflow: which cells of a grid were checked."""
        return self.path / ".stamps" / f"{grid}.validated"

    def planned(self, study: str) -> Path:
        """Which cells of a study the workflow set out to run, for reports."""
        return self.path / ".stamps" / f"{study}.plan.json"

    @property
    def sums(self) -> Path:
        """Sha256 of all files, where the folder is a submission: `sha256sum -c` reads it too."""
        return self.path / "SHA256SUMS"

    def synced(self, grid: str) -> Path:
        """Stamp of the workflow: MLflow has seen all cells of a grid."""
        return self.path / ".stamps" / f"{grid}.synced"

    def refused(self, name: str) -> Path:
        """Stamp of the workflow: the last attempt at a cell or teacher ended with a mistake of the user's."""
        return self.path / ".stamps" / "refused" / name


def remedy(path: Path) -> str:
    """What to do about a damaged record."""
    if (teacher := TeacherFolder(path.parent)).record == path:
        made = ", with the --import or --set that it was made with" if teacher.own else ""
        return f"{teacher.command()} --replace{teacher.elsewhere}{made}"
    if (run := RunFolder(path.parent)).metrics == path and path.parent.parent.name == "runs":
        return f"remove it and run the cell again: {run.cell.metrics} is taken back if it agrees"
    if folder := next((folder for folder in path.parents if folder.parent.name == "runs"), None):
        return f"remove {folder} and run the cell again"
    if path.parent.name == ".stamps":
        return f"remove {path}; the workflow writes it anew"
    if path.suffix == ".jsonl":
        return "`dkd report` writes it anew"
    return f"remove {path}; the next run copies it back from runs/"


def near(path: Path) -> Path | None:
    """The results folder whose finished cells lie in ``path``: one below it, or one that it is a part of.

    Looks into ``path`` alone: what lies beside it may be many people's.
    """
    below = (folder for folder in sorted(path.iterdir()) if folder.is_dir() and any(Results(folder).finished()))
    levels = _CELLS.split("/")
    above = (
        folder
        for depth, folder in enumerate(path.absolute().parents[: len(levels) - 1], 1)
        if any(there(CellFolder(cell).metrics) for cell in path.glob("/".join(levels[depth:])))
    )
    return next(itertools.chain(below, above), None)
