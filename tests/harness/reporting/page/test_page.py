import base64
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from harness.reporting import render
from harness.reporting.page import illustrations
from tests import factory

KINDS = 7
"""Figures of one pair."""
VOID = {"meta", "img"}
"""Tags without an end."""


class Page(HTMLParser):
    """Anchors, links, sources and texts of a page; refuses tags that are not closed in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.lines: list[list[str]] = []
        """The lines of all tables, each the texts of its fields."""
        self.open: list[str] = []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, found in (("id", self.ids), ("href", self.links), ("src", self.sources)):
            found += [value for key, value in attrs if key == name and value]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.lines.append([])
        if tag in ("td", "th"):
            self.lines[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.lines[-1][-1] += data


def rendered(folder: Path) -> str:
    render(folder / "results", folder / "out")
    return (folder / "out/index.html").read_text(encoding="utf-8")


def runs(source: str) -> list[list[str]]:
    """The lines of the table of runs, its heading first."""
    lines = Page(source).lines
    return lines[next(i for i, line in enumerate(lines) if line[0] == "seed") :]


def test_the_page_needs_nothing_else(reports: Path) -> None:
    source = (reports / "index.html").read_text(encoding="utf-8")
    found = Page(source)
    assert source.startswith("<!doctype html>")
    assert len(found.sources) == KINDS
    assert all(address.startswith("data:image/") for address in found.sources)
    drawn = {path.read_bytes() for path in reports.glob("toy/figures/*")}
    assert all(base64.b64decode(address.partition("base64,")[2]) in drawn for address in found.sources)
    assert "--ink: #1c1e21" in source  # the style sheet is there
    assert "@import" not in source
    assert "url(" not in source
    assert "<script" not in source
    assert "<link" not in source


def test_every_link_of_the_page_leads_somewhere(reports: Path) -> None:
    found = Page((reports / "index.html").read_text(encoding="utf-8"))
    inside = {unquote(link[1:]) for link in found.links if link.startswith("#")}
    outside = {unquote(link) for link in found.links if not link.startswith("#")}
    assert len(found.ids) == len(set(found.ids))
    assert inside <= set(found.ids)
    assert all((reports / link).is_file() for link in outside)
    assert "toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-10" in inside


def test_a_run_lists_where_it_comes_from(reports: Path) -> None:
    result = factory.metrics("ssd-kd", 10.0, 1)
    lines = runs((reports / "index.html").read_text(encoding="utf-8"))
    line = next(line for line in lines if f"seed-1/runs/{result.key}" in line)
    assert line[:4] == ["1", "done", "88.50", "89.50"]
    for fact in (result.plan_key, "c0ffee000000", factory.TEACHER_SHA[:12], "Test CPU"):
        assert fact in line
    assert any('config{"batch": 64' in line[0] for line in lines)


def test_a_damaged_run_has_a_place_and_a_reason(tmp_path: Path) -> None:
    cell = factory.write(tmp_path / "results", factory.metrics())
    (cell / "metrics.json").write_text("{", encoding="utf-8")
    head, row, run = runs(rendered(tmp_path))
    assert row == ["toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-10"]
    assert len(run) == len(head)
    assert (run[0], run[2:], run[1][:17]) == (
        "0",
        ["–"] * 12 + ["", "unknown", "", "", "", "seed-0"],
        "damaged: Invalid ",
    )


def test_only_what_seeds_do_not_share_is_listed_seed_by_seed(tmp_path: Path) -> None:
    for seed in range(2):
        factory.write(tmp_path / "results", factory.metrics(seed=seed), config={"batch": 64, "own": seed})
    head, row, *lines = runs(rendered(tmp_path))
    assert row == ['toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-10config{"batch": 64}']
    assert [line[0] for line in lines] == ['0 {"own": 0}', '1 {"own": 1}']
    assert [len(line) for line in lines] == [len(head)] * 2


def test_a_row_names_its_preset_and_its_prior(tmp_path: Path) -> None:
    note = "CIFAR-10's; none published for <digits>"
    changes = {"preset": "original", "preset_note": note, "prior": "label text"}
    factory.write(tmp_path / "results", factory.metrics("a-original", **changes))
    source = rendered(tmp_path)
    assert "none published for &lt;digits&gt;" in source
    said = "preset original; CIFAR-10's; none published for <digits>; prior beyond the teacher: label text"
    assert said in runs(source)[1][0]


def test_an_ablation_stands_on_the_page(ablation: Path) -> None:
    assert (ablation / "toy/tables/ablation-ssd-kd.tex").is_file()
    source = (ablation / "index.html").read_text(encoding="utf-8")
    assert "<h3>Ablation of SSD-KD</h3>" in source
    assert '<th colspan="4"></th><th colspan="2">WRN-10-1 → CNN-3-16</th>' in source


def test_text_of_records_is_escaped(tmp_path: Path) -> None:
    factory.write(tmp_path / "results", factory.metrics(status="failed", reason="<script>x</script>", final=None))
    source = rendered(tmp_path)
    assert "<script" not in source
    assert runs(source)[2][1] == "failed: <script>x</script>"


def test_figures_beyond_the_limit_are_linked(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(illustrations, "EMBEDDED", 0)
    render(results, tmp_path)
    found = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert found.sources == []
    assert sum(link.endswith(".svg") for link in found.links) == KINDS
