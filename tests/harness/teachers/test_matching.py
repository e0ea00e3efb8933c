"""Names of a file and of a network: what is renamed, left out, and refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness.errors import UserError
from harness.teachers.matching import match
from harness.teachers.renaming import KeyRules

NETWORK = nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(4, 3))
WANTED: dict[str, Tensor] = NETWORK.state_dict()
"""0.weight, 1.weight, 1.bias, 1.running_mean, 1.running_var, 1.num_batches_tracked, 3.weight, 3.bias."""


def fit(
    weights: dict[str, Tensor], *renamings: str, drops: tuple[str, ...] = ()
) -> tuple[dict[str, Tensor], list[str]]:
    said: list[str] = []
    rules = KeyRules(renamings=renamings, drops=drops)
    found = match(weights, WANTED, network="cnn3_16", dataset="three", rules=rules, say=said.append).state
    for name, value in found.items():
        assert value.shape == WANTED[name].shape
    return found, said


def refusal(weights: dict[str, Tensor], *renamings: str, drops: tuple[str, ...] = ()) -> str:
    with pytest.raises(UserError) as raised:
        fit(weights, *renamings, drops=drops)
    return str(raised.value)


def under(prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in WANTED.items()}


def without(*endings: str) -> dict[str, Tensor]:
    return {name: value for name, value in WANTED.items() if not name.endswith(endings)}


def changed(name: str, value: Tensor) -> dict[str, Tensor]:
    return {**WANTED, name: value}


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.", "net.backbone.", "a.b.c.d."])
def test_a_prefix_of_all_keys_is_left_out(prefix: str) -> None:
    found, said = fit(under(prefix))
    assert found == WANTED
    assert said == [f"left out before every key: {prefix}"]


def test_a_prefix_that_the_network_has_itself_stays() -> None:
    wanted = under("backbone.")
    found = match(wanted, wanted, network="cnn3_16", dataset="three", say=lambda line: pytest.fail(line))
    assert found.state == wanted


def test_counters_may_be_missing_and_it_is_said() -> None:
    found, said = fit(without("num_batches_tracked"))
    assert found.keys() == without("num_batches_tracked").keys()
    assert said == ["has none of 1 counters num_batches_tracked; nothing depends on them"]


@pytest.mark.parametrize("missing", [("running_mean",), ("running_var",), ("running_mean", "running_var")])
@pytest.mark.parametrize("counters", [(), ("num_batches_tracked",)])
def test_the_statistics_of_batch_norm_may_not(missing: tuple[str, ...], counters: tuple[str, ...]) -> None:
    text = refusal(without(*missing, *counters))
    assert text.startswith(f"{len(missing)} key{'s' * (len(missing) > 1)} (1.{missing[0]}")
    assert "batch norm cannot do without its means and variances; save model.state_dict()" in text


def test_keys_are_renamed_and_dropped() -> None:
    found, _ = fit({**under("net."), **under("ema."), "criterion.weight": torch.ones(3)}, drops=("^ema", "criterion"))
    assert found == WANTED
    swapped = {
        ("3.bias" if name == "1.bias" else "1.bias" if name == "3.bias" else name): v for name, v in WANTED.items()
    }
    renamings = (r"^1\.bias=x", r"^3\.bias=1.bias", "^x=3.bias")
    assert fit(swapped, *renamings)[0] == WANTED
    layers = {f"layer{int(name[0]) + 1}{name[1:]}": value for name, value in WANTED.items()}
    assert fit(layers, "layer1=0", "layer2=1", r"layer(\d)\.=3.")[0] == WANTED


def test_a_rename_works_on_keys_as_they_stand_in_the_file() -> None:
    given = {f"module.f.{name}": value for name, value in WANTED.items()}
    assert fit(given, r"^module\.f\.=")[0] == WANTED
    assert fit(given, r"^module\.=")[0] == WANTED


@pytest.mark.parametrize("renaming", [r"^(net|ema)\.=", r".*\.(\d\.\w+)$=\1"])
def test_keys_that_fall_together_are_named(renaming: str) -> None:
    text = refusal({**under("net."), **under("ema.")}, renaming)
    assert "--rename lets keys fall together; --drop pattern leaves some out" in text
    assert "net.0.weight and ema.0.weight would both be 0.weight" in text
    assert "and 3 more" in text


def test_a_renamed_key_may_not_fall_on_one_that_stays() -> None:
    assert "1.bias and 3.bias would both be 1.bias" in refusal(WANTED, r"^3\.bias=1.bias")


@pytest.mark.parametrize(
    ("renamings", "drops", "expected"),
    [
        (["module."], [], r"--rename module.: write it as pattern=replacement"),
        (["(=x"], [], "--rename (=x: not a regular expression: "),
        ([r"0=\9"], [], r"--rename 0=\9: invalid group reference"),
        (["absent=x"], [], "--rename absent=x: found in none of 8 keys (0.weight, "),
        ([], ["["], "--drop [: not a regular expression: "),
        ([], ["absent"], "--drop absent: found in none of 8 keys (0.weight, "),
    ],
)
def test_patterns_that_do_nothing_or_are_none_are_named(renamings: list[str], drops: list[str], expected: str) -> None:
    assert refusal(WANTED, *renamings, drops=tuple(drops)).startswith(expected)


def test_keys_that_are_missing_or_left_over_are_named_as_in_the_file() -> None:
    given = {**under("module."), "module.aux.weight": torch.ones(3)}
    text = refusal(given)
    assert "not in the file" not in text
    assert "not in that layout: 1 key (module.aux.weight)" in text
    assert "--rename pattern=replacement" in text
    assert fit(given, drops=(r"module\.aux",))[0] == WANTED
    text = refusal(without("3.weight", "tracked"))
    assert text == "not the keys of cnn3_16; nearest is its own layout\n  not in the file: 1 key (3.weight)"


def test_a_copy_beside_the_network_is_named_with_what_leaves_it_out() -> None:
    text = refusal({**under("net."), **under("ema."), "criterion.weight": torch.ones(3)})
    assert "not in that layout: 9 keys (ema.0.weight, " in text
    assert "--drop pattern leaves some out" in text


def test_what_has_nothing_of_the_network_says_what_was_tried() -> None:
    text = refusal({f"encoder.block{i}.w": torch.ones(7) for i in range(9)})
    assert text.startswith("9 keys (encoder.block0.w, encoder.block1.w, ")
    assert "none of which is of cnn3_16\n  tried: its own layout" in text


def test_where_the_shapes_agree_in_order_the_names_are_set_side_by_side() -> None:
    text = refusal({name.replace("3.", "fc.").replace("0.", "conv."): value for name, value in WANTED.items()})
    assert "shapes agree one to one, in this order: conv.weight = 0.weight, fc.weight = 3.weight" in text
    assert "--in-order takes them so" in text
    assert "shapes agree" not in refusal({f"x{name}": torch.ones(7) for name in WANTED})


def test_a_file_is_taken_in_its_order_where_that_is_asked_for_and_possible() -> None:
    given = {f"layer{i}": value for i, value in enumerate(without("tracked").values())}
    said: list[str] = []
    in_order = {"network": "cnn3_16", "dataset": "three", "rules": KeyRules(in_order=True), "say": said.append}
    found = match(given, WANTED, **in_order)
    assert found.state == without("tracked")
    assert found.layout == "in-order"
    assert said[0] == "taken in its order, one tensor after the other"
    assert match(WANTED, WANTED, **in_order).layout is None
    with pytest.raises(UserError, match="none of which is of cnn3_16"):
        match(dict(reversed(given.items())), WANTED, **in_order)


def test_classes_and_channels_are_told_from_other_shapes() -> None:
    text = refusal({**WANTED, "3.weight": torch.ones(1000, 4), "3.bias": torch.ones(1000)})
    assert text.endswith("3.bias has shape (1000,), not (3,)\n  the file has 1000 classes, three has 3")
    text = refusal(changed("0.weight", torch.ones(2, 3, 3, 3)))
    assert text.endswith("\n  the file is for images of 3 channels, three has 1")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("3.weight", torch.ones(10, 4), "3.weight has shape (10, 4), not (3, 4)"),
        ("3.bias", torch.ones(()), "3.bias has shape (), not (3,)"),
        ("0.weight", torch.ones(18), "0.weight has shape (18,), not (2, 1, 3, 3)"),
        ("1.num_batches_tracked", torch.ones(1), "1.num_batches_tracked has shape (1,), not ()"),
        ("0.weight", torch.ones(2, 1, 7, 7), "0.weight has shape (2, 1, 7, 7), not (2, 1, 3, 3)\n  its stem is of"),
        ("3.bias", torch.ones(3, dtype=torch.int8), "3.bias is int8, not plain floating-point numbers"),
        ("3.bias", torch.ones(3, dtype=torch.complex64), "3.bias is complex64"),
        ("3.bias", torch.ones(3).to_sparse(), "3.bias is float32, not plain"),
        ("3.bias", torch.ones(3, device="meta"), "3.bias is float32, not plain"),
        ("3.weight", torch.quantize_per_tensor(torch.ones(3, 4), 0.1, 0, torch.qint8), "3.weight is qint8"),
    ],
)
def test_tensors_of_another_shape_or_kind_are_refused(name: str, value: Tensor, expected: str) -> None:
    assert refusal(changed(name, value)).startswith(expected)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_point_numbers_are_converted_and_it_is_said(kind: Any) -> None:
    given = {name: value.to(kind) if value.is_floating_point() else value for name, value in WANTED.items()}
    assert fit(given)[1] == [f"converted from {str(kind).removeprefix('torch.')}"]
