"""The table of parts in docs/add-a-method.md: whole, with the signatures and bounds that Python sees, and shapes."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from typing import Any

import annotated_types
import pytest
from pydantic import BaseModel

from docs.generate import DOCS
from docs.parts import ROOT, files
from methods.base import bounds

PAGE = (DOCS / "add-a-method.md").read_text(encoding="utf-8").partition("# The parts")[2]
PARTS = [file for file in files() if file.startswith("methods/parts/")]
SIGNS = {
    annotated_types.Ge: ("ge", "≥"),
    annotated_types.Gt: ("gt", ">"),
    annotated_types.Le: ("le", "≤"),
    annotated_types.Lt: ("lt", "<"),
}


def rows(file: str) -> str:
    return PAGE.partition(f"### {file}\n")[2].partition("\n### ")[0]


def public(file: str) -> list[tuple[str, Any]]:
    """Classes and functions of a file, as Python has them."""
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    found = [(name, value) for name, value in vars(module).items() if name[0] != "_" and callable(value)]
    return [(name, value) for name, value in found if getattr(value, "__module__", "") == module.__name__]


@pytest.mark.parametrize("file", files())
def test_everything_public_is_listed_with_the_names_of_what_it_takes(file: str) -> None:
    listed = rows(file)
    for name, value in public(file):
        assert re.search(rf"`(class )?{name}\b", listed), name
        inside = {f"{name}.{key}": inner for key, inner in vars(value).items() if key[0] != "_"}
        for path, function in ({name: value} if inspect.isfunction(value) else inside).items():
            if inspect.isfunction(function):
                (arguments,) = re.findall(rf"`{re.escape(path)}\((.*?)\) -> ", listed)
                taken = [argument for argument in inspect.signature(function).parameters if argument != "self"]
                assert re.findall(r"(?:^|, )\*{0,2}(\w+):", re.sub(r"\[.*?\]+", "", arguments)) == taken, path


@pytest.mark.parametrize("file", PARTS)
def test_bounds_of_hyperparameters_are_listed(file: str) -> None:
    """Those that a field gives itself, not those of its type, such as Steps."""
    for _, config in public(file):
        if isinstance(config, type) and issubclass(config, BaseModel):
            for name in config.__annotations__.keys() & config.model_fields.keys():
                if config.__annotations__[name] in vars(bounds):
                    continue
                for bound in config.model_fields[name].metadata:
                    if type(bound) in SIGNS:
                        attribute, sign = SIGNS[type(bound)]
                        assert re.search(rf"\b{name}: [^`]*{sign} {getattr(bound, attribute)}\b", rows(file)), name


@pytest.mark.parametrize("file", PARTS)
def test_whatever_takes_or_gives_tensors_says_of_which_shape(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    for owner in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        around = "" if isinstance(owner, ast.Module) else ast.get_docstring(owner) or ""
        for node in owner.body:
            if isinstance(node, ast.FunctionDef) and (node.name == "__call__" or node.name[0] != "_"):
                text = ast.get_docstring(node) or ""
                given = ast.unparse(node.args) + ast.unparse(node.returns or ast.Constant(None))
                if "Tensor" in given and not text.startswith("Nothing"):
                    assert re.search(r"\[|0-dim", text + around), f"{node.name}: {text}"
