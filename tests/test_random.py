"""Random numbers: seeds that repeat, draws of the distribution that is asked for, and vmap."""

import math

import numpy as np
import pytest
from _backend import NAME, assert_same, torch

N = 100_000

# Seeds are fixed. A mean of N draws is off by 5 standard errors once in two million times.


def assert_moments(x, mean, deviation):
    x = x.double()
    assert abs(x.mean().item() - mean) < 5 * deviation / math.sqrt(N)
    # the variance of a sample variance is at most about 8 sigma^4 / N for what is drawn here
    assert abs(x.var().item() - deviation**2) < 5 * math.sqrt(8 / N) * deviation**2


DRAWS = {
    "rand": lambda **k: torch.rand(4, **k),
    "randn": lambda **k: torch.randn(2, 2, **k),
    "randint": lambda **k: torch.randint(1000, (4,), **k),
    "randperm": lambda **k: torch.randperm(20, **k),
    "bernoulli": lambda **k: torch.bernoulli(torch.full((40,), 0.5), **k),
    "normal": lambda **k: torch.normal(torch.zeros(4), 1.0, **k),
    "normal numbers": lambda **k: torch.normal(0.0, 1.0, (4,), **k),
    "multinomial": lambda **k: torch.multinomial(torch.ones(20), 8, **k),
    "multinomial again": lambda **k: torch.multinomial(torch.ones(20), 8, replacement=True, **k),
    "uniform_": lambda **k: torch.empty(4).uniform_(2, 3, **k),
    "normal_": lambda **k: torch.empty(4).normal_(**k),
    "random_": lambda **k: torch.empty(4).random_(**k),
    "bernoulli_": lambda **k: torch.empty(40).bernoulli_(**k),
    "exponential_": lambda **k: torch.empty(4).exponential_(**k),
}


@pytest.mark.parametrize("name", DRAWS)
class TestGenerators:
    def test_a_seed_repeats(self, name):
        draw = DRAWS[name]
        torch.manual_seed(5)
        first, second = draw(), draw()
        assert first.tolist() != second.tolist()
        torch.manual_seed(5)
        assert_same(draw(), first)
        assert_same(draw(), second)
        torch.manual_seed(6)
        assert draw().tolist() != first.tolist()

    def test_a_state_can_be_set(self, name):
        draw = DRAWS[name]
        draw()
        state = torch.get_rng_state()
        first = draw()
        torch.set_rng_state(state)
        assert_same(draw(), first)

    def test_a_generator_of_its_own(self, name):
        draw = DRAWS[name]
        g = torch.Generator().manual_seed(5)
        before = torch.get_rng_state()
        first = draw(generator=g)
        assert_same(torch.get_rng_state(), before)
        assert_same(draw(generator=g.manual_seed(5)), first)
        torch.manual_seed(5)
        assert_same(draw(), first)
        assert_same(draw(generator=None), draw(generator=g))


class TestGenerator:
    def test_seeds(self):
        g = torch.Generator()
        assert g.manual_seed(3) is g and g.initial_seed() == 3
        assert g.device == torch.device("cpu")
        assert g.seed() == g.initial_seed() != 3
        assert torch.manual_seed(2**63).initial_seed() == 2**63
        assert torch.manual_seed(-1).initial_seed() == 2**64 - 1
        assert torch.initial_seed() == 2**64 - 1
        assert torch.seed() == torch.initial_seed() != 2**64 - 1
        assert torch.default_generator.initial_seed() == torch.initial_seed()
        for wrong in (2**64, -(2**63) - 1):
            with pytest.raises((RuntimeError, ValueError)):
                torch.manual_seed(wrong)

    def test_states(self):
        g = torch.Generator().manual_seed(1)
        torch.rand(3, generator=g)
        other = torch.Generator()
        other.set_state(g.get_state())
        assert other.initial_seed() == 1
        assert_same(torch.rand(3, generator=other), torch.rand(3, generator=g))
        assert g.get_state().dtype == torch.uint8
        with pytest.raises((RuntimeError, TypeError)):
            g.set_state(torch.zeros(3, dtype=torch.uint8))
        with pytest.raises((RuntimeError, TypeError)):
            g.set_state(torch.zeros(3))

    def test_what_is_no_generator(self):
        with pytest.raises(TypeError):
            torch.rand(2, generator=5)
        with pytest.raises((TypeError, RuntimeError)):
            torch.Generator("nowhere")

    def test_fork(self):
        state = torch.get_rng_state()
        with torch.random.fork_rng():
            torch.rand(3)
        assert_same(torch.get_rng_state(), state)


class TestDistributions:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_uniform(self, dtype):
        x = torch.rand(N, dtype=dtype)
        assert x.dtype == dtype and 0 <= x.min() and x.max() < 1
        assert_moments(x, 0.5, math.sqrt(1 / 12))
        counts = np.histogram(x.numpy(), 20, (0, 1))[0]
        assert abs(counts - N / 20).max() < 5 * math.sqrt(N / 20)
        y = torch.empty(N, dtype=dtype).uniform_(-3, 1)
        assert -3 <= y.min() and y.max() <= 1
        assert_moments(y, -1, 4 * math.sqrt(1 / 12))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_normal(self, dtype):
        x = torch.randn(N, dtype=dtype)
        assert x.dtype == dtype
        assert_moments(x, 0, 1)
        for limit, share in ((1, 0.682689), (2, 0.954500), (3, 0.997300)):
            inside = (x.abs() < limit).double().mean().item()
            assert abs(inside - share) < 5 * math.sqrt(share * (1 - share) / N)
        assert_moments(torch.empty(N, dtype=dtype).normal_(-2, 3), -2, 3)
        assert_moments(torch.normal(torch.full((N,), 5.0), 0.5), 5, 0.5)
        assert_moments(torch.normal(5.0, torch.full((N,), 0.5)), 5, 0.5)
        assert torch.normal(torch.zeros(2, 1), torch.ones(3)).shape == (2, 3)

    def test_exponential(self):
        x = torch.empty(N).exponential_(2.0)
        assert x.min() >= 0
        assert_moments(x, 0.5, 0.5)

    def test_what_is_drawn_for_parameters_requires_a_gradient_as_they_do(self):
        half = torch.full((3,), 0.5, requires_grad=True)
        for draw in [
            lambda: torch.normal(half, 1.0),
            lambda: torch.normal(0.0, half),
            lambda: torch.normal(half, half),
            lambda: torch.bernoulli(half),
            lambda: torch.poisson(half),
        ]:
            x = draw()
            assert x.requires_grad and not x.is_leaf
            slope, zero = torch.autograd.grad((x**2).sum(), [x, half])
            assert_same(slope, 2 * x.detach())
            assert_same(zero, torch.zeros(3))

    def test_bernoulli(self):
        p = torch.tensor([0.1, 0.5, 0.9]).repeat(N // 3, 1)
        shares = torch.bernoulli(p).mean(0)
        assert (shares - p[0]).abs().max() < 0.02
        assert abs(torch.empty(N).bernoulli_(0.3).mean().item() - 0.3) < 0.01
        assert torch.empty(5, dtype=torch.bool).bernoulli_(1).all()
        assert torch.bernoulli(torch.tensor([0.0, 1.0])).tolist() == [0, 1]
        assert torch.bernoulli(torch.zeros(3), 1.0).tolist() == [1, 1, 1]

    def test_integers(self):
        x = torch.randint(-3, 4, (N,))
        assert x.dtype == torch.int64 and x.unique().tolist() == list(range(-3, 4))
        assert_moments(x, 0, 2)
        assert torch.randint(5, (3,), dtype=torch.float32).dtype == torch.float32
        assert torch.randint(2, ()).shape == ()
        assert torch.empty(1000, dtype=torch.uint8).random_().max() > 200
        assert torch.empty(1000, dtype=torch.int8).random_().min() >= 0
        y = torch.empty(1000).random_(10, 12)
        assert y.unique().tolist() == [10, 11]

    def test_permutations(self):
        assert sorted(torch.randperm(50).tolist()) == list(range(50))
        assert torch.randperm(0).shape == (0,)
        assert torch.randperm(3, dtype=torch.int32).dtype == torch.int32
        orders = [tuple(torch.randperm(3).tolist()) for _ in range(600)]
        assert len(set(orders)) == 6 and min(map(orders.count, set(orders))) > 50

    def test_multinomial(self):
        weights = torch.tensor([1.0, 0.0, 3.0, 6.0])
        x = torch.multinomial(weights, N, replacement=True)
        shares = torch.bincount(x, minlength=4).double() / N
        assert (shares - weights.double() / 10).abs().max() < 0.01
        rows = torch.multinomial(weights.expand(5000, 4), 2)
        assert rows.shape == (5000, 2) and (rows[:, 0] != rows[:, 1]).all() and (rows != 1).all()
        # without replacement the first one is drawn as with it
        assert abs((rows[:, 0] == 3).double().mean().item() - 0.6) < 0.04
        assert sorted(torch.multinomial(torch.ones(5), 5).tolist()) == [0, 1, 2, 3, 4]

    def test_like(self):
        x = torch.zeros(2, 3, dtype=torch.float64)
        for f in (torch.rand_like, torch.randn_like, lambda x, **k: torch.randint_like(x, 5, **k)):
            y = f(x)
            assert y.shape == x.shape and y.dtype == torch.float64 and not y.requires_grad
            assert f(x, dtype=torch.float32, requires_grad=True).requires_grad

    def test_16_bit_floats(self):
        for dtype in (torch.float16, torch.bfloat16):
            assert torch.rand(3, dtype=dtype).dtype == dtype
            assert torch.zeros(100, dtype=dtype).normal_().float().std() > 0.5


class TestInPlace:
    def test_into_any_layout(self):
        x = torch.zeros(4, 6)
        view = x.t()[::2]
        assert view.uniform_(1, 2) is view
        assert (x[:, ::2] >= 1).all() and (x[:, 1::2] == 0).all()

    def test_returns_itself_and_counts_a_write(self):
        x = torch.zeros(3)
        version = x._version
        assert x.normal_() is x and x._version == version + 1

    def test_a_leaf_that_requires_grad_is_refused(self):
        x = torch.zeros(3, requires_grad=True)
        with pytest.raises(RuntimeError, match="leaf"):
            x.uniform_()
        with torch.no_grad():
            x.uniform_(1, 2)
        assert (x >= 1).all()

    def test_no_gradient_passes_what_was_overwritten(self):
        x = torch.ones(3, requires_grad=True)
        y = x * 2
        y.normal_()
        (y * y).sum().backward()
        assert x.grad.tolist() == [0, 0, 0]

    @pytest.mark.parametrize(
        "fill",
        [
            lambda x: x.uniform_(1, 0),
            lambda x: x.normal_(0, -1),
            lambda x: x.exponential_(0),
            lambda x: x.bernoulli_(1.5),
            lambda x: x.random_(0),
            lambda x: x.random_(3, 3),
            lambda x: x.uniform_("a"),
        ],
    )
    def test_bad_arguments_change_nothing(self, fill):
        x = torch.ones(3)
        with pytest.raises((RuntimeError, TypeError)):
            fill(x)
        assert x.tolist() == [1, 1, 1] and x._version == 0


class TestVmap:
    """Draws inside of a mapped function: one for each element, one for all, or refused."""

    DRAWS = {
        "rand": lambda x: torch.rand(5),
        "randn": lambda x: torch.randn(5),
        "randint": lambda x: torch.randint(1000, (5,)),
        "randperm": lambda x: torch.randperm(30),
        "rand_like": lambda x: torch.rand_like(x),
        "bernoulli": lambda x: torch.bernoulli(torch.full((40,), 0.5)),
        "bernoulli of x": lambda x: torch.bernoulli(x.repeat(10) * 0 + 0.5),
        "normal": lambda x: torch.normal(x, 1.0) - x,
        "normal_": lambda x: x.clone().normal_(),
        "uniform_": lambda x: x.clone().uniform_(),
    }

    @pytest.mark.parametrize("name", DRAWS)
    def test_randomness(self, name):
        f, x = self.DRAWS[name], torch.arange(20.0).view(4, 5)

        def draw(randomness):
            return torch.func.vmap(lambda x: f(x) + 0 * x.sum(), randomness=randomness)(x)

        different = draw("different")
        assert len({tuple(row.tolist()) for row in different}) == 4
        if NAME == "torch" and name in ("bernoulli of x", "normal"):
            return  # which does not draw the same for parameters that are batched
        same = draw("same")
        # x is added and taken away again in one of them
        assert (same - same[0]).abs().max() < 1e-5
        with pytest.raises(RuntimeError, match="random"):
            draw("error")

    def test_the_default_is_an_error(self):
        with pytest.raises(RuntimeError, match="random"):
            torch.func.vmap(lambda x: x + torch.rand(()))(torch.zeros(3))

    def test_nested(self):
        x = torch.zeros(2, 3)

        def draw(outer, inner):
            f = torch.func.vmap(lambda x: x + torch.rand(()), randomness=inner)
            return torch.func.vmap(f, randomness=outer)(x)

        assert draw("different", "different").unique().numel() == 6
        y = draw("different", "same")
        assert y.shape == (2, 3) and y.unique().numel() == 2
        y = draw("same", "different")
        assert y.unique().numel() == 3 and (y[0] == y[1]).all()

    @pytest.mark.skipif(NAME == "torch", reason="torch has other words")
    def test_into_a_tensor_that_is_not_batched(self):
        x = torch.zeros(3)
        with pytest.raises(RuntimeError, match="not batched"):
            torch.func.vmap(lambda y: y + x.normal_(), randomness="different")(torch.zeros(2, 3))
        assert x.tolist() == [0, 0, 0]


def test_a_generator_can_be_copied_and_pickled():
    import copy
    import pickle

    g = torch.Generator().manual_seed(3)
    torch.rand(2, generator=g)
    copies = [copy.deepcopy(g), pickle.loads(pickle.dumps(g))]
    expected = torch.rand(2, generator=g)
    for other in copies:
        assert torch.equal(torch.rand(2, generator=other), expected)
