"""Data for the page's script, packed: what is copied or drawn would be longer than all that is read without it."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any


def pack(content: Any) -> str:
    """Plain data as base64 of gzip of JSON; the same data give the same text, and it holds no sign of HTML's."""
    return base64.b64encode(gzip.compress(json.dumps(content).encode(), mtime=0)).decode()
