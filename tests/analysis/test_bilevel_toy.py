"""The toy problem against what paper and pencil say about it."""

import pytest
import torch

from nasbook.analysis import bilevel_toy as toy
from nasbook.runtime.errors import UsageError
from nasbook.search import exact, first_order, second_order


def test_the_exact_answer_minimises_the_outer_loss_along_the_best_weights():
    grid = [index / 100 for index in range(-300, 301)]
    losses = {alpha: toy.valid_loss(toy.best_weight(alpha), alpha) for alpha in grid}
    best = min(losses, key=losses.__getitem__)
    assert (best, toy.best_weight(best)) == toy.SOLUTION
    assert losses[best] == 0.0
    assert losses[2.0] == 1.0  # where first order ends


@pytest.mark.parametrize("alpha", [-1.5, 0.0, 2.0])
def test_the_best_weight_minimises_the_training_loss(alpha):
    weight = toy.best_weight(alpha)
    assert toy.train_loss(weight, alpha) == pytest.approx(0.0)
    assert min(toy.train_loss(weight + 0.1, alpha), toy.train_loss(weight - 0.1, alpha)) > 0


@pytest.mark.parametrize("order", toy.ORDERS)
@pytest.mark.parametrize(
    ("method", "step"), [(first_order, 0.0), (first_order, 0.5), (second_order, 0.1), (second_order, 0.7), (exact, 0.5)]
)
def test_every_run_ends_at_its_fixed_point(method, step, order):
    looked_ahead = 0.0 if method is first_order else step
    end = toy.run(method, step, steps=400, order=order).end
    assert end == pytest.approx((toy.fixed_point(looked_ahead),) * 2, abs=1e-9)


def test_first_steps_by_hand():
    """dL_val/dalpha = w - 2 = -4 at (2, -2), and then dL_train/dw = 2 (w - alpha)."""
    path = toy.run(first_order, steps=1, alpha_lr=0.1, w_lr=0.25)
    assert path.alpha.tolist() == pytest.approx([2.0, 2.4])
    assert path.w.tolist() == pytest.approx([-2.0, -2.0 + 0.25 * 2 * 4.4])
    path = toy.run(first_order, steps=1, alpha_lr=0.1, w_lr=0.25, order="weights-first")
    assert path.w.tolist() == pytest.approx([-2.0, 0.0])
    assert path.alpha.tolist() == pytest.approx([2.0, 2.2])


@pytest.mark.parametrize("step", [0.0, 0.3, 1.0])
def test_finite_differences_are_exact_on_a_quadratic(step):
    left, right = (toy.run(method, step, start=(-1.0, 0.5)) for method in (second_order, exact))
    torch.testing.assert_close(left.alpha, right.alpha, rtol=0, atol=1e-9)
    torch.testing.assert_close(left.w, right.w, rtol=0, atol=1e-9)


def test_a_trajectory_starts_at_the_start_and_knows_its_losses():
    path = toy.run(exact, 0.5, steps=7, start=(-1.0, 3.0))
    assert path.alpha.shape == path.w.shape == path.valid_loss.shape == (8,)
    assert (float(path.alpha[0]), float(path.w[0])) == (-1.0, 3.0)
    assert float(path.valid_loss[0]) == -1.0 * 3.0 + 2.0 + 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": "both"}, "alpha-first or weights-first"),
        ({"step": -0.1}, "at least 0"),
        ({"steps": -1}, "at least 0"),
    ],
)
def test_what_cannot_be_run_is_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        toy.run(first_order, **arguments)


def test_a_fixed_point_needs_a_step_that_is_not_negative():
    with pytest.raises(UsageError, match="at least 0"):
        toy.fixed_point(-1.0)
