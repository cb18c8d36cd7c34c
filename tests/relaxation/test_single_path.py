"""Uniform single paths: one architecture a step, drawn uniformly, nothing learned."""

import torch

from nasbook import spaces
from nasbook.relaxation import SinglePath

SPACE = spaces.get("s1", nodes=2)


def test_one_operation_runs_on_each_kept_edge_and_none_elsewhere():
    relaxation = SinglePath(SPACE)
    generator = torch.Generator().manual_seed(0)
    alpha = relaxation.initial(scale=1.0, generator=generator)
    for _ in range(20):
        mixing = relaxation(alpha, 0.0, generator)
        for name, cell in SPACE.groups.items():
            running = mixing.active[name]
            for node in cell.nodes:
                assert [len(running[edge]) for edge in cell.into(node)].count(1) == cell.keep
            for edge, chosen in enumerate(running):
                assert mixing.weights[name][edge].nonzero().flatten().tolist() == list(chosen)


def test_paths_are_uniform_over_operations():
    """4,000 draws of a fair coin: outside 0.5 +- 0.03 less than once in 6,000 seeds."""
    relaxation = SinglePath(spaces.get("s2", nodes=2, reduction="fixed"))
    generator = torch.Generator().manual_seed(0)
    alpha = relaxation.initial(scale=1.0, generator=generator)
    chosen = [relaxation(alpha, 0.0, generator).active["normal"][0][0] for _ in range(4000)]
    assert abs(sum(chosen) / 4000 - 0.5) < 0.03


def test_architecture_parameters_are_zero():
    alpha = SinglePath(SPACE).initial(scale=1.0, generator=torch.Generator())
    assert all((value == 0).all() for value in alpha.values())


def test_no_operation_is_expected_more_than_another():
    relaxation = SinglePath(SPACE)
    weights = relaxation.expected(relaxation.initial(scale=1.0, generator=torch.Generator()), 0.5)
    assert all((value == 0.5).all() for value in weights.values())
