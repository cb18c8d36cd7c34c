# %% [markdown]
# # 03. Weight sharing
#
# *Train one network, score every architecture inside it: what that saves, and what it costs.*
#
# **You will be able to**
#
# - say why nobody trains every architecture, and what sharing weights saves
# - count the parameters that two paths of a supernet share
# - measure what training one path does to another
# - rank a whole space with one supernet, and say how sure the ranking is
# - tell a poor ranking from a truth that is too noisy to be ranked
#
# **Before this:** chapters 01 and 02. **Time:** about 60 minutes in class, under a minute of computing.
#
# **Lecture:** Weight sharing and one-shot models.

# %%
import time

import torch

import nasbook
from nasbook import experiment, figures, strategies
from nasbook.analysis import ranks, weight_sharing
from nasbook.figures import sharing
from nasbook.figures.ranks import scatter

nb = nasbook.start("03")

# %% [markdown]
# ## Thousands of trainings
#
# The strategies of chapter 01 score an architecture by training it, reading off **one number** and throwing all its
# weights away. Then the next one starts from random weights and learns again what an edge and a curve look like.
#
# Here is what that cost on CIFAR-10, and what ENAS, the first of the lecture's systems to share weights among
# architectures, reported in 2018.

# %% tags=["nbval-check-output"]
published = {method.name: method for method in strategies.published_methods()}
rows = [["system", "year", "GPU-days", "test error (%)"]]
for name in ("nas-rl", "amoebanet", "nasnet-a", "enas"):
    method = published[name]
    days, error = f"{method.gpu_days:,g}", f"{method.error_percent:g}"
    rows.append([method.title, str(method.year), days, error])
nb.show(rows)

# %% [markdown]
# Four thousand times less than NASNet. How?
#
# ## Two paths
#
# Draw every allowed operation of a cell side by side. That is a **supernet**. An architecture is then a **path**
# through it: some operations run, the others do not. Two architectures that both use, say, sep 3×3 from node 0 to
# node 2 can use *the same* one, with the same weights.
#
# We take space S2 with two nodes: skip or sep 3×3 on each edge, 48 architectures. Two of them:

# %%
population = weight_sharing.population(seed=1)
space, supernet = population.space, population.supernet
sep, skip = "sep_conv_3x3", "skip_connect"
a = space.genotype({"normal": ((sep, 0), (skip, 1), (sep, 0), (sep, 2))})
b = space.genotype({"normal": ((sep, 0), (sep, 1), (skip, 1), (sep, 2))})
figures.paths(space, a, b)

# %% [markdown]
# Path A owns a convolution that B does not have, and the other way round; two convolutions (thick) belong to both.
# In symbols: the supernet holds all weights $w$, a path $a$ uses some of them, $w_a \subset w$, and its score is
#
# $$s(a) = \mathrm{accuracy}(a, w_a), \qquad w_a \cap w_b \neq \emptyset. \tag{3.1}$$
#
# Besides the operations there is what *every* path uses: the stem, the 1×1 convolutions at the inputs of cells, the
# fixed reductions and the classifier.

# %%
nb.predict("03.1")

# %% tags=["main-result", "nbval-check-output"]
shares = weight_sharing.shares(supernet, a, b)
nb.show(
    path_A=shares.a,
    path_B=shares.b,
    shared=shares.shared,
    of_which_in_every_path=shares.always,
    part_of_A=shares.shared / shares.a,
)

# %% [markdown]
# Counting is exact: the names of the parameters that a path uses are known. And how large is the whole supernet,
# compared with 48 networks of their own?

# %% tags=["nbval-check-output"]
every = list(strategies.architectures(space))
apart = sum(weight_sharing.shares(supernet, path, path).a for path in every)
whole = sum(value.numel() for value in supernet.parameters())
nb.show(architectures=len(every), parameters_apart=apart, parameters_of_the_supernet=whole)

# %% [markdown]
# ## Training a path
#
# A step on a path is a step of gradient descent like any other. What the path does not use has no gradient, and the
# optimiser leaves it alone: weight, momentum and decay.

# %%
nasbook.source(weight_sharing.train_paths)

# %% [markdown]
# Do the others really stand still? Train A for two batches and compare every parameter with its copy, bit by bit.

# %% tags=["nbval-check-output"]
trial = weight_sharing.population(seed=1)
parameters = dict(trial.supernet.named_parameters())
before = {name: value.detach().clone() for name, value in parameters.items()}
weight_sharing.train_paths(trial, [a, a])
moved = {name for name in parameters if not torch.equal(parameters[name], before[name])}
of_a, of_b = (set(weight_sharing.path_parameters(trial.supernet, path)) for path in (a, b))
nb.show(
    moved_are_those_of_A=moved == of_a,
    tensors_of_B=len(of_b),
    of_them_moved=len(of_b & moved),
)

# %% [markdown]
# So training A moves most of B, from a gradient that never asked what B needs. Is that help, or harm?
#
# ## A, then B
#
# First 155 batches on A alone; then, with the same weights, 62 batches on B alone. We watch both on images that
# neither trains on.

# %%
nb.predict("03.2")

# %% tags=["main-result"]
batches, more = 155, 62
first = weight_sharing.population(seed=1)
course = weight_sharing.follow(first, [a] * batches + [b] * more, watch=(a, b), every=31)
sharing.course(course.batches, course.accuracies, turn=batches)

# %% tags=["nbval-check-output"]
at_turn = course.batches.index(batches)
a_before, b_before = (row[at_turn] for row in course.accuracies)
a_after, b_after = (row[-1] for row in course.accuracies)
nb.reveal("03.2", 1 if a_after < a_before else 2)
nb.show(
    A_lost_over_3_points=a_before - a_after > 3,
    B_near_chance_before_its_turn=b_before < 20,
    B_gained_over_10_points_in_its_turn=b_after - b_before > 10,
)

# %% [markdown]
# Look at the right part of the picture. B shoots up faster than A did at the start: the shared weights already know
# about digits. And A falls: **interference**. It falls early, while B rebuilds what they share, and then hardly
# further. At the turn B stood near chance although most of its weights had been trained: its own convolution was
# still random.
#
# ## Apart, or in turns
#
# Sharing is not meant to train one after the other. Take turns: a batch for A, a batch for B, and so on, until each has
# had as many batches as it would have had alone.

# %%
nb.predict("03.3")

# %% tags=["main-result"]
other, both = (weight_sharing.population(seed=1) for _ in range(2))
b_apart = weight_sharing.follow(other, [b] * batches, watch=(a, b), every=batches)
turns = weight_sharing.follow(both, [a, b] * batches, watch=(a, b), every=2 * batches)
together = [row[-1] for row in turns.accuracies]
alone = [a_before, b_apart.accuracies[1][-1]]
sharing.apart_and_shared({"trained apart": alone, "in turns, shared": together})

# %% tags=["nbval-check-output"]
nb.show(
    turns_within_10_points_of_apart=max(abs(x - y) for x, y in zip(alone, together)) < 10,
    all_far_above_chance=min(*alone, *together) > 20,
)

# %% [markdown]
# For *two* paths sharing saves nothing: the number of batches is the same. What it shows is that one set of weights
# can serve two architectures at once; harm and help about balance. A few points between bars are luck: change
# `seed=1` here and in the section before, run both again, and see which differences last.
#
# Can one set of weights serve 48?
#
# ## A population in one network
#
# Now each batch trains one architecture, drawn anew from all 48 (Li and Talwalkar 2020). This is the whole rule:

# %%
nasbook.source(type(population.relaxation).__call__)

# %%
nb.predict("03.4")

# %% tags=["main-result", "nbval-check-output"]
table = strategies.tabulated("s2_2nodes_fixed")
epochs, per_epoch = weight_sharing.EPOCHS, population.weights_batches.per_epoch
own = table.numbers["epochs"] * (table.numbers["images"] // table.numbers["batch"])
nb.show(batches_of_the_supernet=epochs * per_epoch, for_each_path=epochs * per_epoch / len(every))
nb.show(batches_of_one_training=own, of_all_trainings=own * len(every))

# %% [markdown]
# The weights of a path, though, are trained much more often than the path: each skip or convolution is on many paths.
#
# We run the first ten of the 80 epochs now, then score all 48 architectures with the shared weights: no training, only
# 2,000 images forward. All 80 epochs with four seeds are stored;
# `python -m nasbook.analysis.weight_sharing --seeds 4` makes them again.

# %%
start = time.perf_counter()
young = weight_sharing.population(seed=7)
live = weight_sharing.growth(young, marks=(10,))
ten_epochs = time.perf_counter() - start
scores = torch.tensor(live[10])
low, mean, high = (float(each) for each in (scores.min(), scores.mean(), scores.max()))
print(f"accuracy of the 48 paths: {low:.1f} to {high:.1f} %, mean {mean:.1f} %")

# %% [markdown]
# ## Does it rank?
#
# A search needs no accuracies, only their **order**. Kendall's $\tau$ compares all pairs of $n$ architectures:
#
# $$\tau = \frac{\#\{\text{pairs in the same order}\} - \#\{\text{pairs in opposite orders}\}}{n(n-1)/2}. \tag{3.2}$$
#
# It is 1 for equal orders, −1 for opposite ones, 0 on average for unrelated ones. Spearman's $\rho$ correlates the
# ranks instead. The truth to compare with: the stored table, in which every architecture was trained apart, twice.

# %%
nb.predict("03.5")

# %% tags=["main-result", "nbval-check-output"]
stored = weight_sharing.recorded()
truth = [table(path) for path in every]
final = [run[-1] for run in stored.accuracies]
taus = [ranks.kendall(each, truth) for each in final]
rhos = [ranks.spearman(each, truth) for each in final]
mean_tau = sum(each.value for each in taus) / len(taus)
nb.reveal("03.5", min(range(4), key=lambda place: abs(0.3 * place - mean_tau)))
rows = [["seed", "tau", "rho"]]
rows += [[seed, t.value, r.value] for seed, (t, r) in enumerate(zip(taus, rhos))]
nb.show(rows, digits=2)

# %% [markdown]
# Each number comes from 48 architectures, so it is uncertain itself. Draw 48 of them *with replacement*, compute $\tau$
# again, do that 500 times: the middle 95 % are a bootstrap interval.

# %%
print("Kendall's tau of seed 0, with interval: ", taus[0])
print("Spearman's rho of seed 0, with interval:", rhos[0])
scatter(
    final[0],
    truth,
    xlabel="accuracy with shared weights (%)",
    ylabel="accuracy after training apart (%)",
    kendall=taus[0].value,
    spearman=rhos[0].value,
)

# %% [markdown]
# The orders agree, but weakly. Two things stand out. Three architectures at the bottom left are far worse than all
# others, and both scores say so. The cloud at the top is wide: within it, order is hard to see.
#
# ## More training, better ranking?
#
# Perhaps 80 epochs were too few. The stored runs were scored on the way, so we can see how $\tau$ grew.

# %%
nb.predict("03.6")

# %% tags=["main-result"]
by_mark = []
for run in stored.accuracies:
    by_mark.append([ranks.kendall(each, truth, resamples=0).value for each in run])
again = ranks.kendall(*zip(*(table.row(path).valid for path in every)))
now = {10: ranks.kendall(live[10], truth).value}
sharing.growth(stored.marks, by_mark, live=now, ceiling=again.value)

# %% tags=["nbval-check-output"]
rows = [["epochs", "accuracy of the paths (%)", "tau"]]
for place, mark in enumerate(stored.marks):
    accuracy = torch.tensor([run[place] for run in stored.accuracies], dtype=torch.float64).mean()
    rows.append([mark, accuracy, sum(run[place] for run in by_mark) / len(by_mark)])
then, end = (stored.marks.index(mark) for mark in (10, 80))
rise = rows[end + 1][2] - rows[then + 1][2]
nb.reveal("03.6", 0 if rise >= 0.1 else 1)
nb.show(rows, digits=2)
nb.show(lower_at_80_than_at_10_in_every_run=all(run[end] < run[then] for run in by_mark))

# %% [markdown]
# Untrained, the ranks mean nothing. In the first ten epochs $\tau$ rises, and then **no more**: it comes down in every
# run, while the accuracy of the paths nearly doubles. Better shared weights are not automatically a better ranking.
#
# Would one stop at epoch 10, then? We chose that epoch with the truth before our eyes. A search has none to look at.
#
# The grey line is the surprise: it is the $\tau$ between the *first and the second training* of each architecture,
# apart, with nothing shared.
#
# ## Is the truth true?
#
# Two trainings of one architecture from different random numbers end at different accuracies. So how well *can* any
# score rank our 48?

# %%
from nasbook.figures.strategies import ranking

ranking(table)

# %%
nb.predict("03.7")

# %% tags=["main-result", "nbval-check-output"]
one, two = (list(column) for column in zip(*(table.row(path).valid for path in every)))
x = [ranks.kendall(each, t, resamples=0).value for each in final for t in (one, two)]
y = again.value
supernets = [ranks.kendall(final[0], each, resamples=0).value for each in final[1:]]
mean = sum(x) / len(x)
nb.reveal("03.7", (mean > y / 2) + (mean > y))
nb.show(
    supernet_and_one_training=mean,
    two_trainings=y,
    two_supernets=sum(supernets) / len(supernets),
    reachable_rho_with_the_mean_of_two=ranks.ceiling(one, two),
    digits=2,
)

# %% [markdown]
# Read it line by line.
#
# - A supernet predicts a training **nearly as well as another training does**. A large part of the disorder is noise
#   of the truth: one more seed changes who is best.
# - Supernets of different seeds agree **with each other** much better. So the rest is not noise of the supernet: it
#   has an opinion of its own, a bias.
# - A faultless score would reach about the last line's $\rho$ with our truth: $\sqrt{2r/(1+r)}$, the root of Spearman
#   and Brown's reliability of a mean of two, where $r$ is the $\rho$ of two trainings. Our supernets leave room unused.
#
# What is the opinion? We suspect: they like convolutions.

# %% tags=["nbval-check-output"]
convolutions = [path.count("sep_conv_3x3") for path in every]
of_supernets = [ranks.kendall(each, convolutions, resamples=0).value for each in final]
nb.show(
    supernets_and_number_of_convolutions=sum(of_supernets) / len(of_supernets),
    training_apart_and_number_of_convolutions=ranks.kendall(truth, convolutions, resamples=0).value,
    digits=2,
)

# %% [markdown]
# They do: the score of a path follows the number of its convolutions much more closely than training apart does. Why?
# One candidate: our trainings apart are short, and a shallow cell learns faster. Another: with shared inputs a skip
# passes on what was tuned for convolutions. We have not separated the two.
#
# ## What ranks well, and what does not
#
# A rank correlation mixes easy pairs with hard ones. Take the easy ones away: first the three architectures made of
# skips only, then the whole lower half. The last column says how far from 0 the $\tau$ of *unrelated* orders of so few
# architectures strays, in 95 of 100 cases.

# %% tags=["nbval-check-output"]
order = sorted(range(len(every)), key=lambda place: truth[place])
parts = {"all 48": order, "without the three of skips only": order[3:], "upper half": order[24:]}
rows = [["architectures", "tau, mean of the supernets", "unrelated"]]
for name, places in parts.items():
    right = [truth[place] for place in places]
    scored = [[each[place] for place in places] for each in final]
    found_taus = [ranks.kendall(each, right, resamples=0).value for each in scored]
    n = len(places)
    chance = 1.96 * (2 * (2 * n + 5) / (9 * n * (n - 1))) ** 0.5
    rows.append([name, sum(found_taus) / len(final), chance])
nb.show(rows, digits=2)
two_trainings = ranks.kendall(*([each[place] for place in order[3:]] for each in (one, two)))
nb.show(two_trainings_without_the_three=two_trainings.value, digits=2)

# %% tags=["nbval-check-output"]
last_three = [sorted(range(len(every)), key=lambda place: each[place])[:3] for each in final]
nb.show(
    worst_three_hold_no_convolution=all(convolutions[place] == 0 for place in order[:3]),
    every_supernet_puts_them_last=all(set(last) == set(order[:3]) for last in last_three),
)

# %% [markdown]
# **The supernets find the disasters, every time. They do not find the winner.** Among the other 45, and in the upper
# half, $\tau$ is no larger than unrelated orders reach by luck. Two trainings agree hardly better among the 45, so a
# score has little chance to shine.
#
# What would a search get out of it? It takes the path with the best score and trains it apart.

# %% tags=["nbval-check-output"]
picks = [truth[max(range(48), key=lambda place: each[place])] for each in final]
overlap = {}
for mark in (10, 80):
    scored = [run[stored.marks.index(mark)] for run in stored.accuracies]
    overlap[mark] = sum(12 * ranks.top_overlap(each, truth, 12) for each in scored) / len(scored)
nb.show(
    mean_of_all=sum(truth) / len(truth),
    mean_of_all_with_a_convolution=sum(truth[place] for place in order[3:]) / 45,
    picks_of_the_supernets=picks,
    best_of_all=max(truth),
    of_the_best_twelve_found=overlap[80],
    of_the_best_twelve_by_chance=12 * 12 / 48,
    of_the_best_twelve_at_epoch_10=overlap[10],
    digits=3,
)

# %% [markdown]
# The four picks are better than the average architecture with a convolution. Yet four are few, and of the best twelve
# the supernets find hardly more than chance does. The best of all is partly lucky itself: it was chosen by the very
# numbers that we quote.
#
# ## What it saves
#
# Seconds, measured now on your machine: one training apart as in the stored table, and the young supernet above. They
# are not compared between machines.

# %%
numbers = {"epochs": table.numbers["epochs"]}
one_training = experiment.train(a, seed=0, device=nb.device.type, numbers=numbers).result["seconds"]
start = time.perf_counter()
weight_sharing.growth(young, marks=(10,))  # trained already: scores once more
scoring = time.perf_counter() - start
epoch = (ten_epochs - scoring) / 10
print(f"{len(every)} trainings apart: about {len(every) * one_training:.0f} s")
print(f"supernet, 80 epochs: about {80 * epoch:.0f} s, and {scoring:.0f} s for {len(every)} scores")

# %% [markdown]
# For 48 architectures the gain is modest. But the supernet costs the same whatever the number of architectures, and a
# score costs a small part of a training. In the DARTS space with its 10¹⁸ architectures nobody scores all of them; one
# supernet and a thousand scores take the place of a thousand trainings.
#
# ## Two paths to play with
#
# Choose the operations of A and B. Training apart is the stored table (mean of two trainings), shared weights are the
# stored supernets (mean of four seeds).
#
# **Task.** Find two paths that the shared weights put in the wrong order although, trained apart, they differ by at
# least 5 points. Exercise 03.4 checks your find.

# %% tags=["widget"]
from nasbook.widgets.weight_sharing import WeightSharingPaths

paths = WeightSharingPaths(state="A=31 B=45")
paths

# %% tags=["nbval-check-output"]
nb.show(paths.state(), shared=paths.result().shares.shared, as_counted_above=shares.shared)

# %% [markdown]
# ## Checkpoint
#
# Four questions before you go on.

# %% tags=["nbval-check-output"]
nb.predict("03.8")

# %% tags=["nbval-check-output"]
nb.predict("03.9")

# %% tags=["nbval-check-output"]
nb.predict("03.10")

# %% tags=["nbval-check-output"]
nb.predict("03.11")

# %% [markdown]
# ## Exercises
#
# ### Exercise 03.1 (easy, 5 minutes)
#
# Write `shared_parameters(a, b)`. Each argument is a dictionary of one path's parameters: name to how many numbers it
# holds. Return how many numbers both paths use.
#
# <details><summary>Hint 1</summary>Which names occur in both dictionaries?</details>
# <details><summary>Hint 2</summary>Sum the values of <code>a</code> over the names that are also in
# <code>b</code>.</details>


# %%
def shared_parameters(a, b):
    """Replace the next line: two dictionaries -> a whole number."""
    raise nasbook.NotAttempted


nb.check("03.1", shared_parameters)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_shared_parameters(a, b):
    return sum(count for name, count in a.items() if name in b)


nb.check_solution("03.1", solution_shared_parameters)

# %% [markdown]
# ### Exercise 03.2 (medium, 10 minutes)
#
# Write `kendall(x, y)` after (3.2), for two lists of scores of the same architectures, without ties.
#
# <details><summary>Hint 1</summary>A pair is in the same order if the two differences have the same sign.</details>
# <details><summary>Hint 2</summary><code>itertools.combinations(range(n), 2)</code> gives each pair of places
# once.</details>


# %%
def kendall(x, y):
    """Replace the next line: two lists of numbers -> a number from -1 to 1."""
    raise nasbook.NotAttempted


nb.check("03.2", kendall)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_kendall(x, y):
    n = len(x)
    pairs = [(i, j) for i in range(n) for j in range(i)]
    agree = sum((x[i] - x[j]) * (y[i] - y[j]) > 0 for i, j in pairs)
    return (agree - (len(pairs) - agree)) / len(pairs)


nb.check_solution("03.2", solution_kendall)

# %% [markdown]
# ### Exercise 03.3 (medium, 10 minutes)
#
# A training takes `training` seconds, a supernet `supernet` seconds, and scoring one path `scoring` seconds. Write
# `break_even(training, supernet, scoring)`: the smallest number of architectures for which the supernet, with the
# scoring of all of them, is **cheaper** than training each; `None` if it never is.
#
# <details><summary>Hint 1</summary>Write both costs as functions of the number of architectures n.</details>
# <details><summary>Hint 2</summary>n (training − scoring) &gt; supernet. Mind the case of equality, and a scoring
# that is no cheaper than a training.</details>


# %%
def break_even(training, supernet, scoring):
    """Replace the next line: seconds -> a whole number, or None."""
    raise nasbook.NotAttempted


nb.check("03.3", break_even)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_break_even(training, supernet, scoring):
    if scoring >= training:
        return None
    return int(supernet // (training - scoring)) + 1


nb.check_solution("03.3", solution_break_even)

# %% [markdown]
# ### Exercise 03.4 (easy, 10 minutes)
#
# Put the widget on a pair that the shared weights order wrongly, although training apart tells the two apart by at
# least 5 points. Then write `found = paths.state()`.
#
# <details><summary>Hint 1</summary>The supernets like convolutions: look for a path with few of them that does well
# when trained apart.</details>
# <details><summary>Hint 2</summary>Keep A on such a path and press <b>Next B</b>, watching the verdict below the
# table.</details>

# %%
found = ...
nb.check("03.4", found)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
mean_shared = [sum(scores) / len(scores) for scores in zip(*final)]
clear = [(i, j) for i in range(48) for j in range(48) if truth[i] - truth[j] >= 5]
i, j = next((i, j) for i, j in clear if mean_shared[i] < mean_shared[j])
nb.check_solution("03.4", f"A={i} B={j}")

# %% [markdown]
# ## What breaks
#
# We sampled one path a batch and enumerated all of them. In a large space that fails twice: a path is never trained
# twice, and 10¹⁸ scores are as impossible as 10¹⁸ trainings. A search needs a direction in which to look.
#
# Two things quietly held our scores up: batch normalisation with the statistics of the *current* batch (running
# averages over random paths belong to no path), and one fixed set of 2,000 images for all scores.
#
# Chapter 04 gives up running one path at a time: it runs all operations of an edge, weighs them, and lets gradient
# descent move the weights.

# %% [markdown]
# ## This chapter's part of the ledger
#
# Each claim of the lecture stands in a ledger with what was measured here and a verdict: *holds* where the whole 95 %
# interval over the seeds is on the expected side, *weak* where only the mean is, *fails* otherwise. The seeds are others
# than those shown above, whose four populations order the architectures a little worse: a seed makes a difference.
# `nasbook claims measure 03.ranks` measures it again, with `--seeds` of your own.

# %%
nb.claims()

# %% [markdown]
# ## Takeaways
#
# - Training every architecture is out of reach; a supernet is trained once, and a path is scored without training.
# - What two paths share is counted exactly: common operations, and everything outside of the searched edges.
# - Training one path moves the weights of others: it helps at first, and it interferes.
# - Kendall's $\tau$ with a bootstrap interval judges a ranking: here weak, stable, and with a liking for convolutions.
# - Compare with the $\tau$ of two trainings first: what no second training can rank, no supernet can be blamed for.
