import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from harness.reporting.page import illustrations
from harness.reporting.report import render
from tests import factory

ROW = "toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-10"
KINDS = 7
"""Figures of one pair."""
VOID = {"meta", "img", "input"}
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


def block(source: str, row: str) -> dict[str, list[str]]:
    """What the page says of a row's runs: name of a line -> what stands in it, seed by seed."""
    own = source.partition(f'<tbody id="{row}"')[2].partition("</tbody>")[0]
    return {line[0]: line[1:] for line in Page(f"<table><tbody{own}</tbody></table>").lines}


def packed(source: str, name: str) -> Any:
    """What the page's script unpacks."""
    text = source.partition(f'<script id="{name}" type="application/octet-stream">')[2].partition("</script>")[0]
    return json.loads(gzip.decompress(base64.b64decode(text)))


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
    assert "<script src" not in source
    assert "<link" not in source
    assert source.count("copyright notice and this permission notice shall be") == 2  # of the libraries


def test_every_link_of_the_page_leads_somewhere(reports: Path) -> None:
    found = Page((reports / "index.html").read_text(encoding="utf-8"))
    inside = {unquote(link[1:]) for link in found.links if link.startswith("#")}
    outside = {unquote(link) for link in found.links if not link.startswith("#")}
    assert len(found.ids) == len(set(found.ids))
    assert inside <= set(found.ids)
    assert all((reports / link).exists() for link in outside)
    assert ROW in inside


def test_every_table_says_what_it_is_and_every_heading_what_it_heads(reports: Path) -> None:
    source = (reports / "index.html").read_text(encoding="utf-8")
    assert source.count("<table") == source.count("<caption>")
    headings = re.findall(r"<th( [^>]*)?>", source)
    assert headings
    assert all('scope="' in attributes for attributes in headings)


def test_what_the_page_copies_are_the_files(reports: Path) -> None:
    texts = packed((reports / "index.html").read_text(encoding="utf-8"), "texts")
    files = [path for path in (reports / "toy/tables").iterdir()]
    assert texts == {f"toy/{path.name}": path.read_text(encoding="utf-8") for path in files}


def test_a_run_lists_where_it_comes_from(reports: Path) -> None:
    result = factory.metrics("ssd-kd", 10.0, 1)
    source = (reports / "index.html").read_text(encoding="utf-8")
    said = block(source, ROW)
    assert said["last epoch, top-1 (%)"] == ["88.00", "88.50", "90.00"]
    assert said["best epoch"] == ["89.00", "89.50", "91.00"]
    assert said["start-up + synthesis + distillation"][1] == "3.0 + 6.0 + 2.5"  # seconds on cores, as in BASE's study
    assert f"seed-1/runs/{result.key}" in source
    # What is equal in all runs stands there once for each scale.
    for fact in ("c0ffee000000", factory.TEACHER_SHA[:12], "Test CPU"):
        assert fact in source
        assert not any(fact in value for values in said.values() for value in values)
    assert source.count("batch 64, epochs 3, steps 200") == 3


def test_a_row_names_its_preset_and_its_prior(tmp_path: Path) -> None:
    note = "CIFAR-10's; none published for <digits>"
    changes = {"preset": "original", "preset_note": note, "prior": "label text"}
    factory.write(tmp_path / "results", factory.metrics("a-original", **changes))
    source = rendered(tmp_path)
    assert "none published for &lt;digits&gt;" in source
    said = "preset original; CIFAR-10's; none published for <digits>; prior beyond the teacher: label text"
    assert said in next(name for name in block(source, ROW.replace("ssd-kd", "a-original")) if "preset" in name)


def test_an_ablation_stands_on_the_page(ablation: Path) -> None:
    assert (ablation / "toy/tables/ablation-ssd-kd.tex").is_file()
    source = (ablation / "index.html").read_text(encoding="utf-8")
    assert "Ablation of SSD-KD</h4>" in source
    assert 'colspan="4"></th><th scope="colgroup" colspan="2">WRN-10-1 → CNN-3-16</th>' in source


def test_text_of_records_is_escaped(tmp_path: Path) -> None:
    factory.write(tmp_path / "results", factory.metrics(status="failed", reason="<script>x</script>", final=None))
    source = rendered(tmp_path)
    assert "<script>x" not in source
    assert block(source, ROW)["state"] == ["failed: <script>x</script>"]


def test_figures_beyond_the_limit_come_from_their_files(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(illustrations, "EMBEDDED", 0)
    render(results, tmp_path)
    source = (tmp_path / "index.html").read_text(encoding="utf-8")
    found = Page(source)
    assert len(found.sources) == KINDS
    assert all((tmp_path / unquote(address)).is_file() for address in found.sources)
    assert source.count('loading="lazy"') == KINDS
