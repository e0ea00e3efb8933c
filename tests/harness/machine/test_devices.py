"""Who works on a card has leased it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness import ROOT
from harness.machine import devices, gpus


@pytest.mark.parametrize(
    ("wanted", "cards", "done"),
    [
        ("auto", ["GPU-a"], ["lease GPU-a for me", "choose auto"]),
        ("cuda", ["GPU-a"], ["lease GPU-a for me", "choose cuda"]),
        ("cpu", ["GPU-a"], ["choose cpu"]),
        ("auto", [], ["choose auto"]),
    ],
)
def test_a_card_is_leased_before_torch_looks_for_one(
    wanted: str, cards: list[str], done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def choose(name: str) -> torch.device:
        calls.append(f"choose {name}")
        return torch.device("cpu")

    monkeypatch.setattr(gpus, "visible", lambda: cards)
    monkeypatch.setattr(gpus, "lease", lambda uuids, name: calls.append(f"lease {', '.join(uuids)} for {name}"))
    monkeypatch.setattr(devices, "choose_device", choose)
    devices.lease_device(wanted, "me")
    assert calls == done


def test_nobody_else_chooses_a_device() -> None:
    """But `assemble`, which works under the runner's lease."""
    users = {
        path.name
        for path in Path(ROOT / "harness").rglob("*.py")
        if "choose_device(" in path.read_text(encoding="utf-8")
    }
    assert users == {"devices.py", "assemble.py"}
