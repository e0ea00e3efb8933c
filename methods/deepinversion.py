"""DeepInversion, adaptive form (Yin et al., CVPR 2020), as CMI's repository ran it for knowledge distillation.

Pixels are optimised directly until the teacher's batch-norm statistics and its answers fit, and, in the adaptive form
(ADI), until the student answers differently. The authors released no distillation code; the values are those of CMI,
datafree/synthesis/deepinversion.py and scripts/deepinv. The last iterate is stored, as in all official codes (their
"best" image shares memory with the one being optimised).
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from methods.base.method import Context, Losses
from methods.base.presets import IMAGENET_PAIRS, PUBLISHED_FOR_WRN, Case, Preset, borrowed
from methods.base.state import Stateful
from methods.base.teacher import FrozenTeacher
from methods.parts.composed import Synthesised
from methods.parts.images import Normaliser
from methods.parts.inversion import InversionConfig, InversionLoss
from methods.parts.losses import BatchNormLoss, detached, jensen_shannon
from methods.parts.optimization import apply_gradients
from methods.parts.optimizers import optimizer, set_learning_rate
from methods.parts.pool_method import PoolMethod


class DeepInversionConfig(InversionConfig):
    """Pixels are what is learned. Source: CMI repository, scripts/deepinv."""

    inner_steps: int = Field(default=1000, ge=1)
    """Steps of the pixels of every batch of images."""
    lr_x: float = Field(default=0.1, gt=0)
    """Adam's rate for the pixels; β₁ is 0.5."""
    beta2: float = Field(default=0.99, ge=0, lt=1)
    """Adam's β₂ for the pixels."""
    lr_warmup: int | None = Field(default=None, ge=0)
    """Steps over which the pixels' rate rises in a line, before half a cosine takes it to 0; None keeps it as it is.
    Source: CMI repository, scripts/deepinv, which keep it."""
    bn: float = Field(default=10.0, ge=0)
    adv: float = Field(default=1.0, ge=0)
    """Weight of the teacher-student divergence, the adaptive term; 0 is plain DeepInversion."""
    tv: float = Field(default=0.001, ge=0)
    """Weight of the total variation, a mean of absolute differences."""
    tv_norm: float = Field(default=0.0, ge=0)
    """Weight of the Euclidean norms of the same differences, over all images. Source: CMI repository, scripts/deepinv,
    which have no such term."""
    norm: float = Field(default=0.0, ge=0)
    """Weight of the images' mean Euclidean norm, in the teacher's input. Source: CMI repository, scripts/deepinv, which
    weigh it with 0."""
    first_bn: float = Field(default=1.0, ge=0)
    """How often the teacher's first layer counts in the batch-norm term. Source: CMI repository, scripts/deepinv, which
    count all alike."""
    student_bn: float = Field(default=0.0, ge=0)
    """Share of the batch-norm term that the student's own statistics get, with the opposite sign. Source: CMI
    repository, scripts/deepinv, which have no such term; Fast-Datafree has 0.001."""
    jitter: float = Field(default=4 / 32, ge=0, lt=1)
    """Largest random shift of the images, as a share of their side. Source: CMI repository,
    datafree/synthesis/deepinversion.py: 4 pixels of 32."""


class PixelInverter(Stateful):
    """Adam on the pixels of one batch, started from noise in every call; nothing lives from call to call."""

    def __init__(self, config: DeepInversionConfig, context: Context) -> None:
        self.config, self.context = config, context
        self.objective = InversionLoss(config, context, first_bn=config.first_bn, divergence=jensen_shannon)
        self._normalise = Normaliser(context.task, context.device)
        self._low = self._normalise(torch.zeros_like(self._normalise.mean))
        self._high = self._normalise(torch.ones_like(self._normalise.mean))

    def synthesise(self, call: int) -> Synthesised:
        """The last iterate of ``inner_steps`` steps; the student must be in evaluation mode."""
        random = self.context.random("inversion", call)
        batch, task = self.config.inversion_batch, self.context.task
        x = torch.randn(batch, *task.shape, generator=random, device=random.device).requires_grad_()
        y = torch.randint(task.classes, (batch,), generator=random, device=random.device).sort().values
        adam = optimizer(torch.optim.Adam, [x], self.config.lr_x, fixed=True, betas=(0.5, self.config.beta2))
        rows, columns = self._shifts(random)
        student = StudentStatistics(self.context.student) if self.config.student_bn else None
        for step in range(self.config.inner_steps):
            set_learning_rate(adam, self.config.lr_x * self._share_of_rate(step))
            shifted = x.index_select(2, rows[step]).index_select(3, columns[step])
            loss, losses = self._objective(shifted, x, y, student)
            apply_gradients(adam, [x], torch.autograd.grad(loss, [x]))
            with torch.no_grad():
                x.clamp_(self._low, self._high)
        return Synthesised(self._normalise.inverse(x.detach()), losses)

    def _objective(
        self, shifted: Tensor, x: Tensor, y: Tensor, student: StudentStatistics | None
    ) -> tuple[Tensor, Losses]:
        found = self.objective(shifted, y)
        loss, parts = found.loss, dict(found.parts)
        for name, weight, prior in (
            ("variation", self.config.tv, total_variation),
            ("variation_norm", self.config.tv_norm, variation_norm),
            ("norm", self.config.norm, mean_norm),
        ):
            if weight:
                parts[name] = prior(x)
                loss = loss + weight * parts[name]
        if student is not None:
            parts["student_bn"] = -student(shifted)
            loss = loss + self.config.bn * self.config.student_bn * parts["student_bn"]
        return loss, detached(loss, parts)

    def _share_of_rate(self, step: int) -> float:
        """NVlabs/DeepInversion, utils: a line from 1 / warm-up to 1, then half a cosine."""
        rising = self.config.lr_warmup
        if rising is None:
            return 1.0
        if step < rising:
            return (step + 1) / rising
        return (1 + math.cos(math.pi * (step - rising) / (self.config.inner_steps - rising))) / 2

    def _shifts(self, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows and columns that shift the whole batch around its edges, and mirror it if the task allows, per step.

        int64 [inner_steps, H] and [inner_steps, W]: indices on the device, as `torch.roll` takes numbers of the host.
        """
        (_, height, width), steps = self.context.task.shape, self.config.inner_steps
        shape, device = (steps, 1), random.device
        most_down, most_right = (round(self.config.jitter * side) for side in (height, width))
        down = torch.randint(-most_down, most_down + 1, shape, generator=random, device=device)
        right = torch.randint(-most_right, most_right + 1, shape, generator=random, device=device)
        columns = (torch.arange(width, device=device) - right) % width
        if self.context.task.flip:
            mirror = torch.rand(shape, generator=random, device=device) < 0.5
            columns = torch.where(mirror, columns.flip(1), columns)
        return (torch.arange(height, device=device) - down) % height, columns


def total_variation(x: Tensor) -> Tensor:
    """Sum over four directions of the mean absolute difference of neighbours in ``x`` [B, C, H, W]; 0-dim."""
    right, down, diagonal, antidiagonal = _differences(x)
    return right.abs().mean() + down.abs().mean() + diagonal.abs().mean() + antidiagonal.abs().mean()


def variation_norm(x: Tensor) -> Tensor:
    """Sum over four directions of the Euclidean norm of all differences of neighbours in ``x`` [B, C, H, W]; 0-dim.

    NVlabs/DeepInversion, deepinversion.py.
    """
    norms: list[Tensor] = [torch.linalg.vector_norm(differences) for differences in _differences(x)]
    return torch.stack(norms).sum()


def mean_norm(x: Tensor) -> Tensor:
    """Mean Euclidean norm of the images ``x`` [B, C, H, W]; 0-dim. NVlabs/DeepInversion, deepinversion.py."""
    norms: Tensor = torch.linalg.vector_norm(x.flatten(1), dim=1)
    return norms.mean()


def _differences(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of neighbours beside and above one another, and on both diagonals."""
    right = x[..., :, 1:] - x[..., :, :-1]
    down = x[..., 1:, :] - x[..., :-1, :]
    diagonal = x[..., 1:, 1:] - x[..., :-1, :-1]
    antidiagonal = x[..., 1:, :-1] - x[..., :-1, 1:]
    return right, down, diagonal, antidiagonal


class StudentStatistics:
    """R_BN of the student's own batch-norm layers, as the student is when this is made."""

    def __init__(self, student: nn.Module) -> None:
        self.copy = FrozenTeacher(student)  # hands out its statistics like a teacher
        self.loss = BatchNormLoss(self.copy)

    def __call__(self, x: Tensor) -> Tensor:
        """For the student's input ``x`` [B, C, H, W]; 0-dim."""
        statistics = self.copy(x, statistics=True).statistics
        assert statistics is not None
        return self.loss(statistics)


class DeepInversion(PoolMethod):
    """Pixels → growing pool → distillation."""

    name = "deepinversion"
    Config = DeepInversionConfig
    config: DeepInversionConfig
    presets: ClassVar = {
        "adi": Preset({}, PUBLISHED_FOR_WRN),
        "adi-2k": Preset(
            {"inner_steps": 2000}, PUBLISHED_FOR_WRN, source="the tables of CMI and Fast; their scripts say 1000."
        ),
        "plain": Preset({"adv": 0.0}, PUBLISHED_FOR_WRN),
        "fast": Preset({"tv": 0.0, "student_bn": 0.001}, PUBLISHED_FOR_WRN, source="Fast-Datafree, scripts/deepinv."),
        "fast-tuned": Preset(
            {"tv": 0.0, "student_bn": 0.001, "inner_steps": 10, "lr_x": 1.0, "steps": 40_000},
            PUBLISHED_FOR_WRN,
            source="Fast-Datafree, scripts/deepinv, the second command.",
        ),
        "imagenet": Preset(
            {
                **{"inner_steps": 2000, "lr_x": 0.25, "beta2": 0.9, "lr_warmup": 100, "inversion_batch": 84},
                **{"bn": 0.01, "first_bn": 10.0, "adv": 0.2, "tv": 0.0, "tv_norm": 1e-4, "norm": 1e-5},
                **{"jitter": 30 / 224, "temperature": 3.0},
            },
            (Case({}, ("imagenet",), (IMAGENET_PAIRS[0],)), borrowed(f"{IMAGENET_PAIRS[0]} on imagenet")),
            source="NVlabs/DeepInversion, imagenet_inversion.py and README.md, setting 1: 2,000 steps at full size. "
            "The temperature is the authors' answer in issue 9. How else the student learns, of which there is no "
            "public code, is our choice: as on CIFAR.",
        ),
        "smoke": Preset({"inner_steps": 3, "inversion_batch": 16}),
    }

    def make_inverter(self) -> PixelInverter:
        """The pixels."""
        return PixelInverter(self.config, self.context)
