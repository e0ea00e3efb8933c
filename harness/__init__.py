"""The bench: runs methods, times them, keeps the records."""

import time
from pathlib import Path

VERSION = "0.1.0"
"""Of the bench; pyproject.toml takes it from here. Results go by the code's hashes, not by it."""
STARTED = time.monotonic()
"""When this process began to load the bench, on the monotonic clock; a run's start-up is counted from here."""

ROOT = Path(__file__).parent.parent
"""The checkout, or the folder that the bench is installed in."""
