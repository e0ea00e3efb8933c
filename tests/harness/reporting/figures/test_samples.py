import math
from pathlib import Path

from PIL import Image

from harness.reporting.figures.samples import samples
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.store import checking
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


def test_the_largest_sheet_that_a_record_may_have_is_shown(tmp_path: Path) -> None:
    result = factory.metrics("a", 10.0, 0)
    run = factory.write(tmp_path, result) / "runs" / result.key
    side = math.isqrt(checking.PIXELS)
    Image.new("1", (side, side)).save(run / "samples.png")
    factory.seal(run, result)
    assert samples(group(load(tmp_path))) is not None
