from pathlib import Path

from harness import ROOT
from harness.grid.grid import load_grid
from harness.reporting.figures.look import GREYS, leading, looks
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


def test_of_many_methods_the_most_accurate_keep_their_colours(tmp_path: Path) -> None:
    for index in range(9):
        factory.write(tmp_path, factory.metrics(f"m-{index}", final=50.0 + index))
    factory.write(tmp_path, factory.metrics("scratch", final=10.0))
    rows = group(load(tmp_path))
    own = leading(rows, looks(rows))
    assert [label for label, look in own.items() if look.pale] == ["m-0", "m-1", "m-2"]
    few = [row for row in rows if row.label != "m-8"]
    assert leading(few, looks(few)) == looks(few)


def test_points_of_a_study_of_all_methods_tell_apart_without_lines(tmp_path: Path) -> None:
    cells = load_grid(ROOT / "workflow/config/cifar10-cpu.yaml").cells
    for label, method in {cell.label: cell.method for cell in cells}.items():
        factory.write(tmp_path, factory.metrics(label, method=method))
    styles = looks(group(load(tmp_path)))
    assert len({(look.colour, look.marker) for look in styles.values()}) == len(styles) > 20
