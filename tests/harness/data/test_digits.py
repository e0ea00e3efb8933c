from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from harness import data
from harness.data import make_digits, prepare


def test_the_committed_split_is_what_its_script_draws() -> None:
    with np.load(make_digits.FILE) as stored:
        labels, parts = stored["labels"], stored["split"]
    assert np.array_equal(make_digits.split(labels), parts)
    assert np.bincount(parts).tolist() == [1097, 500, 200]


def test_the_parts_are_stratified_and_tuning_images_are_training_images() -> None:
    reported, tuning = data.load("digits"), data.load("digits-tuning")
    train, test, left_out = (part.labels for part in (reported.train(), reported.test(), tuning.test()))
    assert (len(train), len(test), len(tuning.train().labels)) == (1297, 500, 1097)
    assert torch.bincount(left_out).tolist() == [20] * 10
    share = torch.bincount(test) / (torch.bincount(test) + torch.bincount(train))
    assert torch.allclose(share, torch.full((10,), 500 / 1797), atol=0.005)


def test_the_classes_are_called_what_they_show() -> None:
    assert data.load("digits").task.class_names == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


@pytest.mark.parametrize("name", ["digits", "digits-tuning"])
def test_preparing_them_names_no_folder_since_they_come_with_the_bench(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "none"))
    said: list[str] = []
    prepare.prepare(name, report=said.append)
    assert said == [f"{name}: complete and verified; its images come with the bench"]
    assert not (tmp_path / "none").exists()
