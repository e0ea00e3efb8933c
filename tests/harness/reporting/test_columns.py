from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.reporting.columns import filters, select
from harness.reporting.runs import load
from methods.base.prior import Prior
from tests import factory


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two runs that differ in everything asked for below, and one that is damaged."""
    factory.write(tmp_path, factory.metrics("a", 10.0, 0, images_synthesised=1_280_000, preset="original"))
    factory.write(
        tmp_path, factory.metrics("b", 0.5, 1, device="cuda", device_name="NVIDIA H200", prior=Prior.LABEL_TEXT)
    )
    (factory.write(tmp_path, factory.metrics("c", 10.0, 2)) / "metrics.json").write_text("{", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("column", "value", "labels"),
    [
        *(("label", "a", ["a"]), ("seed", "1", ["b"]), ("scale", "0.5", ["b"]), ("scale", "10", ["a", "c"])),
        *(("status", "damaged", ["c"]), ("prior", "label text", ["b"]), ("device_name", "NVIDIA H200", ["b"])),
        *(
            ("images_synthesised", "1280000", ["a"]),
            ("seconds.startup", "3", ["a", "b"]),
            ("cost", "13", ["a"]),
            ("overloaded", "False", ["a", "b"]),
        ),
        *(
            ("commit", "c0ffee" + "0" * 34, ["a", "b"]),
            ("attempts", "1", ["a", "b"]),
            ("expected", "3", ["a", "b", "c"]),
        ),
        *(("preset", "original", ["a"]), ("preset", "nan", ["b", "c"]), ("commit", "nan", ["c"])),
    ],
)
def test_a_filter_goes_by_any_column(study: Path, column: str, value: str, labels: list[str]) -> None:
    assert [run.name.label for run in select(load(study), {column: [value]})] == labels


def test_columns_are_known_and_the_usual_ones_listed(study: Path) -> None:
    with pytest.raises(ConfigError) as error:
        select(load(study), {"lable": ["a"]})
    assert str(error.value) == (
        "only lable: no such column\n  did you mean: label\n"
        "  the usual ones: study, dataset, teacher, student, label, method, preset, prior, scale, seed, status, final, "
        "cost, steps, device, device_name, precision, overloaded, commit, dirty; all others: docs/frame.md"
    )


def test_a_filter_goes_by_a_hyperparameter(tmp_path: Path) -> None:
    for label, lr in (("a", 0.1), ("b", 0.2)):
        factory.write(tmp_path, factory.metrics(label), config={"inverter": {"lr": lr, "betas": [0.5, 0.9]}})
    assert [run.name.label for run in select(load(tmp_path), {"config.inverter.lr": ["0.2"]})] == ["b"]
    assert len(select(load(tmp_path), {"config.inverter.betas": ["[0.5,0.9]"]})) == 2
    with pytest.raises(ConfigError, match=r"no such column\n  did you mean: config.inverter.lr"):
        select(load(tmp_path), {"config.inverter.rl": ["0.2"]})


def test_values_are_those_of_all_runs_whatever_else_is_asked(study: Path) -> None:
    assert select(load(study), {"label": ["a"], "seed": ["1", "2"]}) == []
    with pytest.raises(ConfigError, match=r"only scale=1: no run has this value\n  valid choices: 0.5, 10"):
        select(load(study), {"label": ["a"], "scale": ["1"]})


def test_a_column_given_twice_accepts_all_its_values() -> None:
    assert filters(["label=a", "scale=10", "label=b,c"]) == {"label": ["a", "b,c"], "scale": ["10"]}


def test_a_value_may_hold_commas_itself(tmp_path: Path) -> None:
    for seed, name in enumerate(("AMD EPYC (family 25, model 17)", "AMD EPYC", "Other CPU")):
        factory.write(tmp_path, factory.metrics(seed=seed, device_name=name))
    runs = load(tmp_path)

    def seeds(*texts: str) -> list[int]:
        return [run.name.seed for run in select(runs, filters([f"device_name={text}" for text in texts]))]

    assert seeds("AMD EPYC (family 25, model 17)") == [0]
    assert seeds("AMD EPYC (family 25, model 17)", "Other CPU") == [0, 2]
    assert seeds("AMD EPYC,Other CPU") == [1, 2]
