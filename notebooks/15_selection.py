# %% [markdown]
# # 15. Perturbation-based selection
#
# *An operation is as strong as the supernet is weak without it.*
#
# **You will be able to**
#
# - say what the size of alpha asks, and what perturbation-based selection asks instead
# - write the algorithm out, decision by decision, and say what each of its details is for
# - judge a selection by its decisions: what the supernet lost, and how sure the choice was
# - compare selections with the controls that tell a good selection from an easy space
#
# **Before this:** chapters 06, 07 and 14. **Time:** about 60 minutes in class, about a minute of computing.
#
# **Lecture:** Perturbation-based selection.

# %%
import copy
from dataclasses import replace

import torch

import nasbook
from nasbook import datasets, sizes, spaces

nb = nasbook.start("15")

# %% [markdown]
# ## Two questions
#
# Chapter 14 doubted that the largest $\alpha$ marks the best operation. What else could? Wang et al. (2021) ask the supernet
# itself. Let $\theta$ be its operation weights, and $\theta^{(e, o)}$ the same with the weight of operation $o$ on edge
# $e$ set to zero. The score is the accuracy $A$ that is left, on alpha's half and with the same shared weights $w$ (with a
# minus before it, (14.2)):
#
# $$s_{e,o} = A\bigl(w, \theta^{(e,o)}\bigr), \qquad o^*_e = \arg\min_o s_{e,o}. \tag{15.1}$$
#
# **Magnitude** asks: which operation did gradient descent put its weight on? **Perturbation** asks: without which one does the
# supernet do worst? Note the *min*: kept is what is missed most. And note what is not done: the other weights of
# the edge are left as they are, so its row sums to less than one.

# %% [markdown]
# ## A search to select from
#
# S2, where DARTS collapses (chapter 07): two operations an edge, skip connection and separable convolution. We use this
# size's numbers with half the images and fewer epochs and tuning steps, which a lesson can wait for.

# %%
from nasbook.runtime.driver import drive
from nasbook.runtime.run_folder import RunFolder
from nasbook.search import Search, recipes
from nasbook.selection import PerturbationSelection, magnitude

full = nb.preset.of("darts", "darts+pt").search
space = spaces.get("s2", nodes=full.nodes, reduction="fixed")
data = datasets.load(nb.preset.data)
shorter = {"images": 2000, "epochs": 14, "tuning_steps": 15, "reduction": "fixed"}
shorter |= {"selection_order": "forward", "running": True}  # running: for What breaks


def new_search(**more):
    """A search of S2 that may be selected from by perturbation."""
    numbers = sizes.override(full, shorter | more)
    settings = {"recipe": recipes.get("darts+pt"), "numbers": numbers, "derive": magnitude}
    return Search(space, data, seed=1502, device=nb.device, **settings)


# %%
searched = new_search()
history = drive(searched, RunFolder(None, {}), [nb.progress])
state = copy.deepcopy(searched.state_dict())


def trained(**more):
    """The same trained supernet again, as often as it is needed."""
    search = new_search(**more)
    search.load_state_dict(copy.deepcopy(state))
    return search


print(f"supernet {history[-1]['valid_accuracy']:.0f} %, and by magnitude {searched.genotype()}")

# %% [markdown]
# ## One decision
#
# The first edge goes from input 0 to node 2. `look` takes each of its operations out in turn, and decides nothing.

# %%
nb.predict("15.1")

# %% tags=["main-result"]
selection = PerturbationSelection(trained())
first = selection.stops[0][0]
seen = selection.look(first)
for name, weight, accuracy in zip(seen["options"], seen["weights"], seen["accuracies"]):
    change = accuracy - seen["before"]
    print(f"{name:13} weight {weight:.2f}   without it {accuracy:.1f} %, a change of {change:+.1f}")

# %%
from nasbook.figures import selection as pictures

missed = seen["options"][seen["accuracies"].index(min(seen["accuracies"]))]
kept = selection.keep(first, [seen["options"].index(missed)])
pictures.decision({**seen, "kept": [missed], "after": kept})

# %% [markdown]
# Left: what magnitude reads, a triangle at its favourite. Right: what perturbation reads; the shorter bar is kept.
#
# How sure is that? The two accuracies are measured on the same images, so only those count that one answers right and the
# other wrong. If $d$ of $n$ images are such, the standard error of the difference is at most $\sqrt{d} / n$. With $n =
# 1000$ and a tenth of them disputed that is one point. A decision that is closer is not told apart: on other images it
# may fall the other way.

# %% [markdown]
# ## The algorithm
#
# 1. Take an edge that is not decided (published: drawn at random; here: from input to output).
# 2. Score each of its operations by (15.1), with batch statistics. Keep the lowest; of equals the first.
# 3. Set the edge to that operation alone, and **tune**: train the supernet a little, so that it gets used to the loss.
# 4. When all edges hold one operation, each node keeps the edges that it misses most: a whole row is set to zero in turn.
#    This is the **topology step**.

# %%
from nasbook.relaxation import Decided
from nasbook.selection.scoring import score


def without(search, edge, operations):
    """The supernet's accuracy with these weights of an edge set to zero."""
    weights = search.relaxation.expected(search.alpha, search.progress)
    less = weights["normal"].detach().clone()
    less[edge, operations] = 0.0
    return score(search, {**weights, "normal": less}).accuracy


def decide_edge(search, decided, edge):
    """Steps 2 and 3: one operation stays."""
    count = len(space.groups["normal"].operations[edge])
    accuracies = [without(search, edge, operation) for operation in range(count)]
    decided[edge] = (accuracies.index(min(accuracies)),)


# %% [markdown]
# `Decided` is a relaxation around another one: rows that are decided become one-hot, the others go on as softmax, and
# $\alpha$ goes on learning there. The search has annealed its learning rate to nearly zero, so tuning begins with a new
# optimiser at a constant rate (`tuning_lr`).


# %%
from nasbook.search.building import weights_optimizer


def decide_node(search, decided, node):
    """Step 4: the edges that are missed most stay."""
    cell = space.groups["normal"]
    accuracies = {edge: without(search, edge, slice(None)) for edge in cell.into(node)}
    best = sorted(accuracies, key=lambda edge: accuracies[edge])[: cell.keep]
    decided.update({edge: () for edge in accuracies if edge not in best})


def select(search):
    """The whole algorithm; the search is used up."""
    cell, decided = space.groups["normal"], {}
    search.relaxation = Decided(search.relaxation, {"normal": decided})
    tuned = replace(search.numbers, w_lr=search.numbers.tuning_lr)
    search.w_optimizer = weights_optimizer(search.supernet, tuned)
    for edge in range(len(cell.edges)):
        decide_edge(search, decided, edge)
        search.train(search.numbers.tuning_steps, lambda step, steps: None)
    for node in [each for each in cell.nodes if len(cell.into(each)) > cell.keep]:
        decide_node(search, decided, node)
    return search.genotype()


# %%
nb.predict("15.2")

# %% tags=["main-result", "nbval-check-output"]
mine = select(trained())
package = PerturbationSelection(trained())
records = drive(package, RunFolder(None, {}), [nb.progress])
nb.show(
    stops=len(records),
    decided_as_the_package_does=mine == package.architecture(),
)

# %% [markdown]
# The package does the same, remembers every decision, and goes on where it was killed. Its table of decisions:

# %%
pictures.log(records)

# %% [markdown]
# Each row is a decision; a cell says how many points the supernet gains or loses without that option. Framed is what was kept,
# a triangle is the largest weight: where it is outside the frame, perturbation overruled $\alpha$. On the right, the supernet
# before and after: most decisions cost some points, and tuning often wins a part of them back before the next.

# %% [markdown]
# ## What it costs
#
# A score is one pass over the validation images, without gradients. With $K$ operations an edge and $E$ edges that is $K E$
# passes and the topology step; to that comes the tuning between the decisions. Scores of one edge can also be computed
# **together**: what comes before the edge is the same for all, the rest runs as one batched call (`selection_scoring`). The
# numbers are the same but for rounding; whether it is faster depends on the machine (claims *together* of the ledger below).

# %%
from nasbook.figures import cells

cells.cell(mine, "normal")

# %% [markdown]
# ## Replay it, or decide by hand
#
# **Task:** the stored selection is the one of seed 4 of the study `pt-s2` (20 epochs, 25 tuning steps). (1) Step through it.
# Where does it overrule the largest weight? (2) Switch to *decide by hand*, on our own supernet (another seed): keep the largest
# weight everywhere, and read the last accuracy. (3) Go back with *Reset*, and let *Next* keep what perturbation keeps.
# (4) Can you end higher than either?

# %% tags=["widget"]
from nasbook import claims
from nasbook.widgets.selection_stepper import SelectionStepper

in_s2 = claims.runs("pt-s2")
replay = in_s2[0].values["decisions"]["darts+pt"]
SelectionStepper(replay, space, live=trained(), state="mode=replay decided=1 picks=-")

# %% [markdown]
# <details><summary>What to look for</summary>(1) The next cell lists it. (2), (3) With few images and few tuning steps the
# numbers jump; the order of the two ends is what to compare. (4) Often yes: the algorithm is greedy, and never takes
# a decision back. A higher end on these images is still no better cell: that takes a training from scratch.</details>

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
from nasbook.selection.records import decisions, favourite

table = [["decision", "largest weight", "kept", "supernet before", "after"]]
for made in decisions(replay):
    ends = [f"{made[key]:.1f}" for key in ("before", "after")]
    table.append([made["where"], favourite(made) or "-", " ".join(made["kept"]), *ends])
nb.show(table)

# %% [markdown]
# ## Magnitude against perturbation in S1 to S4
#
# One search is one anecdote; the studies `pt-s1` to `pt-s4` have four seeds each. From every supernet both rules select, and
# each cell is trained from scratch three times on fresh images. S1 and S3 have 12 epochs, S2 has 20; S4 has 18, four layers
# and a searched reduction. Beside them:
#
# - **fixed $\alpha$**: the supernet is trained at equal weights, $\alpha$ never moves, and perturbation selects;
# - **SDARTS-ADV** (chapter 13), by magnitude and by perturbation;
# - two controls that no search made: **a random cell** of the space, and the cell of **convolutions**: one from each input
#   into each node, or where an edge has none (S1) the first operation that it has.

# %%
nb.predict("15.3")

# %% tags=["main-result"]
from nasbook.analysis.published_errors import published_errors
from nasbook.claims import comparison

studies = {"S1": "pt-s1", "S2": "pt-s2", "S3": "pt-s3", "S4": "pt-s4"}
columns = {"DARTS": "darts", "DARTS+PT": "darts+pt", "fixed α+PT": "darts+pt-fixed-alpha"}
columns |= {"SDARTS-ADV": "sdarts-adv", "SDARTS-ADV+PT": "sdarts-adv+pt"}
columns |= {"a random cell": "random", "convolutions": "convolutions"}
missing = comparison.not_measured(*studies.values())
studies = {name: study for name, study in studies.items() if study not in missing}
stored = {name: [run.values for run in claims.runs(study)] for name, study in studies.items()}
errors = {
    name: {title: [100 - run[f"{key}_derived"] for run in runs] for title, key in columns.items()}
    for name, runs in stored.items()
}
rows = [row for row in published_errors() if row.data == "cifar10"]
known = {(row.space.upper(), row.method): row.test_error for row in rows}
published = {
    name: {title: known[name, key] for title, key in columns.items() if (name, key) in known}
    for name in studies
}
pictures.per_space(errors, published)

# %% [markdown]
# Above: errors measured here, a dot a seed, the square with its 95 % interval. Below: what is published for CIFAR-10 (the best
# of four searches). The differences, paired by seed, in points of accuracy:

# %% tags=["nbval-check-output"]
from nasbook.claims.verdicts import interval


def told(values):
    """Mean and half of the 95 % interval, which one seed has not."""
    found = interval(values)
    return f"{found.mean:.1f}" + ("" if found.spread is None else f" ± {found.spread:.1f}")


compared = {"PT − magnitude": "darts+pt_minus_darts", "PT − random": "darts+pt_minus_random"}
compared |= {"PT − convolutions": "darts+pt_minus_convolutions"}
compared |= {"fixed α − PT": "darts+pt-fixed-alpha_minus_darts+pt"}
compared |= {"ADV+PT − ADV": "sdarts-adv+pt_minus_sdarts-adv"}
table = [["", *studies], ["seeds", *map(len, stored.values())]]
for title, key in compared.items():
    table.append([title, *(told([run[key] for run in runs]) for runs in stored.values())])
nb.show(table)
nb.show(not_measured_yet=", ".join(missing) or "nothing")

# %% [markdown]
# Read each row with its interval: where that holds zero, nothing is shown. In S2 and S4 the first row is the lecture's:
# magnitude keeps skip connections, or noise, and perturbation finds a far better cell. The second row depends on the luck
# of the draw: in S2 a random cell does about as well; in S4 it may hold much noise, hence the long interval. In S1
# perturbation's cell is above a random one by the whole interval, and that is luck too: none of those four holds the separable
# convolution; the random cells of chapter 07 do, and are as good (chapter 16). The third row is the
# sterner one: in no space is it shown to be above the cell of convolutions.
#
# So perturbation *repairs* a collapse. A repair is no search: to be one, it would have to beat what costs nothing.

# %% [markdown]
# ## When can it help?
#
# Three numbers say. How often does it overrule the largest weight? How many operations of its cell are convolutions? And how
# close were its decisions, the median of the points between the kept operation and the next?

# %% tags=["nbval-check-output"]
import statistics


def margin(made):
    """Points between the lowest accuracy and the next."""
    low, next_one, *_ = sorted(made["accuracies"])
    return next_one - low


table = [["space", "search", "overruled", "convolutions of its cell", "median margin"]]
for name, runs in stored.items():
    for method in ("darts+pt", "darts+pt-fixed-alpha", "sdarts-adv+pt"):
        every = [made for run in runs for made in decisions(run["decisions"][method])]
        margins = [margin(made) for made in every if made["kind"] == "operation"]
        shares = [
            statistics.mean(run[f"{method}_{key}"] for run in runs)
            for key in ("changed", "kept_convolutions")
        ]
        table.append(
            [name, method, *(f"{each:.2f}" for each in (*shares, statistics.median(margins)))]
        )
nb.show(table)

# %% [markdown]
# With fixed $\alpha$ the weights are nearly equal, so there "overruled" says little. After SDARTS-ADV perturbation mostly *agrees*
# with the largest weight, and the row *ADV+PT − ADV* above shows no gain in any space.
#
# With a tenth of 2,000 images disputed, the standard error of a margin is 0.7 points: narrower decisions are not told apart,
# and in S3 about half of those of DARTS+PT are narrower. Nor is (15.1) free of $\alpha$: who takes out a weight of 0.9 also takes most of what the edge brings, so a heavy skip
# connection is missed for its size. And a decision speaks of *here*, with all other edges still mixed, not of training
# from scratch. Perturbation can help where an operation is harmful or missed, and the supernet good enough to tell. Where
# nearly every cell with a convolution does equally well, nothing is left to select.

# %% [markdown]
# **Fixed $\alpha$.** If perturbation does as well with $\alpha$ that never moved, the bilevel search contributed nothing that the
# selection used: that is the lecture's argument. The row *fixed α − PT* has the test: in S3 the two are equal within a point, and
# on NAS-Bench-201 below; in S1 the fixed $\alpha$ is behind with every seed; in S2 and S4 the interval is too wide. Where a random cell does as well too, "as well" needs nothing in $w$ either.
#
# ## NAS-Bench-201, and a simpler explanation
#
# Here DARTS gives `none` the largest weight on some edges, and magnitude keeps it. Perturbation may keep `none` too, but who
# takes out what puts out nothing changes nothing. So a simpler rule should stand beside it: **the largest weight without
# `none`**, which needs no perturbation at all. (Convolutions: 3x3 on every edge.)

# %% tags=["nbval-check-output"]
in_201 = [run.values for run in claims.runs("pt-nas-bench-201")]
columns_201 = {"DARTS": "darts", "DARTS without none": "without-none", "DARTS+PT": "darts+pt"}
columns_201 |= {"fixed α+PT": "darts+pt-fixed-alpha"}
columns_201 |= {"a random cell": "random", "convolutions": "convolutions"}
table = [["selection", "test accuracy (%)", "less that of DARTS+PT, points"]]
for title, key in columns_201.items():
    own = [run[f"{key}_derived"] for run in in_201]
    less = [value - run["darts+pt_derived"] for value, run in zip(own, in_201)]
    table.append([title, told(own), told(less)])
nb.show(table)

# %%
pictures.per_space(
    {
        "NAS-Bench-201": {
            title: [100 - run[f"{key}_derived"] for run in in_201]
            for title, key in columns_201.items()
        }
    }
)

# %% [markdown]
# Compare the second row with the third before you credit perturbation: the difference between them is what perturbation adds to
# a rule of one line, and 0 lies in its interval: it is not shown to add anything.
#
# ## Over the search
#
# The lecture's last picture: both rules select from the *same* search, from states that were kept after more and more epochs.

# %%
nb.predict("15.4")

# %% tags=["main-result"]
pictures.over_search([run["over_epochs"] for run in in_201])

# %% [markdown]
# Bars are 95 % intervals over the seeds. What counts is the fall of each seed from its best (claims *over-epochs* below), not
# how bars overlap; with two points a fall is seen only if the first is the better. And magnitude does not collapse here, so
# that perturbation does not either tests little. A search of 12 epochs is short: the published one has 100, and there magnitude ends with cells of skip
# connections. The ledger has every claim of this chapter; thresholds were set before its numbers, but for the first seed of
# S2 and S4 and a first look at the times of *together*:

# %% tags=["nbval-check-output"]
nb.claims()

# %% [markdown]
# ## Checkpoint

# %% tags=["nbval-check-output"]
nb.predict("15.5")

# %% tags=["nbval-check-output"]
nb.predict("15.6")

# %% tags=["nbval-check-output"]
nb.predict("15.7")

# %% tags=["nbval-check-output"]
nb.predict("15.8")

# %% [markdown]
# ## Exercises
#
# ### Exercise 15.1 (easy, 10 minutes)
#
# Write `score_edge(measure, weights, edge)` by (15.1): `measure` takes weights (E, K) and returns an accuracy. Return the K
# accuracies, each without one operation of the edge. Leave `weights` as they are.
#
# <details><summary>Hint 1</summary>A fresh <code>weights.clone()</code> for each operation.</details>
# <details><summary>Hint 2</summary>Nothing is divided: the row may sum to less than one.</details>


# %%
def score_edge(measure, weights, edge):
    """Replace the next line: a function, (E, K), a number -> K accuracies."""
    raise nasbook.NotAttempted


nb.check("15.1", score_edge)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_score_edge(measure, weights, edge):
    accuracies = []
    for operation in range(weights.shape[1]):
        less = weights.clone()
        less[edge, operation] = 0.0
        accuracies.append(measure(less))
    return accuracies


nb.check_solution("15.1", solution_score_edge)

# %% [markdown]
# ### Exercise 15.2 (easy, 5 minutes)
#
# Write `pick(accuracies)`: from the accuracies without each operation the place of the one to keep. Where two are equal the
# first is kept.
#
# <details><summary>Hint 1</summary>Is what is missed most the highest or the lowest?</details>
# <details><summary>Hint 2</summary><code>list.index</code> finds the first place of a value.</details>


# %%
def pick(accuracies):
    """Replace the next line: K accuracies -> a place."""
    raise nasbook.NotAttempted


nb.check("15.2", pick)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_pick(accuracies):
    return accuracies.index(min(accuracies))


nb.check_solution("15.2", solution_pick)

# %% [markdown]
# ### Exercise 15.3 (medium, 20 minutes)
#
# Write `accuracy(network, images, labels)`: the percentage of right answers when batch normalisation uses the statistics of
# these images. Nothing in the network may change: neither its running statistics (they are buffers), nor its mode.
#
# <details><summary>Hint 1</summary>In training mode batch statistics are used, and the buffers are updated. Save them first:
# <code>network.named_buffers()</code>.</details>
# <details><summary>Hint 2</summary><code>network.training</code> says the mode. <code>buffer.copy_(saved)</code> puts a
# buffer back, under <code>torch.no_grad()</code>.</details>


# %%
def accuracy(network, images, labels):
    """Replace the next line: a module, (B, ...), (B,) -> percent."""
    raise nasbook.NotAttempted


nb.check("15.3", accuracy)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_accuracy(network, images, labels):
    mode = network.training
    saved = {name: buffer.clone() for name, buffer in network.named_buffers()}
    network.train()
    with torch.no_grad():
        right = (network(images).argmax(1) == labels).double().mean()
        for name, buffer in network.named_buffers():
            buffer.copy_(saved[name])
    network.train(mode)
    return 100 * float(right)


nb.check_solution("15.3", solution_accuracy)

# %% [markdown]
# ### Exercise 15.4 (medium, 15 minutes)
#
# Write the topology step, `keep_edges(measure, weights, edges, keep)`: of these edges into a node return the `keep` that
# are missed most. Each is scored once, with its whole row at zero and all others there.
#
# <details><summary>Hint 1</summary>As in 15.1, with <code>less[edge] = 0.0</code>.</details>
# <details><summary>Hint 2</summary><code>sorted(edges, key=...)</code> by accuracy, lowest first.</details>


# %%
def keep_edges(measure, weights, edges, keep):
    """Replace the next line: a function, (E, K), edges, a number -> edges."""
    raise nasbook.NotAttempted


nb.check("15.4", keep_edges)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_keep_edges(measure, weights, edges, keep):
    accuracies = {}
    for edge in edges:
        less = weights.clone()
        less[edge] = 0.0
        accuracies[edge] = measure(less)
    return sorted(edges, key=lambda edge: accuracies[edge])[:keep]


nb.check_solution("15.4", solution_keep_edges)

# %% [markdown]
# ## What breaks
#
# **Scoring in evaluation mode.** Running statistics were collected at the full mixture. An edge without an operation has
# another scale, for which they are wrong. The first decision on each edge, by either:

# %%
from nasbook.selection.scoring import without as removed
from nasbook.supernet import Mixing


def missed_most(accuracies, choice):
    """The option without which the accuracy is lowest, and all accuracies in words."""
    name = choice.options[accuracies.index(min(accuracies))].name
    return f"{name:13}" + " ".join(f"{each:5.1f}" for each in accuracies)


def by_batch(weights):
    return score(probe, weights).accuracy


def by_running(weights):
    return probe.validate(Mixing(weights).without_zeros())[1]


# %%
probe = trained()
weights = {n: v.detach() for n, v in probe.relaxation.expected(probe.alpha, 1.0).items()}
print(f"{'':22}now {by_batch(weights):.1f}{'':21}now {by_running(weights):.1f}")
for (choice,) in PerturbationSelection(trained()).stops[:5]:
    less = [removed(weights, "normal", option) for option in choice.options]
    batch, running = ([how(each) for each in less] for how in (by_batch, by_running))
    told = f"batch: {missed_most(batch, choice)}   running: {missed_most(running, choice)}"
    print(f"{choice.where}  {told}")

# %% [markdown]
# Scores move by several points. Where the two columns keep different operations the mode decided, but look at the margin: of
# two that are as good as equal either mode may keep either.
#
# **Renormalising.** If the others share what is removed, the edge keeps its scale. With two operations the score is then that
# of the *other one alone*: another question than how much this one is missed.

# %%
for (choice,) in PerturbationSelection(trained()).stops[:5]:
    less = [removed(weights, "normal", option) for option in choice.options]
    scaled = [{"normal": each["normal"] / each["normal"].sum(1, keepdim=True)} for each in less]
    plain, shared = ([by_batch(each) for each in rows] for rows in (less, scaled))
    print(
        f"{choice.where}  as it is: {missed_most(plain, choice)}   "
        f"renormalised: {missed_most(shared, choice)}"
    )

# %% [markdown]
# **No tuning.** Each decision moves the supernet away from where it was trained. Without tuning the later decisions are
# made by a supernet that was never trained for the earlier ones.

# %%
untuned = PerturbationSelection(trained(tuning_steps=0))
bare = drive(untuned, RunFolder(None, {}), [nb.progress])
pictures.over_decisions({"tuned": records, "not tuned": bare})

# %% [markdown]
# ## Takeaways
#
# - Magnitude asks where gradient descent put its weight; perturbation asks what the supernet cannot do without.
# - One edge after another: score each operation by removing it, without renormalising and by batch statistics; keep the
#   lowest, tune, go on; at last each node keeps the edges that it misses most.
# - A log of decisions shows what each one cost, and how far apart its options were.
# - It repairs a collapse. Whether it also searches, only controls can tell: a random cell, the cell of convolutions, and on
#   NAS-Bench-201 the largest weight without `none`. Fixed $\alpha$ says how much of the search it used.
