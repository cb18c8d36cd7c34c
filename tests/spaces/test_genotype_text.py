"""Genotypes as other repositories print and store them: read alike, or refused with what to change."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype, parse_genotype
from nasbook.spaces.operations import NAMES


@st.composite
def cells(draw):
    """A random cell by its nodes, each with its pairs: two to a node, or every edge; its last node is put out."""
    nodes, every_edge = draw(st.integers(1, 5)), draw(st.booleans())
    sizes = [node if every_edge else 2 for node in range(2, 2 + nodes)]
    chosen = [
        [
            (draw(st.sampled_from(NAMES)), place if every_edge else draw(st.integers(0, node - 1)))
            for place in range(size)
        ]
        for node, size in enumerate(sizes, start=2)
    ]
    return chosen, tuple(range(2, 2 + nodes))


def flat(nodes):
    return tuple(pair for node in nodes for pair in node)


def text(normal, normal_concat, reduce, reduce_concat, more=""):
    return (
        f"Genotype(normal={normal}, normal_concat={normal_concat}, "
        f"reduce={reduce}, reduce_concat={reduce_concat}{more})"
    )


FORMS = {
    "nested by node": lambda nodes, concat: (nodes, list(concat)),
    "nested tuples": lambda nodes, concat: (tuple(map(tuple, nodes)), concat),
    "weights": lambda nodes, concat: ([(*pair, 0.25) for pair in flat(nodes)], list(concat)),
    "numpy's numbers": lambda nodes, concat: (
        "[" + ", ".join(f"({name!r}, np.int64({source}))" for name, source in flat(nodes)) + "]",
        f"list(range({concat[0]}, {concat[-1] + 1}))",
    ),
    "target before source": lambda nodes, concat: (
        [(name, node, source) for node, pairs in enumerate(nodes, 2) for name, source in pairs],
        f"range({concat[0]}, {concat[-1] + 1}, 1)",
    ),
    "source before target, last node first": lambda nodes, concat: (
        [[name, source, node] for node, pairs in reversed(list(enumerate(nodes, 2))) for name, source in pairs],
        f"tuple(range({concat[0]}, {concat[-1] + 1}))",
    ),
}
AROUND = ("%s", "genotype = %s", "11/05 02:31:10 PM genotype = %s\n", "\x1b[32m[INFO]\x1b[0m | best: %s\x1b[0m,", "%s;")


@pytest.mark.parametrize("form", FORMS)
@given(cells(), cells(), st.sampled_from(AROUND))
def test_forms_of_other_repositories_are_read(form, normal, reduce, around):
    expected = Genotype(flat(normal[0]), normal[1], flat(reduce[0]), reduce[1])
    written = around % text(*FORMS[form](*normal), *FORMS[form](*reduce), ", connectN=None, connects=None")
    assert parse_genotype(written) == spaces.read(written) == expected


@given(cells(), cells())
def test_json_is_read_in_the_same_forms(normal, reduce):
    expected = Genotype(flat(normal[0]), normal[1], flat(reduce[0]), reduce[1])
    fields = dict(zip(("normal", "normal_concat", "reduce", "reduce_concat"), (*normal, *reduce), strict=True))
    assert spaces.read(json.dumps({**fields, "connectN": None}, indent=1)) == expected


def test_vega_names_the_target_before_the_source():
    triples = [["sep_conv_3x3", 2, 0], ["skip_connect", 2, 1], ["skip_connect", 3, 2], ["none", 3, 0]]
    genotype = spaces.read(text(triples, [2, 3], [], []))
    assert genotype.edges("normal") == (
        (0, 2, "sep_conv_3x3"),
        (1, 2, "skip_connect"),
        (2, 3, "skip_connect"),
        (0, 3, "none"),
    )


PAIRS = "[('skip_connect', 0), ('skip_connect', 1)]"
GOOD = text(PAIRS, [2], [], [])
JSON = '{"normal": %s, "normal_concat": [2], "reduce": [], "reduce_concat": []}'


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (GOOD[:-1] + ", name='x')", "unknown field 'name': remove it"),
        (f"{GOOD}\n{GOOD}", "holds 2 genotypes: give one"),
        (f"{GOOD} step 3", "give it alone, up to its closing bracket"),
        (GOOD.replace("reduce=[]", "normal=[]"), "one twice"),
        (text([[("skip_connect", 0)], [("skip_connect", 1)]], [2, 3], [], []), "feeds its nodes by 1, 1 pairs"),
        (text([[("none", 0)] * 2, [("none", 0)] * 4], [2, 3], [], []), "by 2, 4 pairs; each node from 2 on takes two"),
        (text([("none", 2, 0), ("none", 4, 0)], [2], [], []), "takes two pairs, or one from every earlier node"),
        (text([("none", 2, 0), ("none", 0)], [2], [], []), "the target of some of its pairs only"),
        (text([("none", "0"), ("none", 0)], [2], [], []), "('operation', source) pairs"),
        (GOOD.replace("[2]", "range(2, 3, 0)"), "a plain list or a range"),
        (GOOD.replace("[2]", "np.random.rand(2)"), "a plain list or a range"),
        (GOOD.replace("[2]", "list(list(2))"), "a plain list or a range"),
        (GOOD.replace("reduce=[]", "x" * 9_000 + "=a.b"), "field 'xxx"),
        (GOOD.replace("0)", "9" * 4000 + ")"), "from node 999"),
        (GOOD.replace("skip_connect", "x" * 40_000), "names the operation 'xxx"),
        (GOOD.replace("[2]", "[" + "2, " * 2000 + "]"), "twice: [2, 2"),
        (GOOD + "," * 200_000, "at most 100000"),
        ('{"normal": ' + "9" * 5000 + "}", "not a JSON object"),
        ('{"normal": ' + "[" * 20_000 + "}", "not a JSON object"),
        (JSON % ("[[" * 20_000), "not a JSON object"),
        (JSON % "[]" + "}", "not a JSON object"),
        (JSON % "NaN", "('operation', source) pairs"),
        (JSON % '[["none", 1e999999], ["none", NaN]]', "('operation', source) pairs"),
        (JSON % '[["none", true], ["none", 0]]', "('operation', source) pairs"),
        (JSON % '[], "normal": []', "names the field 'normal' twice"),
        ('{"' + "x" * 90_000 + '": 1}', "unknown field 'xxx"),
        ("(4, 0, 3, 1, 4, 3)", "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|"),
        ("431440", "No published architecture"),
        ("x" * 90_000, "No published architecture"),
        ("", "A genotype reads"),
    ],
)
def test_other_forms_are_refused_in_a_short_sentence(written, says):
    with pytest.raises(UsageError) as refusal:
        spaces.read(written)
    assert says in str(refusal.value)
    assert len(str(refusal.value)) < 900


HOSTILE = st.sampled_from("(){}[]',:=|~+<-0129 \n\\\x00\ud800é")


@given(st.text(HOSTILE | st.characters(), max_size=60), st.integers(0, 200), st.integers(0, 20))
@example("9" * 5000, 40, 0)
@example("(" * 3000, 18, 0)
def test_any_damage_is_refused_or_read_as_what_comes_back(inserted, place, cut):
    for whole in (GOOD, JSON % '[["none", 0], ["none", 1]]', "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"):
        damaged = whole[:place] + inserted + whole[place + cut :]
        try:
            found = spaces.read(damaged)
        except UsageError:
            continue
        assert spaces.read(str(found)) == found
