"""The plane around a search: its middle is the search's own loss, its directions are what they are called."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from nasbook.instruments import Landscape, Points, hessian, landscape
from nasbook.instruments.hessian import gradient
from nasbook.runtime.errors import UsageError


@pytest.mark.parametrize("coordinates", ["alpha", "mixing"])
def test_the_middle_is_where_the_search_stands(exact, coordinates):
    found = landscape(exact, coordinates=coordinates, points=3, images=64)
    points = Points(exact, coordinates)
    assert found.centre == points.measure(points.here(), points.images(64))
    assert found.centre == pytest.approx(exact.validate(batch_statistics=True))
    assert found.centre == (found.loss[1][1], found.accuracy[1][1])
    assert found.images == 64


def test_rows_go_along_the_second_and_columns_along_the_first_direction(exact):
    found = landscape(exact, points=5, images=32, radius=0.5)
    assert found.offsets == (-0.5, -0.25, 0.0, 0.25, 0.5)
    assert found.radius == 0.5
    points = Points(exact)
    first, second = (torch.tensor(each, dtype=torch.float64) for each in (found.first, found.second))
    place = points.here() + 0.5 * first - 0.25 * second
    assert (found.loss[1][4], found.accuracy[1][4]) == pytest.approx(points.measure(place, points.images(32)))


def test_directions_are_orthogonal_and_of_length_one(exact):
    for kind in ("eigenvector", "gradient"):
        found = landscape(exact, direction=kind, points=3, images=32)
        first, second = np.array(found.first), np.array(found.second)
        assert np.linalg.norm(first) == pytest.approx(1)
        assert np.linalg.norm(second) == pytest.approx(1)
        assert first @ second == pytest.approx(0, abs=1e-15)


def test_the_first_direction_is_what_it_is_called(exact):
    points = Points(exact)
    slope = gradient(points, points.here(), points.images(32)[0])[1].numpy()
    uphill = np.array(landscape(exact, direction="gradient", points=3, images=32).first)
    np.testing.assert_allclose(uphill, slope / np.linalg.norm(slope))
    found = np.array(landscape(exact, points=3, images=32).first)
    measured = hessian(exact, batches=1, batch=32)
    assert abs(found @ measured.direction) == pytest.approx(1)
    assert found @ slope >= 0


def test_a_quadratic_is_a_bowl_with_its_own_curvature(exact, monkeypatch):
    scale = torch.arange(10, dtype=torch.float64)
    monkeypatch.setattr(Points, "loss", lambda self, point, batch: (scale * (point - self.here()) ** 2).sum() / 2)
    monkeypatch.setattr(Points, "measure", lambda self, point, batches: (self.loss(point, None).item(), 0.0))
    found = landscape(exact, points=3, radius=2.0, images=32)
    assert [abs(value) for value in found.first] == pytest.approx([0] * 9 + [1])
    assert found.loss[1] == pytest.approx((9 * 4 / 2, 0, 9 * 4 / 2))
    with pytest.raises(UsageError, match="gradient is zero"):
        landscape(exact, direction="gradient", points=3, images=32)


def test_seeds_say_which_images_and_which_direction(exact):
    base, images, direction = (
        landscape(exact, points=3, images=32, **changes) for changes in ({}, {"seed": 1}, {"direction_seed": 1})
    )
    assert base == landscape(exact, points=3, images=32)
    assert images.centre != base.centre
    assert direction.centre == base.centre
    assert direction.first == base.first
    assert direction.second != base.second


def test_a_landscape_can_be_written_and_read(exact):
    found = landscape(exact, points=3, images=32)
    assert Landscape(**json.loads(json.dumps(dataclasses.asdict(found)))).centre == found.centre


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"points": 4}, "odd number"),
        ({"points": 1}, "at least 3"),
        ({"radius": 0}, "positive number"),
        ({"radius": float("nan")}, "positive number"),
        ({"direction": "down"}, "eigenvector or gradient, not 'down'"),
        ({"coordinates": "theta"}, "alpha or mixing"),
        ({"images": 65}, "alpha's half"),
    ],
)
def test_what_cannot_be_drawn_is_refused(exact, arguments, says):
    with pytest.raises(UsageError, match=says):
        landscape(exact, **{"images": 32, "points": 3} | arguments)
