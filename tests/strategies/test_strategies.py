"""Random search, evolution, REINFORCE: what they propose, what they remove, what they learn."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from nasbook import spaces, strategies
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype, SearchSpace
from nasbook.strategies import Policy, aging

SPACES = [
    spaces.get("s1", nodes=2, reduction="fixed"),
    spaces.get("s2"),
    spaces.get("darts7", nodes=3),
    spaces.get("toy"),
    spaces.get("nas-bench-201"),
]
S2 = spaces.get("s2", nodes=2, reduction="fixed")
STRATEGIES = [strategies.random_search, strategies.evolution, strategies.reinforce]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def convolutions(genotype: Genotype) -> float:
    return 100.0 * genotype.count("sep_conv_3x3") / len(genotype.normal)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.__name__)
def test_proposals_are_in_the_space_and_follow_from_the_seed(strategy, space: SearchSpace) -> None:
    def proposals(seed: int) -> list[Genotype]:
        history = strategies.run(strategy(space, generator=seeded(seed)), lambda g: len(str(g)) % 7, 25)
        return [evaluation.genotype for evaluation in history.evaluations]

    for genotype in proposals(0):
        space.check(genotype)
    assert proposals(0) == proposals(0)
    assert proposals(0) != proposals(1)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.__name__)
def test_a_strategy_leaves_the_global_generator_alone(strategy) -> None:
    before = torch.get_rng_state()
    strategies.run(strategy(S2, generator=seeded()), convolutions, 15)
    assert torch.equal(torch.get_rng_state(), before)


def test_random_search_draws_uniformly() -> None:
    history = strategies.run(strategies.random_search(S2, generator=seeded()), lambda _: 1.0, 4800)
    counts = Counter(evaluation.genotype for evaluation in history.evaluations)
    assert len(counts) == 48
    # chi-squared with 47 degrees of freedom: 87 is passed once in 3,000 fair draws
    assert sum((count - 100) ** 2 / 100 for count in counts.values()) < 87


def test_a_mutation_is_a_uniformly_drawn_neighbour() -> None:
    parent = next(strategies.architectures(S2))
    neighbours = S2.neighbours(parent)
    counts = Counter(strategies.mutate(S2, parent, generator=seeded(seed)) for seed in range(600))
    assert set(counts) == set(neighbours)
    assert max(counts.values()) < 2 * min(counts.values())


def test_evolution_removes_the_oldest_not_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a tournament as large as any, the parent is the best alive: who dies shows in who is a parent."""
    parents: list[Genotype] = []
    genuine = aging.mutate

    def watched(space: SearchSpace, parent: Genotype, *, generator: torch.Generator) -> Genotype:
        parents.append(parent)
        return genuine(space, parent, generator=generator)

    monkeypatch.setattr(aging, "mutate", watched)

    def run(remove: str) -> list[Genotype]:
        parents.clear()
        scores = iter(range(100, 0, -1))
        strategy = strategies.evolution(S2, generator=seeded(), population=4, tournament=200, remove=remove)
        history = strategies.run(strategy, lambda _: float(next(scores)), 20)
        return [evaluation.genotype for evaluation in history.evaluations]

    # Scores only fall, so the best alive is the oldest alive: with aging the parents are the members in order of birth.
    assert run("oldest")[:16] == parents
    # Where the worst dies the first one, which has the highest score, lives and breeds for ever.
    first, *_ = run("worst")
    assert parents == [first] * 16


def test_evolution_climbs_where_random_search_wanders() -> None:
    """A landscape that neighbours share: the number of convolutions among the 8 + 8 edges of S2's two cells."""
    space = spaces.get("s2")

    def score(genotype: Genotype) -> float:
        return 100.0 * genotype.count("sep_conv_3x3") / 16

    def best(strategy) -> float:
        runs = [strategies.run(strategy(space, generator=seeded(seed)), score, 120) for seed in range(5)]
        return sum(run.best.score for run in runs) / len(runs)

    assert best(strategies.evolution) > best(strategies.random_search) + 10


def test_evolution_refuses_what_it_cannot_do() -> None:
    single = spaces.SearchSpace("one", spaces.Cell(((0, 2), (1, 2)), (("skip_connect",),) * 2), None)
    with pytest.raises(UsageError, match="nothing to mutate to"):
        strategies.run(strategies.evolution(single, generator=seeded(), population=1), lambda _: 1.0, 2)
    with pytest.raises(UsageError, match="oldest or worst, not 'best'"):
        next(strategies.evolution(S2, generator=seeded(), remove="best"))
    with pytest.raises(UsageError, match="at least 1, not 0 and 3"):
        next(strategies.evolution(S2, generator=seeded(), population=0))


@pytest.mark.parametrize("space", [S2, spaces.get("s1", nodes=2, reduction="fixed"), spaces.get("s2", nodes=1)])
def test_the_policy_is_a_distribution_whose_entropy_is_its_entropy(space: SearchSpace) -> None:
    policy = Policy(space, generator=seeded())
    with torch.no_grad():
        for logits in policy.parameters():
            logits += torch.randn(logits.shape, generator=seeded(len(logits)), dtype=torch.float64)
        logs = torch.stack([policy.log_probability(genotype) for genotype in strategies.architectures(space)])
    assert float(logs.exp().sum()) == pytest.approx(1.0, abs=1e-12)
    assert policy.entropy() == pytest.approx(float(-(logs.exp() * logs).sum()), abs=1e-12)


def test_the_policy_samples_what_its_probabilities_say() -> None:
    policy, generator = Policy(S2, generator=seeded()), seeded(1)
    with torch.no_grad():
        for place, logits in enumerate(policy.parameters()):
            logits += torch.randn(logits.shape, generator=seeded(place), dtype=torch.float64)
    counts = Counter(policy.sample(generator) for _ in range(6000))
    for genotype in strategies.architectures(S2):
        expected = policy.log_probability(genotype).exp().item()
        assert counts[genotype] / 6000 == pytest.approx(expected, abs=4 * (expected / 6000) ** 0.5 + 1e-3)


def test_the_order_of_a_nodes_pairs_does_not_change_its_probability() -> None:
    policy = Policy(S2, generator=seeded())
    genotype = S2.sample(seeded())
    turned = S2.genotype({"normal": (genotype.normal[1], genotype.normal[0], *genotype.normal[2:])})
    assert policy.log_probability(genotype).item() == policy.log_probability(turned).item()


def test_the_first_updates_of_reinforce_by_hand() -> None:
    """Two draws: the bias-corrected baseline makes the first step zero; Adam's second is known in closed form."""
    policy = Policy(S2, generator=seeded())
    start = [logits.detach().clone() for logits in policy.parameters()]
    strategy = strategies.reinforce(S2, generator=seeded(1), policy=policy, lr=0.05, momentum=0.9)
    first = next(strategy)
    second = strategy.send(60.0)  # the baseline is 60: nothing to learn
    assert all(torch.equal(logits.detach(), before) for logits, before in zip(policy.parameters(), start))
    baseline = (0.9 * 0.1 * 60 + 0.1 * 80) / (1 - 0.81)
    gradients = torch.autograd.grad(
        -(80 - baseline) * policy.log_probability(second), policy.parameters(), allow_unused=True
    )
    touched = torch.autograd.grad(policy.log_probability(first), policy.parameters(), allow_unused=True)
    strategy.send(80.0)
    for logits, before, gradient, also in zip(policy.parameters(), start, gradients, touched):
        if gradient is None:
            assert torch.equal(logits.detach(), before)  # a choice that was not made learns nothing
        else:
            # The logits of a choice that the first draw made too have seen one zero gradient already.
            steps = 2 if also is not None else 1
            mean = 0.1 * gradient / (1 - 0.9**steps)
            square = 0.001 * gradient**2 / (1 - 0.999**steps)
            torch.testing.assert_close(logits.detach(), before - 0.05 * mean / (square.sqrt() + 1e-8))


def test_reinforce_learns_and_its_entropy_falls() -> None:
    policy = Policy(S2, generator=seeded())
    strategy = strategies.reinforce(S2, generator=seeded(1), policy=policy, lr=0.1)
    strategies.run(strategy, convolutions, 150)
    assert len(policy.entropies) == 150
    assert policy.entropies[0] == pytest.approx(torch.tensor(4 * 12.0).log().item(), abs=1e-3)
    assert policy.entropies[-1] < 2.0
    drawn = [convolutions(policy.sample(seeded(seed))) for seed in range(50)]
    assert sum(drawn) / len(drawn) > 85


def test_reinforce_refuses_numbers_out_of_range() -> None:
    with pytest.raises(UsageError, match="lr must be positive"):
        next(strategies.reinforce(S2, generator=seeded(), lr=0.0))
    with pytest.raises(UsageError, match=r"momentum in \[0, 1\)"):
        next(strategies.reinforce(S2, generator=seeded(), momentum=1.0))
