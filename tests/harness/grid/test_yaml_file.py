"""Reading YAML: what a scalar means, what is refused, and that every error says file and line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigError
from harness.grid import yaml_file


def read(folder: Path, content: str | bytes) -> dict[str, Any]:
    file = folder / "mine.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return yaml_file.read(file)[0]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *[("1e-3", 0.001), ("1E5", 100_000.0), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("-.5e+3", -500.0)],
        *[("0", 0), ("-7", -7), ("+5", 5), ("0o17", 15), ("0x1F", 31), ("00.5", 0.5), ("9007199254740993", 2**53 + 1)],
        *[("null", None), ("~", None), ("", None), ("true", True), ("False", False), ("TRUE", True)],
        *[
            (word, word)
            for word in ("yes", "no", "on", "off", "y", "012", "1_000", "1:30", "2026-01-01", "0b1", "1e", ".")
        ],
        *[("'1'", "1"), ('"null"', "null"), ("'true'", "true"), ('""', ""), ("'.inf'", ".inf")],
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(tmp_path: Path, text: str, meant: object) -> None:
    found = read(tmp_path, f"x: {text}\n")["x"]
    assert (found, type(found)) == (meant, type(meant))
    assert yaml_file.value(text, "--set x") == meant


@pytest.mark.parametrize("name", ["on", "1", "1.0", "null", "~", "true", "012", "2026-01-01", "1:30", "1e3"])
def test_a_key_is_a_text_as_it_is_written(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, f"{name}: 1\n") == {name: 1}


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("a: 1\nb: .inf", 2, "b: '.inf': a finite number"),
        ("a:\n  - 1\n  - .NaN", 3, "a.1: '.NaN': a finite number"),
        ("a: 1e400", 1, "a: '1e400': a number of this size"),
        ("a: 1e-400", 1, "a: '1e-400': a number of this size"),
        ("a:\n  b: " + "9" * 40, 2, "a.b: '9"),
        ("a: " + "9" * 5000, 1, "a: '9"),
        ("a: 9223372036854775808", 1, "more digits than any key takes"),
        ("a: 1\n? [1]\n: 2", 2, "a list or mapping cannot be a key"),
        ("a:\n  ? {b: 1}\n  : 2", 2, "a list or mapping cannot be a key"),
        ("a: 1\nb: 2\na: 3", 3, "a: the key 'a' stands twice"),
        ("a:\n  b: {c: 1, 'c': 2}", 2, "a.b.c: the key 'c' stands twice"),
        ("a:\n\tb: 1", 2, "indent with spaces"),
        ("a: 1\n---\nb: 1", 2, "another document"),
        ("a: 1\nb: [1", 2, "not valid YAML"),
        ("a: 1\nb: !!python/object:os.system ls", 2, "is a tag"),
        ("a: !!str 1", 1, "is a tag"),
        ("a: 1\nb: &b [*b]", 2, "stands inside of what it stands for"),
        ("a: &a {b: {c: *a}}", 1, "stands inside of what it stands for"),
        ("a: &a {<<: *a}", 1, "stands inside of what it stands for"),
        ("a: 1\nb: *c", 2, "undefined alias"),
        ("a: 1\n<<: [1]", 2, "<< takes keys with values"),
        ("a: " + "[" * 21 + "]" * 21, 1, "more than 20 lists"),
        ("a: " + "[" * 50_000, 1, "more than 20 lists"),
        ("\n".join(" " * depth + "a:" for depth in range(300)), 20, "more than 20 lists"),
        ('a: "\\0"', 1, r"a: '\x00': a text is"),
        ("a: 1\nb: 'x\u202ey'", 2, r"b: 'x\u202ey': a text is"),
        ('a: "\\ud800"', 1, r"a: '\ud800': a text is"),
        ('a: "\\UFFFFFFFF"', 1, "not valid YAML"),
        ("a: 1\n'\u202e': 2", 2, "a key is 1 to 100 printable letters"),
        ("a: 1\n" + "k" * 101 + ": 2", 2, "a key is 1 to 100 printable letters"),
        ("'': 1", 1, "a key is 1 to 100 printable letters"),
        ("a: " + "long " * 1000, 1, "a text is at most 1000"),
        ("a: 1\nb: \x07", 2, "not valid YAML: the character 0x7 is not allowed"),
        (b"a: 1\nb: \xff", 2, "byte 0xff is not UTF-8"),
        ("study: ä".encode("latin-1"), 1, "byte 0xe4 is not UTF-8"),
        ("a: 1".encode("utf-16"), 1, "byte 0xff is not UTF-8"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_refused_is_told_with_its_line(tmp_path: Path, content: str | bytes, line: int, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, content)
    message = str(error.value)
    assert message.startswith(f"mine.yaml:{line}: ")
    assert problem in message
    assert len(message) < 300
    assert message.isprintable()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        *[(text, "it holds nothing") for text in ("", "# only a comment\n", "{}", "~")],
        *[("just text", "it holds 'just text'"), ("[1, 2]", r"it holds \[1, 2\]"), ("5", "it holds 5")],
        ("a: 1\n#" + "x" * 10**7, "larger than 256 KiB, comments included"),
    ],
    ids=lambda value: value[:20],
)
def test_files_without_keys_or_without_end(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=f"mine.yaml: {problem}"):
        read(tmp_path, content)


def test_aliases_count_as_what_they_stand_for(tmp_path: Path) -> None:
    """Nine levels of nine aliases each would be 387 million values, and cost nothing here."""
    levels = [
        f"{name}: &{name} [{', '.join([f'*{inner}'] * 9)}]" for inner, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    with pytest.raises(ConfigError, match="more than 20,000 keys and values"):
        read(tmp_path, "\n".join(["a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]", *levels]))
    chain = [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)]
    with pytest.raises(ConfigError, match="more than 20 lists"):
        read(tmp_path, "\n".join(["a0: &a0 [1]", *chain]))


def test_mappings_can_be_merged(tmp_path: Path) -> None:
    content = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: *a, y: 3}\nd: {<<: [*a, *b]}\ne: {y: 3, <<: *a}\n"
    found = read(tmp_path, content)
    assert found["c"] == found["e"] == {"x": 1, "y": 3}
    assert found["d"] == {"x": 1, "y": 1, "z": 2}


def test_every_value_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("# comment\na: 1\nb:\n  c: [1,\n      2]\n  d:\n    - {e: 1}\n\n    - {e: 2}\n", encoding="utf-8")
    at = yaml_file.read(file)[1].at
    assert at("a") == "mine.yaml:2: a"
    assert at("b", "c", 1) == "mine.yaml:5: b.c.1"
    assert at("b", "d", 1, "e") == "mine.yaml:9: b.d.1.e"
    assert at("b", "d", 0, "none") == "mine.yaml:7: b.d.0.none"
    assert at("none") == "mine.yaml: none"
    assert at() == "mine.yaml"


def test_a_mark_of_the_byte_order_is_no_key(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeffa: 1") == {"a": 1}


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: None, "no such file"),
        (Path.mkdir, "a folder: name a YAML file"),
        (os.mkfifo, "no regular file"),
        (lambda path: path.symlink_to(path), "cannot be read"),
    ],
    ids=["missing", "folder", "fifo", "loop"],
)
def test_only_regular_files_are_read(tmp_path: Path, make: Any, problem: str) -> None:
    make(tmp_path / "mine.yaml")
    with pytest.raises(ConfigError, match=f"mine.yaml'?: {problem}"):
        yaml_file.read(tmp_path / "mine.yaml")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "a\ud800b"])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read|no such file"):
        yaml_file.read(tmp_path / name)
