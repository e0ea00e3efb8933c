"""What nvidia-smi says, and nothing where it does not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from harness.machine import nvml
from tests.harness.machine.test_gpus import LISTING, fake_nvidia_smi

SCRIPT = f"""
case "$*" in
-L) cat <<'EOF'
{LISTING}EOF
;;
"--query-gpu=name,memory.total,uuid,driver_version --format=csv,noheader")
echo "NVIDIA H100, 81559 MiB, GPU-aaaa-1, 570.1";;
*) exit 1;;
esac
"""


def test_cards_and_their_descriptions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nvidia_smi(tmp_path, monkeypatch, SCRIPT)
    assert nvml.cards() == [["GPU-aaaa-1"], ["GPU-bbbb-2", "MIG-b1", "MIG-b2"], ["GPU-cccc-3"]]
    assert nvml.descriptions() == ["NVIDIA H100, 81559 MiB, GPU-aaaa-1, 570.1"]


@pytest.mark.parametrize("script", ["echo 'GPU 0: NVIDIA H100 (UUID: GPU-aaaa-1)'; exit 9", "sleep 60"])
def test_a_driver_that_fails_or_hangs_has_no_cards(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvidia_smi(tmp_path, monkeypatch, f"exec {script}" if script.startswith("sleep") else script)
    monkeypatch.setattr(nvml, "_SECONDS", 1)
    assert (nvml.cards(), nvml.descriptions()) == ([], [])


def test_the_energy_of_an_unknown_card_is_unknown() -> None:
    assert nvml.joules("GPU-of-nobody") is None


class Driver(ModuleType):
    """A driver's Python package whose card runs these processes."""

    NVMLError = RuntimeError

    def __init__(self, processes: int | None) -> None:
        super().__init__("pynvml")
        self.processes = processes

    def nvmlInit(self) -> None:  # noqa: N802
        if self.processes is None:
            raise self.NVMLError("no driver")

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        return uuid

    def nvmlDeviceGetComputeRunningProcesses(self, card: str) -> list[str]:  # noqa: N802
        return [f"process on {card}"] * (self.processes or 0)

    def nvmlDeviceGetTotalEnergyConsumption(self, card: str) -> int:  # noqa: N802
        raise self.NVMLError("not supported")


@pytest.mark.parametrize(("processes", "others"), [(1, 0), (3, 2), (0, None), (None, None)])
def test_other_processes_on_the_card(
    processes: int | None, others: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that lists nobody, though this process is on it, tells nothing."""
    monkeypatch.setitem(sys.modules, "pynvml", Driver(processes))
    assert nvml.sharers("GPU-1") == others
    assert nvml.joules("GPU-1") is None


@pytest.mark.parametrize("ask", [nvml.joules, nvml.sharers])
def test_without_the_package_nothing_is_known(ask: Callable[[str], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert ask("GPU-1") is None
