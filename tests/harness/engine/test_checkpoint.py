"""A checkpoint is what was saved, or refused; and where its tensors lie after loading.

Without a GPU, the device without memory, "meta", stands for one.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from harness.engine import checkpoint
from harness.errors import UserError

CARD, HOST = torch.device("meta"), torch.device("cpu")


def test_what_lay_on_the_host_stays_there(tmp_path: Path) -> None:
    """Adam's steps do, and every step of it would wait for the card if they were there."""
    checkpoint.save(
        tmp_path / "c.pt", {"step": torch.tensor(3.0), "moments": [torch.zeros(2, device=CARD)], "round": 7}
    )
    state = checkpoint.load(tmp_path / "c.pt", CARD)
    assert state is not None
    assert (state["step"].device, state["moments"][0].device, state["round"]) == (HOST, CARD, 7)
    assert state["step"].item() == 3.0


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD, torch.optim.AdamW])
def test_an_optimizer_counts_where_it_did(kind: type[torch.optim.Optimizer], tmp_path: Path) -> None:
    """After a resume every state lies where it lies without one: moments beside the weights, counts on the host."""
    weights = [nn.Parameter(torch.zeros(3, device=CARD))]
    options = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    before, after = (kind(weights, lr=0.1, **options) for _ in range(2))  # type: ignore[call-arg]
    weights[0].grad = torch.zeros(3, device=CARD)
    before.step()
    checkpoint.save(tmp_path / "c.pt", before.state_dict())
    state = checkpoint.load(tmp_path / "c.pt", CARD)
    assert state is not None
    after.load_state_dict(state)
    places = [{k: v.device for k, v in o.state[weights[0]].items() if v is not None} for o in (before, after)]
    assert places[0] == places[1] != {}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    state = {"round": 7, "weights": torch.arange(500.0), "names": ["a", "b"]}
    checkpoint.save(tmp_path / "c.pt", state)
    loaded = checkpoint.load(tmp_path / "c.pt", HOST)
    assert loaded is not None and torch.equal(loaded["weights"], state["weights"])  # type: ignore[arg-type]
    return tmp_path / "c.pt"


@pytest.mark.parametrize("twentieth", range(20))
def test_a_flipped_bit_is_refused(saved: Path, twentieth: int) -> None:
    """Wherever it is: in the hash (the first of the twenty), the weights, the names, the archive's own tables."""
    data = bytearray(saved.read_bytes())
    data[len(data) * twentieth // 20] ^= 1 << twentieth % 8
    saved.write_bytes(data)
    with pytest.raises(UserError, match=r"c\.pt: damaged checkpoint \(.*\); delete it to start this run again"):
        checkpoint.load(saved, HOST)


@pytest.mark.parametrize("left", [0, 1, 31, 32, 33, 1000, -1])
def test_a_cut_file_is_refused(saved: Path, left: int) -> None:
    saved.write_bytes(saved.read_bytes()[:left])
    with pytest.raises(UserError, match="damaged checkpoint"):
        checkpoint.load(saved, HOST)


def test_what_another_program_wrote_is_refused(tmp_path: Path) -> None:
    torch.save({"round": 7}, tmp_path / "c.pt")
    with pytest.raises(UserError, match="damaged checkpoint"):
        checkpoint.load(tmp_path / "c.pt", HOST)
