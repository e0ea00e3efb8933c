"""Features against where the classifier wants them: CPNet's L_align."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from methods.base.teacher import Classifier

DOUBT = 0.1
"""ε, what the wanted prediction leaves to all other classes together. Source: LannCX/CPNet, cpnet.py."""
SMALLEST = 0.1
"""Smaller singular values of the classifier's weights count as this. Source: LannCX/CPNet, cpnet.py."""


class Alignment:
    """mean_i |cos(f_i - g_i, b)|: how far features are off in the one direction b that moves all logits alike.

    g_i = (δ · onehot(y_i) - bias) P is the feature for which the classifier gives class y_i the share 1 - ε, with
    δ = ln((1 - ε) (classes - 1) / ε) and P [classes, F] the pseudo-inverse of its weights; b is the sum of P's rows.
    LannCX/CPNet, datafree/synthesis/cpnet.py.
    """

    def __init__(self, classifier: Classifier) -> None:
        u, values, v = torch.linalg.svd(classifier.weight, full_matrices=False)
        inverse = (u / values.clamp_min(SMALLEST)) @ v
        logit = math.log((1 - DOUBT) * (len(inverse) - 1) / DOUBT)
        self.wanted = logit * inverse - classifier.bias[None] @ inverse
        """g for each class: [classes, F]."""
        self.direction = inverse.sum(dim=0)
        """b: [F]."""

    def __call__(self, features: Tensor, y: Tensor) -> Tensor:
        """The loss, 0-dim, of pooled features [B, F] for classes ``y``, int64 [B]."""
        return F.cosine_similarity(features - self.wanted.index_select(0, y), self.direction, dim=1).abs().mean()
