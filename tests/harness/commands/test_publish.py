from __future__ import annotations

import hashlib
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from harness.commands import publish
from harness.commands.submission import check
from harness.errors import UserError
from harness.store import atomic
from tests import factory
from tests.harness.commands.submission.conftest import add, results
from tests.harness.conftest import Command

__all__ = ["results"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of two cells; no test changes it."""
    folder = tmp_path_factory.mktemp("published")
    for seed in (0, 1):
        add(folder / "results", seed=seed)
    publish.publish(folder / "results", folder / "site")
    return folder / "site"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports that take no time."""
    monkeypatch.setattr(publish, "render", lambda results, out, mixed: (out / "index.html").touch())


def test_page_tables_figures_and_records(site: Path) -> None:
    assert (site / "index.html").is_file()
    assert (site / ".nojekyll").read_bytes() == b""
    assert (site / "toy/records.jsonl").read_text(encoding="utf-8").count('"final":') == 2
    for pattern in ("toy/tables/*.csv", "toy/tables/*.md", "toy/tables/*.tex", "toy/figures/*.svg"):
        assert list(site.glob(pattern)), pattern
    assert check.check(site / "records").problems == []


def test_nothing_of_the_machine_and_no_weights(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix == ".safetensors" or path.name == "attempts.log"]
    assert not [path for path in files if b"node1" in path.read_bytes()]
    assert not [path for path in files if str(site.parent).encode() in path.read_bytes()]


def test_every_link_of_the_page_leads_somewhere(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    for link in re.findall(r'\b(?:href|src)="([^"]+)"', page):
        place, _, anchor = unescape(link).partition("#")
        if place and not re.match("data:|https?:|mailto:", place):
            assert (site / unquote(place)).is_file(), link  # a web server lists no folder
        elif not place:
            assert unquote(anchor) in {unescape(name) for name in ids}, link


@pytest.mark.usefixtures("quick")
def test_a_second_call_replaces_its_own_files_alone(results: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish.publish(results, site)
    (site / "CNAME").write_text("bench.example.org", encoding="utf-8")
    add(tmp_path / "other", seed=5)
    publish.publish(tmp_path / "other", site)
    assert (site / "CNAME").is_file()
    assert check.check(site / "records").cells == 1
    assert len(list(site.rglob("seed-*"))) == 1


@pytest.mark.usefixtures("quick")
def test_a_file_of_somebody_else_is_not_overwritten(results: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/index.html").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"index\.html: not of an earlier `dkd publish`"):
        publish.publish(results, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["index.html"]


@pytest.mark.parametrize("up", [0, 1])
def test_a_site_is_not_mixed_with_what_it_is_made_of(results: Path, up: int) -> None:
    out = [results, results.parent][up]
    before = sorted(out.rglob("*"))
    with pytest.raises(UserError, match="holds the results folder"):
        publish.publish(results, out)
    assert sorted(out.rglob("*")) == before


def test_records_that_do_not_agree_are_not_published(results: Path, tmp_path: Path) -> None:
    other = factory.teacher().model_copy(update={"value": 98.0})
    factory.atomic.write(results / "teachers/digits/wrn10_1/teacher.json", other)
    with pytest.raises(UserError, match=r"teacher_metric is 99\.0, its teacher's record says 98\.0"):
        publish.publish(results, tmp_path / "site")
    assert not (tmp_path / "site").exists()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("copies", [0, 3, 7])
def test_a_call_that_was_killed_can_be_given_again(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copies: int
) -> None:
    site, left, copy = tmp_path / "site", copies, atomic.copy

    def killed(source: Path, target: Path) -> None:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        copy(source, target)

    publish.publish(results, site)
    add(results, seed=2)
    monkeypatch.setattr(atomic, "copy", killed)
    with pytest.raises(KeyboardInterrupt):
        publish.publish(results, site)
    monkeypatch.setattr(atomic, "copy", copy)
    publish.publish(results, site)
    assert check.check(site / "records").cells == 3


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("place", ["{}/mine", "../mine", "records/../../mine"])
def test_a_list_of_somebody_else_reaches_nothing_outside(results: Path, tmp_path: Path, place: str) -> None:
    publish.publish(results, tmp_path / "site")
    (tmp_path / "mine").write_bytes(b"mine")
    with (tmp_path / "site/SHA256SUMS").open("a", encoding="utf-8") as sums:
        sums.write(f"{hashlib.sha256(b'mine').hexdigest()}  {place.format(tmp_path)}\n")
    with pytest.raises(UserError, match="SHA256SUMS: not a list of sha256"):
        publish.publish(results, tmp_path / "site")
    assert (tmp_path / "mine").is_file()


@pytest.mark.usefixtures("quick")
def test_names_with_several_points(tmp_path: Path) -> None:
    add(tmp_path / "results", label="a..b", method="ssd-kd")
    for _ in range(2):
        publish.publish(tmp_path / "results", tmp_path / "site")
    assert check.check(tmp_path / "site/records").cells == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("mine", ["records", "records/toy", ".nojekyll/mine", "index.html/mine"])
def test_what_stands_in_the_way_stays(results: Path, tmp_path: Path, mine: str) -> None:
    path = tmp_path / "site" / mine
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    with pytest.raises(UserError, match="not of an earlier `dkd publish`"):
        publish.publish(results, tmp_path / "site")
    assert [file for file in (tmp_path / "site").rglob("*") if file.is_file()] == [path]


@pytest.mark.usefixtures("quick")
def test_the_command_line(results: Path, tmp_path: Path, dkd: Command) -> None:
    status, out, _ = dkd("publish", "seed-1", "--results", results, "--out", tmp_path / "site")
    assert status == 0
    assert f"files in {tmp_path}/site" in out
    assert check.check(tmp_path / "site/records").cells == 1
