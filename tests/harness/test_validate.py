from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.validate import validate

STUDY = """
study: other
dataset: digits
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [1]
seeds: [0]
methods: {{ssd-kd: {options}}}
"""


def write(folder: Path, options: str) -> Path:
    file = folder / "mine.yaml"
    file.write_text(STUDY.format(options=options))
    return file


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("{gama: 1.0}", r"mine\.yaml: methods\.ssd-kd\.gama: unknown key[\s\S]*did you mean: gamma"),
        ("{gamma: much}", r"mine\.yaml: methods\.ssd-kd\.gamma: 'much'"),
        ("{gamma: -1.0}", r"methods\.ssd-kd\.gamma: -1\.0: Input should be greater than or equal to 0"),
        ("{replacement: newest}", r"methods\.ssd-kd\.replacement: 'newest': Input should be 'lowest' or 'oldest'"),
        ("{preset: smok}", r"methods\.ssd-kd\.preset: ssd-kd has no preset 'smok'[\s\S]*did you mean: smoke"),
    ],
)
def test_bad_options_name_file_key_value_and_choices(tmp_path: Path, options: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        validate(write(tmp_path, options))


def test_a_scale_with_few_images_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    assert len(validate(write(tmp_path, "{}"), said.append)) == 1
    assert said[0] == "mine.yaml: scale 1 leaves 13 images, fewer than 32"
