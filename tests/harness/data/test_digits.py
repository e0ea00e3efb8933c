from __future__ import annotations

import numpy as np
import torch

from harness import data
from harness.data import make_digits


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
