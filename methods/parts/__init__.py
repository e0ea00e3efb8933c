"""What methods share: inversion, generators, losses, sources of images, distillation."""
