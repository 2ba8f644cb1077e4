"""Scaled dot-product attention, and bags of embeddings."""

import numpy as np

import adjoint
from ops.case import S, case
from ops.matrix import torch

ones, tensor = adjoint.ones, adjoint.tensor


def scores(q, k, mask, causal, scale):
    s = q @ np.swapaxes(k, -2, -1) * (1 / np.sqrt(q.shape[-1]) if scale is None else scale)
    if mask is not None:
        s = np.where(mask, s, -np.inf) if mask.dtype == bool else s + mask
    return np.where(np.tri(*s.shape[-2:], dtype=bool), s, -np.inf) if causal else s


def attention(
    q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    if enable_gqa:
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], -3) for x in (k, v))
    s = scores(q, k, attn_mask, is_causal, scale)
    top = np.max(s, -1, keepdims=True)
    e = np.exp(s - np.where(np.isinf(top), 0, top))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total) @ v


def node(q, k, v, mask, dropout_p, causal, scale, seed, position):
    if k.shape[-3:-2] != q.shape[-3:-2]:
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], -3) for x in (k, v))
    s = scores(q, k, mask, causal, scale)
    return attention(q, k, v, mask, 0.0, causal, scale), np.log(np.exp(s).sum(-1))


def some_true(r, *shape):
    """A mask that lets every query see the first key."""
    mask = np.array(r.bools(*shape).numpy())
    mask[..., 0] = True
    return adjoint.from_numpy(mask)


def qkv(r, rows=4, columns=5, width=3, value_width=2, lead=(2,)):
    return (
        r.normal(*lead, rows, width),
        r.normal(*lead, columns, width),
        r.normal(*lead, columns, value_width),
    )


case(
    "nn.functional.scaled_dot_product_attention",
    lambda r: [
        S(*qkv(r)),
        S(*qkv(r, lead=()), scale=0.3),
        S(*qkv(r, lead=(2, 2)), is_causal=True),
        S(*qkv(r, 5, 5), some_true(r, 5, 5)),
        S(*qkv(r, lead=(2, 2)), some_true(r, 2, 1, 4, 5)),
        S(*qkv(r), r.normal(4, 5)),
        S(*qkv(r, 3, 4), tensor([[True] * 4, [False] * 4, [True, False] * 2])),
        S(r.normal(2, 4, 3), r.normal(5, 3), r.normal(1, 5, 2)),
        S(r.normal(4, 2, 3), r.normal(2, 5, 3), r.normal(2, 5, 2), enable_gqa=True),
        S(r.normal(2, 0, 3), r.normal(2, 4, 3), r.normal(2, 4, 3)),
        S(*qkv(r, 1, 1)),
    ],
    reference=attention,
    bad=[
        (S(ones(3), ones(3), ones(3)), RuntimeError),
        (S(ones(2, 3), ones(2, 4), ones(2, 3)), RuntimeError),
        (S(ones(2, 3), ones(2, 3), ones(3, 3)), RuntimeError),
        (S(ones(2, 3), ones(2, 3).double(), ones(2, 3)), RuntimeError),
        (S(ones(2, 3).long(), ones(2, 3).long(), ones(2, 3).long()), RuntimeError),
        (S(ones(2, 3), ones(2, 3), ones(2, 3), ones(2, 2).int()), RuntimeError),
        (S(ones(2, 3), ones(2, 3), ones(2, 3), ones(3, 2)), RuntimeError),
        (S(ones(2, 3), ones(2, 3), ones(2, 3), dropout_p=1.5), RuntimeError),
        (S(ones(3, 2, 3), ones(2, 2, 3), ones(2, 2, 3), enable_gqa=True), RuntimeError),
    ],
)
case(
    "_nodes.scaled_dot_product_flash_attention_for_cpu",
    lambda r: [
        S(*qkv(r), None, 0.0, False, 0.5, 0, 0),
        S(*qkv(r, 5, 4), r.normal(4), 0.0, True, 0.5, 0, 0),
        # more queries and keys than a block has
        S(*qkv(r, 50, 130, 2, 1, ()), None, 0.0, True, 0.5, 0, 0),
        S(r.normal(4, 3, 3), *qkv(r)[1:], some_true(r, 3, 5), 0.0, False, 0.5, 0, 0),
    ],
    reference=node,
    torch_name=None,
)


def combined(rows, mode):
    if len(rows) == 0:
        return 0 * rows.sum(0)
    return rows.max(0) if mode == "max" else rows.mean(0) if mode == "mean" else rows.sum(0)


def embedding_bag(
    input, w, offsets=None, mode="mean", per_sample_weights=None, padding_idx=None, **ends
):
    p = np.ones(input.shape) if per_sample_weights is None else per_sample_weights
    if input.ndim == 2:
        offsets, input, p = np.arange(len(input)) * input.shape[1], input.ravel(), p.ravel()
    if ends.get("include_last_offset"):
        offsets = offsets[:-1]
    bags = []
    for a, b in zip(offsets, [*offsets[1:], len(input)]):
        kept = [i for i in range(a, b) if input[i] != padding_idx]
        bags.append(combined(w[input[kept]] * p[kept][:, None], mode))
    return np.stack(bags)


offsets = tensor([0, 2, 2, 3])
modes = ("sum", "mean", "max")
case(
    "nn.functional.embedding_bag",
    lambda r: [
        *(S(r.integers(0, 5, 6), r.distinct(5, 3), offsets, mode=m) for m in modes),
        *(S(r.integers(0, 5, 2, 3), r.distinct(5, 3), mode=m, padding_idx=1) for m in modes),
        S(r.integers(0, 5, 6), r.normal(5, 3), offsets, mode="sum", include_last_offset=True,
          per_sample_weights=r.normal(6)),
        S(r.integers(0, 5, 2, 3), r.normal(5, 3), mode="sum", per_sample_weights=r.normal(2, 3)),
    ],
    reference=embedding_bag,
    torch_name=torch and torch.nn.functional.embedding_bag,
    bad=[
        (S(tensor([0, 5]), ones(5, 3), tensor([0])), IndexError),
        (S(tensor([0, 1]), ones(5, 3)), ValueError),
        (S(tensor([[0, 1]]), ones(5, 3), tensor([0])), ValueError),
        (S(tensor(0), ones(5, 3)), ValueError),
        (S(tensor([[0, 1]]), ones(5, 3), mode="min"), ValueError),
        (S(tensor([0, 1]), ones(5, 3), tensor([1])), RuntimeError),
        (S(tensor([0, 1]), ones(5, 3), tensor([0, 3])), RuntimeError),
        (S(tensor([[0, 1]]), ones(5, 3), per_sample_weights=ones(1, 2)), NotImplementedError),
        (S(tensor([[0, 1]]), ones(5, 3), mode="sum", per_sample_weights=ones(2)), ValueError),
        (S(tensor([[0, 1]]), ones(5, 3), padding_idx=7), RuntimeError),
    ],
)  # fmt: skip
