"""The supernet without an option: what is removed, by which statistics, and that all at once gives the same numbers."""

import pytest
import torch
from torch.nn import functional as F

from nasbook import datasets, sizes, spaces
from nasbook.search import Search, recipes
from nasbook.selection import derive
from nasbook.selection.choices import Option, all_candidates, stops
from nasbook.selection.scoring import score, scores, without
from nasbook.supernet import Mixing

LAYERS = {"darts": 3, "nas-bench-201": 5, "nas-bench-1shot1": 3}
# Half of 80 images in parts of 32: the second part is smaller, so that a mean of means would be another number.
TINY = {"epochs": 2, "images": 80, "batch": 8, "channels": 8, "stem_stride": 2, "frozen_epochs": 0, "alpha_scale": 0.5}


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, space="s3", method="darts", steps=2, **changes):
    """A search after a few steps, so that statistics run and weights are no longer those that it began with."""
    family = spaces.family(space)
    preset = sizes.get("class").of(family, method).search
    numbers = sizes.override(preset, TINY | {"layers": LAYERS[family]} | changes)
    stage = Search(
        spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction),
        dataset,
        recipe=recipes.get(method),
        numbers=numbers,
        derive=derive("magnitude"),
    )
    with stage.stream.scope():
        for _ in range(steps):
            stage.step()
    return stage


def weights_of(stage):
    with torch.no_grad():
        return dict(stage.relaxation.expected(stage.alpha, stage.progress))


def choices(stage, kind):
    plan = stops(stage.space, all_candidates(stage.space, stage.masks), order="forward", generator=torch.Generator())
    return [choice for stop in plan for choice in stop if choice.kind == kind]


def images_and_labels(stage):
    return stage.dataset.normalisation(stage.alpha_half.pixels), stage.alpha_half.labels


def test_a_weight_is_set_to_zero_and_the_others_stay():
    weights = {"normal": torch.tensor([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]), "reduce": torch.ones(1, 2)}
    found = without(weights, "normal", Option("skip", 1, (2,)))
    torch.testing.assert_close(found["normal"], torch.tensor([[0.2, 0.3, 0.5], [0.1, 0.1, 0.0]]))
    assert without(weights, "normal", Option("edge", 0, (0, 1, 2)))["normal"][0].tolist() == [0.0, 0.0, 0.0]
    assert found["reduce"] is weights["reduce"]
    assert weights["normal"][1, 2] == 0.8


def test_a_score_is_loss_and_accuracy_over_all_images_by_the_statistics_of_each_batch(dataset):
    stage = search(dataset, precision="float64")
    weights = weights_of(stage)
    images, labels = images_and_labels(stage)
    with torch.no_grad():
        logits = torch.cat([stage.supernet(part, Mixing(weights)) for part in images.double().split(32)])
    found = score(stage, weights)
    assert len(labels) == 40
    assert found.loss == pytest.approx(float(F.cross_entropy(logits, labels)))
    assert found.accuracy == pytest.approx(100.0 * float((logits.argmax(1) == labels).double().mean()))


def ran_in(stage, function):
    """(row, operation) of what runs while a function is called."""
    ran, hooks = set(), []
    for _, row, edge in stage.supernet.mixed_edges():
        for k, operation in enumerate(edge.operations):
            hooks.append(operation.register_forward_hook(lambda *_, place=(row, k): ran.add(place)))
    function()
    for hook in hooks:
        hook.remove()
    return ran


def test_what_is_removed_one_by_one_does_not_run(dataset):
    stage = search(dataset)
    weights, option = weights_of(stage), Option("skip_connect", 2, (1,))
    everything = ran_in(stage, lambda: score(stage, weights))
    rest = ran_in(stage, lambda: scores(stage, weights, "normal", [option], scoring="one-by-one"))
    assert everything - rest == {(2, 1)}


FAMILIES = {
    "s3": {"nodes": 3},
    "s3-searched": {"nodes": 3, "reduction": "searched"},
    "s4": {"nodes": 3},
    "nas-bench-201": {},
    "nas-bench-1shot1-2": {},
}
MODES = ["one-by-one", "together"]


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("case", list(FAMILIES))
def test_all_at_once_gives_the_numbers_of_one_by_one(dataset, case, running):
    """Every kind of choice that a family has; in float64, where rounding is far below what options differ by."""
    space = case.removesuffix("-searched")
    stage = search(dataset, space, precision="float64", running=running, **FAMILIES[case])
    weights = weights_of(stage)
    groups = {choice.group: choice for choice in choices(stage, "operation")}
    every = [*groups.values(), *choices(stage, "edges")[:1]]
    assert any(choice.kind == "edges" for choice in every) == (stage.space.family == "darts")
    for choice in every:
        single, joint = (scores(stage, weights, choice.group, choice.options, scoring=mode) for mode in MODES)
        assert len(single) == len(choice.options)
        assert len({each.loss for each in single}) > 1  # the options do differ
        for option, one, other in zip(choice.options, single, joint, strict=True):
            # Of S4: in one call alone what is removed goes on drawing, so that what is behind it draws other noise.
            draws = option.name == "noise" or (choice.kind == "edges" and space == "s4")
            assert other.loss == pytest.approx(one.loss, rel=0.1 if draws else 1e-9)
            assert draws or other.accuracy == one.accuracy


@pytest.mark.parametrize("method", ["pc-darts", "drnas-progressive", "gdas"])
def test_also_with_partial_channels_edge_weights_and_what_was_not_drawn(dataset, method):
    stage = search(dataset, method=method, precision="float64", nodes=2, frozen_epochs=0)
    weights = weights_of(stage)
    for choice in [*choices(stage, "operation")[:1], *choices(stage, "edges")]:
        single, joint = (scores(stage, weights, choice.group, choice.options, scoring=mode) for mode in MODES)
        assert [each.loss for each in joint] == pytest.approx([each.loss for each in single], rel=1e-9)


def test_all_at_once_gives_them_when_rows_are_decided_too(dataset):
    stage = search(dataset, "s2", precision="float64")
    weights = weights_of(stage)
    weights["normal"][1] = torch.tensor([0.0, 1.0])
    weights["normal"][3] = 0.0
    choice = choices(stage, "operation")[-1]
    single, joint = (scores(stage, weights, "normal", choice.options, scoring=mode) for mode in MODES)
    assert [each.loss for each in joint] == pytest.approx([each.loss for each in single], rel=1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_scoring_changes_nothing(dataset, mode):
    """Not a weight, not a running statistic, not a random number, be it the search's or the process's."""
    stage = search(dataset, "s4", running=True)
    before = {name: value.clone() for name, value in stage.supernet.state_dict().items()}
    draws, process = stage.stream.state_dict()["generator"].clone(), torch.get_rng_state()
    option = choices(stage, "operation")[0]
    scores(stage, weights_of(stage), option.group, option.options, scoring=mode)
    assert any("running" in name for name in before)
    assert all(torch.equal(before[name], value) for name, value in stage.supernet.state_dict().items())
    assert torch.equal(draws, stage.stream.state_dict()["generator"])
    assert torch.equal(process, torch.get_rng_state())
    assert stage.supernet.training


@pytest.mark.parametrize("mode", MODES)
def test_running_statistics_are_not_read(dataset, mode):
    stage = search(dataset, "s3", running=True)
    choice = choices(stage, "operation")[0]
    fitting = scores(stage, weights_of(stage), choice.group, choice.options, scoring=mode)
    for name, value in stage.supernet.named_buffers():
        if "running" in name:
            value.add_(3.0)
    assert scores(stage, weights_of(stage), choice.group, choice.options, scoring=mode) == fitting
    assert stage.validate(Mixing(weights_of(stage)))[0] != pytest.approx(score(stage, weights_of(stage)).loss)


@pytest.mark.parametrize("mode", MODES)
def test_every_option_sees_the_same_noise(dataset, mode):
    """Two options that remove the same give one number, though S4 draws noise; and so does a second call."""
    stage = search(dataset, "s4")
    weights, option = weights_of(stage), Option("noise", 0, (0,))
    first, second = scores(stage, weights, "normal", [option, option], scoring=mode)
    assert first == second
    assert scores(stage, weights, "normal", [option], scoring=mode)[0].loss == pytest.approx(first.loss, rel=1e-6)
