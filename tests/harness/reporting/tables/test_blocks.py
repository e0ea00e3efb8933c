from pathlib import Path

from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.tables.blocks import blocks
from tests import factory


def test_blocks_never_get_wider_than_a_page(tmp_path: Path) -> None:
    for teacher in ("t1", "t2", "t3"):
        for scale in (100.0, 10.0):
            cell = f"toy/digits/{teacher}--cnn3_16/ssd-kd/scale-{scale:g}/seed-0"
            factory.write(tmp_path, factory.metrics(scale=scale, teacher=teacher, cell=cell))
    found = blocks(group(load(tmp_path)), quantities=2)
    assert [(title, list(columns)) for title, columns in found] == [
        ("Digits, 100 % data", ["t1 → CNN-3-16", "t2 → CNN-3-16", "t3 → CNN-3-16"]),
        ("Digits, 10 % data", ["t1 → CNN-3-16", "t2 → CNN-3-16", "t3 → CNN-3-16"]),
    ]
