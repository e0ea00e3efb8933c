"""What `tests/processes.py` imports once, before it forks: all that takes long, of every command."""

from harness.tracking import store

store.set_environment()  # mlflow reads it when it is imported

import matplotlib.pyplot  # noqa: E402, F401
import mlflow.store.tracking.sqlalchemy_store  # noqa: E402, F401
import snakemake.cli  # noqa: E402, F401

import harness.cli  # noqa: E402, F401
import harness.reporting.report  # noqa: E402, F401
import harness.run.runner  # noqa: E402, F401
import harness.tracking.sync  # noqa: E402, F401
import methods.references  # noqa: E402, F401
