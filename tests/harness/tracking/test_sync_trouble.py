"""MLflow that hangs, is locked, restarts, is written by many or by one who dies: afterwards it equals the records."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.tracking import serve
from tests import factory, processes
from tests.harness.tracking.test_sync import content
from tests.slurm.cluster import until

SYNC = ("harness", "sync", "--results")
ADVICE = "the records are untouched"


def write(results: Path, runs: int = 6) -> Path:
    for seed in range(runs):
        factory.write(results, factory.metrics(seed=seed))
    return results


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[list[tuple[object, ...]]]:
    """What an undisturbed sync makes of six runs."""
    results = write(tmp_path_factory.mktemp("undisturbed"))
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    processes.run(*SYNC, results, check=True, environment=environment)
    return content(results)


def test_the_store_holds_what_the_records_hold_and_nothing_else(expected: list[list[tuple[object, ...]]]) -> None:
    """Both ways: every value of the records is there, and everything there is of the records."""
    params, points, runs = expected
    assert {(name, key, time, step): value for name, key, time, step, value in points} == dict(
        [*of_records(), *of_row()]
    )
    names = {ROW, *map(name_of, range(6))}
    assert {name for name, *_ in params} == {name for name, *_ in runs} == names


ROW = "SSD-KD, 10 % (WRN-10-1 → CNN-3-16, Digits)"


def name_of(seed: int) -> str:
    return f"SSD-KD, 10 %, seed {seed} (WRN-10-1 → CNN-3-16, Digits)"


def of_records() -> Iterator[tuple[tuple[str, str, int, int], float]]:
    """All curves and final numbers of six runs: (run, name, milliseconds, epoch) and value."""
    for seed in range(6):
        result = factory.metrics(seed=seed)
        for event in factory.learning(result):
            at = round(1000 * event.time), event.epoch
            yield (name_of(seed), "test/top1", *at), event.metric
            yield (name_of(seed), "test/agreement", *at), event.agreement
            yield (name_of(seed), "synthesis/loss", *at), round(event.synthesis["loss"], 4)
            yield (name_of(seed), "distillation/kd", *at), round(event.distillation["kd"], 4)
            yield (name_of(seed), "seconds/synthesis", *at), event.seconds.synthesis
            yield (name_of(seed), "seconds/distillation", *at), event.seconds.distillation
            yield (name_of(seed), "seconds/end_to_end", *at), event.seconds.end_to_end
            yield (name_of(seed), "cpu_seconds/synthesis", *at), event.cpu_seconds.synthesis
            yield (name_of(seed), "cpu_seconds/distillation", *at), event.cpu_seconds.distillation
            yield (name_of(seed), "cpu_seconds/end_to_end", *at), event.cpu_seconds.end_to_end
        seconds = result.seconds
        final = {
            "top1": result.final,
            "best_top1": result.best,
            "agreement": result.agreement,
            "cost_seconds": result.cpu_seconds.end_to_end,
            "cpu_seconds": result.cpu_seconds.end_to_end,
            "seconds": seconds.end_to_end,
            "seconds_startup": seconds.startup,
            "seconds_synthesis": seconds.synthesis,
            "seconds_distillation": seconds.distillation,
            "seconds_evaluation": seconds.evaluation,
            "images_synthesised": result.images_synthesised,
            "distillation_steps": result.steps,
            "teacher_forwards": result.teacher_forwards,
            "peak_memory_bytes": result.peak_memory_bytes,
            "flops": 10**10,
        }
        for key, value in final.items():
            yield (name_of(seed), f"final/{key}", FINISHED, 0), float(value or 0.0)


def of_row() -> Iterator[tuple[tuple[str, str, int, int], float]]:
    """Means and deviations over the first one to six seeds, all of which finished in the same second."""
    values = {
        "top1": (90.0, 1.0),
        "best_top1": (91.0, 1.0),
        "agreement": (89.5, 1.0),
    }  # of seed 0, and from seed to seed
    values |= {"cost_seconds": (13.0, 0.0), "seconds": (13.0, 0.0)}
    for count in range(1, 7):
        yield (ROW, "seeds", FINISHED + count, 0), count
        for name, (first, more) in values.items():
            yield (ROW, f"mean/{name}", FINISHED + count, 0), first + more * (count - 1) / 2
            if count > 1:
                yield (ROW, f"sd/{name}", FINISHED + count, 0), round(more * (count * (count + 1) / 12) ** 0.5, 2)


FINISHED = 1_767_225_600_000
"""2026-01-01, when the factory's runs end."""


def test_a_killed_sync_is_made_good(tmp_path: Path, expected: list[list[tuple[object, ...]]]) -> None:
    results = write(tmp_path / "results")
    process = processes.Process(*SYNC, results)
    until(lambda: bool(list(results.glob("mlflow-artifacts/*/*/*/manifest.json"))), "the first run is being written")
    process.kill()
    assert len(list(results.rglob("mlflow.json"))) < 6
    processes.run(*SYNC, results, check=True)
    assert content(results) == expected


MANY = """
import os, sys
from pathlib import Path
from harness.tracking import store, sync
store.set_environment()
import mlflow.store.tracking.sqlalchemy_store  # once, and not in every child
children = []
for _ in range(16):
    child = os.fork()
    if not child:
        report = sync.sync(Path(sys.argv[1]))
        os.write(1, f"{report.created} {report.updated}\\n".encode())
        os._exit(0)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def test_sixteen_at_once_write_everything_once(tmp_path: Path, expected: list[list[tuple[object, ...]]]) -> None:
    results = write(tmp_path / "results")
    done = subprocess.run(
        [sys.executable, "-c", MANY, str(results)], check=False, capture_output=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    counts = [tuple(map(int, line.split())) for line in done.stdout.splitlines() if line[:1].isdigit()]
    assert len(counts) == 16
    assert sorted(counts)[-1] == (6, 0)
    assert sum(created for created, _ in counts) == 6
    assert content(results) == expected


def test_a_locked_database_is_told_and_caught_up_with(tmp_path: Path, expected: list[list[tuple[object, ...]]]) -> None:
    results = write(tmp_path / "results", runs=1)
    processes.run(*SYNC, results, check=True)
    write_more = range(1, 6)
    for seed in write_more:
        factory.write(results, factory.metrics(seed=seed))
    holder = sqlite3.connect(results / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    refused = processes.run(*SYNC, results)
    holder.execute("ROLLBACK")
    holder.close()
    assert refused.returncode == 2
    assert "locked" in refused.stderr
    assert ADVICE in refused.stderr
    assert len(refused.stderr.splitlines()) == 2
    processes.run(*SYNC, results, check=True)
    assert content(results) == expected


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_server_that_never_answers_ends_in_two_lines(
    tmp_path: Path, silent: str, monkeypatch: pytest.MonkeyPatch, expected: list[list[tuple[object, ...]]]
) -> None:
    results = write(tmp_path / "results")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", silent)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    refused = processes.run(*SYNC, results)
    assert refused.returncode == 2
    assert ADVICE in refused.stderr
    assert len(refused.stderr.splitlines()) == 2
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    processes.run(*SYNC, results, check=True)
    assert content(results) == expected


def test_a_server_that_is_restarted_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: list[list[tuple[object, ...]]]
) -> None:
    results, served = tmp_path / "results", tmp_path / "server"
    write(results, runs=3)
    served.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"

    def start() -> subprocess.Popen[bytes]:
        command = serve.server_command(served, port)
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        until(lambda: serve.answers(port), "the server answers")
        return process

    def sync() -> int:
        environment = os.environ | {"MLFLOW_TRACKING_URI": address, "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
        return processes.run(*SYNC, results, environment=environment).returncode

    first = start()
    assert sync() == 0
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    for seed in range(3, 6):
        factory.write(results, factory.metrics(seed=seed))
    assert sync() == 2
    second = start()
    try:
        assert sync() == 0
    finally:
        os.killpg(second.pid, signal.SIGKILL)
        second.wait()
    assert content(served) == expected
