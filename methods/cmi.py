"""CMI: Contrastive Model Inversion (Fang et al., IJCAI 2021).

A generator, started anew in every round, is pushed to make images that differ from all it has made before: two views of
an image are told apart from those of thousands of others, remembered by their features. The student learns from a
growing pool. Values are those of zju-vipa/CMI, scripts/cmi; its optional set of images inverted beforehand is left out.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from methods.base.method import Context, Losses
from methods.base.presets import PUBLISHED_FOR_WRN, RESNETS, WRN_16_1, Case, Preset, borrowed
from methods.base.state import Stateful
from methods.base.teacher import TeacherOutput
from methods.parts.composed import Synthesised
from methods.parts.generators import for_task, initialise
from methods.parts.images import Normaliser
from methods.parts.inversion import InversionConfig, InversionLoss
from methods.parts.losses import detached
from methods.parts.optimization import Best, apply_gradients
from methods.parts.optimizers import optimizer
from methods.parts.pool_method import PoolMethod
from methods.parts.sources import rounds_to_fill
from methods.parts.views import ResizedCrops, Views


class CMIConfig(InversionConfig):
    """A generator anew in every round. Source: CMI repository, scripts/cmi/cmi_cifar10."""

    inner_steps: int = Field(default=200, ge=1)
    """Steps of generator and latents for every batch of images."""
    nz: int = Field(default=256, ge=1)
    """Numbers of a latent."""
    generator_width: int = Field(default=128, ge=2, multiple_of=2)
    """Channels that those of the generator's layers are multiples of: `methods/parts/generators.py`."""
    lr_g: float = Field(default=1e-3, gt=0)
    """Adam's rate for generator, latents and contrastive head alike."""
    adv: float = Field(default=0.5, ge=0)
    cr: float = Field(default=0.8, ge=0)
    """Weight of the contrastive loss; 0 leaves out all that serves it."""
    cr_temperature: float = Field(default=0.2, gt=0)
    """What similarities are divided by in the contrastive loss."""
    features: Literal["batch-norm", "stages"] = "batch-norm"
    """Which activations are compared: the inputs of all batch-norm layers, or those of the stages after the stem."""
    projection: int = Field(default=256, ge=1)
    """Outputs of the contrastive head. Source: CMI repository, datafree/synthesis/contrastive.py."""
    bank: int = Field(default=40_960, ge=1)
    """How many images are remembered. Source: CMI repository, datafree/synthesis/contrastive.py."""
    negatives: int = Field(default=4096, ge=1)
    """How many of the remembered images are compared with at once. Source: CMI repository,
    datafree/synthesis/contrastive.py."""


CASES = (
    # a ResNet-34 teacher has features of its own in the code, though no flags
    Case({"features": "stages"}, pairs=(RESNETS,), borrowed_from="wrn40_2 → wrn16_1 on cifar10"),
    *PUBLISHED_FOR_WRN,
)


class MemoryBank(Stateful):
    """The features of the last ``size`` images, two views each: a ring [size, 2, D]."""

    state = ("rows", "added")

    def __init__(self, size: int, width: int, device: torch.device) -> None:
        self.rows = torch.zeros(size, 2, width, device=device)
        self.added = 0

    @property
    def filled(self) -> int:
        """Rows that hold something. The official code takes an exactly full bank for an empty one."""
        return min(self.added, len(self.rows))

    def add(self, features: Tensor) -> None:
        """Overwrite the oldest rows by ``features`` [B, 2, D]."""
        slots = torch.arange(self.added, self.added + len(features), device=self.rows.device) % len(self.rows)
        self.rows.index_copy_(0, slots, features)
        self.added += len(features)

    def sample(self, count: int, random: torch.Generator) -> Tensor:
        """At most ``count`` different rows: [n, 2, D]."""
        chosen = torch.randperm(self.filled, generator=random, device=self.rows.device)[:count]
        return self.rows.index_select(0, chosen)


class ContrastiveHead(nn.Module):
    """Features [B, D] to unit vectors [B, projection], in which images are compared."""

    def __init__(self, width: int, projection: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(width, width), nn.ReLU(inplace=True), nn.Linear(width, projection))

    def forward(self, features: Tensor) -> Tensor:
        """Unit vectors."""
        vectors: Tensor = F.normalize(self.body(features).type_as(features))
        return vectors


def contrastive_loss(local: Tensor, whole: Tensor, fresh: int, temperature: float) -> Tensor:
    """InfoNCE between the local and the global view of every image, 0-dim; CMI, equation 4.

    Args:
        local: unit vectors of the local views [B + M, P], those of the B fresh images first, then M remembered ones.
        whole: of the global views; no gradient goes through them.
        fresh: B.
        temperature: divides the similarities.

    The mean over the fresh images and the mean over the remembered ones count alike.
    """
    similarity = local @ whole.detach().T / temperature
    loss = F.cross_entropy(similarity, torch.arange(len(local), device=local.device), reduction="none")
    mine, remembered = loss[:fresh], loss[fresh:]
    return mine.mean() + remembered.mean() if len(remembered) else mine.mean()


class Contrast(Stateful):
    """The contrastive term: local views, features, head and memory. The head has an Adam of its own, which lives on."""

    state = ("head", "optimizer", "bank")

    def __init__(self, config: CMIConfig, context: Context) -> None:
        self.config, self.teacher = config, context.teacher
        self.wanted: dict[str, Any] = {"stages": True} if config.features == "stages" else {"instance_means": True}
        _, height, width = context.task.shape
        self.crops = ResizedCrops(height, width, context.task.flip)
        self.normalise = Normaliser(context.task, context.device)
        with torch.no_grad():
            features = self.features(torch.zeros(1, *context.task.shape, device=context.device)).shape[1]
        self.head = context.build("contrast-init", lambda: ContrastiveHead(features, config.projection))
        self.optimizer = optimizer(torch.optim.Adam, self.head.parameters(), config.lr_g)
        rounds = rounds_to_fill(context, config.inversion_batch)
        # rows that are never filled would still take space on the device and in checkpoints: 886 MB for CIFAR's 40,960
        self.bank = MemoryBank(min(config.bank, rounds * config.inversion_batch), features, context.device)

    def __call__(self, images: Tensor, whole: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """The loss of images [B, C, H, W] with global features ``whole`` [B, D]; both views' features [B, 2, D]."""
        local = self.features(self.normalise(self.crops.augment(images, random)))
        remembered = self.bank.sample(self.config.negatives, random)
        views = torch.cat([local, remembered[:, 0], whole, remembered[:, 1]])
        local_vectors, whole_vectors = self.head(views).chunk(2)
        loss = contrastive_loss(local_vectors, whole_vectors, len(images), self.config.cr_temperature)
        return loss, torch.stack([local, whole], dim=1)

    def features(self, x: Tensor) -> Tensor:
        """Spatial means [B, D] of the compared activations for the teacher's input ``x``."""
        return self.read(self.teacher(x, **self.wanted))

    def read(self, answer: TeacherOutput) -> Tensor:
        """The same, from a forward that was asked for what is ``wanted``."""
        if answer.stages is not None:
            return torch.cat([stage.mean(dim=(2, 3)) for stage in answer.stages[:-1]], dim=1)
        assert answer.instance_means is not None
        return answer.instance_means


class ContrastiveInverter(Stateful):
    """Adam on generator and latents of one batch, both started anew in every call, against all earlier batches."""

    state = ("contrast",)

    def __init__(self, config: CMIConfig, context: Context) -> None:
        self.config, self.context = config, context
        task, kind = context.task, for_task(context.task)
        self.generator = context.build("generator-init", lambda: kind(task, config.nz, config.generator_width))
        self.objective = InversionLoss(config, context)
        self.contrast = Contrast(config, context) if config.cr else None
        self._views = Views.of(task)
        self._normalise = Normaliser(task, context.device)

    def synthesise(self, call: int) -> Synthesised:
        """The images of the inner step with the smallest loss; the student must be in evaluation mode."""
        random, config = self.context.random("inversion", call), self.config
        z = torch.randn(config.inversion_batch, config.nz, generator=random, device=random.device).requires_grad_()
        classes = self.context.task.classes
        # sorted as in the official code, where neighbours in a grid of images are of one class; nothing else needs it
        y = torch.randint(classes, (len(z),), generator=random, device=random.device).sort().values
        initialise(self.generator, random)
        learned = [*self.generator.parameters(), z]
        adam, best = optimizer(torch.optim.Adam, learned, config.lr_g, fixed=True, betas=(0.5, 0.999)), Best()
        for _ in range(config.inner_steps):
            images = self.generator(z)
            loss, parts, features = self._loss(images, y, random)
            best.offer(loss, images, *features)
            self._step(loss, learned, adam)
        images, *features = best.tensors
        if self.contrast is not None:
            self.contrast.bank.add(*features)
        return Synthesised(images, detached(loss, parts))

    def _loss(self, images: Tensor, y: Tensor, random: torch.Generator) -> tuple[Tensor, Losses, list[Tensor]]:
        """The loss, its parts, and what the memory would keep of these images."""
        x = self._normalise(self._views.augment(images, random))
        if self.contrast is None:
            found = self.objective(x, y)
            return found.loss, found.parts, []
        found = self.objective(x, y, also=self.contrast.wanted)
        contrast, features = self.contrast(images, self.contrast.read(found.answer), random)
        return found.loss + self.config.cr * contrast, {**found.parts, "contrast": contrast}, [features]

    def _step(self, loss: Tensor, learned: list[Tensor], adam: torch.optim.Optimizer) -> None:
        head = [] if self.contrast is None else list(self.contrast.head.parameters())
        gradients = torch.autograd.grad(loss, [*learned, *head])
        apply_gradients(adam, learned, gradients[: len(learned)])
        if self.contrast is not None:
            apply_gradients(self.contrast.optimizer, head, gradients[len(learned) :])


class CMI(PoolMethod):
    """Generator anew in every round, held apart by contrast → growing pool → distillation."""

    name = "cmi"
    Config = CMIConfig
    config: CMIConfig
    presets: ClassVar = {
        "cmi": Preset({}, CASES),
        "cmi-500": Preset({"inner_steps": 500}, CASES, source="the paper's and Fast's tables; the scripts say 200."),
        "scratch": Preset(
            {"batch": 128, "cr_temperature": 0.1}, CASES, source="CMI repository, scripts/cmi/scratch_cmi."
        ),
        "adv": Preset(
            {"batch": 128, "cr_temperature": 0.1, "oh": 0.5, "epochs": 40},
            CASES,
            source="CMI repository, scripts/cmi/adv_cmi, without its images inverted beforehand.",
        ),
        "fast-tuned": Preset(
            {"inner_steps": 5, "cr": 0.0},
            (
                Case({}, ("cifar100",), (WRN_16_1,)),
                borrowed("wrn40_2 → wrn16_1 on cifar100"),
            ),
            source="Fast-Datafree, scripts/cmi, whose code cannot run it.",
        ),
        "smoke": Preset(
            {
                "inner_steps": 3,
                "inversion_batch": 16,
                "generator_width": 8,
                "nz": 16,
                "bank": 32,
                "negatives": 16,
            }
        ),
    }

    def make_inverter(self) -> ContrastiveInverter:
        """Generator, head and memory."""
        return ContrastiveInverter(self.config, self.context)
