"""How a method's end is told when it does not come to its own: what happened and where, on one clean line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.engine.surroundings import left_alone
from harness.errors import UserError, describe, one_line
from harness.machine import trouble


class Diverged(Exception):
    """A loss or a weight is no longer a finite number."""


class MethodFailed(Exception):
    """A method did what it may not do; the text says what and where."""


@contextmanager
def inside_method() -> Iterator[None]:
    """Around a method's own code: whatever it raises becomes MethodFailed, `sys.exit` included.

    The machine's trouble, the user's mistakes and Ctrl-C pass through: they say nothing about the method. The process
    around the method is left as it was, or the method fails.
    """
    try:
        with left_alone() as changes:
            yield
        if changes:
            raise MethodFailed(f"it changed {', '.join(changes)}; a method leaves the process around it as it was")
    except (KeyboardInterrupt, UserError, Diverged, MethodFailed):
        raise
    except BaseException as error:  # also SystemExit: `sys.exit(0)` in a method is no success of ours
        if trouble.told(error):
            raise
        raise MethodFailed(f"{describe(error)} ({_place(error)})") from error


def _place(error: BaseException) -> str:
    """File and line of the innermost frame."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return one_line(f"{Path(frame.f_code.co_filename).name}:{line}")
