"""What must hold before any command: a system that the bench knows, and code that is the one meant."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from harness import ROOT
from harness.errors import UserError

SYSTEMS = {"linux": "Linux", "darwin": "macOS"}
"""Where the bench runs, as Python calls it and as people do. Its locks are those of POSIX."""


def check() -> None:
    """Raise UserError on another system, in a folder that is gone, and in a clone whose code is not what runs."""
    if sys.platform not in SYSTEMS:
        known = " and ".join(SYSTEMS.values())
        raise UserError(f"dkd-bench runs on {known}, not on {sys.platform}; on Windows use WSL 2, which is Linux")
    try:
        here = Path.cwd()
    except FileNotFoundError:
        raise UserError("the folder that you are in is no longer there; change to another one") from None
    if other := _other_clone(here):
        again = shlex.join(["python", "-m", "harness", *sys.argv[1:]])
        raise UserError(
            f"you are in {other}, and this dkd runs the code of another clone, {ROOT}\n"
            f"  type: cd {shlex.quote(str(other))} && {again}\n"
            f"  for good: pip install -e {shlex.quote(str(other))}"
        )


def environment() -> dict[str, str]:
    """This process's environment, in which `python -m harness` is this very code, whatever folder it is started in."""
    others = filter(None, [os.environ.get("PYTHONPATH")])
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *others]), "PYTHONSAFEPATH": "1"}


def _other_clone(here: Path) -> Path | None:
    """The clone of the bench that ``here`` lies in, unless its code is ours."""
    for folder in (here, *here.parents):
        if all((folder / ours).is_file() for ours in ("harness/cli.py", "methods/base/method.py")):
            return None if folder.samefile(ROOT) else folder
    return None
