"""CMI's contrast and memory against loops, and a whole round against a plain one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.cmi import MemoryBank, contrastive_loss
from methods.parts.generators import initialise
from tests import small
from tests.methods import slow


def cmi(**more: Any) -> Any:
    given = small.context(*small.agreeing_pair(), scale=0.2)
    return small.make("cmi", given, small.options("cmi", **more))


def unit_vectors(n: int, seed: int) -> Tensor:
    rows = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    return (rows / rows.norm(dim=1, keepdim=True)).requires_grad_()


def info_nce(local: Tensor, whole: Tensor, fresh: int, temperature: float) -> Tensor:
    """Every local view has to find its own global view among all of them."""
    losses = []
    for i, a in enumerate(local):
        powers = torch.stack([((a * b).sum() / temperature).exp() for b in whole])
        losses.append(-(powers[i] / powers.sum()).log())
    total = slow.mean(losses[:fresh])
    return total + slow.mean(losses[fresh:]) if losses[fresh:] else total


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("remembered", [0, 1, 5])
def test_contrastive_loss_and_its_gradients(remembered: int) -> None:
    local, whole = unit_vectors(3 + remembered, 1), unit_vectors(3 + remembered, 2)
    mine, theirs = contrastive_loss(local, whole, 3, 0.2), info_nce(local, whole.detach(), 3, 0.2)
    assert mine.item() == pytest.approx(theirs.item(), rel=1e-10)
    expected = torch.autograd.grad(theirs, [local])[0]
    gradient, of_whole = torch.autograd.grad(mine, [local, whole], allow_unused=True)
    assert slow.distance(gradient, expected) < 1e-10
    assert of_whole is None


def rows(first: int, count: int) -> Tensor:
    """Rows that carry their own number."""
    return torch.arange(first, first + count, dtype=torch.float32)[:, None, None].expand(-1, 2, 3)


def held(bank: MemoryBank, count: int = 100) -> list[int]:
    return sorted(int(row[0, 0]) for row in bank.sample(count, torch.Generator().manual_seed(0)))


def test_an_exactly_full_memory_gives_all_its_rows() -> None:
    bank = MemoryBank(8, 3, torch.device("cpu"))
    assert bank.sample(4, torch.Generator()).shape == (0, 2, 3)
    bank.add(rows(1, 4))
    assert held(bank) == [1, 2, 3, 4]
    bank.add(rows(5, 4))
    assert held(bank) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_the_memory_forgets_the_oldest_also_across_its_end() -> None:
    bank, model = MemoryBank(8, 3, torch.device("cpu")), []
    for first in range(1, 40, 3):
        bank.add(rows(first, 3))
        model = [*model, first, first + 1, first + 2][-8:]
        assert held(bank) == model


def test_sampled_rows_are_different_ones_and_all_can_come() -> None:
    bank, random = MemoryBank(8, 3, torch.device("cpu")), torch.Generator().manual_seed(3)
    bank.add(rows(1, 8))
    drawn = [[int(row[0, 0]) for row in bank.sample(5, random)] for _ in range(200)]
    assert all(len(set(numbers)) == 5 for numbers in drawn)
    counts = [sum(n in numbers for numbers in drawn) for n in range(1, 9)]
    assert all(90 < count < 160 for count in counts)  # 125 ± 7 expected


def test_without_contrast_a_round_owes_nothing_to_the_rounds_before() -> None:
    fresh, later = cmi(cr=0.0), cmi(cr=0.0)
    later.context.student.eval(), fresh.context.student.eval()
    later.inverter.synthesise(0)
    assert torch.equal(later.inverter.synthesise(1).images, fresh.inverter.synthesise(1).images)


def test_the_contrast_lives_on_from_round_to_round() -> None:
    fresh, later = cmi(), cmi()
    later.context.student.eval(), fresh.context.student.eval()
    later.inverter.synthesise(0)
    assert not torch.equal(later.inverter.synthesise(1).images, fresh.inverter.synthesise(1).images)
    assert later.inverter.contrast.optimizer.state_dict()["state"][0]["step"] == 2 * later.config.inner_steps


@pytest.mark.parametrize(("cr", "forwards"), [(0.8, 2), (0.0, 1)])
def test_contrast_costs_one_more_look_of_the_teacher(cr: float, forwards: int) -> None:
    method = cmi(cr=cr)
    before = method.context.teacher.images_forwarded
    method.synthesise(0)
    looked = method.context.teacher.images_forwarded - before
    assert looked == forwards * method.config.inner_steps * method.config.inversion_batch


@pytest.mark.parametrize(
    ("teacher", "features", "columns"),
    [("wrn40_2", "batch-norm", 2704), ("vgg11", "batch-norm", 2752), ("resnet34", "stages", 512)],
)
def test_columns_that_are_compared(teacher: str, features: str, columns: int) -> None:
    networks = small.network(teacher, 1, small.CIFAR), small.network("wrn16_1", 2, small.CIFAR)
    method = small.make("cmi", small.context(*networks, task=small.CIFAR), small.options("cmi", features=features))
    assert method.inverter.contrast.bank.rows.shape == (32, 2, columns)


def test_stages_are_what_enters_the_four_layers_of_a_resnet() -> None:
    teacher = small.network("resnet34", 1, small.CIFAR)
    given = small.context(teacher, small.network("wrn16_1", 2, small.CIFAR), task=small.CIFAR)
    method = small.make("cmi", given, small.options("cmi", features="stages"))
    seen: list[Tensor] = []
    for layer in teacher.get_submodule("groups").children():
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    teacher(x)
    expected = torch.cat([activation.flatten(2).mean(dim=2) for activation in seen], dim=1)
    assert slow.distance(method.inverter.contrast.features(x), expected) < 1e-5


class PlainRounds:
    """CMI's rounds from the description of its official code; random numbers are drawn in the method's order."""

    def __init__(self, method: Any, teacher: nn.Module) -> None:
        self.context, self.config, self.teacher = method.context, method.config, teacher
        self.generator = copy.deepcopy(method.inverter.generator)
        self.head = copy.deepcopy(method.inverter.contrast.head)
        self.head_adam = torch.optim.Adam(self.head.parameters(), method.config.lr_g)
        self.crops = method.inverter.contrast.crops  # tests/methods/parts/test_views.py
        self.memory = torch.empty(0, 2, 0)

    def round(self, index: int) -> Tensor:
        """The images that are kept."""
        random, config, task = self.context.random("inversion", index), self.config, self.context.task
        z = torch.randn(config.inversion_batch, config.nz, generator=random).requires_grad_()
        y = sorted(torch.randint(task.classes, (len(z),), generator=random).tolist())
        initialise(self.generator, random)
        adam = torch.optim.Adam([*self.generator.parameters(), z], config.lr_g, betas=(0.5, 0.999))
        best, kept = float("inf"), (torch.empty(0), torch.empty(0))
        for _ in range(config.inner_steps):
            images = self.generator(z)
            views = torch.randint(9, (len(z),), generator=random).tolist()  # pad 1, no flip
            cropped = torch.stack([slow.crop(image, view, 1) for image, view in zip(images, views, strict=True)])
            loss, whole = self.inversion(slow.normalised(cropped, task.mean, task.std), y)
            inputs, _ = slow.batch_norm_inputs(
                self.teacher, slow.normalised(self.crops.augment(images, random), task.mean, task.std)
            )
            local = self.means(inputs)
            chosen = torch.randperm(len(self.memory), generator=random)[: config.negatives]
            remembered = self.memory[chosen].reshape(-1, 2, local.shape[1])
            a = F.normalize(self.head(torch.cat([local, remembered[:, 0]])))
            b = F.normalize(self.head(torch.cat([whole, remembered[:, 1]])))
            loss = loss + config.cr * info_nce(a, b.detach(), len(z), config.cr_temperature)
            if loss.item() < best:
                best, kept = loss.item(), (images.detach().clone(), torch.stack([local, whole], dim=1).detach())
            adam.zero_grad()
            self.head_adam.zero_grad()
            loss.backward()
            adam.step()
            self.head_adam.step()
        old = self.memory.reshape(-1, 2, kept[1].shape[2])
        self.memory = torch.cat([old, kept[1]])[-config.bank :]
        return kept[0]

    def inversion(self, x: Tensor, y: list[int]) -> tuple[Tensor, Tensor]:
        """The loss without contrast, and the global features."""
        inputs, t = slow.batch_norm_inputs(self.teacher, x)
        loss = self.config.bn * slow.bn_loss(slow.statistics(inputs))
        loss = loss + self.config.oh * slow.mean(slow.cross_entropies(t, y))
        return loss - self.config.adv * slow.masked_kl(t, self.context.student(x)), self.means(inputs)

    def means(self, inputs: dict[nn.Module, Tensor]) -> Tensor:
        layers = [child for parent in self.teacher.modules() for child in parent.children() if child in inputs]
        return torch.cat([inputs[layer].flatten(2).mean(dim=2) for layer in layers], dim=1)


@pytest.mark.usefixtures("double")
def test_rounds_equal_plain_ones() -> None:
    """Two rounds fill the memory, so the third starts to forget."""
    method = cmi(inversion_batch=4, bank=8, negatives=3)
    plain = PlainRounds(method, small.agreeing_pair()[0])
    method.context.student.eval()
    for index in range(3):
        expected = plain.round(index)
        images = method.inverter.synthesise(index).images
        assert slow.distance(images, expected) < 1e-6
    for mine, theirs in zip(method.inverter.contrast.head.parameters(), plain.head.parameters(), strict=True):
        assert slow.distance(mine, theirs) < 1e-6
    recent = method.inverter.contrast.bank.sample(8, torch.Generator())
    assert slow.distance(*(bank.sum(dim=0) for bank in (recent, plain.memory))) < 1e-6


@pytest.mark.parametrize(("images", "rows"), [(16, 16), (40, 48), (160, 160), (1000, 200)])
def test_the_memory_is_no_larger_than_what_the_run_makes(images: int, rows: int) -> None:
    """Batches of 16, the last one whole: rows beyond these would lie on the device, and in every checkpoint, empty."""
    given = small.context(*small.agreeing_pair(), scale=1.0, reference_size=images)
    method = small.make("cmi", given, small.options("cmi", bank=200))
    bank = method.inverter.contrast.bank
    assert len(bank.rows) == rows
    for _ in range(method.schedule.synthesis_rounds):
        bank.add(torch.ones(16, *bank.rows.shape[1:]))
    assert bank.filled == rows
