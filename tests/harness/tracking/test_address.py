"""No password of an address is printed or kept, and addresses that are none are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.tracking import address, health, store

STORES = {
    "http://alice:s3cret@mlflow.example:5000/base": "http://mlflow.example:5000/base",
    "https://alice:s3cret@mlflow.example": "https://mlflow.example",
    "https://token@mlflow.example": "https://mlflow.example",
    "postgresql://bob:s3cret@db.example:5432/mlflow": "postgresql://db.example:5432/mlflow",
    "postgresql+psycopg2://bob:s3cret@db/mlflow?password=s3cret": "postgresql+psycopg2://db/mlflow",
    "mysql://bob:s3c%72et@db.example/mlflow": "mysql://db.example/mlflow",
    "sqlite:////home/me@work/results/mlflow.db": "sqlite:////home/me@work/results/mlflow.db",
    "databricks": "databricks",
}


@pytest.mark.parametrize("uri", STORES)
def test_what_is_shown_of_an_address(uri: str, tmp_path: Path) -> None:
    assert address.public(uri) == address.identity(uri, tmp_path) == STORES[uri]


@pytest.mark.parametrize("uri", [uri for uri in STORES if ":s3c" in uri])
def test_messages_lose_them_too(uri: str) -> None:
    written = uri.partition(":s3")[2].partition("@")[0]
    said = f"cannot connect to {uri}: user bob with s3cret or s3{written} refused; see http://eve:s3cret@proxy:80/x"
    shown = address.without_secrets(said, uri)
    assert "s3c" not in shown
    assert f"cannot connect to {STORES[uri]}: user bob with" in shown


def test_ones_own_store_has_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = address.address(tmp_path)
    assert (address.is_ours(uri, tmp_path), address.identity(uri, tmp_path)) == (True, "mlflow.db")
    assert address.sqlite_file(uri) == tmp_path / "mlflow.db"


@pytest.mark.parametrize(
    "uri",
    ["http://[alice:s3cret@", "http://alice:s3cret/x@h", "http://localhost:50O0", "mysql://h:99999/x", "http://[::1"],
)
def test_what_is_no_address_is_told_by_every_command(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(UserError, match="MLFLOW_TRACKING_URI: not an address") as told:
        address.address(tmp_path)
    assert "s3cret" not in str(told.value)
    found = health.examine(tmp_path)
    assert (found.ok, found.found.partition(":")[0]) == (False, "MLFLOW_TRACKING_URI")


@pytest.mark.parametrize("module", ["psycopg2", "MySQLdb", "pymysql"])
def test_a_missing_driver_is_named(module: str) -> None:
    with pytest.raises(UserError) as told, store.told("postgresql://bob:s3cret@db/mlflow"):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    package = {"psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient", "pymysql": "pymysql"}[module]
    assert str(told.value).splitlines() == [
        f"MLflow store postgresql://db/mlflow needs the package {module}",
        f"  type: pip install {package}",
    ]


def test_a_missing_mlflow_is_not_a_driver() -> None:
    with pytest.raises(ModuleNotFoundError), store.told("http://x"):
        raise ModuleNotFoundError("No module named 'mlflow'", name="mlflow")
