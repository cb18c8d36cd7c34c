"""RSPS: random search that trains one supernet, path by path, and ranks random architectures with its weights.

Problem it fixes
    Random search trains every candidate from scratch; and whether a clever search is better than chance is unknown
    until chance has had the same shared weights.

Idea in one sentence
    Train the shared weights of one uniformly drawn architecture a step, learn nothing about the architecture, and take
    the best of many random ones by their accuracy with the shared weights.

Step of the weights
    With an architecture a drawn anew for each step:

        w <- w - lr * grad_w L_train(w, onehot(a))

Step of alpha
    There is none: alpha stays at zero,

        alpha <- alpha

What is sampled
    One architecture of the space for each step, uniformly; at the end the candidates of the ranking.

What is differentiated
    The training loss in the weights of the path that ran.

What is discarded
    Everything that training could tell about the operations; only the ranking at the end looks at accuracy.

Cost relative to first-order DARTS
    No alpha step, and one operation instead of K on those edges that an architecture keeps: about 1 / (2 K) of the
    operations' time, less where edges are left out, and about 1 / K of their memory. It needs more epochs, since each
    operation is trained only when it is drawn; and the ranking costs one pass of alpha's half for each candidate.

Paper and code
    Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", UAI 2019; for NAS-Bench-201
    the repository D-X-Y/AutoDL-Projects, for the DARTS space RandomNAS of automl/RobustDARTS.

Details
    1. The draw is uniform over the architectures of the space, not over its rows
       (nasbook/relaxation/single_path.py: SinglePath).
    2. Operations that are not drawn do not run and have no gradient: neither momentum nor decay moves them
       (nasbook/search/loop.py: Search.step).
    3. The ranking normalises by the statistics of each batch: running statistics are those of all paths together
       (nasbook/selection/ranking.py: shared_weight_accuracies).
    4. Candidates that are the same architecture are scored once (nasbook/selection/ranking.py: ranking).

Deviations from paper and released code
    - Every candidate is scored on the same images, all of alpha's half; the code for NAS-Bench-201 scores each on
      another single batch, which mixes luck with merit.
    - There is one round of candidates; in the DARTS space RandomNAS scores a thousand on one batch each, scores the
      best of them again on all, and does so several times.
    - In NAS-Bench-201 a draw may leave a node without inputs; the released code draws such a node again.

Logged quantities
    `valid_accuracy` of each epoch is that of one fixed random architecture with the shared weights: it says how far the
    weights are trained. `genotype` during the search means nothing, since all operations weigh the same.

Command
    nasbook search --method rsps --space s3

Known failures
    - Trained too briefly, shared weights rank no better than chance: chapter 03.
    - With running statistics of batch normalisation the ranking is close to noise.
    - In the lecture's table of NAS-Bench-201 it is behind random search with trainings of its own.
"""

RECIPES = ("rsps",)
