"""Texts from elsewhere, as they may be shown and kept."""

from __future__ import annotations

import pytest

from harness.errors import LINE, SCREEN, clean, describe, like, nearest, one_line

DIRTY = [
    ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
    ("a\x00b\x7f\x9b", r"a\x00b\x7f\x9b"),
    ("\ud800", r"\ud800"),
    ("right \u202eto left", r"right \u202eto left"),
    ("\N{ZERO WIDTH SPACE}", r"\u200b"),
    ("carriage\rreturn", r"carriage\rreturn"),
    ("µ → teacher, 教師", "µ → teacher, 教師"),
    ("a\tb", "a    b"),
]


@pytest.mark.parametrize(("text", "expected"), DIRTY)
def test_what_is_not_printable_is_escaped(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_line_breaks_stay_in_messages_and_go_in_reasons() -> None:
    assert clean("one\n  two") == "one\n  two"
    assert one_line("one\n  two\r\nthree") == "one two three"


@pytest.mark.parametrize("letter", ["x", "\n", "\x1b", "\ud800", "é"])
@pytest.mark.parametrize("shorten", [clean, one_line])
def test_fifty_megabytes_become_a_screen_or_a_line(letter: str, shorten: object) -> None:
    assert callable(shorten)
    found = shorten("begin " + letter * 50_000_000 + " end")
    limit = SCREEN if shorten is clean else LINE
    assert len(found) <= limit + 40
    assert found.startswith("begin")
    assert found.endswith("end")
    assert "letters left out" in found


class Mute(Exception):
    """An exception that cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Odd(Exception):
    """An exception whose text is none."""

    def __str__(self) -> str:
        return None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("no idea"), "ValueError: no idea"),
        (ValueError("two\nlines"), "ValueError: two lines"),
        (KeyError(), "KeyError"),
        (SystemExit(0), "SystemExit: 0"),
        (Mute(), "Mute: it cannot say why"),
        (Odd(), "Odd: it cannot say why"),
    ],
)
def test_an_exception_is_told_on_one_line(error: BaseException, expected: str) -> None:
    assert describe(error) == expected


@pytest.mark.parametrize(
    ("value", "names", "likest"),
    [
        ("resnet21", ["resnet18", "resnet20", "resnet32"], "resnet20"),  # resnet32 has as many of its letters
        ("akamaster-resnet2", ["akamaster-resnet32", "akamaster-resnet20"], "akamaster-resnet20"),
        ("b1", ["b3", "b2"], "b3"),  # whatever comes first
        ("sdd-kd", ["ssd-kd-no-phi", "ssd-kd"], "ssd-kd"),
    ],
)
def test_of_names_that_are_equally_like_the_one_that_begins_alike_is_meant(
    value: str, names: list[str], likest: str
) -> None:
    assert like(value, names, cutoff=0.5)[0] == likest
    assert nearest(value, names) == f"\n  did you mean: {likest}"


@pytest.mark.parametrize(("value", "meant"), [("SSD-KD", "ssd-kd"), ("Cifar10", "cifar10"), ("dafl", "DAFL")])
def test_capitals_do_not_matter(value: str, meant: str) -> None:
    assert nearest(value, ["kd", meant, "cmi"]) == f"\n  did you mean: {meant}"


def test_nothing_is_like_what_has_nothing_in_common() -> None:
    assert like("digits", ["name", "folder"]) == like("digits", []) == []
    assert nearest("digits", ["name"]) == ""
