"""The memory of a search as a sum over parts: equal to counting the whole, and linear where it is said to be."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from nasbook import sizes
from nasbook.analysis import cost, memory_budget
from nasbook.runtime.errors import UsageError
from nasbook.supernet import EdgeSettings, Supernet, parameters

CLASS, PAPER = sizes.get("class").search, sizes.get("paper").search


def whole(operations, numbers, mode, image, device="meta"):
    """The whole supernet run once: MiB of activations, MiB of weights, gradients and momentum."""
    space = cost.repeated("sep_conv_3x3", operations, nodes=numbers.nodes)
    space = space if numbers.reduction == "fixed" else replace(space, reduce=space.normal)
    with torch.device(device):
        supernet = Supernet(
            space,
            channels=numbers.channels,
            layers=numbers.layers,
            classes=10,
            image_channels=image[0],
            stem_stride=numbers.stem_stride,
            settings=EdgeSettings(mode.partial),
        )
        images, labels = torch.zeros(numbers.batch, *image), torch.zeros(numbers.batch, dtype=torch.long)
    mixing = cost.first_paths(space, mode.paths).map(lambda weights: weights.to(device).requires_grad_())
    saved = cost.saved_mib(lambda: F.cross_entropy(supernet(images, mixing), labels), supernet.parameters())
    return saved, parameters(supernet) * 3 * 4 / 2**20


@pytest.mark.parametrize("mode", cost.MODES.values(), ids=cost.MODES)
@pytest.mark.parametrize("operations", [1, 3])
@pytest.mark.parametrize(
    ("numbers", "image"),
    [
        (CLASS, (3, 16, 16)),
        (replace(CLASS, layers=6, channels=12), (1, 16, 32)),
        (replace(PAPER, layers=5, nodes=2, batch=128), (3, 32, 32)),
    ],
)
def test_the_parts_sum_to_the_whole(numbers, image, operations, mode):
    found = memory_budget.memory(operations, numbers, mode, image=image)
    activations, weights = whole(operations, numbers, mode, image)
    assert found.activations == pytest.approx(activations, rel=2e-3)
    assert found.weights == pytest.approx(weights, rel=1e-12)
    assert found.total == found.activations + found.weights


def test_the_whole_that_holds_numbers_says_the_same():
    activations, _ = whole(2, CLASS, cost.Mode(), (3, 16, 16), device="cpu")
    found = memory_budget.memory(2, CLASS, cost.Mode(), image=(3, 16, 16))
    assert found.activations == pytest.approx(activations, rel=2e-3)


@pytest.mark.parametrize("mode", cost.MODES.values(), ids=cost.MODES)
def test_activations_are_proportional_to_the_batch(mode):
    """Counted on whole supernets; batch normalisation's numbers for each channel are all that does not grow."""
    counted = [whole(3, replace(CLASS, batch=batch), mode, (3, 16, 16))[0] for batch in (8, 16, 64)]
    line = memory_budget.fit((8, 16), counted[:2])
    assert line(64) == pytest.approx(counted[2], rel=1e-6)
    assert 0 < line.base < 1e-3 * counted[2]


@pytest.mark.parametrize("mode", cost.MODES.values(), ids=cost.MODES)
def test_a_line_fitted_to_few_operations_tells_many(mode):
    start = mode.paths or 1
    points = (start, start + 1)
    mib = [whole(count, CLASS, mode, (3, 16, 16)) for count in points]
    line = memory_budget.fit(points, [sum(each) for each in mib])
    assert line(12) == pytest.approx(sum(whole(12, CLASS, mode, (3, 16, 16))), rel=1e-3)
    assert memory_budget.over_operations(CLASS, mode, image=(3, 16, 16))(12) == pytest.approx(line(12), rel=2e-3)


@pytest.mark.parametrize("mode", cost.MODES.values(), ids=cost.MODES)
def test_the_largest_that_fits_fits_and_one_more_does_not(mode):
    def with_batch(batch):
        return memory_budget.memory(8, replace(CLASS, batch=batch), mode, image=(3, 16, 16)).total

    def with_operations(count):
        return memory_budget.memory(count, CLASS, mode, image=(3, 16, 16)).total

    batch = memory_budget.over_batch(8, CLASS, mode, image=(3, 16, 16)).largest(2048)
    count = memory_budget.over_operations(CLASS, mode, image=(3, 16, 16)).largest(2048)
    assert with_batch(batch) <= 2048 < with_batch(batch + 1)
    assert with_operations(count) <= 2048 < with_operations(count + 1)


def test_a_line_by_hand():
    line = memory_budget.fit([1, 2, 3], [5.0, 7.0, 9.0])
    assert (line.base, line.slope) == pytest.approx((3, 2))
    assert line(10) == pytest.approx(23)
    assert (line.largest(9.5), line.largest(1)) == (3, 0)


def test_what_has_no_answer_is_refused():
    with pytest.raises(UsageError, match="two different points"):
        memory_budget.fit([2, 2], [1, 1])
    with pytest.raises(UsageError, match="two different points"):
        memory_budget.fit([1, 2], [1])
    with pytest.raises(UsageError, match="at least 1 operation"):
        memory_budget.memory(0, CLASS, cost.Mode(), image=(3, 16, 16))
    with pytest.raises(UsageError, match="divided into 4"):
        memory_budget.memory(1, replace(CLASS, channels=6), cost.Mode(partial=4), image=(3, 16, 16))
    with pytest.raises(UsageError, match="halved"):
        memory_budget.memory(1, CLASS, cost.Mode(), image=(3, 12, 12))


def test_nothing_is_drawn():
    before = torch.get_rng_state()
    memory_budget.memory(2, replace(CLASS, channels=12, layers=4), cost.Mode(), image=(3, 16, 16))
    assert torch.equal(torch.get_rng_state(), before)
