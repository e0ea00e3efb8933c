"""Files of `torch.save`, read without running anything: classes that they name are told, never imported."""

from __future__ import annotations

import io
import pickletools
import re
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import torch

from harness.errors import UserError


class Aside:
    """Stands for an object beside the weights that is of no use here, such as an accuracy in NumPy's type."""

    def __new__(cls, *_arguments: object) -> Aside:
        """Whatever it was made from is dropped."""
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Nothing is kept."""


HARMLESS = (
    *("argparse.Namespace", "types.SimpleNamespace"),
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
    *("numpy.dtype", "numpy.ndarray"),
    *(f"numpy.dtypes.{kind}DType" for kind in ("Float64", "Float32", "Int64", "Int32", "Bool")),
    *(f"{home}.{kind}Path" for home in ("pathlib", "pathlib._local") for kind in ("", "Posix", "Windows")),
    *(f"{home}.Pure{kind}Path" for home in ("pathlib", "pathlib._local") for kind in ("", "Posix", "Windows")),
)
"""Classes that people's checkpoints hold beside the weights; each is read as `Aside`."""
PLAIN = re.compile(
    r"collections\.(OrderedDict|Counter)|torch(\._utils|\.storage|\.nn\.parameter)?\.\w+|_codecs\.encode"
    r"|(builtins|__builtin__)\.(set|frozenset|bytearray|complex)"
)
"""Names that a dictionary of tensors alone may have in its file."""
MODULES = ("torch.nn.modules.", "torch.nn.parallel.")
"""Where the classes of layers are defined: a file that names one holds a model, not its weights."""

LOAD = 'import sys, torch; x = torch.load(sys.argv[1], map_location="cpu", weights_only=False); '
MODEL = LOAD + (
    "x = next(v for v in [x, *(x.values() if isinstance(x, dict) else [])] if isinstance(v, torch.nn.Module)); "
    "torch.save(x.state_dict(), sys.argv[2])"
)
"""From a whole model, or one in a dictionary, to its weights."""
BESIDE = LOAD + (
    "torch.save({k: v for k, v in x.items() if torch.is_tensor(v) "
    "or isinstance(v, dict) and all(map(torch.is_tensor, v.values()))}, sys.argv[2])"
)
"""From weights with other objects beside them to the weights."""
SCRIPT = 'import sys, torch; torch.save(torch.jit.load(sys.argv[1], "cpu").state_dict(), sys.argv[2])'
"""From a TorchScript archive to its weights."""


def read(file: Path) -> object:
    """What `torch.save` wrote. Raises UserError if that names code, with the line that makes weights of it."""
    try:
        # An open file: given a name, torch goes by its suffix.
        with file.open("rb") as opened, torch.serialization.safe_globals([(Aside, name) for name in HARMLESS]):
            return torch.load(opened, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - torch raises many types for a file that it does not understand
        raise UserError(_problem(file, error)) from None


def conversion(file: Path, program: str) -> str:
    """A command line that makes a file of plain weights from one that only its owner's code can open."""
    return shlex.join(["python", "-c", program, str(file), f"{file}.weights.pt"])


def _problem(file: Path, error: Exception) -> str:
    try:
        names = _classes(file)
    except Exception:  # noqa: BLE001 - zipfile and pickletools raise as many for bytes that are damaged
        names = []
    if not names:
        return f"cannot be read as weights: cut, damaged or not made by torch.save ({type(error).__name__})"
    model = any(name.startswith(MODULES) for name in names)
    what = "a whole pickled model, of" if model else "besides tensors it holds"
    return (
        f"cannot be read as weights: {what} the class {names[0]}, and opening it would run code\n"
        f"  where you trust the file and have that class, make weights of it: "
        f"{conversion(file, MODEL if model else BESIDE)}"
    )


def _classes(file: Path) -> list[str]:
    """Classes and functions that the file names, in its order, but for those that hold tensors."""
    with file.open("rb") as opened:
        if not zipfile.is_zipfile(opened):
            opened.seek(0)
            found = list(_named(opened))
        else:
            with zipfile.ZipFile(opened) as archive:
                data = next(name for name in archive.namelist() if name.endswith("data.pkl"))
                found = list(_named(io.BytesIO(archive.read(data))))
    return [name for name in dict.fromkeys(found) if name not in HARMLESS and not PLAIN.fullmatch(name)]


def _named(opened: BinaryIO) -> Iterator[str]:
    """The names in the pickles at the beginning of a stream; older files have several, and raw numbers after them."""
    try:
        while True:
            for opcode, argument, _ in pickletools.genops(opened):
                if opcode.name == "GLOBAL":
                    yield str(argument).replace(" ", ".")
    except ValueError:  # no pickle any more
        return
