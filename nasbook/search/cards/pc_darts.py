"""PC-DARTS: only some of the channels pass through the operations, and edges have weights of their own.

Problem it fixes
    DARTS needs the memory of all operations at full width, so its batches are small and its choices noisy.

Idea in one sentence
    Send the first of M parts of the channels through all operations and the rest past them, and steady the choice of
    edges by a second softmax over the edges into each node.

Step of the weights
    With theta = softmax(alpha) over operations and eta = softmax(edge logits) over the edges into a node,

        edge(x) = shuffle[ sum_k theta_k o_k(first part of x) ; rest of x ]
        node = sum over its edges of eta_edge * edge(x)
        w <- w - lr * grad_w L_train(w, theta, eta)

Step of alpha
    After the frozen epochs, for operations and edges with one optimiser,

        alpha <- Adam(alpha, grad_alpha L_val(w, theta, eta))

What is sampled
    Nothing: it is always the first part of the channels, and the shuffle brings others there on the next edge.

What is differentiated
    The validation loss in both groups of logits, through both softmaxes.

What is discarded
    The operations on the other channels. At the end as in DARTS, with the product of both weights as the score.

Cost relative to first-order DARTS
    Operations are M times narrower: about 1 / M of their activations, and between 1 / M (depthwise) and 1 / M^2 (1x1
    convolutions) of their multiply-adds. What does not shrink is everything outside the mixed edges. The memory that is
    freed goes into a larger batch.

Paper and code
    Xu et al., "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search", ICLR 2020; repository
    yuhuixu1993/PC-DARTS. There M is called K.

Details
    1. The shuffle has M groups; with stride 2 the rest is pooled by 2x2 maxima
       (nasbook/supernet/supernet.py: MixedEdge).
    2. The softmax of edges is over the edges into one node, not over all of a cell
       (nasbook/relaxation/softmax.py: EdgeSoftmax).
    3. Operations and edges are frozen together (nasbook/search/loop.py: Search.step).
    4. An operation counts by its weight times that of its edge when edges are kept, `none` left out
       (nasbook/selection/magnitude.py: magnitude).
    5. An option that asks partial channels of another method is refused
       (nasbook/search/recipes.py: check_numbers).

Deviations from paper and released code
    - Every operation of every space runs on partial channels, in the benchmark spaces too. In NAS-Bench-1Shot1 the
      weights of a node's parents take the place of edge weights.
    - An edge on which nothing runs, as in an architecture that chose `none`, adds nothing: its bypass is left out too.
      In a search something always runs.
    - `nasbook train` does not know which method found a cell: give its `--drop-path` by name.
    - The recipe for ImageNet (larger batches, a tenth of the images) is not taken over.

Logged quantities
    `weights` hold the operations under the cell's name and the edges under that name and "edges". Frozen epochs show
    equal weights.

Command
    nasbook search --method pc-darts --space nas-bench-201

Known failures
    - With a smaller batch and the same learning rate skip connections return.
    - Single searches differ much in what they find; the cells of some are a quarter larger than the published one.
    - The supernet's accuracy is that of a bypass: it falls little when the operations are poor.
"""

RECIPES = ("pc-darts",)
