"""Configurations that are broken in any way: told as the user's mistake, or good cells, and never a traceback."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness import ROOT
from harness.errors import SCREEN, UserError
from harness.grid import keys, settings, yaml_file
from harness.grid.grid import load_grid, select
from harness.grid.study import CELLS
from harness.run.assemble import method_config
from harness.store.layout import CellName
from tests.fuzz.hostile import TEXTS, VALUES, paths, replaced, seeded, texts, values

FILES = sorted((ROOT / "workflow/config").glob("*.yaml"))
CONTENTS = {file.name: file.read_bytes() for file in FILES}
PARSED = {name: yaml.safe_load(content) for name, content in CONTENTS.items()}
SMOKE = load_grid(ROOT / "workflow/config/smoke.yaml").cells
HOSTILE = [text.encode("utf-8", "surrogatepass") for text in TEXTS] + [b"\xff", b"\xe4", b"\n---\n", b"\t"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bench's configurations, for whatever includes them or starts from them."""
    made = tmp_path_factory.mktemp("config")
    for file in FILES:
        shutil.copy(file, made)
    return made


def try_it(folder: Path, name: str, content: bytes) -> None:
    """Read a file as every command does; what is read must have names that are read back."""
    file = folder / name
    file.write_bytes(content)
    with told():
        cells = load_grid(file).cells
        assert 0 < len(cells) <= CELLS
        assert all(str(CellName.parse(cell.name)) == cell.name for cell in cells)
        for cell in {cell.label: cell for cell in cells}.values():
            keys.plan_key(cell)
            method_config(cell)
    file.write_bytes(CONTENTS.get(name, b""))


@contextlib.contextmanager
def told() -> Iterator[None]:
    """A mistake may be found inside, and must then be told on one screen."""
    text = "nothing is wrong"
    try:
        yield
    except UserError as error:
        text = str(error)
    assert 0 < len(text) <= SCREEN


@seeded
@given(st.sampled_from(sorted(CONTENTS)), st.data())
def test_files_with_bytes_that_do_not_belong_there(folder: Path, name: str, data: st.DataObject) -> None:
    content = CONTENTS[name]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 20)))
        put = data.draw(st.one_of(st.sampled_from(HOSTILE), st.binary(max_size=8)))
        content = content[:start] + put + content[end:]
    try_it(folder, name, content)


@seeded
@given(st.sampled_from(sorted(CONTENTS)), st.data())
def test_files_with_lines_in_another_order(folder: Path, name: str, data: st.DataObject) -> None:
    lines = CONTENTS[name].splitlines(keepends=True)
    kept = data.draw(st.lists(st.sampled_from(lines), min_size=1, max_size=len(lines)))
    try_it(folder, name, b"".join(kept))


@seeded
@given(st.sampled_from(sorted(PARSED)), st.data())
def test_files_with_values_of_another_kind(folder: Path, name: str, data: st.DataObject) -> None:
    content = PARSED[name]
    for _ in range(data.draw(st.integers(1, 2))):
        content = replaced(content, data.draw(st.sampled_from(paths(content))), data.draw(values))
    try_it(folder, name, written(content, data))


@seeded
@given(st.sampled_from(sorted(PARSED)), st.data())
def test_files_with_keys_of_another_kind(folder: Path, name: str, data: st.DataObject) -> None:
    content = PARSED[name]
    inside = [path for path in paths(content) if isinstance(at(content, path), dict)]
    path = data.draw(st.sampled_from(inside))
    key = data.draw(st.one_of(texts, st.sampled_from(["include", "extends", "study", "recipe", "budget", "<<"])))
    new = {**at(content, path), key: data.draw(st.one_of(values, st.sampled_from(["digits.yaml", ["digits.yaml"]])))}
    try_it(folder, name, written(replaced(content, path, new), data))


@seeded
@given(st.one_of(st.binary(max_size=200), st.text(alphabet="abk:-[]{}&*<>|!%@#'\"\\, \n\t0123.e", max_size=60)))
def test_files_of_anything(folder: Path, content: bytes | str) -> None:
    try_it(folder, "anything.yaml", content if isinstance(content, bytes) else content.encode())


@seeded
@given(st.lists(texts, max_size=3))
def test_options_by_hand(given_: list[str]) -> None:
    for setting in [*given_, *(f"gamma={text}" for text in given_)]:
        with told():
            found = settings.parse([setting])
            assert all(name.isprintable() for name in found)
            json.dumps(found, allow_nan=False)


@seeded
@given(st.sampled_from(["methods", "scales", "seeds", "teachers", "students", "other"]), values)
def test_selections(name: str, value: object) -> None:
    with told():
        assert select(SMOKE, {name: value})


@seeded
@given(
    st.recursive(st.sampled_from(VALUES[:15]) | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner))
)
def test_what_is_written_as_json_is_read_as_it_was(folder: Path, value: Any) -> None:
    """JSON is YAML: whatever is accepted means the same."""
    file = folder / "json.yaml"
    file.write_text(json.dumps({"x": value}), encoding="utf-8")
    with told():
        assert yaml_file.read(file)[0] == {"x": value}


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """What stands at ``path``."""
    return at(value[path[0]], path[1:]) if path else value


def written(content: object, data: st.DataObject) -> bytes:
    """As YAML or as JSON, which keep other things apart."""
    if data.draw(st.booleans()):
        return json.dumps(content).encode("utf-8", "surrogatepass")
    return str(yaml.safe_dump(content, allow_unicode=True)).encode("utf-8", "surrogatepass")
