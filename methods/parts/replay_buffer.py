"""SSD-KD's replay buffer: a fixed number of slots, renewed in part, drawn by priority.

Equations and marks ([K] known, [R] our reading, [C] our choice) are listed in docs/ssd-kd.md.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from methods.base.asking import Asking
from methods.base.method import Context, MethodConfig
from methods.base.schedule import Schedule
from methods.base.state import Stateful
from methods.parts.answers import Answers
from methods.parts.extras import NO_EXTRAS, Extras, ExtraStore, rows
from methods.parts.images import ImageStore, quantised
from methods.parts.losses import kl_divergence
from methods.parts.modulation import Modulation
from methods.parts.plan import Plan
from methods.parts.sources import Batch, evenly


class ReplayConfig(MethodConfig):
    """How images are drawn and replaced. Source: our choice."""

    alpha: float = Field(default=0.6, ge=0)
    """Exponent of the priorities; 0 draws uniformly. Source: our choice, as Schaul et al. 2016, section 3.3."""
    beta: float = Field(default=0.4, ge=0, le=1)
    """Exponent of the importance weights. Source: our choice, as Schaul et al. 2016, section 3.4."""
    epsilon: float = Field(default=1e-6, gt=0)
    """Added to every priority. Source: our choice; Schaul et al. 2016 name no value."""
    weight_scale: Literal["max", "mean"] = "max"
    """What a batch's importance weights are divided by. Source: our choice, as Schaul et al. 2016, section 3.4."""
    first_priority: Literal["kl", "max"] = "kl"
    """Priority of a new image: its own divergence, or the buffer's maximum."""
    order: Literal["priority", "phi"] = "priority"
    """What decides which images enter a full buffer, and which leave: δ, or φ, which does not move with the student.
    Source: our reading of "ordered by priority" (SSD-KD); the paper's figure may say φ."""
    replacement: Literal["lowest", "oldest"] = "lowest"
    """Whose slots new images take: the lowest in that order, or the oldest. Source: our reading of "ordered by
    priority" (SSD-KD)."""


class _FirstLook(NamedTuple):
    """What is known of images when they come."""

    content: Tensor
    """The teacher's predictions of each class, one per image, or one per pixel: [n, classes]."""
    priority: Tensor
    """First priority δ_0: [n]."""
    difficulty: Tensor
    """log of φ's second factor: [n]."""

    def rows(self, index: Tensor) -> _FirstLook:
        """Of those that ``index`` [m] names."""
        return _FirstLook(*(one[index] for one in self))


class ReplayBuffer(Stateful):
    """N slots with a priority δ each (SSD-KD, CVPR 2024).

    A slot is drawn with P ∝ (|δ| + ε)^α and weighted by w = (N · P)^-β; afterwards δ ← w · KL(teacher ‖ student) of
    that draw. Everything stays on the device; no method of this class reads it.
    """

    state = (
        *("store", "extras", "answers", "priority", "difficulty", "content"),
        *("born", "drawn", "histogram", "replaced", "filled"),
    )

    def __init__(
        self,
        config: ReplayConfig,
        context: Context,
        schedule: Schedule,
        phi: Modulation,
        asking: Asking | None = None,
    ) -> None:
        self.config, self.capacity, self.phi = config, context.images, phi
        self.teacher, self.student = context.teacher, context.student
        self.store = ImageStore(context, self.capacity)
        self.placing = self.store.placing
        self.extras = ExtraStore(self.capacity, context.device)
        self.answers = Answers(asking, context, self.store)
        self._randomness, self._device = context.random, context.device
        self.priority = torch.zeros(self.capacity, device=context.device)
        self.difficulty = torch.zeros(self.capacity, device=context.device)
        self.content = torch.zeros(self.capacity, context.task.classes, dtype=torch.int32, device=context.device)
        self.born = torch.zeros(self.capacity, dtype=torch.int64, device=context.device)
        self.drawn = torch.zeros(self.capacity, dtype=torch.bool, device=context.device)
        self.histogram = torch.zeros(context.task.classes, dtype=torch.int64, device=context.device)
        self.replaced = torch.zeros((), dtype=torch.int64, device=context.device)
        self.filled = 0
        self._plan = Plan(schedule.longest_round, context.device)
        self._slots = torch.arange(self.capacity, device=context.device)
        self._count = torch.zeros((), dtype=torch.int64, device=context.device)  # `filled`, for operations of a step

    def class_share(self) -> Tensor:
        """Share of the stored images, or pixels, that the teacher assigns to each class; 0 while empty: [classes]."""
        return self.histogram / self.histogram.sum().clamp_min(1)

    def admit(self, images: Tensor, call: int, extras: Extras = NO_EXTRAS) -> dict[str, Tensor]:
        """Fill free slots in the order of ``images`` [B, C, H, W], then replace a quarter at most by the best others.

        Only what was there before is replaced: a batch larger than the buffer does not push out its own images.
        """
        older, free = self.filled, min(len(images), self.capacity - self.filled)
        self._fill(images[:free], rows(extras, slice(free)), call)
        most = min(len(images) - free, renewed(self.capacity), older)
        if most:
            # after as many calls as fill the buffer once, an image that nobody drew counts like one that was drawn: it
            # would else outlive all others
            max_age = -(-self.capacity // len(images))
            self._replace(images[free:], rows(extras, slice(free, None)), most, older, call, max_age)
        return self._statistics(call)

    def begin_round(self, steps: int, batch: int, index: int) -> None:
        """Let the teacher answer to new images; draw the round's random numbers.

        Which slots they mean depends on the priorities of the moment.
        """
        self.answers.ask()
        random = self._randomness("replay", index)
        uniform = torch.rand(steps, batch, generator=random, device=self._device, dtype=torch.float64)
        self._plan.begin(uniform, self.store.views.draw(steps * batch, random).view(steps, batch))
        self._count.fill_(self.filled)

    def draw(self) -> Batch:
        """Slots drawn independently with replacement, each in a random view."""
        uniform, view = self._plan.draw()
        probability = self.probabilities()
        slot = self._sample(probability, uniform)
        importance = ((self._count * probability[slot]) ** -self.config.beta).float()
        scale = importance.max() if self.config.weight_scale == "max" else importance.mean()
        self.drawn.index_fill_(0, slot, True)
        x, answer, extras = self.store.view(slot, view), self.answers.read(slot, view), self.extras.read(slot)
        return Batch(x, answer, view, importance / scale, slot, importance, extras=extras)

    def feedback(self, batch: Batch, teacher: Tensor, student: Tensor) -> None:
        """δ ← w · KL of the drawn slots, from logits [B, classes]; a slot drawn twice keeps its largest."""
        assert batch.slot is not None and batch.importance is not None
        priority = batch.importance * kl_divergence(teacher, student)
        # the largest, since with a plain write the device would choose which draw of a slot is the last
        self.priority.scatter_reduce_(0, batch.slot, priority, "amax", include_self=False)

    def sample(self, count: int) -> Tensor:
        """At most ``count`` images [n, C, H, W] in [0, 1], evenly spaced over the slots."""
        return self.store.images(evenly(self.filled, count, self._device))

    def probabilities(self) -> Tensor:
        """P of every slot in this round, 0 for those that were empty at its beginning: [capacity].

        In float64, as ε would vanish beside a large δ in float32.
        """
        scores = (self.priority.double().abs() + self.config.epsilon).pow(self.config.alpha)
        scores = scores * (self._slots < self._count)
        return scores / scores.sum()

    def _sample(self, probability: Tensor, uniform: Tensor) -> Tensor:
        """Inverse-transform sampling from numbers in [0, 1): int64 [batch]."""
        # in whole numbers, whose sums are exact in any order: a GPU adds floating-point ones differently every time
        cumulative = (probability.double() * 2**53).long().cumsum(0)
        slot = torch.searchsorted(cumulative, (uniform * cumulative[-1]).long(), right=True)
        return slot.minimum(self._count - 1)  # a number just below 1 times the total can round to the total

    def _fill(self, images: Tensor, extras: Extras, call: int) -> None:
        older, self.filled = self.filled, self.filled + len(images)
        slots = torch.arange(older, self.filled, device=self._device)
        self._store(slots, images, extras, self._first_look(images, older), call)

    def _replace(self, images: Tensor, extras: Extras, count: int, older: int, call: int, max_age: int) -> None:
        """The best ``count`` images, ties by batch order, take the slots that `_victims` names, the best one first."""
        look = self._first_look(images, older)
        best = self._standing(look).sort(descending=True, stable=True).indices[:count]
        slots = self._victims(call, max_age)[:count]
        self.histogram -= self.content[slots].sum(dim=0)
        self.replaced += count
        self._store(slots, images[best], rows(extras, best), look.rows(best), call)

    def _store(self, slots: Tensor, images: Tensor, extras: Extras, look: _FirstLook, call: int) -> None:
        self.store.write(slots, images)
        self.extras.write(slots, extras)
        self.answers.admit(slots)
        self.content[slots], self.priority[slots], self.difficulty[slots] = look
        self.born[slots] = call
        self.drawn[slots] = False
        self.histogram += look.content.sum(dim=0)

    def _standing(self, look: _FirstLook) -> Tensor:
        """Where images stand in the buffer's order, the highest first: [n]."""
        if self.config.order == "priority":
            return look.priority
        return self.phi.order(look.difficulty, look.content, self.class_share())

    def _victims(self, call: int, max_age: int) -> Tensor:
        """All slots, the first to be replaced first; ties by slot.

        `lowest`: by priority among those drawn at least once or more than ``max_age`` calls old, then the rest by age;
        by φ, which no draw changes, among all. `oldest`: by age. What entered in this call comes last.
        """
        if self.config.replacement == "oldest":
            return self.born.sort(stable=True).indices
        if self.config.order == "phi":
            standing = self._standing(_FirstLook(self.content, self.priority, self.difficulty))
            return torch.where(self.born < call, standing, math.inf).sort(stable=True).indices
        judged = self.drawn | (call - self.born > max_age)
        # two stable sorts, the second by group alone: a mask would have a length that the host must wait for
        order = torch.where(judged, self.priority, self.born.float()).sort(stable=True).indices
        return order[(~judged[order]).to(torch.uint8).sort(stable=True).indices]

    @torch.no_grad()
    def _first_look(self, images: Tensor, older: int) -> _FirstLook:
        """What the teacher sees in images as they will be stored, and how far the student is from it.

        Student in evaluation mode. ``older`` slots were filled before.
        """
        if not len(images):
            return _FirstLook(self.content[:0], self.priority[:0], self.difficulty[:0])
        x = self.store.normalise(quantised(images).float() / 255)
        logits = self.teacher.logits(x)
        with evaluation_mode(self.student):
            priority = kl_divergence(logits, self.student(x))
        if self.config.first_priority == "max" and older:
            priority = self.priority[:older].max().expand(len(images))
        predicted = logits.argmax(dim=1).view(len(images), -1)
        content = torch.zeros_like(self.content[:1]).repeat(len(images), 1)
        content.scatter_add_(1, predicted, torch.ones_like(predicted, dtype=content.dtype))
        return _FirstLook(content, priority, self.phi.log_difficulty(logits))

    def _statistics(self, call: int) -> dict[str, Tensor]:
        return {
            "buffer/age": (call - self.born[: self.filled]).float().mean(),
            "buffer/never_drawn": (~self.drawn[: self.filled]).float().mean(),
            "buffer/turnover": self.replaced / self.capacity,
            "buffer/largest_class": self.class_share().max(),
        }


def renewed(capacity: int) -> int:
    """How many slots of ``capacity`` one call renews at most. [R] The paper's buffer is renewed only in part."""
    return -(-capacity // 4)


def admitted(capacity: int, batch: int, calls: int) -> int:
    """How many images ``calls`` of ``batch`` images store in a buffer, those included that others replace."""
    filled = stored = 0
    for _ in range(calls):
        free = min(batch, capacity - filled)
        stored += free + min(batch - free, renewed(capacity), filled)
        filled += free
    return stored


class evaluation_mode:  # noqa: N801 - a context manager, named like torch.no_grad
    """Run a block with a module in evaluation mode, then restore its mode."""

    def __init__(self, module: nn.Module) -> None:
        self.module, self.training = module, module.training

    def __enter__(self) -> None:
        self.module.eval()

    def __exit__(self, *_: object) -> None:
        self.module.train(self.training)
