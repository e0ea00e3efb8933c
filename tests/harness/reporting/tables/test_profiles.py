"""The table over pairs: as printed, and as a file."""

import csv
import io

from harness.reporting.tables.profiles import tables
from tests.harness.reporting.test_profiles import study

SCORES = (
    {"a": (90.0, 10.0), "b": (80.0, 5.0)},
    {"a": (90.0, 10.0), "b": (89.5, 10.0)},
    {"a": (70.0, 40.0), "b": (75.0, 10.0)},
)


def test_shares_and_ranks_as_printed() -> None:
    (table,) = tables(study(*SCORES), {})
    (block,) = table.blocks
    assert block.title == "3 pairs, 10 % data"
    printed = {line.title.text: [entry.text for entry in line.entries] for line in block.lines}
    # Ranks 1, 1, 2: mean 4/3, sd 1/√3, and 4.303 / 3 to both sides.
    assert printed["a"] == ["1.33 [1.00, 2.00]", "33", "67", "100", "100", "67", "67", "67", "100"]
    assert printed["b"] == ["1.67 [1.00, 2.00]", "100", "100", "100", "100", "33", "67", "67", "67"]


def test_the_file_holds_the_numbers() -> None:
    (table,) = tables(study(*SCORES), {})
    first = next(csv.DictReader(io.StringIO(table.csv)))
    assert (first["label"], first["scale"], first["pairs"]) == ("a", "10", "3")
    assert (first["mean_rank"], first["cost_within_2"]) == ("1.333333333", "0.6666666667")


def test_pairs_that_wait_are_said() -> None:
    (table,) = tables(study(*SCORES, {"a": (90.0, 1.0), "b": (None, 1.0)}), {})
    assert "At 10 %, 1 pair is left out, where a method waits for a result." in table.notes


def test_no_table_for_fewer_pairs() -> None:
    assert tables(study(*SCORES[:2]), {}) == []
