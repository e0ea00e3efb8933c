from pathlib import Path

from harness import ROOT
from harness.grid.grid import load_grid
from harness.reporting.figures.look import GREYS, leading, looks
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.settings import settings
from tests import factory


def test_a_label_looks_the_same_everywhere_and_like_no_other(tmp_path: Path) -> None:
    for index in range(30):
        factory.write(tmp_path, factory.metrics(f"method-{index}"))
    factory.write(tmp_path, factory.metrics("scratch"))
    styles = looks(group(load(tmp_path)))
    assert len(set(styles.values())) == 31
    assert styles["scratch"].colour in GREYS
    assert styles["scratch"].dash != "-"


def test_labels_of_one_method_tell_apart(tmp_path: Path) -> None:
    for label, method in (("a-1", "a"), ("a-2", "a"), ("b", "b"), *((f"c-{i}", "c") for i in range(9))):
        factory.write(tmp_path, factory.metrics(label, method=method))
    styles = looks(group(load(tmp_path)))
    assert len({styles[label].colour for label in ("a-1", "a-2", "b")}) == 3
    variants = [styles[f"c-{i}"] for i in range(9)]
    assert len({look.marker for look in variants}) == 9
    assert len({(look.colour, look.dash) for look in styles.values()}) == 12


def test_who_stands_beside_most_is_first_to_have_a_colour(tmp_path: Path) -> None:
    """The label of eight that meets an earlier one in another study: that one takes a colour which is left."""
    for label in "bcdefghz":
        factory.write(tmp_path, factory.metrics(label))
    for label in "az":
        cell = f"other/digits/wrn10_1--cnn3_16/{label}/scale-10/seed-0"
        factory.write(tmp_path, factory.metrics(label, study="other", cell=cell))
    styles = looks(group(load(tmp_path)))
    assert len({styles[label].colour for label in "bcdefghz"}) == 8
    assert styles["a"].colour != styles["z"].colour


def test_what_is_in_colour_together_has_eight_colours(tmp_path: Path) -> None:
    """Ten labels of one study lead at 10 % from the last on, at 1 % from the first; another study has eight."""
    for index in range(10):
        for scale, final in ((10.0, 50.0 + index), (1.0, 50.0 - index)):
            factory.write(tmp_path, factory.metrics(f"m-{index}", scale, final=final))
        cell = f"other/digits/wrn10_1--cnn3_16/n-{index}/scale-10/seed-0"
        if index % 2 or index > 5:  # seven of its own, and one of both
            factory.write(tmp_path, factory.metrics(f"n-{index}", study="other", cell=cell))
    cell = "other/digits/wrn10_1--cnn3_16/m-0/scale-10/seed-0"
    factory.write(tmp_path, factory.metrics("m-0", study="other", cell=cell))
    rows = group(load(tmp_path))
    styles = looks(rows)
    for setting in settings(rows):
        shown = [leading(setting.rows, styles)[row.label] for row in setting.rows]
        colours = [look.colour for look in shown if not look.pale]
        assert len(set(colours)) == len(colours) == (8 if setting.rows[0].study == "other" else 6)


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
