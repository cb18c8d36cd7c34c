"""The line to a discrete architecture: its ends are the search's own; Taylor's formula is exact on a quadratic."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from nasbook import sizes, spaces
from nasbook.instruments import Line, Points, gap, hessian, line
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.selection import magnitude
from nasbook.supernet import Mixing, one_hot, uniform


@pytest.fixture
def quadratic(exact, monkeypatch):
    """A search whose loss is 0.7 + b'p + p'Ap / 2 in the operation weights, whatever the images."""
    drawn = torch.randn(10, 10, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    matrix, linear = drawn + drawn.T, drawn[0].clone()

    def loss(self, point, batch):
        return 0.7 + linear @ point + point @ matrix @ point / 2

    monkeypatch.setattr(Points, "loss", loss)
    monkeypatch.setattr(Points, "measure", lambda self, point, batches: (loss(self, point, None).item(), 10.0))
    return exact, matrix.numpy(), linear.numpy()


def test_taylor_is_exact_on_a_quadratic(quadratic):
    search, matrix, linear = quadratic
    found = line(search, points=7, images=32)
    np.testing.assert_allclose(found.taylor(gradient=True), found.loss, rtol=1e-12)
    assert found.estimated_gap(gradient=True) == pytest.approx(found.gap, rel=1e-10)
    start, end = (Points(search, "mixing").flat(mixing.weights).numpy() for mixing in ends(search))
    d = end - start
    assert found.length == pytest.approx(np.linalg.norm(d))
    assert found.curvature == pytest.approx(d @ matrix @ d)
    assert found.slope == pytest.approx((linear + matrix @ start) @ d)
    assert found.eigenvalue == pytest.approx(np.linalg.eigvalsh(matrix)[-1])
    assert found.bound == pytest.approx(np.linalg.eigvalsh(matrix)[-1] * (d @ d) / 2)
    assert found.estimated_gap() == pytest.approx(d @ matrix @ d / 2)
    assert found.estimated_gap() <= found.bound
    np.testing.assert_allclose(found.taylor(), found.loss[0] + np.square(found.t) * (d @ matrix @ d) / 2)


def ends(search):
    with torch.no_grad():
        mixed = Mixing(search.relaxation.expected(search.alpha, search.progress))
    return mixed, one_hot(search.space, search.genotype())


def test_the_ends_are_the_searchs_own_numbers(exact):
    """On all images of alpha's half in one batch `validate` sees the same statistics, if in another order."""
    found = line(exact, points=5, images=64)
    start, end = (exact.validate(mixing, batch_statistics=True) for mixing in ends(exact))
    assert (found.loss[0], found.accuracy[0]) == pytest.approx(start, rel=1e-10)
    assert (found.loss[-1], found.accuracy[-1]) == pytest.approx(end, rel=1e-10)
    assert found.t == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert found.images == 64
    assert found.accuracy_gap == pytest.approx(gap(exact))
    assert found.gap == pytest.approx(end[0] - start[0])


def test_everything_is_of_the_same_images(exact):
    """The constant, slope and curvature of Taylor's formula belong to the curve that is drawn with them."""
    found = line(exact, images=48, seed=5)
    points = Points(exact, "mixing")
    drawn = points.images(48, seed=5)
    assert found.loss[0] == points.loss(points.here(), drawn[0]).item()
    assert found.taylor()[0] == found.taylor(gradient=True)[0] == found.loss[0]
    steps = 1e-6 * (points.flat(ends(exact)[1].weights) - points.here())
    moved = [points.measure(points.here() + sign * steps, drawn)[0] for sign in (1, -1)]
    assert found.slope == pytest.approx((moved[0] - moved[1]) / 2e-6, rel=1e-5)
    assert found.eigenvalue == pytest.approx(
        hessian(exact, coordinates="mixing", batches=1, batch=48, seed=5).largest, rel=1e-10
    )
    assert found.curvature <= found.eigenvalue * found.length**2


def test_it_may_end_at_any_architecture_of_the_space_or_at_any_weights(exact):
    other = exact.space.sample(torch.Generator().manual_seed(4))
    assert line(exact, other, points=2, images=32) == line(exact, one_hot(exact.space, other), points=2, images=32)
    found = line(exact, uniform(exact.space), points=2, images=32)
    points = Points(exact, "mixing")
    at_uniform = points.measure(torch.full((10,), 0.5, dtype=torch.float64), points.images(32))
    assert (found.loss[1], found.accuracy[1]) == at_uniform
    with pytest.raises(UsageError, match=r"of the shape normal \(5, 2\)"):
        line(exact, uniform(spaces.get("s3", nodes=2, reduction="fixed")), images=32)
    with pytest.raises(UsageError, match="not in space s2"):
        line(exact, spaces.published("DARTS_V2").genotype, images=32)


def test_a_line_can_be_written_and_read(exact):
    found = line(exact, points=3, images=32)
    read = Line(**json.loads(json.dumps(dataclasses.asdict(found))))
    assert read.gap == found.gap
    np.testing.assert_array_equal(read.taylor(gradient=True), found.taylor(gradient=True))


def test_a_line_needs_two_ends_and_images(exact):
    with pytest.raises(UsageError, match="two ends"):
        line(exact, points=1)
    with pytest.raises(UsageError, match="64 images of alpha's half"):
        line(exact)


def test_the_gap_is_in_percentage_points_of_the_whole_half(exact):
    images = exact.dataset.normalisation(exact.alpha_half.pixels, dtype=torch.float64)
    right = [
        (exact.logits(images, mixing).argmax(1) == exact.alpha_half.labels).double().mean() for mixing in ends(exact)
    ]
    assert gap(exact) == pytest.approx(100 * (right[0] - right[1]).item())


def test_by_batch_statistics_where_running_ones_are_kept(make_search):
    search = make_search(running=True, precision="float64", images=64)
    search.run_epoch(lambda step, steps: None)
    found = line(search, points=2, images=32)
    images = search.dataset.normalisation(search.alpha_half.pixels, dtype=torch.float64)
    search.supernet.train()
    expected = [
        F.cross_entropy(search.supernet(images, mixing), search.alpha_half.labels).item() for mixing in ends(search)
    ]
    assert found.loss == pytest.approx(expected)


@pytest.mark.parametrize("name", ["nas-bench-201", "nas-bench-1shot1-1"])
def test_every_family_of_spaces_has_a_line_and_an_eigenvalue(dataset, name):
    """In NAS-Bench-1Shot1 a point holds the weights of operations, of inputs and of outputs."""
    changes = {"images": 32, "channels": 2, "precision": "float64", "batch": 16}
    search = Search(
        spaces.get(name),
        dataset,
        recipe=recipes.get("darts"),
        numbers=sizes.override(sizes.get("class").of(spaces.family(name)).search, changes),
        derive=magnitude,
    )
    found = line(search, points=2, images=16)
    start, end = (search.validate(mixing, batch_statistics=True) for mixing in ends(search))
    assert found.loss == pytest.approx((start[0], end[0]))
    whole = hessian(search, coordinates="mixing", batches=1, batch=16)
    assert len(whole.eigenvalues()) == sum(
        rows * columns for rows, columns in (g.shape for g in search.space.groups.values())
    )
    assert found.eigenvalue == pytest.approx(whole.largest)
