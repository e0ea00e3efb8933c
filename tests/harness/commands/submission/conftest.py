"""A results folder with two finished cells, as runs on somebody's machine leave it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from harness.commands.submission import pack
from harness.store import atomic, checksums
from harness.store.records import Manifest, Metrics
from tests import factory


def key(plan: str, teacher: str) -> str:
    """A cell's key, calculated as docs and results/README.md say it."""
    return hashlib.sha256(json.dumps([plan, teacher], separators=(",", ":")).encode()).hexdigest()[:16]


def add(results: Path, **changes: Any) -> Path:
    """A finished run with weights and a log. Returns its folder."""
    result = factory.metrics(**changes)
    result = result.model_copy(update={"key": key(result.plan_key, result.teacher_sha256)})
    run = factory.write(results, result) / "runs" / result.key
    for name in ("student.safetensors", "attempts.log", "lock", "mlflow.json"):
        (run / name).write_bytes(b"stays at home")
    atomic.write(results / "teachers/digits/wrn10_1/teacher.json", factory.teacher())
    (results / "teachers/digits/wrn10_1/teacher.safetensors").write_bytes(b"weights")
    return run


def reseal(run: Path, manifest: dict[str, Any] | None = None, **changes: Any) -> None:
    """Change a run's records so that all sha256 within them agree again."""
    if manifest:
        told = Manifest.model_validate_json((run / "manifest.json").read_bytes())
        atomic.write(run / "manifest.json", told.model_copy(update=manifest))
    result = Metrics.model_validate_json((run / "metrics.json").read_bytes())
    sums = {
        f"{name.partition('.')[0]}_sha256": checksums.sha256(run / name) for name in ("manifest.json", "events.jsonl")
    }
    sealed = result.model_copy(update={**sums, **changes})
    atomic.write(run / "metrics.json", sealed)
    atomic.write(run.parent.parent / "metrics.json", sealed)


def relist(folder: Path) -> None:
    """Write the list of sha256 anew, as somebody would who changed a submission on purpose."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    for seed in (0, 1):
        add(folder, seed=seed)
    return folder


@pytest.fixture
def sent(results: Path, tmp_path: Path) -> Path:
    """Both cells as a submission."""
    pack.submit(results, "*", tmp_path / "sent")
    return tmp_path / "sent"
