"""Attention whose scores and masks are functions of positions.

The functions see one score and its indices (batch, head, query, key), all tensors of no dims, and
are mapped over all of them by `vmap`. Scores are held as a whole: a mask saves no work here.

>>> from adjoint.nn.attention.flex_attention import create_block_mask, flex_attention
>>> def causal(b, h, q, kv):
...     return q >= kv
>>> x = adjoint.ones(1, 2, 4, 8)
>>> mask = create_block_mask(causal, None, None, 4, 4, device="cpu")
>>> flex_attention(x, x, x, lambda score, b, h, q, kv: score - (q - kv), mask).shape
torch.Size([1, 2, 4, 8])
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.func import vmap

__all__ = [
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]

# Of the positions (batch, head, query, key), the one that each vmap maps, from the innermost out.
_PLACES = (
    (None, None, None, 0),
    (None, None, 0, None),
    (None, 0, None, None),
    (0, None, None, None),
)


def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """Every query sees every key."""
    return batch.new_ones((), dtype=adjoint.bool)


def _check(masks: tuple[Callable[..., Tensor], ...]) -> None:
    for mask in masks:
        if not callable(mask):
            raise RuntimeError(f"masks are functions of positions, got {mask!r}")


def and_masks(*mask_mods: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """What all of the masks let be seen."""
    _check(mask_mods)

    def together(b: Tensor, h: Tensor, q: Tensor, kv: Tensor) -> Tensor:
        seen = b.new_ones((), dtype=adjoint.bool)
        for mask in mask_mods:
            seen = seen & mask(b, h, q, kv)
        return seen

    return together


def or_masks(*mask_mods: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """What one of the masks lets be seen."""
    _check(mask_mods)

    def together(b: Tensor, h: Tensor, q: Tensor, kv: Tensor) -> Tensor:
        seen = b.new_zeros((), dtype=adjoint.bool)
        for mask in mask_mods:
            seen = seen | mask(b, h, q, kv)
        return seen

    return together


def create_mask(
    mod_fn: Callable[..., Tensor],
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
) -> Tensor:
    """The mask of a function of positions, as bools of shape [B, H, Q_LEN, KV_LEN] (None: 1).

    >>> from adjoint.nn.attention.flex_attention import create_mask
    >>> create_mask(lambda b, h, q, kv: q >= kv, None, None, 2, 3).tolist()
    [[[[True, False, False], [True, True, False]]]]
    """
    sizes = (B or 1, H or 1, Q_LEN, KV_LEN)
    f = mod_fn
    for places in _PLACES:
        f = vmap(f, in_dims=places, out_dims=0)
    mask = f(*[adjoint.arange(size, device=device) for size in sizes])
    return mask.expand(sizes).to(adjoint.bool)


class BlockMask:
    """A mask as a function, for sequences of the given lengths; see `create_block_mask`."""

    def __init__(
        self, mask_mod: Callable[..., Tensor], sizes: tuple[int, int, int, int], block: Any
    ) -> None:
        self.mask_mod = mask_mod
        self.shape = sizes
        self.seq_lengths = sizes[2:]
        self.BLOCK_SIZE = (block, block) if isinstance(block, int) else tuple(block)
        self._mask: Tensor | None = None

    def _seen(self) -> Tensor:
        if self._mask is None:
            self._mask = create_mask(self.mask_mod, *self.shape)
        return self._mask

    def to_dense(self) -> Tensor:
        """1 for each block of which something is seen, else 0: [B, H, blocks, blocks], int32."""
        blocks = [math.ceil(n / size) for n, size in zip(self.seq_lengths, self.BLOCK_SIZE)]
        dims = [d for n, size in zip(blocks, self.BLOCK_SIZE) for d in (n, size)]
        whole = adjoint.zeros(*self.shape[:2], dims[0] * dims[1], dims[2] * dims[3])
        whole[:, :, : self.shape[2], : self.shape[3]] = self._seen()
        return whole.view(*self.shape[:2], *dims).amax((3, 5)).to(adjoint.int32)

    def sparsity(self) -> float:
        """The percentage of the blocks of which nothing is seen."""
        return 100 * (1 - self.to_dense().double().mean().item())

    def numel(self) -> int:
        """How many scores there are."""
        return math.prod(self.shape)

    def to(self, device: Any) -> BlockMask:
        """Itself: masks are made where they are used."""
        return self

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%)"


def create_block_mask(
    mask_mod: Callable[..., Tensor],
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
    BLOCK_SIZE: Any = 128,
    _compile: bool = False,
) -> BlockMask:
    """A mask for `flex_attention`: `mask_mod(b, h, q, kv)` says whether query q sees key kv.

    `B` or `H` None: the same for all batches or heads. `BLOCK_SIZE` is what `sparsity` counts by.
    """
    _check((mask_mod,))
    return BlockMask(mask_mod, (B or 1, H or 1, Q_LEN, KV_LEN), BLOCK_SIZE)


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: Callable[..., Tensor] | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: dict[str, Any] | None = None,
) -> Any:
    """Attention with scores changed by `score_mod(score, b, h, q, kv)` and masked by `block_mask`.

    `softmax(score_mod(query @ key.mT * scale)) @ value`; rows in which nothing is seen are zero.

    Args:
        query: [B, H, L, E]; key: [B, H, S, E]; value: [B, H, S, Ev].
        scale: 1 / sqrt(E) if left out.
        enable_gqa: `key` and `value` may have fewer heads, each for several of `query`.
        return_lse: return the logarithm of the softmax's denominator [B, H, L] too.

    Raises:
        ValueError: shapes that do not fit, or a mask of other lengths.
    """
    for name, x in (("query", query), ("key", key), ("value", value)):
        if x.dim() != 4:
            raise ValueError(f"{name} is to have 4 dims (batch, head, position, feature), got "
                             f"shape {tuple(x.shape)}")  # fmt: skip
    if enable_gqa:
        if query.size(1) % key.size(1):
            raise ValueError(f"{key.size(1)} heads of keys do not divide {query.size(1)} heads")
        groups = query.size(1) // key.size(1)
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    elif query.size(1) != key.size(1):
        raise ValueError(f"query has {query.size(1)} heads, key {key.size(1)}: set enable_gqa")
    factor = 1 / math.sqrt(query.size(-1)) if scale is None else scale
    scores = (query * factor) @ key.mT  # [B, H, L, S]
    if score_mod is not None:
        mod = score_mod
        for places in _PLACES:
            mod = vmap(mod, in_dims=(0, *places), out_dims=0)
        indices = [adjoint.arange(size, device=query.device) for size in scores.shape]
        scores = mod(scores, *indices).to(query.dtype)
    if block_mask is not None:
        if tuple(block_mask.seq_lengths) != tuple(scores.shape[2:]):
            raise ValueError(f"block_mask is for lengths {tuple(block_mask.seq_lengths)}, the "
                             f"scores have {tuple(scores.shape[2:])}")  # fmt: skip
        scores = scores.masked_fill(~block_mask._seen(), -math.inf)
    blind = scores.detach().amax(-1, keepdim=True) == -math.inf  # zeros, no nan in their gradient
    weights = scores.masked_fill(blind, 0).softmax(-1).masked_fill(blind, 0)
    out = weights.to(value.dtype) @ value
    return (out, scores.logsumexp(-1)) if return_lse else out
