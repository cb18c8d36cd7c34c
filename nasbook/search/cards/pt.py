"""PT: an operation is kept because the supernet cannot do without it, and not because its weight is the largest.

Problem it fixes
    The largest weight of an edge need not belong to its strongest operation: skip connections get large weights in good
    supernets, and their cells are poor.

Idea in one sentence
    Decide one edge after another by taking each of its operations out of the trained supernet and keeping the one that
    it misses most, with a little training between decisions.

Step of the weights
    First the whole search of the method before the plus sign. Then, between two decisions, its own step at weights of
    which decided edges are one-hot:

        w <- w - lr * grad_w L_train(w, A)        with A[edge] = onehot(kept) where the edge is decided

Step of alpha
    The decisions, one edge after another, by the supernet's accuracy on alpha's half:

        kept = argmin over k of accuracy(w, A with A[edge, k] = 0)

    Between them, on the undecided edges, the method's own step:

        alpha <- Adam(alpha, grad_alpha L_val(w, A))

    With `darts+pt-fixed-alpha` alpha stays where it began, in the search and between decisions: A is nearly uniform.

What is sampled
    The order of the edges, and then of the nodes; what the method draws in its steps.

What is differentiated
    Nothing in the decisions, which measure accuracy; between them what the method differentiates.

What is discarded
    With each decision the other operations of its edge. In the DARTS family, at the end, all but the two edges that
    each node misses most. What alpha says is discarded too: it only weighs what is undecided.

Cost relative to first-order DARTS
    Beside the search: for each operation of each edge one pass over alpha's half without a gradient, and the training
    between decisions. With `darts+pt-fixed-alpha` the search takes no steps of alpha, about half of its time.

Paper and code
    Wang, Cheng, Chen, Tang and Hsieh, "Rethinking Architecture Selection in Differentiable NAS", ICLR 2021; repository
    ruocwang/darts-pt.

Details
    1. What is removed gets the weight zero; the others are not scaled up (nasbook/selection/scoring.py: without).
    2. The supernet is scored by the statistics of each batch, and running ones are left as they are
       (nasbook/selection/scoring.py: score).
    3. Of equally missed options the first is kept (nasbook/selection/perturbation.py: most_missed).
    4. Each cell of the space decides one edge at every stop, all edges before any node
       (nasbook/selection/choices.py: stops).
    5. Edges and nodes come in random order; from the input on, or from the output back, are options
       (`--selection-order`), and so is the loss in place of the accuracy (`--selection-criterion`).
    6. The optimiser of the weights begins anew, with a small and constant learning rate; that of alpha goes on
       (nasbook/selection/perturbation.py: PerturbationSelection).
    7. After its last epoch a search with perturbation stays at its largest radius; where an earlier epoch is selected
       from, at that epoch's (nasbook/search/loop.py: Search.progress).
    8. All operations of an edge can be scored in one call, with the same numbers but for rounding
       (nasbook/selection/scoring.py: scores).

Deviations from paper and released code
    - The training between decisions is counted in steps; the paper size has as many as the released code's epochs, the
      class size fewer (nasbook/sizes).
    - `none` is no option in the DARTS family; the released loop scores every operation that an edge has.
    - A node scores its edges once and drops all but the most missed. The released code scores again after each drop,
      but with the dropped edges still there, so it measures the same.
    - In NAS-Bench-1Shot1, of which the paper has nothing, parents are options like operations; each of its groups
      decides at every stop, so that all parents are decided at the first.
    - Scoring takes batches of four times the search's, so statistics of a batch are steadier.
    - Batches of the training in between go on where the search stopped; the released code begins its shuffled
      images of alpha anew at every step.
    - After the last decision nothing is trained, as nothing depends on it.
    - The released code anneals the learning rate on paper and never steps the schedule: constant, as here.
    - One search and one selection give one cell. The paper takes the best of four.

Logged quantities
    An epoch of the stage `select` is one stop: its `decisions` hold the options, the supernet's accuracy and loss
    without each, what was kept, and the accuracy before and after; `weights` are those of the mixture then.

Command
    nasbook search --method darts+pt --space s2
    nasbook search --method darts+pt-fixed-alpha --space s2
    nasbook search --method sdarts-rs+pt --space s2
    nasbook search --method sdarts-adv+pt --space s2

Known failures
    - Where accuracies without each operation differ by less than their noise, the decision is a draw.
    - Reruns of the released code in NAS-Bench-201 differ among users by several points (its issue 6).
    - A supernet that was trained badly misses nothing: the selection has nothing to measure.
"""

RECIPES = ("darts+pt", "darts+pt-fixed-alpha", "sdarts-rs+pt", "sdarts-adv+pt")
