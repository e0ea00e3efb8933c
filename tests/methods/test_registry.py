"""Methods by name, and what finding them costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import methods
from methods.base.prior import Prior


def test_references_are_methods_like_all_others() -> None:
    files = {file.stem.replace("_", "-") for file in Path(methods.__file__).parent.glob("*.py")}
    assert set(methods.names()) == files - {"--init--", "references"} | {"scratch", "kd-real", "kd-noise"}
    assert methods.names() == sorted(methods.names())
    assert {methods.source(name).name for name in methods.REFERENCES} == {"references.py"}


@pytest.mark.parametrize("name", methods.names())
def test_every_method_is_found_under_its_name(name: str) -> None:
    cls = methods.load(name)
    assert cls.name == name
    assert (cls.prior(cls.Config()) is Prior.REAL_IMAGES) == (name in ("scratch", "kd-real"))


@pytest.mark.parametrize("name", ["sdd-kd", "ssd_kd", "base", "parts", "references", "__init__", "nowhere.py"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(methods.UnknownMethod):
        methods.load(name)


@pytest.mark.parametrize("module", ["methods", "methods.base.presets", "methods.base.schedule", "methods.base.pair"])
def test_names_pairs_and_schedules_do_not_need_torch(module: str) -> None:
    """So that a study is planned in a second."""
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
