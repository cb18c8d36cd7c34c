"""NASP's proximal step: the projection by brute force, the identity backwards, and the box of alpha."""

from itertools import combinations, product

import pytest
import torch

from nasbook import spaces
from nasbook.relaxation import Proximal
from nasbook.selection import magnitude

SPACE = spaces.get("s3", nodes=2, reduction="fixed")
BENCHMARK = spaces.get("nas-bench-201")
PARENTS = spaces.get("nas-bench-1shot1-1")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def initial(space=SPACE, seed=0):
    return {
        name: torch.rand(group.shape, dtype=torch.float64, generator=generator(seed)).requires_grad_()
        for name, group in space.groups.items()
    }


def project(alpha, space=SPACE):
    return Proximal(space, magnitude)(alpha, 0.0, generator())


def nearest(point, candidates):
    return min(candidates, key=lambda candidate: float((candidate - point).square().sum()))


def hot(shape, places):
    point = torch.zeros(shape, dtype=torch.float64)
    for place in places:
        point[place] = 1.0
    return point


def darts_points(cell):
    """The one-hot point of every architecture: two edges into each node, on each an operation other than `none`."""
    options = []
    for node in cell.nodes:
        into = [edge for edge, (_, target) in enumerate(cell.edges) if target == node]
        columns = [k for k, name in enumerate(cell.operations[0]) if name != "none"]
        options.append(
            [
                tuple(zip(edges, chosen, strict=True))
                for edges in combinations(into, 2)
                for chosen in product(columns, repeat=2)
            ]
        )
    return [hot(cell.shape, [place for node in nodes for place in node]) for nodes in product(*options)]


@pytest.mark.parametrize("seed", range(10))
def test_it_is_the_nearest_architecture_of_the_darts_family(seed):
    """Trap of NASP: the two strongest edges of a node are chosen inside the projection, the others weigh nothing."""
    points = darts_points(SPACE.normal)
    assert len(points) == SPACE.size()
    alpha = initial(seed=seed)
    weights = project(alpha).weights["normal"].detach()
    assert torch.equal(weights, nearest(alpha["normal"].detach(), points))
    assert (weights.sum(-1) == 0).sum() == 1  # one of the three edges into the last node


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("space", [BENCHMARK, PARENTS], ids=lambda space: space.name)
def test_it_is_the_nearest_architecture_of_the_benchmarks(space, seed):
    """Their rows are independent: of each the nearest point with as many ones as an architecture holds."""
    alpha = initial(space, seed)
    mixing = project(alpha, space)
    for name, group in space.groups.items():
        columns = group.shape[1]
        points = [hot((columns,), places) for places in combinations(range(columns), group.held)]
        for row, found in zip(alpha[name].detach(), mixing.weights[name].detach(), strict=True):
            assert torch.equal(found, nearest(row, points))


def test_none_is_never_chosen_in_the_darts_family():
    alpha = initial()
    with torch.no_grad():
        alpha["normal"][:, SPACE.operations.index("none")] = 1.0
    assert (project(alpha).weights["normal"][:, SPACE.operations.index("none")] == 0).all()


@pytest.mark.parametrize("space", [SPACE, BENCHMARK, PARENTS], ids=lambda space: space.name)
def test_backwards_it_is_the_identity_and_every_entry_gets_a_gradient(space):
    """So all operations run where a gradient is wanted: none is left out of the mixing."""
    alpha = initial(space)
    mixing = project(alpha, space)
    assert mixing.active is None
    outer = {name: torch.randn(group.shape, dtype=torch.float64) for name, group in space.groups.items()}
    loss = sum((mixing.weights[name] * outer[name]).sum() for name in outer)
    for name, gradient in zip(alpha, torch.autograd.grad(loss, list(alpha.values())), strict=True):
        assert torch.equal(gradient, outer[name])


def test_the_gradient_is_taken_at_the_projected_point():
    """Trap of NASP: of a loss |w - t|^2 / 2 it is the one-hot point minus t, not alpha minus t."""
    alpha = initial()
    target = torch.rand(5, 3, dtype=torch.float64)
    weights = project(alpha).weights["normal"]
    (gradient,) = torch.autograd.grad((weights - target).square().sum() / 2, alpha["normal"])
    torch.testing.assert_close(gradient, weights.detach() - target)


def test_the_continuous_alpha_stays_as_it_is():
    """Trap of NASP: the step moves the continuous copy, which the projection must not overwrite."""
    alpha = initial()
    before = alpha["normal"].detach().clone()
    project(alpha)
    assert torch.equal(alpha["normal"].detach(), before)
    assert torch.equal(Proximal(SPACE, magnitude).expected(alpha, 0.0)["normal"].detach(), before)


def test_after_a_step_alpha_is_clipped_to_the_unit_box():
    values = torch.tensor([[-0.2, 0.0, 0.3], [1.0, 1.7, 0.99]], dtype=torch.float64, requires_grad=True)
    Proximal(SPACE, magnitude).project({"normal": values}, {})
    assert values.tolist() == [[0.0, 0.0, 0.3], [1.0, 1.0, 0.99]]
    assert values.is_leaf


def test_nothing_is_drawn():
    before = generator().get_state()
    given = generator()
    Proximal(SPACE, magnitude)(initial(), 0.0, given)
    assert torch.equal(given.get_state(), before)
