"""REINFORCE: a policy over architectures that moves towards those that scored above the average.

Sources: Williams 1992; Zoph and Le 2017 (with a recurrent controller in the place of independent categoricals); the
numbers of the NAS-Bench-201 authors' released code (D-X-Y/AutoDL-Projects:exps/NATS-algos/reinforce.py).
"""

from __future__ import annotations

import torch

from nasbook.runtime.errors import UsageError
from nasbook.spaces import SearchSpace
from nasbook.strategies.base import Strategy
from nasbook.strategies.policy import Policy


def reinforce(
    space: SearchSpace,
    *,
    generator: torch.Generator,
    policy: Policy | None = None,
    lr: float = 0.01,
    momentum: float = 0.9,
) -> Strategy:
    """Draw from a policy, score, and step along (score - baseline) times the gradient of the log-probability.

        gradient = (R - b) * d log p(architecture) / d logits

    The baseline b is the bias-corrected moving average of the scores, the newest included, as in the released code.

    Args:
        space: where to search.
        generator: all random numbers come from it.
        policy: where to start, and what is trained; a fresh one by default. Hand one in to look at it afterwards.
        lr: Adam's learning rate.
        momentum: of the moving average of scores, in [0, 1).

    Yields:
        One architecture after another, without end.

    Raises:
        UsageError: a number is out of range.
    """
    if lr <= 0 or not 0 <= momentum < 1:
        raise UsageError(f"lr must be positive and momentum in [0, 1), not {lr:g} and {momentum:g}.")
    policy = policy or Policy(space, generator=generator)
    optimizer = torch.optim.Adam(policy.parameters(), lr=lr)
    baseline, step = 0.0, 0
    while True:
        policy.entropies.append(policy.entropy())
        genotype = policy.sample(generator)
        score = yield genotype
        step += 1
        # The bias-corrected average in one line; the first baseline is exactly the first score.
        baseline += (1 - momentum) / (1 - momentum**step) * (score - baseline)
        loss = -(score - baseline) * policy.log_probability(genotype)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
