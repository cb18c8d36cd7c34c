"""Perturbation-based selection: it finds what is needed, decides in order, trains between, and can be stopped."""

import io

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasbook import datasets, sizes, spaces
from nasbook.runtime.errors import DivergedError
from nasbook.search import Search, recipes
from nasbook.selection import PerturbationSelection, derive, magnitude
from nasbook.selection.perturbation import most_missed
from nasbook.selection.scoring import Score, score

LAYERS = {"darts": 3, "nas-bench-201": 5, "nas-bench-1shot1": 3}
TINY = {"epochs": 1, "images": 64, "batch": 16, "channels": 4, "stem_stride": 2, "frozen_epochs": 0, "attack_steps": 1}
TINY |= {"tuning_steps": 1}


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, method="darts+pt", space="s3", seed=0, **changes):
    family = spaces.family(space)
    preset = sizes.get("class").of(family, method).search
    numbers = sizes.override(preset, TINY | {"layers": LAYERS[family]} | changes)
    return Search(
        spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction),
        dataset,
        recipe=recipes.get(method),
        numbers=numbers,
        derive=derive("magnitude"),
        seed=seed,
    )


def silent(step, steps):
    pass


def run(stage, epochs=None):
    return [stage.run_epoch(silent) for _ in range(epochs or stage.epochs - stage.epoch)]


def searched(dataset, *arguments, **changes):
    stage = search(dataset, *arguments, **changes)
    run(stage)
    return stage


def decisions_of(records):
    return [decision for record in records for decision in record["decisions"]]


# What is kept

FOUR = [Score(2.0, 30.0), Score(1.0, 20.0), Score(3.0, 20.0), Score(0.5, 40.0)]


def test_the_most_missed_is_that_without_which_the_supernet_does_worst():
    assert most_missed(FOUR, keep=1, criterion="loss") == [2]
    assert most_missed(FOUR, keep=2, criterion="loss") == [2, 0]
    assert most_missed(FOUR, keep=3, criterion="accuracy") == [1, 2, 0]


def test_of_equals_the_earlier_is_kept():
    equal = [Score(1.0, 50.0)] * 4
    for criterion in ("loss", "accuracy"):
        assert most_missed(equal, keep=1, criterion=criterion) == [0]
        assert most_missed(equal, keep=2, criterion=criterion) == [0, 1]


class Known(nn.Module):
    """A supernet of which it is known what it needs.

    It knows its images. Each depends on one of the needed columns and is named rightly while that column weighs more
    than a thousandth; nothing else matters.

    Args:
        stage: the search that it is for.
        needed: (group, row, column) of what is needed.
    """

    def __init__(self, stage, needed):
        super().__init__()
        images = [stage.dataset.normalisation(half.pixels) for half in (stage.alpha_half, stage.weights_half)]
        self.images = torch.cat(images).flatten(1)
        self.labels = torch.cat([stage.alpha_half.labels, stage.weights_half.labels])
        self.needed, self.scale = needed, nn.Parameter(torch.ones(()))

    def forward(self, images, mixing, drop_probability=0.0):
        """Class scores (B, 10)."""
        place = torch.cdist(images.flatten(1), self.images).argmin(1)
        right = F.one_hot(self.labels[place], 10).to(images)
        if not self.needed:
            return self.scale * right
        weights = torch.stack([mixing.weights[group][row][column] for group, row, column in self.needed])
        own = weights[place % len(self.needed)].unsqueeze(1)
        return self.scale * (own * right + 1e-3 * right.roll(1, dims=1))


def knowing(dataset, space, *, needs=True, **changes):
    """A search whose supernet needs one drawn architecture, while alpha prefers everything else."""
    stage = search(dataset, "darts+pt", space, tuning_steps=0, **changes)
    target = stage.space.sample(torch.Generator().manual_seed(5))
    chosen = stage.space.chosen(target)
    needed = [(name, row, k) for name, rows in chosen.items() for row, columns in enumerate(rows) for k in columns]
    with torch.no_grad():
        for name, row, column in needed:
            stage.alpha[name][row, column] -= 1.0
    stage.supernet = Known(stage, needed if needs else [])
    return stage, target


CASES = [
    ("darts", {"nodes": 3, "reduction": "searched"}),
    ("s3", {"nodes": 4, "reduction": "fixed"}),
    ("nas-bench-201", {}),
    ("nas-bench-1shot1-2", {}),
]


@pytest.mark.parametrize("criterion", ["accuracy", "loss"])
@pytest.mark.parametrize("scoring", ["one-by-one", "together"])
@pytest.mark.parametrize(("space", "changes"), CASES)
def test_what_the_supernet_needs_is_found_where_alpha_says_the_contrary(dataset, space, changes, scoring, criterion):
    """Magnitude points elsewhere in every row. In NAS-Bench-201 `none` is needed on two edges, and is found too."""
    numbers = {"selection_scoring": scoring, "selection_criterion": criterion, **changes}
    stage, target = knowing(dataset, space, **numbers)
    by_magnitude = stage.space.chosen(magnitude(stage.space, stage.relaxation.expected(stage.alpha, 1.0)))
    chosen = stage.space.chosen(target)
    selection = PerturbationSelection(stage)
    run(selection)
    assert stage.space.chosen(selection.architecture()) == chosen
    assert by_magnitude != chosen
    if space == "nas-bench-201":
        assert target.count("none") > 0


@pytest.mark.parametrize("order", ["random", "forward", "backward"])
@pytest.mark.parametrize(("space", "changes"), CASES[1:])
def test_in_whatever_order(dataset, space, changes, order):
    stage, target = knowing(dataset, space, selection_order=order, **changes)
    selection = PerturbationSelection(stage)
    run(selection)
    assert stage.space.chosen(selection.architecture()) == stage.space.chosen(target)


def test_where_nothing_is_missed_the_first_operation_and_the_earlier_edges_stay(dataset):
    stage, _ = knowing(dataset, "s3", needs=False, nodes=4)
    selection = PerturbationSelection(stage)
    for decision in decisions_of(run(selection)):
        assert len(set(decision["losses"])) == 1
        count = 1 if decision["kind"] == "operation" else 2
        assert decision["kept"] == decision["options"][:count]
    pairs = selection.architecture().normal
    assert pairs == (("skip_connect", 0), ("skip_connect", 1)) * 4


# What a stop does


def test_every_stop_decides_in_both_cells_and_says_what_was_seen(dataset):
    stage = searched(dataset, space="s2", nodes=3, reduction="searched")
    selection = PerturbationSelection(stage)
    assert selection.epochs == 9 + 2
    for epoch, record in enumerate(run(selection), 1):
        assert [decision["group"] for decision in record["decisions"]] == ["normal", "reduce"]
        for decision in record["decisions"]:
            count = 1 if decision["kind"] == "operation" else 2
            accuracies = decision["accuracies"]
            worst = sorted(range(len(accuracies)), key=lambda place: accuracies[place])
            assert decision["kept"] == [decision["options"][place] for place in worst[:count]]
            assert len(decision["losses"]) == len(decision["weights"]) == len(decision["options"])
            assert all(0 <= value <= 100 for value in (decision["before"], decision["after"], *accuracies))
            if decision["kind"] == "operation":
                assert sum(decision["weights"]) == pytest.approx(1.0)
            else:
                assert decision["weights"] == [1.0] * len(decision["options"])  # their operations are decided
        first, second = record["decisions"]
        assert second["before"] == first["after"]
        assert ("train_loss" in record) == (epoch < selection.epochs)


def test_two_edges_a_node_are_left_with_what_was_decided_on_them(dataset):
    stage = searched(dataset, space="s3", nodes=4)
    selection = PerturbationSelection(stage)
    records = run(selection)
    kept = {(d["kind"], d["where"]): d["kept"] for d in decisions_of(records)}
    genotype = selection.architecture()
    stage.space.check(genotype)
    edges = genotype.edges("normal")
    assert [target for _, target, _ in edges] == [2, 2, 3, 3, 4, 4, 5, 5]
    for source, target, operation in edges:
        assert kept["operation", f"{source}→{target}"] == [operation]
        assert target == 2 or f"{source}→{target}" in kept["edges", f"node {target}"]
    final = torch.tensor(records[-1]["weights"]["normal"])
    assert sorted(final.sum(1).tolist()) == [0.0] * 6 + [1.0] * 8
    assert ((final == 0) | (final == 1)).all()


def test_a_node_scores_its_edges_once_while_all_are_there(dataset):
    """The released code drops one after another by numbers that are found with every edge in place, and so here."""
    stage = searched(dataset, nodes=4)
    selection = PerturbationSelection(stage)
    run(selection, selection.epochs - 3)
    for choice in (stop[0] for stop in selection.stops[-3:]):
        seen, weights = selection.look(choice), selection.weights()
        for option, loss in zip(choice.options, seen["losses"], strict=True):
            others = [other.row for other in choice.options if other is not option]
            without = weights["normal"].clone()
            without[option.row] = 0.0
            assert torch.equal(without[others].sum(1), torch.ones(len(others)))
            assert loss == score(stage, {"normal": without}).loss
        (record,) = run(selection, 1)
        assert record["decisions"][0]["accuracies"] == seen["accuracies"]


def test_tuning_that_diverges_names_its_own_learning_rate(dataset):
    selection = PerturbationSelection(searched(dataset, tuning_lr=1e30, tuning_steps=20, clip=1e30))
    with pytest.raises(DivergedError, match=r"after decision \d of \d+: try a smaller tuning_lr \(now 1e\+30\)"):
        run(selection)


def test_open_rows_learn_on_and_decided_ones_have_no_gradient(dataset):
    stage = searched(dataset, nodes=2, alpha_decay=0.0)
    selection = PerturbationSelection(stage)
    for _ in range(3):
        before = stage.alpha["normal"].detach().clone()
        run(selection, 1)
        rows = sorted(selection.decisions["normal"])
        others = [row for row in range(5) if row not in rows]
        assert (stage.alpha["normal"].grad[rows] == 0).all()
        assert (stage.alpha["normal"].grad[others] != 0).any(dim=1).all()
        assert not torch.isclose(stage.alpha["normal"].detach(), before, rtol=0, atol=1e-6)[others].all(dim=1).any()


def test_a_fixed_alpha_never_moves(dataset):
    """Neither in the search nor between the decisions; the supernet is trained in both."""
    stage = search(dataset, "darts+pt-fixed-alpha")
    alpha = stage.alpha["normal"].detach().clone()
    weights = [stage.supernet.classifier.weight.detach().clone()]
    run(stage)
    weights.append(stage.supernet.classifier.weight.detach().clone())
    run(PerturbationSelection(stage))
    weights.append(stage.supernet.classifier.weight.detach().clone())
    assert torch.equal(stage.alpha["normal"], alpha)
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[1], weights[2])


def test_between_decisions_the_learning_rate_is_constant_and_momentum_begins_anew(dataset):
    stage = searched(dataset, tuning_lr=0.0123)
    assert stage.momentum()
    moments = [state["exp_avg"].clone() for state in stage.alpha_optimizer.state.values()]
    selection, rates = PerturbationSelection(stage), []
    selection._begin()
    assert not stage.momentum()
    assert all(  # Adam goes on
        torch.equal(state["exp_avg"], before)
        for state, before in zip(stage.alpha_optimizer.state.values(), moments, strict=True)
    )
    for _ in range(selection.epochs):
        run(selection, 1)
        rates.append(stage.w_optimizer.param_groups[0]["lr"])
    assert rates == [0.0123] * selection.epochs


def test_so_many_steps_are_taken_between_decisions_and_none_after_the_last(dataset):
    stage = searched(dataset, tuning_steps=2)
    selection, told = PerturbationSelection(stage), []
    steps = stage.steps
    for _ in range(selection.epochs):
        selection.run_epoch(lambda step, of: told.append((step, of)))
    assert told == [(1, 2), (2, 2)] * (selection.epochs - 1)
    assert stage.steps - steps == 2 * (selection.epochs - 1)


def test_the_perturbed_methods_are_perturbed_on_by_the_last_radius_and_only_where_nothing_is_decided(dataset):
    stage = searched(dataset, "sdarts-rs+pt", "s2", radius=0.0, radius_end=0.4, tuning_steps=1)
    selection, seen = PerturbationSelection(stage), []
    perturbation = stage.perturbation

    def spy(mixing, loss, progress, generator):
        moved = perturbation(mixing, loss, progress, generator)
        seen.append((progress, mixing.weights["normal"], moved))
        return moved

    stage.perturbation = spy
    run(selection, 3)
    assert [progress for progress, _, _ in seen] == [1.0] * 3
    rows = [stop[0].options[0].row for stop in selection.stops[:3]]
    for count, (_, clean, moved) in enumerate(seen, 1):
        for row in range(5):
            same = torch.equal(moved.weights["normal"][row].double(), clean[row].double())
            assert same == (row in rows[:count])
            assert moved.active["normal"][row] == (selection.decisions["normal"][row] if same else (0, 1))


@pytest.mark.parametrize("space", ["s3", "nas-bench-201", "nas-bench-1shot1-1"])
@pytest.mark.parametrize("method", [name for name in recipes.RECIPES if not name.endswith(("+pt", "+pt-fixed-alpha"))])
def test_any_method_can_be_selected_from(dataset, method, space):
    method, epochs = f"{method}+pt", 2 if method.startswith("drnas") else 1
    stage = searched(dataset, method, space, channels=8, epochs=epochs)
    selection = PerturbationSelection(stage)
    records = run(selection)
    stage.space.check(selection.architecture())
    held = stage.space.chosen(selection.architecture())
    if stage.masks is not None:
        assert all(
            stage.masks[n][row, k] for n, rows in held.items() for row, columns in enumerate(rows) for k in columns
        )
    for name, rows in records[-1]["weights"].items():
        if name in held:
            assert [[k for k, value in enumerate(row) if value] for row in rows] == [list(each) for each in held[name]]


# A selection that is stopped goes on


def written(stage):
    """Its state as a file holds it: plain values and tensors."""
    file = io.BytesIO()
    torch.save(stage.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


STOPPED = [
    ("darts+pt", "s4", {"drop_path": 0.2, "augment": True, "running": True}),
    ("sdarts-adv+pt", "s2", {"reduction": "searched"}),
    ("drnas-progressive+pt", "s3", {"epochs": 2, "channels": 8, "operations_end": 2}),
    ("gdas+pt", "nas-bench-1shot1-2", {}),
]


@pytest.mark.parametrize(("method", "space", "changes"), STOPPED)
def test_one_that_is_stopped_between_two_decisions_goes_on_bit_for_bit(dataset, method, space, changes):
    whole = PerturbationSelection(searched(dataset, method, space, **changes))
    states, records = {}, []
    for epoch in range(whole.epochs):
        if epoch in (1, whole.epochs - 1):
            states[epoch] = written(whole)
        records += run(whole, 1)
    for epoch, state in states.items():
        resumed = PerturbationSelection(search(dataset, method, space, **changes))
        resumed.load_state_dict(state)
        assert run(resumed) == records[epoch:]
        assert resumed.architecture() == whole.architecture()
        after, expected = written(resumed), written(whole)
        assert after["decisions"] == expected["decisions"]
        for name, value in expected["search"]["supernet"].items():
            assert torch.equal(after["search"]["supernet"][name], value), name


def test_a_state_with_other_random_numbers_gives_another_selection(dataset):
    """The comparison above can fail."""
    stage = searched(dataset, "darts+pt", "s4", tuning_steps=2)
    selection = PerturbationSelection(stage)
    run(selection, 2)
    state = written(selection)
    expected = run(selection, 2)
    fresh = search(dataset, "darts+pt", "s4", tuning_steps=2)
    resumed = PerturbationSelection(search(dataset, "darts+pt", "s4", tuning_steps=2))
    resumed.load_state_dict(state | {"search": state["search"] | {"stream": fresh.state_dict()["stream"]}})
    assert run(resumed, 2) != expected


def test_another_seed_decides_in_another_order(dataset):
    plans = [PerturbationSelection(search(dataset, nodes=4, seed=seed)).stops for seed in (0, 0, 1)]
    assert plans[0] == plans[1] != plans[2]
