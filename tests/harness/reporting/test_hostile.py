"""Names and texts from elsewhere: whatever they hold, there is a report, and nothing in it means more than text."""

from __future__ import annotations

import csv
import io
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from harness.reporting import text
from harness.reporting.report import render
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.tables.csv import to_csv
from harness.reporting.tables.latex import to_latex
from harness.reporting.tables.markdown import to_markdown
from harness.reporting.tables.table import Block, Column, Entry, Line, Table
from harness.store import atomic
from tests import factory

LABELS = (
    *(r"$\frac$", r"$\frac{1}{0", "$x$ and $y$", r"a_b^c\d", "_begins", "{x}", "100%", "#1", "a&amp;b", "<b>x", "a|b"),
    *("`code`", "[x](y)", "*a*", "=1+1", "+1", "-1+2", "@x", "two\nlines", "\x1b[31mred", "a\u202eb", "tab\tname"),
    *("\U0001f600", "\u65e5\u672c\u8a9e", "\u05d0\u05d1", "e\u0301", "x" * 200, "x" * 199 + "y", "a--b", " ", "\u00ad"),
)
ANY = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=60)
ALWAYS = settings(derandomize=True, deadline=None, max_examples=150, database=None)


def is_safe(printed: str) -> bool:
    return all(letter.isprintable() for letter in printed)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a study with all of these labels, on two scales: as records, or as folders where no record may."""
    folder = tmp_path_factory.mktemp("hostile")
    for label in LABELS:
        for scale in (10.0, 100.0):
            try:
                result = factory.metrics(label, scale, method="m", prior="none", preset_note=f"note of {label}")
            except ValidationError:
                place = factory.metrics("refused", scale).cell.replace("refused", label)
                atomic.write_bytes(folder / "results" / place / "metrics.json", b"{}")
            else:
                factory.write(folder / "results", result)
    factory.write(folder / "results", factory.metrics("kd-real", 10.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(folder / "results", folder / "out")
    return folder / "out"


def test_there_is_every_figure(hostile: Path) -> None:
    kinds = {path.name.partition("-")[0] for path in hostile.glob("toy/figures/*.svg")}
    assert kinds == {"scale", "real", "efficiency", "operations", "synthetic", "learning", "samples"}
    for path in hostile.glob("toy/figures/*.png"):
        with Image.open(path) as picture:
            assert picture.width < 3000


def test_the_csv_holds_every_label_and_no_formula(hostile: Path) -> None:
    with (hostile / "toy/tables/accuracy-time.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * len(LABELS) + 1
    found = {line["label"] for line in lines}
    assert {"'=1+1", "'+1", "'-1+2", "'@x", r"$\frac$", "x" * 200} <= found
    for line in lines:
        for value in line.values():
            assert value[:1] not in ("=", "+", "@", "\t", "\r")
            assert is_safe(value)


def test_long_names_are_shortened_with_the_full_one_beside(hostile: Path) -> None:
    table = (hostile / "toy/tables/accuracy-time.md").read_text(encoding="utf-8")
    for name in ("x" * 200, "x" * 199 + "y"):
        assert f"full name: {name}\n" in table
    assert max(len(line.split(" | ")[0]) for line in table.splitlines() if line.startswith("| ")) < 60


class Texts(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]


def test_the_page_takes_no_label_for_markup(hostile: Path) -> None:
    from urllib.parse import unquote

    source = (hostile / "index.html").read_text(encoding="utf-8")
    found = Texts(source)
    assert "b" not in found.tags
    assert "&lt;b&gt;x" in source
    assert all(line.isprintable() for line in source.split("\n"))
    assert {unquote(link[1:]) for link in found.links if link.startswith("#")} <= set(found.ids)


def one(label: str) -> Table:
    block = Block(label, (Column(Entry(label), (Entry(label),)),), (Line(Entry(label, ("a",)), (Entry(label),)),))
    return Table("t", label, (block,), {"a": label}, (label,), "")


@ALWAYS
@given(ANY)
def test_markdown_keeps_its_columns(label: str) -> None:
    lines = [line for line in to_markdown(one(label)).split("\n") if line.startswith("|")]
    assert len(lines) == 3
    bars = [len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines]
    assert set(bars) == {3}
    assert is_safe(to_markdown(one(label)).replace("\n", ""))


@ALWAYS
@given(ANY)
def test_latex_has_no_sign_of_its_own(label: str) -> None:
    source = to_latex(one(label), "toy")
    assert is_safe(source.replace("\n", ""))
    own = re.sub(r"^% needs .*|(?<=[{}])%$", "", source, flags=re.MULTILINE)
    bare = re.sub(r"\\[a-z]+(?:\{\}| )?|\\[&%$#_{}]|\$\\?[a-z-]+\$|\\\\", "", own, flags=re.IGNORECASE)
    number = re.match(r"[+\u2212]?[\d,]", text.line(label))  # it takes two columns
    assert bare.count("&") == (4 if number else 3)  # a label more or less would move its columns
    assert not re.search(r"[%#_^]", bare)
    assert bare.count("~") == 1  # after the letter of the footnote
    assert bare.count("{") == bare.count("}")
    for line in source.split("\n"):
        assert not line.startswith(("[", "*"))


@ALWAYS
@given(ANY)
def test_names_are_short_printed_and_told_apart(label: str) -> None:
    titles = text.titles({name: name for name in (label, f"{label} (2)", f"{label}\x07", "plain")})
    assert len(set(titles.values())) == len(titles)
    assert all(is_safe(title) and 0 < len(title) <= text.NAME + len(" (9)") for title in titles.values())
    assert len(f".{text.stem('accuracy', label, label)}.svg.1234567.tmp".encode()) < 200


@ALWAYS
@given(st.text(max_size=20), st.sampled_from(["", "=", "+", "-", "@", "\t", "\r"]))
def test_a_cell_of_the_csv_is_text_or_a_number(value: str, first: str) -> None:
    from harness.reporting.tables.csv import _safe

    safe = _safe(first + value)
    assert is_safe(safe)
    if safe[:1] in ("=", "+", "@", "-"):
        float(safe)


@pytest.mark.parametrize("number", ["-5.5", "0", "1e-05", "-1.2e+30", "97.25"])
def test_numbers_stay_numbers(number: str) -> None:
    from harness.reporting.tables.csv import _safe

    assert _safe(number) == number


def test_the_name_of_a_device_is_no_formula(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics("a", device_name="=cmd|' /C calc'!A0"))
    rows = group(load(tmp_path))
    line = next(csv.DictReader(io.StringIO(to_csv(rows, (), {}))))
    assert line["device_name"] == "'=cmd|' /C calc'!A0"
    written = render(tmp_path, tmp_path.parent / f"{tmp_path.name}-out")
    assert written[-1].name == "index.html"


@pytest.mark.parametrize("damage", ["large", "text", "folder", "cut", "jpeg", "flipped"])
def test_a_sheet_that_cannot_be_shown_is_left_out(tmp_path: Path, damage: str) -> None:
    blank = factory.metrics("cmi", samples_sha256=None)
    (factory.write(tmp_path / "results", blank) / "runs" / blank.key / "samples.png").unlink()
    factory.seal(tmp_path / "results" / blank.cell / "runs" / blank.key, blank)
    result = factory.metrics()
    run = factory.write(tmp_path / "results", result) / "runs" / result.key
    sheet = run / "samples.png"
    if damage == "large":
        Image.new("1", (30_000, 30_000)).save(sheet)
    elif damage == "text":
        sheet.write_text("version https://git-lfs.github.com/spec/v1", encoding="utf-8")
    elif damage == "folder":
        sheet.unlink()
        sheet.mkdir()
    elif damage == "cut":
        sheet.write_bytes(sheet.read_bytes()[:60])
    elif damage == "jpeg":
        Image.new("RGB", (8, 8)).save(sheet, format="JPEG")
    else:
        sheet.write_bytes(sheet.read_bytes()[:40] + bytes(200))
    if sheet.is_file():
        factory.seal(run, result)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = render(tmp_path / "results", tmp_path / "out")
    names = {path.name.partition("-")[0] for path in written if path.suffix == ".svg"}
    assert "samples" not in names
    assert "efficiency" in names
