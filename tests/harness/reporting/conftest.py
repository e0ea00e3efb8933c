from pathlib import Path

import pytest

from harness.reporting.report import render
from tests.harness.reporting import golden_results


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden study; not to be changed by a test."""
    folder = tmp_path_factory.mktemp("golden") / "results"
    golden_results.build(folder)
    return folder


@pytest.fixture(scope="session")
def reports(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of the golden study; not to be changed by a test."""
    out = tmp_path_factory.mktemp("reports")
    written = render(results, out)
    assert {path for path in out.rglob("*") if path.is_file()} == set(written)
    return out


@pytest.fixture(scope="session")
def ablation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of the study of variants; not to be changed by a test."""
    folder = tmp_path_factory.mktemp("ablation")
    golden_results.build_ablation(folder / "results")
    render(folder / "results", folder / "reports")
    return folder / "reports"
