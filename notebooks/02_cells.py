# %% [markdown]
# # 02. Cell-based search spaces
#
# *Search a small building block, then stack it: how a space of 10¹⁸ networks fits in a picture.*
#
# **You will be able to**
#
# - read a cell from its drawing and from its text form
# - say what each operation does inside, and how many parameters it has
# - count the architectures of a space, and check the count by visiting them all
# - stack cells to a network for small and for large images
# - predict how parameters grow with depth and with width
#
# **Before this:** chapter 01. **Time:** about 60 minutes in class, under a minute of computing.
#
# **Lecture:** Cell-based search spaces.

# %%
import math

import torch

import nasbook
from nasbook import figures, spaces, supernet
from nasbook.spaces import operations

nb = nasbook.start("02")

# %% [markdown]
# ## Search a part, not the whole
#
# A network of twenty layers, each with a free choice among seven operations and among all layers before it, can be
# built in more ways than anybody can count, and what is found for small images says little about large ones.
#
# Hand-made networks suggest a way out: they *repeat* a block. So search the block, called a **cell**, and stack
# copies of it. This is the cell that DARTS found for CIFAR-10.

# %%
darts = spaces.published("DARTS_V2").genotype
figures.cell(darts)

# %% [markdown]
# ## Reading a cell
#
# A cell is a directed graph without loops. Two inputs, $c_{k-2}$ and $c_{k-1}$, are the outputs of the two cells before
# it: nodes 0 and 1. Each round node is a tensor, the **sum** of what its edges bring:
#
# $$x_j = \sum_{i \to j} o_{ij}(x_i). \tag{2.1}$$
#
# Every node keeps exactly two edges, and each edge carries one operation $o_{ij}$. The output $c_k$ **concatenates**
# the round nodes along the channels (grey lines). Here is the drawing again as a list: source, target, operation.

# %% tags=["nbval-check-output"]
nb.show(darts.edges("normal"))

# %% [markdown]
# That is *one* architecture. The **space** has every allowed edge, and on every edge every allowed operation, side by
# side. Here is a small one: space S3 with two round nodes. One of its three operations, `none`, stands for "no edge":
# it matters in chapter 04, and is never part of a finished architecture.

# %%
figures.cell(spaces.get("s3", nodes=2))

# %% [markdown]
# ## What an operation is made of
#
# The names on the edges are promises about code. Here is the unit of the separable and the dilated convolutions,
# straight from the package.

# %%
nasbook.source(operations.SeparableUnit)

# %% [markdown]
# The order is **ReLU, convolution, normalisation**: the ReLU comes *first*. `sep_conv_3x3` runs such a unit twice,
# `dil_conv_3x3` once with gaps of one pixel between the nine taps. The two pools, and `skip_connect` where it only
# copies, have no ReLU.
#
# You can see the order without reading code: feed an image whose values are all negative.

# %% tags=["nbval-check-output"]
generator = torch.Generator().manual_seed(2)
negative = -torch.rand(4, 16, 8, 8, generator=generator) - 0.1
rows = [["operation", "output is all zero"]]
for name in ("skip_connect", "avg_pool_3x3", "dil_conv_3x3", "sep_conv_3x3"):
    operation = operations.build(name, 16, 1, normalising=operations.Normalising(), pool_norm=False)
    rows.append([name, bool((operation(negative) == 0).all())])
nb.show(rows)

# %% [markdown]
# The convolutions never saw the image: their ReLU had wiped it out before. Skip and pool pass it on.
#
# Now to costs. In a *reduction* cell the edges from the two inputs have stride 2: they halve height and width. A skip
# that copies its input cannot do that by itself.

# %%
nb.predict("02.1")

# %% tags=["main-result", "nbval-check-output"]
rows = [["operation", "stride 1", "stride 2"]]
for name in spaces.get("darts").operations:
    counts = []
    for stride in (1, 2):
        operation = operations.build(
            name, 16, stride, normalising=operations.Normalising(), pool_norm=False
        )
        counts.append(supernet.parameters(operation))
    rows.append([name, *counts])
nb.show(rows)

# %% [markdown]
# With $C$ channels and $k\times k$ taps, a unit has $k^2C$ depthwise and $C^2$ pointwise weights, and $2C$ of
# normalisation (scale and shift); a separable convolution has two units. No convolution has a bias.
#
# **`skip_connect` is free at stride 1 and has $C^2+2C$ parameters at stride 2.** One half of its channels reads the
# pixels in even rows and columns, the other half those in odd ones.

# %%
nasbook.source(operations.FactorizedReduce)

# %% [markdown]
# ## Counting architectures
#
# A node with $n$ possible edges keeps two of them, in $\binom{n}{2}$ ways, and gives each one of $K$ operations.
# Choices at different nodes are free of each other, so a cell has
#
# $$N = \prod_{j} \binom{n_j}{2} K^2 \tag{2.2}$$
#
# architectures. In DARTS four nodes have $n = 2, 3, 4, 5$ possible edges, and $K = 7$ operations are left when `none`
# is taken away. A normal and a reduction cell are searched together.

# %%
nb.predict("02.2")

# %% tags=["main-result", "nbval-check-output"]
one_cell = math.prod(math.comb(n, 2) * 7**2 for n in (2, 3, 4, 5))
nb.show(one_cell=one_cell, both_cells=one_cell**2, the_package_says=spaces.get("darts").size())

# %% [markdown]
# Could we train them all? Say an architecture takes six seconds, as at class size in this book. Then:

# %% tags=["nbval-check-output"]
years = 6 * one_cell**2 / (365 * 24 * 3600)
nb.show(years=f"{years:.0e}", ages_of_the_universe=f"{years / 13.8e9:.0f}")

# %% [markdown]
# No. This number is why the rest of the book exists.
#
# ## Is the formula right? Visit them all
#
# In a small space we can check. A **neighbour** of an architecture differs in one operation, or in where one edge comes
# from. Start anywhere, visit all neighbours, then theirs, until nothing new turns up. The order of a node's two edges
# means nothing (they are summed), so `canonical()` sorts them.

# %% tags=["nbval-check-output"]
small = spaces.get("s2", nodes=2, reduction="fixed")
start = small.sample(torch.Generator().manual_seed(0)).canonical()
seen, waiting = {start}, [start]
while waiting:
    around = {other.canonical() for other in small.neighbours(waiting.pop())}
    waiting += around - seen
    seen |= around
nb.show(
    visited=len(seen), formula=math.prod(math.comb(n, 2) * 2**2 for n in (2, 3)), size=small.size()
)

# %% [markdown]
# All 48. So small steps lead from any architecture to any other, which is what evolution (chapter 01) relies on.
#
# ## Four spaces of the same size
#
# Zela and others (2020) made four small spaces to study how DARTS fails; later chapters live in them. S2 offers
# {skip, sep 3×3} on every edge, S3 {none, skip, sep 3×3}, S4 {noise, sep 3×3}. S1 has its own two operations on each
# edge.

# %%
nb.predict("02.3")

# %% tags=["main-result", "nbval-check-output"]
rows = [["space", "edges", "operations", "architectures"]]
for name in ("s1", "s2", "s3", "s4"):
    listed = spaces.get(name)
    edges, candidates = listed.normal.shape
    rows.append([name, 2 * edges, candidates, listed.size()])
nb.show(rows)

# %% [markdown]
# Two billion each. S1 looks different from the others inside: every edge has a list of its own; by its
# authors' account, the two strongest operations of an earlier DARTS search. A space prints itself; this is its first
# half, with two nodes.

# %% tags=["nbval-check-output"]
nb.show(str(spaces.get("s1", nodes=2)))

# %% [markdown]
# Size grows fast with the number of nodes: each new node has one more place to read from, and two more operations to
# choose. The axis is logarithmic, and still the curves bend upwards.

# %%
figure, axis = figures.figure("single")
for name, marker in (("darts", "o"), ("s2", "s")):
    sizes = [spaces.get(name, nodes=nodes).size() for nodes in (1, 2, 3, 4)]
    axis.semilogy((1, 2, 3, 4), sizes, marker=marker, label=name.upper())
axis.set(xlabel="nodes of a cell", ylabel="architectures (both cells)", xticks=(1, 2, 3, 4))
axis.legend()
words = (
    f"Both grow faster than exponentially with the nodes; S2 ends at {sizes[-1]:.0e} architectures."
)
figures.Picture(figure, words)

# %% [markdown]
# ## Samples and neighbours
#
# Black-box searches need two moves: draw an architecture at random, and step to a neighbour. Compare the two cells and
# find the one thing that changed.

# %%
three_nodes = spaces.get("darts", nodes=3, reduction="fixed")
sample = three_nodes.sample(torch.Generator().manual_seed(5))
step = three_nodes.neighbours(sample)[7]
figure, axes = figures.figure("wide", 2, 1, height=5.2)
figures.together(figures.cell(sample, ax=axes[0]), figures.cell(step, ax=axes[1]))

# %% tags=["nbval-check-output"]
changed = [pair for pair in zip(sample.edges("normal"), step.edges("normal")) if pair[0] != pair[1]]
nb.show(
    changes=changed,
    neighbours=len(three_nodes.neighbours(sample)),
    architectures=three_nodes.size(),
)

# %% [markdown]
# ## The text form
#
# Papers publish a cell as a **genotype**: for each cell a flat list of (operation, source) pairs, two for each node in
# order, and the nodes that are put out. A published text and a program's own result must be the same thing, so we read
# and write exactly this form.

# %% tags=["nbval-check-output"]
text = str(small.sample(torch.Generator().manual_seed(1)))
again = spaces.parse_genotype(text)
nb.show(text, same_after_reading=str(again) == text, in_space_s2=small.parse(text) == again)

# %% [markdown]
# Text from elsewhere is *parsed*, never evaluated: a genotype cannot run code on your machine. What does not fit is
# refused with a sentence. Here node 2 reads from node 5, which does not exist yet when node 2 is computed.

# %% tags=["nbval-check-output"]
broken = text.replace("('skip_connect', 1)", "('skip_connect', 5)")
try:
    spaces.parse_genotype(broken)
except ValueError as refusal:
    nb.show(str(refusal))

# %% [markdown]
# ## Stacking cells
#
# A network is a stem, a row of cells and a linear classifier. At one third and at two thirds of the depth stands a
# *reduction* cell: it halves height and width and doubles the channels. All normal cells have one architecture (and
# weights of their own), so have the reduction cells.
#
# The same cell serves large images: more stem in front, until the images are small. Boxes are as tall as their images.

# %%
figure, axes = figures.figure("wide", 2, 1, height=4.4)
figures.together(
    figures.stack(20, image=32, channels=36, ax=axes[0]),
    figures.stack(14, image=224, channels=48, stem_stride=8, ax=axes[1]),
)

# %% [markdown]
# Above the stack of DARTS for CIFAR-10, below the one for ImageNet, whose stem halves the images three times. NASNet
# puts two more reduction cells there instead. **What is searched on small images is used on large ones**: the cell is
# the part that transfers.
#
# ## Parameters against depth and width
#
# A cell fixes *what* is repeated; the number of cells $L$ and of channels $C$ are ours. Most weights sit in 1×1
# convolutions of $C$ to $C$ channels.

# %%
nb.predict("02.4")

# %% tags=["main-result", "nbval-check-output"]
base = supernet.describe(darts, channels=18, layers=11, classes=10)["params"]
wide = supernet.describe(darts, channels=36, layers=11, classes=10)["params"]
deep = supernet.describe(darts, channels=18, layers=20, classes=10)["params"]
nb.show(
    base=base, twice_as_wide=wide / base, from_3_to_6_normal_cells_a_stage=deep / base, digits=3
)

# %% [markdown]
# Width counts squared, depth about in proportion: 20 cells instead of 11 double the normal cells of each stage and
# leave the two reductions as they were, so the factor stays just below 2.

# %%
depths, widths = (5, 8, 14, 20), {12: "o", 24: "s", 36: "^"}
figure, axis = figures.figure("single")
for width, marker in widths.items():
    costs = [supernet.describe(darts, channels=width, layers=n, classes=10) for n in depths]
    million = [cost["params"] / 1e6 for cost in costs]
    axis.plot(depths, million, marker=marker, label=f"{width} channels")
axis.set(xlabel="cells", ylabel="parameters (million)", xticks=depths, ylim=(0, None))
axis.legend()
words = f"Parameters rise on straight lines with the cells, to {million[-1]:.2f} million."
figures.Picture(figure, words)

# %% [markdown]
# ## Do published numbers agree?
#
# Papers print sizes in millions at 36 channels and 20 cells. If our operations, cells and stack are those of the
# papers, our counts must round to theirs. They are not trained here: a count needs no weights.

# %% tags=["nbval-check-output"]
rows = [["cell", "printed", "counted here"]]
for name in ("DARTS_V2", "PC_DARTS_cifar", "DARTS_PT_s2", "DARTS_PT_s3", "DARTS_PT_fixed_alpha_s1"):
    entry = spaces.published(name)
    cost = supernet.describe(entry.genotype, channels=36, layers=20, classes=10)
    rows.append([name, str(entry.params_million), f"{cost['params'] / 1e6:.3f}"])
nb.show(rows)

# %% [markdown]
# And where do found cells stand among random ones? Parameters and multiply-adds (one for each weight at each pixel
# that it works on) at the size of a search, 16 channels and 8 cells.

# %%
space, generator, named = spaces.get("darts"), torch.Generator().manual_seed(7), {}
drawn = [
    supernet.describe(space.sample(generator), channels=16, layers=8, classes=10) for _ in range(20)
]
for name in ("DARTS_V2", "PC_DARTS_cifar", "DrNAS_cifar10"):
    named[name] = supernet.describe(
        spaces.published(name).genotype, channels=16, layers=8, classes=10
    )
figure, axis = figures.figure("single")
x, y = ([cost[key] / 1e6 for cost in drawn] for key in ("macs", "params"))
axis.plot(x, y, "x", color="grey", label="20 random cells")
for (name, cost), marker in zip(named.items(), "D^s"):
    axis.plot(cost["macs"] / 1e6, cost["params"] / 1e6, marker, markersize=8, label=name)
axis.set(xlabel="multiply-adds (million)", ylabel="parameters (million)")
axis.legend()
smaller = {name: sum(cost["params"] / 1e6 > other for other in y) for name, cost in named.items()}
words = ", ".join(f"{name} is larger than {count}" for name, count in smaller.items())
figures.Picture(figure, f"Parameters against multiply-adds. Of 20 random cells, {words}.")

# %% tags=["nbval-check-output"]
nb.show("random cells, of 20, that are smaller than", smaller)

# %% [markdown]
# Two of the three published cells are larger than every random one: they hold many separable convolutions. **Compare
# sizes before you compare accuracies**; part of a method's advantage may be that it likes large operations.
#
# ## Try it: the cell builder
#
# Choose a space, then edges and operations; or draw a random cell, or take a neighbour step. The text field takes a
# genotype, or a published name such as `DARTS_V2` in space `darts` with four nodes, and builds it.
#
# **Task.** Show the reduction cell. At first its node 3 takes a `skip_connect` from node 2; let it come from node 1
# instead, and watch the parameters. Exercise 02.2 asks for more.

# %% tags=["widget"]
from nasbook.widgets.cell_builder import CellBuilder

builder = CellBuilder()
builder

# %% [markdown]
# `builder.state()` is a text that says all of this. `CellBuilder(text)` shows it again, on anybody's machine.

# %% tags=["nbval-check-output"]
nb.show(builder.state())

# %% [markdown]
# ## Checkpoint
#
# Four questions before you go on.

# %% tags=["nbval-check-output"]
nb.predict("02.5")

# %% tags=["nbval-check-output"]
nb.predict("02.6")

# %% tags=["nbval-check-output"]
nb.predict("02.7")

# %% tags=["nbval-check-output"]
nb.predict("02.8")

# %% [markdown]
# ## Exercises
#
# ### Exercise 02.1 (easy, 5 minutes)
#
# Write `cell_size(inputs, operations)`: the number of architectures of a cell, where `inputs` lists how many edges can
# reach each node, like `(2, 3, 4, 5)`, and `operations` is $K$ without `none`.
#
# <details><summary>Hint 1</summary>Equation (2.2) is a product over the nodes.</details>
# <details><summary>Hint 2</summary><code>math.prod</code> and <code>math.comb(n, 2)</code>.</details>


# %%
def cell_size(inputs, operations):
    """Replace the next line: edges into each node, operations -> number of architectures."""
    raise nasbook.NotAttempted


nb.check("02.1", cell_size)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_cell_size(inputs, operations):
    return math.prod(math.comb(n, 2) * operations**2 for n in inputs)


nb.check_solution("02.1", solution_cell_size)

# %% [markdown]
# ### Exercise 02.2 (easy, 10 minutes)
#
# In the cell builder choose space `s2`, three nodes, a searched reduction, and build an architecture of nothing but
# `skip_connect` that has as few parameters as possible. Hand in `builder.state()`.
#
# <details><summary>Hint 1</summary>Which edges of the reduction cell halve the image?</details>
# <details><summary>Hint 2</summary>In the reduction cell, let nodes 3 and 4 read from round nodes where they
# can.</details>

# %%
cheapest = ...  # builder.state()
nb.check("02.2", cheapest)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
skips = [("skip_connect", source) for source in (0, 1, 0, 2, 2, 3)]
all_skip = spaces.get("s2", nodes=3).genotype({"normal": tuple(skips), "reduce": tuple(skips)})
solution_state = f"space=s2 nodes=3 reduction=searched channels=8 layers=5 genotype={all_skip}"
nb.check_solution("02.2", CellBuilder(solution_state).state())

# %% [markdown]
# ### Exercise 02.3 (medium, 15 minutes)
#
# Write `operation_parameters(name, channels, stride)` for the eight operations of DARTS, without building one.
#
# <details><summary>Hint 1</summary>The kernel size is the last letter of the name. Scale and shift count too.</details>
# <details><summary>Hint 2</summary>A unit has k²C + C² + 2C parameters; FactorizedReduce has two convolutions of C to
# C/2 channels and one normalisation.</details>


# %%
def operation_parameters(name, channels, stride):
    """Replace the next line: name, channels, stride (1 or 2) -> number of parameters."""
    raise nasbook.NotAttempted


nb.check("02.3", operation_parameters)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_operation_parameters(name, channels, stride):
    if name == "skip_connect" and stride == 2:
        return channels**2 + 2 * channels
    if "conv" not in name:
        return 0
    unit = int(name[-1]) ** 2 * channels + channels**2 + 2 * channels
    return 2 * unit if name.startswith("sep") else unit


nb.check_solution("02.3", solution_operation_parameters)

# %% [markdown]
# ### Exercise 02.4 (hard, 25 minutes)
#
# Some architectures are one network under two names: if node 3 does not read node 2, the two can change numbers (the
# output's channels change order, which the next 1×1 convolution can undo). Write `distinct(cells)`: how many of a list
# of cells are different when the *round* nodes may be renumbered. A cell is a tuple of (operation, source) pairs, two
# for each node in order, like `genotype.normal`.
#
# <details><summary>Hint 1</summary>Give each cell a name that does not depend on the numbers: the smallest over all
# renumberings (<code>itertools.permutations</code>).</details>
# <details><summary>Hint 2</summary>A renumbered cell: for new node 2, 3, ... the sorted pairs with renamed sources.
# Count the different names with a set.</details>


# %%
def distinct(cells):
    """Replace the next line: a list of cells -> how many differ."""
    raise nasbook.NotAttempted


nb.check("02.4", distinct)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
from itertools import permutations


def name_of(cell):
    nodes, names = range(2, 2 + len(cell) // 2), []
    for order in permutations(nodes):
        new = {0: 0, 1: 1, **dict(zip(nodes, order))}
        feeds = {new[n]: sorted((o, new[s]) for o, s in cell[2 * n - 4 : 2 * n - 2]) for n in nodes}
        names.append([feeds[node] for node in nodes])
    return str(min(names))


def solution_distinct(cells):
    return len({name_of(cell) for cell in cells})


nb.check_solution("02.4", solution_distinct)

# %% [markdown]
# ## What breaks
#
# - **One cell for all depths.** Early and late layers get the same wiring, though they need not want it.
# - **The stack is not searched.** How many cells, where to halve, how wide: people chose. Much of the accuracy of a
#   cell-based network comes from there, so a random cell is a strong opponent; compare with one.
# - **Search small, use large.** DARTS searches with 8 cells and 16 channels and evaluates with 20 and 36. A cell that
#   is best when shallow need not be best when deep.
# - **Names count twice.** Exercise 02.4 shows that 10¹⁸ counts some networks several times.
#
# Even so, 10¹⁸ is out of reach for training one by one. Chapter 03 trains them all at once, with shared weights.

# %% [markdown]
# ## Takeaways
#
# - A cell is a small graph: nodes sum two edges, the output concatenates nodes; a genotype is its text.
# - Operations run ReLU, convolution, normalisation; a skip is free at stride 1 and costs $C^2+2C$ at stride 2.
# - A space has $\prod_j \binom{n_j}{2}K^2$ architectures a cell, about 10¹⁸ for DARTS; `none` adds none.
# - Normal cells with two reductions between them make a network; a longer stem adapts it to large images.
# - Parameters grow with the square of the width, and about in proportion to the depth.
#
# **References.** Zoph and others 2018 (NASNet); Liu, Simonyan and Yang 2019 (DARTS), section 3 and appendix A; Zela and
# others 2020 (S1 to S4).
