"""What smoothing penalises: the formulas against analytic solutions, and against a small supernet in float64."""

import numpy as np
import pytest
import torch
from scipy.linalg import eigvalsh
from torch.nn import functional as F

from nasbook import datasets, sizes, spaces
from nasbook.analysis import smoothing
from nasbook.instruments import Points, hessian
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.search.perturbation import ascended, drawn
from nasbook.selection import magnitude
from nasbook.supernet import Mixing

TINY = {"epochs": 2, "images": 64, "batch": 32, "channels": 2, "layers": 3, "precision": "float64", "alpha_scale": 0.5}


def random_quadratic(seed, size=5):
    generator = np.random.default_rng(seed)
    matrix = generator.standard_normal((size, size))
    return generator.standard_normal(size), (matrix + matrix.T) / 2


def quadratic(gradient, matrix):
    slope, curved = torch.from_numpy(gradient), torch.from_numpy(matrix)
    return lambda point: slope @ point + point @ curved @ point / 2


@pytest.fixture(scope="module")
def search():
    numbers = sizes.override(sizes.get("class").search, TINY)
    space = spaces.get("s2", nodes=2, reduction="fixed")
    data = datasets.load("street_numbers")
    made = Search(space, data, recipe=recipes.get("darts"), numbers=numbers, derive=magnitude)
    made.run_epoch(lambda step, steps: None)
    return made


def test_the_mean_rise_of_a_quadratic_is_a_sixth_of_the_trace():
    gradient, matrix = random_quadratic(0)
    matrix += 2 * np.eye(5)
    mean, error = smoothing.expected_rise(
        quadratic(10 * gradient, matrix), torch.zeros(5).double(), 0.4, pairs=4000, seed=1
    )
    right = 0.4**2 / 6 * np.trace(matrix)
    assert smoothing.by_trace(matrix, 0.4) == pytest.approx(right)
    assert abs(mean - right) < 4 * error < 0.1 * right


def test_noise_in_a_box_has_a_third_of_the_squared_radius_as_variance():
    """On one squared coordinate the exact fourth moment is known: the standard error is right too."""
    mean, error = smoothing.expected_rise(lambda point: point[0] ** 2, torch.zeros(3).double(), 0.6, pairs=2000, seed=0)
    deviation = (0.6**4 / 5 - (0.6**2 / 3) ** 2) ** 0.5
    assert mean == pytest.approx(0.6**2 / 3, abs=4 * error)
    assert error == pytest.approx(deviation / 2000**0.5, rel=0.1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shift", [-5.0, 0.0, 5.0])
def test_the_worst_of_a_quadratic_is_at_a_point_of_the_trust_region(seed, shift):
    """First-order conditions, and no better point of many on the border or inside."""
    gradient, matrix = random_quadratic(seed)
    matrix += shift * np.eye(5)
    value, there = smoothing.worst_of_quadratic(gradient, matrix, 0.7)
    assert np.linalg.norm(there) <= 0.7 + 1e-9
    assert value == pytest.approx(gradient @ there + there @ matrix @ there / 2)
    slope = gradient + matrix @ there
    multiplier = slope @ there / (there @ there)
    np.testing.assert_allclose(slope, multiplier * there, atol=1e-6)
    assert multiplier >= max(eigvalsh(matrix)[-1], 0) - 1e-6
    others = np.random.default_rng(9).standard_normal((20_000, 5))
    others *= 0.7 / np.linalg.norm(others, axis=1, keepdims=True)
    others = np.concatenate([others, 0.5 * others])
    assert (others @ gradient + np.einsum("ni,ij,nj->n", others, matrix, others) / 2).max() <= value + 1e-9


def test_at_a_stationary_point_the_worst_is_half_the_largest_eigenvalue():
    _, matrix = random_quadratic(3)
    largest = eigvalsh(matrix)[-1]
    value, there = smoothing.worst_of_quadratic(np.zeros(5), matrix, 0.5)
    assert value == pytest.approx(0.5**2 / 2 * largest) == smoothing.by_eigenvalue(matrix, 0.5)
    np.testing.assert_allclose(matrix @ there, largest * there, atol=1e-9)
    assert smoothing.by_eigenvalue(-np.eye(3), 0.5) == 0.0
    assert smoothing.worst_of_quadratic(np.zeros(3), -np.eye(3), 0.5)[0] == pytest.approx(0.0)


def test_a_gradient_across_the_top_leaves_the_rest_of_the_radius_to_it():
    """The hard case: g has no part along the top eigenvector. By hand: d = (0.25, sqrt(1 - 0.25^2))."""
    value, there = smoothing.worst_of_quadratic(np.array([1.0, 0.0]), np.diag([-1.0, 3.0]), 1.0)
    assert there == pytest.approx([0.25, (1 - 0.25**2) ** 0.5])
    assert value == pytest.approx(0.25 - 0.25**2 / 2 + 3 / 2 * (1 - 0.25**2))


@pytest.mark.parametrize("seed", range(3))
def test_ascent_finds_the_worst_of_a_quadratic(seed):
    gradient, matrix = random_quadratic(seed)
    for slope in (gradient, np.zeros(5)):
        right, _ = smoothing.worst_of_quadratic(slope, matrix, 0.7)
        start = torch.ones(5).double()
        found = smoothing.worst_rise(quadratic(slope, matrix), torch.zeros(5).double(), 0.7, start=start, steps=200)
        assert found == pytest.approx(right, rel=0.02)
        assert found <= right + 1e-12


def test_on_a_supernet_small_perturbations_rise_by_the_formulas(search):
    """So small that hardly a ReLU passes its kink: the Hessian knows nothing of those."""
    found = smoothing.rises(search, (1e-6, 2e-6), images=32, pairs=40, steps=3)
    matrix = hessian(search, coordinates="mixing", batches=1, batch=32).mean
    assert found.trace == pytest.approx(np.trace(matrix))
    assert found.eigenvalue == pytest.approx(eigvalsh(matrix)[-1])
    assert found.by_trace == pytest.approx([radius**2 / 6 * np.trace(matrix) for radius in found.radii])
    assert found.by_eigenvalue == pytest.approx([radius**2 / 2 * eigvalsh(matrix)[-1] for radius in found.radii])
    for mean, error, right in zip(found.random, found.random_error, found.by_trace, strict=True):
        assert abs(mean - right) < 4 * error + 0.05 * abs(right)
    assert found.worst == pytest.approx(found.by_quadratic, rel=0.02)
    assert found.slope * 1e-6 == pytest.approx(found.by_quadratic[0], rel=0.01)


def test_the_perturbations_are_those_of_the_search(search):
    points = Points(search, "mixing")
    (batch,) = points.images(32)
    weights = {name: value.detach() for name, value in search.relaxation.expected(search.alpha, 0.0).items()}
    mixing = Mixing(weights)

    def loss(moved):
        return F.cross_entropy(points.logits(moved, batch[0]), batch[1])

    start = drawn(mixing, 0.4, torch.Generator().manual_seed(5))
    moved = ascended(mixing, loss, start, radius=0.4, steps=2)
    for kind, right in (("random", start), ("adversarial", moved)):
        found = smoothing.perturbed(search, kind, 0.4, images=32, steps=2, seed=5)
        assert torch.equal(found.before["normal"], weights["normal"])
        torch.testing.assert_close(found.after["normal"], right.weights["normal"].to(found.after["normal"].dtype))
        assert found.loss == pytest.approx((float(loss(mixing)), float(loss(right))))
        assert found.accuracy[0] == pytest.approx(points.measure(points.here(), [batch])[1])
        assert found.rise == found.loss[1] - found.loss[0]
        assert found.images == 32


def test_an_attack_is_never_below_and_no_radius_is_no_rise(search):
    for seed in range(3):
        assert smoothing.perturbed(search, "adversarial", 0.3, images=32, steps=2, seed=seed).rise >= 0
    for kind in smoothing.KINDS:
        assert smoothing.perturbed(search, kind, 0.0, images=32).rise == pytest.approx(0, abs=1e-12)


def test_mean_rises_are_means_over_seeds(search):
    found = smoothing.perturbed_rises(search, (0.1, 0.5), images=32, draws=2, steps=1, seed=3)
    for kind in smoothing.KINDS:
        right = [smoothing.perturbed(search, kind, 0.5, images=32, steps=1, seed=seed).rise for seed in (3, 4)]
        assert found[kind][1] == pytest.approx(np.mean(right))


def test_measuring_changes_nothing(search):
    before = {name: value.clone() for name, value in search.supernet.state_dict().items()}
    generator = search.stream.generator.get_state()
    smoothing.perturbed(search, "adversarial", 0.3, images=32, steps=1)
    assert all(torch.equal(value, before[name]) for name, value in search.supernet.state_dict().items())
    assert torch.equal(search.stream.generator.get_state(), generator)


@pytest.mark.parametrize(("kind", "radius"), [("worst", 0.1), ("random", -0.1), ("random", float("nan"))])
def test_what_is_no_perturbation_is_refused(search, kind, radius):
    with pytest.raises(UsageError, match="A perturbation is random or adversarial"):
        smoothing.perturbed(search, kind, radius)


def test_more_than_a_batch_is_refused(search):
    with pytest.raises(UsageError, match="2 to 256 images"):
        smoothing.perturbed(search, "random", 0.1, images=257)
