"""What all rules share: the chosen cells, their keys, the folders and the command line."""

import json
import os
import shlex
import sys
import threading
from hashlib import sha256
from pathlib import Path

from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent

# The code beside this file, whatever folder Snakemake is started in, and whichever clone is installed.
sys.path.insert(0, workflow.basedir)

from harness import start, terminal
from harness.data import identity
from harness.errors import UserError
from harness.grid import grid, keys, paths
from harness.machine import cores, gpus, memory
from harness.store import checking, layout
from harness.store.atomic import write, write_bytes
from harness.store.reading import read_intact
from harness.store.records import Plan, Planned
from harness.teachers import public, shelf


def study_file():
    """The command line's --configfile, or the default. Never both: Snakemake would merge them key by key."""
    files = workflow.config_settings.configfiles
    if len(files) > 1:
        raise UserError(f"--configfile: one file at a time, not {len(files)}: {', '.join(map(str, files))}")
    return Path(files[0]) if files else Path(workflow.basedir) / paths.DEFAULT


def folder_of(name):
    """The folder that --config NAME=FOLDER names, or the one of that name."""
    folder = SELECTION.pop(name, name)
    if not isinstance(folder, str) or not folder.strip():
        raise UserError(f"--config {name}={folder}: the path of a folder is wanted; one that is a number: {name}=./2024")
    return str(Path(folder).expanduser())


def gpu_limit():
    """N of --resources gpu=N; None if it was not given."""
    return getattr(workflow.global_resources.get("gpu"), "value", None)


def cards(asked):
    """How many GPUs this machine has for a grid; None if jobs go elsewhere, or this is already one of them."""
    if workflow.resource_settings.nodes is not None or not workflow.is_main_process:
        return None
    return len(gpus.visible()) if asked.device != "cpu" else 0


def cell_of(wildcards):
    """The cell that a file belongs to; the end, if the file is none of the grid's."""
    if wildcards.cell not in CELLS:
        sys.exit(f"error: {wildcards.cell}: no cell of the chosen grid; `dkd list` shows them")
    return CELLS[wildcards.cell]


def validate():
    """Check the GPUs, and the study once per change of it, the code or the machine; the end, if a cell cannot work."""
    if CARDS is not None:
        try:
            precisions = {cell.precision for cell in CELLS.values()}
            gpus.check(GRID.device, gpu_limit(), CARDS, GRID.share, precisions)
        except UserError as error:
            sys.exit(f"error: {error}")
    tell_missing_teachers()
    stamp = PLACE.validated(CONFIG.stem)
    machine = ROOM, cores.available(), memory.available()
    beside = [(study.device, study.graphs, study.share, study.recipe) for study in GRID.studies]  # in no cell's key
    asked = sha256("".join([*PLANS.values(), str(beside), str(machine)]).encode()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == asked:
        return
    files = f"--configfile {shlex.quote(str(CONFIG))} --results {shlex.quote(RESULTS)}"
    if os.system(f"{DKD} validate {files} --concurrent {ROOM}"):
        sys.exit("error: nothing was started")
    write_bytes(stamp, asked.encode())


def tell_missing_teachers():
    """Say which cells will not run: a teacher with a name of its own is made by hand, unless it is public."""
    for dataset, name in {(cell.dataset, cell.pair.teacher) for cell in CELLS.values()}:
        folder = PLACE.teacher(dataset, name)
        if folder.own and not public.named(dataset, name) and teacher_identity(folder) is None:
            made = shelf.how_to_make(folder, NETWORKS[dataset, name])
            terminal.say(f"note: its cells will not run: {folder.record}: no teacher; {made}", err=True)


def write_plans():
    """Tell reports what was chosen, study by study, so that a partial one says what waits."""
    for study in {cell.study for cell in CELLS.values()}:
        names = [name for name, cell in CELLS.items() if cell.study == study]
        write(PLACE.planned(study), Plan(cells=chosen_before(study) | {name: planned(name) for name in names}))


def planned(name):
    """A cell of this grid, as a plan names it."""
    return Planned(plan_key=PLANS[name], method=METHODS[name], grid=CONFIG.name)


def chosen_before(study):
    """What earlier calls set out to run: cells of other grids, and those that this one has still."""
    earlier = read_intact(PLACE.planned(study), Plan)
    cells = earlier.cells if earlier else {}
    others = {name: cell for name, cell in cells.items() if cell.grid not in (None, CONFIG.name)}
    return others | {name: planned(name) for name in cells if name in PLANS}


def refuse_jobs():
    """The end, if ``-j N`` was given for this machine: beside ``cores``, which the default profile gives, Snakemake
    takes it for jobs of a cluster, and counts neither cores nor GPUs."""
    jobs = workflow.resource_settings.nodes
    if workflow.local_exec and jobs is not None:
        sys.exit(f"error: -j {jobs}: jobs are of a cluster; on this machine type: snakemake --cores {jobs}")


def follow():
    """Say how far the grid is, and how long it will take, whenever a cell has ended."""
    from harness.commands import listing

    asked = list(CELLS.values()), Path(RESULTS), CONCURRENT
    threading.Thread(target=listing.follow, args=asked, daemon=True).start()


def quieten():
    """Leave out of the terminal what cells and `follow` tell better; Snakemake's own log keeps it."""
    for handler in logger.handlers:
        if LOCAL and type(handler).__name__ == "ColorizingTextHandler":
            handler.addFilter(lambda record: not told_elsewhere(record))


def told_elsewhere(record):
    """Whether what Snakemake says is told by a cell, or by the line on the grid."""
    if (event := getattr(record, "event", None)) == LogEvent.JOB_INFO:
        return getattr(record, "rule_name", None) == "distill"
    told = LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.PROGRESS
    return event in told or str(record.msg).startswith("Select jobs")


def recipe(dataset):
    """What the grid changes in the recipe of a dataset's teachers and in its data, as options of the command."""
    changes = [f"{key}={json.dumps(value)}" for key, value in RECIPES.get(dataset, {}).items()]
    described = [f"--configfile {shlex.quote(str(CONFIG))}"] if dataset in GRID.own else []
    return " ".join([*described, *unverified(dataset), *(f"--set {shlex.quote(change)}" for change in changes)])


def unverified(dataset):
    """The option that lets a teacher learn from data without official checksums, where the grid says so."""
    return ["--no-verify"] if dataset in GRID.unverified else []


def teacher_of(cell):
    """The folder of a cell's teacher."""
    return PLACE.teacher(cell.dataset, cell.pair.teacher)


def making(wildcards):
    """What makes a teacher, as arguments of dkd. No recipe of the grid's is for one with a name of its own."""
    if (wildcards.dataset, wildcards.teacher) not in NETWORKS:
        sys.exit(f"error: {wildcards.dataset}/{wildcards.teacher}: no teacher of the chosen grid")
    if known := public.named(wildcards.dataset, wildcards.teacher):
        return " ".join(["teachers", "get", known.name, *unverified(wildcards.dataset)])
    network = shlex.quote(NETWORKS[wildcards.dataset, wildcards.teacher])
    folder = PLACE.teacher(wildcards.dataset, wildcards.teacher)
    changes = "" if folder.own else recipe(wildcards.dataset)
    return f"{folder.command(network).removeprefix('dkd ')} {changes}".rstrip()


def require_teacher(folder, own):
    """The end, with the command that puts it right, if a teacher is lost, damaged, or learned from other data."""
    if teacher_identity(folder) is None:
        return
    record = checking.teacher(folder)
    if reason := identity.outdated(record, own):
        changes = recipe(folder.dataset) if record.recipe and not folder.own else ""
        command = f"{shelf.again(folder, record)} --results {shlex.quote(RESULTS)} {changes}"
        raise UserError(f"{folder.record}: {reason}\n  {command}".rstrip())


def pattern(path):
    """A path as rules want it: what stands in braces there is a wildcard."""
    return str(path).replace("{", "{{").replace("}", "}}")


def once(name):
    """Beginning of a command line: what ends with status 2, a mistake of the user's, is not tried again."""
    return f"bash {ONCE} {{resources.attempt}} {shlex.quote(str(PATTERNS.refused(name)))} "


def teacher_identity(folder):
    """Identity of a trained teacher; None before its training."""
    found = checking.teacher_identity(folder)
    if found is None and folder.ready.exists():
        raise UserError(
            f"{folder.record}: gone, though training had ended\n  put it back, or remove {folder.ready} to train anew"
        )
    return found


def cell_key(wildcards):
    """Key of the result, known as soon as there is a teacher; until then Snakemake shows <TBD>.

    Takes no `input`: Snakemake leaves such parameters out when it looks for changes.
    """
    folder = teacher_of(cell_of(wildcards))
    if found := teacher_identity(folder):
        return keys.cell_key(PLANS[wildcards.cell], found)
    raise FileNotFoundError(2, "not trained yet", str(folder.ready))


try:
    SELECTION = dict(workflow.config_settings.config)
    RESULTS = folder_of("results")
    PLACE = layout.Results(Path(RESULTS))
    REPORTS = folder_of("reports")
    CONFIG = study_file()
    GRID = grid.load_grid(CONFIG)
    CELLS = {cell.name: cell for cell in grid.select(GRID.cells, SELECTION)}
    NETWORKS = {(cell.dataset, cell.pair.teacher): cell.teacher_network for cell in GRID.cells}
    PLANS = {cell.name: keys.plan_key(cell) for cell in GRID.cells}
    METHODS = {cell.name: cell.method for cell in GRID.cells}
    RECIPES = GRID.recipes
    CARDS = cards(GRID)
    for folder, own in {teacher_of(cell): cell.own for cell in CELLS.values()}.items():
        require_teacher(folder, own)
except (UserError, SyntaxError) as error:
    sys.exit(f"error: {error}")

os.environ.update(start.environment())
os.environ[terminal.SHARED] = "1"
DKD = os.environ.get("DKD_COMMAND") or f"{shlex.quote(sys.executable)} -m harness"
ONCE = shlex.quote(pattern(Path(workflow.basedir) / "workflow/once.sh"))
METRICS = [pattern(PLACE.cell(name).metrics) for name in CELLS]
PATTERNS = layout.Results(Path(pattern(RESULTS)))
SYNCED = pattern(PLACE.synced(CONFIG.stem))
INDEX = pattern(Path(REPORTS) / "index.html")
"""Declared outputs are deleted before a job runs again, so the rules declare stamps in place of what must survive."""

# One card per cell, unless the grid says cpu or this machine has none; elsewhere the cluster knows. Cells that share
# this machine's cards take a place each, and a teacher all places of one.
GPU = int(GRID.device != "cpu" and CARDS != 0)
WHOLE_GPU = GPU * (GRID.share if CARDS else 1)
# Teachers of a grid for processors are made on one as well: no card was asked for.
HIDDEN = "env CUDA_VISIBLE_DEVICES= " if GRID.device == "cpu" else ""
LOCAL = workflow.resource_settings.nodes is None
ROOM = min(len(GRID.cells), max(1, (workflow.resource_settings.cores or 1) // GRID.threads)) if LOCAL else 1
if CARDS:
    if gpu_limit() is None:
        workflow.global_resources["gpu"] = CARDS * GRID.share
    ROOM = min(ROOM, gpu_limit())
CONCURRENT = min(ROOM, len(CELLS))


wildcard_constraints:
    cell=layout.CELL_PATTERN,
    dataset=r"[^/]+",
    teacher=r"[^/]+",
