"""`dkd teachers get`: a public teacher by name, fetched or from a file, measured, and put on the shelf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness import data
from harness.errors import UserError
from harness.store import occupancy
from harness.store.checksums import checksum
from harness.store.layout import Results, TeacherFolder
from harness.store.records import TeacherRecord
from harness.teachers import download, foreign, public, shelf
from harness.teachers.download import NetworkTrouble
from harness.teachers.normalisation import Asked
from harness.teachers.public import WITHIN, PublicTeacher
from harness.terminal import say


def get(
    name: str,
    *,
    file: Path | None = None,
    results: Path,
    replace: bool = False,
    changes: Mapping[str, Any] | None = None,
    verify_data: bool = True,
    report: Callable[[str], object] = say,
) -> TeacherRecord:
    """Make a public teacher one of ours, unless it is already.

    Args:
        name: in the catalogue.
        file: of its authors; None fetches it.
        results: where teachers live.
        replace: take it again.
        changes: ``floor``, percent, in place of what its authors state less `public.WITHIN`.
        verify_data: whether the dataset's files must have their official checksums.
        report: takes lines for the person.

    Raises UserError if the file is another one or does not fit, or if the teacher is not as good as stated;
    NetworkTrouble if the network fails.
    """
    known = public.find(name)
    folder = Results(results).teacher(known.dataset, known.teacher)
    if not replace and folder.record.exists():
        return _there(folder, known, report)
    dataset = data.load(known.dataset, verify_data)
    foreign.recipe_for(dataset, known.network, changes or {})
    dataset.require()  # without images to measure it on, no need to fetch it
    options: dict[str, Any] = {
        "changes": changes,
        "report": report,
        "results": results,
        "replace": replace,
        "verify_data": verify_data,
    }
    if file:
        return _take(known, file, folder, **options)
    with occupancy.hold(folder.fetching, f"{name} from {known.repository.place}", report):
        if not replace and folder.record.exists():  # by the process that was waited for
            return _there(folder, known, report)
        _fetch(known, folder, report)
        record = _take(known, folder.download, folder, **options)
        folder.download.unlink()
    return record


def _there(folder: TeacherFolder, known: PublicTeacher, report: Callable[[str], object]) -> TeacherRecord:
    record = shelf.find(folder)
    shelf.verify(folder, record)
    if not (record.imported and known.checksum.agrees(record.imported.checksums.get(known.checksum.kind, ""))):
        raise UserError(f"{folder.path}: there is another teacher of this name; --replace takes {known.name} instead")
    report(f"{known.name}: here already, {folder.path}, {record.value:.2f} %")
    return record


def _fetch(known: PublicTeacher, folder: TeacherFolder, report: Callable[[str], object]) -> None:
    """Bring the file into the teacher's folder, and remove what is not it."""
    by_hand = f"fetch it with other means, and give it: dkd teachers get {known.name} --file PATH"
    try:
        download.fetch(known.url, folder.download, report)
    except NetworkTrouble as error:
        raise NetworkTrouble(error.errno, f"{error.strerror}; or {by_hand}") from None
    except UserError as error:
        raise UserError(f"{error}\n  {by_hand}") from None
    try:
        _checksum(known, folder.download)
    except UserError:
        folder.download.unlink()
        raise


def _take(
    known: PublicTeacher,
    file: Path,
    folder: TeacherFolder,
    *,
    changes: Mapping[str, Any] | None,
    report: Callable[[str], object],
    **options: Any,
) -> TeacherRecord:
    """Convert, measure and store the file's teacher; say how to use it."""
    floor = known.stated - WITHIN
    found = _checksum(known, file)
    report(f"{known.name}: {known.checksum.kind} {found}; stated {known.stated:.2f} %, {floor:.2f} % are asked for")
    record = foreign.take(
        known.dataset,
        known.network,
        file,
        name=known.repository.owner,
        normalisation=Asked(known.normalisation),
        known={"file": known.file, "source": known.url, "checksums": {known.checksum.kind: found}},
        changes={"floor": floor, **(changes or {})},
        report=report,
        **options,
    )
    report(f"{known.name}: {record.value:.2f} % on the test set, stored in {folder.path}; in a study:")
    report(f"  dataset: {known.dataset}")
    teacher = f"{{network: {known.network}, name: {known.repository.owner}}}"
    report(f"  pairs: [{{teacher: {teacher}, student: wrn16_1}}]")
    return record


def _checksum(known: PublicTeacher, file: Path) -> str:
    """The file's, in full. Raises UserError if it is another one than the catalogue's, or if there is no such file."""
    if not file.is_file():
        raise UserError(f"{file}: no such file")
    found = checksum(file, known.checksum.kind)
    if not known.checksum.agrees(found):
        raise UserError(
            f"{file}: another file than {known.name}'s, or a damaged one\n"
            f"  its {known.checksum.kind} is {found}, expected {known.checksum.value}\n"
            f"  as a teacher of your own: dkd train-teacher {known.dataset} {known.network} --name NAME --import {file}"
        )
    return found
