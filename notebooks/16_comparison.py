# %% [markdown]
# # 16. Every method: published and measured
#
# *One table of the literature, one of our own, and an account of everything that this book claimed.*
#
# **You will be able to**
#
# - say what a table of errors and GPU-days can tell, and what it cannot
# - compare two methods fairly: with the same numbers, paired over seeds, beside controls
# - place any method on five axes, and run one that nobody has published
# - read a ledger of claims, and defend a verdict in it
#
# **Before this:** chapters 10 to 15. **Time:** about 45 minutes in class, under a minute of computing.
#
# **Lecture:** Comparison of all methods.

# %%
from dataclasses import asdict, replace

import nasbook
from nasbook import claims, datasets, figures, sizes, spaces, strategies
from nasbook.analysis import ranks
from nasbook.claims import comparison

nb = nasbook.start("16")

# %% [markdown]
# ## The lecture's last table
#
# The lecture ends with one table: every method, its test error on CIFAR-10, and what its search cost. Here it is as a
# picture, with the methods that chapter 01 showed for comparison.

# %%
from nasbook.figures.costs import cost_error

methods = strategies.published_methods()
searched = [method for method in methods if method.gpu_days]
cost_error([{**asdict(method), "name": method.title} for method in searched])

# %% [markdown]
# Before you read it, its footnotes. The lecture's slides disagree with each other in places, and some rows cannot be
# compared at all:

# %% tags=["nbval-check-output"]
for method in searched:
    if method.note and "parameters" not in method.note:
        print(f"{method.title}: {method.note}")

# %% [markdown]
# Look at the methods that learn by gradient, the lower left of the picture. If days bought quality, the points would
# fall from left to right.

# %%
nb.predict("16.1")

# %% tags=["main-result", "nbval-check-output"]
gradient = [method for method in searched if method.family == "gradient"]
same_backbone = [method for method in gradient if method.name != "proxylessnas"]
rows = [["methods", "rank correlation of days and error"]]
for words, chosen in (("by gradient", gradient), ("without ProxylessNAS", same_backbone)):
    days, errors = (
        [getattr(each, key) for each in chosen] for key in ("gpu_days", "error_percent")
    )
    rows.append(
        [f"{len(chosen)} {words}", f"{ranks.spearman(days, errors, resamples=0).value:.2f}"]
    )
nb.show(rows)

# %% [markdown]
# And are the rows told apart? Most have a standard deviation: of the *retraining* of one cell, or of few searches, and
# the papers differ in which. Take two rows for different if their errors are further apart than twice the deviation of
# their difference.

# %% tags=["nbval-check-output"]
from itertools import combinations

pairs = list(combinations([method for method in gradient if method.error_std], 2))
apart = [
    abs(one.error_percent - other.error_percent)
    > 2 * (one.error_std**2 + other.error_std**2) ** 0.5
    for one, other in pairs
]
nb.show(pairs_of_rows=len(pairs), told_apart=sum(apart))

# %% [markdown]
# About half of all pairs. And that is the generous count: many of these cells are the best of four searches, so that the
# row is about a *maximum*. Each paper has its own channels, epochs, and augmentation, and no row has the control that
# costs nothing: a random cell.

# %% [markdown]
# ## What is a fair comparison?
#
# - **The same numbers.** Data, space, epochs of retraining, channels. What differs is the method.
# - **Controls.** A *random* cell; *convolutions* everywhere; on NAS-Bench-201 DARTS *without none*.
# - **Seeds, paired.** A seed fixes images, initial weights, and retraining. What is common to both methods
#   cancels in the difference $d_s$ of one seed $s$. Of $n$ seeds, with the 97.5 % quantile of Student's $t$ (2.78 for 5),
#
# $$\bar d \pm t_{n-1}\, \frac{s_d}{\sqrt n}, \qquad s_d^2 = \frac{1}{n-1} \sum_s (d_s - \bar d)^2. \tag{16.1}$$
#
# - **Order, not level.** Published accuracies are on CIFAR-10 at paper size. Ours are on generated images at class
#   size. Their levels have nothing to say to each other; their orders have.

# %% tags=["nbval-check-output"]
found = {each.method: each for each in comparison.standings("method-order")}
rows = [["difference in points, five seeds", "mean", "half of its 95 % interval"]]
for one, other in (("drnas", "darts"), ("snas", "darts"), ("nasp", "random"), ("darts", "random")):
    paired = found[one].minus(found[other])
    rows.append([f"{one} - {other}", f"{paired.mean:.1f}", f"{paired.spread:.1f}"])
nb.show(rows)

# %% [markdown]
# Where the half is larger than the mean without its sign, 0 lies in the interval: five seeds do not tell the two apart,
# whatever the means say.
#
# ## Every method on NAS-Bench-201
#
# Most methods of chapters 06 to 12 from one study; DARTS with PT, and SDARTS without and with it, from two more, which share
# seeds and a DARTS of their own. (A study that is not stored yet is named, and its rows are missing. Published for SNAS is a
# bilevel run.)

# %%
nb.predict("16.2")


# %% tags=["main-result", "nbval-check-output"]
def told(found):
    """Half of a 95 % interval, which one seed has not."""
    return "" if found.spread is None else f"{found.spread:.1f}"


studies = comparison.STUDIES["nas-bench-201"]
found = comparison.distinct(comparison.standings(*studies))
nb.show(not_measured_yet=", ".join(comparison.not_measured(*studies)) or "nothing")
rows = [["method or control", "study", "mean (%)", "±", "seeds", "published (%)"]]
for each in found:
    mean, published = f"{each.interval.mean:.1f}", each.published
    shown = "" if published is None else f"{published:.2f}"
    row = [each.method, each.study, mean, told(each.interval)]
    rows.append([*row, len(each.accuracies), shown])
nb.show(rows)

# %%
from nasbook.figures import comparison as pictures

pictures.standings(found)

# %% [markdown]
# Look at the lengths of the bars before you look at the means (what lies outside of 0 to 100 is cut): a method whose seeds lie
# 60 points apart has no place in an order. And compare each blue point with the grey ones, not with the next blue one.
#
# *sdarts-adv* and *sdarts-adv+pt* have the same supernets. What lies between them is the last step alone: with two seeds
# magnitude keeps `none` on all edges into the last node.

# %% tags=["nbval-check-output"]
rows = [["seed", "method", "edges into the last node", "accuracy (%)"]]
for run in claims.runs("smoothing-nas-bench-201"):
    for name in ("sdarts-adv", "sdarts-adv+pt"):
        *_, last = run.values["cells"][name].split("+")
        rows.append([run.seed, name, last, f"{run.values[f'{name}_derived']:.1f}"])
nb.show(rows)

# %% [markdown]
# The order, for the methods that the lecture's table of this space has. With $R$ the ranks of $n$ methods, the
# agreement of two orders is Pearson's correlation of their ranks (Spearman),
#
# $$\rho = \frac{\sum_i (R_i - \bar R)(R'_i - \bar R')}{\sqrt{\sum_i (R_i - \bar R)^2 \sum_i (R'_i - \bar R')^2}}.
# \tag{16.2}$$

# %%
first = [each for each in found if each.study == studies[0]]
pictures.orders(first)

# %% tags=["nbval-check-output"]
both = [each for each in first if each.published is not None]
agreement = ranks.spearman([each.interval.mean for each in both], [each.published for each in both])
seeds = sorted(both[0].accuracies)
of_seeds = [
    ranks.spearman([each.accuracies[seed] for each in both], [each.published for each in both])
    for seed in seeds
]
nb.show(
    methods=len(both),
    rank_correlation_of_the_means=f"{agreement.value:.2f}",
    its_interval_over_methods=f"{agreement.low:.2f} to {agreement.high:.2f}",
    of_each_seed=", ".join(f"{each.value:.2f}" for each in of_seeds),
)

# %% [markdown]
# An order of so few methods is a weak instrument: exchange two neighbours, and the number moves. PC-DARTS by itself, whose seeds
# lie at 10 and at 85 %, moves it from above 0 to below. It neither confirms the published order nor refutes it.
#
# ## S1 to S4
#
# In the spaces in which the lecture shows DARTS fail it has three rows: DARTS, with PT, and with PT on a supernet whose alpha
# never moved. Each derived cell is trained three times on fresh images; the column *seeds* counts the searches.

# %%
nb.predict("16.3")


# %% tags=["main-result", "nbval-check-output"]
simple = {
    space: comparison.standings(*comparison.STUDIES[space]) for space in ("s1", "s2", "s3", "s4")
}
missing = [name for space in simple for name in comparison.not_measured(*comparison.STUDIES[space])]
nb.show(not_measured_yet=", ".join(missing) or "nothing")
rows = [["space", "method or control", "mean (%)", "±", "seeds", "published (%)"]]
for space, found in simple.items():
    for each in (each for each in found if each.study == f"pt-{space}"):
        shown = "" if each.published is None else f"{each.published:.2f}"
        mean, half, seeds = f"{each.interval.mean:.1f}", told(each.interval), len(each.accuracies)
        rows.append([space, each.method, mean, half, seeds, shown])
nb.show(rows)

# %%
above = 0
for space, found in simple.items():
    own = {each.method: each for each in found if each.study == f"pt-{space}"}
    if "darts+pt" in own:
        paired = own["darts+pt"].minus(own["convolutions"])
        above += paired.low > 0
nb.reveal("16.3", above)

# %%
figure, axes = figures.figure("wide", 2, 2, height=7.2)
figures.together(
    *(
        pictures.standings(found, title=space.upper(), ax=ax)
        for (space, found), ax in zip(simple.items(), axes.flat)
    )
)

# %% [markdown]
# Blue circles are methods, grey diamonds controls, as above. Rows named after a space alone, like *darts (s2)*, are of
# chapters 07 and 08: the same method with other seeds, and in S1 and S3 with more epochs. *empty* is the cell without
# parameters. Is DARTS where it was? In S4, and mostly in S2; in S1 and S3 its older seeds lie too far apart to say. A result
# that returns with other seeds is worth more than a short interval.
#
# With three published rows a correlation says nothing. Each *step* of the lecture's table can be asked, though: from
# DARTS to PT, and from there to the fixed alpha. Does it go the same way here?

# %% tags=["nbval-check-output"]
steps = (("darts", "darts+pt"), ("darts+pt", "darts+pt-fixed-alpha"))
rows = [["space", "step", "published (points)", "here (points)", "±", "same sign"]]
for space, found in simple.items():
    of = {each.method: each for each in found if each.study == f"pt-{space}"}
    for before, after in steps:
        if before in of and after in of:
            published = of[after].published - of[before].published
            here = of[after].minus(of[before])
            same = (here.mean > 0) == (published > 0)
            shown = (f"{published:+.2f}", f"{here.mean:+.1f}", told(here), same)
            rows.append([space, f"{before} → {after}", *shown])
nb.show(rows)

# %% [markdown]
# A sign is the least that one can ask, and half of all coins would pass. The first step goes the lecture's way in all four
# spaces, in S2 and S4 by the whole interval. The second goes the other way or nowhere: what is published of it is less than a
# point, which four seeds cannot see. The chapter's part of the ledger asks for the whole interval:

# %%
nb.claims()

# %% [markdown]
# The last row is above the first where DARTS collapses, in S2 and S4. That smoothing *helps* the selection is shown nowhere; on
# NAS-Bench-201 cells after SDARTS-ADV are worse than those after DARTS by the whole interval.
#
# ## Five axes
#
# No method of this book is a class of its own. Each is a row: one word on each of five axes.

# %% tags=["nbval-check-output"]
from nasbook.strategies.methods import AXES, all_methods

running = [method for method in all_methods() if method.recipe]
nb.show([["method", *AXES], *([method.name, *method.axes.values()] for method in running)])

# %% [markdown]
# Read it by columns. Down the first: ten ways from alpha to operation weights. The last: PT stands behind DARTS and SDARTS
# in this table, but it asks nothing of the relaxation, so that *any* method takes `+pt` behind its name. Most of the
# table is empty: rows without a name here.

# %%
nb.predict("16.4")

# %% tags=["main-result", "nbval-check-output"]
from itertools import product

from nasbook.relaxation import RELAXATIONS
from nasbook.runtime.errors import UsageError
from nasbook.search import Recipe
from nasbook.search.axes import HYPERGRADIENTS, check_recipe
from nasbook.search.perturbation import PERTURBATIONS


def goes_together(words):
    try:
        check_recipe(Recipe("mine", *words))
    except UsageError:
        return False
    return True


axes = [list(RELAXATIONS), list(HYPERGRADIENTS), list(PERTURBATIONS)]
allowed = [words for words in product(*axes) if goes_together(words)]
named = {tuple(method.axes[axis] for axis in AXES[:3]) for method in running}
nb.show(words=[len(axis) for axis in axes], go_together=len(allowed), have_a_name=len(named))

# %% [markdown]
# ## Compose your own
#
# A row of your own is a `replace`. This one draws its operation weights as DrNAS does, trains the shared weights at
# randomly moved ones as SDARTS-RS does, and decides by PT:

# %% tags=["nbval-check-output"]
from nasbook.search import recipes

mine = replace(
    recipes.get("drnas"), name="drnas-rs+pt", perturbation="random", selection="perturbation"
)
nb.show({axis: getattr(mine, axis) for axis in AXES})

# %%
from nasbook.runtime.driver import drive
from nasbook.runtime.run_folder import RunFolder
from nasbook.search import Search
from nasbook.selection import SELECTIONS, derive

tiny = {"epochs": 2, "images": 1000, "tuning_steps": 5}
numbers = sizes.override(nb.preset.of("darts", "drnas").search, tiny)
space = spaces.get("s2", nodes=numbers.nodes, reduction=numbers.reduction)
settings = {"recipe": mine, "numbers": numbers, "derive": derive(mine.selection)}
search = Search(space, datasets.load(nb.preset.data), seed=16, device=nb.device, **settings)
history = drive(search, RunFolder(None, {}), [nb.progress])
stops = []
cell = SELECTIONS[mine.selection](
    search, lambda stage: stops.extend(drive(stage, RunFolder(None, {})))
)

# %% tags=["nbval-check-output"]
nb.show(
    epochs_here=len(history),
    epochs_of_the_preset=nb.preset.of("darts", "drnas").search.epochs,
    decisions=sum(len(stop["decisions"]) for stop in stops),
    loss_is_finite=history[-1]["train_loss"] < 10,
    a_cell_of_the_space=space.parse(str(cell)) == cell,
)

# %%
figures.cell(cell)

# %% [markdown]
# Two epochs say nothing about its quality; that the loop did not have to be touched is the point. What has a name needs
# no more than the name, in code and in `nasbook search --method gdas+pt`:

# %% tags=["nbval-check-output"]
row = recipes.get("gdas+pt")
nb.show(row.name, row.title, {axis: getattr(row, axis) for axis in AXES})
try:
    check_recipe(replace(recipes.get("snas"), name="snas-rs", perturbation="random"))
except UsageError as refusal:
    nb.show(str(refusal))

# %% [markdown]
# ## The whole ledger
#
# Every chapter that measures ended with its part. A claim is a sentence of the lecture, or of a control to it, with a number and a
# threshold, set before measuring (what was seen before is said in `data/claims.toml`). It **holds** where the whole 95 % interval over seeds is on the expected side, is **weak** where only the
# mean is, and **fails** otherwise. *Fails* means: at this size, with these settings.

# %%
nb.predict("16.5")

# %% tags=["main-result", "nbval-check-output"]
from nasbook.claims import entries, findings
from nasbook.claims.table import VERDICTS, LedgerTable, tally

ledger = findings.findings(entries.load())
totals = {verdict: sum(each.verdict == verdict for each in ledger) for verdict in VERDICTS}
counted = len(ledger) - totals["not measured"]
nb.show(claims=len(ledger), **totals, share_that_holds=f"{100 * totals['holds'] / counted:.0f} %")

# %%
nb.reveal("16.5", round(100 * totals["holds"] / counted))

# %%
from nasbook.figures.ledger import verdicts

verdicts(tally(ledger, "chapter"), ylabel="chapter")

# %% [markdown]
# The same by topic of the lecture:

# %%
verdicts(tally(ledger, "lecture"), ylabel="topic of the lecture")

# %% [markdown]
# Choose a chapter and a verdict. **Task:** which chapters have the most claims that fail, and which by share? For one of them, say whether a
# larger size might change the verdict, and how you would find out.

# %% tags=["widget"]
from nasbook.widgets.ledger import LedgerFilter

chooser = LedgerFilter(state="chapter=all verdict=fails")
chooser

# %% [markdown]
# And all of it, to be searched by eye:

# %%
LedgerTable(tuple(ledger))

# %% [markdown]
# ## What this size could not show
#
# - **Levels.** Nothing here says what a method reaches on CIFAR-10. Errors of two or three percent are a matter of 600
#   epochs and 20 cells.
# - **Small differences.** Four or five seeds resolve several points, not the tenths by which the last table is ordered.
# - **What grows with training.** Over-fitting of alpha, a narrowing distribution, an anytime curve: a search of twenty
#   epochs on 2,000 images has another ratio of steps to images than the published ones.
# - **Cost in GPU-days.** Seconds of a narrow supernet on a processor order methods differently than a GPU does. The
#   counts of operations and of bytes carry over, the seconds need not.
# - **That a search is needed.** On these spaces and images one control is hard to beat. That is a statement about the
#   spaces, and the reason to look for better ones.

# %% [markdown]
# ## Checkpoint

# %% tags=["nbval-check-output"]
nb.predict("16.6")

# %% tags=["nbval-check-output"]
nb.predict("16.7")

# %% tags=["nbval-check-output"]
nb.predict("16.8")

# %% [markdown]
# ## Exercises
#
# ### Exercise 16.1 (easy, 10 minutes)
#
# Write `paired_interval(ours, theirs, quantile)`: two lists of accuracies over the same seeds and $t_{n-1}$. Return the
# mean difference, ours less theirs, and half of its interval by (16.1).
#
# <details><summary>Hint 1</summary>Take the differences first; from then on there is one list.</details>
# <details><summary>Hint 2</summary><code>statistics.stdev</code> divides by n - 1.</details>


# %%
def paired_interval(ours, theirs, quantile):
    """Replace the next line: two lists and a number -> (mean, half)."""
    raise nasbook.NotAttempted


nb.check("16.1", paired_interval)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_paired_interval(ours, theirs, quantile):
    differences = [one - other for one, other in zip(ours, theirs)]
    mean = sum(differences) / len(differences)
    variance = sum((each - mean) ** 2 for each in differences) / (len(differences) - 1)
    return mean, quantile * (variance / len(differences)) ** 0.5


nb.check_solution("16.1", solution_paired_interval)

# %% [markdown]
# ### Exercise 16.2 (medium, 15 minutes)
#
# Write `rank_correlation(x, y)`, equation (16.2), for two lists of scores. Equal scores share the mean of the ranks that
# they take up together.
#
# <details><summary>Hint 1</summary>The rank of a value: how many are smaller, plus half of how many others are equal.
# A constant more or less does not matter.</details>
# <details><summary>Hint 2</summary>Then Pearson's correlation of the two lists of ranks.</details>


# %%
def rank_correlation(x, y):
    """Replace the next line: two lists -> a number from -1 to 1."""
    raise nasbook.NotAttempted


nb.check("16.2", rank_correlation)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_rank_correlation(x, y):
    def deviations(scores):
        found = [sum((v < s) + (v == s) / 2 for v in scores) for s in scores]
        return [rank - sum(found) / len(found) for rank in found]

    one, other = deviations(x), deviations(y)
    product = sum(a * b for a, b in zip(one, other))
    return product / (sum(a * a for a in one) * sum(b * b for b in other)) ** 0.5


nb.check_solution("16.2", solution_rank_correlation)

# %% [markdown]
# ### Exercise 16.3 (easy, 10 minutes)
#
# Write `adversarial_with_pt(recipe)`: of any recipe the same with an adversarial perturbation and selection by
# perturbation, named as before with `-adv+pt` behind. Where the search is single-level the words would not go together:
# make it first-order there, and leave it everywhere else.
#
# <details><summary>Hint 1</summary><code>dataclasses.replace(recipe, name=...)</code> makes a changed copy.</details>
# <details><summary>Hint 2</summary>Ask <code>recipe.hypergradient</code> before you replace it.</details>


# %%
def adversarial_with_pt(recipe):
    """Replace the next line: a recipe -> a recipe."""
    raise nasbook.NotAttempted


nb.check("16.3", adversarial_with_pt)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_adversarial_with_pt(recipe):
    outer = recipe.hypergradient
    return replace(
        recipe,
        name=f"{recipe.name}-adv+pt",
        hypergradient="first-order" if outer == "single-level" else outer,
        perturbation="adversarial",
        selection="perturbation",
    )


nb.check_solution("16.3", solution_adversarial_with_pt)

# %% [markdown]
# ## What breaks
#
# - **The best of four.** A maximum over searches grows with their number; compare means with means.
# - **A table from several papers.** Augmentation, epochs and channels differ, and move errors by as much as the methods.
# - **Intervals that overlap** are no test of a paired difference, and intervals that do not are none of fairness.
# - **A claim set after measuring.** Settings are chosen on other seeds (exceptions are named in the ledger); otherwise
#   every ledger would be full of claims that hold.
# - **Many claims.** With well over a hundred intervals of 95 %, some miss. Trust a pattern more than a row.

# %% [markdown]
# ## Takeaways
#
# - The last table of the lecture orders systems by differences of which it resolves about half.
# - A fair comparison has the same numbers, paired seeds, and a control that costs nothing.
# - A method is a word on each of five axes; most combinations that go together have no name yet.
# - A ledger with claims that fail is worth more than one without: it says where the evidence ends.
