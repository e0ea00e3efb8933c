from pathlib import Path

from harness.reporting.figures.look import GREYS, looks
from harness.reporting.rows import group
from harness.reporting.runs import load
from tests import factory


def test_a_label_looks_the_same_everywhere_and_like_no_other(tmp_path: Path) -> None:
    for index in range(30):
        factory.write(tmp_path, factory.metrics(f"method-{index}"))
    factory.write(tmp_path, factory.metrics("scratch"))
    styles = looks(group(load(tmp_path)))
    assert len(set(styles.values())) == 31
    assert styles["scratch"].colour in GREYS
    assert styles["scratch"].dash != "-"


def test_a_methods_few_labels_share_a_colour(tmp_path: Path) -> None:
    for label, method in (("a-1", "a"), ("a-2", "a"), ("b", "b"), *((f"c-{i}", "c") for i in range(9))):
        factory.write(tmp_path, factory.metrics(label, method=method))
    styles = looks(group(load(tmp_path)))
    assert styles["a-1"].colour == styles["a-2"].colour != styles["b"].colour
    assert styles["a-1"].dash != styles["a-2"].dash
    variants = [styles[f"c-{i}"] for i in range(9)]
    assert len({look.marker for look in variants}) == 9
    assert len({(look.colour, look.dash) for look in styles.values()}) == 12
