"""The bench: runs methods, times them, keeps the records."""

import time

STARTED = time.monotonic()
"""When this process began to load the bench, on the monotonic clock; a run's start-up is counted from here."""
