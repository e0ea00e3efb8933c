from pathlib import Path

import pytest

from tests.reporting import golden_results


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden study; not to be changed by a test."""
    folder = tmp_path_factory.mktemp("golden") / "results"
    golden_results.build(folder)
    return folder
