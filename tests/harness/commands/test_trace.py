import json
from pathlib import Path

import pytest

from harness.commands import output, stored, trace
from harness.errors import UserError
from harness.store.layout import RunFolder
from tests import factory


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for label in ("ssd-kd", "ssd-kd-no-diversity"):
        for scale in (10.0, 100.0):
            for seed in (0, 1):
                factory.write(tmp_path, factory.metrics(label, scale, seed))
    return tmp_path


def named(results: Path, text: str) -> list[str]:
    return [run.path.parent.parent.relative_to(results).as_posix() for run in stored.runs(results, text)]


PAIR = "toy/digits/wrn10_1--cnn3_16"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{PAIR}/ssd-kd/scale-10/seed-1", [f"{PAIR}/ssd-kd/scale-10/seed-1"]),
        (f"{PAIR}/ssd-kd/scale-10", [f"{PAIR}/ssd-kd/scale-10/seed-{k}" for k in (0, 1)]),
        ("ssd-kd/scale-100", [f"{PAIR}/ssd-kd/scale-100/seed-{k}" for k in (0, 1)]),
        ("ssd-kd", [f"{PAIR}/ssd-kd/scale-{s}/seed-{k}" for s in (10, 100) for k in (0, 1)]),
        ("*/ssd-kd-no*/scale-10/seed-0", [f"{PAIR}/ssd-kd-no-diversity/scale-10/seed-0"]),
        (factory.metrics("ssd-kd", 10.0, 1).key[:8], [f"{PAIR}/ssd-kd/scale-10/seed-1"]),
    ],
)
def test_find(results: Path, text: str, expected: list[str]) -> None:
    assert named(results, text) == expected


def test_find_nothing_names_the_nearest_cells(results: Path) -> None:
    with pytest.raises(UserError, match=r"no cell matches 'sdd-kd/scale-10'[\s\S]*did you mean: ssd-kd/scale-10"):
        stored.runs(results, "sdd-kd/scale-10")


def test_what_was_typed_is_no_suggestion(tmp_path: Path) -> None:
    """The default grid has such cells, and no result of them is here."""
    with pytest.raises(UserError) as told:
        stored.runs(tmp_path, "ssd-kd")
    assert "that never ran" in str(told.value) and "did you mean" not in str(told.value)


def test_a_study_s_folder_is_no_results_folder(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"no results under .*; the results folder is {results}$"):
        stored.runs(results / "toy", "*")
    with pytest.raises(UserError, match=r"no results under .*; `dkd list` names the cells"):
        stored.runs(tmp_path / "empty", "*")


def test_describe_leads_from_the_number_to_its_origin(results: Path) -> None:
    (folder,) = stored.runs(results, f"{PAIR}/ssd-kd/scale-10/seed-1")
    run = folder.path
    (run / "attempts.log").touch()
    link = {"run_id": "abc", "tracking_uri": "sqlite:///x", "store": "sqlite:///x#1@2", "fingerprint": "0"}
    (run / "mlflow.json").write_text(json.dumps(link), encoding="utf-8")
    text = "\n".join(output.lines(trace.describe(folder)))
    for expected in (
        f"{run.name} (current)",
        "91.00 % top1 after the last epoch, best 92.00 % in epoch 3, 13.0 CPU s in 13.0 s",
        f"{run}/attempts.log",
        "run abc in sqlite:///x",
        "sha256 " + "7e" * 32,
        "batch=64, epochs=3, steps=200",
        "ab" * 8 + "  methods/ssd_kd.py",
        "made by an earlier version, which computed keys in another way",
        "NUMBERS = 1  harness/grid/keys.py",
        "2026-01-01T00:00:00+00:00 to 2026-01-01T00:01:00+00:00: done; cpu (Test CPU), threads=1, on node1; ",
        "commit c0ffee" + "0" * 34,
    ):
        assert expected in text


def test_steps_from_a_graph_are_told() -> None:
    attempt = factory.manifest(factory.metrics(device="cuda", device_name="GPU")).attempts[0]
    for graphs, expected in ((False, "cuda (GPU), threads=1"), (True, "cuda (GPU), steps from a graph, threads=1")):
        assert expected in trace._attempt(attempt.model_copy(update={"graphs": graphs}))


def test_describe_says_what_is_superseded_failed_or_damaged(tmp_path: Path) -> None:
    old = factory.metrics(key="0" * 16, status="failed", reason="boom", final=None)
    cell = factory.write(tmp_path, old)
    (cell / "metrics.json").unlink()
    factory.write(tmp_path, factory.metrics())
    run = cell / "runs" / ("0" * 16)
    (run / "manifest.json").write_bytes(b"{")
    text = "\n".join(output.lines(trace.describe(RunFolder(run))))
    assert f"superseded by {factory.metrics().key}" in text
    assert "not synced" in text
    assert "manifest.json: damaged record" in text
