"""Teachers that were trained elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness import data, networks
from harness.errors import UserError
from harness.store.layout import Results
from harness.teachers import foreign, shelf


def test_a_foreign_checkpoint_is_renamed_measured_and_stored(tmp_path: Path) -> None:
    network = networks.build("cnn3_16", 10, 1)
    file = tmp_path / "foreign.pt"
    torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, file)
    record = foreign.take(
        "digits", "cnn3_16", file, renamings=[r"^module\.="], results=tmp_path, changes={"floor": 0.0}
    )
    folder, task = Results(tmp_path).teacher("digits", "cnn3_16"), data.load("digits").task
    stored = shelf.load(folder, record, task, torch.device("cpu"))
    assert all(torch.equal(value, stored.state_dict()[key]) for key, value in network.state_dict().items())
    assert record.recipe["imported"]
    with pytest.raises(UserError, match="there is a teacher already"):
        foreign.take("digits", "cnn3_16", file, results=tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"module.linear.weight": torch.zeros(10, 64)}, r"are not in it, 1 keys \(module\.linear\.weight\)"),
        ([1, 2], "not a state dict"),
    ],
)
def test_a_foreign_checkpoint_that_does_not_fit_says_why(tmp_path: Path, content: object, expected: str) -> None:
    torch.save(content, tmp_path / "foreign.pt")
    with pytest.raises(UserError, match=expected):
        foreign.take("digits", "cnn3_16", tmp_path / "foreign.pt", results=tmp_path)


def test_a_pickle_is_not_executed(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "touched"),))

    torch.save({"x": Evil()}, tmp_path / "foreign.pt")
    with pytest.raises(UserError, match="cannot be read as weights"):
        foreign.take("digits", "cnn3_16", tmp_path / "foreign.pt", results=tmp_path)
    assert not (tmp_path / "touched").exists()
