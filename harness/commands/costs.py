"""What a run took, in words."""

from __future__ import annotations

from harness.reporting.tables.remarks import overload
from harness.store.records import Metrics


def spent(result: Metrics) -> str:
    """The seconds that count, and beside them those on the wall; what others on the machine did to them."""
    wall = result.seconds.end_to_end
    seconds = f"{result.cost.end_to_end:.1f} CPU s in {wall:.1f} s" if result.device == "cpu" else f"{wall:.1f} GPU s"
    seconds += f" on a GPU for {result.share} cells at once" if result.device != "cpu" and result.share > 1 else ""
    return f"{seconds}; machine overloaded: {overload(result)}" if result.overloaded else seconds
