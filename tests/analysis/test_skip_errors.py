"""What is measured on a supernet's edges, against the same worked out by hand; and that the search stays as it is."""

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.analysis import skip_domination, skip_errors
from nasbook.instruments.points import Points
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.selection import magnitude

TINY = {"epochs": 1, "images": 128, "batch": 32, "channels": 4, "layers": 3, "stem_stride": 2, "precision": "float64"}


def make_search(space="s2", reduction="searched", **changes):
    """A search that has not begun, its architecture parameters far from equal."""
    numbers = sizes.override(sizes.get("class").search, TINY | {"reduction": reduction, "alpha_scale": 1.0} | changes)
    return Search(
        spaces.get(space, nodes=numbers.nodes, reduction=reduction),
        datasets.load("street_numbers"),
        recipe=recipes.get("darts"),
        numbers=numbers,
        derive=magnitude,
    )


@pytest.fixture(scope="module")
def search():
    return make_search()


def by_hand(search, images, weights):
    """(cell, edge) -> x, o and what the edge brings; cell -> nodes: the forward pass, written out."""
    estimates, nodes = {}, {}
    earlier = later = search.supernet.stem(images)
    for place, (cell, kind) in enumerate(zip(search.supernet.cells, ("normal", "reduce", "reduce"), strict=True)):
        states = cell.preprocess(earlier, later)
        for node in (2, 3):
            terms = []
            for edge, (source, target) in enumerate(search.space.groups[kind].edges):
                if target == node:
                    skip, conv = (operation(states[source]) for operation in cell.edges[edge].operations)
                    terms.append(weights[kind][edge, 0] * skip + weights[kind][edge, 1] * conv)
                    estimates[place, edge] = skip, conv, terms[-1]
            states.append(sum(terms))
        nodes[place] = states[2:]
        earlier, later = later, torch.cat(states[2:], 1)
    return estimates, nodes


def correlation(first, second):
    """Mean over channels of Pearson's correlation."""
    channels = [torch.stack([a.flatten(), b.flatten()]) for a, b in zip(first.transpose(0, 1), second.transpose(0, 1))]
    return sum(float(torch.corrcoef(pair)[0, 1]) for pair in channels) / len(channels)


def scaled(maps):
    return (maps - maps.mean((0, 2, 3), keepdim=True)) / maps.std((0, 2, 3), keepdim=True)


@pytest.mark.parametrize("target", ["cell", "last", "others"])
@pytest.mark.parametrize("equal", [False, True])
def test_it_is_what_the_forward_pass_gives_by_hand(search, target, equal):
    found = skip_errors.measured(search, target, equal=equal, batches=1, size=16, seed=5)
    ((images, _),) = Points(search).batches(1, 16, seed=5)
    softmax = {name: value.detach().softmax(-1) for name, value in search.alpha.items()}
    weights = {name: torch.full_like(value, 0.5) for name, value in softmax.items()} if equal else softmax
    with torch.no_grad():
        estimates, nodes = by_hand(search, images, {name: value.double() for name, value in weights.items()})
    assert len(found) == 15
    for each in found:
        place = each.cell - 1
        edge = search.space.groups[each.group].edges.index((each.source, each.target))
        skip, conv, _ = estimates[place, edge]
        m = {
            "cell": lambda place, edge, node: sum(scaled(maps) for maps in nodes[place][node - 2 :]),
            "last": lambda place, edge, node: sum(scaled(maps) for maps in nodes[place]),  # no two cells of one shape
            "others": lambda place, edge, node: sum(
                estimates[place, other][2]
                for other, (_, into) in enumerate(search.space.normal.edges)
                if into == node and other != edge
            ),
        }[target](place, edge, each.target)
        of_skip, of_conv, both = correlation(skip, m), correlation(conv, m), correlation(skip, conv)
        assert each.skip == pytest.approx(2 - 2 * of_skip, abs=1e-9)
        assert each.conv == pytest.approx(2 - 2 * of_conv, abs=1e-9)
        assert each.covariance == pytest.approx(1 + both - of_skip - of_conv, abs=1e-9)
        assert each.learned == pytest.approx(float(softmax[each.group][edge, 0]))
        theory = skip_domination.best_weight(each.skip, each.conv, covariance=each.covariance, clip=True)
        assert each.predicted == theory


def test_the_last_cell_of_a_shape_is_the_target_of_those_before():
    search = make_search(reduction="fixed", layers=6)  # normal, normal, reduce, normal, reduce, normal
    found = skip_errors.measured(search, "last", batches=1, size=8)
    own = {(each.cell, each.source, each.target): each for each in skip_errors.measured(search, batches=1, size=8)}
    assert sorted({each.cell for each in found}) == [1, 2, 4, 6]
    for each in found:
        same = each.skip == pytest.approx(own[each.cell, each.source, each.target].skip)
        # Into node 2 of a cell that is the last of its shape, both targets are the mean of nodes 2 and 3.
        assert same == (each.cell != 1 and each.target == 2)


def test_depth_counts_the_nodes_before_the_source(search):
    found = {(each.cell, each.source): each.depth for each in skip_errors.measured(search, batches=1, size=8)}
    assert [found[1, source] for source in (0, 1, 2)] == [0, 0, 1]
    assert [found[2, source] for source in (0, 1, 2)] == [0, 2, 3]
    assert [found[3, source] for source in (0, 1, 2)] == [2, 4, 5]
    fixed = make_search(reduction="fixed", layers=5)  # normal, reduce, normal, reduce, normal
    found = {(each.cell, each.source): each.depth for each in skip_errors.measured(fixed, batches=1, size=8)}
    assert [found[5, source] for source in (0, 1, 2)] == [5, 6, 7]


def test_several_convolutions_are_one_estimate_by_weight():
    search = make_search("s3", "fixed")
    with torch.no_grad():
        search.alpha["normal"].copy_(torch.tensor([0.0, 1.0, 2.0]).expand(5, 3))  # none, skip, sep_conv_3x3
    assert search.space.normal.operations[0] == ("none", "skip_connect", "sep_conv_3x3")
    (first, *_) = skip_errors.measured(search, batches=1, size=8)
    assert first.learned == pytest.approx(1 / (1 + torch.e))
    several = make_search("darts", "fixed", nodes=2)
    names = several.space.normal.operations[0]
    weights = several.alpha["normal"].detach().softmax(-1)[0].tolist()
    chosen = dict(zip(names, weights))
    convolutions = sum(weight for name, weight in chosen.items() if "conv" in name)
    (first, *_) = skip_errors.measured(several, batches=1, size=8)
    assert first.learned == pytest.approx(chosen["skip_connect"] / (chosen["skip_connect"] + convolutions))
    before = first.conv
    with torch.no_grad():  # another convolution leads
        several.alpha["normal"][:, names.index("sep_conv_5x5")] += 3.0
    assert skip_errors.measured(several, batches=1, size=8)[0].conv != before


def test_the_mean_over_batches_is_the_mean_of_the_batches(search):
    both = skip_errors.measured(search, batches=2, size=8, seed=3)
    points = Points(search)
    weights = {name: value.detach().double().softmax(-1) for name, value in search.alpha.items()}
    found = []
    for images, _ in points.batches(2, 8, seed=3):
        with torch.no_grad():
            estimates, nodes = by_hand(search, images, weights)
        found.append(2 - 2 * correlation(estimates[0, 4][0], nodes[0][1]))
    (edge,) = [each for each in both if (each.cell, each.source, each.target) == (1, 2, 3)]
    assert edge.skip == pytest.approx(sum(found) / 2, abs=1e-6)


def test_an_edge_alone_has_no_others():
    alone = make_search("toy", "fixed", nodes=None)
    assert alone.space.normal.edges == ((1, 2),)
    assert skip_errors.measured(alone, "others", batches=1, size=8) == []
    assert len(skip_errors.measured(alone, "cell", batches=1, size=8)) == 1


def test_a_channel_without_variance_becomes_zero():
    maps = torch.ones(2, 3, 4, 4)
    maps[:, 1] = torch.arange(32.0).reshape(2, 4, 4)
    found = skip_errors.standardised(maps)
    assert found[:, (0, 2)].abs().max() == 0
    assert found[:, 1].std(unbiased=False) == pytest.approx(1)


def test_a_cell_with_one_input_is_measured_too():
    search = make_search("nas-bench-201", "fixed", nodes=None, layers=8)
    found = skip_errors.measured(search, "last", batches=1, size=8)
    assert len(found) == 6 * 6
    assert sorted({each.cell for each in found}) == [1, 2, 4, 5, 7, 8]
    depths = {(each.cell, each.source): each.depth for each in found}
    assert [depths[1, source] for source in (0, 1, 2)] == [0, 1, 2]
    assert [depths[4, source] for source in (0, 1, 2)] == [7, 8, 9]  # two cells of three nodes and a residual block
    ((images, _),) = Points(search).batches(1, 8)
    weights = search.alpha["normal"].detach().double().softmax(-1)
    names = search.space.groups["normal"].operations[0]
    stages = search.supernet.stages
    with torch.no_grad():
        state = first = stages.stem(images)
        for cell in stages.cells[:2]:
            states = [state]
            for node in (1, 2, 3):
                into = [(edge, source) for edge, (source, target) in enumerate(cell.graph.edges) if target == node]
                states.append(
                    sum(
                        weights[edge, place] * cell.edges[edge].operations[place](states[source])
                        for edge, source in into
                        for place, name in enumerate(names)
                        if name != "none"
                    )
                )
            state = states[3]
    m = sum(scaled(each) for each in states[1:])
    (edge,) = [each for each in found if (each.cell, each.source, each.target) == (1, 0, 1)]
    assert edge.skip == pytest.approx(2 - 2 * correlation(first, m), abs=1e-9)


def test_operations_on_nodes_are_refused():
    name = next(name for name in spaces.names() if spaces.family(name) == "nas-bench-1shot1")
    with pytest.raises(UsageError, match="on mixed edges"):
        skip_errors.measured(make_search(name, "fixed", nodes=None, layers=3))


def test_measuring_changes_nothing_in_the_search():
    plain, watched = make_search(running=True), make_search(running=True)
    before = torch.get_rng_state()
    for target in ("cell", "last", "others"):
        skip_errors.measured(watched, target, batches=1, size=16)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module._forward_hooks for module in watched.supernet.modules())
    for (name, value), (_, other) in zip(plain.supernet.state_dict().items(), watched.supernet.state_dict().items()):
        assert torch.equal(value, other), name
    records = [each.run_epoch(lambda _step, _steps: None) for each in (plain, watched)]
    for key in ("train_loss", "valid_loss", "alpha", "genotype"):
        assert records[0][key] == records[1][key]


def test_hooks_are_removed_after_an_error(search, monkeypatch):
    def fails(*_arguments):
        raise ArithmeticError

    monkeypatch.setattr(Points, "logits", fails)
    with pytest.raises(ArithmeticError):
        skip_errors.measured(search, batches=1, size=8)
    assert not any(module._forward_hooks for module in search.supernet.modules())


def test_what_cannot_be_measured_is_refused(search):
    with pytest.raises(UsageError, match="cell, last, others"):
        skip_errors.measured(search, "first")
    with pytest.raises(UsageError, match="alpha's half"):
        skip_errors.measured(search, batches=100)
    with pytest.raises(UsageError, match="offers both"):
        skip_errors.measured(make_search("s4", "fixed"))


def edge(predicted, learned, source, skip=1.0):
    return skip_errors.EdgeErrors(
        cell=1, group="normal", source=source, target=9, depth=0, skip=skip, conv=2.0, covariance=0.0,
        predicted=predicted, learned=learned,
    )  # fmt: skip


def test_agreement_is_a_correlation_over_the_same_edges():
    searched = [edge(0.9, 0.2, 0), edge(0.1, 0.4, 1), edge(0.5, 0.9, 2)]
    control = [edge(0.3, 0.5, 2), edge(0.1, 0.5, 0)]  # in another order, and not on all edges
    assert skip_errors.agreement(control, searched) == pytest.approx(1.0)
    assert skip_errors.agreement([edge(0.3, 0.5, 0), edge(0.1, 0.5, 2)], searched) == pytest.approx(-1.0)
    assert skip_errors.agreement([edge(0.5, 0.5, 0), edge(0.5, 0.5, 1)], searched) == 0.0
    rows = torch.tensor([[0.9, 0.1, 0.5], [0.2, 0.4, 0.9]])
    assert skip_errors.agreement(searched, searched) == pytest.approx(torch.corrcoef(rows)[0, 1].item())


def test_edges_on_which_the_skip_connection_errs_less_are_counted():
    edges = [edge(0.5, 0.5, 0), edge(0.5, 0.5, 1, skip=2.0), edge(0.5, 0.5, 2, skip=2.5), edge(0.5, 0.5, 3)]
    assert skip_errors.share_below(edges) == 0.5
