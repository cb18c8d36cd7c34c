"""Relaxations, gradients of alpha, perturbations and derived cells against the released codes."""

from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from nasbook import relaxation, spaces
from nasbook.relaxation import (
    BinaryGates,
    DirichletSample,
    EdgeSoftmax,
    GumbelSoftmax,
    HardGumbel,
    Proximal,
    ScoreFunction,
    Temperature,
    TwoPaths,
)
from nasbook.search import hypergradient, penalty, progressive
from nasbook.search.early_stopping import Watch
from nasbook.search.perturbation import Adversarial, Radius, RandomSmoothing
from nasbook.selection import every_edge, magnitude
from nasbook.spaces.operations import Normalising
from nasbook.supernet import EdgeSettings, Mixing, edges_of
from nasbook.supernet.nas_bench_201 import TopologySupernet
from nasbook.supernet.supernet import MixedEdge

from .filled import KNOWN, alphas, check, filled, gumbel, images, labels, leaves, softmax, supernet, uniform, wave


def slopes(logits: Tensor, alpha: list[Tensor]) -> Tensor:
    """Gradients of the loss, one after another."""
    return torch.cat([each.flatten() for each in torch.autograd.grad(F.cross_entropy(logits, labels(3)), alpha)])


def by_node(pairs: list) -> list[set]:
    """For each node of a cell its two (operation, source) pairs."""
    return [{tuple(pair) for pair in pairs[first : first + 2]} for first in range(0, 8, 2)]


@pytest.mark.parametrize("order", ["first", "second"])
def test_hypergradients_of_darts(order):
    net, alpha = supernet("darts", 4, 3), leaves({name: 0.3 * value for name, value in alphas().items()})
    x, y = images(8), labels(8)
    optimizer = torch.optim.SGD(net.parameters(), 0.025, momentum=0.9, weight_decay=3e-4)
    F.cross_entropy(net(x[:4], softmax(alpha).detach()), y[:4]).backward()
    optimizer.step()  # so that there is momentum

    def loss(part: slice) -> hypergradient.Loss:
        return lambda w, a: F.cross_entropy(functional_call(net, dict(w), (x[part], softmax(a))), y[part])

    w = dict(net.named_parameters())
    velocity = {name: optimizer.state[value]["momentum_buffer"] for name, value in w.items()}
    problem = hypergradient.Problem(loss(slice(0, 4)), loss(slice(4, 8)))
    look_ahead = hypergradient.LookAhead(0.025, 0.9, 3e-4, velocity)
    found = getattr(hypergradient, f"{order}_order")(problem, w, alpha, look_ahead).alpha
    check(torch.cat(list(found.values())), KNOWN["hypergradients"][order], 1e-6)


def test_pc_darts():
    known, space = KNOWN["pc_darts"], spaces.get("darts")
    shapes = {"normal": (14, 8), "reduce": (14, 8), edges_of("normal"): (1, 14), edges_of("reduce"): (1, 14)}
    alpha = leaves({name: wave(shape, float(phase)) for phase, (name, shape) in enumerate(shapes.items(), start=1)})
    net, relaxed = supernet("darts", 16, 3, settings=EdgeSettings(4)), EdgeSoftmax(space)
    logits = net(images(3), relaxed(alpha, 0.0, torch.Generator()))
    check(logits, known["logits"])
    found = slopes(logits, [alpha[name] for name in shapes])
    check(found[-28:], known["edge_gradients"], 1e-7)
    check(found[24:32], known["operation_gradient_row"], 1e-7)  # the fourth edge of the normal cell
    genotype = magnitude(space, {name: value.detach() for name, value in relaxed.expected(alpha, 0.0).items()})
    assert [list(pair) for pair in genotype.normal] == known["genotype_normal"]


def test_gdas_in_nas_bench_201():
    known, space = KNOWN["gdas"], spaces.get("nas-bench-201")
    net = filled(
        TopologySupernet(space, channels=4, layers=5, classes=10, running=True, settings=EdgeSettings(1, "ones"))
    )
    alpha = leaves({"normal": wave((6, 5), 1.0)})
    with mock.patch.object(relaxation.gumbel, "gumbel", return_value=gumbel((6, 5), 0.5)):
        logits = net(images(3), HardGumbel(space, Temperature())(alpha, 0.0, None))
    check(logits, known["logits"])
    check(slopes(logits, [alpha["normal"]]), known["alpha_gradient"], 1e-7)


def test_the_temperature_of_gdas():
    line = Temperature(10.0, 0.1, 250)
    assert [line(epoch / 250) for epoch in (0, 124, 249)] == pytest.approx([10 - 9.9 * e / 249 for e in (0, 124, 249)])


def test_gdas_in_a_darts_cell():
    """search_cells.py: MixedOp.forward_gdas returns the drawn operation times its weight, and nothing else."""
    names = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    edge = MixedEdge(names, 4, 1, Normalising(False), pool_norm=False, settings=EdgeSettings(1, "nothing"))
    weights = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0], requires_grad=True)
    x = images(2, 4, 6)
    (found,) = torch.autograd.grad((edge(x, weights, (4,)) * x.cos()).sum(), weights)
    check(found, KNOWN["gdas"]["gradient_in_a_darts_cell_drawn_avg_pool"])


def test_snas():
    known, space, alpha = KNOWN["snas"], spaces.get("darts"), leaves(alphas())
    noise = [gumbel((14, 8), 0.5), gumbel((14, 8), 1.5)]
    with mock.patch.object(relaxation.gumbel, "gumbel", side_effect=noise):
        mixing = GumbelSoftmax(space, Temperature(0.5, 0.5))(alpha, 0.0, None)
    logits = supernet("darts", 4, 3)(images(3), mixing)
    check(logits, known["logits"])
    check(slopes(logits, list(alpha.values())), known["alpha_gradients"], 1e-7)
    derived = every_edge(space, softmax(alphas()).weights).normal
    assert set(derived[9:]) == {tuple(pair) for pair in known["all_edges_normal"][9:]}  # of the last node


def test_the_temperature_of_snas():
    """It starts at 1 here; the released schedule has made one step then."""
    line = Temperature(1.0, 0.03, 150)
    assert [line(epoch / 150) for epoch in range(150)][::37] == pytest.approx(KNOWN["snas"]["temperatures"], abs=0.01)


def test_dsnas():
    known, alpha = KNOWN["dsnas"], leaves(alphas())
    drawn = [((torch.arange(14) * 3) % 8)[:, None], ((torch.arange(14) * 5 + 1) % 8)[:, None]]
    with mock.patch.object(relaxation.score_function, "draw", side_effect=drawn):
        mixing = ScoreFunction(spaces.get("darts"))(alpha, 0.0, None)
    logits = supernet("darts", 4, 3)(images(3), mixing)
    check(F.cross_entropy(logits, labels(3)), known["loss"])
    check(slopes(logits, list(alpha.values())), known["alpha_gradients"], 1e-7)


def test_drnas():
    known, space, alpha = KNOWN["drnas"], spaces.get("darts7"), leaves(alphas(7))
    rows = {name: torch.softmax(uniform((14, 7), p) * 3, -1) for name, p in (("normal", 1.0), ("reduce", 2.0))}
    check(supernet("darts7", 4, 3, settings=EdgeSettings(2))(images(3), Mixing(rows)), known["logits"])
    divergence = penalty.Penalty(1e-3, 0.0, {})(alpha, rows)
    check(divergence, known["kl"])
    check(torch.cat(torch.autograd.grad(divergence, list(alpha.values()))), known["kl_gradients"])
    assert progressive.kept(space, alpha, 4)["normal"].long().tolist() == known["kept_normal"]


def test_drnas_ranks_edges_by_softmax_and_here_by_the_mean():
    """A documented deviation: model_search.py: genotype ranks by softmax(alpha), which gives another edge."""
    space, alpha = spaces.get("darts7"), alphas(7)
    released = by_node(KNOWN["drnas"]["genotype_normal_softmax"])
    assert by_node(magnitude(space, softmax(alpha).weights).normal) == released
    assert by_node(magnitude(space, DirichletSample(space).expected(alpha, 0.0)).normal) != released


def test_the_projection_of_nasp():
    alpha = leaves({"normal": uniform((14, 7), 1.0), "reduce": uniform((14, 7), 2.0)})
    weights = Proximal(spaces.get("darts7"), magnitude)(alpha, 0.0, None).weights
    for name, known in zip(weights, KNOWN["nasp"]["projected"]):
        kept = torch.where(weights[name].sum(-1) > 0, weights[name].argmax(-1), -1)
        assert kept.tolist() == known


def test_nasp_ranks_edges_by_softmax_at_the_end_and_here_by_its_projection():
    """A documented deviation: model_search.py: genotype ranks by softmax(alpha), which gives another edge."""
    space, alpha = spaces.get("darts7"), {"normal": uniform((14, 7), 1.0), "reduce": uniform((14, 7), 2.0)}
    released = by_node(KNOWN["nasp"]["final_normal_softmax"])
    assert by_node(magnitude(space, softmax(alpha).weights).normal) == released
    assert by_node(magnitude(space, Proximal(space, magnitude).expected(alpha, 0.0)).normal) != released


ONE_ROW = SimpleNamespace(groups={"g": SimpleNamespace(held=1, shape=(1, 5))})


def slope_of_gates(kind: type, alpha: dict[str, Tensor], *draws: list[list[int]]) -> Tensor:
    """Gradient of alpha for given draws; the loss is a gated sum of five outputs, times a direction."""
    x, direction = wave((6, 4), 0.3), wave((6, 4), 0.7)
    with mock.patch.object(relaxation.binary_gates, "draw", side_effect=list(map(torch.tensor, draws))):
        mixing = kind(ONE_ROW)(alpha, 0.0, None)
    runs = range(5) if mixing.active is None else mixing.active["g"][0]
    output = sum(mixing.weights["g"][0][place] * torch.tanh(x @ wave((4, 4), float(place))) for place in runs)
    return torch.autograd.grad((output * direction).sum(), alpha["g"])[0]


def test_the_gates_of_proxylessnas():
    known, alpha = KNOWN["proxylessnas"], leaves({"g": wave((1, 5), 1.0)})
    check(slope_of_gates(BinaryGates, alpha, [[2]]), known["full"])
    check(slope_of_gates(TwoPaths, alpha, [[1, 3]], [[0]]), known["two"])


def test_a_step_of_proxylessnas():
    """Two paths of a row learn, and their probabilities keep their sum."""
    alpha = leaves({"g": wave((1, 5), 1.0)})
    before = {"g": alpha["g"].detach().clone()}
    alpha["g"].grad = slope_of_gates(TwoPaths, alpha, [[1, 3]], [[0]])
    torch.optim.Adam([alpha["g"]], 1e-3, betas=(0.0, 0.999)).step()
    TwoPaths(ONE_ROW).project(alpha, before)
    check(alpha["g"], KNOWN["proxylessnas"]["two_after_step"], 1e-12)


@pytest.mark.parametrize("name", ["s2", "darts7"])
@pytest.mark.parametrize("kind", ["random", "adversarial"])
def test_sdarts(name, kind):
    net, columns = supernet(name, 4, 3), spaces.get(name).normal.shape[1]
    mixing = softmax(alphas(columns))
    net(images(4), mixing)  # running statistics
    net.eval()
    w = {place: value.detach() for place, value in net.named_parameters()}

    def loss(moved: Mixing) -> Tensor:
        return F.cross_entropy(functional_call(net, w, (images(4), moved)), labels(4))

    method = RandomSmoothing(Radius(0.3, 0.3)) if kind == "random" else Adversarial(Radius(0.3, 0.3), 7)
    noise = iter([(uniform((14, columns), phase) - 0.5) / 1.5 for phase in (0.5, 1.5)])
    with mock.patch.object(Tensor, "uniform_", lambda self, *a, **k: self.copy_(next(noise))):
        found = method(mixing, loss, 0.0, torch.Generator())
    check(torch.cat(list(found.weights.values())), KNOWN["sdarts"][f"{name} {kind}"], 1e-8)


def test_early_stopping_of_robust_darts():
    """The released code looks at epochs 0, 2, 4, ...; here epochs count from 1."""
    known, watch = KNOWN["early_stopping"], Watch(1.3, 50)
    watch.curve.append((0, known["curve"][0]))
    watch.derived.append("0")
    epoch = 0
    while watch.stopped is None:
        epoch += 2
        watch.look(epoch, {"eigenvalue": known["curve"][epoch], "genotype": str(epoch)})
    assert (epoch, watch.stopped) == (known["stopped_at"], known["back_to"])
