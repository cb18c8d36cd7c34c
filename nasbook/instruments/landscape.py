"""The validation loss and accuracy on a plane through the point where a search stands.

One direction is the one that curves most, or the gradient; the other is random and orthogonal to it (Chen & Hsieh 2020,
figure 1; Zela et al. 2020, appendix). Two landscapes compare where radius, images and coordinates are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from scipy.linalg import eigh
from torch import Tensor

from nasbook.instruments.hessian import gradient, mean_derivatives
from nasbook.instruments.points import Batch, Coordinates, Points
from nasbook.runtime.errors import UsageError
from nasbook.search import Search

Direction = Literal["eigenvector", "gradient"]
Grid = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Landscape:
    """A surface over `offsets` x `offsets`; entry [row][column] lies at `offsets[row]` along the second direction.

    All are plain numbers: `dataclasses.asdict(landscape)` can be written as JSON, and `Landscape(**read)` is it again.

    Args:
        offsets: (points,) distances from the search's point, from -radius to radius; the middle one is 0.
        loss: (points, points) nats per image.
        accuracy: (points, points) percent.
        first: (parameters,) of length one, along which the columns go; uphill, where the gradient is not zero.
        second: (parameters,) of length one, orthogonal to it, along which the rows go.
        direction: what `first` is, "eigenvector" or "gradient".
        coordinates: "alpha" or "mixing".
        images: how many the loss is the mean of.
    """

    offsets: tuple[float, ...]
    loss: Grid
    accuracy: Grid
    first: tuple[float, ...]
    second: tuple[float, ...]
    direction: Direction
    coordinates: Coordinates
    images: int

    @property
    def centre(self) -> tuple[float, float]:
        """Loss (nats) and accuracy (percent) where the search stands."""
        middle = len(self.offsets) // 2
        return self.loss[middle][middle], self.accuracy[middle][middle]

    @property
    def radius(self) -> float:
        """The largest offset, in units of the coordinates."""
        return self.offsets[-1]


def landscape(
    search: Search,
    *,
    coordinates: Coordinates = "alpha",
    direction: Direction = "eigenvector",
    radius: float = 1.0,
    points: int = 11,
    images: int = 512,
    seed: int = 0,
    direction_seed: int = 0,
) -> Landscape:
    """Measure a grid around the point where the search stands, shared weights and images fixed.

    Costs `points` squared forward passes over the images, and for the eigenvector the whole Hessian (a backward pass
    for each parameter and 256 images).

    Args:
        search: nothing in it changes.
        coordinates: see `Points`; in "mixing" the grid leaves the simplex, as each weight is a free number there.
        direction: the first one: "eigenvector", of the largest eigenvalue of the Hessian, or "gradient".
        radius: how far the grid goes each way, in units of the coordinates.
        points: along each direction, an odd number, so that the search's own point is one of them.
        images: of alpha's half, the same for everything measured.
        seed: of the draw of the images.
        direction_seed: of the draw of the second direction.

    Raises:
        UsageError: there is no such direction, an even grid, no radius, or more images than there are.
    """
    if direction not in get_args(Direction):
        raise UsageError(f"The first direction is {' or '.join(get_args(Direction))}, not {direction!r}.")
    if points < 3 or points % 2 == 0:
        raise UsageError(f"A landscape has an odd number of at least 3 points along each direction, not {points}.")
    if not 0 < radius < float("inf"):
        raise UsageError(f"The radius of a landscape is a positive number, not {radius!r}.")
    space = Points(search, coordinates)
    here, batches = space.here(), space.images(images, seed=seed)
    first = _first(space, here, batches, direction)
    second = _orthogonal(first, direction_seed)
    half = points // 2
    offsets = tuple(radius * step / half for step in range(-half, half + 1))  # the middle is 0 to the last digit
    surface = [[space.measure(here + x * first + y * second, batches) for x in offsets] for y in offsets]
    return Landscape(
        offsets=offsets,
        loss=tuple(tuple(loss for loss, _ in row) for row in surface),
        accuracy=tuple(tuple(accuracy for _, accuracy in row) for row in surface),
        first=tuple(first.tolist()),
        second=tuple(second.tolist()),
        direction=direction,
        coordinates=coordinates,
        images=sum(len(labels) for _, labels in batches),
    )


def _first(space: Points, here: Tensor, batches: list[Batch], direction: Direction) -> Tensor:
    """(parameters,) of length one, uphill."""
    if direction == "gradient":
        slope = torch.stack([gradient(space, here, batch)[1] for batch in batches]).mean(0)
        if not slope.norm() > 0:
            raise UsageError("The gradient is zero where the search stands: take the eigenvector as first direction.")
        return slope / slope.norm()
    slope, second = mean_derivatives(space, here, batches)
    vector = torch.from_numpy(eigh(second)[1][:, -1].copy())
    return -vector if slope @ vector < 0 else vector


def _orthogonal(first: Tensor, seed: int) -> Tensor:
    """(parameters,) of length one: a random direction without its part along the first."""
    drawn = torch.randn(len(first), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    for _ in range(2):  # twice: what rounding left of the first direction goes too
        drawn = drawn - (drawn @ first) * first
    return drawn / drawn.norm()
