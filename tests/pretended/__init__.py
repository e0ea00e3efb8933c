"""A pretended accelerator: what a card would refuse is refused on machines that have none.

Its tensors calculate on the CPU and say that they lie on `DEVICE`. PyTorch takes it for a device of its own, so the
code under test runs as it does on a card. What fails there fails here: an operation on tensors of two devices, a
generator of another device, and, inside a phase of the clock, whatever makes the host wait for the card.
"""
