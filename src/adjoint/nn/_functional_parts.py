"""Names that programs import from :mod:`adjoint.nn.functional` though they are no part of it: steps
of its functions under torch's private names (for modified copies of its attention, say), and what
torch's own file imports."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor, _core, conv_tbc
from adjoint.overrides import (
    handle_torch_function,
    has_torch_function,
    has_torch_function_unary,
    has_torch_function_variadic,
)

from . import _reduction as _Reduction
from . import grad
from ._functional_attention import _check_shapes, _project, canonical_mask
from .modules.utils import _pair, _single, _triple

_F = _core._namespaces["nn.functional"]

__all__ = [
    "Tensor",
    "_Reduction",
    "_canonical_mask",
    "_get_softmax_dim",
    "_in_projection",
    "_in_projection_packed",
    "_mha_shape_check",
    "_no_grad_embedding_renorm_",
    "_none_or_dtype",
    "_pair",
    "_single",
    "_triple",
    "_unpool_output_size",
    "_verify_batch_size",
    "_verify_spatial_size",
    "conv_tbc",
    "grad",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
]


def _in_projection_packed(
    q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Tensor | None = None
) -> list[Tensor]:
    """Queries, keys and values by one weight [3 E, E] and bias [3 E]."""
    return list(_project(q, k, v, w, b, (None, None, None)))


def _in_projection(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    b_q: Tensor | None = None,
    b_k: Tensor | None = None,
    b_v: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values, each by its own weight [E, width] and bias [E]."""
    width, wide_k, wide_v = q.shape[-1], k.shape[-1], v.shape[-1]
    for name, w, wanted in (("w_q", w_q, width), ("w_k", w_k, wide_k), ("w_v", w_v, wide_v)):
        if tuple(w.shape) != (width, wanted):
            raise AssertionError(f"expected {name} of shape {(width, wanted)}, got {w.shape}")
    linear = _F["linear"]
    return linear(q, w_q, b_q), linear(k, w_k, b_k), linear(v, w_v, b_v)


def _mha_shape_check(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
    num_heads: int,
) -> bool:
    """Whether the operands of attention are batched; an AssertionError unless they fit."""
    return _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)


def _none_or_dtype(input: Tensor | None) -> Any:
    """The dtype of a tensor that may be missing."""
    if input is not None and not isinstance(input, Tensor):
        raise RuntimeError(f"expected None or a tensor, got {type(input).__name__}")
    return None if input is None else input.dtype


def _canonical_mask(
    mask: Tensor | None,
    mask_name: str,
    other_type: Any,
    other_name: str,
    target_type: Any,
    check_other: bool = True,
) -> Tensor | None:
    """The mask as one to be added, of dtype `target_type`: -inf where one of bools is True."""
    like = adjoint.empty(0, dtype=target_type)
    return canonical_mask(mask, mask_name, like)


def _get_softmax_dim(name: str, ndim: int, stacklevel: int) -> int:
    """The dim that a softmax without one takes: 0 of 0, 1 or 3 dims, otherwise 1."""
    import warnings

    warnings.warn(
        f"{name} without dim is deprecated: give dim=", UserWarning, stacklevel=stacklevel
    )
    return 0 if ndim in (0, 1, 3) else 1


def _verify_batch_size(size: list[int]) -> None:
    """A ValueError if a channel has one value, which batch norm cannot normalise in training."""
    values = size[0]
    for n in size[2:]:
        values *= n
    if values == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got {size}")


def _verify_spatial_size(size: list[int]) -> None:
    """A ValueError if a channel has one place, which instance norm cannot normalise."""
    values = 1
    for n in size[2:]:
        values *= n
    if values == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got {size}")


def _unpool_output_size(
    input: Tensor,
    kernel_size: list[int],
    stride: list[int],
    padding: list[int],
    output_size: list[int] | None,
) -> list[int]:
    """The spatial size of max-unpooling; `output_size`, if given, must be less than a stride off.

    Raises:
        ValueError: it is not, or it has another number of dims.
    """
    spatial = input.shape[-len(kernel_size) :]
    sizes = [
        (n - 1) * s + k - 2 * p
        for n, s, k, p in zip(spatial, stride, kernel_size, padding, strict=True)
    ]
    if output_size is None:
        return sizes
    given = list(output_size)
    given = given[2:] if len(given) == len(kernel_size) + 2 else given
    if len(given) != len(kernel_size):
        raise ValueError(
            f"output_size should have {len(kernel_size)} or {len(kernel_size) + 2} elements, got "
            f"{len(given)}"
        )
    for dim, (n, default, s) in enumerate(zip(given, sizes, stride)):
        if not default - s < n < default + s:
            raise ValueError(
                f"invalid output_size {given}: dim {dim} must be between {default - s} and "
                f"{default + s}"
            )
    return given


def _no_grad_embedding_renorm_(
    weight: Tensor, input: Tensor, max_norm: float, norm_type: float
) -> tuple[Tensor, Tensor] | None:
    """Scales the rows of `weight` that `input` names to a norm of at most `max_norm`, in place."""
    with adjoint.no_grad():
        rows = input.unique()
        chosen = weight[rows]
        norms = chosen.norm(norm_type, -1, keepdim=True)
        weight[rows] = adjoint.where(norms > max_norm, chosen * (max_norm / (norms + 1e-7)), chosen)
    return None
