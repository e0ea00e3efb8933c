from pathlib import Path

from harness.reporting.quantities import FINAL, MEASURED, SYNTHESISED
from harness.reporting.rows import Row, difference, group, labels
from harness.reporting.runs import load
from methods.base.prior import Prior
from tests import factory


def rows(results: Path) -> dict[str, Row]:
    return {row.label: row for row in group(load(results))}


def test_references_come_first_and_methods_in_natural_order(tmp_path: Path) -> None:
    for name in ("kd-noise", "fast-10", "scratch", "dafl", "fast-2", "kd-real"):
        factory.write(tmp_path, factory.metrics(name))
    assert labels(group(load(tmp_path))) == ["scratch", "kd-real", "kd-noise", "dafl", "fast-2", "fast-10"]


def test_a_label_that_runs_a_reference_is_one(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics("a"))
    factory.write(tmp_path, factory.metrics("z-noise", method="kd-noise"))
    factory.write(tmp_path, factory.metrics("z-real", prior=Prior.REAL_IMAGES))
    assert [(row.label, row.reference) for row in group(load(tmp_path))] == [
        *(("z-noise", True), ("z-real", True), ("a", False))
    ]


def test_a_row_has_the_seeds_of_one_label_on_one_pair_at_one_scale(tmp_path: Path) -> None:
    for scale in (100.0, 10.0):
        for seed in (10, 2, 1):
            factory.write(tmp_path, factory.metrics("a", scale, seed))
    found = group(load(tmp_path))
    assert [(row.scale, [run.name.seed for run in row.runs]) for row in found] == [
        *((100.0, [1, 2, 10]), (10.0, [1, 2, 10]))
    ]


def test_summaries_are_of_the_seeds_that_count_and_tell(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics("a", seed=0, final=80.0, images_synthesised=None))
    factory.write(tmp_path, factory.metrics("a", seed=1, final=90.0, images_synthesised=7))
    factory.write(tmp_path, factory.metrics("a", seed=2, status="failed", reason="x"))
    row = rows(tmp_path)["a"]
    assert (row.summary(FINAL).mean, row.summary(FINAL).n, row.summary(FINAL).expected) == (85.0, 2, 3)
    assert (row.summary(SYNTHESISED).mean, row.summary(SYNTHESISED).n) == (7, 1)


def test_every_quantity_has_a_name_of_its_own() -> None:
    assert len({quantity.name for quantity in MEASURED}) == len(MEASURED)


def test_differences_are_seed_by_seed(tmp_path: Path) -> None:
    for label, finals in {"a": (90.0, 80.0), "b": (80.0, 79.0, 1.0)}.items():
        for seed, final in enumerate(finals):
            factory.write(tmp_path, factory.metrics(label, seed=seed, final=final))
    found = rows(tmp_path)
    paired = difference(found["b"], "a", found.values(), FINAL)
    assert (paired.mean, paired.n, paired.expected) == (-5.5, 2, 3)  # 80 - 90 and 79 - 80; seed 2 has no counterpart
