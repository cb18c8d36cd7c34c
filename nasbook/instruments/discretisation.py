"""What a search loses when its operation weights jump to a discrete architecture, and what curvature says about it.

Around a minimum of the validation loss L in the operation weights, with d from there to the one-hot weights of an
architecture, L(one-hot) - L = d'Hd / 2 up to third order, which is at most lambda_max |d|^2 / 2 (Zela et al. 2020,
section 4; Chen & Hsieh 2020, section 3). The argument drops the gradient term g'd, since a minimum has none; a search
need not have come to a minimum, so here the term is measured too. In alpha the one-hot point lies at infinity: all of
this is in mixing coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from torch import Tensor

from nasbook.instruments.hessian import mean_derivatives
from nasbook.instruments.points import Points
from nasbook.runtime.errors import UsageError
from nasbook.search import Search
from nasbook.spaces import Architecture
from nasbook.supernet import Mixing, edges_of, one_hot


@dataclass(frozen=True)
class Line:
    """The validation loss on the straight line from a search's operation weights to a discrete architecture's.

    All are plain numbers: `dataclasses.asdict(line)` can be written as JSON, and `Line(**read)` is the line again.

    Args:
        t: (points,) from 0, where the search stands, to 1, the architecture.
        loss: (points,) nats per image.
        accuracy: (points,) percent.
        slope: g'd, the derivative of the loss by t at 0, nats.
        curvature: d'Hd, the second derivative of the loss by t at 0, nats.
        eigenvalue: the largest of H, nats per squared unit of weight.
        length: |d|.
        images: how many the loss is the mean of.
    """

    t: tuple[float, ...]
    loss: tuple[float, ...]
    accuracy: tuple[float, ...]
    slope: float
    curvature: float
    eigenvalue: float
    length: float
    images: int

    @property
    def gap(self) -> float:
        """The true discretisation gap: loss at the architecture minus loss where the search stands, nats."""
        return self.loss[-1] - self.loss[0]

    @property
    def accuracy_gap(self) -> float:
        """Accuracy where the search stands minus accuracy at the architecture, percentage points."""
        return self.accuracy[0] - self.accuracy[-1]

    @property
    def bound(self) -> float:
        """lambda_max |d|^2 / 2, nats: above the second-order term, and above the gap itself only where that is all."""
        return self.eigenvalue * self.length**2 / 2

    def estimated_gap(self, *, gradient: bool = False) -> float:
        """The gap by Taylor's formula, nats: d'Hd / 2 as in the papers, and g'd more with `gradient`."""
        return self.curvature / 2 + (self.slope if gradient else 0.0)

    def taylor(self, *, gradient: bool = False) -> NDArray[np.float64]:
        """(points,): the loss by Taylor's formula around t = 0, with or without the gradient term."""
        t = np.asarray(self.t)
        return self.loss[0] + (self.slope * t if gradient else 0.0) + self.curvature * t**2 / 2


def line(
    search: Search,
    architecture: Architecture | Mixing | None = None,
    *,
    points: int = 21,
    images: int = 512,
    seed: int = 0,
) -> Line:
    """Walk from where the search stands to an architecture, shared weights and images fixed.

    Costs the whole Hessian (a backward pass for each operation weight and 256 images) and `points` forward passes.

    Args:
        search: nothing in it changes.
        architecture: the end of the line, of the search's space, or operation weights of its groups, of which all run;
            the architecture that the search would derive now without.
        points: on the line, both ends included.
        images: of alpha's half, the same for everything measured.
        seed: of the draw of the images.

    Raises:
        UsageError: fewer than two points, more images than there are, or an architecture of another space.
    """
    if points < 2:
        raise UsageError(f"A line has at least its two ends, not {points} points.")
    space = Points(search, "mixing")
    start, end = space.here(), _point(space, search.genotype() if architecture is None else architecture)
    batches = space.images(images, seed=seed)
    direction, t = end - start, [place / (points - 1) for place in range(points)]
    measured = [space.measure((1 - each) * start + each * end, batches) for each in t]  # exactly `end` at 1
    first, second = mean_derivatives(space, start, batches)
    across = direction.numpy()
    return Line(
        t=tuple(t),
        loss=tuple(loss for loss, _ in measured),
        accuracy=tuple(accuracy for _, accuracy in measured),
        slope=(first @ direction).item(),
        curvature=float(across @ second @ across),
        eigenvalue=float(eigh(second, eigvals_only=True)[-1]),
        length=direction.norm().item(),
        images=sum(len(labels) for _, labels in batches),
    )


def gap(search: Search) -> float:
    """Accuracy lost by discretisation with the shared weights as they are, percentage points, on all of alpha's half.

    Both accuracies are by batch statistics, as running ones fit the supernet only. Costs two forward passes over the
    half. Where no running statistics are kept it is `valid_accuracy` minus `derived_accuracy` of an epoch's record.
    """
    with torch.no_grad():
        mixed = Mixing(search.relaxation.expected(search.alpha, search.progress))
    ends = (mixed, one_hot(search.space, search.genotype()))
    supernet, derived = (search.validate(mixing, batch_statistics=True)[1] for mixing in ends)
    return supernet - derived


def _point(space: Points, end: Architecture | Mixing) -> Tensor:
    """(parameters,): the weights of an architecture or of a mixing as a point."""
    weights = dict((end if isinstance(end, Mixing) else one_hot(space.search.space, end)).weights)
    for name in space.search.space.groups:
        if edges_of(name) in space.shapes:  # an edge that an architecture keeps counts as a whole
            weights.setdefault(edges_of(name), weights[name].sum(dim=1)[None])
    if {name: value.shape for name, value in weights.items()} != space.shapes:
        there = ", ".join(f"{name} {tuple(shape)}" for name, shape in space.shapes.items())
        raise UsageError(f"A line in space {space.search.space.name} ends at operation weights of the shape {there}.")
    return space.flat(weights)
