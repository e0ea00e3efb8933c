from pathlib import Path
from typing import Any

import pytest

import methods
from harness.reporting import formats, layout
from harness.reporting.cells import REFERENCES, group, labels
from harness.reporting.frame import load
from harness.reporting.table import Table
from harness.reporting.tables import tables
from tests import factory


def build(results: Path, *changes: dict[str, Any]) -> Table:
    for change in changes:
        factory.write(results, factory.metrics(**change))
    return tables(group(load(results)), {})[0]


def test_references_are_those_of_the_methods() -> None:
    assert methods.REFERENCES == REFERENCES


def test_references_come_first_and_methods_in_natural_order(tmp_path: Path) -> None:
    names = ["kd-noise", "fast-10", "scratch", "dafl", "fast-2", "kd-real"]
    build(tmp_path, *({"label": name} for name in names))
    assert labels(group(load(tmp_path))) == ["scratch", "kd-real", "kd-noise", "dafl", "fast-2", "fast-10"]


def test_the_teacher_has_its_own_row_and_no_time(tmp_path: Path) -> None:
    row = build(tmp_path, {"teacher_metric": 97.25}).blocks[0].rows[0]
    assert (row.title.text, [entry.text for entry in row.entries]) == ("Teacher", ["97.25", "–"])


def test_every_number_links_to_its_runs(results: Path) -> None:
    cells = group(load(results))
    names = {cell.name for cell in cells}
    for table in tables(cells, {}):
        entries = [entry for block in table.blocks for row in block.rows for entry in row.entries]
        assert {entry.link for entry in entries if entry.link} == names


def test_only_references_with_real_data_are_marked(tmp_path: Path) -> None:
    table = build(tmp_path, {"label": "scratch"}, {"label": "kd-noise"}, {"label": "ssd-kd"})
    marks = {row.title.text: [table.footnotes[mark] for mark in row.title.marks] for row in table.blocks[0].rows}
    real = ["sees real data: not data-free"]
    assert marks == {"Teacher": [], "scratch": real, "kd-noise": [], "ssd-kd": []}


def marks(table: Table, row: int) -> tuple[list[str], list[list[str]]]:
    """Footnotes of a row's title and of its entries."""
    found = table.blocks[0].rows[row]
    of = [[table.footnotes[mark] for mark in entry.marks] for entry in found.entries]
    return [table.footnotes[mark] for mark in found.title.marks], of


def test_a_borrowed_preset_is_said_once_for_the_row(tmp_path: Path) -> None:
    gpu = {"device": "cuda", "preset_note": "CIFAR-10's values"}
    table = build(tmp_path, {"scale": 100.0, **gpu}, {"scale": 10.0, **gpu}, {"label": "dafl", "scale": 10.0, **gpu})
    assert list(table.footnotes.values()) == ["CIFAR-10's values"]
    assert marks(table, 1) == (["CIFAR-10's values"], [[], [], [], []])
    assert marks(table, 2) == (["CIFAR-10's values"], [[], [], [], []])


def test_a_preset_borrowed_for_one_pair_alone_marks_its_cell(tmp_path: Path) -> None:
    other = {"student": "mlp", "cell": "toy/digits/wrn10_1--mlp/ssd-kd/scale-10/seed-0", "preset_note": "vgg11's"}
    table = build(tmp_path, {"device": "cuda"}, {"device": "cuda", **other})
    assert marks(table, 1) == ([], [[], [], ["vgg11's"], []])


@pytest.mark.parametrize("verified", [True, False])
def test_unverified_data_is_said_below_the_table(tmp_path: Path, verified: bool) -> None:
    table = build(tmp_path, {"dataset": "cifar10", "data_verified": verified})
    said = "Unverified data: cifar10; checksums were not compared."
    assert (said in table.notes) == (not verified)


def test_images_of_a_generator_that_never_stops_are_counted(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics("dafl", 10.0, images_synthesised=1_280_000))
    factory.write(tmp_path, factory.metrics("kd-real", 10.0))
    table = next(table for table in tables(group(load(tmp_path)), {}) if table.name == "images")
    rows = [[entry.text for entry in row.entries] for row in table.blocks[0].rows]
    assert rows == [["130", "–", "200"], ["130", "1,280,000", "200"]]  # real images are not synthesised


def test_cpu_times_are_marked_and_gpu_times_are_not(tmp_path: Path) -> None:
    cpu = build(tmp_path / "a", {"concurrent": 4})
    gpu = build(tmp_path / "b", {"device": "cuda", "device_name": "GPU"})
    assert list(cpu.footnotes.values()) == ["CPU times on a shared machine, concurrent cells: 4"]
    assert not gpu.footnotes


def test_a_single_seed_has_no_deviation(tmp_path: Path) -> None:
    assert build(tmp_path, {}).blocks[0].rows[1].entries[0].text == "90.00"


def test_unusual_text_survives_markdown_and_latex(tmp_path: Path) -> None:
    table = build(tmp_path, {"status": "failed", "reason": "a|b_c & 50%\n__x__"})
    assert r"seed 0 failed: a\|b_c & 50% \__x_\_" in formats.markdown(table)
    assert r"seed 0 failed: a|b\_c \& 50\% \_\_x\_\_." in formats.latex(table)


def test_blocks_never_get_wider_than_a_page(tmp_path: Path) -> None:
    for teacher in ("t1", "t2", "t3"):
        for scale in (100.0, 10.0):
            cell = f"toy/digits/{teacher}--cnn3_16/ssd-kd/scale-{scale:g}/seed-0"
            factory.write(tmp_path, factory.metrics(scale=scale, teacher=teacher, cell=cell))
    blocks = layout.blocks(group(load(tmp_path)), quantities=2)
    assert [(title, list(columns)) for title, columns in blocks] == [
        ("digits, 100 % data", ["t1 → cnn3_16", "t2 → cnn3_16", "t3 → cnn3_16"]),
        ("digits, 10 % data", ["t1 → cnn3_16", "t2 → cnn3_16", "t3 → cnn3_16"]),
    ]
