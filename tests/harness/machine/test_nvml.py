"""What nvidia-smi says, and nothing where it does not."""

from __future__ import annotations

from pathlib import Path

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
