"""Where MLflow stores, as an address; and what of it may be shown and kept, which is never a password."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from harness.errors import UserError
from harness.store.layout import Results

VARIABLE = "MLFLOW_TRACKING_URI"
SQLITE = "sqlite:///"


def address(results: Path) -> str:
    """Where MLflow stores: ``MLFLOW_TRACKING_URI``, or a SQLite file in the results folder. It may hold a password.

    Raises UserError if the variable holds no address.
    """
    uri = os.environ.get(VARIABLE) or f"{SQLITE}{Results(results).database.resolve()}"
    try:
        urlsplit(uri).port  # noqa: B018 - raises for what is no number, or no port
    except ValueError:  # its text may quote a part of a password
        told = "not an address: its host or its port cannot be read\n  set it to one such as http://localhost:5000"
        raise UserError(f"{VARIABLE}: {told}") from None
    return uri


def is_ours(uri: str, results: Path) -> bool:
    """Whether the store is the results folder's own file, which holds nothing but copies, and moves with it."""
    return uri == f"{SQLITE}{Results(results).database.resolve()}"


def is_server(uri: str) -> bool:
    """Whether MLflow itself answers there."""
    return uri.startswith(("http://", "https://"))


def sqlite_file(uri: str) -> Path | None:
    """The file of a SQLite store; None for all others."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) and "file:" not in uri else None


def identity(uri: str, results: Path) -> str:
    """The address as records keep it: of the results folder's own store its name alone, which stays when both move."""
    return Results(results).database.name if is_ours(uri, results) else public(uri)


def public(uri: str) -> str:
    """The address without user, password and options."""
    if uri.startswith("sqlite:"):
        return uri
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path or uri


def without_secrets(text: str, uri: str) -> str:
    """A message about the store of this address, as it may be shown."""
    text = re.sub(r"(?<=://)[^/@\s]+@", "", text.replace(uri, public(uri)))
    password = None if uri.startswith("sqlite:") else urlsplit(uri).password
    for secret in filter(None, {password, unquote(password or "")}):
        text = text.replace(secret, "***")
    return text
