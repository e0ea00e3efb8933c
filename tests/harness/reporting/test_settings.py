from pathlib import Path

from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.settings import settings
from tests import factory


def test_rows_of_one_pair_at_one_scale_belong_together(tmp_path: Path) -> None:
    for student in ("s1", "s2"):
        for label in ("a", "b"):
            for scale in (5.0, 100.0):
                cell = f"toy/digits/wrn10_1--{student}/{label}/scale-{scale:g}/seed-0"
                factory.write(tmp_path, factory.metrics(label, scale, student=student, cell=cell))
    found = settings(group(load(tmp_path)))
    assert [setting.anchor for setting in found] == [
        f"toy/digits/wrn10_1--{student}/scale-{scale}" for student in ("s1", "s2") for scale in ("100", "5")
    ]
    assert {tuple(row.label for row in setting.rows) for setting in found} == {("a", "b")}
