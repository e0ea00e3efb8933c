"""What stands for a class: numbers, weights, chance, files, and files that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from methods.base.files import File
from methods.parts.label_embeddings import UnfitEmbeddings, label_embeddings
from tests import small

NAMES = tuple("0123456789")


@pytest.fixture
def given() -> Any:
    return small.context(small.network("wrn10_1", 1), small.network("cnn3_16", 2))


def write(folder: Path, **arrays: Any) -> File:
    np.savez(folder / "emb.npz", **arrays)
    return File(folder / "emb.npz")


def test_without_a_file(given: Any) -> None:
    assert torch.equal(label_embeddings("one-hot", given), torch.eye(10))
    rows = label_embeddings("classifier", given)
    assert torch.equal(rows, given.teacher.classifier.weight)
    assert not rows.requires_grad
    drawn = label_embeddings("random", given)
    assert drawn.shape == (10, 512)
    assert torch.equal(drawn, label_embeddings("random", given))
    assert drawn.std().item() == pytest.approx(1, rel=0.05)


def test_a_files_rows_come_in_the_order_of_the_tasks_classes(given: Any, tmp_path: Path) -> None:
    names = [*reversed(NAMES), "cat"]
    rows = np.random.default_rng(0).standard_normal((11, 4)).astype(np.float16)
    found = label_embeddings(write(tmp_path, names=np.array(names), embeddings=rows), given)
    assert found.dtype == torch.float32
    assert found.tolist() == [rows[names.index(name)].astype(float).tolist() for name in NAMES]


ROWS = np.ones((10, 4))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"names": np.array([*NAMES[:8], "eight", "nine"]), "embeddings": ROWS},
            "label_embedding: emb.npz has nothing for '8', '9' of the task's 10 classes '0', '1', '2', '3', '4' and 5 "
            "more; it names '0', '1', '2', '3', '4' and 5 more",
        ),
        ({"embeddings": ROWS}, "emb.npz is not an npz of numpy with names, texts [n], and embeddings, numbers [n, E]"),
        ({"names": np.array(NAMES, object), "embeddings": ROWS}, "is not an npz of numpy with names"),
        ({"names": np.array(NAMES[1:]), "embeddings": ROWS}, "names are str32 [9], embeddings float64 [10, 4], not"),
        ({"names": np.array(NAMES), "embeddings": ROWS[0]}, "embeddings float64 [4], not texts [n] and numbers [n, E]"),
        ({"names": np.array(NAMES), "embeddings": ROWS * np.inf}, "emb.npz holds numbers that are not finite"),
    ],
    ids=["other classes", "no names", "pickled", "fewer names", "one row", "infinite"],
)
def test_what_does_not_fit_is_told(given: Any, tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(UnfitEmbeddings) as error:
        label_embeddings(write(tmp_path, **arrays), given)
    assert message in str(error.value)


def test_a_file_of_another_kind_is_told(given: Any, tmp_path: Path) -> None:
    (tmp_path / "emb.npz").write_text("bird,1,2", encoding="utf-8")
    with pytest.raises(UnfitEmbeddings, match=r"emb\.npz is not an npz of numpy"):
        label_embeddings(File(tmp_path / "emb.npz"), given)
