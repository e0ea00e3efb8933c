"""Paths that a configuration names: they go from the folder of the file in which they are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import ROOT
from harness.errors import ConfigError, UserError, one_line
from harness.explain import shown

CONFIGS = Path("workflow/config")
DEFAULT = CONFIGS / "digits.yaml"


def beside(file: Path, text: str, where: str, needed: bool = True) -> Path:
    """The file or folder that ``text`` names in the configuration ``file``: absolute, without links.

    Args:
        file: the configuration file; of one that ``extends`` another, the one in which ``text`` is written.
        text: a path from the folder of ``file``, from ``~`` or from the root.
        where: where ``text`` stands, such as ``mine.yaml:4: methods.mine.method``.
        needed: whether it must be there; grids are also listed where their images are not.

    Raises ConfigError that says where it looked.
    """
    return below(file.absolute().parent, text, where, needed)


def below(folder: Path, text: str, where: str, needed: bool = True) -> Path:
    """The same, given the folder from which the path goes: a command line stands in no file."""
    return _first([folder.absolute()], text, where, needed=needed)


def regular(file: Path, text: str, where: str) -> Path:
    """The same, of a file that is to be read. Raises ConfigError for a folder, and for all that is no file."""
    path = beside(file, text, where)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "not a regular file"
        raise ConfigError(where, f"{shown(text)}: {kind}, and a file is wanted: {one_line(str(path))}")
    return path


def configuration(file: Path, text: str, where: str) -> Path:
    """The configuration that ``text`` names in another one: beside that one, or a mere name in `configs` as well."""
    folders = [file.absolute().parent]
    if Path(text).name == text and (ours := _configs()):
        folders.append(ours.absolute())
    return _first(folders, text, where, "*.yaml")


def configs() -> Path:
    """The folder of configurations: the current folder's, or else that of the project whose code this is.

    Raises UserError if there is neither, such as beside an installed wheel.
    """
    if folder := _configs():
        return folder
    raise UserError(
        f"no configurations: neither {CONFIGS.absolute()} nor {ROOT / CONFIGS} is there\n"
        "  go to a checkout of the bench, or name a file with --configfile"
    )


def default() -> Path:
    """The default grid. Raises UserError if there are no configurations."""
    return configs() / DEFAULT.name


def _configs() -> Path | None:
    return next((folder for folder in (CONFIGS, ROOT / CONFIGS) if folder.is_dir()), None)


def _first(folders: Sequence[Path], text: str, where: str, choices: str = "", needed: bool = True) -> Path:
    """What is there under this path in the first of the folders that has something there.

    Args:
        folders: absolute.
        text: the path.
        where: it stands there.
        choices: pattern of what the error lists.
        needed: whether something must be there; else the first path it is.
    """
    if not text.strip():
        raise ConfigError(where, f"{shown(text)}: the path of a file is wanted")
    try:
        paths = [Path(folder, Path(text).expanduser()).resolve() for folder in folders]
        found = next((path for path in paths if path.exists()), None)
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, a circle of links, ~ without a home
        raise ConfigError(where, f"{shown(text)}: no file can have this path") from None
    if found is None and needed:
        looked = " and ".join(one_line(str(path)) for path in dict.fromkeys(paths))
        there = sorted({path.name for folder in folders for path in folder.glob(choices)}) if choices else []
        raise ConfigError(where, f"{shown(text)}: no such file; it was looked for at {looked}", text, there)
    return found or paths[0]
