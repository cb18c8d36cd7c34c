# %% [markdown]
# # 00. Start here
#
# *In the next half hour a program designs a neural network in front of you, and you learn how this book works.*
#
# **You will be able to**
#
# - run an architecture search and read what came out
# - use what every chapter has: predictions, widgets, checks and hints
# - find a run again, continue it, and start the same one from a terminal
# - say which part of a result you may expect on another machine
#
# **Before this:** a little Python, and what a convolutional network is. **Time:** about 30 minutes in class, under a
# minute of computing.
#
# **Lecture:** none; this comes before it.

# %%
from pathlib import Path

import nasbook
from nasbook import datasets, experiment, figures, sizes, spaces
from nasbook.course import out_of_order
from nasbook.widgets.microscope import Microscope

nb = nasbook.start("00")

# %% [markdown]
# ## What this book is about
#
# A neural network has weights, which are learned, and an *architecture*, which somebody drew: how many layers, which
# operations, how they are wired. **Neural architecture search** (NAS) lets a program draw it.
#
# The first systems trained thousands of networks to compare them. This book is about the idea that made NAS cheap:
# *weight sharing*. One large network, the **supernet**, contains all candidates at once; they share its weights; and
# gradient descent says which candidates deserve to stay.
#
# Everything here is real: the chapters call the package `nasbook`, which searches with the same code on this machine
# in a minute and on a GPU at the size of the published papers.

# %% [markdown]
# ## How a chapter works
#
# Run the cells from top to bottom with Shift+Enter. The first one opens the chapter and says where it computes. If
# you run cells in another order, you get the same results, or a sentence that says what to run first. This is the
# sentence for a name that a later section of this chapter makes:

# %% tags=["nbval-check-output"]
nb.show(out_of_order.advice(nb.chapter, "outcome").strip())

# %% [markdown]
# What `nb.show` prints is the same on every machine; tests compare it. Here are the images we search on: small pictures
# of digits in the style of house numbers, which come with the package.

# %% tags=["nbval-check-output"]
data = datasets.load(nb.preset.data)
nb.show(
    classes=data.classes,
    image=data.image,
    training_images=len(data.train),
    test_images=len(data.test),
)

# %%
picture, axes = figures.figure("wide", 1, 8, height=1.3)
names = [data.class_names[label] for label in data.train.labels[:8].tolist()]
for axis, name, pixels in zip(axes, names, data.train.pixels):
    axis.imshow(pixels.permute(1, 2, 0))
    axis.set(title=name, xticks=[], yticks=[])
figures.Picture(
    picture, f"Eight training images, turned and noisy, some with neighbours: {', '.join(names)}."
)

# %% [markdown]
# ## What the program may choose
#
# The network is a stack of equal **cells**. A cell is a small graph: it takes the outputs of the two cells before it,
# and every edge applies one operation. Here an edge may hold a skip connection (pass the image on as it is) or a
# separable 3×3 convolution; it may also be left out, which is called `none`. The space has a name, `s3`, and is a
# small member of a family that the lecture shows.

# %% tags=["nbval-check-output"]
space = spaces.get("s3", nodes=nb.preset.search.nodes, reduction=nb.preset.search.reduction)
nb.show(str(space))

# %% [markdown]
# In an architecture, nodes 2 and 3 each sum two edges. This is the cell before anything is decided: every edge with all
# its candidates, side by side.

# %%
figures.cell(space)

# %% [markdown]
# ## A search, live
#
# The next cell searches, and then trains the architecture that came out from scratch, as a network of its own. That
# takes about half a minute; a line under the cell tells epoch, loss, accuracy and the time left.
#
# Throughout the book there is a **prediction** before a result. It is never graded. Make one: what we have guessed
# first we remember better, and a wrong guess helps as much as a right one.

# %%
nb.predict("00.1")

# %% [markdown]
# `numbers` changes entries of the preset: half of its epochs are enough to see what a search does. `run` says where the
# run is kept: `experiment.default_folder` names a folder under `runs/` after the request, so that the same request finds
# it again. You may interrupt the cell with the stop button. Run it again, and the search goes on from its last finished
# epoch.

# %% tags=["main-result", "nbval-check-output"]
request = {
    "space": "s3",
    "data": data,
    "size": nb.size,
    "seed": 1,
    "device": nb.device.type,
    "numbers": {"epochs": nb.preset.search.epochs // 2},
    "run": experiment.default_folder,
}
outcome = experiment.search("darts", **request, listeners=[nb.progress])
accuracy = outcome.result["test_accuracy"]
nb.show(
    epochs=len(outcome.history), twice_as_good_as_blind_guessing=accuracy > 2 * 100 / data.classes
)

# %%
nb.reveal("00.1", round(accuracy, 1))

# %% [markdown]
# Your digits may differ a little from those of a neighbour; more on that below. What the compared line says must hold
# on every machine.
#
# ## The cell it found
#
# Of every edge's candidates one is left, and of the edges into a node two. This graph is the result: repeated through
# the network, it *is* the architecture.

# %%
figures.cell(outcome.genotype)

# %% [markdown]
# The same cell as text, the form in which papers publish architectures. Each pair is an operation and the node it
# comes from; two pairs make a node.

# %%
print(outcome.genotype)

# %% [markdown]
# ## Under the microscope
#
# A search leaves one record an epoch. The **supernet microscope** scrubs through them: accuracies on top, then the
# weight of every operation on every edge, then the cell that would come out if the search stopped there. Use the step
# buttons, or click the slider and press the arrow keys; choose an edge to read its numbers.
#
# **Task:** find the first epoch from which the cell no longer changes. Its last line, *state*, can be copied and
# pasted: a teacher can hand out "look at this".

# %% tags=["widget"]
scope = Microscope(outcome.history, space=space, titles=["my first search"])
scope

# %% [markdown]
# The weights on each edge sum to one. Look at `none`: it takes more and more, and yet it is not in the cell. The rule
# that draws the cell passes over `none` and takes the largest of the other weights, however small. Chapter 06 asks why
# `none` grows, and what that does to the result.

# %% tags=["nbval-check-output"]
last = outcome.history[-1]
sums = [sum(edge) for edge in last["weights"]["normal"]]
nb.show(edges=len(sums), every_edge_sums_to_one=all(abs(total - 1) < 1e-9 for total in sums))

# %% [markdown]
# ## Where a run is kept
#
# The folder holds five files: what was asked, one line per epoch, the state to continue from, the trained network, and the
# result. A run that is interrupted, even by pulling the plug, continues from its last finished epoch and ends with the
# same digits as if nothing had happened.
#
# If you close the tab of a chapter during a search, the search goes on. When you open the chapter again, its widgets are
# pictures: run their cells again, and they answer. What the search printed meanwhile may be missing; run its cell again,
# and it reads the finished run.
#
# Each open chapter keeps about 0.9 GB of memory, also after its tab is closed, until its kernel is shut down. Choose
# *Kernel > Shut Down Kernel* when you finish a chapter.

# %% tags=["nbval-check-output"]
folder = Path(outcome.result["run"])
nb.show(
    files=sorted(
        path.name for path in folder.iterdir() if path.suffix in {".json", ".jsonl", ".pt"}
    )
)

# %% [markdown]
# Before you run the next cell: it asks for exactly the same search again.

# %%
nb.predict("00.2")

# %% tags=["main-result", "nbval-check-output"]
again = experiment.search("darts", **request)
nb.show(same_result=again.result == outcome.result, same_history=again.history == outcome.history)

# %% [markdown]
# ## Same conclusions, never the same digits
#
# On one machine, equal seeds give equal digits. Between machines they do not, and that is nobody's mistake. A computer
# rounds after each step, and processors add in different orders:

# %% tags=["nbval-check-output"]
left, right = (0.1 + 0.2) + 0.3, 0.1 + (0.2 + 0.3)
nb.show(equal=left == right, equal_to_four_digits=f"{left:.4g}" == f"{right:.4g}")

# %% [markdown]
# A difference in the sixteenth digit is nothing; but a training repeats the step, and each step builds on the last. In
# single precision, after a few hundred steps, two machines may differ by two points of accuracy.
#
# So this book promises the **same conclusions, never the same digits**. What it states holds in words and with a
# margin: *better than*, *most of*, *within ten points*. When you compare two runs of your own, do the same: one
# architecture, trained twice with different seeds, differs by a few points from run to run.

# %% [markdown]
# ## From a terminal, and on a GPU
#
# Searches run without a notebook, too. The search of this chapter is
#
# ```
# nasbook search --space s3 --epochs 10 --seed 1
# ```
#
# It gives the same digits on this machine: at class size both compute with one thread (`--threads` changes that). In the
# folder of this notebook the command finds the run from above and prints its result. `nasbook search --help` lists every
# number that you can change, and `nasbook doctor` says what is installed and which data are at hand.
#
# There are two sizes. *Class* size, the default, is made for a laptop. *Paper* size uses the published numbers and real
# data, and wants a GPU:
#
# ```
# nasbook datasets download cifar10
# nasbook search --size paper --data cifar10 --device cuda
# NASBOOK_SIZE=paper nasbook lab
# ```
#
# The last line opens this book with paper numbers in every chapter. Some of them, side by side:

# %% tags=["nbval-check-output"]
nb.show(
    {
        name: f"{size.search.epochs} epochs on {size.data}, space {size.space}, "
        f"{size.search.layers} cells of {size.search.channels} channels"
        for name, size in sizes.SIZES.items()
    }
)

# %% [markdown]
# ## Checkpoint
#
# Every chapter has a few quick questions. Choose, lock your guess, read the answer.

# %% tags=["nbval-check-output"]
nb.predict("00.3")

# %% tags=["nbval-check-output"]
nb.predict("00.4")

# %% tags=["nbval-check-output"]
nb.predict("00.5")

# %% [markdown]
# ## Exercises
#
# An exercise has a task, two folded hints, a place for your answer, and a check that says what is wrong without giving
# the answer away. Nothing stops when you skip one. The solution is folded below it.
#
# ### Exercise 00.1 (easy, 5 minutes)
#
# Write `best_epoch(history)`: the number of the epoch with the highest validation accuracy, the earlier one if two are
# equal. A history is a list of records, `outcome.history` for example; look into one of them first.
#
# <details><summary>Hint 1</summary>A record is a dictionary; the keys you need are "epoch" and
# "valid_accuracy".</details>
# <details><summary>Hint 2</summary><code>max(history, key=...)</code> returns the first of equal ones.</details>


# %%
def best_epoch(history):
    """Replace the next line: a list of records -> the number of the best epoch."""
    raise nasbook.NotAttempted


nb.check("00.1", best_epoch)


# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
def solution_best_epoch(history):
    return max(history, key=lambda record: record["valid_accuracy"])["epoch"]


nb.check_solution("00.1", solution_best_epoch)

# %% [markdown]
# ### Exercise 00.2 (easy, 10 minutes)
#
# Search on other images: the data set `digits` (scikit-learn's handwritten digits, 8×8 pixels), for at most three
# epochs, without training from scratch. Put what `experiment.search` returns into `my_outcome`.
#
# <details><summary>Hint 1</summary>All data sets have names: <code>datasets.names()</code>. <code>data=</code> takes a
# name.</details>
# <details><summary>Hint 2</summary>The keyword <code>numbers={"epochs": 3}</code> changes the preset, and
# <code>retrain=False</code> leaves the training from scratch out.</details>

# %%
my_outcome = ...

nb.check("00.2", my_outcome)

# %% jupyter={"source_hidden": true} tags=["solution", "nbval-check-output"]
solution_outcome = experiment.search(
    "darts",
    space="s3",
    data="digits",
    numbers={"epochs": 3},
    retrain=False,
    device=nb.device.type,
)
nb.check_solution("00.2", solution_outcome)

# %% [markdown]
# ## What breaks
#
# This was one search, with one seed, in a small space. Is the cell any *better* than one drawn at random? You cannot
# know from a single run, and papers were published before people asked. Chapter 06 makes the comparison with the same
# code, and its answer may surprise you.

# %% [markdown]
# ## Takeaways
#
# - A search is one call; its outcome holds a result, a history and a genotype.
# - Predict, run, explain; widgets show, checks say what is wrong, hints help.
# - The same request on the same folder continues or reads a run, in a notebook as in a terminal.
# - Expect the same conclusions with a margin on every machine, and the same digits on yours alone.
