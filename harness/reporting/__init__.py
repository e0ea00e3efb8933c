"""Reports rendered from a results folder alone. Imports neither torch nor mlflow, and of the methods only names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.reporting.report import render

__all__ = ["render"]


def __getattr__(name: str) -> Any:
    """``render`` when it is first asked for: whoever only counts shall not wait for figures and pages."""
    if name != "render":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from harness.reporting.report import render

    return render
