"""`dkd show`: finds what a name means, of all kinds, and has it described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.commands.output import Line, columns
from harness.commands.show import grid, names, teacher
from harness.errors import UserError, like, suggest
from harness.explain import brief
from harness.grid.pairs import network_at
from harness.grid.paths import configs

KINDS = {
    "methods": "method",
    "presets": "preset",
    "datasets": "dataset",
    "networks": "network",
    "teachers": "teacher",
    "grids": "grid",
}
"""What a list is called -> what one of it is called."""
SHARED = ("datasets", "networks")
"""Kinds of which one file, and what it says, may stand for several."""
FIRST = ("methods", "datasets", "networks", "teachers", "presets", "grids")
"""Kinds in the order in which a name that several have is understood."""
NEAR = 6
"""Suggestions at most."""


def lines(wanted: list[str], results: Path, configfile: Path | None = None) -> Iterator[Line]:
    """What there is; all of one kind; or all about one.

    Args:
        wanted: nothing, a kind, a name, or kind and name.
        results: where teachers are.
        configfile: the study in which a label or method is resolved.

    Raises UserError for what there is not, with what may have been meant.
    """
    kind, name = _parsed(wanted)
    if configfile and kind:
        raise UserError(f"--configfile shows a study, or a label or method in it: give it without {wanted[0]}")
    if configfile:
        yield from _in_study(name, configfile)
    elif name is None:
        yield from _listed(names.everything(results), kind)
    else:
        yield from _one(name, kind, results)


def _parsed(wanted: list[str]) -> tuple[str | None, str | None]:
    """Kind and name, either of which may be left out."""
    by_word = {word: kind for kind, one in KINDS.items() for word in (kind, one)}
    kind = by_word.get(wanted[0]) if wanted else None
    rest = wanted[1:] if kind else wanted
    if len(rest) > 1:
        raise UserError(f"dkd show takes a name, a kind, or a kind and a name{suggest(wanted[0], KINDS)}")
    return kind, rest[0] if rest else None


def _in_study(name: str | None, file: Path) -> Iterator[Line]:
    if name:
        from harness.commands.show import resolved

        yield from resolved.describe(name, file)
    else:
        yield from grid.describe(file)


def _listed(found: dict[str, names.Names], kind: str | None) -> Iterator[Line]:
    for one in [kind] if kind else KINDS:
        yield f"{one} ({len(found[one])})"
        yield columns(_once(found[one]) if one in SHARED else found[one].items(), indent=2)
    yield "`dkd show NAME` tells all about one"


def _once(listed: names.Names) -> Iterator[tuple[str, str]]:
    """What a file says is said of the first of its names alone."""
    last = ""
    for name, what in listed.items():
        yield name, "" if what == last else what
        last = what


def _one(name: str, kind: str | None, results: Path) -> Iterator[Line]:
    if kind in (None, "networks") and ":" in name:
        from harness.commands.show import network

        yield from network.describe(network_at(name, Path(), "dkd show"), results)
        return
    if kind is None and (file := _file(name)):
        yield from file
        return
    found = names.everything(results)
    meant = [one for one in ([kind] if kind else FIRST) if _whole(name, found[one])]
    if not meant:
        raise _unknown(name, found, kind)
    for whole in _whole(name, found[meant[0]]):
        yield from _described(meant[0], whole, results)
    for other in meant[1:]:
        if other != "teachers":  # a network lists its own
            yield f"there is a {KINDS[other]} of this name, too: dkd show {other} {name}"


def _file(name: str) -> Iterator[Line] | None:
    """What the file of this name says, if it is one."""
    if name.endswith(".py"):
        from harness.commands.show import method

        return method.describe(name)
    if name.endswith((".yaml", ".yml")) and Path(name).is_file():
        return grid.describe(Path(name))
    return None


def _whole(name: str, found: names.Names) -> list[str]:
    """The names that are meant: a grid's without its ending, a teacher's without its dataset."""
    return [one for one in found if name in (one, one.removesuffix(".yaml"), one.partition("/")[2])]


def _described(kind: str, name: str, results: Path) -> Iterator[Line]:
    match kind:  # those that need torch are imported where they are asked for
        case "methods":
            from harness.commands.show import method

            yield from method.describe(name)
        case "presets":
            from harness.commands.show import method

            for owner in names.owners()[name]:
                yield from method.preset(name, owner)
        case "datasets":
            from harness.commands.show import dataset

            yield from dataset.describe(name)
        case "networks":
            from harness.commands.show import network

            yield from network.describe(name, results)
        case "teachers":
            yield from teacher.describe(name, results)
        case "grids":
            yield from grid.describe(configs() / name)


def _unknown(name: str, found: dict[str, names.Names], kind: str | None) -> UserError:
    """Names what is near, of all kinds."""
    known: dict[str, list[str]] = {}
    for one, listed in found.items():
        for other in listed:
            known.setdefault(other, []).append(KINDS[one])
    longer = [other for other in known if name.casefold() in other.casefold()]
    near = list(dict.fromkeys([*like(name, known), *longer]))[:NEAR]
    told = ", ".join(f"{other} ({', '.join(known[other])})" for other in near)
    hint = f"did you mean: {told}" if told else "`dkd show` lists what there is"
    what = KINDS[kind] if kind else "method, preset, dataset, network, teacher or grid"
    return UserError(f"no {what} is called {brief(name)}\n  {hint}")
