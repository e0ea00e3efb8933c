"""The columns of a notebook's frame for docs/frame.md: names from the code, meanings from the records' docstrings."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.commands.show import words
from harness.reporting import columns, frame
from harness.store import records
from harness.store.records import Event, Flops, Metrics, Record, Seconds

COUNTED = {"seconds": Seconds, "cpu_seconds": Seconds, "flops": Flops}
KINDS = {"overloaded": "true or false", "dirty": "true or false", "cost": "number", "attempts": "integer"}
KINDS |= {"expected": "integer"}
"""What columns hold that are no field and no text."""

OPTIONS = (
    "A value that the method ran with, defaults included; `dkd show METHOD` says what it is. What lies in groups has "
    "dots: `config.group.name`. Lists are JSON. Missing where a method has no such value."
)


def frame_page() -> str:
    """A table of the usual columns, one of all others, one of a learning curve."""
    rest = [name for name in columns.COLUMNS if name not in columns.USUAL]
    own = [name for name in Event.model_fields if name not in ("synthesis", "distillation", *COUNTED)]
    return "".join(
        [
            *_table("The usual ones", "What `dkd report --only` lists.", [_row(name) for name in columns.USUAL]),
            *_table("All others", "", [_row(name) for name in rest]),
            *_table("Hyperparameters", "", [(f"{columns.CONFIG}NAME", "any", OPTIONS)]),
            *_table(
                "Of a learning curve",
                f"`harness.curves(runs)`: a row per evaluation, with {_listed(frame.KEPT)} of its run, and",
                [*(_event(name) for name in own), *_rest_of_curve()],
            ),
        ]
    )


def meanings() -> dict[str, str]:
    """Every column of a run, but those of hyperparameters, to what it is."""
    found = {name: _docs(Metrics).get(name, "") for name in Metrics.model_fields if name not in COUNTED}
    for outer, model in COUNTED.items():
        found |= {f"{outer}.{name}": f"{_docs(Metrics)[outer]} {_docs(model)[name]}" for name in model.model_fields}
    return found | columns.PRINTED | columns.DERIVED


def _rest_of_curve() -> Iterator[tuple[str, str, str]]:
    yield "seconds.NAME, cpu_seconds.NAME", "number", "Totals so far, as above."
    yield "cost", "number", "Seconds end to end so far, as above."
    for name in ("synthesis", "distillation"):
        yield f"{name}.NAME", "number", _docs(Event)[name]


def _row(name: str) -> tuple[str, str, str]:
    outer, _, inner = name.rpartition(".")
    fields = (COUNTED[outer] if outer else Metrics).model_fields
    kind = words.kind(fields[inner].annotation, "`") if inner in fields else KINDS.get(name, "text")
    return name, kind, meanings()[name]


def _event(name: str) -> tuple[str, str, str]:
    return name, words.kind(Event.model_fields[name].annotation), _docs(Event)[name]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


@functools.cache
def _docs(model: type[Record]) -> dict[str, str]:
    """Field of a record -> the text behind it, on one line."""
    module = ast.parse(Path(records.__file__).read_text(encoding="utf-8"))
    (found,) = [node for node in module.body if isinstance(node, ast.ClassDef) and node.name == model.__name__]
    texts = {}
    for node, behind in zip(found.body, found.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant):
            texts[ast.unparse(node.target)] = " ".join(str(behind.value.value).replace("``", "`").split())
    return texts


def _table(title: str, text: str, rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    yield f"## {title}\n\n"
    yield f"{text}\n\n" if text else ""
    yield "| column | holds | what it is |\n|---|---|---|\n"
    for name, kind, meaning in rows:
        quoted = ", ".join(f"`{each}`" for each in name.split(", "))
        yield f"| {quoted} | {kind} | {meaning} |\n"
    yield "\n"
