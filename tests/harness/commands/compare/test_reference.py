"""Cells of one's own against committed records: made-up ones, without weights, as they are committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.commands import output
from harness.commands.compare import compare
from harness.errors import UserError
from harness.store import atomic
from harness.store.records import Seconds
from tests import factory
from tests.harness.conftest import Command

ROW = "toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-10"


def spent(total: float) -> Seconds:
    return Seconds(startup=1.0, synthesis=total - 1.0, distillation=0.0, evaluation=5.0)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three seeds of one row and one of another, of one device."""
    place = tmp_path / "bench/reference/cpu-test"
    for seed, final in enumerate((70.0, 71.0, 72.0)):
        factory.write(place, factory.metrics(seed=seed, final=final, seconds=spent(10.0)))
    factory.write(place, factory.metrics("dafl", final=40.0))
    return tmp_path / "bench"


def told(results: Path, repository: Path) -> tuple[bool, list[str]]:
    found = compare.compare("reference", None, results, repository)
    return found.as_expected, list(output.lines(found.lines))


def test_a_cell_as_expected(repository: Path, tmp_path: Path) -> None:
    own: dict[str, Any] = {"device_name": "Other CPU", "data_verified": False, "steps": 100}
    cell = factory.write(tmp_path / "mine", factory.metrics(seed=1, final=75.9, seconds=spent(25.0), **own))
    (run,) = factory.runs(cell)
    versions = {"python": "3.11.0", "torch": "9.9.9"}
    manifest = factory.manifest(factory.metrics(seed=1))
    attempt = manifest.attempts[0].model_copy(update={"versions": versions})
    sources = {"methods/ssd_kd.py": "cd" * 32}
    atomic.write(run / "manifest.json", manifest.model_copy(update={"attempts": [attempt], "sources": sources}))
    as_expected, lines = told(tmp_path / "mine", repository)
    assert as_expected
    # Standard deviation 1 and t(0.975) = 4.303 with two degrees of freedom: 71 ± 4.303 √(4/3) = ± 4.97
    assert lines == [
        f"committed records: {repository}/reference/cpu-test",
        f"{ROW}/seed-1",
        "  accuracy  75.90 % top1; committed 71.00 ± 1.00 (n = 3, seeds 0, 1, 2), Δ +4.90",
        "  expected  within 66.03 to 75.97, where a further seed is expected",
        "  cost      25.0 CPU s; committed 10.0 CPU s, × 2.50 (× 2.50 on an equally fast machine)",
        "  differs   steps: 200 → 100",
        "  differs   data_verified: True → False",
        "  differs   device_name: Test CPU → Other CPU",
        "  differs   torch: 2.15.0 → 9.9.9",
        "  differs   methods/ssd_kd.py changed",
        "1 of 1 cell as expected; by chance alone all are, 19 times in 20",
    ]


@pytest.mark.parametrize(("evaluation", "told_too"), [(9.0, True), (0.3, False)])
def test_a_slower_machine_is_told_by_its_evaluations(tmp_path: Path, evaluation: float, told_too: bool) -> None:
    """Three evaluations each: of 1.2 s where 10 s were spent, of 3 s where 30 s were: by them 10.0 against 8.33."""
    for folder, slow in (("bench/reference/cpu-test", 0.4), ("mine", 1.0)):
        seconds = spent(30.0 if folder == "mine" else 10.0).model_copy(update={"evaluation": evaluation * slow})
        factory.write(tmp_path / folder, factory.metrics(seconds=seconds), config={"epochs": 3})
    _, lines = told(tmp_path / "mine", tmp_path / "bench")
    more = " (× 1.20 on an equally fast machine)" if told_too else ""
    assert f"  cost      30.0 CPU s; committed 10.0 CPU s, × 3.00{more}" in lines


def test_a_cell_beyond(repository: Path, tmp_path: Path, dkd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    factory.write(tmp_path / "mine", factory.metrics(seed=0, final=78.2))
    factory.write(tmp_path / "mine", factory.metrics(seed=1, final=76.0))
    as_expected, lines = told(tmp_path / "mine", repository)
    assert not as_expected
    # Two cells at once: 97.5 % for each. t with two degrees of freedom has a closed form, (1 - 2q) √(2 / (4q (1 - q)))
    # with q = 0.0125, which is 6.205; times √(4/3) it is 7.165, and 76.0 is no longer beyond.
    assert "  expected  NOT within 63.83 to 78.17, where a further seed is expected" in lines
    assert lines[-1].startswith("1 of 2 cells as expected")
    factory.write(tmp_path / "lower", factory.metrics(seed=0, final=70.48))
    assert any(line.endswith("Δ −0.52") for line in told(tmp_path / "lower", repository)[1])
    monkeypatch.setattr(compare, "BENCH", repository)
    code, out, _ = dkd("compare", "reference", "--results", tmp_path / "mine")
    assert (code, out.splitlines()) == (1, lines)


def test_one_committed_seed_does_not_say(repository: Path, tmp_path: Path) -> None:
    factory.write(tmp_path / "mine", factory.metrics("dafl", final=60.0, device="cuda", seed=5))
    as_expected, lines = told(tmp_path / "mine", repository)
    assert as_expected
    assert lines[2:5] == [
        "  accuracy  60.00 % top1; committed 40.00 (n = 1, seeds 0), Δ +20.00",
        "  expected  not known: one seed does not say what seeds differ by",
        "  cost      13.0 GPU s; committed 13.0 CPU s",
    ]
    assert not lines[-1].startswith("1 of")


def test_a_run_that_failed_is_not_as_expected(repository: Path, tmp_path: Path) -> None:
    factory.write(tmp_path / "mine", factory.metrics(status="failed", reason="boom"))
    as_expected, lines = told(tmp_path / "mine", repository)
    assert not as_expected
    assert "  expected  NOT: failed: boom" in lines


def test_what_cannot_be_read_is_named(repository: Path, tmp_path: Path) -> None:
    factory.write(tmp_path / "mine", factory.metrics(seed=1, final=71.0))
    damaged = factory.write(tmp_path / "mine", factory.metrics(seed=2)) / "metrics.json"
    damaged.write_text("{", encoding="utf-8")
    as_expected, lines = told(tmp_path / "mine", repository)
    assert as_expected
    assert lines[-1].startswith(f"{damaged}: damaged record")


def test_nothing_to_compare_with(repository: Path, tmp_path: Path) -> None:
    factory.write(tmp_path / "mine", factory.metrics("nayer"))
    with pytest.raises(UserError) as error:
        told(tmp_path / "mine", repository)
    assert str(error.value) == (
        f"none of the 1 finished cells under {tmp_path}/mine has committed records; these rows have:\n"
        f"  {ROW.replace('ssd-kd', 'dafl')}\n  {ROW}\n  `dkd run ROW/seed-0` makes a cell of one"
    )
    with pytest.raises(UserError, match="no committed records in it yet"):
        told(tmp_path / "mine", tmp_path / "nothing")
