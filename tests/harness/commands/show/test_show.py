"""What `dkd show` tells is what there is."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

import methods
from harness import data, networks
from harness.commands import output
from harness.commands.show import names, show
from harness.errors import UserError
from harness.grid.paths import configs
from harness.store import atomic
from harness.store.layout import Results
from harness.teachers.public import TEACHERS
from tests import factory
from tests.harness.conftest import Command


def text(*wanted: str, results: Path = Path("nowhere"), configfile: Path | None = None) -> str:
    return "\n".join(output.lines(show.lines(list(wanted), results, configfile), terminal=False))


def row(shown: str, name: str) -> str:
    """What stands behind a name."""
    (found,) = [line for line in shown.splitlines() if re.match(rf" +{re.escape(name)}(  |$)", line)]
    return found.strip().removeprefix(name).strip()


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    for dataset, network in (("digits", "wrn10_1"), ("digits", "wrn16_1"), ("cifar10", "wrn10_1")):
        record = factory.teacher(dataset, network)
        atomic.write(Results(tmp_path).teacher(dataset, network).record, record)
    atomic.write_bytes(Results(tmp_path).teacher("digits", "wrn40_1").record, b"damaged")
    return tmp_path


def test_all_that_there_is_stands_in_the_list(shelf: Path) -> None:
    shown = text(results=shelf)
    presets = {preset for name in methods.names() for preset in methods.load(name).presets}
    files = {file.name for file in configs().glob("*.yaml")}
    for kind, known in (
        ("methods", set(methods.names())),
        ("presets", presets),
        ("datasets", set(data.names())),
        ("networks", set(networks.names())),
        ("teachers", {"digits/wrn10_1", "digits/wrn16_1", "cifar10/wrn10_1", *(one.name for one in TEACHERS)}),
        ("grids", files),
    ):
        alone = text(kind, results=shelf)
        assert alone == text(kind.removesuffix("s"), results=shelf)
        assert alone.splitlines()[0] == f"{kind} ({len(known)})" and alone.splitlines()[0] in shown
        assert {line.split()[0] for line in alone.splitlines() if line.startswith("  ")} == known
        assert all(f"\n  {name}" in shown for name in known)
    assert "SSD-KD: Small Scale Data-Free Knowledge Distillation" in row(text("methods"), "ssd-kd")
    assert row(text("methods"), "kd-real") == "Distillation on N real images"
    assert row(text("teachers", results=shelf), "digits/wrn16_1") == "99.00 % top1"
    assert row(text("grids"), "digits.yaml").startswith("The default grid: data-free distillation")


@pytest.mark.parametrize("name", methods.names())
def test_presets_are_read_from_the_file_as_they_are_in_the_class(name: str) -> None:
    assert {preset for preset, owners in names.owners().items() if name in owners} == set(methods.load(name).presets)


def test_lists_teachers_and_grids_do_not_need_torch(shelf: Path) -> None:
    wanted = ([], ["methods"], ["digits/wrn10_1"], ["ablation"], ["paper.yaml"])
    code = (
        "import sys; from pathlib import Path; from harness.commands import output\n"
        "from harness.commands.show import show\n"
        f"for wanted in {wanted!r}: list(output.lines(show.lines(wanted, Path({str(shelf)!r}))))\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", methods.names())
def test_a_method_shows_all_its_hyperparameters(name: str) -> None:
    page, config = text(name), methods.load(name).Config
    assert page.startswith(f"method {name}\n")
    shown = page.partition("\nhyperparameters")[2]
    for field, info in config.model_fields.items():
        assert re.search(rf"^  {field}  ", shown, re.MULTILINE), field
        meaning = " ".join((info.description or "").split()).partition("Source: ")[0].strip()
        assert meaning in row(shown, field)
    assert shown.count("source: ") == len(config.model_fields)
    assert "not documented" not in shown


def test_defaults_presets_and_cases() -> None:
    shown = text("ssd-kd")
    assert row(shown, "gamma") == "2.0       Exponent of φ's difficulty factor. [number >= 0]"
    assert "source: [C] the focal loss's value, Lin et al. 2017." in shown
    assert row(shown, "replacement").startswith("lowest") and "[lowest or oldest]" in row(shown, "replacement")
    assert (
        "fast-2: 1.33 for resnet34 → resnet18; 1.0 for vgg11 → resnet18; "
        "1.1 for wrn40_2 → wrn16_1, wrn40_2 → wrn40_1, wrn40_2 → wrn16_2\n"
    ) in shown
    assert "fast-2: 0.5 for resnet34 → resnet18, vgg11 → resnet18; 0.4 for wrn40_2 → wrn16_1" in shown
    dafl = text("dafl")
    assert (
        "original: 0.05 for resnet34 → resnet18 on cifar10, any other pair; 0.5 for resnet34 → resnet18 on cifar100"
        in dafl
    )
    assert "original: 240000\n" in dafl


def test_a_file_outside_the_package(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        '"""Mine: something new."""\n'
        "from pydantic import Field\n"
        "from methods.base.method import MethodConfig\n"
        "from methods.base.presets import Preset\n"
        "from methods.base.prior import Prior\n"
        "from methods.references import KDNoise as Base\n"
        "class Config(MethodConfig):\n"
        '    """Mine. Source: my thesis."""\n'
        "    strength: float = Field(default=0.5, gt=0, lt=2)\n"
        '    """How strong it is."""\n'
        "    bare: int = 1\n"
        "class Mine(Base):\n"
        "    Config = Config\n"
        '    presets = {"weak": Preset({"strength": 0.1}, source="chapter 4.")}\n'
        "    @classmethod\n"
        "    def prior(cls, config):\n"
        "        return Prior.LABEL_TEXT if config.strength < 0.5 else Prior.NONE\n",
        encoding="utf-8",
    )
    shown = text(str(file))
    assert row(shown, "what") == "Mine: something new" and row(shown, "file") == str(file)
    assert row(shown, "prior") == "none; label text with preset weak"
    assert row(shown, "strength") == "0.5    How strong it is. [number > 0, < 2]"
    assert "weak: 0.1" in shown and "source: my thesis." in shown and row(shown, "weak").startswith("chapter 4")
    assert "not documented" in row(shown, "bare")
    (tmp_path / "broken.py").write_text("import nothing_of_this_name", encoding="utf-8")
    for wrong, problem in (("broken.py", "nothing_of_this_name"), ("gone.py", "no such method file")):
        with pytest.raises(UserError, match=problem):
            text(str(tmp_path / wrong))


def test_what_a_study_uses_beyond_the_teacher() -> None:
    digits = configs() / "digits.yaml"
    assert row(text("kd-real", configfile=digits), "prior") == "real images"
    assert "prior" not in text("kd-noise", configfile=digits)


def test_a_preset_is_shown_for_every_method_that_has_it() -> None:
    shown = text("fast-2")
    assert re.findall(r"^preset .*", shown, re.MULTILINE) == ["preset fast-2 of fast", "preset fast-2 of ssd-kd"]
    assert "published for  vgg11 → resnet18 on cifar10, cifar100" in shown
    assert "1.33 for resnet34 → resnet18; 1.0 for vgg11 → resnet18; 1.1 for" in shown and "[default 1.1]" in shown
    borrowed = text("preset", "cmi-500")
    assert "borrowed for   any other pair, those of wrn40_2 → wrn16_1 on cifar10" in borrowed
    assert row(borrowed, "inner_steps") == "500 [default 200]"


def test_a_dataset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DKD_DATA", str(tmp_path))
    shown = text("cifar100")
    for name, expected in (
        ("images", "3 × 32 × 32 (channels, height, width)"),
        ("classes", "100"),
        ("normalisation", "mean [0.5071, 0.4867, 0.4408], deviation [0.2675, 0.2565, 0.2761], of images in [0, 1]"),
        ("augmentation", "random crops within a border of zeros, 4 wide, mirrored at random"),
        ("reference size", "50,000 images are 100 %"),
        ("files", f"{tmp_path}/cifar-100-python or {tmp_path}/cifar-100-binary"),
        ("wrn40_2", "75.83 % published, at least 75.33 % wanted"),
    ):
        assert row(shown, name) == expected
    assert row(shown, "state").startswith(f"cannot be used: {tmp_path}") and "`dkd prepare cifar100`" in row(
        shown, "state"
    )
    assert "epochs: 200, batch: 128, lr: 0.1, weight_decay: 0.0005" in row(shown, "recipe")
    digits = text("digits")
    assert row(digits, "state") == "here, with the official checksums"
    assert "not mirrored" in row(digits, "augmentation")
    assert digits.endswith("there is a grid of this name, too: dkd show grids digits")
    assert row(text("nyuv2"), "classes") == "13, of every pixel"


@pytest.mark.parametrize(
    ("name", "parameters", "norms", "features", "stages"),
    [
        ("wrn16_1", "175,066", "13 layers, 464 channels", "64", 4),
        ("vgg11", "9,231,114", "8 layers, 2,752 channels", "512", 5),
        ("resnet18", "11,173,962", "20 layers, 4,800 channels", "512", 5),
    ],
)
def test_a_network(name: str, parameters: str, norms: str, features: str, stages: int) -> None:
    """Sizes as the reference implementations have them."""
    shown = text(name)
    assert row(shown, "parameters") == f"{parameters} for 10 classes"
    assert row(shown, "batch norm") == norms
    assert row(shown, "features") == features
    assert len(row(shown, "stages").split(", ")) == stages


def test_teachers_of_a_network(shelf: Path) -> None:
    shown = text("wrn10_1", results=shelf)
    assert shown.endswith("  cifar10/wrn10_1  99.00 % top1\n  digits/wrn10_1   99.00 % top1")
    assert f"no teacher of it in {shelf}: dkd train-teacher DATASET vgg11" in text("vgg11", results=shelf)
    one = text("digits/wrn10_1", results=shelf)
    assert one.startswith("teacher digits/wrn10_1\n")
    assert row(one, "sha256") == "7e" * 32 and row(one, "value") == "99.0" and row(one, "folder").startswith(str(shelf))
    assert text("teachers", "wrn10_1", results=shelf).count("teacher ") == 2
    assert "akamaster-resnet20  cifar10/resnet20, 91.73 % stated: dkd teachers get akamaster-resnet20" in text(
        "resnet20"
    )
    assert row(text("akamaster-resnet20"), "licence") == "BSD-2-Clause, copyright 2018 Yerlan Idelbayev"
    with pytest.raises(UserError, match=r"no .* is called digits/wrn40_1"):
        text("digits/wrn40_1", results=shelf)


@pytest.mark.parametrize("name", ["ablation", "ablation.yaml", "workflow/config/ablation.yaml"])
def test_a_grid(name: str) -> None:
    shown = text(name if "/" not in name else str(configs() / "ablation.yaml"))
    assert "each module on or off" in row(shown, "what")
    assert row(shown, "pairs") == "wrn10_1 → cnn3_16"
    assert row(shown, "scales") == "10 %" and row(shown, "seeds") == "0, 1, 2"
    assert shown.count("  cells  ") >= 1 and " 51\n" in shown
    assert row(shown, "no-priority") == "method: ssd-kd, alpha: 0.0"


def test_a_grid_of_several_studies() -> None:
    shown = text("paper")
    assert re.findall(r"^study .*", shown, re.MULTILINE) == ["study cifar", "study nyuv2", "study ablation-cifar"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["ssdkd"], r"no method, .* is called ssdkd\n  did you mean: ssd-kd \(method\)"),
        (["fast-3"], r"fast-2 \(preset\), fast-5 \(preset\), fast \(method, preset\)"),
        (["cifar-10"], r"did you mean: cifar10 \(dataset\), cifar100 \(dataset\), "),
        (["wrn16"], r"wrn16_1 \(network\)"),
        (["ablatoin"], r"ablation.yaml \(grid\)"),
        (["digits/wrn11_1"], r"digits/wrn10_1 \(teacher\)"),
        (["datasets", "ssd-kd"], r"no dataset is called ssd-kd\n  did you mean: ssd-kd \(method\)"),
        (["qqqq"], r"is called qqqq\n  `dkd show` lists what there is"),
        (["ssd-kd", "fast"], r"takes a name, a kind, or a kind and a name"),
        (["method", "ssd-kd", "fast"], r"takes a name, a kind, or a kind and a name"),
        (["gone.yaml"], r"is called gone.yaml"),
    ],
)
def test_what_there_is_not(wanted: list[str], message: str, shelf: Path) -> None:
    with pytest.raises(UserError, match=message):
        text(*wanted, results=shelf)


def test_a_name_of_several_kinds_says_so() -> None:
    shown = text("cmi")
    assert shown.startswith("method cmi\n") and shown.endswith(
        "there is a preset of this name, too: dkd show presets cmi"
    )
    assert text("presets", "cmi").count("preset cmi of ") == 5


STUDY = """study: mine
dataset: [cifar10, cifar100]
pairs: [{teacher: resnet34, student: resnet18}, {teacher: wrn40_2, student: wrn16_1}]
scales: [10]
seeds: [0]
budget:
  steps: 1000
  batch: 64
methods:
  ssd-kd:
    preset: fast-2
    gamma: 1.0
    batch: 32
  fast-5: {method: fast, preset: fast-5}
  kd-noise: {}
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(STUDY, encoding="utf-8")
    return file


def test_what_a_study_makes_of_a_method_and_where_each_value_is_from(study: Path) -> None:
    shown = text("ssd-kd", configfile=study)
    first, second = shown.partition("  on wrn40_2")[::2]
    assert first.startswith("ssd-kd in study mine: method ssd-kd, preset fast-2\n")
    assert "on resnet34 → resnet18 on cifar10; resnet34 → resnet18 on cifar100" in first
    for part, name, value, origin in (
        (first, "gamma", "1.0", "label, mine.yaml:12"),
        (first, "batch", "32", "label, mine.yaml:13"),
        (first, "steps", "1000", "budget, mine.yaml:7"),
        (first, "adv", "1.33", "preset fast-2"),
        (second, "adv", "1.1", "preset fast-2"),
        (first, "alpha", "0.6", "default"),
    ):
        assert row(part, name).split(maxsplit=1) == [value, origin]
    assert row(shown, "cifar10 at 10 %") == "5,000 images, 100 distillation steps"


def test_a_label_and_all_labels_of_a_method(study: Path) -> None:
    assert text("fast-5", configfile=study).splitlines()[0] == "fast-5 in study mine: method fast, preset fast-5"
    assert text("fast", configfile=study) == text("fast-5", configfile=study)
    assert row(text("kd-noise", configfile=study), "lr").split() == ["0.2", "default"]
    assert text(configfile=study).startswith(f"grid {study}\n")
    for wanted in (["presets"], ["method", "fast"]):
        with pytest.raises(UserError, match=f"in it: give it without {wanted[0]}"):
            text(*wanted, configfile=study)
    with pytest.raises(UserError, match=r"neither a label nor a method of .*mine.yaml[\s\S]*did you mean: fast-5"):
        text("fast-55", configfile=study)
    study.write_text(STUDY.replace("gamma", "gama"), encoding="utf-8")
    with pytest.raises(UserError, match=r"mine.yaml:12: methods.ssd-kd.gama: unknown key[\s\S]*gamma"):
        text("ssd-kd", configfile=study)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("wanted", ["", "networks", "ssd-kd", "dafl", "fast-2", "digits", "wrn16_1", "paper"])
def test_it_fits_the_terminal(wanted: str, columns: int, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    shown = list(output.lines(show.lines([wanted] if wanted else [], Path("nowhere")), terminal=True))
    monkeypatch.undo()
    assert [line for line in shown if len(line) > columns] == []
    assert encoding == "utf-8" or "".join(shown).isascii()


def test_the_command(dkd: Command, shelf: Path, study: Path) -> None:
    status, output_, _ = dkd("show", "teachers", "--results", shelf)
    assert status == 0 and "digits/wrn10_1" in output_
    status, output_, _ = dkd("show", "kd-noise", "--configfile", study)
    assert status == 0 and output_.startswith("kd-noise in study mine")
    status, _, errors = dkd("show", "ssdkd")
    assert status == 2 and "did you mean: ssd-kd (method)" in errors


def test_networks_of_others_are_told_like_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = "from torch import nn\n\ndef line(classes, channels):\n    return nn.Sequential({})\n"
    layers = "nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes)"
    (tmp_path / "nets.py").write_text(file.format(layers), encoding="utf-8")
    # a convolution of 3 × 4 × 3 × 3 weights and 4 biases, a linear layer of 4 × 10 and 10
    assert row(text("nets.py:line"), "parameters") == f"{3 * 4 * 9 + 4 + 4 * 10 + 10} for 10 classes"
    assert row(text("nets.py:line"), "file") == str(tmp_path / "nets.py")
    shown = text("network", "torchvision:resnet18")
    assert row(shown, "features") == "512" and row(shown, "file") == "harness/networks/torchvision_models.py"
    with pytest.raises(UserError, match="unknown model of torchvision: 'resnet19'"):
        text("torchvision:resnet19")
