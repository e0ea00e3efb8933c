"""What a pattern means, whoever asks."""

from __future__ import annotations

import pytest

from harness.errors import UserError
from harness.grid.pattern import matching, nothing, of_key

NAMES = [
    f"{study}/digits/wrn10_1--cnn3_16/{label}/scale-{scale}/seed-{seed}"
    for study in ("mine", "digits")
    for label in ("ssd-kd", "ssd-kd-no-phi", "kd-real", "abcdef")
    for scale in ("1", "10", "100")
    for seed in (1, 10)
]
KEYS = {name: (f"{number:04x}cafe00000000", f"beef{number:04x}00000000") for number, name in enumerate(NAMES)}


def meant(pattern: str) -> list[str]:
    return matching(pattern, [(name, name) for name in NAMES], KEYS.__getitem__)


def holding(*words: str) -> list[str]:
    return [name for name in NAMES if all(f"/{word}/" in f"/{name}/" for word in words)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (NAMES[5], [NAMES[5]]),
        (f"/{NAMES[5]}/", [NAMES[5]]),
        ("ssd-kd", holding("ssd-kd")),  # whole words: not ssd-kd-no-phi
        ("scale-1", holding("scale-1")),  # nor scale-10
        ("ssd-kd/scale-10", holding("ssd-kd/scale-10")),
        ("scale-10/seed-1", holding("scale-10/seed-1")),
        ("digits", NAMES),  # a study and a dataset
        ("mine/digits", [name for name in NAMES if name.startswith("mine/")]),
        ("digits/*", [name for name in NAMES if name.startswith("digits/")]),  # patterns are for whole names
        ("*/seed-1", [name for name in NAMES if name.endswith("/seed-1")]),
        ("*/ssd-kd*/scale-1/*", holding("ssd-kd", "scale-1")[:2] + holding("ssd-kd-no-phi", "scale-1")[:2]
         + holding("ssd-kd", "scale-1")[2:] + holding("ssd-kd-no-phi", "scale-1")[2:]),
        ("*/scale-1/seed-?", holding("scale-1", "seed-1")),
        ("*/seed-[0-4]", [name for name in NAMES if name.endswith("/seed-1")]),
        ("abcdef", holding("abcdef")),  # a name comes before a key
        (KEYS[NAMES[3]][0], [NAMES[3]]),
        (KEYS[NAMES[3]][1], [NAMES[3]]),
        ("0003ca", [NAMES[3]]),
        ("beef0003", [NAMES[3]]),
        ("0003c", []),  # five digits
        ("0003ca*", []),
        ("ffffff", []),
        ("ssd", []),
        ("", []),
        ("/", []),
        ("ssd-kd/seed-1", []),
    ],
)  # fmt: skip
def test_matching(pattern: str, expected: list[str]) -> None:
    assert meant(pattern) == expected


def test_keys_are_asked_for_only_where_no_name_fits() -> None:
    def never(_: str) -> tuple[str, ...]:
        raise AssertionError("asked for a key")

    named = [(name, name) for name in NAMES]
    assert matching("abcdef", named, never) == holding("abcdef")
    assert matching("kd-fake", named, never) == []


@pytest.mark.parametrize("begin", ["beef000", "beef00"])
def test_the_beginning_of_several_keys_is_refused(begin: str) -> None:
    with pytest.raises(UserError, match=rf"{begin} begins \d+ keys: beef0{{12}}, beef0001[\s\S]*more digits"):
        meant(begin)


def test_a_key_of_several_things_is_no_ambiguity() -> None:
    """Runs of one plan with different teachers."""
    assert of_key("abcdef", [1, 2, 3], lambda n: ["abcdef01", f"9{n}"] if n < 3 else []) == [1, 2]


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("sdd-kd", "did you mean: ssd-kd"),
        ("ssd", "did you mean: ssd-kd, ssd-kd-no-phi"),
        ("SSD-KD", "did you mean: ssd-kd, ssd-kd-no-phi"),
        ("sdd-kd/scale-10", "did you mean: ssd-kd/scale-10"),
        ("mine/digit/wrn10_1--cnn3_16/kd-real", "did you mean: mine/digits/wrn10_1--cnn3_16/kd-real"),
        ("ssd-*/scale-10", "a shell pattern is for the whole name: did you mean '*/ssd-*/scale-10/*'"),
        ("kd-r*", "did you mean '*/kd-r*'"),
        ("mine/dig*/seed-10/", "a name looks like this: mine/"),
        ("0003c", "of a key, give 6 digits or more"),
        ("qqqq", f"a name looks like this: {NAMES[0]}"),
    ],
)
def test_nothing_found_says_where_and_what_may_have_been_meant(pattern: str, advice: str) -> None:
    text = str(nothing(pattern, NAMES, "mine.yaml (72 cells)"))
    assert text.startswith(f"no cell matches '{pattern}' in mine.yaml (72 cells)\n")
    assert advice in text
    assert len(text.splitlines()) <= 4


def test_what_is_suggested_means_something() -> None:
    for pattern in ("sdd-kd", "sdd-kd/scale-1", "scale-1/sed-1"):
        (advice,) = [line for line in str(nothing(pattern, NAMES, "x")).splitlines() if "did you mean: " in line]
        assert all(map(meant, advice.partition(": ")[2].split(", ")))


def test_nothing_to_look_in() -> None:
    assert str(nothing("ssd-kd", [], "results (0 cells)")) == "no cell matches 'ssd-kd' in results (0 cells)"
