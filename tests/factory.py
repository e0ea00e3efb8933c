"""Made-up but well-formed results folders, for tests of everything that reads records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.data import identity
from harness.store import atomic, checksums
from harness.store.layout import Results
from harness.store.records import Attempt, Event, Flops, Manifest, Metrics, Plan, Planned, Seconds, TeacherRecord
from methods.base.names import network_of
from methods.base.prior import Prior

TEACHER_SHA = "7e" * 32
START = 1_700_000_000.0


def metrics(label: str = "ssd-kd", scale: float = 10.0, seed: int = 0, **changes: Any) -> Metrics:
    """Metrics of one cell; any field can be changed."""
    study, dataset, pair = changes.get("study", "toy"), "digits", "wrn10_1--cnn3_16"
    cell = f"{study}/{dataset}/{pair}/{label}/scale-{scale:g}/seed-{seed}"
    values: dict[str, Any] = {
        "cell": cell,
        "key": hashlib.sha256(f"key {cell}".encode()).hexdigest()[:16],
        "plan_key": hashlib.sha256(f"plan {cell}".encode()).hexdigest()[:16],
        "study": study,
        "dataset": dataset,
        "teacher": "wrn10_1",
        "student": "cnn3_16",
        "label": label,
        "method": label,
        "prior": Prior.REAL_IMAGES if label in ("scratch", "kd-real") else Prior.NONE,
        "scale": scale,
        "seed": seed,
        "status": "done",
        "final": 90.0 + seed % 10 if changes.get("status", "done") == "done" else None,
        "best_epoch": 2,
        "agreement": 89.5 + seed % 10,
        "seconds": Seconds(startup=3.0, synthesis=8.0, distillation=0.2 * scale, evaluation=0.5),
        "images": max(1, round(scale / 100 * 1297)),
        "images_synthesised": 2560,
        "synthesis_rounds": 20,
        "steps": max(1, round(scale / 100 * 2000)),
        "views": max(1, round(scale / 100 * 2000)) * 64,
        "inner_steps": 2,
        "teacher_forwards": 40_000,
        "flops": Flops(synthesis=3 * 10**9, distillation=7 * 10**9),
        "peak_memory_bytes": 400 * 2**20,
        "class_counts": [13] * 10,
        "difficulty": [100, 20] + [0] * 17 + [10],
        "teacher_sha256": TEACHER_SHA,
        "teacher_metric": 99.0,
        "manifest_sha256": "3a" * 32,
        "events_sha256": "e7" * 32,
        "student_sha256": "51" * 32,
        "samples_sha256": "5a" * 32,
        "device": "cpu",
        "device_name": "Test CPU",
        "threads": 1,
        "precision": "fp32",
        "concurrent": 2,
        "finished": "2026-01-01T00:00:00+00:00",
    }
    values |= changes
    best = None if values["final"] is None else min(100.0, values["final"] + 1.0)
    # As on an idle machine, unless a test says otherwise.
    return Metrics(**({"cpu_seconds": values["seconds"], "best": best} | values))


def events(count: int = 3, final: float = 90.0, steps: int = 200) -> list[Event]:
    """A learning curve of ``count`` epochs that ends at ``final`` after ``steps``; by default those of 10 %."""
    return [
        Event(
            n=n,
            epoch=n,
            round=n,
            step=round(steps * (n + 1) / count),
            time=START + 10.0 * (n + 1),
            seconds=(
                spent := Seconds(startup=3.0, synthesis=2.0 * (n + 1), distillation=n + 1, evaluation=0.1 * (n + 1))
            ),
            cpu_seconds=spent,
            metric=final - 10.0 * (count - 1 - n),
            agreement=final - 10.0 * (count - 1 - n),
            synthesis={"loss": 2.0 / (n + 1)},
            distillation={"kd": 1.0 / (n + 1)},
        )
        for n in range(count)
    ]


CONFIG = {"batch": 64, "epochs": 3, "steps": 200}


def manifest(result: Metrics, config: dict[str, Any] | None = None) -> Manifest:
    """The manifest that belongs to ``result``: one attempt, from a clean checkout."""
    attempt = Attempt(
        start="2026-01-01T00:00:00+00:00",
        end="2026-01-01T00:01:00+00:00",
        outcome=result.status,
        host="node1",
        pid=1,
        device=result.device,
        device_name=result.device_name,
        threads=1,
        concurrent=2,
        commit="c0ffee" + "0" * 34,
        dirty=False,
        versions={"python": "3.11.0", "torch": "2.15.0"},
    )
    return Manifest(
        cell=result.cell,
        key=result.key,
        plan_key=result.plan_key,
        config=CONFIG if config is None else config,
        precision=result.precision,
        sources={"methods/ssd_kd.py": "ab" * 32},
        numbers=1,
        teacher_sha256=result.teacher_sha256,
        attempts=[attempt],
    )


def write(
    results: Path, result: Metrics, curve: list[Event] | None = None, config: dict[str, Any] | None = None
) -> Path:
    """Write one cell as a run leaves it, with a tiny samples.png, sealed. Returns the cell's folder.

    The curve fits the result; a result whose curve is given is made to fit that.
    """
    cell = results / result.cell
    run = cell / "runs" / result.key
    run.mkdir(parents=True)
    result = _ended(result, curve) if curve else result
    atomic.append_events(run / "events.jsonl", curve or learning(result))
    atomic.write(run / "manifest.json", manifest(result, config))
    if result.status == "done":
        _samples(run / "samples.png")
    seal(run, result)
    return cell


def seal(run: Path, result: Metrics) -> Metrics:
    """Write the metrics of a run whose other files are there, and the cell's copy; returns them as written."""
    files = {"manifest": "manifest.json", "events": "events.jsonl", "samples": "samples.png"}
    files["student"] = "student.safetensors"
    sums = {f"{name}_sha256": checksums.sha256(run / file) for name, file in files.items() if (run / file).exists()}
    sealed = result.model_copy(update=sums)
    atomic.write(run / "metrics.json", sealed)
    atomic.copy(run / "metrics.json", run.parent.parent / "metrics.json")
    return sealed


def learning(result: Metrics) -> list[Event]:
    """The learning curve that belongs to ``result``: four epochs, of which the third is the best."""
    final, agreement = result.final or 10.0, result.agreement or 10.0
    metrics = (max(0.0, final - 20), max(0.0, final - 10), result.best or final, final)
    return [
        Event(
            n=n,
            epoch=n,
            round=n,
            step=round((result.steps or 200) * (n + 1) / 4),
            time=START + 10.0 * (n + 1),
            seconds=_share(result.seconds, (n + 1) / 4),
            cpu_seconds=_share(result.cpu_seconds, (n + 1) / 4),
            metric=metric,
            agreement=agreement,
            synthesis={"loss": 2.0 / (n + 1)},
            distillation={"kd": 1.0 / (n + 1)},
        )
        for n, metric in enumerate(metrics)
    ]


def find_metrics(results: Path) -> list[Path]:
    """The results of all cells: the path of a cell has six parts."""
    return sorted(results.glob("*/*/*/*/*/*/metrics.json"))


def runs(cell: Path) -> list[Path]:
    """The folders of a cell's runs."""
    return sorted((cell / "runs").iterdir())


def _ended(result: Metrics, curve: list[Event]) -> Metrics:
    """The result of a run that learned like this."""
    best, last = max(curve, key=lambda event: event.metric), curve[-1]
    scores = {"final": last.metric, "agreement": last.agreement, "best": best.metric, "best_epoch": best.epoch}
    spent = {"steps": last.step, "seconds": last.seconds, "cpu_seconds": last.cpu_seconds}
    return result.model_copy(update=scores | spent)


def _share(seconds: Seconds, share: float) -> Seconds:
    """What had passed after a share of the work; the start-up lies before it."""
    later = seconds.model_dump(exclude={"startup"})
    return Seconds(startup=seconds.startup, **{name: value * share for name, value in later.items()})


def _samples(path: Path) -> None:
    from PIL import Image

    Image.effect_noise((64, 64), 80).save(path)


def plan(results: Path, cells: Iterable[Metrics], study: str = "toy") -> Path:
    """Write that the workflow set out to run the cells of these results. Returns the file."""
    planned = {cell.cell: Planned(plan_key=cell.plan_key, method=cell.method) for cell in cells}
    place = Results(results).planned(study)
    atomic.write(place, Plan(cells=planned))
    return place


def teacher(dataset: str = "digits", name: str = "wrn10_1") -> TeacherRecord:
    """The record of a teacher that was never trained."""
    return TeacherRecord(
        dataset=dataset,
        name=name,
        network=network_of(name),
        sha256=TEACHER_SHA,
        value=99.0,
        floor=98.5,
        recipe={"epochs": 40},
        seconds=12.0,
        parameters=77_000,
        versions={"python": "3.11.0"},
        finished="2026-01-01T00:00:00+00:00",
        data=identity.of(dataset, verified=True),
    )


def untrained_teacher(results: Path) -> Path:
    """A real network with random weights, stored with what it reaches. Returns its folder."""
    import torch

    from harness import data
    from harness.engine.evaluate import Evaluator
    from harness.networks import for_task
    from harness.networks.weights import save_weights

    torch.manual_seed(0)
    place, dataset = results / "teachers/digits/wrn10_1", data.load("digits")
    network = for_task("wrn10_1", dataset.task)
    save_weights(network, place / "teacher.safetensors")
    found = {
        "sha256": checksums.sha256(place / "teacher.safetensors"),
        "value": Evaluator(dataset, network, torch.device("cpu")).teacher,
        "floor": 0.0,
    }
    atomic.write(place / "teacher.json", teacher().model_copy(update=found))
    return place
