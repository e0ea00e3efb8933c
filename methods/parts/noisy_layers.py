"""NAYER's generator: what differs between two images of one class is the weights of a layer, not a latent."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class NoisyLayers(nn.Module):
    """K linear layers, one for each cycle of the classes: row i of a batch goes through layer ⌊i / classes⌋.

    NAYER (CVPR 2024), datafree/models/generator.py, NLGenerator. Here all are one product, and zero until `redraw`.

    Args:
        classes: rows of each layer; the last one takes what is left of a batch, and the only one may take fewer.
        batch: rows of a batch.
        inputs, outputs: of each layer.
    """

    def __init__(self, classes: int, batch: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.rows = min(classes, batch)
        self.layers = -(-batch // self.rows)
        self.weight = nn.Parameter(torch.zeros(self.layers, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(self.layers, outputs))

    @torch.no_grad()
    def redraw(self, random: torch.Generator) -> None:
        """Weights N(0, 1), biases 0."""
        self.weight.normal_(generator=random)
        self.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs] to [B, outputs]."""
        missing = self.layers * self.rows - len(x)
        cycles = F.pad(x, (0, 0, 0, missing)).unflatten(0, (self.layers, self.rows))
        return torch.baddbmm(self.bias[:, None], cycles, self.weight).flatten(0, 1)[: len(x)]


class NoisyGenerator(nn.Module):
    """Classes [B] to what ``body`` makes of rows [B, nz]: embedding, batch norm, noisy layers, body.

    With the body of `Generator`, B = 400 and nz = 1000 it is NAYER's: 10,476,771 parameters for 100 embeddings of 512
    numbers, 28,944,771 for 10.

    Args:
        embedding: of each class, [classes, E]; it does not learn.
        batch: B.
        nz: outputs of a noisy layer.
        body: [B, nz] to images, or to whatever the inverter takes.
    """

    embedding: Tensor

    def __init__(self, embedding: Tensor, batch: int, nz: int, body: nn.Module) -> None:
        super().__init__()
        classes, width = embedding.shape
        self.register_buffer("embedding", embedding, persistent=False)
        self.norm = nn.BatchNorm1d(width)
        self.noisy = NoisyLayers(classes, batch, width, nz)
        self.body = body

    def forward(self, y: Tensor) -> Tensor:
        """What the body makes of the classes ``y``, int64 [B]."""
        made: Tensor = self.body(self.noisy(self.norm(self.embedding.index_select(0, y))))
        return made
