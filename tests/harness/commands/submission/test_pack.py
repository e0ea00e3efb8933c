from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from harness.commands import import_results
from harness.commands.submission import check, pack
from harness.errors import UserError
from harness.store import atomic, checking
from harness.store.layout import Results
from harness.store.records import Manifest
from tests import factory
from tests.harness.commands.submission.conftest import add, reseal
from tests.harness.conftest import Command


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_records_travel_and_weights_stay(results: Path, sent: Path) -> None:
    expected = {"SHA256SUMS", "teachers/digits/wrn10_1/teacher.json"}
    for seed in (0, 1):
        cell = factory.metrics(seed=seed).cell
        run = f"{cell}/runs/{checking.current_key(Results(results).cell(cell))}"
        expected |= {f"{cell}/metrics.json"}
        expected |= {f"{run}/{name}" for name in ("metrics.json", "events.jsonl", "manifest.json", "samples.png")}
    assert names(sent) == expected


def test_every_file_is_listed_with_its_sha256(sent: Path) -> None:
    lines = (sent / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert listed.keys() == names(sent) - {"SHA256SUMS"}
    assert all(hashlib.sha256((sent / name).read_bytes()).hexdigest() == digest for name, digest in listed.items())


def test_numbers_are_those_of_the_runs_and_hosts_are_withheld(results: Path, sent: Path) -> None:
    for cell in Results(results).finished():
        ours, theirs = checking.current(cell), checking.current(Results(sent).cell(cell.place))
        assert ours.model_dump(exclude={"manifest_sha256"}) == theirs.model_dump(exclude={"manifest_sha256"})
        manifest = Manifest.model_validate_json(Results(sent).cell(cell.place).run(ours.key).manifest.read_bytes())
        assert [attempt.host for attempt in manifest.attempts] == ["withheld"]
        assert manifest.attempts[0].device_name == "Test CPU"


def test_what_is_sent_can_be_imported(sent: Path, tmp_path: Path) -> None:
    report = import_results.merge(sent, tmp_path / "ours")
    assert report.imported == 2
    assert report.problems == [f"{sent}/teachers/digits/wrn10_1: its weights are missing"]


def test_what_we_sent_is_known_to_us(results: Path, tmp_path: Path) -> None:
    """Though hosts, and places on our machine, are withheld there."""
    add(results, seed=2, status="failed", reason="/home/me/x: boom", final=None, best=None, best_epoch=None)
    pack.submit(results, "*", tmp_path / "sent")
    report = import_results.merge(tmp_path / "sent", results)
    assert (report.known, report.imported, report.problems) == (3, 0, [])


def test_the_same_records_make_the_same_archive(results: Path, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        pack.submit(results, "seed-1", tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert sum(name.endswith("seed-1/metrics.json") for name in archive.namelist()) == 1
        assert not [name for name in archive.namelist() if "seed-0" in name]


def test_a_submission_is_added_to(results: Path, tmp_path: Path) -> None:
    pack.submit(results, "seed-0", tmp_path / "sent")
    add(results, seed=2)
    found = pack.submit(results, "seed-2", tmp_path / "sent")
    assert found.cells == 2
    assert check.check(tmp_path / "sent").problems == []


def test_a_public_teacher_that_was_fetched_twice_is_one(results: Path, tmp_path: Path) -> None:
    pack.submit(results, "seed-0", tmp_path / "sent")
    record = tmp_path / "sent/teachers/digits/wrn10_1/teacher.json"
    before = record.read_bytes()
    add(results, seed=2)
    fetched = factory.teacher().model_copy(update={"finished": "2026-03-03T00:00:00+00:00", "seconds": 1.5})
    atomic.write(results / "teachers/digits/wrn10_1/teacher.json", fetched)
    assert pack.submit(results, "seed-2", tmp_path / "sent").cells == 2
    assert record.read_bytes() == before
    assert check.check(tmp_path / "sent").problems == []


def test_another_teacher_of_the_same_name_is_refused(results: Path, tmp_path: Path) -> None:
    pack.submit(results, "seed-0", tmp_path / "sent")
    add(results, seed=2, teacher_sha256="ab" * 32)
    atomic.write(
        results / "teachers/digits/wrn10_1/teacher.json", factory.teacher().model_copy(update={"sha256": "ab" * 32})
    )
    with pytest.raises(
        UserError, match=rf"another teacher of this name: sha256 {factory.TEACHER_SHA}, .*/results has ab"
    ):
        pack.submit(results, "seed-2", tmp_path / "sent")


def test_another_result_of_a_cell_that_is_there_is_refused(results: Path, sent: Path) -> None:
    run = next(iter(Results(results).runs())).path
    reseal(run, finished="2026-02-02T00:00:00+00:00")
    before = {path: path.read_bytes() for path in sent.rglob("*") if path.is_file()}
    with pytest.raises(
        UserError, match=r"seed-0: the submission that --out names holds another result of it\n.* not under .*/results"
    ):
        pack.submit(results, "*", sent)
    assert before == {path: path.read_bytes() for path in sent.rglob("*") if path.is_file()}


def test_failures_are_sent_without_paths(tmp_path: Path) -> None:
    reason = "OSError: No such file: '/home/jane/dkd/emb.npy' (mine.py:7)"
    add(tmp_path / "results", status="failed", reason=reason, best=None, best_epoch=None)
    pack.submit(tmp_path / "results", "*", tmp_path / "sent")
    (cell,) = Results(tmp_path / "sent").finished()
    assert checking.current(cell).reason == "OSError: No such file: '<path>' (mine.py:7)"


def test_own_code_is_sent_and_own_data_is_not(results: Path, tmp_path: Path) -> None:
    run = next(iter(Results(results).runs()))
    files = {"method/mine.py": b"WIDTH = 3\n", "options/emb.npz": b"numbers"}
    for place, content in files.items():
        run.outside(place).parent.mkdir(parents=True)
        run.outside(place).write_bytes(content)
    reseal(run.path, {"outside": {place: hashlib.sha256(content).hexdigest() for place, content in files.items()}})
    found = pack.submit(results, "seed-0", tmp_path / "sent")
    assert found.own == {"ssd-kd"}
    assert [name for name in names(tmp_path / "sent") if "outside" in name] == [
        f"{run.path.relative_to(results).as_posix()}/outside/method/mine.py"
    ]


def test_a_sheet_that_is_too_large_stays(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack.contents, "SHEET", 100)
    pack.submit(results, "*", tmp_path / "sent")
    assert not list((tmp_path / "sent").rglob("*.png"))


@pytest.mark.parametrize("file", ["metrics.json", "events.jsonl", "manifest.json"])
def test_damaged_records_are_refused_with_nothing_written(results: Path, tmp_path: Path, file: str) -> None:
    run = next(iter(Results(results).runs())).path
    (run / file).write_bytes(b"{}\n")
    with pytest.raises(UserError, match="damaged record"):
        pack.submit(results, "*", tmp_path / "new/sent.zip")
    assert not (tmp_path / "new").exists()


def test_a_lost_teacher_is_named(results: Path, tmp_path: Path) -> None:
    (results / "teachers/digits/wrn10_1/teacher.json").unlink()
    with pytest.raises(UserError, match=r"teacher\.json: is missing"):
        pack.submit(results, "*", tmp_path / "sent")


def test_the_command_line(results: Path, tmp_path: Path, dkd: Command) -> None:
    status, out, _ = dkd("submit", "--results", results, "--out", tmp_path / "sent.zip")
    assert (status, out.splitlines()[0]) == (
        0,
        f"{tmp_path}/sent.zip: 2 cells, records of 1 teacher, all records agree",
    )
    assert dkd("submit", "--check", tmp_path / "sent.zip")[0] == 0
    status, _, err = dkd("submit", "no-such-method", "--results", results, "--out", tmp_path / "other")
    assert (status, (tmp_path / "other").exists()) == (2, False)
    assert "no-such-method" in err


def test_results_are_never_overwritten_by_what_is_sent(results: Path) -> None:
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match="not empty and no submission"):
        pack.submit(results, "*", results)
    assert before == {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}


@pytest.mark.parametrize("copies", [0, 1, 4, 6, 9])
def test_a_call_that_was_killed_can_be_given_again(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copies: int
) -> None:
    out, left, take = tmp_path / "sent", copies, atomic.take

    def killed(source: Path, target: Path, most: int) -> None:
        nonlocal left
        if target.is_relative_to(out):
            if not left:
                raise KeyboardInterrupt
            left -= 1
        take(source, target, most)

    monkeypatch.setattr(atomic, "take", killed)
    with pytest.raises(KeyboardInterrupt):
        pack.submit(results, "*", out)
    monkeypatch.setattr(atomic, "take", take)
    pack.submit(results, "*", out)
    assert (check.check(out).cells, check.check(out).problems) == (2, [])


@pytest.mark.parametrize("mine", ["text", "archive"])
def test_a_file_of_ones_own_is_not_overwritten(results: Path, tmp_path: Path, mine: str) -> None:
    out = tmp_path / "precious.zip"
    out.write_text("precious", encoding="utf-8")
    if mine == "archive":
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("thesis.tex", "precious")
    before = out.read_bytes()
    with pytest.raises(UserError, match=r"precious\.zip: there is a file already, and it is no submission"):
        pack.submit(results, "*", out)
    assert out.read_bytes() == before


def test_an_archive_is_written_anew(results: Path, tmp_path: Path) -> None:
    for pattern, cells in (("seed-0", 1), ("*", 2)):
        assert pack.submit(results, pattern, tmp_path / "sent.zip").cells == cells


@pytest.mark.parametrize("out", ["a.zip", "file", "file/sent", "file/sent.zip"])
def test_what_is_no_place_for_it(results: Path, tmp_path: Path, out: str) -> None:
    (tmp_path / "a.zip").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match=r"an archive is wanted|a folder is wanted"):
        pack.submit(results, "*", tmp_path / out)
