from pathlib import Path

from harness.reporting.figures.samples import samples
from harness.reporting.rows import group
from harness.reporting.runs import load
from tests import factory


def test_a_damaged_sample_sheet_falls_back_to_the_next_seed(tmp_path: Path) -> None:
    for seed in range(2):
        factory.write(tmp_path, factory.metrics("a", 10.0, seed))
    for path in sorted(tmp_path.rglob("samples.png"))[:1]:
        path.write_bytes(b"not a picture")
    rows = group(load(tmp_path))
    assert samples(rows) is not None
    for path in tmp_path.rglob("samples.png"):
        path.unlink()
    assert samples(rows) is None
