"""Operations: shapes, order of ReLU, convolution and normalisation, padding, and what has parameters."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasbook.spaces.operations import NAMES, FactorizedReduce, Normalising, Pool, ReLUConvBN, build

SEARCH = Normalising(affine=False, running=False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stride", [1, 2])
def test_shapes(name, stride):
    operation = build(name, 4, stride, normalising=SEARCH, pool_norm=True)
    assert operation(torch.randn(2, 4, 8, 8)).shape == (2, 4, 8 // stride, 8 // stride)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stride", [1, 2])
def test_input_is_left_as_it_is(name, stride):
    """Edges share their input: a ReLU that works in place would change it for the others."""
    images = torch.randn(2, 4, 8, 8)
    before = images.clone()
    build(name, 4, stride, normalising=SEARCH, pool_norm=True)(images)
    assert torch.equal(images, before)


def test_separable_convolution_is_relu_depthwise_pointwise_norm_twice():
    operation = build("sep_conv_5x5", 4, 1, normalising=SEARCH, pool_norm=True).double()
    images = torch.randn(2, 4, 8, 8, dtype=torch.float64)
    expected = images
    for unit in operation:
        expected = F.conv2d(F.relu(expected), unit.depthwise.weight, padding=2, groups=4)
        expected = F.conv2d(expected, unit.pointwise.weight)
        mean, variance = expected.mean((0, 2, 3), keepdim=True), expected.var((0, 2, 3), keepdim=True, unbiased=False)
        expected = (expected - mean) / (variance + 1e-5).sqrt()
    torch.testing.assert_close(operation(images), expected)


@pytest.mark.parametrize("name", [name for name in NAMES if "conv" in name and not name.endswith("-bn-relu")])
@pytest.mark.parametrize("stride", [1, 2])
def test_every_convolution_starts_with_a_relu(name, stride):
    operation = build(name, 4, stride, normalising=SEARCH, pool_norm=True)
    images = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(operation(images), operation(F.relu(images)))
    assert not torch.allclose(operation(images), operation(-images))


@pytest.mark.parametrize("name", ["conv3x3-bn-relu", "conv1x1-bn-relu"])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolutions_of_nas_bench_101_end_with_their_relu(name, stride):
    operation = build(name, 4, stride, normalising=SEARCH, pool_norm=True).double()
    images = torch.randn(2, 4, 8, 8, dtype=torch.float64)
    expected = F.conv2d(images, operation.conv.weight, stride=stride, padding=int(name[4]) // 2)
    mean, variance = expected.mean((0, 2, 3), keepdim=True), expected.var((0, 2, 3), keepdim=True, unbiased=False)
    torch.testing.assert_close(operation(images), F.relu((expected - mean) / (variance + 1e-5).sqrt()))


def test_the_pool_of_nas_bench_101_is_never_normalised():
    images = torch.randn(2, 4, 8, 8)
    pool = build("maxpool3x3", 4, 1, normalising=SEARCH, pool_norm=True)
    assert torch.equal(pool(images), F.max_pool2d(images, 3, 1, 1))


def test_inputs_of_a_cell_and_reductions_start_with_a_relu():
    images = torch.randn(2, 4, 8, 8)
    for operation in (ReLUConvBN(4, 6, 1, 1, SEARCH), FactorizedReduce(4, 6, SEARCH)):
        torch.testing.assert_close(operation(images), operation(F.relu(images)))
    edge = build("skip_connect", 4, 2, normalising=SEARCH, pool_norm=True)
    torch.testing.assert_close(edge(images), edge(F.relu(images)))


def test_maximum_pool_takes_the_maximum():
    images = torch.arange(16.0).reshape(1, 1, 4, 4)
    expected = torch.tensor([[5.0, 6, 7, 7], [9, 10, 11, 11], [13, 14, 15, 15], [13, 14, 15, 15]])
    assert torch.equal(Pool("max", 1, 1, None)(images)[0, 0], expected)
    assert torch.equal(Pool("max", 1, 2, None)(images)[0, 0], expected[::2, ::2])


def test_dilated_convolution_reads_every_second_pixel():
    operation = build("dil_conv_3x3", 1, 1, normalising=Normalising(), pool_norm=False).eval()
    nn.init.ones_(operation.depthwise.weight)
    nn.init.ones_(operation.pointwise.weight)
    images = torch.zeros(1, 1, 9, 9)
    images[0, 0, 4, 4] = 1.0
    reached = operation(images)[0, 0].nonzero().tolist()
    assert reached == [[y, x] for y in (2, 4, 6) for x in (2, 4, 6)]


def test_average_pool_does_not_count_padding():
    pool = Pool("avg", 1, 1, None)
    torch.testing.assert_close(pool(torch.ones(1, 1, 4, 4)), torch.ones(1, 1, 4, 4))


def test_pools_are_normalised_in_a_supernet_only():
    assert isinstance(build("max_pool_3x3", 4, 1, normalising=SEARCH, pool_norm=True).norm, nn.BatchNorm2d)
    assert isinstance(build("max_pool_3x3", 4, 1, normalising=Normalising(), pool_norm=False).norm, nn.Identity)


def test_skip_is_free_at_stride_1_and_a_factorized_reduce_at_stride_2():
    images = torch.randn(2, 4, 8, 8)
    skip = build("skip_connect", 4, 1, normalising=SEARCH, pool_norm=True)
    assert torch.equal(skip(images), images)
    assert not list(skip.parameters())
    reduce = build("skip_connect", 4, 2, normalising=SEARCH, pool_norm=True)
    assert isinstance(reduce, FactorizedReduce)
    assert sum(parameter.numel() for parameter in reduce.parameters()) == 2 * 4 * 2


def test_factorized_reduce_sees_every_second_pixel_twice_shifted():
    operation = FactorizedReduce(1, 2, Normalising()).eval()
    nn.init.ones_(operation.even.weight)
    nn.init.ones_(operation.odd.weight)
    images = torch.arange(16.0).reshape(1, 1, 4, 4)
    scale = (1 + 1e-5) ** -0.5
    torch.testing.assert_close(operation(images)[0, 0], images[0, 0, ::2, ::2] * scale)
    torch.testing.assert_close(operation(images)[0, 1], images[0, 0, 1::2, 1::2] * scale)


def test_factorized_reduce_refuses_an_odd_width():
    with pytest.raises(ValueError, match="even number"):
        FactorizedReduce(4, 3, SEARCH)


def test_search_operations_have_no_learned_scale():
    for name in NAMES:
        operation = build(name, 4, 1, normalising=SEARCH, pool_norm=True)
        norms = [module for module in operation.modules() if isinstance(module, nn.BatchNorm2d)]
        assert all(norm.weight is None and norm.running_mean is None for norm in norms)


def test_noise_has_mean_0_and_deviation_1_whatever_comes_in():
    noise = build("noise", 4, 1, normalising=SEARCH, pool_norm=True)
    images = torch.full((64, 4, 16, 16), 7.0, requires_grad=True)
    drawn = noise(images)
    assert abs(float(drawn.mean())) < 0.02
    assert abs(float(drawn.std()) - 1) < 0.02
    assert not drawn.requires_grad
    assert not torch.equal(noise(images), drawn)


def test_no_convolution_has_a_bias():
    for name in NAMES:
        operation = build(name, 4, 2, normalising=SEARCH, pool_norm=True)
        assert all(module.bias is None for module in operation.modules() if isinstance(module, nn.Conv2d))


def test_an_unknown_operation_is_refused():
    with pytest.raises(ValueError, match="does not exist"):
        build("conv_9x9", 4, 1, normalising=SEARCH, pool_norm=True)
