"""Takes a teacher that was trained elsewhere: `dkd train-teacher --import FILE`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from harness import data, networks
from harness.engine import evaluate
from harness.errors import UserError
from harness.machine.devices import choose_device
from harness.networks.forward import check_answer
from harness.networks.weights import check_finite
from harness.store.checksums import sha256
from harness.store.layout import Results
from harness.store.records import TeacherRecord
from harness.teachers import contents, matching, shelf, unwrap
from harness.teachers.normalisation import Asked
from harness.terminal import say


def take(
    dataset: str,
    network: str,
    file: Path,
    *,
    key: str | None = None,
    renamings: Sequence[str] = (),
    drops: Sequence[str] = (),
    normalisation: Asked = Asked(),  # noqa: B008 - frozen
    results: Path,
    replace: bool = False,
    changes: Mapping[str, Any] | None = None,
    verify_data: bool = True,
    report: Callable[[str], object] = say,
) -> TeacherRecord:
    """Store a checkpoint that was trained elsewhere as the teacher, after measuring it.

    Raises UserError if there is a teacher already, if the file does not fit, or if it is below its floor.
    """
    folder = Results(results).teacher(dataset, network)
    loaded, device = data.load(dataset, verify_data), choose_device("auto")
    own = normalisation.of(dataset, loaded.task)
    if others := (changes or {}).keys() - {"floor"}:
        raise UserError(f"--set {', '.join(sorted(others))}: nothing is trained with --import; only floor can be set")
    evaluate.check(loaded)
    recipe = loaded.teachers.recipe_for(network, changes or {})
    with shelf.alone(folder, report):
        if not replace and folder.record.exists():
            raise UserError(
                f"{folder.path}: there is a teacher already; --replace takes the new one, and its results become stale"
            )
        model = networks.for_task(network, loaded.task)
        check_answer(model, network, loaded.task)
        model = load_foreign(model, file, renamings, key=key, drops=drops, report=report).to(device).eval()
        if normalisation == Asked():
            report(f"{file}: taken to have learned with {dataset}'s own normalisation; --normalisation names another")
        return shelf.put(folder, model, loaded, device, recipe, imported=sha256(file), own=own)


def load_foreign(
    network: nn.Module,
    file: Path,
    renamings: Sequence[str] = (),
    *,
    key: str | None = None,
    drops: Sequence[str] = (),
    report: Callable[[str], object] = say,
) -> nn.Module:
    """Fill ``network`` from a file of `torch.save` or safetensors; no code of the file is executed.

    Args:
        network: of the registered architecture.
        file: a dictionary of names and tensors, at its top or in one of its entries.
        renamings: ``pattern=replacement`` each, regular expressions applied to the file's keys in this order.
        key: the entry that holds the weights, names joined by dots; needed where several may be meant.
        drops: regular expressions of keys to leave out.
        report: told, a line each, what was done to make it fit.

    Raises UserError that says what the file is instead, or which of its keys do not fit.
    """

    def say(line: str) -> None:
        report(f"{file}: {line}")

    try:
        weights = unwrap.weights_in(contents.read(file), key, say)
        state = matching.match(weights, network.state_dict(), renamings=renamings, drops=drops, say=say)
    except UserError as error:
        raise UserError(f"--import {file}: {error}") from None
    network.load_state_dict(state, strict=False)
    check_finite(network, f"--import {file}", "a teacher must know its weights")
    return network
