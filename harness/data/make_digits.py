"""How digits.npz was made. Says whether the committed file is what this makes; with ``--write``, makes it again.

pip install scikit-learn          # nothing else here needs it
python harness/data/make_digits.py
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("digits.npz")
TRAIN, TEST, TUNING = 0, 1, 2
"""As in digits.py, which is not imported because it needs torch."""
TEST_IMAGES, TUNING_PER_CLASS = 500, 20

Array = NDArray[np.uint8]


def arrays() -> dict[str, Array]:
    """Images [1797, 8, 8] with ink from 0 to 16, labels [1797] and split [1797], in scikit-learn's order."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    labels = digits.target.astype(np.uint8)
    return {"images": digits.images.astype(np.uint8), "labels": labels, "split": split(labels)}


def split(labels: Array) -> Array:
    """TRAIN, TEST or TUNING for each label [n]: first the test part of every class, then its tuning part."""
    random, parts = np.random.default_rng(0), np.full(len(labels), TRAIN, dtype=np.uint8)
    for digit in range(10):
        members = np.flatnonzero(labels == digit)
        parts[random.permutation(members)[: round(TEST_IMAGES * len(members) / len(labels))]] = TEST
    for digit in range(10):
        left = np.flatnonzero((labels == digit) & (parts == TRAIN))
        parts[random.permutation(left)[:TUNING_PER_CLASS]] = TUNING
    return parts


def main() -> None:
    """Write the file if asked to; compare it, array by array, in any case."""
    made = arrays()
    if "--write" in sys.argv[1:]:
        packed = io.BytesIO()
        np.savez_compressed(packed, **made)  # type: ignore[arg-type]
        FILE.write_bytes(packed.getvalue())
    with np.load(FILE) as stored:
        differ = [name for name, array in made.items() if not np.array_equal(stored[name], array)]
    sys.exit(f"{FILE.name}: {', '.join(differ)} differ" if differ else 0)


if __name__ == "__main__":
    main()
