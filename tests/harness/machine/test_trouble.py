"""What is the machine's trouble and what is not, by the words of the libraries that tell it."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
import torch

from harness.machine import trouble
from tests.harness.test_errors import Mute

NUMBERS = [
    *("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "ESTALE", "ENOLCK", "ENOSYS", "EOPNOTSUPP"),
    *("ENOMEM", "EAGAIN", "EMFILE", "ENFILE", "ENODEV", "ENXIO", "EBUSY", "EREMOTEIO", "EHOSTDOWN", "EHOSTUNREACH"),
    *("ECONNRESET", "ETIMEDOUT", "ENOTCONN", "ENETDOWN"),
]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_refusal_of_the_system_is_trouble_in_every_form(name: str) -> None:
    number = getattr(errno, name)
    words = os.strerror(number)
    assert (trouble.told(OSError(number, words, "some/file")) or "").endswith(": some/file")
    assert trouble.told(RuntimeError(f"unable to write: {words} ({number})"))
    assert trouble.told(ForeignError(f'IoError(Os {{ message: "..." }}) (os error {number})'))
    assert trouble.told(caused(ValueError("could not be saved"), OSError(number, words)))


class ForeignError(Exception):
    """What a library tells its trouble in."""


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__context__ = cause
    return error


@pytest.mark.parametrize(
    "text",
    [
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
        "allocate 4000000000000 bytes. Error code 12 (Cannot allocate memory)",
        "[enforce fail at alloc_cpu.cpp] data. DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.",
        "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.10 GiB",
        "CUDA error: out of memory",
        "HIP out of memory. Tried to allocate 2.00 MiB",
        "MPS backend out of memory (MPS allocated: 9.01 GB)",
        "std::bad_alloc",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuFFT error: CUFFT_ALLOC_FAILED",
        "unable to mmap 512 bytes from file </torch_1>: Cannot allocate memory (12)",
        "can't start new thread",
    ],
)
def test_every_allocator_is_understood(text: str) -> None:
    assert (trouble.told(RuntimeError(text)) or "").startswith("out of memory: RuntimeError: ")


@pytest.mark.parametrize(
    "text",
    [
        "CUDA error: uncorrectable ECC error encountered\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: unspecified launch failure",
        "CUDA error: the launch timed out and was terminated",
        "CUDA error: all CUDA-capable devices are busy or unavailable",
        "CUDA driver error: device not ready",
        "CUDA unknown error - this may be due to an incorrectly set up environment",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR",
        "No CUDA GPUs are available",
        "Found no NVIDIA driver on your system.",
        "[enforce fail at inline_container.cc:626] . unexpected pos 128 vs 22",
        "PytorchStreamWriter failed writing file data/0: file write failed",
    ],
)
def test_cards_and_writers_are_understood(text: str) -> None:
    assert trouble.told(RuntimeError(text)) == f"RuntimeError: {' '.join(text.split())}"


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: device-side assert triggered\nCompile with `TORCH_USE_CUDA_DSA`"),
        RuntimeError("CUDA error: invalid configuration argument"),
        RuntimeError("CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling `cublasSgemm`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED. This error may appear if you passed in a strided input"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (12x28 and 5x24)"),
        RuntimeError("expected 28 values (12)"),
        RuntimeError("Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"),
        RuntimeError("the replay buffer is out of memory slots"),
        RuntimeError("Error(s) in loading state_dict for SmallCNN: size mismatch"),
        RecursionError("maximum recursion depth exceeded"),
        KeyError("CUDA out of memory"),
        ValueError("no space left on device for this batch"),
        ZeroDivisionError(),
        Mute(),
        caused(ValueError("x"), FileNotFoundError(errno.ENOENT, "no cache yet")),
    ],
    ids=repr,
)
def test_a_methods_mistakes_are_no_trouble(error: BaseException) -> None:
    assert trouble.told(error) is None


@pytest.mark.parametrize("allocate", [lambda: torch.empty(10**15), lambda: np.empty(10**15), lambda: bytearray(10**17)])
def test_what_this_machine_says_itself(allocate: object) -> None:
    assert callable(allocate)
    with pytest.raises((RuntimeError, MemoryError)) as raised:
        allocate()
    assert (trouble.told(raised.value) or "").startswith("out of memory: ")


def test_an_error_that_is_its_own_cause_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert trouble.told(first) is None


def test_it_is_one_clean_line() -> None:
    said = trouble.told(OSError(errno.ENOSPC, "No space", "a\x1b[2J\nb" + "c" * 10_000)) or ""
    assert said.startswith(r"disk full: a\x1b[2J b")
    assert said.isprintable()
    assert len(said) < 400
