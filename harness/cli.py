"""`dkd`: parses the command line and calls one function of a module, imported inside the command.

So `dkd list` does not wait for torch, and `dkd run` works on a node that has neither pandas nor mlflow nor snakemake.
"""

from __future__ import annotations

import os
import platform
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness import VERSION, start, terminal
from harness.errors import UserError
from harness.machine import memory, trouble
from harness.reporting.usual import TOLD
from harness.store import place
from harness.store.place import path
from harness.terminal import say
from harness.wording import count

if TYPE_CHECKING:
    from harness.commands.output import Line
    from harness.tracking.sync import SyncReport

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
public = typer.Typer(invoke_without_command=True)
app.add_typer(public, name="teachers")


def _version(wanted: bool) -> None:
    """Say which version of the bench this is, and end."""
    if wanted:
        from harness.machine import facts

        commit, dirty = facts.commit()
        code = f", commit {commit[:12]}{' and changes' if dirty else ''}" if commit else ""
        say(f"dkd-bench {VERSION}{code}, Python {platform.python_version()}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Which version this is, and which commit."),
    ] = False,
) -> None:
    """Benchmark of data-free knowledge distillation: run cells, look after results, render reports."""


ResultsFolder = Annotated[Path, typer.Option(help="The results folder.", parser=path)]
AnyGridFile = Annotated[
    Path | None,
    typer.Option(
        "--configfile", help="Grid to look in; without it the default one, then all of workflow/config.", parser=path
    ),
]
TOGETHER = 2**16
"""Cells that may run at once on a machine, at most: more than any has cores, and a number that help can show."""
Concurrent = Annotated[
    int, typer.Option(min=1, max=TOGETHER, help="Cells at work on this machine at once, for the records; starts none.")
]
MEANT = "A part of a cell's name such as ssd-kd/scale-10, a shell pattern of whole names, or a key."


def _completed(context: typer.Context, incomplete: str) -> list[str]:
    """What the shell offers where a pattern of cells is wanted."""
    from harness.commands import completion

    return completion.cells(incomplete, context.params.get("configfile"))


Pattern = Annotated[str, typer.Argument(help=MEANT, autocompletion=_completed)]
GridFile = Annotated[Path, typer.Option("--configfile", help="Configuration of the grid.", parser=path)]

DescribingFile = Annotated[
    Path | None,
    typer.Option("--configfile", help="Configuration that describes your own images.", parser=path),
]

UNHARMED = (
    "what was finished is unharmed; put this right (`dkd prune` frees disk space) and give the same command again"
)

NEEDED = ("torch", "torchvision", "matplotlib", "jinja2", "mlflow", "scipy", "snakemake")
"""Packages that a node may lack: `dkd run` works without the last five."""
INSTALL = "pip install -c constraints.txt -e . in the environment of this machine; `dkd doctor` says what is missing"

LEFT_OUT = 3
"""Status of a sync that went through, and could not show every run."""

RESULTS = Path("results")
REPORTS = Path("reports")
SITE = Path("site")
SUBMISSION = Path("submission.zip")


def main() -> None:
    """Entry point: status 0 for what is done, 2 for what the user can put right, 1 for the machine's trouble.

    Both are told on one screen, without a traceback. A method that failed or diverged is a result, and done.
    """
    terminal.prepare()
    try:
        start.check()
        memory.keep_freed()
        _check_arguments(sys.argv[1:])
        app(prog_name="dkd")
    except (UserError, SyntaxError) as error:
        sys.exit(_fail(str(error), 2))
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        sys.exit(_fail(f"{error.name} is not installed on {os.uname().nodename}\n  {INSTALL}", 1))
    except UnicodeEncodeError as error:
        if sys.getfilesystemencoding() == "utf-8":
            raise
        sys.exit(_fail(f"{error.object}: a name that this locale cannot write\n  type: export PYTHONUTF8=1", 2))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not (what := trouble.told(error)):
            raise
        sys.exit(_fail(f"{what}\n  {UNHARMED}", 1))


@app.command()
def run(
    pattern: Pattern,
    configfile: AnyGridFile = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Option of the method, key=value.")] = None,
    out: Annotated[Path | None, typer.Option(help="Results go here instead; required with --set.", parser=path)] = None,
    results: ResultsFolder = RESULTS,
    plan_key: Annotated[str | None, typer.Option(help="Refuse to run if the plan key is another.")] = None,
    concurrent: Concurrent = 1,
) -> None:
    """Run cells, or resume them, or copy back what is already done; several in a process each."""
    from harness.commands import run

    _begin(results)
    if out:
        place.is_there(out)
    status = run.run(
        pattern,
        configfile,
        changes=settings or [],
        results=results,
        out=out,
        plan_key=plan_key,
        concurrent=concurrent,
    )
    raise typer.Exit(status)


@app.command()
def train_teacher(
    dataset: Annotated[str, typer.Argument(help="Name of a dataset.")],
    network: Annotated[
        str, typer.Argument(help="Name of a network, or torchvision:NAME, timm:NAME, FILE.py:FUNCTION.")
    ],
    name: Annotated[
        str | None,
        typer.Option(help="A name of its own, for a further teacher of this network: from elsewhere, or --set."),
    ] = None,
    configfile: DescribingFile = None,
    replace: Annotated[bool, typer.Option("--replace", help="Train again; its results become stale.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Field of the recipe, key=value; `dkd show DATASET` has them. With --import: floor."
        ),
    ] = None,
    backbone: Annotated[
        Path | None,
        typer.Option(help="For deeplabv3_resnet50: file of ImageNet weights of torchvision's resnet50.", parser=path),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--import", help="Take this checkpoint; do not train.", parser=path)
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="With --import: entry that holds the weights, such as model.ema.")
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(help="With --import: REGEX=REPLACEMENT for its keys, such as '^module\\.='.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="With --import: leave out keys in which this REGEX is found.")
    ] = None,
    normalisation: Annotated[
        str | None,
        typer.Option(help="With --import: what its inputs were normalised by, such as imagenet; or --mean and --std."),
    ] = None,
    mean: Annotated[str | None, typer.Option(help="With --import: means per channel, such as .485,.456,.406.")] = None,
    std: Annotated[str | None, typer.Option(help="With --import: deviations per channel.")] = None,
    in_order: Annotated[
        bool, typer.Option("--in-order", help="With --import: if no layout is recognised, go by the file's order.")
    ] = False,
    verify: Annotated[bool, typer.Option(help="Refuse files that differ from a dataset's official checksums.")] = True,
    results: ResultsFolder = RESULTS,
) -> None:
    """Train a teacher, once, or take one that was trained elsewhere."""
    from harness.commands.teachers import check_options
    from harness.grid.grid import find_dataset
    from harness.grid.pairs import network_at
    from harness.grid.settings import parse

    found = find_dataset(dataset, configfile)
    network = network_at(network, Path(), f"dkd train-teacher {dataset}")
    of_keys, of_inputs = key or rename or drop or in_order, normalisation or mean or std
    check_options(name, file=file, backbone=backbone, of_keys=of_keys, of_inputs=of_inputs)
    place.is_there(results)
    from harness.teachers import foreign, train
    from harness.teachers.normalisation import Asked
    from harness.teachers.renaming import KeyRules

    changes = parse(settings or [])
    if not file:
        train.train(
            found,
            network,
            name=name,
            results=results,
            replace=replace,
            changes=changes,
            backbone=backbone,
            verify_data=verify,
        )
        return
    record = foreign.take(
        found,
        network,
        file,
        name=name,
        rules=KeyRules(key, drop or [], rename or [], in_order),
        normalisation=Asked(normalisation, mean, std),
        results=results,
        replace=replace,
        changes=changes,
        verify_data=verify,
    )
    say(f"teacher {dataset}/{record.name}: {record.value:.2f} %, from {file}")


@public.callback()
def teachers(context: typer.Context, results: ResultsFolder = RESULTS) -> None:
    """List the public teachers that can be had by name; `dkd teachers get NAME` takes one."""
    from harness.commands import teachers

    if context.invoked_subcommand is None:
        _begin(results)
        _print(teachers.table(results))
    elif results != RESULTS:
        raise UserError(f"--results {results}: write it behind {context.invoked_subcommand}")


@public.command()
def get(
    name: Annotated[str, typer.Argument(help="Name of a public teacher.")],
    file: Annotated[
        Path | None, typer.Option(help="Its file, if it is here; without, it is fetched.", parser=path)
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take it again.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="floor=PERCENT it must reach, in place of what its authors state.")
    ] = None,
    verify: Annotated[bool, typer.Option(help="Refuse files that differ from a dataset's official checksums.")] = True,
    results: ResultsFolder = RESULTS,
) -> None:
    """Fetch a public teacher, check it, measure it on the test set, and keep it."""
    from harness.grid.settings import parse
    from harness.teachers import get

    place.is_there(results)
    changes = parse(settings or [])
    get.get(name, file=file, results=results, replace=replace, changes=changes, verify_data=verify)


@app.command()
def prepare(
    dataset: Annotated[str, typer.Argument(help="Name of a dataset.")],
    configfile: DescribingFile = None,
    labelled: Annotated[
        Path | None, typer.Option("--from", help="NYUv2: nyu_depth_v2_labeled.mat.", parser=path)
    ] = None,
    splits: Annotated[Path | None, typer.Option(help="NYUv2: splits.mat.", parser=path)] = None,
    classes: Annotated[Path | None, typer.Option(help="NYUv2: classMapping40.mat.", parser=path)] = None,
) -> None:
    """Bring a dataset's files into the folder data, or the one that DKD_DATA names; look at your own images."""
    from harness.data import prepare
    from harness.grid.grid import find_dataset

    sources = None
    if labelled or splits or classes:
        if dataset != "nyuv2":
            raise UserError(f"--from, --splits and --classes are for nyuv2: {dataset} is made without them")
        if not (labelled and splits and classes):
            raise UserError("NYUv2 is made from three files: give --from, --splits and --classes")
        sources = prepare.Sources(labelled, splits, classes)
    prepare.prepare(find_dataset(dataset, configfile), sources)


@app.command()
def validate(
    configfile: GridFile,
    results: ResultsFolder = RESULTS,
    concurrent: Annotated[
        int, typer.Option(min=1, max=TOGETHER, help="Cells that will run at once: are cores and memory enough?")
    ] = 1,
) -> None:
    """Check every cell of a grid before anything trains, and say what it will take."""
    from harness.commands import estimate, status, validate

    place.is_there(results)
    _print(estimate.lines(status.of_grid(validate.validate(configfile, concurrent=concurrent), results)))


@app.command()
def check(method: Annotated[str, typer.Argument(help="A method's .py file, or its name.")]) -> None:
    """Run the contract test on one method, in under a minute on a CPU."""
    from harness.commands import contract

    contract.check(method)


@app.command("list")
def list_(
    pattern: Annotated[str | None, typer.Argument(help=MEANT, autocompletion=_completed)] = None,
    configfile: AnyGridFile = None,
    stale: Annotated[bool, typer.Option("--stale", help="Only the files that `snakemake -R` must make again.")] = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Device hours, disk and memory instead.")] = False,
    cells: Annotated[bool, typer.Option("--cells", help="A line for every cell, in place of rows of seeds.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Again and again, until nothing waits, or Ctrl-C.")] = False,
    results: ResultsFolder = RESULTS,
) -> None:
    """The state of the default grid, or of what a pattern or a configuration means: what went wrong comes first."""
    from harness.commands import estimate as estimates
    from harness.commands import listing, status
    from harness.grid.grid import find
    from harness.grid.paths import default

    if watch and (stale or estimate or cells):
        raise UserError("--watch shows rows: give it without --stale, --estimate and --cells")
    if stale + estimate + cells > 1:
        raise UserError("--stale, --estimate and --cells show something else each: give one of them")
    _begin(results)
    source = configfile or (None if pattern else default())
    asked = [cell for _, cell in find(pattern or "*", source, results)]
    if watch:
        for line in listing.watch(lambda: status.of_grid(asked, results), sys.stdout.isatty()):
            typer.echo(line)
        return
    if estimate:
        estimates.prepare(asked)
    found = status.of_grid(asked, results)
    if stale:
        lines: Iterable[Line] = [str(one.folder.metrics) for one in found if one.must_rerun]
    elif estimate:
        lines = estimates.lines(found)
    else:
        lines = listing.by_cell(found) if cells else listing.by_row(found)
    _print(lines)


@app.command()
def show(
    name: Annotated[
        list[str] | None,
        typer.Argument(help="Any name or file; or methods, presets, datasets, networks, teachers or grids."),
    ] = None,
    configfile: Annotated[
        Path | None,
        typer.Option("--configfile", help="A study: what a label or method comes to in it, or all of it.", parser=path),
    ] = None,
    results: ResultsFolder = RESULTS,
) -> None:
    """What there is, or all about one: every hyperparameter of a method, a dataset's files, a teacher's record."""
    from harness.commands.show import show

    _begin(results)
    _print(show.lines(name or [], results, configfile))


@app.command()
def retry(
    pattern: Pattern = "*",
    overloaded: Annotated[
        bool, typer.Option("--overloaded", help="Those that ran on an overloaded machine instead.")
    ] = False,
    results: ResultsFolder = RESULTS,
) -> None:
    """Remove failed and diverged results, so that these cells run again from their beginning."""
    from harness.commands import retry

    place.existing(results)
    names = retry.retry(results, pattern, overloaded)
    _print([*names, f"{count(len(names), 'cell')} will run again"])


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    results: ResultsFolder = RESULTS,
) -> None:
    """Remove runs that are no cell's result and will not be gone on with, and what killed processes left behind."""
    from harness.commands import prune

    place.existing(results)
    old = list(prune.old_runs(results)) if dry_run else prune.prune(results)
    torn = prune.torn(results) if dry_run else prune.tidy(results)
    _print([f"{path}: left by a killed process" for path in torn])
    verb = "would free" if dry_run else "freed"
    size = sum(run.bytes for run in old) / 2**20
    _print([*prune.table(old), f"{count(len(old), 'run')}, {verb} {size:.1f} MiB"])


@app.command()
def trace(
    pattern: Pattern,
    results: ResultsFolder = RESULTS,
) -> None:
    """From a number to its runs: records, configuration, code, commit, teacher, device, log."""
    from harness.commands import stored, trace

    place.existing(results)
    for run in stored.runs(results, pattern):
        _print(trace.describe(run))


@app.command()
def verify(
    pattern: Pattern = "*",
    results: ResultsFolder = RESULTS,
) -> None:
    """Measure stored students and teachers again, and compare with their records."""
    from harness.commands import verify

    place.existing(results)
    found = []
    for outcome in verify.verify(results, pattern):
        found.append(outcome)
        _print([str(outcome)])
    _print([verify.totals(found)])
    raise typer.Exit(0 if all(outcome.ok for outcome in found) else 1)


@app.command()
def compare(
    a: Annotated[
        str,
        typer.Argument(help="A label, a folder (results or study), records.jsonl, a key or commit; or `reference`."),
    ],
    b: Annotated[
        str | None, typer.Argument(help="What to compare it with, of the same kind; nothing for `reference`.")
    ] = None,
    results: ResultsFolder = RESULTS,
) -> None:
    """Two methods, or two versions of the same cells; or your cells and the committed `reference`."""
    from harness.commands.compare import compare

    place.existing(results)
    with _warnings_told():
        found = compare.compare(a, b, results)
        _print(found.lines)
    raise typer.Exit(0 if found.as_expected else 1)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Results folder of a colleague or another machine.", parser=path)],
    results: ResultsFolder = RESULTS,
) -> None:
    """Add the finished runs of another results folder; nothing that is here is overwritten."""
    from harness.commands import import_results

    place.is_there(results)
    report = import_results.merge(folder, results)
    for problem in report.problems:
        say(problem, err=True)
    say(str(report))
    raise typer.Exit(1 if report.problems else 0)


@app.command()
def sync(
    follow: Annotated[bool, typer.Option("--follow", help="Again and again, until Ctrl-C.")] = False,
    results: ResultsFolder = RESULTS,
) -> None:
    """Bring MLflow up to date with the records."""
    from harness.tracking import sync

    place.existing(results)
    for report in sync.follow(results) if follow else [sync.sync(results)]:
        _say_synced(report)
    if report.left_out:
        raise typer.Exit(LEFT_OUT)


@app.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 5000,
    results: ResultsFolder = RESULTS,
) -> None:
    """Bring MLflow up to date, and open its pages on this machine at the comparison."""
    from harness.tracking import serve, sync

    place.existing(results)
    serve.check(results, port)
    _say_synced(sync.sync(results))
    with serve.served(results, port) as server:
        links = serve.links(results, port) or [("no run yet", f"http://{serve.HOST}:{port}")]
        for what, url in links:
            say(f"{what}\n  {url}")
        say("Ctrl-C ends it")
        for _, url in links[:1]:
            serve.show(url)
        server.wait()


def _say_synced(report: SyncReport) -> None:
    say(str(report))
    for problem in report.left_out:
        say(problem, err=True)


@app.command()
def report(
    only: Annotated[
        list[str] | None, typer.Option(help=f"Only these, such as method=ssd-kd,dafl. Columns: {TOLD}.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Where the report goes; with --only another folder than that.", parser=path)
    ] = REPORTS,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Mark cells of other code or devices, do not refuse them.")
    ] = False,
    overloaded: Annotated[
        bool, typer.Option("--overloaded", help="Let fronts take in runs whose machine was overloaded, too.")
    ] = False,
    results: ResultsFolder = RESULTS,
) -> None:
    """Render tables, figures and the page from the records."""
    from harness.reporting import columns
    from harness.reporting.report import render

    place.existing(results)
    filters = columns.filters(only or [])
    if filters and out == REPORTS:
        raise UserError(f"--only: {REPORTS}/ is for the whole report: --out DIR names a folder for a part of it")
    place.is_there(out)
    with _warnings_told():
        say(str(render(results, out, only=filters, mixed=mixed, overloaded=overloaded)[-1]))


@app.command()
def publish(
    pattern: Annotated[str, typer.Argument(help=MEANT)] = "*",
    out: Annotated[Path, typer.Option(help="Folder of the site.", parser=path)] = SITE,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Mark cells of other code or devices, do not refuse them.")
    ] = False,
    results: ResultsFolder = RESULTS,
) -> None:
    """Write page, tables, figures and records as a site for GitHub Pages or any web server, without weights."""
    from harness.commands import publish

    place.existing(results)
    written = publish.publish(results, out, pattern, mixed)
    say(f"{count(len(written), 'file')} in {out}: docs/leaderboard.md says how a web server shows them")


@app.command()
def submit(
    pattern: Annotated[str, typer.Argument(help=MEANT)] = "*",
    out: Annotated[
        Path, typer.Option(help="A .zip, which is written anew, or a folder, which is added to.", parser=path)
    ] = SUBMISSION,
    check: Annotated[
        Path | None, typer.Option(help="Check this submission, a folder or .zip; pack nothing.", parser=path)
    ] = None,
    results: ResultsFolder = RESULTS,
) -> None:
    """Pack records of finished cells for others, without weights and host names, or check such a pack."""
    from harness.commands.submission import check as checks
    from harness.commands.submission import pack

    if check and pattern != "*":
        raise UserError(f"--check takes one submission, all of it: {pattern} would not be looked at")
    if check:
        found = checks.check(check)
        for problem in found.problems:
            say(problem, err=True)
        say(f"{check}: {found}")
        raise typer.Exit(1 if found.problems else 0)
    place.existing(results)
    say(f"{out}: {pack.submit(results, pattern, out)}")


@app.command()
def doctor(results: ResultsFolder = RESULTS) -> None:
    """What is installed, what is missing, and how to put it right."""
    from harness.commands import doctor

    _begin(results)
    checks = list(doctor.examine(results))
    _print(doctor.table(checks))
    raise typer.Exit(1 if any(check.needed and not check.ok for check in checks) else 0)


ENDS = "Status: 0 done, 1 the machine's trouble, 2 what you can put right"
ALSO = {
    "run": "a method that failed or diverged is a result, and done",
    "compare": "1 also if a cell failed or lies beyond what the committed records let expect",
    "verify": "1 also if a result is not as it is recorded, or cannot be measured",
    "import": "1 also if something was left out",
    "submit": "1 also if a checked submission does not agree",
    "doctor": "1 also if something is missing that is needed",
    "sync": f"{LEFT_OUT} if some runs could not be shown",
}
"""What a command's status says beside."""
for _command in app.registered_commands:
    _name = _command.name or str(getattr(_command.callback, "__name__", ""))
    _command.epilog = "; ".join(filter(None, (ENDS, ALSO.get(_name)))) + "."
for _group in app.registered_groups:
    _group.epilog = f"{ENDS}."
    for _command in _group.typer_instance.registered_commands if _group.typer_instance else ():
        _command.epilog = f"{ENDS}."


def _check_arguments(arguments: Iterable[str]) -> None:
    """Raise UserError for what no name, path or option holds, and what would move a terminal's cursor in an error."""
    for argument in arguments:
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in argument):
            raise UserError(f"{argument!r:.80}: a control character in an argument")


def _begin(results: Path) -> None:
    """A folder that a command can do without: the one that nobody named may not be there yet, which is told.

    Raises UserError if another one is not there.
    """
    if results == RESULTS and not place.is_there(results):
        say(f"note: nothing is there yet: {results.absolute()} (--results names another folder)", err=True)
    else:
        place.existing(results)


@contextmanager
def _warnings_told() -> Iterator[None]:
    """What records warn of in words, without the line of code that says it."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *place: say(f"warning: {message}", err=True)
        yield


def _print(items: Iterable[Line]) -> None:
    from harness.commands import output

    for line in output.lines(items):
        typer.echo(line)


def _fail(message: str, code: int) -> int:
    say(f"error: {message}", err=True)
    return code
