"""Attention whose scores and masks are functions of positions, and causal masks."""

import math

import pytest
from _backend import NAME, assert_same, torch

if NAME != "adjoint":
    pytest.skip("torch has no gradient of it on a CPU", allow_module_level=True)

from adjoint.nn.attention.bias import CausalBias, causal_lower_right, causal_upper_left
from adjoint.nn.attention.flex_attention import (
    and_masks,
    create_block_mask,
    create_mask,
    flex_attention,
    or_masks,
)

sdpa = torch.nn.functional.scaled_dot_product_attention


def tensors(*shapes):
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in shapes
    ]


def causal(b, h, q, kv):
    return q >= kv


def test_without_functions_it_is_attention():
    q, k, v = tensors((2, 4, 3, 8), (2, 2, 5, 8), (2, 2, 5, 6))
    assert_close = torch.testing.assert_close
    k4, v4 = k.repeat_interleave(2, 1), v.repeat_interleave(2, 1)
    assert_close(flex_attention(q, k4, v4), sdpa(q, k4, v4))
    assert_close(flex_attention(q, k, v, enable_gqa=True, scale=0.5), sdpa(q, k4, v4, scale=0.5))


def test_scores_and_masks_are_functions_of_positions_and_of_captured_tensors():
    q, k, v, bias = tensors((2, 4, 5, 8), (2, 4, 5, 8), (2, 4, 5, 8), (4,))
    document = torch.tensor([0, 0, 1, 1, 1])

    def score(s, b, h, i, j):
        return s + bias[h] * (i - j)

    same = create_block_mask(
        and_masks(causal, lambda b, h, i, j: document[i] == document[j]), 2, None, 5, 5
    )
    out = flex_attention(q, k, v, score, same)
    distance = torch.arange(5)[:, None] - torch.arange(5)
    seen = (distance >= 0) & (document[:, None] == document)
    scores = q @ k.mT / math.sqrt(8) + bias[:, None, None] * distance
    expected = scores.masked_fill(~seen, -math.inf).softmax(-1) @ v
    torch.testing.assert_close(out, expected)
    ours = torch.autograd.grad(out.square().sum(), [q, k, v, bias])
    theirs = torch.autograd.grad(expected.square().sum(), [q, k, v, bias])
    torch.testing.assert_close(ours, theirs)


def test_rows_that_see_nothing_are_zero_and_pass_no_nan():
    q, k = tensors((1, 1, 3, 4), (1, 1, 3, 4))
    mask = create_block_mask(lambda b, h, i, j: i > 0, None, None, 3, 3)
    out, lse = flex_attention(q, k, k, block_mask=mask, return_lse=True)
    assert_same(out[0, 0, 0], torch.zeros(4, dtype=torch.float64))
    assert lse.shape == (1, 1, 3) and lse[0, 0, 0] == -math.inf
    out.sum().backward()
    assert q.grad.isfinite().all() and k.grad.isfinite().all()


def test_block_masks_count_the_blocks_that_are_seen():
    mask = create_block_mask(causal, None, 2, 300, 300)
    assert mask.shape == (1, 2, 300, 300)
    assert mask.to_dense()[0, 1].tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert mask.sparsity() == pytest.approx(100 / 3)
    either = create_mask(or_masks(causal, lambda b, h, i, j: j == 2), 1, 1, 3, 3)
    assert either.tolist() == [[[[True, False, True], [True, True, True], [True, True, True]]]]


def test_what_does_not_fit_is_refused():
    q, k = tensors((1, 4, 3, 8), (1, 3, 3, 8))
    with pytest.raises(ValueError, match="enable_gqa"):
        flex_attention(q, k, k)
    with pytest.raises(ValueError, match="do not divide"):
        flex_attention(q, k, k, enable_gqa=True)
    with pytest.raises(ValueError, match="4 dims"):
        flex_attention(q[0], q[0], q[0])
    with pytest.raises(ValueError, match="lengths"):
        flex_attention(q, q, q, block_mask=create_block_mask(causal, None, None, 4, 3))
    with pytest.raises(RuntimeError, match="functions"):
        and_masks(causal, torch.ones(3, 3))


def test_causal_masks_of_either_corner():
    q, k = tensors((1, 2, 2, 8), (1, 2, 4, 8))
    upper, lower = causal_upper_left(2, 4), causal_lower_right(2, 4)
    assert isinstance(upper, torch.Tensor) and type(lower) is CausalBias
    torch.testing.assert_close(sdpa(q, k, k, upper), sdpa(q, k, k, is_causal=True))
    last = sdpa(q, k, k, lower)
    torch.testing.assert_close(last[:, :, 1:], sdpa(q[:, :, 1:], k, k))
    torch.testing.assert_close(last[:, :, :1], sdpa(q[:, :, :1], k[:, :, :3], k[:, :, :3]))
    with pytest.raises(RuntimeError, match="2 lengths"):
        causal_lower_right(2)
