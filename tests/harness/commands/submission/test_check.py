"""Every way in which a submission may be wrong is found and named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands.submission import check, commits
from harness.commands.submission.commits import Origin
from harness.errors import UserError
from harness.grid import keys
from harness.machine import facts
from harness.store import atomic
from harness.store.layout import Results, RunFolder
from harness.store.records import Manifest
from tests import factory
from tests.harness.commands.submission.conftest import relist, reseal
from tests.harness.conftest import Command


def first(sent: Path) -> RunFolder:
    return next(iter(Results(sent).runs()))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def better(run: RunFolder) -> None:
    for path in (run.metrics, run.cell.metrics):
        replace(path, '"final": 90.0', '"final": 95.0')


def better_in_the_copy_alone(run: RunFolder) -> None:
    replace(run.cell.metrics, '"final": 90.0', '"final": 95.0')


def better_curve(run: RunFolder) -> None:
    replace(run.events, '"metric":90.0', '"metric":95.0')


def faster(run: RunFolder) -> None:
    for path in (run.metrics, run.cell.metrics):
        replace(path, '"synthesis": 8.0', '"synthesis": 1.0')


def another_option(run: RunFolder) -> None:
    replace(run.manifest, '"batch": 64', '"batch": 65')


def no_events(run: RunFolder) -> None:
    run.events.unlink()


def no_manifest(run: RunFolder) -> None:
    run.manifest.unlink()


def no_metrics(run: RunFolder) -> None:
    run.metrics.unlink()


def another_key(run: RunFolder) -> None:
    shutil.move(run.path, run.path.with_name("0" * 16))
    reseal(run.path.with_name("0" * 16), {"key": "0" * 16}, key="0" * 16)


def another_plan(run: RunFolder) -> None:
    reseal(run.path, {"plan_key": "1" * 16}, plan_key="1" * 16)


def back_in_time(run: RunFolder) -> None:
    replace(run.events, '"step":50', '"step":150')
    reseal(run.path)


def a_host(run: RunFolder) -> None:
    manifest = Manifest.model_validate_json(run.manifest.read_bytes())
    reseal(run.path, {"attempts": [manifest.attempts[0].model_copy(update={"host": "janes-pc"})]})


def a_path(run: RunFolder) -> None:
    reseal(run.path, {"config": {"embeddings": "~/secret/emb.npy", "where": "/data/jane/x"}})


def another_device(run: RunFolder) -> None:
    reseal(run.path, device_name="Faster CPU")


def a_superseded_run(run: RunFolder) -> None:
    shutil.copytree(run.path, run.path.with_name("0" * 16))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (better, "metrics.json: final is 95.0, the last evaluation says 90.0"),
        (better_in_the_copy_alone, "final is 95.0, there 90.0"),
        (better_curve, "events.jsonl: final is 90.0, the last evaluation says 95.0"),
        (faster, "seconds.synthesis is 1.0, the last evaluation says 8.0"),
        (another_option, "manifest.json: was changed after it was written"),
        (no_events, "holds no evaluation, though the run is done"),
        (no_manifest, "manifest.json is missing"),
        (no_metrics, "metrics.json: is missing"),
        (another_key, "key is 0000000000000000, plan key and teacher make"),
        (another_plan, "plan key and teacher make"),
        (back_in_time, "evaluation 1: step went back"),
        (a_host, "tells of a private machine: host janes-pc"),
        (a_path, "tells of a private machine: path ~/secret/emb.npy"),
        (a_path, "tells of a private machine: path /data/jane/x"),
        (another_device, "device_name is Faster CPU, the manifest says Test CPU"),
        (a_superseded_run, "holds a run that is not its result: 0000000000000000"),
    ],
)
def test_records_that_do_not_agree(sent: Path, change: Callable[[RunFolder], None], problem: str) -> None:
    change(first(sent))
    relist(sent)
    found = check.check(sent)
    assert [line for line in found.problems if problem in line], found.problems
    assert all(str(first(sent).cell.place) in line for line in found.problems)


def test_a_changed_file_is_named_by_the_list(sent: Path) -> None:
    better(first(sent))
    assert [line for line in check.check(sent).problems if "metrics.json: was changed: sha256 is" in line]


def test_files_that_the_list_lacks_or_has_alone(sent: Path) -> None:
    list_, sheet = sent / "SHA256SUMS", first(sent).samples.relative_to(sent).as_posix()
    (sent / sheet).unlink()
    kept = [line for line in list_.read_text(encoding="utf-8").splitlines() if "seed-1/metrics" not in line]
    list_.write_text("\n".join(kept) + "\n", encoding="utf-8")
    missing, unlisted = sorted(check.check(sent).problems, key=lambda line: "is not in" in line)
    assert missing == f"{sheet}: is missing, though SHA256SUMS lists it"
    assert unlisted.endswith("seed-1/metrics.json: is not in SHA256SUMS")
    list_.unlink()
    assert check.check(sent).problems == ["SHA256SUMS is missing: `dkd submit` writes it"]


def weights(sent: Path) -> None:
    first(sent).student.write_bytes(b"weights")


def weights_elsewhere(sent: Path) -> None:
    (sent / "teacher.pt").write_bytes(b"weights")


def a_log(sent: Path) -> None:
    first(sent).log.write_bytes(b"/home/jane")


def a_stranger(sent: Path) -> None:
    (sent / "index.html").write_bytes(b"<script>")


def a_link(sent: Path) -> None:
    first(sent).samples.unlink()
    first(sent).samples.symlink_to("/etc/passwd")


def a_pipe(sent: Path) -> None:
    first(sent).samples.unlink()
    os.mkfifo(first(sent).samples)


def two_lines(sent: Path) -> None:
    copy = first(sent).outside("method") / "mine\n.py"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"A = 1")


def no_text(sent: Path) -> None:
    (first(sent).path / os.fsdecode(b"\xff.json")).write_bytes(b"{}")


def too_large(sent: Path) -> None:
    with first(sent).events.open("ab") as file:
        file.truncate(2**20 + 1)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (weights, "student.safetensors: weights do not belong into a submission"),
        (weights_elsewhere, "teacher.pt: weights do not belong into a submission"),
        (a_log, "attempts.log: not a file of a submission"),
        (a_stranger, "index.html: not a file of a submission"),
        (a_link, "samples.png: neither a file nor a folder"),
        (a_pipe, "samples.png: neither a file nor a folder"),
        (two_lines, r"/outside/method/mine\n.py': a name that cannot be shown"),
        (no_text, r"/\udcff.json': a name that cannot be shown"),
        (too_large, "events.jsonl: has 1.0 MiB, at most 1 may be"),
    ],
)
def test_what_does_not_belong_there(sent: Path, change: Callable[[Path], None], problem: str) -> None:
    change(sent)
    (found,) = check.check(sent).problems
    assert found.endswith(problem)


def test_names_that_no_line_holds_are_told_by_the_command(sent: Path, dkd: Command) -> None:
    two_lines(sent)
    status, out, err = dkd("submit", "--check", sent)
    assert (status, "1 problem" in out) == (1, True)
    assert r"mine\n.py': a name that cannot be shown" in err


def test_all_files_together_may_be_too_large(sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check.contents, "ALL", 1000)
    (problem,) = check.check(sent).problems
    assert "in all, at most 0 may be" in problem


def test_a_teacher_that_did_not_teach_it(sent: Path) -> None:
    record = factory.teacher().model_copy(update={"sha256": "ab" * 32, "value": 98.0})
    atomic.write(sent / "teachers/digits/wrn10_1/teacher.json", record)
    relist(sent)
    problems = check.check(sent).problems
    assert len(problems) == 4
    assert any(f"teacher_sha256 is {factory.TEACHER_SHA}, its teacher's record says {'ab' * 32}" in p for p in problems)
    assert any("teacher_metric is 99.0, its teacher's record says 98.0" in problem for problem in problems)


@pytest.mark.parametrize(("value", "problems"), [(99.01, 0), (98.99, 0), (99.02, 2), (98.0, 2)])
def test_two_machines_measure_one_teacher_an_image_apart(sent: Path, value: float, problems: int) -> None:
    record = factory.teacher().model_copy(update={"value": value})
    atomic.write(sent / "teachers/digits/wrn10_1/teacher.json", record)
    relist(sent)
    assert len(check.check(sent).problems) == problems


def test_what_is_no_submission(tmp_path: Path) -> None:
    for path, problem in ((tmp_path, "there is no cell in it"), (tmp_path / "none", "no such folder or archive")):
        with pytest.raises(UserError, match=problem):
            check.check(path)


@pytest.mark.parametrize(
    ("text", "dirty", "origin", "problems"),
    [
        ("A = 1  # one\n", False, Origin.COMMITTED, 0),
        ("A = 2\n", False, Origin.CHANGED, 1),
        ("A = 2\n", True, Origin.CHANGED, 0),
        (None, False, Origin.UNKNOWN, 0),
        ("no code at all →\n", False, Origin.UNKNOWN, 0),
    ],
)
def test_code_is_that_of_its_commit(
    sent: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, dirty: bool, origin: Origin, problems: int
) -> None:
    monkeypatch.setattr(facts, "committed", lambda commit, file: text)
    commits._hash.cache_clear()
    run = first(sent)
    manifest = Manifest.model_validate_json(run.manifest.read_bytes())
    attempts = [manifest.attempts[0].model_copy(update={"dirty": dirty})]
    digest = commits.code.understand("A = 1\n", "a.py").sha256
    reseal(run.path, {"sources": {"methods/a.py": digest}, "scheme": keys.SCHEME, "attempts": attempts})
    relist(sent)
    found = check.check(sent)
    commits._hash.cache_clear()
    assert found.origins == {origin: 1, Origin.OTHER_SCHEME: 1}
    assert len(found.problems) == problems
    assert all("its code is not that of commit c0ffee" in problem for problem in found.problems)


def test_the_command_line(sent: Path, dkd: Command) -> None:
    better(first(sent))
    relist(sent)
    status, out, err = dkd("submit", "--check", sent)
    assert status == 1
    assert ", 1 problem\n" in out
    assert "final is 95.0, the last evaluation says 90.0" in err


def test_a_second_submission_is_not_left_out_in_silence(tmp_path: Path, dkd: Command) -> None:
    """As a shell writes `--check submissions/*`."""
    two = tmp_path / "two"
    status, _, errors = dkd("submit", "--check", tmp_path / "one", two)
    assert (status, errors) == (
        2,
        f"error: --check takes one submission, all of it: {two} would not be looked at\n",
    )
