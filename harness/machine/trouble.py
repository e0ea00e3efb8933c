"""What is the machine's trouble: memory, disks, file systems, the network, a card. Never imports torch.

It says nothing about what was tried, so the cell is no result, the command exits with status 1, and the cell is tried
again.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator

from harness.errors import SCREEN, describe, one_line

ADVISED = {
    errno.ENOSPC: "disk full",
    errno.EDQUOT: "disk quota used up",
    errno.EFBIG: "file larger than this process may write (ulimit -f)",
    errno.EROFS: "read-only file system",
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
    errno.ENOMEM: "out of memory",
    errno.EAGAIN: "no more processes, threads or memory for this user (ulimit -u)",
    errno.EMFILE: "too many open files (ulimit -n)",
    errno.ENFILE: "too many open files on this machine",
    errno.ENOLCK: "the file system has no locks to give",
    errno.ENOSYS: "this file system or kernel lacks what is needed, such as locks",
    errno.EOPNOTSUPP: "this file system lacks what is needed, such as locks",
    errno.ESTALE: "the file server no longer knows an open file",
    errno.EIO: "the disk or the file server failed to read or write",
}
"""Numbers of the system that are told in words which say what to do."""
PLAIN = {
    getattr(errno, name)
    for name in (
        *("ENODEV", "ENXIO", "EBUSY", "ENOMEDIUM", "EREMOTEIO", "EUCLEAN", "ENOTCONN", "ESHUTDOWN", "ENONET"),
        *("EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ENETRESET", "ENOBUFS", "ENOSR", "ENOLINK", "ECOMM"),
        *("ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "ETIMEDOUT", "ETIME", "EPROTO", "EDEADLK", "EHWPOISON"),
    )
    if hasattr(errno, name)
}
"""Numbers whose own words tell enough."""
MACHINE = ADVISED.keys() | PLAIN

_QUOTED = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")
"""How Rust and Python print a number of the system."""
_MEMORY = re.compile(
    r"(?:can't|cannot|unable to|could not|failed to) (?:allocate|mmap)|not enough memory|bad[_ ]alloc"
    r"|(?:CUDA|HIP|XPU|MPS backend|[Ee]rror:) out of memory|ALLOC(?:ATION)?_FAILED|can't start new thread",
    re.IGNORECASE,
)
_METHODS_OWN = "device-side assert|invalid (?:configuration )?argument|operation not permitted when|CUBLAS|CUDNN"
_CARD = re.compile(
    rf"(?:CUDA|HIP)(?: driver| runtime)? (?:error|failure)(?!:? (?:{_METHODS_OWN}))"
    r"|CUDA (?:unknown error|initialization)"
    r"|CU\w+_STATUS_(?:NOT_INITIALIZED|INTERNAL_ERROR|EXECUTION_FAILED|MAPPING_ERROR)|uncorrectable ECC"
    r"|No (?:CUDA )?GPUs? (?:are|is) available|found no NVIDIA driver|driver\S* version is insufficient",
    re.IGNORECASE,
)
"""What torch says of a card, except what a method's own arguments bring about."""
_FILE = re.compile(r"PytorchStreamWriter failed|unexpected pos \d+ vs|received 0 items of ancdata")
_SYSTEM = re.compile("|".join(re.escape(os.strerror(number)) for number in sorted(MACHINE)))


def told(error: BaseException) -> str | None:
    """The machine's trouble behind an error, in one line; None if there is none.

    Whatever a file system refuses counts. Other errors are judged by what they say and by what they were raised for:
    torch, NumPy and safetensors tell trouble in exceptions of their own.
    """
    if isinstance(error, OSError):
        return _of_system(error)
    return next(filter(None, map(_words, _chain(error))), None)


def number(error: BaseException) -> int | None:
    """The system's number that an exception is, quotes, or was raised for; None if there is none."""
    return next(filter(None, map(_number, _chain(error))), None)


def _words(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return f"out of memory: {describe(error)}"
    if isinstance(error, OSError):
        return _of_system(error) if error.errno in MACHINE else None
    text = describe(error, SCREEN) if _foreign(error) else ""
    if _MEMORY.search(text):
        return f"out of memory: {describe(error)}"
    if _CARD.search(text) or _FILE.search(text) or _SYSTEM.search(text) or _number(error) in MACHINE:
        return describe(error)
    return None


def _of_system(error: OSError) -> str:
    """In words, with the file if one is known."""
    what = ADVISED.get(error.errno or 0) or error.strerror or describe(error)
    return one_line(": ".join(str(part) for part in (what, error.filename) if part))


def _number(error: BaseException) -> int | None:
    if isinstance(error, OSError):
        return error.errno
    quoted = _QUOTED.search(describe(error, SCREEN)) if _foreign(error) else None
    return int(quoted[1] or quoted[2]) if quoted else None


def _foreign(error: BaseException) -> bool:
    """Whether libraries tell trouble in errors of this type: a KeyError's text is its key."""
    return type(error) in (RuntimeError, SystemError) or type(error).__module__ != "builtins"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it was raised for, and so on; an error may be its own cause."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
