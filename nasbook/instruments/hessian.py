"""The curvature of the validation loss in the architecture parameters: the whole Hessian, or its leading eigenvalues.

The lecture's reading is that a sharp minimum loses much when alpha jumps to a discrete architecture, and that the
largest eigenvalue says how sharp it is (Zela et al. 2020, section 4; Chen & Hsieh 2020, section 3). The published
protocol takes one batch and adds Adam's weight decay to the diagonal; one batch is noisy, so here the mean of several
is the default, with its spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from nasbook.instruments.points import LARGEST_BATCH, Batch, Coordinates, Points
from nasbook.runtime.errors import UsageError
from nasbook.search import Search

BATCHES = 2


@dataclass(frozen=True)
class Hessian:
    """The second derivatives of the validation loss at one point, batch by batch.

    Args:
        matrices: (batches, parameters, parameters), float64, nats per squared unit of the coordinates.
        coordinates: "alpha" or "mixing".
        decay: what was added to the diagonal: Adam's weight decay, or 0.
    """

    matrices: NDArray[np.float64]
    coordinates: Coordinates
    decay: float

    @property
    def mean(self) -> NDArray[np.float64]:
        """(parameters, parameters): the mean over the batches."""
        return self.matrices.mean(axis=0)

    def eigenvalues(self) -> NDArray[np.float64]:
        """(parameters,), ascending, of the mean. Negative ones are usual: a search does not end in a minimum."""
        return eigh(self.mean, eigvals_only=True)

    @property
    def largest(self) -> float:
        """The dominant eigenvalue in the sense of the literature: the largest with its sign, of the mean Hessian."""
        return float(self.eigenvalues()[-1])

    @property
    def direction(self) -> NDArray[np.float64]:
        """(parameters,) of length one: along which the mean curves most."""
        return eigh(self.mean)[1][:, -1]

    @property
    def spread(self) -> float:
        """Standard deviation of the batches' own largest eigenvalues; 0 for one batch."""
        largest = [float(eigh(matrix, eigvals_only=True)[-1]) for matrix in self.matrices]
        return float(np.std(largest, ddof=1)) if len(largest) > 1 else 0.0


def hessian(
    search: Search,
    *,
    coordinates: Coordinates = "alpha",
    batches: int = BATCHES,
    batch: int = LARGEST_BATCH,
    decay: bool = False,
    seed: int = 0,
) -> Hessian:
    """The whole Hessian where the search stands: one backward pass for each parameter and batch.

    Args:
        search: nothing in it changes.
        coordinates: see `Points`.
        batches: how many disjoint batches of alpha's half.
        batch: images in each.
        decay: add the weight decay of alpha's optimiser to the diagonal (the decay acts on alpha: not for "mixing").
        seed: of the draw of the images.

    Raises:
        UsageError: the half holds fewer images, or decay is asked for in other coordinates than alpha.
    """
    if decay and coordinates != "alpha":
        raise UsageError("Weight decay acts on alpha: it has no term in mixing coordinates.")
    points = Points(search, coordinates)
    added = search.numbers.alpha_decay if decay else 0.0
    here = points.here()
    matrices = [derivatives(points, here, each)[1] for each in points.batches(batches, batch, seed=seed)]
    return Hessian(np.stack(matrices) + added * np.eye(len(here)), coordinates, added)


def both(
    search: Search, *, batches: int = BATCHES, batch: int = LARGEST_BATCH, seed: int = 0
) -> tuple[Hessian, Hessian]:
    """The Hessian in alpha and the one in mixing coordinates, at the cost of one.

    The network is differentiated in the operation weights p alone; with J the derivative of the relaxation p(alpha) and
    g the loss's gradient in p, the other follows from the chain rule: J' H J + sum_k g_k (second derivative of p_k).

    Args:
        search, batches, batch, seed: as for `hessian`.

    Raises:
        UsageError: the half holds fewer images.
    """
    in_alpha, in_mixing = Points(search, "alpha"), Points(search, "mixing")
    alpha, weights = in_alpha.here(), in_mixing.here()

    def relaxation(point: Tensor) -> Tensor:
        groups = in_alpha.mixing(point).weights
        return torch.cat([groups[name].double().reshape(-1) for name in in_alpha.shapes])

    jacobian = torch.autograd.functional.jacobian(relaxation, alpha).numpy()
    of_mixing, of_alpha = [], []
    for each in in_mixing.batches(batches, batch, seed=seed):
        slope, matrix = derivatives(in_mixing, weights, each)
        bend = torch.autograd.functional.hessian(lambda point, slope=slope: relaxation(point) @ slope, alpha).numpy()
        of_mixing.append(matrix)
        of_alpha.append(jacobian.T @ matrix @ jacobian + (bend + bend.T) / 2)
    return Hessian(np.stack(of_alpha), "alpha", 0.0), Hessian(np.stack(of_mixing), "mixing", 0.0)


def published(search: Search) -> Hessian:
    """The protocol of the released code of RobustDARTS: one batch of the search's own size, decay on the diagonal."""
    return hessian(search, batches=1, batch=search.numbers.batch, decay=True)


def leading(
    search: Search,
    count: int = 1,
    *,
    coordinates: Coordinates = "alpha",
    batches: int = BATCHES,
    batch: int = LARGEST_BATCH,
    seed: int = 0,
) -> NDArray[np.float64]:
    """The largest eigenvalues of the mean Hessian, by Lanczos iteration on Hessian-vector products.

    For spaces of many parameters: each product costs about two backward passes, however many parameters there are.

    Args:
        search, coordinates, batches, batch, seed: as for `hessian`.
        count: how many eigenvalues, fewer than there are parameters.

    Returns:
        (count,), descending, each the largest with its sign.

    Raises:
        UsageError: as for `hessian`, or the count is out of range.
    """
    points = Points(search, coordinates)
    here, drawn = points.here(), points.batches(batches, batch, seed=seed)
    if not 1 <= count < len(here):
        raise UsageError(f"1 to {len(here) - 1} leading eigenvalues can be asked for, not {count}.")

    def product(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        direction = torch.from_numpy(vector.reshape(-1).astype(np.float64))
        return np.mean([times(points, here, direction, each) for each in drawn], axis=0)

    operator = LinearOperator((len(here), len(here)), matvec=product, dtype=np.float64)
    start = np.random.default_rng(seed).standard_normal(len(here))  # else ARPACK draws from numpy's global state
    return np.sort(eigsh(operator, k=count, which="LA", v0=start, return_eigenvectors=False))[::-1]


def gradient(points: Points, point: Tensor, batch: Batch, *, graph: bool = False) -> tuple[Tensor, Tensor]:
    """The point as a leaf, and the loss's gradient at it; with `graph` it can be differentiated again."""
    leaf = point.detach().clone().requires_grad_()
    return leaf, _derivative(points.loss(leaf, batch), leaf, create_graph=graph)


def derivatives(points: Points, point: Tensor, batch: Batch) -> tuple[Tensor, NDArray[np.float64]]:
    """(parameters,) and (parameters, parameters): one batch's gradient and its Hessian, symmetric to the last digit.

    ReLU is differentiated twice as it is: where it is smooth, with no share for its kinks.
    """
    leaf, first = gradient(points, point, batch, graph=True)
    matrix = torch.stack([_derivative(entry, leaf, retain_graph=True) for entry in first]).numpy()
    return first.detach(), (matrix + matrix.T) / 2


def mean_derivatives(points: Points, point: Tensor, batches: Sequence[Batch]) -> tuple[Tensor, NDArray[np.float64]]:
    """(parameters,) and (parameters, parameters): the means of the batches' gradients and Hessians."""
    found = [derivatives(points, point, batch) for batch in batches]
    slopes, matrices = zip(*found, strict=True)
    return torch.stack(slopes).mean(0), np.mean(matrices, axis=0)


def times(points: Points, point: Tensor, direction: Tensor, batch: Batch) -> NDArray[np.float64]:
    """(parameters,): the Hessian of one batch's loss times a direction, without making the Hessian."""
    leaf, first = gradient(points, point, batch, graph=True)
    return _derivative(first @ direction, leaf).numpy()


def _derivative(value: Tensor, leaf: Tensor, *, create_graph: bool = False, retain_graph: bool = False) -> Tensor:
    """Of a value by the leaf; zeros where it does not depend on it (a relaxation may read no alpha)."""
    if not value.requires_grad:
        return torch.zeros_like(leaf)
    return torch.autograd.grad(value, leaf, create_graph=create_graph, retain_graph=retain_graph or create_graph)[0]
