"""SpaceshipNet: Data-Free Knowledge Distillation via Feature Exchange and Activation Region Constraint (CVPR 2023).

A generator that lives as long as the run inverts the teacher; the maps between its layers are kept. The student learns
from what the generator makes of them later, after images exchanged channels, and shall look where the teacher does:
class activation maps and Grad-CAMs of both are held together. Values are those of skgyu/SpaceshipNet, scripts, which
are for resnet34 → resnet18; for other pairs none are public.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from methods.base.bounds import Steps
from methods.base.inside import Inside, classifier, look_inside
from methods.base.method import Context, Losses, MethodConfig
from methods.base.presets import RESNETS, Case, Preset, borrowed
from methods.base.schedule import Schedule
from methods.base.state import Stateful
from methods.base.teacher import TeacherOutput
from methods.parts.class_activation import at_the_smaller_size, class_activation, grad_cam, of_common_sizes
from methods.parts.composed import ComposedMethod, Synthesised
from methods.parts.distiller import Distilled, Distiller, soft_targets
from methods.parts.feature_generator import FeatureGenerator
from methods.parts.feature_pool import MAPS, FeaturePool, packed
from methods.parts.images import Normaliser
from methods.parts.inversion import InversionConfig, InversionLoss
from methods.parts.losses import detached, weighted_sum
from methods.parts.optimization import Best, apply_gradients
from methods.parts.optimizers import optimizer
from methods.parts.sources import Batch, rounds_to_fill
from methods.parts.views import Views


class SpaceshipNetConfig(InversionConfig):
    """Feature exchange and activation constraints. Source: SpaceshipNet repository, scripts."""

    steps: Steps = 400_000
    """Distillation steps at 100 % data scale; fewer in proportion at smaller ones: 200 epochs × 2000 steps."""
    temperature: float = Field(default=30.0, gt=0)
    """Softens the predictions of teacher and student in the distillation loss, and nowhere else."""
    inner_steps: int = Field(default=200, ge=1)
    """Steps of the generator for every batch of images."""
    nz: int = Field(default=256, ge=1)
    """Numbers of a latent."""
    generator_width: int = Field(default=128, ge=2, multiple_of=2)
    """Channels that those of the generator's layers are multiples of: `methods/parts/generators.py`."""
    lr_g: float = Field(default=1e-3, gt=0)
    """Adam's rate for the generator; every batch has a fresh Adam."""
    oh: float = Field(default=0.5, ge=0)
    adv: float = Field(default=0.0, ge=0)
    """Weight of an adversarial term; the method has none, and the student plays no part in inversion."""
    exchange: float = Field(default=0.7, ge=0, le=1)
    """Share of the distillation steps in which images exchange half of their channels."""
    cam: float = Field(default=1.0, ge=0)
    """Weight of the squared difference of class activation maps."""
    gradcam: float = Field(default=1.0, ge=0)
    """Weight of the squared differences of Grad-CAMs, one for each stage."""


CASES = (Case({}, pairs=(RESNETS,)), borrowed("resnet34 → resnet18 on cifar100"))


def initialise(generator: nn.Module) -> None:
    """Weights by Kaiming, normal over the inputs; those of batch norm N(1, 0.02); biases 0: networks/init.py."""
    for layer in generator.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
        elif isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
        if isinstance(bias := getattr(layer, "bias", None), Tensor):
            nn.init.zeros_(bias)


class FeatureInverter(Stateful):
    """Adam on a generator that is never started anew, from latents of one batch that stay as they were drawn."""

    state = ("generator",)

    def __init__(self, config: SpaceshipNetConfig, context: Context) -> None:
        self.config, self.context = config, context
        self.generator = context.build("generator-init", self._make)
        self.objective = InversionLoss(config, context)
        self._views = Views.of(context.task)
        self._normalise = Normaliser(context.task, context.device)

    def _make(self) -> FeatureGenerator:
        generator = FeatureGenerator(self.context.task, self.config.nz, self.config.generator_width)
        initialise(generator)
        return generator

    def synthesise(self, call: int) -> Synthesised:
        """Images and maps of the inner step with the smallest loss."""
        random, config = self.context.random("inversion", call), self.config
        z = torch.randn(config.inversion_batch, config.nz, generator=random, device=random.device)
        y = torch.arange(len(z), device=z.device) % self.context.task.classes
        weights = list(self.generator.train().parameters())
        adam, best = optimizer(torch.optim.Adam, weights, config.lr_g, fixed=True, betas=(0.5, 0.999)), Best()
        for _ in range(config.inner_steps):
            images, maps = self.generator(z)
            found = self.objective(self._normalise(self._views.augment(images, random)), y)
            best.offer(found.loss, images, *maps)
            apply_gradients(adam, weights, torch.autograd.grad(found.loss, weights))
        images, *maps = best.tensors
        return Synthesised(images, detached(found.loss, found.parts), {MAPS: packed(tuple(maps))})


class ActivationDistiller(Distiller):
    """criterion + cam · distance of class activation maps + gradcam · Σ over stages of the distance of Grad-CAMs."""

    config: SpaceshipNetConfig

    def __init__(self, config: SpaceshipNetConfig, context: Context, schedule: Schedule) -> None:
        soft, classes = soft_targets(config.temperature), context.task.classes
        # nn.KLDivLoss by default divides by the number of classes too
        super().__init__(config, context, schedule, lambda teacher, student: soft(teacher, student) / classes)
        self.heads = context.teacher.classifier.weight, classifier(context.student).weight
        with torch.no_grad():
            self._try(torch.zeros(1, *context.task.shape, device=context.device))

    def _try(self, image: Tensor) -> None:
        """Raise ValueError, before anything is made, for two networks whose maps cannot be compared."""
        taught, learned = self.teacher(image, stages=True, unpooled=True), look_inside(self.student.eval(), image)
        self._class_activations(taught, learned)
        of_common_sizes(taught.stages or (), learned.stages)

    def step(self, batch: Batch) -> Distilled:
        """One update, on images whose classes are what the teacher says."""
        # a graph of the teacher has to begin somewhere: its own weights need no gradient
        taught = self.teacher(batch.x.detach().requires_grad_(), stages=True, unpooled=True)
        learned, target = look_inside(self.student, batch.x), taught.logits.detach()
        parts: Losses = {"kd": self.criterion(target, learned.logits).mean()}
        if self.config.cam:
            parts["cam"] = self._class_activations(taught, learned)
        if self.config.gradcam:
            parts["gradcam"] = self._grad_cams(taught, learned, target.argmax(dim=1))
        loss = weighted_sum(parts, {"kd": 1.0, "cam": self.config.cam, "gradcam": self.config.gradcam})
        self.update(loss)
        return Distilled(detached(loss, parts), target, learned.logits.detach())

    def _class_activations(self, taught: TeacherOutput, learned: Inside) -> Tensor:
        assert taught.unpooled is not None
        maps = at_the_smaller_size(taught.unpooled.detach(), learned.unpooled)
        theirs, mine = (class_activation(*pair) for pair in zip(maps, self.heads, strict=True))
        return F.mse_loss(mine, theirs)

    def _grad_cams(self, taught: TeacherOutput, learned: Inside, classes: Tensor) -> Tensor:
        assert taught.stages is not None
        theirs, mine = of_common_sizes(taught.stages, learned.stages)
        wanted = grad_cam(taught.logits, theirs, classes, keep_graph=False)
        found = grad_cam(learned.logits, mine, classes, keep_graph=True)
        pairs = zip(found, wanted, strict=True)
        return torch.stack([F.mse_loss(one, other.detach()) for one, other in pairs]).sum()


class SpaceshipNet(ComposedMethod):
    """Persistent generator → pool of its maps, exchanged and decoded anew → distillation with activation maps."""

    name = "spaceshipnet"
    Config = SpaceshipNetConfig
    presets: ClassVar = {
        "spaceshipnet": Preset({}, CASES),
        "equal-budget": Preset(
            {"steps": 80_000}, CASES, source="the repository's scripts, but for the steps: those of Fast and CMI."
        ),
        "smoke": Preset({"inner_steps": 3, "inversion_batch": 16, "generator_width": 8, "nz": 16}),
    }

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, SpaceshipNetConfig)
        super().__init__(config, context)
        self.schedule = Schedule(context.steps(config), config.epochs, rounds_to_fill(context, config.inversion_batch))
        self.inverter = inverter = FeatureInverter(config, context)
        self.source = FeaturePool(context, self.schedule, inverter.generator, config.exchange)
        self.distiller = ActivationDistiller(config, context, self.schedule)
