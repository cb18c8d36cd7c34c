# %% [markdown]
# # 01. What NAS is, and how it came about
#
# *From 22,400 GPU-days to less than one: what became cheaper, and what did not become better.*
#
# **You will be able to**
#
# - name the three parts of an architecture search, and its place in AutoML
# - evolve the wiring of a tiny network, and hold the result against the right baseline
# - read published costs and errors on a logarithmic scale
# - run random search, evolution and REINFORCE through one loop, and compare them fairly
# - say where the time of a search goes
#
# **Before this:** chapter 00. **Time:** about 60 minutes in class, about half a minute of computing.
#
# **Lecture:** AutoML and NAS; History of NAS.

# %%
from dataclasses import asdict

import torch

import nasbook
from nasbook import figures, spaces, strategies
from nasbook.figures.costs import cost_error
from nasbook.figures.ranks import bars, best_so_far
from nasbook.strategies import early

nb = nasbook.start("01")

# %% [markdown]
# ## Five years in one picture
#
# Each point is a published system that designed a network for CIFAR-10 by itself. Across: what its search cost, in
# days on one GPU. Up: the test error of the network that came out. The axis of cost is **logarithmic**: each step is
# ten times more. The dotted lines are two networks that people designed.

# %%
methods = strategies.published_methods()
shown = [method for method in methods if method.gpu_days or method.family == "human design"]
cost_error([{**asdict(method), "name": method.title} for method in shown])

# %% [markdown]
# The dear searches stand on the right, the cheap ones on the left, and height hardly depends on either. Before you
# look closer: the first great search with reinforcement learning (NAS-RL, 2017) against DARTS (first order, 2019).

# %%
nb.predict("01.1")

# %% tags=["main-result", "nbval-check-output"]
by_name = {method.name: method for method in methods}
dear, cheap = by_name["nas-rl"], by_name["darts"]
nb.show(
    times_fewer_gpu_days=round(dear.gpu_days / cheap.gpu_days),
    error_of_the_dear_one=dear.error_percent,
    error_of_the_cheap_one=cheap.error_percent,
    digits=3,
)

# %% [markdown]
# ## What is searched, and by whom
#
# **AutoML** automates the work around a model. **Neural architecture search** (NAS) is the part of it that decides
# the network itself.
#
# | part of AutoML | decides | for example |
# |---|---|---|
# | data preparation | what the model is shown | which features, which augmentation |
# | hyperparameter optimisation | how it is trained | learning rate, weight decay |
# | **architecture search** | what it is made of | which operation feeds which |
#
# The borders are soft: an architecture *is* a hyperparameter, but a structured one. A learning rate is one number; an
# architecture is a graph, and good graphs share parts.

# %% [markdown]
# Every search has three parts: a **search space** $\mathcal A$ (what may be built), a **strategy** (what is tried
# next) and an **evaluation** (how good it is). Together they solve
#
# $$a^* = \arg\max_{a \in \mathcal A}\; \mathrm{accuracy}_{\text{valid}}\big(w^*(a), a\big),
# \qquad w^*(a) = \arg\min_w L_{\text{train}}(w, a). \tag{1.1}$$
#
# Read the right half again: *each* candidate $a$ wants weights $w^*(a)$ of its own, that is, a training. Here is a
# space small enough to print.

# %% tags=["nbval-check-output"]
space = spaces.get("s2", nodes=2, reduction="fixed")
nb.show(str(space))

# %% [markdown]
# On each of five edges: keep the image as it is (`skip_connect`) or pass it through a separable convolution. Each of
# the two nodes keeps two of its edges. One architecture of this space, drawn at random:

# %%
figures.cell(space.sample(torch.Generator().manual_seed(3)))

# %% [markdown]
# ## 1989: a genome of wires
#
# The idea is older than deep learning. In 1989 Miller, Todd and Hegde let a **genetic algorithm** decide which units
# of a small network are wired to which. A genome is a table of bits, one for each possible wire; its fitness is how
# well the network learns in a few steps of back-propagation.
#
# A task from those days: tell whether a point lies in the first or third quadrant. No straight line can.

# %%
problem = early.four_quadrants()
drawn, axis = figures.figure("square")
for label, marker in ((1, "o"), (0, "x")):
    points = problem.points[problem.labels == label]
    axis.plot(points[:, 0], points[:, 1], marker, color="black", label=f"class {label}")
axis.set(xlabel="x", ylabel="y")
axis.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2)
figures.Picture(
    drawn, "A grid of 64 points: class 1 where x and y have the same sign, else class 0."
)

# %% [markdown]
# Thirty random wirings of four hidden units; each is trained for 80 steps from fresh random weights. Then children are
# made: parents win a **tournament** of two, a child takes each unit's incoming wires from one of its parents, and now
# and then a bit flips. Fifteen generations of this are 450 trainings, each of a millisecond or so.

# %%
nasbook.source(early.offspring)

# %%
from nasbook.figures.strategies import generations, ranking, wiring

history = early.evolve(problem, generator=torch.Generator().manual_seed(0))
generations(history)

# %% [markdown]
# The average wiring gets much better: it works! Some members of every generation still fail, as each is trained from
# new random weights. This is the best genome of the last generation.

# %%
evolved = history[-1].wirings[history[-1].best]
wiring(evolved)

# %%
nb.predict("01.2")

# %% tags=["main-result", "nbval-check-output"]
wirings = {
    "random": history[0].wirings.repeat(2, 1, 1),
    "evolved": evolved.expand(60, -1, -1),
    "every wire": early.allowed(hidden=4).expand(60, -1, -1),
}
error = {
    name: early.train(each, problem, steps=80, generator=torch.Generator().manual_seed(2))[0].mean()
    for name, each in wirings.items()
}
nb.show(
    evolved_errs_less_than_a_third_of_random=error["evolved"] < error["random"] / 3,
    evolved_and_every_wire_within_four_points=(error["evolved"] - error["every wire"]).abs() < 4,
    wires_possible=early.allowed(4).sum(),
)

# %%
equal = (error["evolved"] - error["every wire"]).abs() < 4
nb.reveal("01.2", 3 if equal else list(error).index(min(error, key=error.get)))

# %%
generations(history, baseline=error["every wire"].item())

# %% [markdown]
# The search beat chance by far and did **not** beat the plainest design. Keep both halves of that sentence: every
# result in this book is held against the right baseline, and some results do not survive it.
#
# ## Counting the cost
#
# Thirty years later the networks had grown a hundred thousand times, and the loop had stayed the same. Here is what
# the searches cost, family by family.

# %% tags=["nbval-check-output"]
summary = {}
for family in strategies.FAMILIES:
    found = [method for method in methods if method.family == family and method.gpu_days]
    if found:
        days, best = (
            [method.gpu_days for method in found],
            min(method.error_percent for method in found),
        )
        summary[family] = f"{min(days):g} to {max(days):g} GPU-days, lowest error {best:.2f} %"
nb.show(summary)

# %% [markdown]
# Numbers are only as good as their notes. These systems differ in more than the search: in the space, in tricks such as
# cutout, in the size of the network. The lecture's own tables disagree in places; the data file of this book says
# where.

# %%
for method in methods:
    if method.note and "parameters" not in method.note:
        print(f"{method.title}: {method.note}.")

# %% [markdown]
# **Try it.** Move the budget, and switch families off and on. *Find the smallest budget at which the best system that
# fits has an error below 2.6 %, with gradient methods switched off.* Is there one at all?

# %% tags=["widget"]
from nasbook.widgets.history import CostExplorer

explorer = CostExplorer()
explorer

# %% [markdown]
# A widget's state is a short text: `explorer.state()` gives it, `CostExplorer(state=...)` takes it back. So you can hand
# a view to a neighbour. This one answers the question.

# %% tags=["nbval-check-output"]
answer = CostExplorer(
    state="budget=30000 families=human design,reinforcement learning,evolution"
).result()
winner = answer.best
nb.show(
    systems_that_fit=len(answer.fitting), best=winner.title, error=winner.error_percent, digits=3
)

# %% [markdown]
# No: without gradient methods even 30,000 GPU-days buy no error below 2.6 % in these tables.
#
# ## A space small enough to know
#
# How good is a strategy? To say so we must know what it could have found. The space above has only 48 architectures,
# so all of them were trained from scratch, twice each, and the results are stored beside the book.

# %% tags=["nbval-check-output"]
table = strategies.tabulated("s2_2nodes_fixed")
seeds = table.manifest["seeds"]
nb.show(architectures=len(table), seeds=seeds, epochs=table.numbers["epochs"])
nb.show(made_by=table.manifest["command"])

# %%
ranking(table)

# %% [markdown]
# Look at three things. A few architectures on the left are a disaster: they hold no convolution at all. The rest form
# a gentle slope. And the two dots of one architecture often lie further apart than ten neighbours on the slope: the
# **noise of the evaluation**.

# %% tags=["nbval-check-output"]
scores = sorted(table(genotype) for genotype in table.rows)
spread = [abs(row.valid[0] - row.valid[1]) for row in table.rows.values()]
no_convolution = [table(genotype) for genotype in table.rows if genotype.count("sep_conv_3x3") == 0]
nb.show(
    best=scores[-1],
    median=(scores[23] + scores[24]) / 2,
    worst=scores[0],
    without_convolution=len(no_convolution),
    two_trainings_of_one_architecture_differ_by=sum(spread) / len(spread),
    digits=3,
)

# %% [markdown]
# ## One loop for every strategy
#
# A strategy sees nothing of a network but its score: it is a **black box**. In this package it is a Python generator
# that *yields* an architecture and is *sent* its score. The whole loop is one function.

# %%
nasbook.source(strategies.run)

# %% [markdown]
# **Random search** ignores the scores. It is the baseline.

# %%
nasbook.source(strategies.random_search)

# %% [markdown]
# **Regularised evolution** (Real et al. 2019, AmoebaNet) keeps a small population. The winner of a tournament is
# mutated: one operation or one source changes. Then the *oldest* member dies, not the worst: a lucky score does not
# live for ever.

# %%
nasbook.source(strategies.evolution)

# %% [markdown]
# **REINFORCE** (Zoph & Le 2017 used it with a recurrent network) learns a *policy* $\pi_\phi$, a distribution over
# architectures. After each score $R$ it makes what it drew more probable if $R$ was above the average $b$ of the past,
# and less probable if below. It climbs the gradient of the expected score $J$:
#
# $$\nabla_\phi J = \mathbb E\big[(R - b)\, \nabla_\phi \log \pi_\phi(a)\big]. \tag{1.2}$$
#
# Ours has one categorical for each choice; $b$ is a moving average.

# %%
nasbook.source(strategies.reinforce)

# %% [markdown]
# ## A fair race
#
# Fair means: the same evaluator, the same number of evaluations, many seeds. Thirty seeds each, with the stored table
# as evaluator: the best accuracy found after each evaluation, mean and range over the seeds.

# %%
nb.predict("01.3")

# %%
makers = {
    "random": strategies.random_search,
    "evolution": strategies.evolution,
    "reinforce": lambda space, generator: strategies.reinforce(space, generator=generator, lr=0.1),
}
runs = {
    name: [
        strategies.run(
            make(space, generator=torch.Generator().manual_seed(seed)), table, budget=100
        )
        for seed in range(30)
    ]
    for name, make in makers.items()
}
picture = best_so_far(
    {name: [run.best_so_far()[:30] for run in each] for name, each in runs.items()}
)
picture.axes[0].set_ylim(48, 58)
picture

# %% tags=["main-result", "nbval-check-output"]
after_30 = {
    name: sum(run.best_so_far()[29] for run in each) / len(each) for name, each in runs.items()
}
nb.show(
    strategies_within_one_point=max(after_30.values()) - min(after_30.values()) < 1,
    all_within_two_points_of_the_best_there_is=min(after_30.values()) > scores[-1] - 2,
)

# %%
equal = max(after_30.values()) - min(after_30.values()) < 1
nb.reveal("01.3", 3 if equal else list(after_30).index(max(after_30, key=after_30.get)))

# %% [markdown]
# So did evolution and REINFORCE learn nothing? Look not at the best, but at *what they propose*. (REINFORCE gets
# ten times the learning rate of the script published with NATS-Bench, as it has a hundred evaluations only.)

# %%
nb.predict("01.4")

# %% tags=["main-result", "nbval-check-output"]
last_ten = {name: [sum(run.scores[-10:]) / 10 for run in each] for name, each in runs.items()}
average = {name: sum(each) / len(each) for name, each in last_ten.items()}
nb.show(
    evolution_proposes_better_than_random=average["evolution"] > average["random"] + 1,
    reinforce_proposes_better_than_random=average["reinforce"] > average["random"] + 1,
)

# %%
bars(last_ten, ylabel="mean accuracy of the last ten proposals (%)")

# %% [markdown]
# What a learning policy learns can be read off its **entropy**: near $\ln 48$ all architectures are equally probable,
# at 0 only one is left.

# %% tags=["nbval-check-output"]
generator = torch.Generator().manual_seed(0)
policy = strategies.Policy(space, generator=generator)
strategies.run(
    strategies.reinforce(space, generator=generator, policy=policy, lr=0.1), table, budget=100
)
nb.show(
    entropy_at_first=round(policy.entropies[0], 2),
    logarithm_of_48=torch.tensor(48.0).log().item(),
    entropy_fell_by_a_fifth=policy.entropies[-1] < 0.8 * policy.entropies[0],
)

# %% [markdown]
# ## The real thing
#
# A table answers at once because somebody waited before. Here evolution runs **live**: three architectures, each
# trained from scratch with the table's own numbers. This takes some seconds for each.

# %% tags=["nbval-check-output"]
evaluate = strategies.from_scratch(numbers=table.numbers, seed=0)
strategy = strategies.evolution(
    space, generator=torch.Generator().manual_seed(5), population=2, tournament=2
)
live = strategies.run(strategy, evaluate, budget=3)
stored = [table.row(evaluation.genotype).valid[0] for evaluation in live.evaluations]
nb.show(
    trainings=len(live),
    within_ten_points_of_the_stored_ones=all(abs(a - b) < 10 for a, b in zip(live.scores, stored)),
)

# %% [markdown]
# Now count. One evaluation was one training of some seconds; a strategy's own arithmetic takes milliseconds. The whole
# table cost what the next line says, on a machine that was busy with other work too, and these are toys on images of
# 16 by 16 pixels. NAS-RL trained 12,800 networks on 800 GPUs (Zoph and Le 2017).

# %%
minutes = table.manifest["seconds"] / 60
print(f"{len(table) * len(seeds)} trainings one after another took {minutes:.0f} minutes.")

# %% [markdown]
# **The evaluation is the cost.** No strategy above saved more than a few evaluations. What made NAS ten thousand times
# cheaper is that candidates are no longer trained one by one: they *share their weights* (chapter 03).
#
# ## Checkpoint
#
# Three questions before you go on.

# %% tags=["nbval-check-output"]
nb.predict("01.5")

# %% tags=["nbval-check-output"]
nb.predict("01.6")

# %% tags=["nbval-check-output"]
nb.predict("01.7")

# %% [markdown]
# ## Exercises
#
# ### Exercise 01.1 (easy, 5 minutes)
#
# Write `best_within(methods, gpu_days)`: the `name` of the system with the lowest error among those whose search fits
# the budget, or `None` if none fits. A system without a known cost does not fit.
#
# <details><summary>Hint 1</summary>Keep the methods whose <code>gpu_days</code> is not <code>None</code> and at most
# the budget.</details>
# <details><summary>Hint 2</summary><code>min(fitting, key=lambda method: method.error_percent)</code>, unless the
# list is empty.</details>


# %%
def best_within(methods, gpu_days):
    """Replace the next line: (methods, budget in GPU-days) -> name or None."""
    raise nasbook.NotAttempted


nb.check("01.1", best_within)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_best_within(methods, gpu_days):
    fitting = [
        method for method in methods if method.gpu_days is not None and method.gpu_days <= gpu_days
    ]
    return min(fitting, key=lambda method: method.error_percent).name if fitting else None


nb.check_solution("01.1", solution_best_within)

# %% [markdown]
# ### Exercise 01.2 (medium, 10 minutes)
#
# One choice has logits $\phi$, and the policy is their softmax $\pi$. An action was drawn, and its score was
# `advantage` above the baseline. Write `policy_gradient(logits, action, advantage)`: the gradient inside (1.2), by
# hand, without `backward`.
#
# <details><summary>Hint 1</summary>What is the derivative of $\log \pi_k = \phi_k - \log\sum_j e^{\phi_j}$ in
# $\phi_i$?</details>
# <details><summary>Hint 2</summary>One for $i = k$ and zero otherwise, minus $\pi_i$; all of it times the
# advantage.</details>


# %%
def policy_gradient(logits, action, advantage):
    """Replace the next line: logits (choices,) -> gradient (choices,)."""
    raise nasbook.NotAttempted


nb.check("01.2", policy_gradient)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_policy_gradient(logits, action, advantage):
    chosen = torch.zeros_like(logits)
    chosen[action] = 1.0
    return advantage * (chosen - torch.softmax(logits, dim=0))


nb.check_solution("01.2", solution_policy_gradient)

# %% [markdown]
# ### Exercise 01.3 (hard, 20 minutes)
#
# Write a strategy of your own, **hill climbing**: begin at a random architecture; propose a mutation of the best one so
# far, again and again; move when it scores higher. It must be a generator without an end. When it passes, enter it in
# the race above.
#
# <details><summary>Hint 1</summary><code>score = yield architecture</code> proposes an architecture and receives its
# score. <code>strategies.mutate(space, parent, generator=generator)</code> gives a neighbour.</details>
# <details><summary>Hint 2</summary>Keep two variables, the current architecture and its score; inside
# <code>while True</code> propose a mutation and compare.</details>


# %%
def hill_climbing(space, *, generator):
    """Replace the next line by a generator of architectures."""
    raise nasbook.NotAttempted


nb.check("01.3", hill_climbing)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_hill_climbing(space, *, generator):
    current = space.sample(generator)
    best = yield current
    while True:
        child = strategies.mutate(space, current, generator=generator)
        score = yield child
        if score > best:
            current, best = child, score


nb.check_solution("01.3", solution_hill_climbing)

# %% [markdown]
# ## What breaks
#
# - **A small space flatters chance.** In 48 architectures nothing beats random search. That says nothing about large
#   spaces, and published comparisons without a random baseline say little about strategies.
# - **The winner is partly lucky.** The best of many noisy scores is too high on average; that is why the test images
#   never choose anything here.
# - **Costs are not comparable to the digit.** GPUs, spaces and training tricks differ between the rows.

# %% [markdown]
# ## Takeaways
#
# - A search is a space, a strategy and an evaluation; within AutoML it decides what the network is made of.
# - Evolved wirings beat random ones by far, and equal a network with every wire: the baseline decides what it means.
# - On a logarithmic axis, five years of NAS go four to five steps to the left, and little more than one point down.
# - Random search, evolution and REINFORCE are generators behind one loop; in a space of 48 none wins, and two learn.
# - Nearly all of the time goes into training candidates, which is what weight sharing removes.
#
# **Sources.** Miller, Todd & Hegde 1989, *Designing neural networks using genetic algorithms*; Williams 1992; Zoph & Le
# 2017; Real et al. 2019. Costs and errors: COMP5212 Lecture 21, as marked in the data file.
