import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ConfigError, UserError
from harness.reporting.report import render
from harness.store.records import Metrics
from tests import factory

FIGURES = ("scale", "real", "efficiency", "operations", "synthetic", "learning", "samples")


def test_files_of_a_study(reports: Path) -> None:
    pair = "digits-wrn10_1--cnn3_16"
    assert {path.name for path in (reports / "toy/figures").iterdir()} == {
        f"{name}-{pair}{kind}" for name in FIGURES for kind in (".svg", ".png", ".pdf", "-column.pdf")
    }


def test_the_same_records_give_the_same_bytes(results: Path, reports: Path, tmp_path: Path) -> None:
    for path in render(results, tmp_path):
        assert path.read_bytes() == (reports / path.relative_to(tmp_path)).read_bytes(), path.name


def test_the_records_of_a_study_stand_beside_its_tables(results: Path, reports: Path) -> None:
    """Those of runs that failed too; a damaged one has none."""
    lines = (reports / "toy/records.jsonl").read_text(encoding="utf-8").splitlines()
    names = sorted(path.parent.relative_to(results).as_posix() for path in factory.find_metrics(results))
    assert [json.loads(line)["cell"] for line in lines] == [
        name for name in names if name != "toy/digits/wrn10_1--cnn3_16/fast-2/scale-1/seed-1"
    ]
    first = Metrics.model_validate_json(lines[0])
    assert first == Metrics.model_validate_json((results / first.cell / "metrics.json").read_bytes())


def test_a_study_without_any_finished_run(tmp_path: Path) -> None:
    factory.write(tmp_path / "results", factory.metrics(status="failed", reason="no", final=None, best=None))
    written = render(tmp_path / "results", tmp_path / "out")
    assert not any(path.suffix == ".svg" for path in written)
    assert "– (0/1)" in (tmp_path / "out/toy/tables/accuracy-time.md").read_text(encoding="utf-8")


def test_several_studies_and_pairs(tmp_path: Path) -> None:
    for study in ("one", "two"):
        for teacher in ("t1", "t2"):
            cell = f"{study}/digits/{teacher}--cnn3_16/ssd-kd/scale-10/seed-0"
            factory.write(tmp_path / "results", factory.metrics(study=study, teacher=teacher, cell=cell))
    written = render(tmp_path / "results", tmp_path / "all")
    assert sum(path.suffix == ".svg" for path in written) == 4 * (len(FIGURES) - 1)  # there is no real data
    render(tmp_path / "results", tmp_path / "one", only={"study": ["one"]})
    told = [
        b"A part of the results: study = one." in (tmp_path / to / "index.html").read_bytes() for to in ("one", "all")
    ]
    assert told == [True, False]
    assert [path.name for path in sorted((tmp_path / "one").iterdir())] == ["index.html", "one"]
    with pytest.raises(ConfigError, match="valid choices: one, two"):
        render(tmp_path / "results", tmp_path / "x", only={"study": ["three"]})


def test_a_report_is_not_written_into_the_results(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics())
    with pytest.raises(UserError, match="is the results folder"):
        render(tmp_path, tmp_path)


def test_the_page_opens_with_the_study_of_most_runs(tmp_path: Path) -> None:
    for study, seeds in (("ablation", 1), ("main", 3), ("side", 1)):
        for seed in range(seeds):
            cell = f"{study}/digits/wrn10_1--cnn3_16/ssd-kd/scale-10/seed-{seed}"
            factory.write(tmp_path / "results", factory.metrics(study=study, seed=seed, cell=cell))
    render(tmp_path / "results", tmp_path / "out")
    headings = re.findall(r"<h2[^>]*>\s*(\w+)", (tmp_path / "out/index.html").read_text(encoding="utf-8"))
    assert [heading for heading in headings if heading in ("ablation", "main", "side")] == ["main", "ablation", "side"]


def test_nothing_to_report(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no results to report"):
        render(tmp_path, tmp_path / "out")
    with pytest.raises(UserError, match="with this filter"):
        render(results, tmp_path / "out", only={"label": ["scratch"], "scale": ["1"]})


def test_reports_need_neither_torch_nor_a_method_nor_a_notebook() -> None:
    code = "import sys; from harness.reporting.report import render; print(*sorted(sys.modules))"
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, encoding="utf-8", check=True)
    loaded = set(run.stdout.split())
    assert not {"torch", "mlflow", "snakemake", "pandas"} & loaded
    assert {name for name in loaded if name.split(".")[0] == "methods"} <= {
        *("methods", "methods.base", "methods.base.names", "methods.base.outside", "methods.base.pair"),
        "methods.base.prior",
    }
    assert {"matplotlib", "jinja2"} <= loaded
