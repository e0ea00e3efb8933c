"""What every method is given, and what it gives: the contract, presets, schedules, the teacher, state."""
