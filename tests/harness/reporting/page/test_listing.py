import json
from pathlib import Path

from harness.reporting.page import listing
from harness.reporting.page.trails import Link
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.settings import settings
from harness.store import atomic
from tests import factory


def runs(results: Path) -> listing.Runs:
    """The only setting of ``results``, on a page beside it."""
    (setting,) = settings(group(load(results)))
    return listing.runs(setting, results.parent)


def said(found: listing.Listing) -> dict[str, list[str]]:
    return {line.name: [value.text for value in line.values] for line in found.lines}


def test_seeds_stand_side_by_side_and_what_all_share_once(tmp_path: Path) -> None:
    for seed in (0, 2):
        factory.write(tmp_path / "results", factory.metrics("a", seed=seed, final=80.0 + seed))
    factory.write(tmp_path / "results", factory.metrics("b", seed=1, final=70.0, threads=4))
    found = runs(tmp_path / "results")
    assert found.seeds == (0, 1, 2)
    shared = dict(found.shared)
    assert (shared["code"], shared["device"]) == ("c0ffee000000", "Test CPU")
    assert shared["options"] == "batch 64, epochs 3, steps 200"
    a, b = map(said, found.listings)
    assert (a["last epoch, top-1 (%)"], b["last epoch, top-1 (%)"]) == (["80.00", "", "82.00"], ["", "70.00", ""])
    assert (a["threads"], b["threads"]) == (["1", "", "1"], ["", "4", ""])
    assert "device" not in a


def test_links_lead_to_a_runs_folder_its_log_its_manifest_and_mlflow(tmp_path: Path) -> None:
    expected = []
    for seed, server in enumerate(("http://there:80", "sqlite:///here.db")):
        result = factory.metrics(seed=seed)
        run = factory.write(tmp_path / "results", result) / "runs" / result.key
        atomic.write_bytes(run / "attempts.log", b"said")
        link = {"run_id": "feed", "tracking_uri": server, "store": "one", "fingerprint": "f"}
        atomic.write_bytes(run / "mlflow.json", json.dumps(link).encode())
        place = f"results/{result.cell}/runs/{result.key}"
        here = [Link(place, "folder"), Link(f"{place}/attempts.log", "log"), Link(f"{place}/manifest.json", "manifest")]
        local = Link("http://127.0.0.1:5000/#/runs/feed", "MLflow (while dkd ui runs)")
        expected.append((*here, Link("http://there:80/#/runs/feed", "MLflow") if seed == 0 else local))
    (found,) = runs(tmp_path / "results").listings
    assert [value.links for value in found.lines[0].values] == expected


def test_a_damaged_run_has_a_place_and_a_reason(tmp_path: Path) -> None:
    cell = factory.write(tmp_path / "results", factory.metrics())
    (cell / "metrics.json").write_text("{", encoding="utf-8")
    (found,) = runs(tmp_path / "results").listings
    assert said(found)["state"][0].startswith("damaged: Invalid ")
    assert said(found)["last epoch, top-1 (%)"] == ["–"]
    assert [link.kind for link in found.lines[0].values[0].links] == ["folder"]


def test_only_what_seeds_do_not_share_is_listed_seed_by_seed(tmp_path: Path) -> None:
    for seed in range(2):
        factory.write(tmp_path / "results", factory.metrics(seed=seed), config={"batch": 64, "own": seed})
    (found,) = runs(tmp_path / "results").listings
    assert said(found)["own options"] == ["own 0", "own 1"]
    assert found.config == '{"batch": 64}'


def test_a_row_says_what_the_study_sets_and_what_other_rows_do_not_share(tmp_path: Path) -> None:
    a, b = factory.metrics("a"), factory.metrics("b")
    factory.write(tmp_path / "results", a, config={"batch": 64, "steps": 200, "lr": 0.1, "alpha": 0.6})
    own = {"batch": 64, "steps": 200, "lr": 0.2, "alpha": 0.6, "beta": None}
    run = factory.write(tmp_path / "results", b, config=own) / "runs" / b.key
    chosen = {"batch": 64, "lr": 0.2}
    atomic.write(run / "manifest.json", factory.manifest(b, own).model_copy(update={"chosen": chosen}))
    factory.seal(run, b)
    found = runs(tmp_path / "results")
    assert dict(found.shared)["options"] == "alpha 0.6, batch 64, steps 200"
    assert [(each.chosen, each.config) for each in found.listings] == [
        ("", '{"lr": 0.1}'),
        ("lr 0.2", '{"beta": null}'),
    ]


def test_a_seed_that_stands_apart_is_marked(tmp_path: Path) -> None:
    for seed, final in enumerate((80.0, 80.1, 70.0)):
        factory.write(tmp_path / "results", factory.metrics(seed=seed, final=final))
    (found,) = runs(tmp_path / "results").listings
    assert [value.text for line in found.lines for value in line.values if value.apart] == ["70.00"]
