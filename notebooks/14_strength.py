# %% [markdown]
# # 14. Does alpha represent strength?
#
# *The last step of a search takes the largest weights. Here is what they say, measured operation by operation.*
#
# **You will be able to**
#
# - read an architecture off alpha, and name the assumption in that
# - define the strength of an operation so that it can be measured
# - compare two orders of operations, and say how far a measurement can be trusted
# - explain with a mixture of three why the largest weight need not be the strongest operation
# - force convolutions into a supernet of S2, and see what alpha has missed
#
# **Before this:** chapters 07 and 09. **Time:** about 45 minutes in class, under a minute of computing.
#
# **Lecture:** Architecture selection.

# %%
import torch

import nasbook
from nasbook import claims, datasets, figures, sizes, spaces
from nasbook.figures import strength as pictures
from nasbook.search import Search, recipes

nb = nasbook.start("14")

# %% [markdown]
# ## Architecture selection
#
# All methods so far end alike. The search has its operation weights $\theta = \mathrm{softmax}(\alpha)$ (the
# $p$ of chapters 04 to 08), and on each edge the operation of the largest weight is kept: selection by **magnitude**. The lecture calls this step
# *architecture selection* and asks what nobody asked for years: is the largest weight the best operation?
#
# A search to ask: space `s2`, a skip connection or a separable convolution on every edge, for less than half of the epochs
# of chapter 07. As there, the class size has two nodes and a fixed reduction, which the published S2 has not.

# %%
from nasbook.runtime.driver import drive
from nasbook.runtime.run_folder import RunFolder
from nasbook.selection import magnitude


def searched(name, seed, **changes):
    """A search with DARTS by the class size's numbers but for `changes`, at its end."""
    numbers = sizes.override(nb.preset.search, changes)
    where = {"nodes": numbers.nodes, "reduction": numbers.reduction}
    request = {"recipe": recipes.get("darts"), "derive": magnitude, "device": nb.device}
    data = datasets.load(nb.preset.data)
    made = Search(spaces.get(name, **where), data, numbers=numbers, seed=seed, **request)
    drive(made, RunFolder(None, {}), [nb.progress])
    return made


search = searched("s2", seed=1, epochs=8)
space = search.space
accuracy = search.validate(batch_statistics=True)[1]
print(f"The supernet has {accuracy:.1f} % on alpha's half after {search.epoch} epochs.")

# %%
from nasbook.analysis import forcing, strength

figures.cell(space, weights=strength.expected(search), highlight=search.genotype())

# %% [markdown]
# The two lines of an edge are as thick as the weights of its operations. What magnitude keeps stands out: on each edge
# the operation of the larger weight, into each node the two edges where that weight is largest. Nothing in this step asks the
# supernet. It *assumes* that a weight says how much its operation is worth.

# %% [markdown]
# ## What strength means
#
# An assumption can be tested once both sides are numbers. Wang et al. (2021) propose for the other side: an operation
# is as strong as the supernet is good **once its edge holds nothing else**. With $A$ for the accuracy on alpha's half,
#
# $$s_k = A\big(\theta \text{ with the edge fixed to } k,\ w \text{ trained on}\big). \tag{14.1}$$
#
# "Trained on" matters: $w$ grew up in a mixture and has to get used to the change. The paper trains until it converges;
# here it is the tuning of the class size, a few steps with a small learning rate. The other edges keep their weights.
#
# Chapter 15 selects by a cheaper number. It takes one operation *out* and sees how much the supernet misses it:
#
# $$m_k = -A\big(\theta \text{ with } \theta_k = 0\big). \tag{14.2}$$
#
# The other weights of the edge stay as they are: the row is not rescaled to sum to 1.

# %%
edge = strength.strength(search, "normal", 0)
print(f"{search.numbers.tuning_steps} steps, learning rate {search.numbers.tuning_lr}")
rows = {"weight": edge.weights, "accuracy without it (%)": edge.without}
rows["accuracy with it alone (%)"] = edge.tuned
table = [[name, *(f"{value:.2f}" for value in values)] for name, values in rows.items()]
nb.show([["edge " + edge.where, *edge.operations], *table])

# %% [markdown]
# Every number is measured in a copy of the search, made from its saved state (weights, alpha, optimiser, the place in
# the data), so that all start from the same point and see the same images. The search itself stays as it is.
#
# ## Every edge of S2
#
# One edge proves nothing. The stored study has all five edges of four searches, by the numbers of the class size, each
# operation measured twice: the second time with the images in another order. These are twenty edges, but four supernets:
# edges of one supernet are not independent.

# %%
nb.predict("14.1")

# %% tags=["main-result", "nbval-check-output"]
from statistics import mean

s2 = {run.seed: run.values for run in claims.runs("strength-s2")}
measured = {
    seed: [strength.Strength(**each) for each in values["strengths"]] for seed, values in s2.items()
}
scores = {
    "by weight": lambda edge: edge.weights,
    "by (14.2)": lambda edge: edge.missed,
    "always conv": lambda edge: [float("conv" in name) for name in edge.operations],
}
rows = [["share of edges where it is stronger", *scores]]
for seed, found in measured.items():
    shares = [mean(edge.picks_best(score(edge)) for edge in found) for score in scores.values()]
    rows.append([f"seed {seed}", *(f"{share:.1f}" for share in shares)])
everywhere = [edge for found in measured.values() for edge in found]
shares = [mean(edge.picks_best(score(edge)) for edge in everywhere) for score in scores.values()]
nb.show([*rows, ["all", *(f"{share:.2f}" for share in shares)]])

# %% [markdown]
# Is (14.2) then a good score? Look at the last column: a rule that asks nothing and answers "the convolution" finds the
# stronger operation as often. In a space with two operations, of which one is usually better, much of what looks like insight
# is that rule.
#
# A choice can also be wrong where it does not matter. So count what it costs: the *regret*, how many points the chosen
# operation lies below the best of its edge. The last column is for trust: the rank correlation, below in (14.3), of the two
# measurements with each other, which is 1 where both find the same operation stronger on every edge.

# %% tags=["nbval-check-output"]
rows = [["regret (points)", *scores, "two measurements"]]
for seed, found in measured.items():
    points = [mean(edge.regret(score(edge)) for edge in found) for score in scores.values()]
    again = s2[seed]["repeat_correlation"]
    rows.append([f"seed {seed}", *(f"{each:.2f}" for each in points), f"{again:.1f}"])
nb.show(rows)

# %% [markdown]
# All operations of the twenty edges, each less the mean of its edge. If weights were strength, the left points would rise.
# Look at the skip connections (circles): most weight, and mostly below the line. Each kind of operation by itself does rise:
# keep that in mind for the end of the chapter.

# %%
pictures.agreement(everywhere)

# %% [markdown]
# ## Seven operations on one edge
#
# Two operations make a poor order. The lecture's picture takes three random edges of the DARTS space, with seven operations
# each. Here is one, live, and made small: a supernet of three cells, so that only the first is mixed, half of the images,
# four epochs.
#
# The bars above are weights, those below accuracies with the operation alone. Outlined: the largest weight. Starred: the
# most accurate. The accuracies do *not* start at zero; dots are the two measurements.

# %%
large = searched("darts7", seed=1, epochs=4, layers=3, images=2000)
((group, row),) = strength.random_edges(large.space, 1, seed=1)

# %%
seven = strength.strength(large, group, row, repeats=2)
pictures.bars([seven])

# %% [markdown]
# If alpha were strength, the lower row would repeat the upper. One number says how far it does: Spearman's rank
# correlation. With $K$ operations and $\Delta_k$ for the difference of an operation's places in the two orders (no ties),
#
# $$\rho = 1 - \frac{6 \sum_k \Delta_k^2}{K (K^2 - 1)}, \tag{14.3}$$
#
# which is 1 for the same order, $-1$ for the opposite one, and 0 on average for an order that was drawn blindly.

# %% tags=["nbval-check-output"]
from nasbook.analysis.ranks import spearman

weights, accuracies = [0.40, 0.25, 0.20, 0.15], [44.0, 51.0, 47.0, 46.0]
places_apart = torch.tensor([3, -1, -1, -1])  # from the largest: 1, 2, 3, 4 and 4, 1, 2, 3
by_hand = 1 - 6 * int((places_apart**2).sum()) / (4 * (4**2 - 1))
nb.show(by_hand=by_hand, library=spearman(weights, accuracies, resamples=0).value)

# %%
nb.predict("14.2")

# %% tags=["main-result"]
from nasbook.analysis.ranks import ceiling

correlations = {
    "two measurements": seven.repeatable,
    "a faultless score": ceiling(*seven.repeats),
    "the weight": seven.correlation(seven.weights),
    "what is missed (14.2)": seven.correlation(seven.missed),
}
values = [f"{value:.2f}" for value in correlations.values()]
nb.show([["rank correlation", *correlations], ["this edge", *values]])
nb.reveal("14.2", round(seven.repeatable, 2))

# %% [markdown]
# Read the first two first. Two noisy measurements that correlate by $r$ leave room: a faultless score would be expected to
# correlate with one of them by $\sqrt{r}$, and with their mean, which (14.1) is here, by $\sqrt{2r/(1+r)}$ (chapter 03).
# That is the ceiling for the others, and it is *above* $r$.
#
# With seven operations on one edge a correlation of $\pm 0.7$ still happens by chance (one time in ten): one edge is a
# demonstration, no evidence.
#
# ### Three edges of four searches
#
# The study `strength-darts` has three random edges of four searches of the class size, with half of its epochs. The edges of
# the first:

# %%
stored = {run.seed: run.values for run in claims.runs("strength-darts")}
pictures.bars([strength.Strength(**each) for each in stored[min(stored)]["strengths"]])

# %%
nb.predict("14.3")


# %% tags=["main-result", "nbval-check-output"]
def over_seeds(title, columns):
    """A table of stored numbers, a row a seed."""
    rows = [[title, *columns]]
    for seed, values in stored.items():
        rows.append([f"seed {seed}", *(f"{values[key]:.2f}" for key in columns.values())])
    nb.show(rows)


scored = {"by weight": "alpha_correlation", "by (14.2)": "pt_correlation"}
over_seeds("correlation", scored | {"two measurements": "repeat_correlation"})
scored = {"by weight": "alpha_regret", "by (14.2)": "pt_regret"}
over_seeds("regret (points)", scored | {"drawn blindly": "chance_regret"})


# %% tags=["nbval-check-output"]
every = [strength.Strength(**each) for values in stored.values() for each in values["strengths"]]


def without_poolings(edge):
    """The rank correlation of weight and accuracy over the other operations."""
    left = [k for k, name in enumerate(edge.operations) if "pool" not in name]
    return spearman(
        *([values[k] for k in left] for values in (edge.weights, edge.tuned)), resamples=0
    ).value


nb.show(
    best_has_the_largest_weight=mean(edge.picks_best(edge.weights) for edge in every),
    best_is_missed_most=mean(edge.picks_best(edge.missed) for edge in every),
    correlation_without_poolings=mean(without_poolings(edge) for edge in every),
    digits=2,
)

# %% [markdown]
# So in this space alpha knows a good part of the order, and its largest weight costs a third of what a blind draw costs. The
# lecture's picture does not return at this size. But:
#
# - Is it only that poolings have small weights and are weak? No: without them the order agrees even better (last line).
# - A selection needs the *first* place. That is the largest weight's on half of the edges (a blind draw: one in seven), and
#   (14.2), which is no better over the whole order, finds it on three of four.
# - An operation with a large weight was also *trained* more. The paper trains on until that is made good; a few steps do not.
#
# The last point has a test in this chapter: in `s2` one of two operations has nothing to train, and there the measurement
# went against the weight.

# %% [markdown]
# ## Why a weight may say something else
#
# Chapter 09 has the reason for two operations: the best weight of a skip connection grows with the error of the
# *convolution*. With three there is a second reason, and it can be computed. Let each operation estimate the same target,
# and let $C$ be the covariance of their errors. The mixture of the smallest error has the weights
#
# $$\theta^* = \frac{C^{-1} \mathbf{1}}{\mathbf{1}^\top C^{-1} \mathbf{1}}. \tag{14.4}$$
#
# Take three operations. On the diagonal of $C$ is how large the error of each is alone, beside it what two have in common.

# %%
nb.predict("14.4")

# %% tags=["main-result", "nbval-check-output"]
names = ["skip", "conv 3x3", "conv 5x5"]
errors = torch.tensor([[1.0, 0.2, 0.2], [0.2, 0.8, 0.75], [0.2, 0.75, 0.8]], dtype=torch.float64)


def best_mixture(covariance):
    ones = torch.ones_like(covariance[0])
    weights = torch.linalg.solve(covariance, ones)
    return weights / weights.sum(), 1 / weights.sum()


theta, smallest = best_mixture(errors)
without = []
for place in range(3):
    left = [other for other in range(3) if other != place]
    without.append(float(best_mixture(errors[left][:, left])[1] - smallest))
nb.show(
    [
        ["", *names],
        ["weight in the best mixture", *theta.tolist()],
        ["error alone", *errors.diagonal().tolist()],
        ["error added by its loss", *without],
    ]
)

# %% [markdown]
# The weight is right for the *mixture* and wrong for the *choice*: the worst single estimate has the largest weight. A
# softmax over operations that resemble each other divides among them what one of them would get alone. Seven
# operations of which four are convolutions may be in this position.
#
# Look at the last row too. Taking an operation out asks about the mixture as well: either convolution is hardly missed,
# as the other is still there. So (14.2) is no measure of strength by definition. Whether it orders better in a trained
# supernet is an empirical question, and the tables above are an answer for one size.

# %% [markdown]
# ## Force convolutions into S2
#
# The lecture's next picture forces one convolution after another into the supernet. Here the first point has none: a skip
# connection on every edge, which alpha chooses or nearly so after all epochs (this short search still gives convolutions the
# larger weight on some edges, see above). Then convolutions come, those first to which alpha gives
# most weight. Each point starts from the same state, has one operation on every edge, and is tuned.

# %%
nb.predict("14.5")

# %% tags=["main-result"]
of_conv = strength.expected(search)["normal"][:, 1].tolist()
order = sorted(range(space.edges), key=lambda edge: -of_conv[edge])
columns, reached = forcing.convolution_columns(space), []
for k in range(space.edges + 1):
    ways = tuple(edge in order[:k] for edge in range(space.edges))
    reached.append(strength.tuned_accuracy(search, {"normal": forcing.assigned(columns, ways)}))
shown = [f"{value:.2f}" for value in reached]
nb.show([["convolutions", *range(space.edges + 1)], ["accuracy (%)", *shown]])
rise = reached[-1] - reached[0]
nb.reveal("14.5", 0 if rise >= 5 else 1 if rise > -5 else 2)

# %% [markdown]
# This was one order of the edges, and one seed. The stored study has *every* way to put skips and convolutions on the
# five edges: 32 copies of a search by the numbers of the class size, four seeds. Left: each way is a dot, and the two that
# the selections choose are marked. Right: progressive selection, which fixes one edge at a time by (14.2) and tunes before
# the next.
#
# The last point on the right is the cell that is marked as chosen by perturbation on the left, and yet it is higher. On the
# left all edges are fixed at once, with one tuning after. On the right the supernet got used to one change at a time, with
# as many steps after each decision.

# %%
one = s2[min(s2)]
pictures.forced(one)

# %%
pictures.chosen(space, {"chosen by weight": one["magnitude"], "chosen by perturbation": one["pt"]})

# %% [markdown]
# Both cells come from one supernet, and no edge has been dropped yet. Over all seeds (a share is of the five edges;
# *chosen* is the accuracy of that cell in the supernet after the same tuning):

# %% tags=["nbval-check-output"]
rows = [["seed", "conv: alpha", "conv: PT", "chosen: alpha (%)", "chosen: PT (%)"]]
keys = ("magnitude_share", "pt_share", "magnitude_accuracy", "pt_accuracy")
rows += [[seed, *(f"{values[key]:.1f}" for key in keys)] for seed, values in s2.items()]
nb.show(rows)

# %% [markdown]
# And what does the number of convolutions give? The mean accuracy over the ways with none, one and five, the steps between
# them, and the number with the best mean:

# %% tags=["nbval-check-output"]
rows = [["seed", "0 (%)", "1 (%)", "5 (%)", "0 to 1 (points)", "1 to 5 (points)", "best number"]]
for seed, values in s2.items():
    none, alone, every = (values["forced"][k] for k in (0, 1, 5))
    steps = [f"{each:+.1f}" for each in (alone - none, every - alone)]
    means = [f"{each:.1f}" for each in (none, alone, every)]
    rows.append([seed, *means, *steps, values["forced_best_k"]])
nb.show(rows)

# %% [markdown]
# One convolution instead of none is worth about ten points in every seed, more than a further one on average. The next four
# together give little, much, or less than nothing. So "no convolution is bad" holds here, and "the more the better" does not. And look at what is measured: a
# supernet after a little tuning. The accuracy of a cell that is trained from scratch is another quantity; chapter 15 has it,
# with an all-convolution cell beside.
#
# The widget has all recorded ways. **Task:** give one edge alone the convolution. On which edge is it worth most? Is that
# the edge on which alpha gives the convolution its largest weight?

# %% tags=["widget"]
from nasbook.widgets.forced_convolutions import ForcedConvolutions

forced = ForcedConvolutions()
forced

# %% [markdown]
# The answers for all seeds:

# %% tags=["nbval-check-output"]
from nasbook.widgets.forced_convolutions import answer

rows = [["seed", "worth most on", "largest weight of conv on", "one edge"]]
for seed, values in s2.items():
    found = answer(values, forced.space)
    rows.append([seed, found.worth_most, found.largest_weight, found.same])
nb.show(rows)

# %% [markdown]
# Here alpha does better than its name by now: an edge drawn blindly would be the right one in a fifth of the seeds. *Within*
# an edge the larger weight mostly points at the weaker operation, yet *across* edges the weights of the convolutions say
# something about where one is needed most. A score may be poor at one question and of use for another.

# %% [markdown]
# ## The ledger
#
# The number after ± is half of a 95 % interval over the seeds.

# %%
nb.claims()

# %% [markdown]
# ## Checkpoint

# %% tags=["nbval-check-output"]
nb.predict("14.6")

# %% tags=["nbval-check-output"]
nb.predict("14.7")

# %% tags=["nbval-check-output"]
nb.predict("14.8")

# %% tags=["nbval-check-output"]
nb.predict("14.9")

# %% [markdown]
# ## Exercises
#
# ### Exercise 14.1 (easy, 10 minutes)
#
# Write (14.3): `rank_correlation(x, y)` for two equally long lists of numbers without ties.
#
# <details><summary>Hint 1</summary>The rank of a value is the number of smaller values in its list.</details>
# <details><summary>Hint 2</summary>Rank both lists in the same direction, then sum the squared differences.</details>


# %%
def rank_correlation(x, y):
    """Replace the next line: two lists -> a number from -1 to 1."""
    raise nasbook.NotAttempted


nb.check("14.1", rank_correlation)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_rank_correlation(x, y):
    ranks = [[sum(other < value for other in values) for value in values] for values in (x, y)]
    squares = sum((one - other) ** 2 for one, other in zip(*ranks))
    return 1 - 6 * squares / (len(x) * (len(x) ** 2 - 1))


nb.check_solution("14.1", solution_rank_correlation)

# %% [markdown]
# ### Exercise 14.2 (easy, 10 minutes)
#
# Write `regret(operations, weights, accuracies)` for one edge: the accuracy of the best operation less that of the one that
# magnitude chooses, in points. As in the DARTS space, `none` may stand among the operations and is never chosen, nor is
# it the best.
#
# <details><summary>Hint 1</summary>First make a list of the places that may be chosen.</details>
# <details><summary>Hint 2</summary><code>max(places, key=lambda place: weights[place])</code>, and the same with the
# accuracies.</details>


# %%
def regret(operations, weights, accuracies):
    """Replace the next line: three equally long lists -> points, at least 0."""
    raise nasbook.NotAttempted


nb.check("14.2", regret)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_regret(operations, weights, accuracies):
    places = [place for place, name in enumerate(operations) if name != "none"]
    chosen = max(places, key=lambda place: weights[place])
    return max(accuracies[place] for place in places) - accuracies[chosen]


nb.check_solution("14.2", solution_regret)

# %% [markdown]
# ### Exercise 14.3 (medium, 15 minutes)
#
# Derive (14.4): minimise $\theta^\top C\, \theta$ under $\mathbf{1}^\top \theta = 1$, with a multiplier for the constraint.
# Then write it: `best_weights(covariance)` for a float64 tensor (K, K).
#
# <details><summary>Hint 1</summary>The derivative of the Lagrangian is $2 C \theta - \lambda \mathbf{1}$: so $\theta$ is
# proportional to $C^{-1} \mathbf{1}$.</details>
# <details><summary>Hint 2</summary><code>torch.linalg.solve</code>, then divide by the sum.</details>


# %%
def best_weights(covariance):
    """Replace the next line: (K, K) -> (K,) with sum 1."""
    raise nasbook.NotAttempted


nb.check("14.3", best_weights)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_best_weights(covariance):
    weights = torch.linalg.solve(covariance, torch.ones_like(covariance[0]))
    return weights / weights.sum()


nb.check_solution("14.3", solution_best_weights)

# %% [markdown]
# ### Exercise 14.4 (medium, 15 minutes)
#
# Write `force(weights, more)`. `weights` lists (skip, convolution) for each edge. Start from what magnitude chooses, and
# give the convolution to `more` further edges, those first where alpha gives the convolution most weight; to all if fewer
# are left. Return a list of True (convolution) and False.
#
# <details><summary>Hint 1</summary>Sort the edges that magnitude gives the skip connection by the weight of their
# convolution.</details>
# <details><summary>Hint 2</summary>A slice <code>[:more]</code> of a short list is the whole list.</details>


# %%
def force(weights, more):
    """Replace the next line: pairs and a number -> True or False for each edge."""
    raise nasbook.NotAttempted


nb.check("14.4", force)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_force(weights, more):
    held = [convolution > skip for skip, convolution in weights]
    left = [edge for edge, own in enumerate(held) if not own]
    left.sort(key=lambda edge: -weights[edge][1])
    return [own or edge in left[:more] for edge, own in enumerate(held)]


nb.check_solution("14.4", solution_force)

# %% [markdown]
# ## What breaks
#
# - **A shared state.** If one operation is tuned after another in the *same* supernet, the later ones have had more
#   training. Every copy here starts from one saved state.
# - **Running statistics.** Averaged over the mixture they fit no edge that is fixed; all scores use those of the batch.
# - **A correlation without its bound.** With operations a fraction of a point apart an order is mostly noise. Measure
#   twice before you blame the score.
# - **Few operations.** With two on an edge the correlation is 1 or $-1$, and one edge proves nothing.
# - **A supernet is not a network.** Strength in (14.1) is that of an operation among mixtures with shared weights. It is
#   nearer to the cell that comes out than alpha is, and still not that cell's accuracy.

# %% [markdown]
# ## Takeaways
#
# - Magnitude keeps the largest weight, and assumes that it is the strongest operation. Strength can be measured: fix the edge,
#   train on, read the accuracy; all copies from one state.
# - In S2 the larger weight is the weaker operation on most edges. Among the seven of the DARTS space alpha, at this size, knows
#   much of the order, and half of the first places (a blind draw: one in seven).
# - A rank correlation compares two orders; two measurements that correlate by $r$ have the ceiling $\sqrt{2r/(1+r)}$.
# - The best mixture gives most weight to what the others lack, and divides it among those that resemble each other.
# - Forced into S2, the first convolution helps the supernet in every seed; whether more help differs from seed to seed.
