"""What the catalogue says could be true: names that exist, checksums of their kind, addresses that do not change."""

from __future__ import annotations

import re

import pytest

from harness import data, networks
from harness.commands import output, teachers
from harness.errors import ConfigError
from harness.store import layout
from harness.teachers import public
from harness.teachers.normalisation import Asked
from harness.teachers.public import TEACHERS, PublicTeacher
from tests import factory

DIGITS = {"sha256": 64, "git blob": 40, "md5": 32}


def test_the_teachers_that_people_ask_for_are_there() -> None:
    stated = {known.name: known.stated for known in TEACHERS}
    assert stated == {
        "akamaster-resnet20": 91.73,
        "akamaster-resnet32": 92.63,
        "akamaster-resnet44": 93.10,
        "akamaster-resnet56": 93.39,
        "hendrycks-wrn40_2-cifar10": 94.84,
        "hendrycks-wrn40_2-cifar100": 75.96,
    }


@pytest.mark.parametrize("known", TEACHERS, ids=lambda known: known.name)
def test_what_is_said_of_one_can_be_meant(known: PublicTeacher) -> None:
    assert known.dataset in data.names()
    assert known.network in networks.names()
    task = data.load(known.dataset).task
    Asked(known.normalisation).of(known.dataset, task)
    assert re.fullmatch(r"https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/[0-9a-f]{40}/[\w/.-]+", known.url)
    assert re.fullmatch("[0-9a-f]+", known.checksum.value)
    length, whole = len(known.checksum.value), DIGITS[known.checksum.kind]
    assert length == whole or (known.checksum.kind == "git blob" and 7 <= length <= whole)
    assert known.measured is None or abs(known.measured - known.stated) <= public.WITHIN
    assert public.find(known.name) is known is public.named(known.dataset, known.teacher)


def test_names_and_places_are_no_ones_elses() -> None:
    assert len({known.name for known in TEACHERS}) == len({known.url for known in TEACHERS}) == len(TEACHERS)
    assert len({(known.dataset, known.teacher) for known in TEACHERS}) == len(TEACHERS)


def test_an_unknown_name_lists_those_that_are_known() -> None:
    with pytest.raises(
        ConfigError, match=r"unknown\n  valid choices: akamaster-resnet20, [\s\S]*did you mean: akamaster-resnet"
    ):
        public.find("akamaster-resnet21")
    assert public.named("cifar100", "resnet20+akamaster") is None
    assert public.named("cifar10", "wrn40_2") is None


def test_the_list_tells_all_of_each_and_which_are_here(tmp_path: layout.Path) -> None:
    lines = list(output.lines(teachers.table(tmp_path), terminal=False))
    told = "\n".join(lines)
    for known in TEACHERS:
        for fact in (known.name, known.url, known.checksum.value, known.repository.licence, known.normalisation):
            assert fact in told
        assert f"{known.network} on {known.dataset}: {known.stated:.2f} % stated" in told
    assert not any(line.split()[0] == "here" for line in lines)
    folder = layout.Results(tmp_path).teacher("cifar10", TEACHERS[1].teacher)
    folder.path.mkdir(parents=True)
    folder.record.write_text(factory.teacher().model_dump_json(), encoding="utf-8")
    lines = list(output.lines(teachers.table(tmp_path), terminal=False))
    assert [line.split()[1] for line in lines if line.split()[0] == "here"] == [str(folder.path)]
