"""vmap of indexing: x, the indices and the values mapped in every combination, against a loop."""

import itertools

import pytest
from _backend import assert_close, rand64, torch

vmap, grad = torch.func.vmap, torch.func.grad

MASK = torch.tensor([[True, False, True, True], [False] * 4, [True, True, False, True]])
COLUMNS = torch.tensor([True, False, False, True])

# What is taken of a tensor of 3 x 4 x 5: index tensors i, j (of 2, for a batch of 3) in places.
I = torch.tensor([[0, 2], [1, 1], [-1, 0]])
J = torch.tensor([[[1], [2]], [[0], [0]], [[-2], [2]]])
PLACES = {
    "x[i]": lambda x, i, j: x[i],
    "x[:, i]": lambda x, i, j: x[:, i],
    "x[..., i]": lambda x, i, j: x[..., i],
    "x[i, j]": lambda x, i, j: x[i, j],
    "x[:, i, j]": lambda x, i, j: x[:, i, j],
    "x[i, :, j]": lambda x, i, j: x[i, :, j],
    "x[i, None, :, j]": lambda x, i, j: x[i, None, :, j],
    "x[j, i, i]": lambda x, i, j: x[j, i, i],
}
MAPPED = [dims for dims in itertools.product((0, None), repeat=3) if dims != (None, None, None)]


def arguments(dims):
    x = torch.arange(180.0, dtype=torch.float64).view(3, 3, 4, 5)
    return [a if d == 0 else a[0] for a, d in zip((x, I, J), dims, strict=True)]


def sample(args, dims, b):
    return [a if d is None else a[b] for a, d in zip(args, dims, strict=True)]


@pytest.mark.parametrize("dims", MAPPED, ids=str)
@pytest.mark.parametrize("place", PLACES)
class TestIntegers:
    def test_reading(self, place, dims):
        f, args = PLACES[place], arguments(dims)
        y = vmap(f, in_dims=dims)(*args)
        for b in range(3):
            assert_close(y[b], f(*sample(args, dims, b)))

    def test_the_gradient(self, place, dims):
        f, args = PLACES[place], arguments(dims)
        df = grad(lambda x, i, j: (f(x, i, j) ** 2).sum())
        y = vmap(df, in_dims=dims)(*args)
        for b in range(3):
            assert_close(y[b], df(*sample(args, dims, b)))


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("dims", MAPPED, ids=str)
@pytest.mark.parametrize(
    "index",
    [lambda i, j: (i,), lambda i, j: (i, j), lambda i, j: (j, i, i)],
    ids=["i", "i, j", "j, i, i"],
)
def test_putting(index, dims, accumulate):
    def f(x, i, j):
        v = x[0, 0, 0] * 2  # one value for all, so that the order of repeated indices is no matter
        return x.index_put(index(i, j), v, accumulate=accumulate)

    args = arguments(dims)
    y = vmap(f, in_dims=dims)(*args)
    for b in range(3):
        assert_close(y[b], f(*sample(args, dims, b)))


class TestMasks:
    @pytest.mark.parametrize(
        "f",
        [
            lambda x: x[MASK],
            lambda x: x[:, COLUMNS],
            lambda x: x[MASK, 0],
            lambda x: x.masked_select(MASK[..., None]),
            lambda x: x.index_put((MASK,), x[0, 0, 0]),
        ],
    )
    def test_of_the_function_itself(self, f):
        x = rand64(2, 3, 4, 5, grad=False)
        y = vmap(f)(x)
        for b in range(2):
            assert_close(y[b], f(x[b]))

    def test_that_are_mapped_over_are_refused(self):
        x, masks = rand64(3, grad=False), torch.tensor([[True, False, True], [True, True, True]])
        for f in (lambda m: x[m], lambda m: m.nonzero()):
            with pytest.raises(RuntimeError, match="differ|dynamic|data-dependent"):
                vmap(f)(masks)

    @pytest.mark.adjoint_only  # torch warns that it is slow
    def test_masked_scatter_with_masks_that_differ(self):
        masks = torch.tensor([[True, False, True], [True, True, False]])
        x, source = rand64(3, grad=False), rand64(4, grad=False)
        y = vmap(lambda m: x.masked_scatter(m, source))(masks)
        for b in range(2):
            assert_close(y[b], x.masked_scatter(masks[b], source))


class TestAssignment:
    def test_to_a_batched_tensor(self):
        x = rand64(3, 4, 5, grad=False)

        def f(x, i):
            y = x.clone()
            y[i] = 7.0
            return y

        y = vmap(f)(x, I)
        for b in range(3):
            assert_close(y[b], f(x[b], I[b]))

    @pytest.mark.adjoint_only  # torch has other words
    def test_to_one_that_is_not_batched_is_refused(self):
        x = rand64(4, grad=False)
        with pytest.raises(RuntimeError, match="not batched"):
            vmap(lambda v: x.index_put_((torch.tensor([0]),), v))(rand64(3, grad=False))


class TestEmbedding:
    """Per-sample gradients of a table, where the indices are mapped over."""

    @pytest.mark.parametrize("padding", [None, 1])
    def test_gradients_per_sample(self, padding):
        w, indices = rand64(4, 2, grad=False), torch.tensor([[0, 1, 1], [3, 3, 3]])

        def loss(w, i):
            return (torch.nn.functional.embedding(i, w, padding_idx=padding) ** 2).sum()

        both = vmap(grad(loss), in_dims=(None, 0))(w, indices)
        tables = vmap(grad(loss), in_dims=(0, 0))(torch.stack([w, 2 * w]), indices)
        same = vmap(grad(loss), in_dims=(0, None))(torch.stack([w, 2 * w]), indices[0])
        for b in range(2):
            assert_close(both[b], grad(loss)(w, indices[b]))
            assert_close(tables[b], grad(loss)((b + 1) * w, indices[b]))
            assert_close(same[b], grad(loss)((b + 1) * w, indices[0]))

    def test_an_index_out_of_range_in_a_batch(self):
        w, indices = rand64(2, 4, 2, grad=False), torch.tensor([[0], [4]])
        with pytest.raises((IndexError, RuntimeError), match="4|range"):
            vmap(lambda w, i: torch.nn.functional.embedding(i, w))(w, indices)
