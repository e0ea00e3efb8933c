from pathlib import Path
from typing import Any

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
