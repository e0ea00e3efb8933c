"""A network small enough to distill in seconds on a CPU, for the digits."""

from __future__ import annotations

from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Three 3×3 convolutions with batch norm and ReLU, strides 1, 2, 2, widths w, 2 w, 4 w; pooled; linear. Ours."""

    def __init__(self, width: int, classes: int, channels: int) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width]
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(widths[i], widths[i + 1], 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(widths[i + 1]),
                nn.ReLU(inplace=True),
            )
            for i, stride in enumerate((1, 2, 2))
        )
        self.linear = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor, return_features: bool = False) -> Tensor | tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Logits [B, classes] of ``x`` [B, C, H, W]; with ``return_features`` also features [B, 4 w] and stages.

        The stages are the three activations, after ReLU.
        """
        stages = []
        for layer in self.layers:
            x = layer(x)
            stages.append(x)
        features = x.mean(dim=(2, 3))
        logits: Tensor = self.linear(features)
        return (logits, features, tuple(stages)) if return_features else logits


NETWORKS = {"cnn3_16": lambda classes, channels: SmallCNN(16, classes, channels)}
