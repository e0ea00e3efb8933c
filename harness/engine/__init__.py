"""The loop: rounds, clock, evaluation, checkpoints, randomness. It knows no method by name."""
