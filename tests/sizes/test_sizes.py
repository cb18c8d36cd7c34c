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
        ({"images": 1}, "images must be"),
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
    with pytest.raises(UsageError, match="alpha_lr must be a number of at least 0"):
        sizes.override(sizes.get("class").search, {"alpha_lr": -1.0})
    with pytest.raises(UsageError, match="alpha_start must be a finite number, not -inf"):
        sizes.override(sizes.get("class").search, {"alpha_start": -math.inf})


def test_frozen_epochs_keep_their_share_where_only_the_epochs_change():
    numbers = sizes.get("class").of("darts", "pc-darts").search
    assert sizes.override(numbers, {"epochs": 10}).frozen_epochs == numbers.frozen_epochs / 2
    assert sizes.override(numbers, {"epochs": 10, "frozen_epochs": 1}).frozen_epochs == 1
