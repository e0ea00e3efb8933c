"""Checkpoints in the layouts that people have, made from one small network."""

from __future__ import annotations

import argparse
import datetime
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from harness import networks

State = dict[str, Tensor]


def network(seed: int = 0) -> nn.Module:
    """The network whose weights the files hold."""
    torch.manual_seed(seed)
    return networks.build("cnn3_16", 10, 1)


class Settings:
    """A class of somebody's own code."""

    def __init__(self) -> None:
        self.lr = 0.1


def prefixed(prefix: str, state: State) -> State:
    """``state`` as a wrapper saves it."""
    return {f"{prefix}{name}": value for name, value in state.items()}


def optimizer() -> dict[str, Any]:
    """State of an optimizer that has made a step: dictionaries of tensors, under numbers."""
    model = network()
    adam = torch.optim.Adam(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    adam.step()
    return adam.state_dict()


FITTING: dict[str, Callable[[State], Any]] = {
    "plain": lambda state: state,
    "ordered": OrderedDict,
    "DataParallel": lambda state: prefixed("module.", state),
    "compiled": lambda state: prefixed("_orig_mod.", state),
    "compiled DataParallel": lambda state: prefixed("_orig_mod.module.", state),
    "Lightning": lambda state: {
        "state_dict": prefixed("model.", state),
        "hyper_parameters": {"data": Path("data"), "lr": 0.1},
        "callbacks": {"best": {"score": torch.tensor(0.9)}},
    },
    "net": lambda state: {"net": state, "acc": 93.2, "epoch": 199},
    "net of DataParallel": lambda state: {"net": prefixed("module.", state), "acc": 93.2},
    "model": lambda state: {"epoch": 240, "model": state, "best_acc": torch.tensor(71.3), "opt": argparse.Namespace()},
    "model_state_dict": lambda state: {"model_state_dict": state, "epoch": 3, "optimizer": optimizer()},
    "a name of its own": lambda state: {"teacher_weights": state, "date": "2021"},
    "two levels": lambda state: {"checkpoint": {"generator": None, "params": state}, "version": 2},
    "numpy's float": lambda state: {"state_dict": state, "best": np.float64(93.2), "mean": np.mean([1.0, 2.0])},
    "numpy's other types": lambda state: {"state_dict": state, "n": np.int64(3), "ok": np.bool_(True), "a": np.ones(3)},
    "numpy's float in a list": lambda state: {"state_dict": state, "curve": [np.float32(1.5), np.float32(2.5)]},
    "Namespace": lambda state: {"state_dict": state, "args": argparse.Namespace(lr=0.1, out=Path("x"))},
    "with numbers": lambda state: {**state, "epoch": 5, "note": "best"},
    "with an optimizer beside": lambda state: {**state, "optimizer": optimizer()},
    "without counters": lambda state: {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")},
    "parameters as such": lambda state: {k: nn.Parameter(v, requires_grad=False) for k, v in state.items()},
    "float64": lambda state: {k: v.double() for k, v in state.items()},
    "twice the same": lambda state: {"state_dict": state, "ema": state},
}
"""Layout -> what is saved of a state; all of these are taken as they are."""


def write(layout: str, state: State, file: Path, **options: Any) -> Path:
    """A file of ``layout``."""
    torch.save(FITTING[layout](state), file, **options)
    return file


def write_safetensors(state: State, file: Path) -> Path:
    """A file of safetensors."""
    save_file({name: value.contiguous() for name, value in state.items()}, file)
    return file


def script(file: Path) -> Path:
    """A TorchScript archive."""
    torch.jit.script(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))).save(file)
    return file


def classes() -> dict[str, tuple[Any, str]]:
    """What is saved -> the class that it names."""
    state, here = network().state_dict(), f"{__name__}.Settings"
    return {
        "settings beside": ({"state_dict": state, "cfg": Settings()}, here),
        "a date beside": ({"state_dict": state, "date": datetime.datetime(2020, 1, 1)}, "datetime.datetime"),
        "a class beside the tensors": ({**state, "cfg": Settings()}, here),
    }


def models() -> dict[str, tuple[Any, str]]:
    """What is saved of a whole model -> its class."""
    model = network()
    small, parallel = "harness.networks.small.SmallCNN", "torch.nn.parallel.data_parallel.DataParallel"
    return {
        "a model": (model, small),
        "a model in a dictionary": ({"epoch": 1, "model": model}, small),
        "DataParallel": (nn.DataParallel(model), parallel),
    }
