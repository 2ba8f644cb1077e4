"""Causal masks for attention between sequences of different lengths.

A square mask lets position i see positions up to i. Where there are more keys than queries, the
square can be put at the upper left of the matrix of scores, or at its lower right.
"""

from __future__ import annotations

import enum

import adjoint
from adjoint import Tensor

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Which corner the diagonal of a causal mask starts or ends in."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A mask for `scaled_dot_product_attention`: true where a query may see a key.

    Raises:
        ValueError: no CausalVariant.
    """

    variant: CausalVariant
    seq_len_q: int
    seq_len_kv: int

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> CausalBias:
        if not isinstance(variant, CausalVariant):
            raise ValueError(f"variant is to be a CausalVariant, got {variant!r}")
        lower = variant is CausalVariant.LOWER_RIGHT
        shape = (seq_len_q, seq_len_kv)
        seen = adjoint.ones(shape, dtype=adjoint.bool).tril(seq_len_kv - seq_len_q if lower else 0)
        mask: CausalBias = seen.as_subclass(cls)
        mask.variant, mask.seq_len_q, mask.seq_len_kv = variant, seq_len_q, seq_len_kv
        return mask

    def __init__(self, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> None:
        pass


def causal_upper_left(*size: int) -> CausalBias:
    """Query i sees keys up to i.

    >>> from adjoint.nn.attention.bias import causal_upper_left
    >>> causal_upper_left(2, 3).tolist()
    [[True, False, False], [True, True, False]]
    """
    return CausalBias(CausalVariant.UPPER_LEFT, *_two(size))


def causal_lower_right(*size: int) -> CausalBias:
    """The last query sees all keys, each before it one less.

    >>> from adjoint.nn.attention.bias import causal_lower_right
    >>> causal_lower_right(2, 3).tolist()
    [[True, True, False], [True, True, True]]
    """
    return CausalBias(CausalVariant.LOWER_RIGHT, *_two(size))


def _two(size: tuple[int, ...]) -> tuple[int, int]:
    if len(size) != 2:
        raise RuntimeError(f"a causal mask has 2 lengths (queries, keys), got {size}")
    return size[0], size[1]
