"""Takes a teacher that was trained elsewhere: `dkd train-teacher --import FILE`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import nn

from harness import data, networks
from harness.data.dataset import Dataset
from harness.data.own import OwnData
from harness.data.recipe import Recipe
from harness.engine import evaluate
from harness.errors import UserError
from harness.machine.devices import lease_device
from harness.networks.forward import check_answer
from harness.networks.weights import check_finite
from harness.store.checksums import sha256
from harness.store.layout import Results, TeacherFolder
from harness.store.records import Imported, TeacherRecord
from harness.teachers import contents, matching, shelf, unwrap
from harness.teachers.normalisation import Asked
from harness.teachers.renaming import AS_THEY_ARE, KeyRules
from harness.terminal import say
from methods.base.names import network_name, teacher_name


def take(
    dataset: str | OwnData,
    network: str,
    file: Path,
    *,
    name: str | None = None,
    rules: KeyRules = AS_THEY_ARE,
    normalisation: Asked = Asked(),  # noqa: B008 - frozen
    known: Mapping[str, Any] = MappingProxyType({}),
    results: Path,
    replace: bool = False,
    changes: Mapping[str, Any] | None = None,
    verify_data: bool = True,
    report: Callable[[str], object] = say,
) -> TeacherRecord:
    """Store a checkpoint that was trained elsewhere as the teacher, after measuring it.

    Args:
        dataset: what it was trained on.
        network: what it is.
        file: of `torch.save` or safetensors.
        name: what tells it from other teachers of this network.
        rules: the user's, for the file's keys.
        normalisation: of the inputs that it learned from.
        known: what else its record shall say of its origin, see `Imported`.
        results: where teachers live.
        replace: take it even if there is one.
        changes: ``floor``, percent.
        verify_data: whether the dataset's files must have their official checksums.
        report: takes lines for the person.

    Raises UserError if there is a teacher already, if the file does not fit, or if it is below its floor.
    """
    folder = Results(results).teacher(str(dataset), teacher_name(network_name(network), name))
    loaded = data.load(dataset, verify_data)
    own, recipe = normalisation.of(str(dataset), loaded.task), recipe_for(loaded, network, changes or {})
    contents.check("--import", file)
    _check_free(folder, replace)
    evaluate.check(loaded)
    model = networks.for_task(network, loaded.task)
    check_answer(model, network, loaded.task)
    layout = load_foreign(model, file, network=network, dataset=str(dataset), rules=rules, report=report)
    if normalisation == Asked():
        report(f"{file}: taken to have learned with {dataset}'s own normalisation; --normalisation names another")
    patterns = {"renamings": list(rules.renamings), "drops": list(rules.drops)}
    facts: dict[str, Any] = {"file": file.name, "sha256": sha256(file), "layout": layout, **patterns, **known}
    with shelf.alone(folder, report):
        _check_free(folder, replace)  # asked again under the lock: another process may have stored one meanwhile
        device = lease_device("auto", f"teacher {folder.dataset}/{folder.name}")
        model = model.to(device).eval()
        return shelf.put(folder, network, model, loaded, device, recipe, imported=Imported(**facts), own=own)


def _check_free(folder: TeacherFolder, replace: bool) -> None:
    if not replace and folder.record.exists():
        raise UserError(
            f"{folder.path}: there is a teacher already\n"
            "  --replace takes the new one, and its results become stale; --name NAME keeps both"
        )


def recipe_for(dataset: Dataset, network: str, changes: Mapping[str, Any]) -> Recipe:
    """The recipe that a teacher from elsewhere is held to, for its floor. Raises UserError for any other change."""
    if others := changes.keys() - {"floor"}:
        raise UserError(f"--set {', '.join(sorted(others))}: nothing is trained here; only floor can be set")
    return dataset.teachers.recipe_for(network, changes)


def load_foreign(
    model: nn.Module,
    file: Path,
    *,
    network: str,
    dataset: str,
    rules: KeyRules = AS_THEY_ARE,
    report: Callable[[str], object] = say,
) -> str | None:
    """Fill ``model`` from a file of `torch.save` or safetensors; no code of the file is executed.

    Args:
        model: a network of the registered architecture.
        file: a dictionary of names and tensors, at its top or in one of its entries.
        network: what the model is registered as.
        dataset: the one whose classes it tells apart.
        rules: the user's, for the file's keys.
        report: told, a line each, what was done to make it fit.

    Returns the name of the layout in which the file was read, None for our own.

    Raises UserError that says what the file is instead, or which of its keys do not fit.
    """

    def say(line: str) -> None:
        report(f"{file}: {line}")

    try:
        weights = unwrap.weights_in(contents.read(file), rules.entry, say)
        found = matching.match(weights, model.state_dict(), network=network, dataset=str(dataset), rules=rules, say=say)
    except UserError as error:
        raise UserError(f"--import {file}: {error}") from None
    model.load_state_dict(found.state, strict=False)
    check_finite(model, f"--import {file}", "a teacher must know its weights")
    return found.layout
