"""Linux's control groups, with which a job or a container has less than the machine; Linux, cgroups(7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def folders(controller: str, root: Path = Path("/")) -> Iterator[Path]:
    """Of the groups of either version that this process is in, and of those above them; none on other systems."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top, place = root / "sys/fs/cgroup" / (controller if controllers else ""), Path(group.strip("/"))
        yield from (top / folder for folder in (place, *place.parents))


def said(file: Path) -> list[str]:
    """The words of a file; none where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8").split()
    except OSError:
        return []
