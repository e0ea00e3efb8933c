"""Fetches a file from the web, going on where an earlier attempt was cut off. Importing this does not import torch.

Proxies are those of the environment (``https_proxy``). What fails for the network's sake is trouble of the machine
(NetworkTrouble, status 1, tried again); what the server answers for good is told as such (UserError, status 2).
"""

from __future__ import annotations

import errno
import http.client
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from harness.errors import UserError, describe
from harness.store import atomic
from harness.terminal import say

CHUNK = 2**16
PATIENCE = 30.0
"""Seconds without a byte after which a connection is given up."""
LATER = (408, 425, 429)
"""Refusals of HTTP that are worth another try, as all from 500 on are."""
LINES = 10
"""Lines of progress of a download that no terminal shows."""


class NetworkTrouble(OSError):
    """The network failed, or the server did for now."""


def fetch(url: str, part: Path, report: Callable[[str], object] = say) -> None:
    """Bring all of ``url`` into ``part``, of which an earlier attempt may have left the beginning.

    Args:
        url: of a file that never changes.
        part: where it goes; what is there is kept and continued.
        report: takes lines for the person.

    Raises UserError if the server has something else or nothing, NetworkTrouble if it cannot be reached or breaks off.
    """
    report(f"fetching {url}")
    have = part.stat().st_size if part.exists() else 0
    with _answer(url, have) as answer:
        if answer is None:  # nothing is left to fetch
            return
        if answer.headers.get_content_type() == "text/html":
            raise UserError(f"{url}: a web page came, not a file: a login, or a proxy's, which a browser would show")
        have = have if answer.status == http.HTTPStatus.PARTIAL_CONTENT else 0
        left = answer.headers.get("Content-Length")
        total = have + int(left) if left else None
        report(_mib(total) + (f", the first {_mib(have)} are here" if have else ""))
        _write(answer, part, have, total, report)


@contextmanager
def _answer(url: str, have: int) -> Iterator[Any]:
    """The server's answer to a request for all but the first ``have`` bytes; None if there are no more."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - https
    ask = urllib.request.build_opener().open  # made anew, for the proxies of today
    try:
        with ask(request, timeout=PATIENCE) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            yield None
            return
        if error.code in LATER or error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NetworkTrouble(errno.EPROTO, f"{_host(url)} says {error.code} {error.reason}") from None
        raise UserError(f"{url}: {_host(url)} says {error.code} {error.reason}") from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise NetworkTrouble(errno.ENETUNREACH, f"{_host(url)} cannot be reached: {_reason(error)}") from None


def _write(answer: Any, part: Path, have: int, total: int | None, report: Callable[[str], object]) -> None:
    """Append what comes to the first ``have`` bytes of ``part``. Raises NetworkTrouble if it breaks off."""
    why = ""
    with atomic.growing(part, have) as file, _shown(have, total, report) as show:
        try:
            while block := answer.read(CHUNK):
                file.write(block)
                have += len(block)
                show(have)
        except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
            why = f": {_reason(error)}"  # raised below: in here it would become trouble of the file that is written
    if why or (total is not None and have < total):
        of = f" of {_mib(total)}" if total is not None else ""
        raise NetworkTrouble(errno.ECONNABORTED, f"broke off after {_mib(have)}{of}{why}")


@contextmanager
def _shown(have: int, total: int | None, report: Callable[[str], object]) -> Iterator[Callable[[int], object]]:
    """Show how far it is: a bar on a terminal, ten lines elsewhere."""
    if sys.stdout.isatty():
        with Progress(BarColumn(), DownloadColumn(), TimeRemainingColumn(), transient=True) as bars:
            bar = bars.add_task("", total=total, completed=have)
            yield lambda done: bars.update(bar, completed=done)
        return
    start, first, told = time.monotonic(), have, LINES * have // (total or sys.maxsize)

    def show(done: int) -> None:
        nonlocal told
        if total and told < (told := LINES * done // total) < LINES:
            left = (time.monotonic() - start) / (done - first) * (total - done)
            report(f"{_mib(done)} of {_mib(total)}, {left:.0f} s left")

    yield show


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _reason(error: Exception) -> str:
    """Why, in the system's words."""
    inner = getattr(error, "reason", error)
    return inner.strerror if isinstance(inner, OSError) and inner.strerror else describe(error)


def _mib(count: int | None) -> str:
    return "a file" if count is None else f"{count / 2**20:.1f} MiB"
