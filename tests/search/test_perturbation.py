"""Perturbed operation weights: where they may lie, what smoothing adds to the loss, and that an attack attacks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbook import datasets, sizes, spaces
from nasbook.relaxation import RELAXATIONS, Decided
from nasbook.runtime.errors import UsageError
from nasbook.search import Recipe, Search, progressive, recipes
from nasbook.search.perturbation import (
    PERTURBATIONS,
    Adversarial,
    Radius,
    RandomSmoothing,
    allowed,
    ascended,
    drawn,
)
from nasbook.selection import derive
from nasbook.supernet import Mixing, edges_of

LAYERS = {"darts": 3, "nas-bench-201": 5, "nas-bench-1shot1": 3}
TINY = {"epochs": 2, "images": 64, "batch": 16, "channels": 4, "stem_stride": 2, "frozen_epochs": 0, "attack_steps": 3}


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, method="sdarts-adv", space="s3", recipe=None, **changes):
    family = spaces.family(space)
    preset = sizes.get("class").of(family, method).search
    numbers = sizes.override(preset, TINY | {"layers": LAYERS[family]} | changes)
    recipe = recipe or recipes.get(method)
    return Search(
        spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction),
        dataset,
        recipe=recipe,
        numbers=numbers,
        derive=derive(recipe.selection),
    )


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def row(*weights):
    return Mixing({"normal": torch.tensor([weights], dtype=torch.float64)})


# Where moved weights may lie


def reference(before, after, active):
    """Brought back number by number."""
    found = before.copy()
    for place, columns in enumerate(active):
        if all(before[place, k] == 1.0 for k in columns):
            continue  # decided, or nothing is active
        cut = {k: min(max(after[place, k], 0.0), 1.0) for k in columns}
        if sum(cut.values()) == 0.0:
            largest = max(columns, key=lambda k: after[place, k])  # the first of equals
            cut = {k: float(k == largest) for k in columns}
        had, has = sum(before[place, k] for k in columns), sum(cut.values())
        for k in columns:
            found[place, k] = cut[k] * had / has
    return found


@st.composite
def moves(draw):
    """Weights of soft, hard, twofold, decided and empty rows, how far they are moved, and what is active."""
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    before = np.zeros((rows, columns))
    active = []
    for place in range(rows):
        runs = sorted(numbers.choice(columns, numbers.integers(0, columns + 1), replace=False).tolist())
        active.append(tuple(runs))
        kind = draw(st.sampled_from(["soft", "hard", "twofold", "decided", "nothing"]))
        if kind == "soft" and runs:
            before[place, runs] = numbers.dirichlet(np.ones(len(runs)))
        if kind in ("hard", "twofold"):
            before[place, runs[: 1 if kind == "hard" else 2]] = 1.0
        if kind == "decided":
            before[place, runs] = 1.0
    after = before + draw(st.sampled_from([0.1, 1.0, 3.0])) * numbers.uniform(-1.0, 1.0, before.shape)
    after[numbers.random(rows) < 0.3] -= 3.0  # cut to zero everywhere
    return before, after, tuple(active)


@given(moves())
def test_moved_weights_are_brought_back_as_the_reference_does(move):
    before, after, active = move
    mixing = Mixing({"normal": torch.tensor(before)}, {"normal": active})
    found = allowed(mixing, {"normal": torch.tensor(after)})
    assert found.active == mixing.active
    values = found.weights["normal"].numpy()
    np.testing.assert_allclose(values, reference(before, after, active), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(values.sum(1), before.sum(1), rtol=1e-12, atol=1e-15)
    assert (values >= 0).all()
    for place, columns in enumerate(active):
        idle = [k for k in range(before.shape[1]) if k not in columns]
        assert (values[place, idle] == before[place, idle]).all()


def test_by_hand():
    """Cut to [0, 1], then scaled to the row's own sum; a row of nothing but zeros goes where it was moved least down.

    The second row is the case of SmoothDARTS (model_search.py: Network.clip).
    """
    before = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.4, 0.4], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    after = torch.tensor([[0.9, -0.1, 0.1], [-0.1, -0.3, -0.2], [1.5, 0.0, 0.25], [0.8, 0.8, 0.4]])
    found = allowed(Mixing({"normal": before}), {"normal": after}).weights["normal"]
    torch.testing.assert_close(
        found, torch.tensor([[0.9, 0.0, 0.1], [1.0, 0.0, 0.0], [0.8, 0.0, 0.2], [0.8, 0.8, 0.4]])
    )


def test_where_nothing_is_said_of_what_runs_every_row_moves_but_a_decided_one():
    before = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    after = before + torch.tensor([[-0.5, 0.5], [-0.5, 0.5]])
    everything = allowed(Mixing({"normal": before}), {"normal": after}).weights["normal"]
    assert everything.tolist() == [[0.5, 0.5], [0.0, 1.0]]
    decided = allowed(Mixing({"normal": before}, {"normal": ((0,), (0, 1))}), {"normal": after}).weights["normal"]
    assert decided.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_weights_of_whole_edges_stay():
    edges = torch.tensor([[0.3, 0.7]])
    mixing = Mixing({"normal": torch.tensor([[0.5, 0.5], [0.4, 0.6]]), edges_of("normal"): edges})
    for found in (drawn(mixing, 0.3, generator()), allowed(mixing, {k: v + 0.2 for k, v in mixing.weights.items()})):
        assert torch.equal(found.weights[edges_of("normal")], edges)


# Random smoothing


def test_the_radius_goes_in_a_straight_line():
    """The released code: 0.03 + (0.3 - 0.03) * epoch / epochs."""
    radius = Radius(0.03, 0.3)
    assert [radius(epoch / 50) for epoch in (0, 10, 25, 50)] == pytest.approx([0.03, 0.084, 0.165, 0.3])
    numbers = replace(sizes.get("paper").search, radius=0.01, radius_end=0.5)
    assert PERTURBATIONS["random"](numbers) == RandomSmoothing(Radius(0.01, 0.5))
    assert PERTURBATIONS["adversarial"](replace(numbers, attack_steps=4)) == Adversarial(Radius(0.01, 0.5), 4)
    assert PERTURBATIONS["none"](numbers) is None


def test_at_paper_size_the_numbers_are_those_of_the_released_code():
    for family in LAYERS:
        numbers = sizes.get("paper").of(family, "sdarts-adv").search
        assert (numbers.radius, numbers.radius_end, numbers.attack_steps) == (0.03, 0.3, 7)


def test_every_draw_comes_from_the_generator():
    mixing = row(0.2, 0.3, 0.5)
    first, again, other = (drawn(mixing, 0.1, generator(seed)).weights["normal"] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(mixing.weights["normal"], row(0.2, 0.3, 0.5).weights["normal"])


def test_before_they_are_brought_back_the_weights_are_uniform_in_the_box():
    """Of two equal weights, both moved by a uniform number, one over both is between these bounds and reaches them."""
    many = Mixing({"normal": torch.full((20_000, 2), 0.5, dtype=torch.float64)})
    share = drawn(many, 0.1, generator()).weights["normal"][:, 0]
    assert 0.4 < float(share.min()) < 0.405
    assert 0.595 < float(share.max()) < 0.6
    # (1/2 + d_1) / (1 + d_1 + d_2) < 0.45 is 1.1 d_1 - 0.9 d_2 < -0.1: a corner of the box, 1/11 long and 1/9 high
    assert float((share < 0.45).double().mean()) == pytest.approx((1 / 11) * (1 / 9) / 2 / 0.2**2, abs=0.01)


@pytest.mark.parametrize("centre", [[0.25] * 4, [0.5, 0.3, 0.2], [0.7, 0.7, 0.6]])
def test_smoothing_adds_the_trace_of_the_curvature_within_the_simplex(centre):
    """E L(drawn) = L(A) + radius^2 / 6 * tr(P' H P) + O(radius^4), where the loss is stationary on the simplex.

    A drawn point is (A + d) s / (s + sum d) with s the sum of A, so it is A + P d to first order, P = I - A 1' / s:
    the part of the box's noise that keeps the sum. A coordinate of d has variance radius^2 / 3, so that the moved
    weights have the covariance radius^2 / 3 * P P'. Without the scaling P is the identity and this is the formula of
    the paper, radius^2 / 6 * tr H. Stationary on the simplex means a gradient that is the same in all weights; as the
    sum is kept, it adds nothing at any order. Monte Carlo, within five standard errors.
    """
    many, radius, n = 200_000, 0.01, len(centre)
    point = torch.tensor(centre, dtype=torch.float64)
    half = torch.randn(n, n, dtype=torch.float64, generator=generator(3))
    curvature = half @ half.T  # positive: a trace that is not near zero by chance
    moved = drawn(Mixing({"normal": point.expand(many, -1)}), radius, generator(1)).weights["normal"] - point
    change = 0.5 * torch.einsum("bi,ij,bj->b", moved, curvature, moved) + 7.0 * moved.sum(-1)
    along = torch.eye(n, dtype=torch.float64) - torch.outer(point, torch.ones(n, dtype=torch.float64)) / point.sum()
    expected = radius**2 / 6 * float(torch.trace(along.T @ curvature @ along))
    error = float(change.std()) / many**0.5
    assert error < 0.005 * expected
    assert float(change.mean()) == pytest.approx(expected, abs=5 * error)
    # the formula that forgets the simplex is another number
    assert abs(float(change.mean()) - radius**2 / 6 * float(torch.trace(curvature))) > 50 * error


# The attack


def test_the_attack_climbs_from_the_farthest_corner_to_the_nearest_in_as_many_steps_as_it_has():
    """A linear loss of two weights: every step is 2 * radius / steps long, and the sum of both stays one."""
    mixing, seen = row(0.5, 0.5), []

    def loss(moved):
        seen.append(float(moved.weights["normal"][0, 0].detach()))
        return (moved.weights["normal"] * torch.tensor([1.0, -1.0])).sum()

    end = ascended(mixing, loss, row(0.4, 0.6), radius=0.1, steps=5)
    assert seen == pytest.approx([0.4, 0.44, 0.48, 0.52, 0.56])
    assert end.weights["normal"].tolist()[0] == pytest.approx([0.6, 0.4])


def test_it_never_leaves_the_box():
    mixing = row(0.5, 0.5)

    def loss(moved):
        return moved.weights["normal"][0, 1] - moved.weights["normal"][0, 0]

    end = ascended(mixing, loss, mixing, radius=0.1, steps=50)  # half of the steps would do
    assert end.weights["normal"].tolist()[0] == pytest.approx([0.4, 0.6])


def test_weights_stay_where_the_attack_does_not_find_worse():
    """At the top of a hill every other point is better: the clean weights are trained at, as they are."""
    mixing = row(0.5, 0.3, 0.2)

    def hill(moved):
        return -(moved.weights["normal"] - mixing.weights["normal"]).square().sum()

    found = Adversarial(Radius(0.3, 0.3), 7)(mixing, hill, 0.0, generator())
    assert torch.equal(found.weights["normal"], mixing.weights["normal"])
    valley = Adversarial(Radius(0.3, 0.3), 7)(mixing, lambda moved: -hill(moved), 0.0, generator())
    assert -float(hill(valley)) > 0.05


class Spied:
    """A perturbation that also asks what the loss is at the clean, the moved and some random weights of the box."""

    def __init__(self, perturbation):
        self.perturbation = perturbation

    def __call__(self, mixing, loss, progress, draws):
        self.mixing, self.moved = mixing, self.perturbation(mixing, loss, progress, draws)
        radius = self.perturbation.radius(progress)
        others = [drawn(mixing, radius, generator(seed)) for seed in range(4)]
        with torch.no_grad():
            self.clean, self.attacked, *self.random = (float(loss(at)) for at in (mixing, self.moved, *others))
            start = drawn(mixing, radius, generator(9))
        descended = ascended(mixing, lambda at: -loss(at), start, radius=radius, steps=self.perturbation.steps)
        with torch.no_grad():
            self.friendly = float(loss(descended))
        return self.moved


SPACES = ["s2", "s4", "nas-bench-201", "nas-bench-1shot1-1"]


@pytest.mark.parametrize("space", SPACES)
def test_the_loss_after_an_attack_is_never_below_the_clean_one(dataset, space):
    """The same draws of the noise operation at every point. A wrong sign (known from a port) would end below."""
    changes = {"radius": 0.01, "radius_end": 1.0, "attack_steps": 7, "running": True, "drop_path": 0.3, "epochs": 4}
    stage = search(dataset, space=space, **changes)
    spied, descents = Spied(stage.perturbation), []
    stage.perturbation = spied
    for epoch in range(4):
        stage.epoch = epoch
        with stage.stream.scope():
            stage.step()
        assert spied.attacked >= spied.clean
        descents.append(spied.friendly - spied.clean)
    assert spied.attacked > spied.clean + 1e-3  # at the large radius
    assert spied.attacked > sum(spied.random) / len(spied.random)
    assert min(descents) < -1e-3


def groups_that_moved(spied):
    return {name for name, value in spied.mixing.weights.items() if not torch.equal(value, spied.moved.weights[name])}


@pytest.mark.parametrize("method", ["sdarts-rs", "sdarts-adv"])
def test_in_nas_bench_1shot1_operations_parents_and_output_are_perturbed(dataset, method):
    stage, seen = search(dataset, method, "nas-bench-1shot1-2", radius=0.2), {}
    perturbation = stage.perturbation

    def spy(mixing, *rest):
        seen["clean"], seen["moved"] = mixing, perturbation(mixing, *rest)
        return seen["moved"]

    stage.perturbation = spy
    with stage.stream.scope():
        stage.step()
    clean, moved = seen["clean"].weights, seen["moved"].weights
    assert set(clean) == {"operations", "output", "inputs 2", "inputs 3", "inputs 4"}
    for name, values in clean.items():
        assert not torch.isclose(moved[name].double(), values, atol=1e-4).all(dim=-1).any(), name
        torch.testing.assert_close(moved[name].double().sum(-1), values.sum(-1), rtol=1e-5, atol=1e-5)


def test_both_cells_are_perturbed_where_the_reduction_is_searched(dataset):
    stage = search(dataset, "sdarts-adv", "s2", reduction="searched", radius=0.2)
    spied = stage.perturbation = Spied(stage.perturbation)
    with stage.stream.scope():
        stage.step()
    assert groups_that_moved(spied) == {"normal", "reduce"}


# In the search


def handed(stage, steps=1):
    """The mixings that the supernet is handed in a step, and the modes that it is in."""
    found = []
    hook = stage.supernet.register_forward_pre_hook(lambda module, inputs: found.append((inputs[1], module.training)))
    with stage.stream.scope():
        for _ in range(steps):
            stage.step()
    hook.remove()
    return found


@pytest.mark.parametrize("perturbation", ["random", "adversarial"])
@pytest.mark.parametrize("relaxation", list(RELAXATIONS))
def test_every_relaxation_is_perturbed_and_every_candidate_of_a_moved_row_runs(dataset, relaxation, perturbation):
    """Also where the relaxation draws one operation: what is close to it is trained."""
    hypergradient = "none" if relaxation == "single-path" else "first-order"
    recipe = Recipe("mine", relaxation=relaxation, hypergradient=hypergradient, perturbation=perturbation)
    stage = search(dataset, recipe=recipe, radius=0.4, radius_end=0.4)
    passes = handed(stage, 2)
    trained, training = passes[-1]
    assert training
    assert trained.active is None
    weights = trained.weights["normal"]
    assert not weights.requires_grad
    sums = weights.sum(1)
    whole = torch.isclose(sums, torch.ones_like(sums), atol=1e-5)
    assert (whole | (sums == 0)).all()  # an edge that an architecture drops has nothing to divide
    assert whole.any()
    assert ((weights > 1e-3).sum(1) > 1).any()


def test_alpha_learns_at_the_clean_weights(dataset):
    """The outer step comes first, so that it is the same for all; then the weights go other ways."""
    stages = [search(dataset, method, radius=0.3) for method in ("darts", "sdarts-rs", "sdarts-adv")]
    for stage in stages:
        with stage.stream.scope():
            stage.step()
    plain, *others = stages
    for stage in others:
        assert torch.equal(stage.alpha["normal"], plain.alpha["normal"])
        assert not torch.equal(stage.supernet.classifier.weight, plain.supernet.classifier.weight)


def test_at_a_radius_of_zero_smoothing_is_darts(dataset):
    stages = [search(dataset, m, radius=0.0, radius_end=0.0) for m in ("darts", "sdarts-rs", "sdarts-adv")]
    for stage in stages:
        with stage.stream.scope():
            stage.step()
    for stage in stages[1:]:
        for value, other in zip(stage.supernet.parameters(), stages[0].supernet.parameters(), strict=True):
            torch.testing.assert_close(value, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("perturbation", ["random", "adversarial"])
def test_pruned_operations_stay_pruned(dataset, perturbation):
    recipe = replace(recipes.get("drnas-progressive"), perturbation=perturbation)
    stage = search(dataset, "drnas-progressive", recipe=recipe, channels=8, operations_end=2, radius=0.4)
    masks = progressive.kept(stage.space, stage.alpha, 2)
    progressive.begin(stage, masks)
    mask = masks["normal"]
    for mixing, _ in handed(stage, 2):
        assert (mixing.weights["normal"][~mask] == 0).all()
        runs = {(place, k) for place, columns in enumerate(mixing.active["normal"]) for k in columns}
        assert runs == {(place, k) for place, k in mask.nonzero().tolist()}


def test_decided_rows_stay_and_are_the_only_ones_that_do(dataset):
    stage = search(dataset, "sdarts-adv", "s2", radius=0.3)
    stage.relaxation = Decided(stage.relaxation, {"normal": {1: (0,), 3: ()}})
    stage.candidates = {"normal": ((0, 1), (0,), (0, 1), (), (0, 1))}
    trained = handed(stage)[-1][0]
    assert trained.active == stage.candidates
    weights, clean = trained.weights["normal"], torch.softmax(stage.alpha["normal"].detach(), -1).float()
    assert weights[1].tolist() == [1.0, 0.0]
    assert weights[3].tolist() == [0.0, 0.0]
    assert all(not torch.allclose(weights[place], clean[place], atol=1e-3) for place in (0, 2, 4))


def test_where_all_is_decided_nothing_is_attacked():
    mixing = Mixing({"normal": torch.tensor([[1.0, 0.0], [0.0, 0.0]])}, {"normal": ((0,), ())})
    loss = lambda moved: pytest.fail("the loss was asked for")  # noqa: E731
    assert Adversarial(Radius(0.3, 0.3), 7)(mixing, loss, 1.0, generator()) is mixing


def test_a_single_level_search_cannot_be_perturbed(dataset):
    recipe = replace(recipes.get("snas"), perturbation="random")
    with pytest.raises(UsageError, match="single-level step"):
        search(dataset, recipe=recipe)
