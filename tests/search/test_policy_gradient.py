"""REINFORCE: log-probabilities by hand, and its mean over many draws against the gradient of an enumerated mean."""

from itertools import combinations, product

import pytest
import torch
from scipy import special

from nasbook import datasets, sizes, spaces
from nasbook.relaxation import RELAXATIONS
from nasbook.relaxation.drawing import draw
from nasbook.runtime.errors import UsageError
from nasbook.search import LookAhead, Problem, Recipe, Search, recipes
from nasbook.search.axes import PLAYED, check_recipe
from nasbook.search.policy_gradient import log_probability, next_baseline, policy_gradient
from nasbook.selection import magnitude

SPACE = spaces.get("s3", nodes=2, reduction="fixed")
ERRORS = 5  # standard errors: a right mean is farther off in one entry of 1.7 million
# Two groups: in one a row of three columns holds one, in the other a row of four holds two.
ALPHA = {"one": [[0.5, -0.3, 0.0]], "two": [[0.2, -0.6, 0.9, 0.0]]}
HELD = {"one": 1, "two": 2}


def parameters():
    return {name: torch.tensor(rows, dtype=torch.float64, requires_grad=True) for name, rows in ALPHA.items()}


def reward_of(single, pair):
    """Any table without structure, in [0, 1]."""
    return ((7 * single + 3 * pair[0] + 5 * pair[1] + pair[0] * pair[1]) % 11) / 11


def architectures():
    return [(single, pair) for single in range(3) for pair in combinations(range(4), 2)]


def chance_of(alpha, single, pair):
    """Of drawing one column in the first group and two in the second: a pair in either order."""
    one, two = (torch.softmax(alpha[name], -1)[0] for name in ("one", "two"))
    i, j = pair
    return one[single] * two[i] * two[j] * (1 / (1 - two[i]) + 1 / (1 - two[j]))


def chances():
    alpha = parameters()
    return [float(chance_of(alpha, *each).detach()) for each in architectures()]


def exact():
    """The gradient of one minus the mean reward (7,), differentiated as a sum over all architectures."""
    alpha = parameters()
    mean = sum(chance_of(alpha, *each) * reward_of(*each) for each in architectures())
    return torch.cat([value[0] for value in torch.autograd.grad(1 - mean, list(alpha.values()))])


def estimate(plays, baseline):
    """What `policy_gradient` makes of these plays."""
    left = iter(plays)

    def play(w, alpha):
        single, pair = next(left)
        p = {name: torch.softmax(values, -1) for name, values in alpha.items()}
        reward = torch.tensor(reward_of(single, pair), dtype=torch.float64)
        return reward, log_probability(p, {"one": ((single,),), "two": (pair,)})

    def unused(w, alpha):
        raise AssertionError("a policy gradient differentiates no loss")

    baseline = None if baseline is None else torch.tensor(baseline, dtype=torch.float64)
    problem = Problem(unused, unused, play, len(plays), baseline)
    return policy_gradient(problem, {}, parameters(), LookAhead())


def row(found):
    return torch.cat([values[0] for values in found.alpha.values()])


@pytest.mark.parametrize("baseline", [0.0, 0.45, 2.0])
def test_the_mean_over_all_pairs_is_the_exact_gradient_shortened_whatever_the_baseline(baseline):
    """Every pair of plays counts by its chance. The baseline holds .99 of the plays' own mean, one half of it each."""
    mean = sum(
        p * q * row(estimate([first, second], baseline))
        for (first, p), (second, q) in product(zip(architectures(), chances(), strict=True), repeat=2)
    )
    torch.testing.assert_close(mean, (1 - 0.99 / 2) * exact(), rtol=1e-10, atol=1e-14)


def test_at_the_first_step_the_rewards_own_mean_shortens_the_gradient():
    """With two plays by half: each reward is compared with a mean of which it is one part in two."""
    mean = sum(
        p * q * row(estimate([first, second], None))
        for (first, p), (second, q) in product(zip(architectures(), chances(), strict=True), repeat=2)
    )
    torch.testing.assert_close(mean, exact() / 2, rtol=1e-10, atol=1e-14)


def test_a_baseline_near_the_mean_reward_makes_the_gradient_quieter():
    """The mean square of a single play's gradient, exactly."""
    noise = {}
    for baseline in (0.45, 2.0):
        squares = [float(row(estimate([each], baseline)).square().sum()) for each in architectures()]
        noise[baseline] = sum(p * square for p, square in zip(chances(), squares, strict=True))
    assert noise[2.0] > 5 * noise[0.45]


def test_the_advantages_are_those_of_the_released_code():
    """Three steps of two plays (mit-han-lab/proxylessnas, search/nas_manager.py: rl_update_step)."""
    baseline, seen = None, []
    for rewards in ((0.5, 0.7), (0.9, 0.4), (0.2, 0.6)):
        alpha = {"a": torch.zeros(2, dtype=torch.float64, requires_grad=True)}
        plays = iter(zip(torch.tensor(rewards, dtype=torch.float64), alpha["a"], strict=True))
        problem = Problem(None, None, lambda w, a, plays=plays: next(plays), 2, baseline)
        found = policy_gradient(problem, {}, alpha, LookAhead())
        seen.append((-2 * found.alpha["a"]).tolist())
        baseline = next_baseline(baseline, found.reward)
    released = [[-0.1, 0.1], [0.2505, -0.2495], [-0.202495, 0.197505]]
    torch.testing.assert_close(torch.tensor(seen), torch.tensor(released), rtol=1e-6, atol=1e-7)


def test_drawn_architectures_have_the_exact_gradient_on_average():
    generator = torch.Generator().manual_seed(0)
    samples = []
    for _ in range(300):
        drawn = [
            {name: draw(values, HELD[name], generator).tolist()[0] for name, values in parameters().items()}
            for _ in range(4)
        ]
        samples.append(row(estimate([(each["one"][0], tuple(each["two"])) for each in drawn], 0.45)))
    samples = torch.stack(samples) / (1 - 0.99 / 4)  # four plays: the baseline holds .99 of a quarter of each
    allowed = ERRORS * samples.std(0) / len(samples) ** 0.5
    assert ((samples.mean(0) - exact()).abs() < allowed).all()
    assert ((samples.mean(0) + exact()).abs() > allowed).any()  # there is power to see the sign


def test_the_loss_is_one_minus_the_mean_reward():
    found = estimate(architectures()[:5], 0.2)
    mean = sum(reward_of(*each) for each in architectures()[:5]) / 5
    assert float(found.reward) == pytest.approx(mean)
    assert float(found.loss) == pytest.approx(1 - mean)


def test_the_baseline_starts_at_the_first_reward_and_goes_nearly_to_each_step_s_own():
    rewards = [torch.tensor(value, dtype=torch.float64) for value in (0.5, 0.1, 0.9)]
    first = next_baseline(None, rewards[0])
    second = next_baseline(first, rewards[1])
    assert float(first) == 0.5
    assert float(second) == pytest.approx(0.01 * 0.5 + 0.99 * 0.1)
    assert float(next_baseline(second, rewards[2])) == pytest.approx(0.01 * 0.104 + 0.99 * 0.9)


def test_the_log_probability_by_hand():
    weights = {name: torch.tensor(special.softmax(rows, axis=-1)) for name, rows in ALPHA.items()}
    p, q = weights["one"][0].tolist(), weights["two"][0].tolist()
    expected = p[2] * (q[0] * q[3] / (1 - q[0]) + q[3] * q[0] / (1 - q[3]))
    found = log_probability(weights, {"one": ((2,),), "two": ((0, 3),)})
    assert float(found.exp()) == pytest.approx(expected)
    rows = {"normal": torch.tensor([[0.2, 0.8], [0.7, 0.3]], dtype=torch.float64)}
    assert float(log_probability(rows, {"normal": ((1,), (0,))}).exp()) == pytest.approx(0.8 * 0.7)


def test_the_probabilities_of_all_architectures_sum_to_one():
    space = spaces.get("nas-bench-1shot1-1")
    p = {
        name: torch.softmax(torch.randn(group.shape, dtype=torch.float64), -1)
        for name, group in space.groups.items()
        if name != "operations"
    }
    sets = [combinations(range(group.shape[1]), group.keep) for name, group in space.groups.items() if name in p]
    total = sum(
        float(log_probability(p, {name: (columns,) for name, columns in zip(p, chosen, strict=True)}).exp())
        for chosen in product(*sets)
    )
    assert total == pytest.approx(1.0, rel=1e-12)


@pytest.fixture
def stage():
    numbers = {"images": 128, "batch": 32, "channels": 4, "layers": 3, "frozen_epochs": 0, "plays": 3}
    return Search(
        SPACE,
        datasets.load("street_numbers"),
        recipe=recipes.get("proxylessnas-r"),
        numbers=sizes.override(sizes.get("class").of("darts", "proxylessnas-r").search, numbers),
        derive=magnitude,
    )


def test_a_search_plays_architectures_and_differentiates_no_network(stage, monkeypatch):
    """Each play is one forward pass of one architecture; its accuracy on alpha's half is the reward, by hand."""
    seen, rewards = [], []
    stage.supernet.register_forward_pre_hook(lambda _, inputs: seen.append((torch.is_grad_enabled(), inputs[1])))
    train, valid = next(stage.weights_batches), next(stage.alpha_batches)
    stage.supernet.register_forward_hook(
        lambda _module, _inputs, logits: rewards.append(float((logits.argmax(1) == valid[1]).float().mean()))
    )
    alpha = stage.alpha["normal"].detach().clone()
    stage._outer_step(train, valid)
    assert [graph for graph, _ in seen] == [False] * 3
    p = special.softmax(alpha.numpy(), axis=-1)
    by_hand = torch.zeros(5, 3, dtype=torch.float64)
    mean = sum(rewards) / 3
    for (_, mixing), reward in zip(seen, rewards, strict=True):
        for edge, (column,) in enumerate(mixing.active["normal"]):
            by_hand[edge] -= (reward - mean) / 3 * (torch.eye(3, dtype=torch.float64)[column] - torch.tensor(p[edge]))
    assert mean == pytest.approx(float(stage.baseline))
    torch.testing.assert_close(stage.alpha["normal"].grad, by_hand, atol=1e-7, rtol=1e-5)
    before = stage.baseline
    stage._outer_step(train, valid)
    assert float(stage.baseline) == pytest.approx(0.01 * float(before) + 0.99 * sum(rewards[3:]) / 3)


@pytest.mark.parametrize("relaxation", list(RELAXATIONS))
def test_only_relaxations_that_hold_one_architecture_can_be_played(relaxation):
    """Those that a recipe may combine with it are those that leave the rest of a row out of the run."""
    numbers = sizes.get("class").search
    made = RELAXATIONS[relaxation](SPACE, numbers, magnitude)
    alpha = made.initial(scale=0.1, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        single = made(alpha, 0.0, torch.Generator().manual_seed(0)).active is not None
    learns = relaxation != "single-path"
    assert (relaxation in PLAYED) == (single and learns)
    recipe = Recipe("mine", relaxation=relaxation, hypergradient="policy-gradient")
    if relaxation in PLAYED:
        check_recipe(recipe)
    else:
        with pytest.raises(UsageError, match=f"Recipe 'mine': .* the relaxation {relaxation} draws none"):
            check_recipe(recipe)
