"""`dkd doctor`: what this machine has, what is missing, and how to put it right."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import platform
import shutil
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement

from harness import ROOT, data
from harness.commands.output import Line, columns
from harness.data import identity
from harness.data.own import OwnData
from harness.errors import UserError, describe
from harness.machine import cores, facts, nvml, users
from harness.reporting.tables import remarks
from harness.store import checking, reading
from harness.store.bounds import BY_HASH
from harness.store.files import there
from harness.store.layout import Results, RunFolder, remedy
from harness.store.reading import DamagedRecord
from harness.store.records import Manifest, Metrics
from harness.terminal import progress
from harness.tracking import health
from harness.tracking.store import set_environment
from harness.wording import count

MODULES = {"pillow": "PIL", "pyyaml": "yaml", "nvidia-ml-py": "pynvml"}
"""Packages that are imported under another name."""

OPTIONAL = {
    "snakemake": "grids",
    "mlflow": "dkd sync and dkd ui",
    "pandas": "notebooks",
    "scipy": "reports, dkd compare, dkd prepare nyuv2",
    "matplotlib": "reports",
    "jinja2": "reports",
    "nvidia-ml-py": "energy on GPUs",
}
"""What `dkd run` does without."""

STYLES = {"ok": "green", "MISSING": "bold red", "warning": "yellow"}
"""How marks look on a terminal."""

KINDS = {
    True: "complete and verified",
    False: "complete; no official checksums",
    BY_HASH: "complete; your own, known by your hash alone",
}
"""What is verified of a dataset -> in words."""

FREE_BYTES = 2 * 2**30
"""Less free disk than this is worth a warning."""


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    what: str
    ok: bool
    found: str
    fix: str = ""
    needed: bool = True
    """Whether cells can run without it."""

    @property
    def mark(self) -> str:
        """``ok``, or how bad it is."""
        return "ok" if self.ok else "MISSING" if self.needed else "warning"


def table(checks: Iterable[Check]) -> Iterator[Line]:
    """A line per check, and one below it that says how to put it right, where that is needed."""
    yield columns((row for check in checks for row in _rows(check)), style=STYLES)


def _rows(check: Check) -> Iterator[tuple[str, str, str]]:
    yield check.mark, check.what, check.found
    if not check.ok:
        yield "", "", f"→ {check.fix}"


def examine(results: Path) -> Iterator[Check]:
    """All checks, in the order in which they are worth reading."""
    set_environment()  # packages shall be imported as `dkd sync` does
    yield Check("python", True, platform.python_version())
    yield from packages()
    yield from user()
    yield from devices()
    yield from datasets(results)
    yield disk(results)
    yield store(results)
    yield from stored_records(results)
    yield load(results)


def packages() -> Iterator[Check]:
    """The dependencies of pyproject.toml, imported: a version that cannot be imported is as good as missing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in project["dependencies"]:
        yield _package(Requirement(requirement).name, requirement)


def devices() -> Iterator[Check]:
    """Processor, and the GPUs that nvidia-smi knows, compared with what torch can use."""
    there, ours = os.cpu_count() or 1, cores.available()
    limit = f", of which this process may use {ours}" if ours < there else ""
    yield Check("CPU", True, f"{facts.cpu_name()}, {there} cores{limit}")
    cards = nvml.descriptions()
    if not cards:
        yield Check("GPU", True, "none: cells run on the CPU")
    for card in cards:
        yield Check("GPU", True, card)
    if cards and not _torch_sees_gpu():
        fix = "install a torch build with CUDA for this driver: https://pytorch.org/get-started/locally"
        yield Check("torch on GPU", False, "nvidia-smi lists a GPU, torch.cuda.is_available() is False", fix)


def datasets(results: Path) -> Iterator[Check]:
    """Every dataset, and the images of one's own that teachers learned from: whether the files are there and intact."""
    for dataset in [*data.names(), *_own(results)]:
        name = str(dataset)
        try:
            loaded = data.load(dataset)
            loaded.require()
            yield Check(name, True, KINDS[loaded.verified])
        except UserError as error:
            problem, _, remedy = str(error).partition("\n")
            yield Check(name, False, problem, "; ".join(map(str.strip, remedy.splitlines())), needed=False)
        except (ImportError, OSError, ValueError) as error:  # a package that is missing, a file that cannot be read
            yield Check(name, False, f"{type(error).__name__}: {error}", "put right what stands above", needed=False)


def _own(results: Path) -> list[str | OwnData]:
    """Damaged records are told where all records are."""
    found = []
    for folder in Results(results).teachers():
        with contextlib.suppress(OSError, UserError):
            found.append(identity.described(checking.teacher(folder)))
    return [own for own in dict.fromkeys(found) if isinstance(own, OwnData)]


def disk(results: Path) -> Check:
    """Free space where the results go."""
    place = next(folder for folder in (results.absolute(), *results.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    fix = "free some space; `dkd prune` removes old runs"
    return Check("disk", free >= FREE_BYTES, f"{free / 2**30:.1f} GiB free in {place}", fix, needed=False)


def user() -> Iterator[Check]:
    """A name, and a place for what programs keep: Snakemake ends without them before it reads a file."""
    for lacks, line in users.missing():
        yield Check("user", False, f"{lacks}: snakemake does not start", line, needed=False)


def store(results: Path) -> Check:
    """The MLflow store."""
    found = health.examine(results)
    return Check("MLflow store", found.ok, found.found, found.fix, needed=False)


def stored_records(results: Path) -> Iterator[Check]:
    """Every record under ``results``, read; the damaged ones, or how many there are."""
    checks, read = list(_records(results)), 0
    for check in progress(checks, len(checks), "reading records"):
        try:
            check()
            read += 1
        except FileNotFoundError:
            continue
        except DamagedRecord as error:
            yield Check("record", False, f"{error.path}: {error.reason}", remedy(error.path), needed=False)
    for stray in Results(results).strays():
        fix = "give it the name that a cell has (scale-10, not scale-10.0; seed-1, not seed-01), or move it away"
        yield Check("folder", False, f"{stray.path}: looks like a cell's, is none, is not read", fix, needed=False)
    yield Check("records", True, f"{read} read under {results}")


def load(results: Path) -> Check:
    """Whether the seconds of the results can be trusted: cells that ran while the machine was overloaded."""
    found = [reading.read_intact(cell.metrics, Metrics) for cell in Results(results).finished()]
    odd = [result for result in found if result and result.overloaded]
    worst = max(odd, key=lambda result: result.seconds.working / max(result.cost.working, 1e-9), default=None)
    if not worst:
        return Check("load", True, "no cell ran on an overloaded machine")
    told = f"{count(len(odd), 'cell')} ran on an overloaded machine, the worst {worst.cell}: {remarks.overload(worst)}"
    fix = "`dkd retry --overloaded` lets them run again; start fewer at once, or when nothing else runs"
    return Check("load", False, told, fix, needed=False)


def _package(name: str, requirement: str) -> Check:
    needed = name not in OPTIONAL
    use = "" if needed else f" (for {OPTIONAL[name]})"
    fix = f"pip install '{requirement}'"
    try:
        importlib.import_module(MODULES.get(name, name))
        version = importlib.metadata.version(name)
    except Exception as error:  # noqa: BLE001 - a broken package raises whatever it likes when it is imported
        return Check(name, False, f"{describe(error)}{use}", fix, needed)
    fits = Requirement(requirement).specifier.contains(version, prereleases=True)
    return Check(name, fits, f"{version}{use}", fix, needed)


def _torch_sees_gpu() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def _records(results: Path) -> Iterator[Callable[[], object]]:
    """What reads and checks each record that is there."""
    place = Results(results)
    for teacher in place.teachers():
        yield partial(checking.teacher, teacher, weights=True)
    for cell in place.cells():
        yield partial(checking.current, cell)
        for run in cell.runs():
            yield partial(_run, run)


def _run(run: RunFolder) -> None:
    """A run that is finished as a whole; of one that is not, what there is of it."""
    if there(run.metrics):
        checking.whole(run)
    elif there(run.manifest):
        reading.read(run.manifest, Manifest)
        reading.read_events(run)
