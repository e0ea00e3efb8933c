"""From a number on the page to what it comes from: a run's folder, its log, its manifest and its page in MLflow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from harness.reporting.runs import RecordedRun, Run
from harness.store.files import there

MLFLOW = "http://127.0.0.1:5000"
"""Where `dkd ui` shows what has no server of its own."""


@dataclass(frozen=True)
class Link:
    """A place that tells more."""

    address: str
    """Relative to the page, or a server's, as a link has it."""
    kind: str


def trail(run: Run, folder: Path) -> tuple[Link, ...]:
    """Where a run lies, its log, its manifest with configuration and code, its page in MLflow if `dkd sync` made one.

    Records that travelled have no log: of these the manifest alone is shown, since a web server lists no folder.

    Args:
        folder: where the page will lie.
    """
    if not isinstance(run, RecordedRun):
        return (to_file(run.folder.path, folder, "folder"),) if there(run.folder.path) else ()
    here = [to_file(run.folder.path, folder, "folder"), to_file(run.folder.log, folder, "log")]
    found = [*(here if there(run.folder.log) else []), to_file(run.folder.manifest, folder, "manifest")]
    return (*found, *_mlflow(run))


def _mlflow(run: RecordedRun) -> list[Link]:
    if not run.mlflow_run:
        return []
    server, kind = (run.mlflow_server, "MLflow") if run.mlflow_server else (MLFLOW, "MLflow (while dkd ui runs)")
    return [Link(f"{server}/#/runs/{run.mlflow_run}", kind)]


def to_file(path: Path, folder: Path, kind: str) -> Link:
    """A file or folder, seen from a page in ``folder``."""
    return Link(quote(os.fsencode(os.path.relpath(path, folder))), kind)
