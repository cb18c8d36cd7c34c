"""The outer gradient by REINFORCE: architectures are drawn and scored, nothing is differentiated (Williams 1992).

    grad_alpha E[R] = E[ (R - b) * grad_alpha log p(architecture) ]

ProxylessNAS offers it beside its gates (Cai et al. 2019, section 3.3.2), ENAS trains its controller so.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nasbook.relaxation.drawing import log_chance
from nasbook.search.hypergradient import Hypergradient, LookAhead, Problem, Tensors, gradients
from nasbook.supernet.mixing import Active

# How far the baseline moves towards a step's mean reward (1 is all the way), as in ProxylessNAS's released code.
BASELINE_STEP = 0.99


def policy_gradient(problem: Problem, w: Tensors, alpha: Tensors, look_ahead: LookAhead) -> Hypergradient:
    """The gradient of the expected error (one minus the reward) in alpha, from a few drawn architectures.

    Args:
        problem: its `plays` says how many; each play gives the reward of one and the log-probability of drawing it. The
            baseline is moved before it is subtracted, as in the released code (search/nas_manager.py:
            rl_update_step), so it is nearly the mean of these rewards. This makes the expected gradient smaller, by a
            factor of nearly 1 - 1 / `plays`.
        w, alpha: the shared weights and the architecture parameters.
        look_ahead: not used.
    """
    assert problem.play is not None
    plays = [problem.play(w, alpha) for _ in range(problem.plays)]
    rewards = torch.stack([reward for reward, _ in plays])
    baseline = next_baseline(problem.baseline, rewards.mean())
    scores = torch.stack([log_probability for _, log_probability in plays])
    loss = -((rewards - baseline) * scores.to(rewards)).mean()
    return Hypergradient(gradients(loss, alpha), 1.0 - rewards.mean(), rewards.mean())


def next_baseline(baseline: Tensor | None, reward: Tensor) -> Tensor:
    """The baseline after a step with this mean reward. The first mean reward is the first baseline."""
    return reward if baseline is None else baseline + BASELINE_STEP * (reward - baseline)


def log_probability(weights: Mapping[str, Tensor], active: Active) -> Tensor:
    """The logarithm of the probability that these columns are drawn, where `weights` holds that of each column.

    Where several columns of a row are drawn, that of drawing just these without replacement.
    """
    terms = [
        log_chance(weights[name][row : row + 1].log(), torch.tensor([columns])).sum()
        for name, rows in active.items()
        for row, columns in enumerate(rows)
    ]
    return torch.stack(terms).sum()
