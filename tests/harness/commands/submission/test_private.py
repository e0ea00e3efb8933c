from __future__ import annotations

import pytest

from harness.commands.submission import private
from tests import factory


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("no such file: '/home/jane/x.npy'", "no such file: '<path>'"),
        ("/root/dkd", "<path>"),
        ("at /Users/jane", "at <path>"),
        ("file:///home/jane/x", "<path>"),
        ("~/dkd/mine.py:7 fails", "<path>:7 fails"),
        ("(/scratch/project_1/jane/mine.py)", "(<path>)"),
        ("lr=/data/a,b=/data/b/", "lr=<path>,b=<path>"),
        ("https://example.org/jane/x.th", "https://example.org/jane/x.th"),
        ("methods/ssd_kd.py", "methods/ssd_kd.py"),
        ("1/2 of 3 / 4, images/s", "1/2 of 3 / 4, images/s"),
        ("a mean of ~0.5", "a mean of ~0.5"),
    ],
)
def test_paths_are_withheld_and_nothing_else(text: str, kept: str) -> None:
    result = factory.metrics(status="failed", reason=text)
    plain = private.withheld(result)
    assert plain.reason == kept
    assert plain.model_dump(exclude={"reason"}) == result.model_dump(exclude={"reason"})
    assert bool(list(private.told(result))) == (text != kept)
    assert list(private.told(plain)) == []


def test_hosts_and_options_of_a_manifest() -> None:
    config = {"nested": {"file": ["/home/jane/a", 1, None, 0.5]}, "batch": 64}
    manifest = factory.manifest(factory.metrics(), config)
    assert list(private.told(manifest)) == ["host node1", "path /home/jane/a"]
    plain = private.withheld(manifest)
    assert plain.config == {"nested": {"file": ["<path>", 1, None, 0.5]}, "batch": 64}
    assert plain.attempts[0].host == "withheld"
    assert list(private.told(plain)) == []
