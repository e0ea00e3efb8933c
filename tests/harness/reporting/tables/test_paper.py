"""Published numbers beside ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.tables import paper, published
from harness.reporting.tables.table import Table
from methods.base.pair import Pair
from tests import factory

R34, WRN, WRN16_2 = (
    Pair.of(*names) for names in (("resnet34", "resnet18"), ("wrn40_2", "wrn16_1"), ("wrn40_2", "wrn16_2"))
)


def write(results: Path, label: str, pair: Pair, *, scale: float = 100.0, **changes: Any) -> None:
    """Two seeds of a label, 90 and 91 % unless told otherwise."""
    config = changes.pop("config", {})
    dataset = changes.pop("dataset", "cifar10")
    for seed in range(2):
        cell = f"toy/{dataset}/{pair.teacher}--{pair.student}/{label}/scale-{scale:g}/seed-{seed}"
        values = {
            "dataset": dataset,
            "teacher": pair.teacher,
            "student": pair.student,
            "cell": cell,
            "teacher_metric": 94.5,
        }
        result = factory.metrics(label, scale, seed, **{**values, "device": "cuda", **changes})
        factory.write(results, result, config=config)


def only(results: Path) -> Table:
    (table,) = paper.tables(group(load(results)), {})
    return table


def lines(table: Table, block: int = 0) -> dict[str, list[str]]:
    return {line.title.text: [entry.text for entry in line.entries] for line in table.blocks[block].lines}


def test_ours_stands_beside_theirs(tmp_path: Path) -> None:
    write(tmp_path, "fast-2", WRN, method="fast", config={"inner_steps": 2})  # 90, 91; 3 + 8 + 20 s
    assert only(tmp_path).blocks[0].columns[0].quantities[3].text == "GPU h"
    found = lines(only(tmp_path))
    assert found["Teacher"] == ["94.50", "94.87", "−0.37", "–", "–"]
    assert found["Fast-2"] == ["90.50 ± 0.71", "88.36", "+2.14", "0.009 ± 0.000", "0.030"]
    assert found["Fast-5"] == ["–", "88.90", "–", "–", "0.080"]
    assert "SSD-KD" not in found  # nothing of it is printed for CIFAR-10


def test_lines_are_the_papers_and_partial_results_fill_them_in(tmp_path: Path) -> None:
    write(tmp_path, "ssd-kd", WRN, scale=10.0)
    write(tmp_path, "ssd-kd", R34, scale=100.0)
    write(tmp_path, "dafl-cmi", R34, method="dafl")
    write(tmp_path, "dafl-original", R34, method="dafl", scale=10.0)
    table = only(tmp_path)
    names = [line.title.text for line in table.blocks[0].lines]
    expected = [
        "Teacher",
        "Student (real data)",
        "KD-ORI (real data)",
        "DeepInv",
        "DeepInv-2k",
        "CMI",
        "CMI-500",
        "DAFL · DAFL (CMI)",
        "ZSKT",
    ]
    assert names[: len(expected)] == expected
    assert names[-2:] == ["SSD-KD", "SSD-KD, 10 %"]
    found = lines(table)
    assert found["SSD-KD, 10 %"][0] == "–"
    assert found["SSD-KD, 10 %"][5] == "90.50 ± 0.71"
    assert found["DAFL · DAFL (CMI)"][:3] == ["90.50 ± 0.71", "92.22", "−1.72"]


def test_inner_steps_decide_which_line_a_label_is(tmp_path: Path) -> None:
    for k in (5, 10, 7):
        write(tmp_path, f"mine-{k}", WRN, method="fast", config={"inner_steps": k})
    found = lines(only(tmp_path))
    assert found["Fast-5 · mine-5"][1] == "88.90"
    assert found["Fast-10 · mine-10"][0] == "90.50 ± 0.71"
    assert found["mine-7"][1] == "–"


def test_a_damaged_run_does_not_part_a_line_from_its_number(tmp_path: Path) -> None:
    write(tmp_path, "fast-2", WRN, method="fast", config={"inner_steps": 2})
    lost = next(tmp_path.glob("toy/*/*/fast-2/scale-100/seed-0/metrics.json"))
    lost.write_text("{", encoding="utf-8")
    assert lines(only(tmp_path))["Fast-2"][0] == "91.00 (1/2)"


def test_every_printed_number_says_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path, "dafl", WRN, dataset="cifar100")
    table = only(tmp_path)
    dafl = next(line for line in table.blocks[0].lines if line.title.text.startswith("DAFL"))
    (note,) = (table.footnotes[mark] for mark in dafl.entries[1].marks)
    assert "Fast-Datafree README" in note
    assert "hours: scope not stated" in note
    assert "; 22.5 in https://github.com/zju-vipa/CMI README" in note
    fast = next(line for line in table.blocks[0].lines if line.title.text == "Fast-2")
    (note,) = (table.footnotes[mark] for mark in fast.entries[1].marks)
    assert "hours: synthesis alone" in note
    assert "56,320 images" in note


def noted(table: Table, line: str, entry: int) -> str:
    """The footnotes of an entry of a line, or of its title if that is -1."""
    found = next(each for each in table.blocks[0].lines if each.title.text == line)
    return "; ".join(table.footnotes[mark] for mark in (found.title, *found.entries)[entry + 1].marks)


def test_reproductions_stand_beside_the_authors_own_and_never_in_their_place(tmp_path: Path) -> None:
    write(tmp_path, "dafl", R34, method="dafl")
    table = only(tmp_path)
    assert lines(table)["DAFL"][1] == "92.22"  # table 2 of the paper
    note = noted(table, "DAFL", 1)
    assert note.startswith("https://github.com/huawei-noah/Efficient-Computing")
    assert "; 93.27 in https://github.com/open-mmlab/mmrazor configs/distill/mmcls/dafl/README.md" in note
    assert note.count("independent reproduction") == 2  # that, and 92.41 of an issue
    assert lines(table)["DAFL"][4] == "2.73"  # Fast-Datafree's, beside the same value
    assert "92.8 in https://github.com/open-mmlab/mmrazor" in noted(table, "DFAD", 1)


def test_a_printed_spread_is_shown_and_hours_without_a_number_are_told(tmp_path: Path) -> None:
    write(tmp_path, "dafl", R34, dataset="cifar100")
    table = only(tmp_path)
    assert lines(table)["SpaceshipNet"][1] == "77.15 ± 0.21"
    note = noted(table, "SpaceshipNet", 1)
    assert "mean of 6 seeds" in note and "; 77.41 in https://github.com/skgyu/SpaceshipNet README" in note
    assert "; 88 h in https://github.com/skgyu/SpaceshipNet/issues/4 (as told in a comment; hours: by the times" in note


def test_lines_have_a_number_for_one_of_the_pairs_at_least(tmp_path: Path) -> None:
    write(tmp_path, "dafl", R34, dataset="cifar100")
    assert {"GapSSG", "NAYER-100", "CC-DFKD"}.isdisjoint(lines(only(tmp_path)))
    write(tmp_path, "dafl", WRN16_2, dataset="cifar100")
    found = lines(only(tmp_path))
    assert found["GapSSG"] == ["–"] * 6 + ["68.88 ± 0.06"] + ["–"] * 3  # which the bench has not
    assert found["CC-DFKD"][6] == "69.42"  # the last epoch, as ours


def test_a_label_is_the_line_of_its_epochs_and_what_was_published_has_its_prior(tmp_path: Path) -> None:
    write(tmp_path, "nayer-no-text", WRN16_2, method="nayer", dataset="cifar100", config={"epochs": 100})
    table = only(tmp_path)
    assert lines(table)["NAYER-100 · NAYER (no text)"][:3] == ["90.50 ± 0.71", "70.2", "+20.30"]
    assert noted(table, "NAYER-100 · NAYER (no text)", -1) == "published with prior: label text"
    note = noted(table, "NAYER-100 · NAYER (no text)", 1)
    assert "read off a plot; 100 epochs; 160,000 images" in note and "hours: whole run, by its axis label" in note
    assert lines(table)["NAYER-200"][1] == "71.2"


def test_every_line_of_the_file_says_what_it_is() -> None:
    for published_, others in ((number.first, number.others) for number in published.numbers().values()):
        for one in (published_, *others):
            assert one.run_by in published.RUN_BY and one.kind in published.KINDS and one.selected in published.SELECTED
            assert one.source and bool(one.hours) == bool(one.hours_of)
            assert (one.sd is None) == (not one.seeds)


def test_segmentation_is_in_percent(tmp_path: Path) -> None:
    pair = Pair.of("deeplabv3_resnet50", "deeplabv3_mobilenetv2")
    write(tmp_path, "ssd-kd", pair, dataset="nyuv2", metric="miou", final=39.4)
    table = only(tmp_path)
    assert lines(table)["SSD-KD"][:3] == ["39.40 ± 0.00", "38.40", "+1.00"]
    assert "second hand" in str(table.footnotes.values())


def test_misprints_are_not_quoted() -> None:
    assert published.of("cifar10", "KD (real data)", WRN) is None
    assert published.of("cifar100", "KD (real data)", WRN) is not None


def test_teachers_and_code_are_named_below(tmp_path: Path) -> None:
    write(tmp_path, "ssd-kd", WRN)
    notes = "\n".join(only(tmp_path).notes)
    assert f"sha256 {factory.TEACHER_SHA[:12]}" in notes
    assert "commit c0ffee" in notes


def test_the_csv_has_both_numbers(tmp_path: Path) -> None:
    write(tmp_path, "fast-2", WRN, method="fast", config={"inner_steps": 2})
    head, line = only(tmp_path).csv.splitlines()
    values = dict(zip(head.split(","), line.split(","), strict=False))
    assert (values["final_mean"], values["published"], values["published_as"]) == ("90.5", "88.36", "Fast-2")


def test_pairs_of_which_nothing_is_published_make_no_table(tmp_path: Path) -> None:
    write(tmp_path, "ssd-kd", Pair.of("resnet20+akamaster", "wrn16_1"))
    assert paper.tables(group(load(tmp_path)), {}) == []
    write(tmp_path, "ssd-kd", WRN)
    assert len(only(tmp_path).blocks[0].columns) == 2


@pytest.mark.parametrize("dataset", ["digits", "camvid"])
def test_other_datasets_have_no_such_table(tmp_path: Path, dataset: str) -> None:
    factory.write(tmp_path, factory.metrics("ssd-kd"))
    assert paper.tables(group(load(tmp_path)), {}) == []
