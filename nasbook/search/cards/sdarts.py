"""SDARTS: the shared weights are trained at operation weights that are perturbed, so that the mixture can be rounded.

Problem it fixes
    DARTS trains its supernet at one point of operation weights and rounds that point to a corner at the end. Where the
    validation loss is sharp in alpha, the corner is far worse than the point.

Idea in one sentence
    Train the shared weights to be good everywhere in a box around the operation weights, so that the loss is smooth in
    alpha and little is lost when the mixture is rounded.

Step of the weights
    With A = softmax(alpha), a radius r, and d uniform in the box |d| <= r; random smoothing (`sdarts-rs`):

        p = P(A + d)
        w <- w - lr * grad_w L_train(w, p)

    adversarial training (`sdarts-adv`), from the same p by ascent, several times and on the step's own batch:

        p <- P(clip(p + step * sign(grad_p L_train(w, p)), A - r, A + r))
        w <- w - lr * grad_w L_train(w, p)

    where P cuts to [0, 1] and scales each row back to its sum.

Step of alpha
    As in first-order DARTS, at weights that are not perturbed:

        alpha <- Adam(alpha, grad_alpha L_val(w, A))

What is sampled
    For each step one point of the box: with `sdarts-rs` it is what is trained at, with `sdarts-adv` where the ascent
    begins.

What is differentiated
    The validation loss in alpha through the softmax, without perturbation; with `sdarts-adv` also the training loss in
    the operation weights themselves, behind the softmax.

What is discarded
    What alpha would gain from the perturbation: its step does not see it. At the end as in DARTS.

Cost relative to first-order DARTS
    `sdarts-rs`: the same, a draw costs nothing. `sdarts-adv`: for each step of the ascent one forward and one backward
    pass more, and two forward passes that compare its end with its beginning.

Paper and code
    Chen and Hsieh, "Stabilizing Differentiable Architecture Search via Perturbation-based Regularization", ICML 2020;
    repository xiangning-chen/SmoothDARTS.

Details
    1. The operation weights are perturbed, and not alpha; no second softmax follows
       (nasbook/search/perturbation.py: allowed).
    2. The radius grows on a straight line over the epochs (nasbook/search/perturbation.py: Radius).
    3. The ascent's steps add up to twice the radius, so that every corner of the box can be reached
       (nasbook/search/perturbation.py: ascended).
    4. The ascent sees the supernet in evaluation mode, on the batch that the step is taken on
       (nasbook/search/loop.py: Search.step).
    5. Where the loss at its end is smaller than at the clean weights, these are trained at instead
       (nasbook/search/perturbation.py: Adversarial).
    6. Any relaxation is perturbed behind what it hands over, also where it draws; in NAS-Bench-1Shot1 all groups are
       (nasbook/search/perturbation.py: drawn).

Deviations from paper and released code
    - At class size the steps of the ascent and the last radius are not the published ones, which the paper size has:
      they were chosen on seeds that no claim reports (nasbook/sizes, data/claims.toml).
    - P is no projection to the nearest point of the simplex; neither is the released code's, which it follows. If a
      row is clipped to zero everywhere, its sum goes to the entry that was largest in the perturbed row. Each row is
      rescaled to its own former sum, which is 1 after a softmax.
    - Where batch normalisation keeps no running statistics, as at class size, evaluation mode is that of the batch.
    - The weights of whole edges (PC-DARTS) are not perturbed.
    - Trainings in NAS-Bench-1Shot1 use SGD. NAS-Bench-101 was trained with RMSProp (momentum 0.9, epsilon 1.0).
    - The radii are the released code's: those that the paper states could not be checked.
    - The paper's combinations with other searches have no names of their own here: a recipe is one word an axis.

Logged quantities
    `train_loss` and `train_accuracy` are at the perturbed weights, so they stay behind those of DARTS; `valid_accuracy`
    is at the clean ones. `--record eigenvalue` and `--record gap` show what smoothing is for.

Command
    nasbook search --method sdarts-rs --space s2
    nasbook search --method sdarts-adv --space s2

Known failures
    - With too small a radius skip connections take over as in DARTS (the authors advise a larger one).
    - With too large a one the shared weights are trained for no mixture in particular, and alpha learns little.
    - Where `none` is among the operations, as in NAS-Bench-201, `sdarts-adv` may give it the largest weight on every
      edge into the last node: the cell puts out nothing. Selection by perturbation from the same supernet does not.
    - An attack that descends, by a lost sign, trains at the friendliest weights of the box and looks well in the logs.
"""

RECIPES = ("sdarts-rs", "sdarts-adv")
