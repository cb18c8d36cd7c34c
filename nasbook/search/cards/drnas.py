"""DrNAS: operation weights are drawn from a Dirichlet distribution whose concentrations are learned.

Problem it fixes
    A mixture that is learned as a point is not asked to be good anywhere near it, so the search ends in sharp minima
    and over-fits the half of the images that alpha sees. And a search on a small network is not one of the large.

Idea in one sentence
    Learn a distribution over the mixtures of each edge, by the exact gradient through its samples; and, with
    progressive learning, prune operations half-way to make room for wider ones.

Step of the weights
    With beta = ELU(alpha) + 1 and theta drawn from Dir(beta) on each edge,

        w <- w - lr * grad_w L_train(w, theta)

Step of alpha
    With a draw and a batch of its own,

        alpha <- Adam(alpha, grad_alpha L_val(w, theta) + decay * alpha)

    The decay pulls beta to 1, the uniform distribution: the distance to the anchor. As a divergence it is the option
    `--anchor-kl`: + weight * sum over edges of KL(Dir(beta) || Dir(1)).

What is sampled
    One point of the simplex for each edge and step, shared by all cells of a kind; a fresh one for each of both steps.

What is differentiated
    The validation loss through the sample: the pathwise derivative of a Dirichlet distribution, which is unbiased.

What is discarded
    At the end the spread: the operation of largest mean is kept. With progressive learning, half-way all but the
    strongest operations of each edge.

Cost relative to first-order DARTS
    `drnas`: the same, samples cost nothing beside convolutions. `drnas-progressive`: operations see a part of the
    channels, a smaller one in the first stage, and the second stage runs fewer of them; so a larger network fits.

Paper and code
    Chen, Wang, Cheng, Tang and Hsieh, "DrNAS: Dirichlet Neural Architecture Search", ICLR 2021; repository
    xiangning-chen/DrNAS.

Details
    1. Concentrations are kept above zero: ELU(alpha) + 1 underflows in the far negative
       (nasbook/relaxation/dirichlet.py: concentration).
    2. The draw follows from the search's generator, not from torch's global state
       (nasbook/relaxation/dirichlet.py: DirichletSample).
    3. The mean of the distribution is what selection reads; its order is that of alpha
       (nasbook/relaxation/dirichlet.py: DirichletSample.expected).
    4. The second stage begins after half of the epochs; pruned operations go on taking part in the draw, and the kept
       ones divide their share (nasbook/relaxation/masked.py: Masked).
    5. Alpha is frozen in the first epochs of each stage (nasbook/search/loop.py: Search.step).
    6. Widening carries over weights, statistics and momentum, and the learning rate goes on where it is
       (nasbook/search/progressive.py: begin).

Deviations from paper and released code
    - Widening divides a repeated input's weights by how often it occurs, so that sums stay what they were. The released
      code leaves the division out and trusts batch normalisation (nasbook/supernet/widening.py: Repeat).
    - The default distance is the released code's, decay of alpha; the divergence is an option.
    - The DARTS space keeps `none`; the released code searches seven operations without it.
    - A search in NAS-Bench-1Shot1 of two stages is not published: its numbers are this book's.
    - Edges have no weights of their own, as in the released code.
    - A node keeps the two edges whose strongest operation has the largest mean of the Dirichlet distribution. The
      released code ranks the edges by softmax(alpha), so it can keep other edges of the same supernet.
    - The released networks that are trained from scratch have batch normalisation in their pools. Here pools are bare,
      as in DARTS.
    - `nasbook train` does not know which method found a cell: give its `--drop-path` and `--batch` by name.

Logged quantities
    `weights` are the means of the distributions; in the second stage zero for what was pruned. `alpha` says how sure
    they are: above zero concentrated, below zero at the corners. `valid_accuracy` is that of one sample.

Command
    nasbook search --method drnas --space nas-bench-201
    nasbook search --method drnas-progressive --space nas-bench-201

Known failures
    - Tiny concentrations give huge gradients: chapter 11.
    - The derivative can be taken once: second order as in DARTS, and the curvature in alpha, cannot pass the sample.
    - Where an edge has no more operations than the second stage keeps (S2, S3), that stage only widens.
    - Pruning half-way trusts an early ranking; with few epochs before it, it removes at random.
"""

RECIPES = ("drnas", "drnas-progressive")
