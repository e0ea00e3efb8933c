"""`dkd submit`: the records of finished cells, as others may have them, in a folder or an archive."""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness.commands import stored
from harness.commands.submission import archive, check, contents, private
from harness.commands.submission.check import Findings
from harness.errors import UserError
from harness.store import atomic, checking, files, place, reading
from harness.store.checksums import sha256
from harness.store.files import there
from harness.store.layout import CellFolder, Results
from harness.store.records import TeacherRecord


def submit(results: Path, pattern: str, out: Path) -> Findings:
    """Pack the current results of the cells that ``pattern`` means, with their teachers' records.

    Args:
        out: an archive if it ends in .zip, else a folder; a folder that holds a submission is added to.

    Raises UserError, with nothing written, if there is no result, if records do not agree, or if ``out`` holds other
    results of the same cells.
    """
    _require_place(out)
    with tempfile.TemporaryDirectory(prefix="dkd-submission-") as temporary:
        stage = Results(Path(temporary))
        if out.is_dir():
            _take_all(Results(out), stage)
        collect(results, pattern, stage)
        found = check.require(stage, f"{results}, with what was in {out}" if out.is_dir() else results)
        if out.suffix == archive.SUFFIX:
            archive.write(stage.path, out)
        else:
            _take_all(stage, Results(out))
    return found


def _require_place(out: Path) -> None:
    """Raise UserError if something else than a submission is there."""
    packed = out.suffix == archive.SUFFIX
    if packed and out.is_dir():
        raise UserError(f"{out}: an archive is wanted, and this is a folder; --out names another one")
    there_already = place.is_there(out.parent if packed else out) and not packed
    if packed and out.exists() and not archive.is_one(out):
        raise UserError(f"{out}: there is a file already, and it is no submission; --out names another one")
    if there_already and any(out.iterdir()) and not Results(out).sums.is_file():
        raise UserError(f"{out}: not empty and no submission; --out names another folder, or a {archive.SUFFIX}")


def collect(results: Path, pattern: str, stage: Results) -> None:
    """Put the records of these cells into ``stage``, without what they tell of a private machine, and list them.

    Raises UserError if there is none, if one is damaged, or if ``stage`` holds another result of one.
    """
    cells = stored.finished(results, pattern)
    for cell in cells:
        try:
            _add(cell, stage)
        except FileNotFoundError as error:
            raise UserError(f"{error.filename}: is missing; a PATTERN names the other cells") from None
    for study in {cell.name.study for cell in cells}:
        if there(plan := Results(results).planned(study)):
            atomic.take(plan, stage.planned(study), contents.RECORD)
    atomic.write_bytes(stage.sums, contents.sums(stage).encode())


def _add(cell: CellFolder, stage: Results) -> None:
    """One cell and its teacher. Raises DamagedRecord, FileNotFoundError, and UserError for another result."""
    result = checking.current(cell)
    run, target = cell.run(result.key), stage.cell(cell.place)
    manifest = checking.evidence(run, result, cell.metrics, weights=False).manifest
    staged = target.run(result.key)
    atomic.write(staged.manifest, private.withheld(manifest), durable=False)
    sealed = private.withheld(result).model_copy(update={"manifest_sha256": sha256(staged.manifest)})
    if there(target.metrics) and checking.current(target) != sealed:
        raise UserError(
            f"{cell.place}: the submission that --out names holds another result of it\n"
            f"  to replace that, remove its folder there, not under {cell.results.path}"
        )
    if there(run.events):
        atomic.take(run.events, staged.events, files.MOST)
    if there(run.samples) and run.samples.stat().st_size <= contents.SHEET:
        atomic.take(run.samples, staged.samples, contents.SHEET)
    for name in manifest.outside:
        if there(run.outside(name)) and run.outside(name).suffix == ".py":
            atomic.take(run.outside(name), staged.outside(name), files.MOST)
    atomic.write(staged.metrics, sealed, durable=False)
    atomic.write(target.metrics, sealed, durable=False)
    _teach(cell.results, stage, result.dataset, result.teacher)


def _teach(results: Results, stage: Results, dataset: str, name: str) -> None:
    """Its record. One that is there and tells of the same weights stays: it was fetched on another machine or day."""
    record = private.withheld(checking.teacher(results.teacher(dataset, name)))
    target = stage.teacher(dataset, name)
    if not there(target.record):
        atomic.write(target.record, record, durable=False)
    elif (known := reading.read(target.record, TeacherRecord).identity) != record.identity:
        raise UserError(
            f"{target.record.relative_to(stage.path)}: the submission that --out names holds another teacher of this "
            f"name: sha256 {known}, {results.path} has {record.identity}\n  --out names another one"
        )


def _take_all(source: Results, target: Results) -> None:
    """Copy a submission's files, their list first: whatever a kill leaves is told from a folder of somebody else's."""
    for file, most in sorted(contents.expected(source).items(), key=lambda entry: entry[0] != source.sums):
        if file.is_file():
            atomic.take(file, target.path / file.relative_to(source.path), most)
