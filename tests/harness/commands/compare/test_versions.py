from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scipy.stats import ttest_ind

from harness.commands import output
from harness.commands.compare import compare, sides, versions
from harness.errors import UserError
from harness.store import atomic
from harness.store.reading import DamagedRecord
from harness.store.records import Seconds
from tests import factory
from tests.harness.conftest import Command

OLD, NEW = "a" * 40, "b" * 40
GROUP = "toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-10"


def add(results: Path, seed: int, key: str, final: float, seconds: float, **provenance: Any) -> None:
    """A run of ssd-kd at 10 %, the later the larger its key; it becomes the cell's result."""
    spent = Seconds(startup=1.0, synthesis=seconds - 1.0, distillation=0.0, evaluation=50.0)
    finished = f"2026-01-01T00:00:0{key[0]}+00:00"
    result = factory.metrics(seed=seed, key=key, final=final, seconds=spent, finished=finished)
    (results / result.cell / "metrics.json").unlink(missing_ok=True)
    run = factory.write(results, result) / "runs" / key
    manifest = factory.manifest(result)
    attempt = manifest.attempts[0].model_copy(update={"commit": provenance.pop("commit", OLD)})
    atomic.write(run / "manifest.json", manifest.model_copy(update={"attempts": [attempt], **provenance}))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Seeds 0 and 1 of two versions of one method; seed 2 of the new one alone."""
    folder = tmp_path / "results"
    new: dict[str, Any] = {"commit": NEW, "config": {"batch": 64, "epochs": 3, "gamma": 2}, "numbers": 2}
    new["sources"] = {"methods/ssd_kd.py": "cd" * 32, "methods/parts/losses.py": "ef" * 32}
    for seed, before, after in ((0, 80.0, 83.0), (1, 82.0, 83.0)):
        add(folder, seed, f"1{seed}" * 8, before, seconds=20.0)
        add(folder, seed, f"2{seed}" * 8, after, seconds=5.0, **new)
    add(folder, 2, "22" * 8, 99.0, seconds=5.0, **new)
    return folder


def lines(results: Path, a: object, b: object) -> list[str]:
    return list(output.lines(versions.table(sides.side(str(a), results), sides.side(str(b), results))))


def test_two_commits_are_paired_by_seed(results: Path) -> None:
    # The verdict is of all seeds, by Welch's test: 80 and 82 against 83, 83 and 99.
    reach = -ttest_ind([80.0, 82.0], [83.0, 83.0, 99.0], equal_var=False).confidence_interval(0.99).low - 22 / 3
    assert lines(results, OLD[:7], NEW[:7]) == [
        "A = aaaaaaa, B = bbbbbbb: 2 runs in both",
        GROUP,
        # differences 3 and 1: mean 2, standard deviation sqrt 2
        "  accuracy  81.00 → 83.00 % top1, Δ +2.00 ± 1.41 (n = 2, seeds 0, 1)",
        f"  expected  within ± {reach:.2f}, what the seeds differ by (Δ +7.33 of all seeds, n = 2 and 3)",
        "  cost      20.0 → 5.0 CPU s, × 0.25",
        f"  differs   commit: {OLD} → {NEW}",
        "  differs   steps: 200 → absent",
        "  differs   gamma: absent → 2",
        "  differs   methods/parts/losses.py is new",
        "  differs   methods/ssd_kd.py changed",
        "  differs   NUMBERS of harness/grid/keys.py: 1 → 2",
        f"only in B: {GROUP}, seed 2",
        "1 of 1 row within what seeds differ by",
    ]


def test_hashes_of_two_ways_are_not_compared(tmp_path: Path) -> None:
    new = {"scheme": 2, "sources": {"methods/ssd_kd.py": "cd" * 32}, "numbers": 2}
    add(tmp_path, 0, "11" * 8, 80.0, seconds=5.0)
    add(tmp_path, 0, "22" * 8, 80.0, seconds=5.0, **new)
    told = [line for line in lines(tmp_path, "111111", "222222") if "differs" in line]
    assert told == ["  differs   the code may: its hashes were computed in different ways"]


def test_a_folder_from_elsewhere(results: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    other = factory.metrics(seed=1, final=85.0, device="cuda", device_name="Big GPU", teacher_sha256="00" * 32)
    factory.write(elsewhere, other)
    factory.write(elsewhere, factory.metrics("dafl"))
    found = lines(results, results, elsewhere)
    assert found[:3] == [
        f"A = {results}, B = {elsewhere}: 1 run in both",
        GROUP,
        "  accuracy  83.00 → 85.00 % top1, Δ +2.00 (n = 1, seeds 1)",
    ]
    assert "  differs   device_name: Test CPU → Big GPU" in found
    assert f"  differs   teacher_sha256: {'7e' * 32} → {'00' * 32}" in found
    dafl = GROUP.replace("ssd-kd", "dafl")
    assert found[-2:] == [f"only in A: {GROUP}, seeds 0, 2", f"only in B: {dafl}, seed 0"]


def test_a_study_on_another_device(results: Path, tmp_path: Path) -> None:
    """The folders of two studies with the same cells: paired though their names differ."""
    add_study = [factory.metrics(study="toy-gpu", seed=seed, final=84.0, device="cuda") for seed in (0, 2)]
    for result in [*add_study, factory.metrics(study="other", seed=1)]:
        factory.write(tmp_path / "elsewhere", result)
    gpu = tmp_path / "elsewhere/toy-gpu"
    found = lines(results, results / "toy", gpu)
    assert found[:3] == [
        f"A = {results / 'toy'}, B = {gpu}: 2 runs in both",
        GROUP,
        # seeds 0 and 2: 83 → 84 and 99 → 84
        "  accuracy  91.00 → 84.00 % top1, Δ −7.00 ± 11.31 (n = 2, seeds 0, 2)",
    ]
    assert {"  differs   study: toy → toy-gpu", "  differs   device: cpu → cuda"} <= set(found)
    assert [line for line in found if line.startswith("only in")] == [f"only in A: {GROUP}, seed 1"]


def test_studies_of_a_folder_with_several_keep_their_names(results: Path, tmp_path: Path) -> None:
    for study in ("toy", "toy-gpu"):
        factory.write(tmp_path / "elsewhere", factory.metrics(study=study, seed=0, final=84.0))
    found = lines(results, results, tmp_path / "elsewhere")
    assert found[2] == "  accuracy  83.00 → 84.00 % top1, Δ +1.00 (n = 1, seeds 0)"
    assert found[-1] == f"only in B: {GROUP.replace('toy', 'toy-gpu', 1)}, seed 0"


@pytest.mark.parametrize(("rows", "more"), [(5, []), (6, ["1 more row"]), (8, ["3 more rows"])])
def test_of_many_rows_of_one_side_five_are_named(results: Path, tmp_path: Path, rows: int, more: list[str]) -> None:
    for label in "abcdefgh"[:rows]:
        for seed in (2, 10):
            factory.write(tmp_path / "elsewhere", factory.metrics(label, seed=seed))
    found = lines(results, results, tmp_path / "elsewhere")
    told = [*(f"{GROUP.replace('ssd-kd', label)}, seeds 2, 10" for label in "abcde"), *more]
    assert [line for line in found if "only in B" in line] == [f"only in B: {line}" for line in told]


def test_two_keys_are_compared_whatever_they_are(results: Path) -> None:
    factory.write(results, factory.metrics("dafl", seed=3, key="3" * 16, final=70.0))
    found = lines(results, "212121", "333333")
    assert found[2] == "  accuracy  83.00 → 70.00 % top1, Δ −13.00 (n = 1, seeds 1)"
    assert {"  differs   label: ssd-kd → dafl", "  differs   seed: 1 → 3"} <= set(found)


def test_a_version_with_itself(results: Path) -> None:
    found = lines(results, results, results)
    assert "Δ +0.00 ± 0.00 (n = 3, seeds 0, 1, 2)" in found[2]
    assert found[5:] == [
        "  differs   nothing that is recorded",
        "1 of 1 row within what seeds differ by",
    ]


def test_what_cannot_be_compared_is_named(results: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    factory.write(elsewhere, factory.metrics(seed=0, status="failed", reason="boom", final=None, best=None))
    cell = factory.write(elsewhere, factory.metrics(seed=1))
    (cell / "metrics.json").write_bytes(b"{")
    (elsewhere / factory.metrics(seed=0).cell / "runs" / factory.metrics(seed=0).key / "manifest.json").unlink()
    found = lines(results, results, elsewhere)
    assert "  left out  seed 0: failed in B: boom" in found
    assert "  differs   unknown: a manifest is lost" in found
    assert not [line for line in found if "accuracy" in line]
    assert found[-1].startswith(f"{cell}/metrics.json: damaged record")


def test_the_records_of_a_report(results: Path, tmp_path: Path) -> None:
    published = tmp_path / "records.jsonl"
    lines_ = [factory.metrics(seed=seed, final=final).model_dump_json() for seed, final in ((0, 83.5), (1, 83.0))]
    published.write_text("\n".join(lines_) + "\n", encoding="utf-8")
    found = lines(results, results, published)
    assert "  accuracy  83.00 → 83.25 % top1, Δ +0.25 ± 0.35 (n = 2, seeds 0, 1)" in found
    assert "  differs   options and code unknown: a file of records has neither" in found
    assert not [line for line in found if "lost" in line]
    published.write_text(lines_[0] + "\n{}\n", encoding="utf-8")
    with pytest.raises(DamagedRecord, match="line 2"):
        sides.side(str(published), results)


def test_two_kinds_of_seconds_have_no_ratio_and_an_overload_is_said(results: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    slow = Seconds(startup=1.0, synthesis=90.0, distillation=9.0, evaluation=0.0)
    factory.write(elsewhere, factory.metrics(seed=1, device="cuda", seconds=slow, device_sharers=2))
    assert "  cost      5.0 → 100.0 CPU s → GPU s; 1 of these runs on an overloaded machine" in lines(
        results, results, elsewhere
    )


def test_unknown_names_are_refused(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="c0ffee: neither a folder nor a label, key or commit") as error:
        sides.side("c0ffee", results)
    assert f"{OLD[:12]}, {NEW[:12]}, ssd-kd" in str(error.value)
    with pytest.raises(UserError, match="neither"):
        sides.side("a", results)
    with pytest.raises(UserError, match="no finished run in it"):
        sides.side(str(tmp_path), results)


def test_a_branch_may_have_a_short_name(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides.facts, "resolve", lambda text: NEW if text == "dev" else None)
    assert len(sides.side("dev", results).runs) == 3
    with pytest.raises(UserError, match="neither"):
        sides.side("bbb", results)


@pytest.mark.parametrize("given", [("reference", "ssd-kd"), ("ssd-kd", "reference")])
def test_reference_stands_alone(results: Path, given: tuple[str, str]) -> None:
    with pytest.raises(UserError, match="`reference` stands alone: dkd compare reference"):
        compare.compare(*given, results)


def test_the_command(results: Path, dkd: Command) -> None:
    code, output, _ = dkd("compare", "aaaaaa", "bbbbbb", "--results", results)
    assert code == 0
    assert output.splitlines() == lines(results, "aaaaaa", "bbbbbb")
    assert dkd("compare", "aaaaaa", "nowhere", "--results", results)[0] == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("none.jsonl", "none.jsonl: no such file"),
        ("~nobody-of-this-name/x", "no home is known for ~"),
        ("a" * 5000, "File name too long"),
    ],
)
def test_texts_that_lead_nowhere(results: Path, text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        sides.side(text, results)
