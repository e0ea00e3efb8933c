"""What commands print: aligned, one line an entry in a pipe, and what a terminal makes of them."""

from __future__ import annotations

import pytest

from harness.commands import output

ROWS = [("done", "toy/a", "90.00 %"), ("waiting", "toy/longer", "")]


def test_columns_stand_under_one_another() -> None:
    table = output.columns(ROWS, indent=2)
    assert list(output.lines(["two cells", table, "that is all"], terminal=False)) == [
        "two cells",
        "  done     toy/a       90.00 %",
        "  waiting  toy/longer",
        "that is all",
    ]


def test_nothing_is_no_line() -> None:
    assert list(output.lines([output.columns([]), "0 cells"], terminal=False)) == ["0 cells"]


def test_texts_are_printed_as_they_are() -> None:
    """Brackets and links mean something to the library that aligns them."""
    table = output.columns([("[red]", "[b]x[/b] :smile:", "a  b"), ("…", "ü × Δ", "3.14 True None")])
    assert list(output.lines([table, "[green]"], terminal=False)) == [
        "[red]  [b]x[/b] :smile:  a  b",
        "…      ü × Δ             3.14 True None",
        "[green]",
    ]


def test_a_long_entry_is_one_line_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    name, detail = "study/" + "x" * 400, "y" * 400
    assert list(output.lines([output.columns([("done", name, detail)])], terminal=False)) == [f"done  {name}  {detail}"]


def test_a_terminal_folds_the_last_column_and_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    name, detail = "x" * 20, "y" * 100
    folded = list(output.lines([output.columns([("done", name, detail)], indent=2)], terminal=True))
    assert folded[0].startswith(f"  done  {name}  y")
    assert len(folded) > 1
    assert all(len(line) <= 80 for line in folded)
    assert sum(line.count("y") for line in folded) == 100
    (whole,) = output.lines([output.columns([("done", "x" * 75, "detail")])], terminal=True)
    assert whole == f"done  {'x' * 75}  detail"  # no room left to fold in


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    styles = {"done": "green"}
    done, waiting = output.lines([output.columns(ROWS, style=styles)], terminal=True)
    assert done.startswith("\x1b[32mdone")
    assert "\x1b" not in waiting
    assert not any("\x1b" in line for line in output.lines([output.columns(ROWS, style=styles)], terminal=False))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not any("\x1b" in line for line in output.lines([output.columns(ROWS, style=styles)], terminal=True))
