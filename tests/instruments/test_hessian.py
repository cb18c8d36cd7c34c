"""Second derivatives against finite differences and against a loss whose Hessian is written down."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from nasbook.instruments import Points, hessian, leading, published
from nasbook.instruments.hessian import both, gradient, times
from nasbook.runtime.errors import UsageError

STEP = 1e-4


def differences(points, batch):
    """(parameters, parameters) by central differences of central differences of the loss: no derivative is taken."""
    here = points.here()

    def loss(point):
        with torch.no_grad():
            return points.loss(point, batch).item()

    units = STEP * torch.eye(len(here), dtype=torch.float64)
    return np.array(
        [
            [
                (loss(here + a + b) - loss(here + a - b) - loss(here - a + b) + loss(here - a - b)) / (4 * STEP**2)
                for b in units
            ]
            for a in units
        ]
    )


@pytest.fixture
def quadratic(exact, monkeypatch):
    """Points whose loss is p'Ap / 2 + b'p + c, whatever the images; A has eigenvalues of both signs."""
    generator = torch.Generator().manual_seed(1)
    count = sum(value.numel() for value in exact.alpha.values())
    drawn = torch.randn(count, count, generator=generator, dtype=torch.float64)
    matrix, linear = (drawn + drawn.T) / 2, torch.randn(count, generator=generator, dtype=torch.float64)
    monkeypatch.setattr(Points, "loss", lambda self, point, batch: point @ matrix @ point / 2 + linear @ point + 1.5)
    return exact, matrix.numpy()


@pytest.mark.parametrize("coordinates", ["alpha", "mixing"])
@pytest.mark.parametrize("space", ["s2", "s4"])
def test_the_matrix_is_that_of_second_differences_of_the_loss(make_search, coordinates, space, monkeypatch):
    """Of a net made smooth: between the kinks of ReLU lies less than such a difference needs.

    S4's noise is the same at each evaluation, or the differences would be those of the noise.
    """
    monkeypatch.setattr(functional, "relu", functional.softplus)
    search = make_search(space=space, precision="float64")
    points = Points(search, coordinates)
    expected = differences(points, points.batches(1, 16)[0])
    measured = hessian(search, coordinates=coordinates, batches=1, batch=16)
    scale = np.abs(expected).max()
    assert scale > 1e-3
    np.testing.assert_allclose(measured.mean, expected, rtol=0, atol=1e-5 * scale)
    np.testing.assert_allclose(measured.eigenvalues(), np.linalg.eigvalsh(expected), rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("coordinates", ["alpha", "mixing"])
def test_the_matrix_is_that_of_differences_of_the_gradient(exact, coordinates):
    """Of the net as it is; the gradient is held to differences of the loss below."""
    points = Points(exact, coordinates)
    batch, here = points.batches(1, 32)[0], points.here()
    units = 1e-8 * torch.eye(len(here), dtype=torch.float64)
    rows = [gradient(points, here + each, batch)[1] - gradient(points, here - each, batch)[1] for each in units]
    expected = torch.stack(rows).numpy() / 2e-8
    measured = hessian(exact, coordinates=coordinates, batches=1, batch=32)
    np.testing.assert_allclose(measured.mean, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert measured.largest == pytest.approx(np.linalg.eigvalsh((expected + expected.T) / 2)[-1], rel=1e-5)


def test_the_gradient_is_that_of_finite_differences(exact):
    points = Points(exact, "mixing")
    batch, here = points.batches(1, 32)[0], points.here()
    units = 1e-6 * torch.eye(len(here), dtype=torch.float64)
    with torch.no_grad():
        expected = [(points.loss(here + each, batch) - points.loss(here - each, batch)) / 2e-6 for each in units]
    torch.testing.assert_close(gradient(points, here, batch)[1], torch.stack(expected), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("coordinates", ["alpha", "mixing"])
def test_products_are_those_of_the_matrix_and_of_finite_differences(exact, coordinates):
    points = Points(exact, coordinates)
    batch, here = points.batches(1, 32)[0], points.here()
    direction = torch.randn(len(here), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    product = times(points, here, direction, batch)
    matrix = hessian(exact, coordinates=coordinates, batches=1, batch=32).mean
    np.testing.assert_allclose(product, matrix @ direction.numpy(), rtol=1e-8, atol=1e-10)
    ahead, behind = (gradient(points, here + sign * 1e-5 * direction, batch)[1] for sign in (1, -1))
    np.testing.assert_allclose(product, ((ahead - behind) / 2e-5).numpy(), rtol=1e-4, atol=1e-7)


def test_a_quadratic_has_the_matrix_that_it_was_made_of(quadratic):
    search, matrix = quadratic
    measured = hessian(search, batches=2, batch=16)
    np.testing.assert_allclose(measured.mean, matrix, rtol=1e-12, atol=1e-12)
    values = np.linalg.eigvalsh(matrix)
    np.testing.assert_allclose(measured.eigenvalues(), values, rtol=1e-10)
    assert measured.largest == pytest.approx(values[-1])
    assert measured.spread == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(matrix @ measured.direction, values[-1] * measured.direction, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(leading(search, 3, batch=16), values[::-1][:3], rtol=1e-8)


def test_the_leading_eigenvalue_is_the_largest_with_its_sign(quadratic, monkeypatch):
    """Not the largest in size: a steep valley upside down is no sharp minimum."""
    search, _ = quadratic
    monkeypatch.setattr(Points, "loss", lambda self, point, batch: -5 * point[0] ** 2 + point[1:] @ point[1:] / 2)
    assert leading(search, batch=16).tolist() == pytest.approx([1.0])
    assert hessian(search, batch=16).largest == pytest.approx(1.0)


@pytest.mark.parametrize("coordinates", ["alpha", "mixing"])
def test_leading_eigenvalues_are_those_of_the_whole_matrix(exact, coordinates):
    """Two batches: the eigenvalue of the mean matrix, not the mean of two eigenvalues."""
    whole = hessian(exact, coordinates=coordinates, batch=32)
    found = leading(exact, 2, coordinates=coordinates, batch=32)
    np.testing.assert_allclose(found, whole.eigenvalues()[::-1][:2], rtol=1e-7, atol=1e-10)


def test_leading_disturbs_no_generator_and_repeats(exact):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first = leading(exact, batch=32)
    assert np.array_equal(first, leading(exact, batch=32))
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_decay_adds_itself_to_every_eigenvalue(make_search):
    search = make_search(precision="float64", alpha_decay=0.25)
    without, added = (hessian(search, batch=32, decay=decay) for decay in (False, True))
    np.testing.assert_allclose(added.eigenvalues() - without.eigenvalues(), 0.25, rtol=1e-10)
    assert (without.decay, added.decay) == (0.0, 0.25)
    np.testing.assert_allclose(published(search).mean, hessian(search, batches=1, batch=32, decay=True).mean)


def test_mean_and_spread_are_over_batches(exact):
    measured = hessian(exact, batches=4, batch=16)
    assert measured.matrices.shape == (4, 10, 10)
    largest = [np.linalg.eigvalsh(matrix)[-1] for matrix in measured.matrices]
    assert measured.spread == pytest.approx(np.std(largest, ddof=1))
    assert measured.spread > 0
    assert measured.largest == pytest.approx(np.linalg.eigvalsh(measured.matrices.mean(axis=0))[-1])
    assert hessian(exact, batches=1, batch=16).spread == 0.0


def test_a_shift_of_all_alphas_of_an_edge_is_flat(exact):
    """The softmax does not see it, so each of the five edges has a direction of curvature zero."""
    matrix = hessian(exact, batch=32).mean
    for edge in range(5):
        shift = np.zeros(10)
        shift[2 * edge : 2 * edge + 2] = 1
        np.testing.assert_allclose(matrix @ shift, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"decay": True, "coordinates": "mixing"}, "no term in mixing coordinates"),
        ({"batches": 0}, "at least one batch"),
        ({"batch": 1000}, "alpha's half"),
    ],
)
def test_what_cannot_be_measured_is_refused(exact, arguments, says):
    with pytest.raises(UsageError, match=says):
        hessian(exact, **{"batch": 32} | arguments)


@pytest.mark.parametrize("count", [0, 10])
def test_a_count_out_of_range_is_refused(exact, count):
    with pytest.raises(UsageError, match="1 to 9 leading eigenvalues"):
        leading(exact, count, batch=32)


def test_where_the_relaxation_reads_no_alpha_the_loss_is_flat_in_it(make_search):
    search = make_search("rsps", precision="float64")
    assert hessian(search, batch=16).mean.tolist() == [[0.0] * 10] * 10
    points = Points(search)
    direction = torch.ones(10, dtype=torch.float64)
    assert times(points, points.here(), direction, points.images(16)[0]).tolist() == [0.0] * 10
    assert hessian(search, coordinates="mixing", batch=16).largest > 0


def test_both_coordinates_at_once_are_those_of_each_alone(exact):
    in_alpha, in_mixing = both(exact, batches=2, batch=8)
    for found, coordinates in ((in_alpha, "alpha"), (in_mixing, "mixing")):
        alone = hessian(exact, coordinates=coordinates, batches=2, batch=8)
        scale = np.abs(alone.matrices).max()
        np.testing.assert_allclose(found.matrices, alone.matrices, rtol=0, atol=1e-12 * max(scale, 1))


def test_both_coordinates_where_the_relaxation_reads_no_alpha(make_search):
    in_alpha, in_mixing = both(make_search("rsps"), batches=1, batch=8)
    assert not in_alpha.matrices.any()
    assert in_mixing.matrices.any()
