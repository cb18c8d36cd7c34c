"""What every family's network of one architecture does alike."""

import pytest
import torch
from torch import nn

from nasbook import spaces
from nasbook.supernet import families

# One architecture of each family, and a number of layers that it takes.
ARCHITECTURES = {
    "darts": ("DARTS_V2", 3),
    "nas-bench-201": ("|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|skip_connect~2|", 5),
    "nas-bench-1shot1": ("1Shot1(1: conv3x3-bn-relu<-0 | 2: maxpool3x3<-0,1 | out<-1,2)", 3),
}


def network_of(family):
    text, layers = ARCHITECTURES[family]
    architecture = spaces.read(text)
    assert architecture.family == family
    return families.of(architecture).network(architecture, channels=4, layers=layers, classes=3)


def test_every_family_is_tried():
    assert set(ARCHITECTURES) == set(families.FAMILIES)


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("family", ARCHITECTURES)
def test_evaluation_mode_gives_the_logits_alone(family):
    """So that tracing, and a sequence of the network and a softmax, work as with any other network."""
    network, images = network_of(family), torch.randn(2, 3, 16, 16)
    logits, auxiliary = network.train()(images)
    assert logits.shape == (2, 3)
    assert auxiliary is None
    with torch.no_grad():
        alone = network.eval()(images)
        assert alone.shape == (2, 3)
        shares = nn.Sequential(network, nn.Softmax(1))(images)
        torch.testing.assert_close(shares, alone.softmax(1))
        more = torch.randn(5, 3, 16, 16)
        traced = torch.jit.trace(network, images)
        torch.testing.assert_close(traced(images), alone)
        torch.testing.assert_close(traced(more), network(more))
