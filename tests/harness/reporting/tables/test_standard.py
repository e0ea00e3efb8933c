from pathlib import Path
from typing import Any

import pytest

from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.tables import remarks, standard
from harness.reporting.tables.table import Line, Table
from harness.store.records import Seconds
from tests import factory


def build(results: Path, *changes: dict[str, Any]) -> Table:
    for change in changes:
        factory.write(results, factory.metrics(**change))
    return standard.tables(group(load(results)), {})[0]


def test_the_teacher_has_its_own_line_and_no_time(tmp_path: Path) -> None:
    line = build(tmp_path, {"teacher_metric": 97.25}).blocks[0].lines[0]
    assert (line.title.text, [entry.text for entry in line.entries]) == ("Teacher", ["97.25", "–", "–"])


def test_every_number_links_to_its_runs(results: Path) -> None:
    rows = group(load(results))
    names = {row.name for row in rows}
    for table in standard.tables(rows, {}):
        entries = [entry for block in table.blocks for line in block.lines for entry in line.entries]
        assert {entry.link for entry in entries if entry.link} == names


def test_what_is_used_beyond_the_teacher_is_said_and_nothing_where_that_is_nothing(tmp_path: Path) -> None:
    table = build(tmp_path, {"label": "scratch"}, {"label": "kd-noise"}, {"label": "named", "prior": "label text"})
    marks = {line.title.text: [table.footnotes[mark] for mark in line.title.marks] for line in table.blocks[0].lines}
    real, text = ["prior beyond the teacher: real images"], ["prior beyond the teacher: label text"]
    assert marks == {"Teacher": [], "Scratch": real, "KD-noise": [], "named": text}


def marks(table: Table, line: int) -> tuple[list[str], list[list[str]]]:
    """Footnotes of a line's title and of its entries."""
    found = table.blocks[0].lines[line]
    of = [[table.footnotes[mark] for mark in entry.marks] for entry in found.entries]
    return [table.footnotes[mark] for mark in found.title.marks], of


def test_a_borrowed_preset_is_said_once_for_the_line(tmp_path: Path) -> None:
    gpu = {"device": "cuda", "preset_note": "CIFAR-10's values"}
    table = build(tmp_path, {"scale": 100.0, **gpu}, {"scale": 10.0, **gpu}, {"label": "dafl", "scale": 10.0, **gpu})
    assert list(table.footnotes.values()) == ["CIFAR-10's values"]
    assert marks(table, 1) == (["CIFAR-10's values"], [[], [], [], []])
    assert marks(table, 2) == (["CIFAR-10's values"], [[], [], [], []])


def test_a_preset_borrowed_for_one_pair_alone_marks_its_row(tmp_path: Path) -> None:
    other = {"student": "mlp", "cell": "toy/digits/wrn10_1--mlp/ssd-kd/scale-10/seed-0", "preset_note": "vgg11's"}
    table = build(tmp_path, {"device": "cuda"}, {"device": "cuda", **other})
    assert marks(table, 1) == ([], [[], [], ["vgg11's"], []])


CIFAR = "toy/cifar10/wrn10_1--cnn3_16/ssd-kd/scale-10/seed-0"


@pytest.mark.parametrize("verified", [True, False])
def test_unverified_data_is_said_below_the_table(tmp_path: Path, verified: bool) -> None:
    table = build(tmp_path, {"dataset": "cifar10", "cell": CIFAR, "data_verified": verified})
    said = "Unverified data: CIFAR-10; checksums were not compared."
    assert (said in table.notes) == (not verified)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar10-tuning"])
def test_below_every_table_stands_what_is_no_test_set(tmp_path: Path, dataset: str) -> None:
    factory.write(tmp_path, factory.metrics(dataset=dataset, cell=CIFAR.replace("cifar10", dataset)))
    said = (
        "CIFAR-10 (tuning): training images stand in for the test set, for choosing hyperparameters; public teachers "
        "may have learned from them."
    )
    for table in standard.tables(group(load(tmp_path)), {}):
        assert (said in table.notes) == (dataset == "cifar10-tuning")
        assert "on test" not in table.title


def test_what_methods_make_and_students_see_stands_beside_the_accuracy(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics("dafl", 10.0, images_synthesised=1_280_000, inner_steps=None, views=51_200))
    factory.write(tmp_path, factory.metrics("kd-real", 10.0, views=12_800))
    factory.write(tmp_path, factory.metrics("nayer", 10.0, images_synthesised=160, inner_steps=40, views=None))
    table = next(table for table in standard.tables(group(load(tmp_path)), {}) if table.name == "images")
    lines = [[entry.text for entry in line.entries] for line in table.blocks[0].lines]
    assert lines == [
        ["90.00", "130", "–", "–", "12,800"],  # real images are not synthesised
        ["90.00", "130", "1,280,000", "–", "51,200"],
        ["90.00", "130", "160", "40", "–"],  # an older record
    ]


def test_seeds_of_different_options_mark_their_row(tmp_path: Path) -> None:
    for seed, config in enumerate(({"steps": 600}, {"steps": 400, "alpha": 0.5}, {"steps": 400, "alpha": 0.50000001})):
        factory.write(tmp_path, factory.metrics(seed=seed, device="cuda"), config=config)
        factory.write(tmp_path, factory.metrics("dafl", seed=seed, device="cuda"), config={"steps": 400})
    factory.write(tmp_path, factory.metrics("dafl", seed=3, device="cuda", status="failed"), config={"steps": 1})
    said = (
        "seeds ran with different alpha: absent (seed 0), 0.5 (seed 1), 0.50000001 (seed 2); "
        "steps: 600 (seed 0), 400 (seeds 1, 2)"
    )
    for table in standard.tables(group(load(tmp_path)), {}):
        assert {line.title.text for line in table.blocks[0].lines if _said(table, line, said)} == {"SSD-KD"}
        assert said in table.csv


def _said(table: Table, line: Line, note: str) -> bool:
    return any(table.footnotes[mark] == note for entry in line.entries for mark in entry.marks)


def test_cpu_times_of_several_at_once_are_marked_and_no_others(tmp_path: Path) -> None:
    cpu = build(tmp_path / "a", {"concurrent": 4})
    gpu = build(tmp_path / "b", {"device": "cuda", "device_name": "GPU"})
    alone = build(tmp_path / "c", {"concurrent": 1})
    assert list(cpu.footnotes.values()) == ["on a machine that cells share, up to 4 at once"]
    assert not gpu.footnotes
    assert not alone.footnotes
    assert [", up to 4 at once" in table.csv for table in (cpu, gpu, alone)] == [True, False, False]
    assert not any(table.csv.splitlines()[1].endswith("shared machine") for table in (gpu, alone))


def test_a_cpus_cost_stands_beside_the_wall_and_a_gpus_is_the_wall(tmp_path: Path) -> None:
    cpu = build(tmp_path / "a", {"cpu_seconds": Seconds(startup=1.0, synthesis=4.0, distillation=5.0, evaluation=0.0)})
    gpu = build(tmp_path / "b", {"device": "cuda", "device_name": "GPU"})
    heads = [[entry.text for entry in table.blocks[0].columns[0].quantities] for table in (cpu, gpu)]
    assert heads == [["top-1 (%)", "CPU s", "wall s"], ["top-1 (%)", "GPU s"]]
    lines = [[entry.text for entry in table.blocks[0].lines[1].entries] for table in (cpu, gpu)]
    assert lines == [["90.00", "10.0", "13.0"], ["90.00", "13.0"]]


@pytest.mark.parametrize(
    ("changes", "notes"),
    [
        (
            {"cpu_seconds": Seconds(startup=0.0, synthesis=1.0, distillation=3.0, evaluation=0.0)},
            "2.5 wall s to a CPU s",
        ),
        ({"device": "cuda", "device_name": "GPU", "device_sharers": 1}, "1 other process on the GPU"),
        ({"device": "cuda", "device_name": "GPU", "device_sharers": 3}, "3 other processes on the GPU"),
    ],
)
def test_an_overloaded_machine_is_said_at_every_time_and_nowhere_else(
    tmp_path: Path, changes: dict[str, Any], notes: str
) -> None:
    table = build(tmp_path, {"seed": 0, **changes}, {"seed": 1, **changes, "status": "failed"}, {"seed": 2, **changes})
    accuracy, *times = marks(table, 1)[1]
    said = "machine overloaded in seeds 0, 2"
    assert accuracy == ["seed 1 failed: no reason recorded"]
    assert times
    assert all(said in each for each in times)
    assert remarks.overload(factory.metrics(**changes)) == notes  # as the page tells it of the run


@pytest.mark.parametrize(
    ("shares", "said"),
    [((1, 1), None), ((3, 3), "on a GPU that cells share, up to 3 at once"), ((1, 2), "share, up to 1 or 2 at once")],
)
def test_times_of_a_shared_gpu_are_marked_and_nothing_else(
    tmp_path: Path, shares: tuple[int, ...], said: str | None
) -> None:
    runs = [{"seed": i, "share": share, "device": "cuda", "device_name": "GPU"} for i, share in enumerate(shares)]
    table = build(tmp_path, *runs)
    accuracy, *times = [
        [table.footnotes[mark] for mark in entry.marks] for entry in table.blocks[0].columns[0].quantities
    ]
    assert not accuracy
    assert [any(said in note for note in each) if said else not each for each in times] == [True]


def test_a_single_seed_has_no_deviation(tmp_path: Path) -> None:
    assert build(tmp_path, {}).blocks[0].lines[1].entries[0].text == "90.00"


@pytest.mark.parametrize(
    ("precisions", "said"),
    [
        (["fp32", "fp32"], "Precision: fp32."),
        (["tf32", None], "Precision: tf32 (scores: fp32)."),
        (["fp32", "bf16"], "Precision: bf16, fp32 (scores: fp32)."),
        ([None, None], None),
    ],
)
def test_below_every_table_stands_how_networks_calculated(
    tmp_path: Path, precisions: list[str | None], said: str | None
) -> None:
    for seed, precision in enumerate(precisions):
        factory.write(tmp_path, factory.metrics(seed=seed, precision=precision))
    for table in standard.tables(group(load(tmp_path)), {}):
        assert [note for note in table.notes if note.startswith("Precision")] == ([said] if said else [])
