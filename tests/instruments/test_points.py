"""The loss as a function of a point: the search's own loss, on images of its own half, with no trace left."""

import pytest
import torch
from torch.nn import functional as F

from nasbook.instruments import Points
from nasbook.instruments.points import LARGEST_BATCH
from nasbook.runtime.errors import UsageError


def test_the_loss_where_the_search_stands_is_the_searchs_own(exact):
    images, labels = Points(exact).batches(1, 32)[0]
    expected = F.cross_entropy(exact.supernet(images, exact.mixing()), labels).item()
    for coordinates in ("alpha", "mixing"):
        points = Points(exact, coordinates)
        assert points.loss(points.here(), (images, labels)).item() == pytest.approx(expected, rel=1e-12)


def test_both_coordinates_hold_every_parameter_in_order(make_search):
    search = make_search(reduction="searched", layers=6)
    alpha, mixing = Points(search), Points(search, "mixing")
    assert list(alpha.shapes) == ["normal", "reduce"]
    assert torch.equal(alpha.here(), torch.cat([value.detach().flatten() for value in search.alpha.values()]))
    back = mixing.mixing(mixing.here()).weights
    for name, value in search.alpha.items():
        torch.testing.assert_close(back[name], torch.softmax(value.detach(), -1), rtol=0, atol=0)
        torch.testing.assert_close(alpha.mixing(alpha.here()).weights[name], back[name], rtol=0, atol=0)


def test_images_are_of_alphas_half_and_disjoint(exact):
    own = exact.dataset.normalisation(exact.alpha_half.pixels, dtype=torch.float64)
    drawn = torch.cat([images for images, _ in Points(exact).batches(2, 32)])
    assert len({tuple(image.flatten().tolist()) for image in own}) == 64
    assert {tuple(image.flatten().tolist()) for image in drawn} == {tuple(image.flatten().tolist()) for image in own}


def test_one_seed_draws_the_same_images_at_every_epoch(exact):
    before = Points(exact).batches(1, 16, seed=3)[0]
    exact.run_epoch(lambda step, steps: None)
    after, other = (Points(exact).batches(1, 16, seed=seed)[0] for seed in (3, 4))
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])
    assert not torch.equal(before[0], other[0])


def test_many_images_come_in_equal_batches(make_search):
    points = Points(make_search(images=1200))
    assert [len(labels) for _, labels in points.images(600)] == [200, 200, 200]
    assert [len(labels) for _, labels in points.images(LARGEST_BATCH)] == [LARGEST_BATCH]
    assert [len(labels) for _, labels in points.images(10)] == [10]


def test_a_measurement_is_the_mean_of_the_batches(exact):
    points = Points(exact)
    batches = points.batches(2, 32)
    losses = [points.loss(points.here(), batch).item() for batch in batches]
    right = [(points.logits(exact.mixing(), images).argmax(1) == labels).sum().item() for images, labels in batches]
    assert points.measure(points.here(), batches) == pytest.approx((sum(losses) / 2, 100 * sum(right) / 64))


@pytest.mark.parametrize(("count", "size"), [(0, 8), (1, 1), (1, 65), (3, 32)])
def test_images_that_are_not_there_are_refused(exact, count, size):
    with pytest.raises(UsageError, match="64 images of alpha's half"):
        Points(exact).batches(count, size)


def test_other_coordinates_are_refused(exact):
    with pytest.raises(UsageError, match="alpha or mixing, not 'theta'"):
        Points(exact, "theta")
