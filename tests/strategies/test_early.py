"""The wiring of 1989: problems, networks, back-propagation, crossover, and that evolution helps."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from nasbook.runtime.errors import UsageError
from nasbook.strategies import early
from nasbook.strategies.early import Generation


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_problems_are_what_they_say() -> None:
    quadrants = early.four_quadrants(4)
    assert quadrants.points.shape == (16, 2)
    for (x, y), label in zip(quadrants.points.tolist(), quadrants.labels.tolist()):
        assert label == float((x > 0) == (y > 0))
        assert 0 < abs(x) < 1
    corners = early.exclusive_or()
    assert {tuple(point): label for point, label in zip(corners.points.tolist(), corners.labels.tolist())} == {
        (-1, -1): 0,
        (-1, 1): 1,
        (1, -1): 1,
        (1, 1): 0,
    }


def test_wires_go_forward_and_never_into_an_input() -> None:
    wires = early.allowed(3)
    assert wires.shape == (6, 6)
    assert int(wires.sum()) == 2 + 3 + 4 + 5
    for unit, source in wires.nonzero().tolist():
        assert source < unit
        assert unit >= 2


def test_a_network_is_computed_as_by_hand() -> None:
    """One hidden unit h = tanh(0.5 x - y + 0.1); output = logistic(2 h - x + 0.3); the wire from y is not there."""
    wiring = torch.zeros(1, 4, 4, dtype=torch.bool)
    wiring[0, 2, [0, 1]] = wiring[0, 3, [0, 2]] = True
    weights = torch.zeros(1, 4, 5, dtype=torch.float64)
    weights[0, 2] = torch.tensor([0.5, -1.0, 9.0, 9.0, 0.1], dtype=torch.float64)
    weights[0, 3] = torch.tensor([-1.0, 9.0, 2.0, 9.0, 0.3], dtype=torch.float64)
    x, y = 0.7, -0.4
    hidden = math.tanh(0.5 * x - y + 0.1)
    expected = 1 / (1 + math.exp(-(2 * hidden - x + 0.3)))
    found = early.outputs(wiring, weights, torch.tensor([[x, y]], dtype=torch.float64))
    assert found.shape == (1, 1)
    assert found.item() == pytest.approx(expected, abs=1e-15)


def test_networks_of_a_population_do_not_disturb_each_other() -> None:
    """The loss of one alone is its loss beside others: the gradient of the sum is each one's own."""
    problem, wires = early.exclusive_or(), early.allowed(2)
    wirings = torch.stack([wires, wires & False, wires])
    _, together = early.train(wirings, problem, steps=30, generator=seeded())
    # The weights are drawn member by member, so that the first one starts alike alone.
    _, alone = early.train(wirings[:1], problem, steps=30, generator=seeded())
    assert together[0].item() == pytest.approx(alone[0].item(), abs=1e-12)


def test_without_wires_nothing_can_be_learned_and_with_all_of_them_most_starts_succeed() -> None:
    problem, wires = early.four_quadrants(), early.allowed(4)
    errors, losses = early.train((wires & False).expand(5, -1, -1), problem, steps=80, generator=seeded())
    assert errors.tolist() == [50.0] * 5
    torch.testing.assert_close(losses, torch.full((5,), 0.25, dtype=torch.float64), atol=1e-3, rtol=0)
    errors, _ = early.train(wires.expand(40, -1, -1), problem, steps=80, generator=seeded())
    assert (errors == 0).double().mean() > 0.5


def test_a_child_takes_whole_rows_from_its_parents() -> None:
    first, second = torch.zeros(5, 5, dtype=torch.bool), torch.ones(5, 5, dtype=torch.bool)
    parents = Generation(torch.stack([first, second] * 10), torch.zeros(20), torch.ones(20))
    children = early.offspring(parents, mutation=0.0, generator=seeded())
    assert children.shape == (20, 5, 5)
    assert torch.equal(children.all(dim=2), children.any(dim=2))  # no row is mixed
    assert children.any(dim=(1, 2)).logical_and(~children.all(dim=(1, 2))).any()  # some child mixes its parents' rows


def test_the_better_of_two_becomes_a_parent() -> None:
    """Of n members the best one loses no tournament: a parent is it with probability 1 - (1 - 1/n)^2."""
    members = torch.zeros(4, 3, 3, dtype=torch.bool)
    members[0] = True
    parents = Generation(members, torch.zeros(4), torch.tensor([0.1, 0.5, 0.5, 0.5]))
    rows = torch.cat([early.offspring(parents, mutation=0.0, generator=seeded(seed)) for seed in range(300)])
    assert rows.double().mean().item() == pytest.approx(1 - 0.75**2, abs=0.03)


def test_mutation_flips_bits_at_its_rate() -> None:
    parents = Generation(torch.zeros(50, 6, 6, dtype=torch.bool), torch.zeros(50), torch.zeros(50))
    flipped = early.offspring(parents, mutation=0.2, generator=seeded()).double().mean().item()
    assert flipped == pytest.approx(0.2, abs=0.03)


def test_evolution_finds_wirings_that_learn_more_reliably() -> None:
    for seed in range(3):
        history = early.evolve(early.four_quadrants(), generator=seeded(seed))
        assert len(history) == 15
        assert history[-1].losses.median() < history[0].losses.median() / 2
        assert (history[-1].wirings & ~early.allowed(4)).sum() == 0
        for before, after in itertools.pairwise(history):
            assert torch.equal(after.wirings[0], before.wirings[before.best])  # the best wiring lives on


def test_equal_seeds_give_equal_histories() -> None:
    def losses() -> list[float]:
        return [
            loss
            for generation in early.evolve(early.exclusive_or(), generator=seeded(3), population=6, generations=3)
            for loss in generation.losses.tolist()
        ]

    assert losses() == losses()


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match="population must be at least 2"):
        early.evolve(early.exclusive_or(), generator=seeded(), population=1)
    with pytest.raises(UsageError, match="At least 1 hidden unit"):
        early.allowed(0)
    with pytest.raises(UsageError, match="side must be even"):
        early.four_quadrants(3)
