"""What the Snakefile reads, what it refuses, and what it must not import."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.workflow.conftest import CELLS, Bench


def test_another_configuration_replaces_the_default(bench: Bench) -> None:
    plan = bench.run("-n").stdout
    assert "toy/digits/wrn10_1--cnn3_16/first/scale-10/seed-0" in plan
    assert "ssd-kd" not in plan
    assert "kd-noise" not in plan


def test_parsing_imports_no_torch(bench: Bench) -> None:
    """In a new Python, of course."""
    environment = os.environ | bench.environment | {"PYTHONPROFILEIMPORTTIME": "1"}
    command = bench.command("-n")
    output = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True).stderr
    assert "harness.grid.keys" in output, "the list of imports is missing"
    assert not [line for line in output.splitlines() if line.split("|")[-1].strip() in ("torch", "mlflow")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("/first.py", "/frist.py", "study.yaml:7: methods.first.method: '"),
        ("wrn10_1", "wrn10_l", "study.yaml:3: pairs.0.teacher: unknown network: 'wrn10_l'"),
        ("[100, 10]", "[250]", "study.yaml:4: scales.0: 250: Input should be less than or equal to 100"),
        ("scales:", "scale:", "study.yaml:4: scale: unknown key"),
        ("scales: [100, 10]", "", "study.yaml: scales: this key is missing"),
        ("seeds: [0]", "seeds: [one]", "study.yaml:5: seeds.0: 'one': a whole number is wanted"),
        ("seeds: [0]", "seeds: [0]\ndevice: cuda", "device: cuda, but no GPU is visible here"),
    ],
)
def test_bad_configurations(bench: Bench, old: str, new: str, expected: str) -> None:
    bench.study.write_text(bench.study.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    _refused(bench, [], expected, CUDA_VISIBLE_DEVICES="")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--config", "scales=11"], "--config scales=11: not in the grid"),
        (["--config", "results="], "the path of a folder is wanted"),
        (["--config", "results={a: 1}"], "the path of a folder is wanted"),
        (["--config", "reports=[a, b]"], "the path of a folder is wanted"),
        (["--config", "reports=7"], "--config reports=7: the path of a folder is wanted"),
        (["--config", "method=first"], "did you mean: methods"),
        (["results/toy/digits/wrn10_1--cnn3_16/first/scale-10/seed-7/metrics.json"], "no cell of the chosen grid"),
    ],
)
def test_bad_command_lines(bench: Bench, arguments: list[str], expected: str) -> None:
    _refused(bench, arguments, expected)


def test_a_method_that_is_no_python(bench: Bench) -> None:
    bench.write_method("first", "GAMMA = = 1\n")
    _refused(bench, [], "first.py, line 1")


def _card(bench: Bench) -> str:
    """PATH of a machine with one card."""
    program = bench.folder / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: Test (UUID: GPU-a)'\n", encoding="utf-8")
    program.chmod(0o755)
    return f"{bench.folder}:{os.environ['PATH']}"


def test_more_gpus_than_there_are(bench: Bench) -> None:
    path = _card(bench)
    _refused(bench, ["--resources", "gpu=4"], "there is 1 GPU here\n  type: --resources gpu=1", PATH=path)


@pytest.mark.parametrize("arguments", [["-j", "4"], ["--cores", "8", "--jobs", "4"]])
def test_jobs_of_a_cluster_on_this_machine(bench: Bench, arguments: list[str]) -> None:
    """Snakemake would start four cells at once whatever cores and cards there are."""
    _refused(bench, arguments, "-j 4: jobs are of a cluster; on this machine type: snakemake --cores 4")
    assert not (bench.folder / "calls.txt").exists()


def test_no_more_cells_run_at_once_than_there_are(bench: Bench) -> None:
    planned = bench.run("-n", "-p", "--cores", "5000")
    assert planned.stdout.count(f"--concurrent {len(CELLS)}") == len(CELLS)


def test_cells_that_share_a_card_run_at_once(bench: Bench) -> None:
    path = _card(bench)
    bench.study.write_text(bench.study.read_text(encoding="utf-8") + "share: 3\n", encoding="utf-8")
    planned = bench.run("-n", "-p", "--cores", "8", PATH=path)
    assert planned.stdout.count("--concurrent 3") == len(CELLS)
    said = "1 GPU here, each for 3 cells at once\n  type: --resources gpu=3"
    _refused(bench, ["--resources", "gpu=4"], said, PATH=path)


def test_a_damaged_or_lost_teacher(bench: Bench) -> None:
    bench.work()
    before = bench.metrics()
    record = next(bench.results.glob("teachers/*/*/teacher.json"))
    record.write_text(record.read_text(encoding="utf-8")[:40], encoding="utf-8")
    _refused(bench, [], "teacher.json: damaged record")
    record.unlink()
    _refused(bench, [], "put it back, or remove")
    assert bench.metrics() == before


def _refused(bench: Bench, arguments: list[str], expected: str, **environment: str) -> None:
    """Snakemake ends at once, with one screen of text."""
    refused = bench.run(*arguments, study=bench.study, **environment)
    assert refused.returncode != 0
    assert expected in refused.stdout
    assert "Traceback" not in refused.stdout
    assert len(refused.stdout.splitlines()) < 25
    assert (
        not (bench.folder / "calls.txt").exists()
        or Path(bench.folder / "calls.txt").read_text(encoding="utf-8").count("report") < 2
    )


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_teachers_of_a_grid_for_processors_see_no_card(bench: Bench, device: str) -> None:
    bench.study.write_text(f"{bench.study.read_text(encoding='utf-8')}device: {device}\n", encoding="utf-8")
    planned = bench.run("-n", "-p", PATH=_card(bench))
    (line,) = [line for line in planned.stdout.splitlines() if "train-teacher" in line]
    assert ("env CUDA_VISIBLE_DEVICES= " in line) == (device == "cpu")
