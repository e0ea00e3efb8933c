"""Every command that a page, a configuration or a message names is there, with these options and these files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from harness import ROOT, cli

PAGES = [ROOT / "README.md", ROOT / "Makefile", *sorted((ROOT / "docs").glob("*.md"))]
GRIDS = sorted((ROOT / "workflow/config").glob("*.yaml"))
CODE = sorted(path for folder in ("harness", "methods", "workflow") for path in (ROOT / folder).rglob("*.py"))
LINE = re.compile(r"^(?:#  |    |\t)\s*(?:\.venv/bin/)?(dkd [a-z].*)$", re.MULTILINE)
"""A command on a line of its own: in an indented block of a page, or in the header of a configuration."""
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`(dkd [a-z][^`\n]*)`")
FILE = re.compile(r"(?:workflow/config|results/reference|docs)/[\w./-]*\w")
COMMANDS: Any = typer.main.get_command(cli.app)


def lines(text: str) -> Iterator[str]:
    """Commands that stand for themselves: those of one line may be several."""
    indented = FENCED.sub(lambda block: re.sub("^", "    ", block[1], flags=re.MULTILINE), text)
    for line in LINE.findall(indented):
        yield from (part.strip() for part in re.split(r";|&&|\s#\s", line) if part.strip().startswith("dkd "))


def named(words: Sequence[str]) -> tuple[Any, Sequence[str]]:
    """The command that words name, a part of another perhaps, and its arguments."""
    command, rest = COMMANDS, words
    while rest and rest[0] in getattr(command, "commands", {}):
        command, rest = command.commands[rest[0]], rest[1:]
    assert command is not COMMANDS, f"no command {' '.join(words)}"
    return command, rest


def parse(line: str) -> None:
    """As the shell's `dkd` would, without doing anything."""
    command, arguments = named(shlex.split(line)[1:])
    command.make_context(command.name, list(arguments))


@pytest.mark.parametrize("path", [*PAGES, *GRIDS], ids=lambda path: path.name)
def test_a_command_on_its_own_line_parses(path: Path) -> None:
    for command in lines(path.read_text(encoding="utf-8")):
        parse(command)


@pytest.mark.parametrize("path", [*PAGES, *GRIDS, *CODE], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_command_in_a_sentence_is_there_with_its_options(path: Path) -> None:
    for command in QUOTED.findall(path.read_text(encoding="utf-8")):
        found, rest = named(command.split()[1:])
        there = {option for parameter in found.params for option in parameter.opts} | {"--help"}
        assert {word for word in rest if word.startswith("--")} <= there, command


@pytest.mark.parametrize("path", [*PAGES, *GRIDS], ids=lambda path: path.name)
def test_files_that_commands_name_are_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for command in [*lines(text), *re.findall(r"(?:dkd|snakemake|python3?) [^`\n]*", text)]:
        for file in FILE.findall(command):
            assert (ROOT / file).exists(), f"{path.name}: {command}"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("dkd runs x", "no command runs"),
        ("dkd run x --nope", "No such option"),
        ("dkd run", "Missing parameter: pattern"),
        ("dkd teachers get x --nope", "No such option"),
        ("dkd run x --concurrent many", "valid integer"),
    ],
)
def test_what_is_wrong_is_seen(command: str, why: str) -> None:
    with pytest.raises(Exception, match=why):
        parse(command)
