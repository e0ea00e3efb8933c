"""What it runs on: GPUs and their leases, devices, energy, and the facts that are recorded of a machine."""
