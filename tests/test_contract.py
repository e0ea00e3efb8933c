"""The contract, over every registered method, and proof that the contract test can fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import methods
from harness.commands.contract import check, contract_problems
from harness.errors import UserError
from tests import small

ALL = methods.names()


@pytest.mark.parametrize("name", ALL)
def test_method_keeps_the_contract(name: str) -> None:
    assert contract_problems(name) == []


@pytest.mark.parametrize(
    ("name", "preset"), small.once([pair for pair in small.presets() if pair[1] != "smoke"], small.options)
)
def test_every_preset_keeps_the_contract(name: str, preset: str) -> None:
    """With few and short steps; what a preset switches on or off stays."""
    assert contract_problems(name, small.options(name, preset)) == []


FORGETFUL = '''
from methods.references import KDNoise

class Forgetful(KDNoise):
    """Forgets {what}."""
    name = "forgetful"
{body}
'''


def write(folder: Path, what: str, body: str) -> str:
    file = folder / "forgetful.py"
    file.write_text(FORGETFUL.format(what=what, body=body), encoding="utf-8")
    return str(file)


def test_lost_optimizer_state_is_noticed(tmp_path: Path) -> None:
    body = """
    def load_state_dict(self, state):
        state["distiller"]["optimizer"]["state"] = {}
        super().load_state_dict(state)
"""
    assert any("student" in problem for problem in contract_problems(write(tmp_path, "momentum", body)))


def test_global_randomness_is_noticed(tmp_path: Path) -> None:
    body = """
    def distill_step(self):
        import torch
        torch.rand(1)
        return super().distill_step()
"""
    (problem,) = contract_problems(write(tmp_path, "streams", body))
    assert problem.startswith("it changed torch's global random generator")


def test_missing_steps_are_noticed(tmp_path: Path) -> None:
    body = """
    def round(self, index, clock):
        losses = super().round(index, clock)
        losses.distillation = losses.distillation[1:]
        return losses
"""
    problems = contract_problems(write(tmp_path, "steps", body))
    assert any("distillation steps" in problem for problem in problems)


def test_what_a_method_prints_is_noticed(tmp_path: Path) -> None:
    body = """
    def distill_step(self):
        print("loss now", 3)
        return super().distill_step()
"""
    (problem,) = contract_problems(write(tmp_path, "manners", body))
    assert problem.startswith("it prints, where losses and counts tell what it does: 'loss now 3")


def test_images_out_of_range_are_noticed(tmp_path: Path) -> None:
    body = """
    def synthetic_images(self, count):
        return 2 * super().synthetic_images(count) - 1
"""
    with pytest.raises(UserError, match=r"expected \[0, 1\]"):
        check(write(tmp_path, "range", body))


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ("return None", "distill_step returned None, not a dictionary of named 0-dim tensors"),
        (
            "return {'loss (%)': super().distill_step()['kd']}",
            "distill_step names a loss 'loss (%)': a name is letters",
        ),
        ("import sys; sys.exit(0)", "SystemExit: 0 (forgetful.py:"),
        ("import os; os.chdir('/'); return super().distill_step()", "it changed the working directory"),
        (
            "loss = super().distill_step()['kd']; return {'kd': loss.requires_grad_()}",
            "distill_step returned the loss 'kd' with its graph",
        ),
        ("return 1 / 0", "ZeroDivisionError: division by zero (forgetful.py:"),
    ],
)
def test_a_method_that_cannot_be_run_is_told_why(tmp_path: Path, step: str, problem: str) -> None:
    file = write(tmp_path, "itself", f"\n    def distill_step(self):\n        {step}\n")
    with pytest.raises(UserError) as refused:
        check(file)
    assert problem in str(refused.value)


def test_a_method_that_cannot_go_on_after_a_kill_is_told_why(tmp_path: Path) -> None:
    body = "\n    def load_state_dict(self, state):\n        state['momentum']\n"
    (problem,) = contract_problems(write(tmp_path, "all", body))
    assert problem.startswith("it does not go on after a kill: KeyError: 'momentum' (forgetful.py:")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "\n    def fixed_images(self):\n        return 2 * super().fixed_images() - 1\n",
            r"its images go from -\S+ to \S+, ",
        ),
        (
            "\n    def fixed_images(self):\n        return super().fixed_images()[:7]\n",
            "from 7 images in the end, most_images says",
        ),
    ],
)
def test_images_that_a_pool_would_take_in_silence_are_noticed(tmp_path: Path, body: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        check(write(tmp_path, "images", body))


def test_what_a_resume_lost_is_told_in_few_lines(tmp_path: Path) -> None:
    body = """
    def load_state_dict(self, state):
        state["distiller"]["optimizer"]["state"] = {}
        super().load_state_dict(state)
"""
    problems = contract_problems(write(tmp_path, "momentum", body))
    assert len(problems) <= 5
    assert problems[0].startswith("after a resume the student differs: ")
    assert problems[-1].endswith("Stateful.state")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "\n    presets = {'mine': Preset({'stepps': 3})}\n",
            r"preset 'mine' of Forgetful: stepps: \w+ has no such hyperparameter, but steps, epochs",
        ),
        (
            "\n    presets = {'mine': Preset({'lr': -1.0})}\n",
            r"preset 'mine' of Forgetful: lr: Input should be greater",
        ),
    ],
)
def test_a_preset_that_does_not_fit_is_named(tmp_path: Path, body: str, problem: str) -> None:
    file = write(tmp_path, "presets", body)
    text = Path(file).read_text(encoding="utf-8")
    Path(file).write_text("from methods.base.presets import Preset\n" + text, encoding="utf-8")
    with pytest.raises(UserError, match=problem):
        check(file)


def test_a_method_without_a_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "nameless.py"
    body = "from methods.parts.fixed_images import FixedImages\nclass Nameless(FixedImages):\n    fixed_images = None\n"
    file.write_text(body, encoding="utf-8")
    with pytest.raises(UserError, match="Nameless has no name"):
        check(str(file))


def test_abstract_method_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "half.py"
    file.write_text(
        "from methods.base.method import Method\nclass Half(Method):\n    name = 'half'\n", encoding="utf-8"
    )
    with pytest.raises(UserError, match="does not define distill_step"):
        check(str(file))


def test_unknown_method_lists_the_known() -> None:
    with pytest.raises(UserError, match="ssd-kd"):
        check("sdd-kd")


def test_a_methods_file_is_imported_once(tmp_path: Path) -> None:
    """Else its classes differ from call to call, and isinstance says no."""
    file = write(tmp_path, "nothing", "")
    assert methods.load(file) is methods.load(file)
    Path(file).write_text(Path(file).read_text(encoding="utf-8").replace("Forgets", "Has forgotten"), encoding="utf-8")
    os.utime(file, ns=(1, 1))
    assert "Has forgotten" in str(methods.load(file).__doc__)
