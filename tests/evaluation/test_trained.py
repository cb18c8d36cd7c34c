"""A trained network taken out of its run: the same scores in every format, and words for a folder without one."""

import importlib.util
import json
import shutil

import pytest
import torch
from PIL import Image

from nasbook import evaluation, experiment
from nasbook.datasets import load
from nasbook.evaluation import exporting
from nasbook.runtime.errors import UsageError

ARCHITECTURES = {
    "darts": (
        "Genotype(normal=[('skip_connect', 0), ('noise', 1)], normal_concat=[2], reduce=[], reduce_concat=[])",
        {"layers": 3, "precision": "float64"},
    ),
    "nas-bench-201": ("|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|skip_connect~2|", {"layers": 5}),
    "nas-bench-1shot1": ("1Shot1(1: conv3x3-bn-relu<-0 | 2: maxpool3x3<-0,1 | out<-1,2)", {"layers": 3}),
}
TINY = {"epochs": 1, "images": 64, "batch": 32, "channels": 4, "stem_stride": 1}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def run(request, tmp_path_factory):
    text, numbers = ARCHITECTURES[request.param]
    folder = tmp_path_factory.mktemp("runs") / "run"
    experiment.train(text, data="digits", numbers={**TINY, **numbers}, run=folder, device="cpu")
    return folder


def test_a_run_keeps_its_network_with_all_that_a_new_image_needs(run):
    trained, digits = evaluation.load(run), load("digits")
    assert trained.image == digits.image
    assert trained.class_names == digits.class_names
    assert trained.normalisation == digits.normalisation
    assert not trained.network.training
    shares = trained.probabilities(digits.test.pixels)
    right = 100 * (shares.argmax(1) == digits.test.labels).double().mean().item()
    accuracy = json.loads((run / "result.json").read_text())["test_accuracy"]
    assert right == pytest.approx(accuracy, abs=1)  # the test ran with the training's memory layout
    torch.testing.assert_close(shares.sum(1), torch.ones(len(shares), dtype=trained.dtype))


def test_the_exported_program_gives_the_same_scores_for_any_number_of_images(run, tmp_path):
    trained = evaluation.load(run)
    path = evaluation.export(trained, tmp_path / "network.pt2")
    held = {exporting.FACTS: ""}
    program = torch.export.load(path, extra_files=held).module()
    assert json.loads(held[exporting.FACTS]) == exporting.facts(trained)
    for count in (1, 5):
        images = torch.randn(count, *trained.image, dtype=trained.dtype)
        with torch.no_grad():
            torch.manual_seed(0)
            expected = trained.network(images)
            torch.manual_seed(0)
            torch.testing.assert_close(program(images), expected)


def test_the_weights_alone_fit_the_network(run, tmp_path):
    trained = evaluation.load(run)
    weights = torch.load(evaluation.export(trained, tmp_path / "weights.pt"), weights_only=True)
    assert weights.keys() == trained.network.state_dict().keys()
    trained.network.load_state_dict(weights)


def test_pictures_are_classified_as_the_training_images_are(run, tmp_path):
    trained, digits = evaluation.load(run), load("digits")
    files = []
    for place in range(3):
        files.append(tmp_path / f"{place}.png")
        Image.fromarray(digits.test.pixels[place, 0].numpy()).save(files[-1])
    Image.open(files[0]).resize((31, 17)).save(tmp_path / "other.png")
    rows, notes = trained.predict([*files, tmp_path / "other.png"])
    expected = trained.probabilities(digits.test.pixels[:3])
    if "noise" not in str(trained.architecture):  # fresh numbers depend on the size of the batch
        for row, shares in zip(rows, expected.tolist(), strict=False):
            assert row["class"] == digits.class_names[shares.index(max(shares))]
            assert list(row["probabilities"].values()) == pytest.approx(shares, abs=1e-5)
    assert rows[0]["probability"] == max(rows[0]["probabilities"].values())
    assert any("resized" in note for note in notes)
    with pytest.raises(UsageError, match="not a readable picture"):
        trained.predict([run / "result.json"])
    with pytest.raises(UsageError, match="at least one"):
        trained.predict([])


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run, tmp_path / "copy")


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        (("network.pt",), "before trained networks were kept"),
        (("network.pt", "result.json"), "not finished"),
        (("config.json",), "not the folder of a run"),
    ],
)
def test_a_folder_without_a_network_says_what_to_do(copy, gone, says):
    for name in gone:
        (copy / name).unlink()
    with pytest.raises(UsageError, match=says):
        evaluation.load(copy)


def test_a_damaged_or_a_foreign_network_is_refused(copy):
    content = (copy / "network.pt").read_bytes()
    weight = next(iter(evaluation.load(copy).network.parameters())).detach().numpy().tobytes()
    assert weight in content
    (copy / "network.pt").write_bytes(content.replace(weight, weight[::-1]))
    with pytest.raises(UsageError, match="train again in a new folder"):
        evaluation.load(copy)
    (copy / "network.pt").write_bytes(content)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "seed": 7}))
    with pytest.raises(UsageError, match="of another run"):
        evaluation.load(copy)


def test_other_formats_are_refused(run, tmp_path):
    with pytest.raises(UsageError, match=r"\.pt2, \.onnx"):
        evaluation.export(evaluation.load(run), tmp_path / "network.h5")
    if not all(importlib.util.find_spec(name) for name in exporting.ONNX_PACKAGES):
        with pytest.raises(UsageError, match="pip install onnx"):
            evaluation.export(evaluation.load(run), tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())
