"""`dkd publish`: a report as a site that any web server shows, with the records behind it. Never imports torch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from harness.commands.submission import check, contents, pack
from harness.errors import UserError
from harness.reporting.report import render
from harness.store import atomic, place
from harness.store.checksums import sha256
from harness.store.layout import Results

RECORDS = "records"
"""Folder of the site in which the records lie, a submission by themselves."""
AS_IT_IS = ".nojekyll"
"""Tells GitHub Pages to show every file as it is, those of names that begin with a dot or _ too."""


def publish(results: Path, out: Path, pattern: str = "*", mixed: bool = False) -> list[Path]:
    """Write page, tables, figures and records of the cells that ``pattern`` means to ``out``, without weights.

    What an earlier call wrote there goes; whatever else is in the folder stays. Returns the files, relative to ``out``.
    Raises UserError, with nothing written, if records do not agree, a file of somebody else's is in the way, or ``out``
    holds the results.
    """
    place.is_there(out)
    if results.resolve().is_relative_to(out.resolve()):
        raise UserError(f"--out {out} holds the results folder {results}: name a folder of its own for the site")
    _require_ours(out, [Path("index.html"), Path(AS_IT_IS)], _earlier(out))  # before the work: what every site has
    with tempfile.TemporaryDirectory(prefix="dkd-site-") as temporary:
        stage = Path(temporary)
        records = Results(stage / RECORDS)
        pack.collect(results, pattern, records)
        check.require(records, results)
        render(records.path, stage, mixed=mixed)
        atomic.write_bytes(stage / AS_IT_IS, b"")
        return _deliver(stage, out)


def _deliver(stage: Path, out: Path) -> list[Path]:
    """Put a site into its folder in place of the earlier one; its list first, so that a kill leaves nothing unknown."""
    files = sorted(file for file in stage.rglob("*") if file.is_file())
    names = [file.relative_to(stage) for file in files]
    earlier = _earlier(out)
    _require_ours(out, names, earlier)
    for file in earlier:
        file.unlink()
        with suppress(OSError):  # until a folder that is not empty
            os.removedirs(file.parent)
    atomic.write_bytes(Results(out).sums, contents.listed(stage, files).encode())
    for file, name in zip(files, names, strict=True):
        atomic.copy(file, out / name)
    return names


def _earlier(out: Path) -> set[Path]:
    """The files that an earlier call wrote, and nobody changed since."""
    if not Results(out).sums.is_file():
        return set()
    listed = {out / name: digest for name, digest in contents.read(Results(out).sums).items()}
    return {file for file, digest in listed.items() if file.is_file() and sha256(file) == digest}


def _require_ours(out: Path, names: Iterable[Path], earlier: Collection[Path]) -> None:
    """Raise UserError if something stands in the way of these files that no earlier call wrote."""
    if foreign := next(_foreign(out, names, earlier), None):
        raise UserError(f"{foreign}: not of an earlier `dkd publish`, or changed since; --out names another folder")


def _foreign(out: Path, names: Iterable[Path], earlier: Collection[Path]) -> Iterator[Path]:
    """What stands where these files or their folders are to stand, and is not of an earlier call."""
    for name in names:
        if (out / name).exists() and out / name not in earlier:
            yield out / name
        yield from (folder for folder in map(out.joinpath, name.parents) if folder.is_file() and folder not in earlier)
