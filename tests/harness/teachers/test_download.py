"""Downloads from servers that behave, and from those that do not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.machine import trouble
from harness.teachers import download
from harness.teachers.download import NetworkTrouble, fetch
from tests.harness.teachers.server import Server, serving

CONTENT = bytes(range(256)) * 2000
HALF = len(CONTENT) // 2


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(CONTENT) as running:
        yield running


def said(url: str, part: Path) -> list[str]:
    lines: list[str] = []
    fetch(url, part, lines.append)
    return lines


@pytest.mark.parametrize("path", ["whole", "ranges", "moved"])
def test_a_file_is_fetched_whole(path: str, server: Server, tmp_path: Path) -> None:
    lines = said(f"{server.url}/{path}", tmp_path / "deep" / "part")
    assert (tmp_path / "deep" / "part").read_bytes() == CONTENT
    assert lines[:2] == [f"fetching {server.url}/{path}", "0.5 MiB"]
    assert all(line.endswith("s left") for line in lines[2:])
    assert 3 <= len(lines) <= 12


def test_what_was_cut_off_stays_and_is_continued(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "part"
    with pytest.raises(NetworkTrouble, match=r"broke off after 0\.2 MiB of 0\.5 MiB") as error:
        said(f"{server.url}/cut", part)
    assert part.read_bytes() == CONTENT[:HALF]
    assert trouble.told(error.value)
    lines = said(f"{server.url}/moved", part)
    assert part.read_bytes() == CONTENT
    assert lines[1] == "0.5 MiB, the first 0.2 MiB are here"
    assert server.asked == [("/cut", None), ("/moved", f"bytes={HALF}-"), ("/ranges", f"bytes={HALF}-")]


def test_what_stalls_is_told_with_the_reason_and_stays(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PATIENCE", 0.5)
    part = tmp_path / "part"
    with pytest.raises(NetworkTrouble) as error:
        said(f"{server.url}/stalls", part)
    came = part.read_bytes()
    assert CONTENT[:HALF].startswith(came)
    told = f"broke off after {len(came) / 2**20:.1f} MiB of 0.5 MiB: TimeoutError: timed out"
    assert trouble.told(error.value) == told
    said(f"{server.url}/ranges", part)
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("there", [CONTENT[:HALF], CONTENT + b"more", b"another file"])
def test_a_server_that_only_gives_all_gives_all(there: bytes, server: Server, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(there)
    said(f"{server.url}/whole", tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_of_a_file_that_is_all_there_nothing_is_fetched(server: Server, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT)
    assert said(f"{server.url}/ranges", tmp_path / "part") == [f"fetching {server.url}/ranges"]
    assert (tmp_path / "part").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("404", "says 404"),
        ("403", "403"),
        ("410", "410"),
        ("login", "a web page came"),
        ("moved-to-login", "web page"),
    ],
)
def test_what_will_not_change_is_the_users_to_put_right(
    path: str, expected: str, server: Server, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=rf"{server.url}/{path}: .*{expected}"):
        said(f"{server.url}/{path}", tmp_path / "part")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503])
def test_what_may_pass_is_tried_again(code: int, server: Server, tmp_path: Path) -> None:
    with pytest.raises(NetworkTrouble, match=f"127.0.0.1:.* says {code}") as error:
        said(f"{server.url}/{code}", tmp_path / "part")
    assert trouble.told(error.value)


def test_without_a_network_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NetworkTrouble, match=f"127.0.0.1:{port} cannot be reached: Connection refused") as error:
        said(f"http://127.0.0.1:{port}/whole", tmp_path / "part")
    assert (trouble.told(error.value) or "") == f"127.0.0.1:{port} cannot be reached: Connection refused"


def test_a_proxy_is_gone_through(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    said("http://weights.invalid/ranges", tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT
