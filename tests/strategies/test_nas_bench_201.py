"""Strategies on the space of NAS-Bench-201: the same code, with `none` a choice like any other."""

import torch

from nasbook import spaces, strategies
from nasbook.strategies import Policy

SPACE = spaces.get("nas-bench-201")


def convolutions(architecture):
    return 100.0 * architecture.count("nor_conv_3x3") / 6


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_evolution_finds_six_convolutions_where_random_search_finds_four():
    """Six convolutions are drawn once in 15,625: a climb of one mutation at a time finds them in a few hundred."""
    climbed = strategies.run(strategies.evolution(SPACE, generator=seeded()), convolutions, 300)
    assert climbed.best.genotype.operations == ("nor_conv_3x3",) * 6
    drawn = strategies.run(strategies.random_search(SPACE, generator=seeded()), convolutions, 300)
    assert drawn.best.score < 100
    assert drawn.distinct > 290


def test_enumeration_lists_the_space_in_its_own_order():
    assert list(strategies.architectures(SPACE)) == list(SPACE.architectures())


def test_the_policy_is_one_categorical_an_edge_and_learns():
    policy = Policy(SPACE, generator=seeded())
    with torch.no_grad():
        for logits in policy.parameters():
            logits.zero_()
    drawn = policy.sample(seeded(1))
    assert torch.isclose(policy.log_probability(drawn).exp(), torch.tensor(1 / 15_625, dtype=torch.float64))
    learned = strategies.run(strategies.reinforce(SPACE, generator=seeded(), lr=0.1), convolutions, 300)
    late = [each.score for each in learned.evaluations[-50:]]
    early = [each.score for each in learned.evaluations[:50]]
    assert sum(late) / 50 > sum(early) / 50 + 30
