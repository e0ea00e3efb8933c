"""Reports rendered from a results folder alone. Imports neither torch nor methods nor mlflow."""

from harness.reporting.report import render

__all__ = ["render"]
