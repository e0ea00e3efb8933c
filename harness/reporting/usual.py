"""The columns of a run that people look at and filter by, for the help of commands. Imports nothing."""

USUAL = (
    *("study", "dataset", "teacher", "student", "label", "method", "preset", "prior", "scale", "seed", "status"),
    *("final", "cost", "steps", "device", "device_name", "precision", "overloaded", "commit", "dirty"),
)
TOLD = f"{', '.join(USUAL)}; all others: docs/frame.md"
"""The same in words."""
