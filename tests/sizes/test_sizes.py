"""The table of numbers: the published values, and the refusal of others that make no sense."""

import math
from dataclasses import asdict

import pytest

from nasbook import sizes
from nasbook.runtime.errors import UsageError


def test_the_paper_size_is_as_published():
    """Liu et al. 2019, section 3 and appendix A, with the released code's defaults."""
    search, train = asdict(sizes.get("paper").search), asdict(sizes.get("paper").train)
    published = {
        "epochs": 50,
        "batch": 64,
        "channels": 16,
        "layers": 8,
        "nodes": 4,
        "w_lr": 0.025,
        "w_lr_end": 0.001,
        "w_momentum": 0.9,
        "w_decay": 3e-4,
        "clip": 5.0,
        "alpha_lr": 3e-4,
        "alpha_beta1": 0.5,
        "alpha_beta2": 0.999,
        "alpha_decay": 1e-3,
        "alpha_scale": 1e-3,
        "order": "alpha-first",
        "reduction": "searched",
        "stem_stride": 1,
    }
    assert {name: search[name] for name in published} == published
    published = {
        "epochs": 600,
        "batch": 96,
        "channels": 36,
        "layers": 20,
        "lr": 0.025,
        "momentum": 0.9,
        "decay": 3e-4,
        "clip": 5.0,
        "auxiliary": 0.4,
        "drop_path": 0.2,
        "cutout": 16,
    }
    assert {name: train[name] for name in published} == published


def test_overrides_change_what_they_name_and_nothing_else():
    numbers = sizes.get("class").search
    changed = sizes.override(numbers, {"epochs": 3})
    assert asdict(changed) == {**asdict(numbers), "epochs": 3}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"epoch": 3}, "no number 'epoch'"),
        ({"epochs": -1}, "whole number"),
        ({"epochs": True}, "whole number"),
        ({"batch": 1}, "batch normalisation"),
        ({"w_lr": -0.1}, "at least 0"),
        ({"w_lr": float("nan")}, "at least 0"),
        ({"images": 1}, "images must be a whole number of at least 2"),
        ({"precision": "float16"}, "float32 or float64"),
        ({"order": "both"}, "alpha-first or weights-first"),
    ],
)
def test_refusals(changes, says):
    with pytest.raises(UsageError, match=says):
        sizes.override(sizes.get("class").search, changes)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("temperature", "hot", "temperature must be a number, not 'hot'."),
        ("epochs", 2.5, "epochs must be a whole number, not 2.5."),
        ("batch", True, "batch must be a whole number, not True."),
        ("operations_end", "all", "operations_end must be a whole number or None, not 'all'."),
        ("running", 1, "running must be true or false, not 1."),
        ("cost", None, "cost must be a word, not None."),
    ],
)
def test_a_number_of_another_type_is_refused_by_name(name, value, sentence):
    with pytest.raises(UsageError) as refused:
        sizes.override(sizes.get("class").search, {name: value})
    assert str(refused.value) == sentence


def test_whole_numbers_do_for_real_ones_and_logits_may_be_negative():
    changed = sizes.override(sizes.get("class").search, {"temperature": 2, "alpha_start": -3.0, "images": None})
    assert (changed.temperature, changed.alpha_start, changed.images) == (2, -3.0, None)
    with pytest.raises(UsageError, match="alpha_lr must be a finite number of at least 0"):
        sizes.override(sizes.get("class").search, {"alpha_lr": -1.0})
    with pytest.raises(UsageError, match="alpha_start must be a finite number, not -inf"):
        sizes.override(sizes.get("class").search, {"alpha_start": -math.inf})


def test_frozen_epochs_keep_their_share_where_only_the_epochs_change():
    numbers = sizes.get("class").of("darts", "pc-darts").search
    assert sizes.override(numbers, {"epochs": 10}).frozen_epochs == numbers.frozen_epochs / 2
    assert sizes.override(numbers, {"epochs": 10, "frozen_epochs": 1}).frozen_epochs == 1


def test_trainings_at_paper_size_are_those_of_the_released_codes():
    """train.py of PC-DARTS and DrNAS; functions of AutoDL-Projects and nasbench, which clip no gradient."""
    paper = sizes.get("paper")
    for method, (drop_path, batch) in {"darts": (0.2, 96), "pc-darts": (0.3, 96), "drnas+pt": (0.3, 64)}.items():
        train = paper.of("darts", method).train
        assert (train.drop_path, train.batch) == (drop_path, batch)
    assert paper.of("nas-bench-201", "drnas").train.batch == 256
    assert paper.of("nas-bench-201").train.clip == paper.of("nas-bench-1shot1").train.clip == 0.0
    for space, data, channels in (
        ("s2", "cifar100", 16),
        ("s4", "svhn", 16),
        ("s2", "cifar10", 36),
        ("darts", "svhn", 36),
    ):
        train = paper.of("darts", "darts", space=space, data=data).train
        assert (train.channels, train.layers) == (channels, 20)


def test_gdas_searches_the_darts_space_as_released():
    """AutoDL-Projects: two normal cells per stage (6 cells), batches of 256, the weights first."""
    numbers = sizes.get("paper").of("darts", "gdas").search
    assert (numbers.batch, numbers.layers, numbers.order) == (256, 6, "weights-first")


def test_supernets_of_nas_bench_201_keep_running_statistics_where_the_released_codes_do():
    found = {
        method: sizes.get("paper").of("nas-bench-201", method).search.running
        for method in ("darts", "gdas", "drnas", "drnas-progressive", "sdarts-rs", "sdarts-adv+pt", "darts+pt")
    }
    assert [method for method, running in found.items() if not running] == ["darts", "gdas"]
