"""From the names in a file to those of a network: patterns that the user gives, and a prefix that all share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from torch import Tensor

from harness.errors import UserError

SHOWN = 5
"""Keys named in an error."""
COUNTER = "num_batches_tracked"
"""Of batch norm: files from before 2018 have none, and nothing depends on it once a network is trained."""
STATISTICS = ("running_mean", "running_var")
"""Of batch norm: what it normalises by once a network is trained."""
REMEDY = "--rename pattern=replacement renames its keys, --drop pattern leaves some out"


def match(
    weights: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    *,
    renamings: Sequence[str],
    drops: Sequence[str],
    say: Callable[[str], object],
) -> dict[str, Tensor]:
    """``weights`` under the names of ``wanted``, a network's state; counters that the file lacks are left out.

    Args:
        weights: name in the file -> tensor.
        wanted: name in the network -> tensor.
        renamings: ``pattern=replacement`` each, regular expressions applied to the file's names in this order.
        drops: regular expressions; names in which one of them is found are left out, before any is renamed.
        say: told what was done beyond the user's patterns.

    Raises UserError that names keys which are missing, left over, fall together, or differ in shape or kind.
    """
    names = _unprefixed(_renamed(_kept(list(weights), drops), renamings), wanted, say)
    _check_names(names, weights, wanted)
    if counters := [name for name in wanted if name not in names]:
        say(f"has none of {len(counters)} counters {COUNTER}; nothing depends on them")
    found = {name: weights[key] for name, key in names.items()}
    _check_tensors(found, wanted)
    kinds = {value.dtype for name, value in found.items() if value.dtype != wanted[name].dtype}
    if kinds:
        say(f"converted from {', '.join(sorted(_kind(kind) for kind in kinds))}")
    return found


def _kept(keys: list[str], drops: Sequence[str]) -> list[str]:
    for drop in drops:
        pattern = _pattern("--drop", drop, drop)
        left = [key for key in keys if not pattern.search(key)]
        if left == keys:
            raise UserError(f"--drop {drop}: found in none of {listed(keys)}")
        keys = left
    return keys


def _renamed(keys: list[str], renamings: Sequence[str]) -> dict[str, str]:
    """New name -> key in the file."""
    names = list(keys)
    for renaming in renamings:
        text, equals, replacement = renaming.partition("=")
        if not equals:
            raise UserError(f"--rename {renaming}: write it as pattern=replacement, such as --rename '^module\\.='")
        pattern = _pattern("--rename", renaming, text)
        if not any(pattern.search(name) for name in names):
            raise UserError(f"--rename {renaming}: found in none of {listed(names)}")
        try:
            names = [pattern.sub(replacement, name) for name in names]
        except (re.error, IndexError) as error:
            raise UserError(f"--rename {renaming}: {error}") from None
    return _distinct(keys, names)


def _distinct(keys: list[str], names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    collisions = []
    for key, name in zip(keys, names, strict=True):
        if name in found:
            collisions.append(f"{found[name]} and {key} would both be {name}")
        found.setdefault(name, key)
    if collisions:
        more = f"\n  and {len(collisions) - SHOWN} more" if len(collisions) > SHOWN else ""
        shown = "\n  ".join(collisions[:SHOWN])
        raise UserError(f"--rename lets keys fall together; --drop pattern leaves some out\n  {shown}{more}")
    return found


def _pattern(option: str, given: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UserError(f"{option} {given}: not a regular expression: {error}") from None


def _unprefixed(names: dict[str, str], wanted: Mapping[str, Tensor], say: Callable[[str], object]) -> dict[str, str]:
    """Without the prefix of all names, such as DataParallel's ``module.``, if the network finds its weights then."""
    weights = {name for name in wanted if not name.endswith((COUNTER, *STATISTICS))}
    shorter, prefix = names, ""
    while not weights <= shorter.keys():
        first = {name.partition(".")[0] for name in shorter}
        if len(first) != 1 or not all("." in name for name in shorter):
            return names
        prefix += f"{first.pop()}."
        shorter = {name.partition(".")[2]: key for name, key in shorter.items()}
    if prefix:
        say(f"left out before every key: {prefix}")
    return shorter


def _check_names(names: Mapping[str, str], weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    missing = sorted(name for name in wanted if name not in names and not name.endswith(COUNTER))
    left_over = sorted(key for name, key in names.items() if name not in wanted)
    if not (missing or left_over):
        return
    if not left_over and all(name.endswith(STATISTICS) for name in missing):
        raise UserError(
            f"{listed(missing)} of the network are not in it: batch norm cannot do without its means and variances; "
            "save model.state_dict(), not the parameters alone"
        )
    problem = f"{listed(missing)} of the network are not in it, {listed(left_over)} of it are not in the network"
    raise UserError(f"{problem}; {REMEDY}{_hint(names, weights, wanted)}")


def _hint(names: Mapping[str, str], weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """Which key is likely which, where the file's tensors have the shapes of the network's, in the same order."""
    theirs = [name for name in names if not name.endswith(COUNTER)]
    ours = [name for name in wanted if not name.endswith(COUNTER)]
    if [weights[names[name]].shape for name in theirs] != [wanted[name].shape for name in ours]:
        return ""
    pairs = [f"{a} = {b}" for a, b in zip(theirs, ours, strict=True) if a != b]
    return f"\n  shapes agree one to one, in this order: {', '.join(pairs[:SHOWN])}" + ", ..." * (len(pairs) > SHOWN)


def _check_tensors(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    for name, value in wanted.items():
        if name not in found:
            continue
        given = found[name]
        if given.shape != value.shape:
            raise UserError(f"{name} has shape {tuple(given.shape)}, not {tuple(value.shape)}")
        if value.is_floating_point() and not (given.is_floating_point() and _is_plain(given)):
            raise UserError(f"{name} is {_kind(given.dtype)}, not plain floating-point numbers: import it unquantised")


def _is_plain(tensor: Tensor) -> bool:
    return str(tensor.layout) == "torch.strided" and not tensor.is_meta


def _kind(dtype: object) -> str:
    return str(dtype).removeprefix("torch.")


def listed(keys: Iterable[str]) -> str:
    """How many keys there are, and the first of them."""
    keys = list(keys)
    shown = ", ".join(keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")
    return f"{len(keys)} keys ({shown})" if keys else "0 keys"
