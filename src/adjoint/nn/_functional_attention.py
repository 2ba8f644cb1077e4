"""Attention with several heads as a function, with its projections."""

from __future__ import annotations

import math

import adjoint
from adjoint import Tensor, _core

__all__ = ["multi_head_attention_forward"]

_F = _core._namespaces["nn.functional"]


def canonical_mask(mask: Tensor | None, name: str, like: Tensor) -> Tensor | None:
    """A mask to be added to scores: -inf where one of bools is True."""
    if mask is None:
        return None
    if mask.dtype == adjoint.bool:
        return adjoint.zeros_like(mask, dtype=like.dtype).masked_fill_(mask, -math.inf)
    if not mask.dtype.is_floating_point:
        raise AssertionError(
            f"only bool and floating types of {name} are supported, got {mask.dtype}"
        )
    return mask


def _check_shapes(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
    num_heads: int,
) -> bool:
    """Whether the operands are batched; an error unless they fit."""
    if query.dim() not in (2, 3):
        raise AssertionError(
            "query should be unbatched 2D or batched 3D tensor but received "
            f"{query.dim()}-D query tensor"
        )
    n = query.dim()
    kind = "batched (3-D)" if n == 3 else "unbatched (2-D)"
    if key.dim() != n or value.dim() != n:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {n}-D but found "
            f"{key.dim()}-D and {value.dim()}-D tensors respectively"
        )
    if key_padding_mask is not None and key_padding_mask.dim() != n - 1:
        raise AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {n - 1}-D but found "
            f"{key_padding_mask.dim()}-D tensor instead"
        )
    if attn_mask is not None and attn_mask.dim() not in (2, 3):
        raise AssertionError(
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found "
            f"{attn_mask.dim()}-D tensor instead"
        )
    if n == 2 and attn_mask is not None and attn_mask.dim() == 3:
        expected = (num_heads, query.shape[0], key.shape[0])
        if tuple(attn_mask.shape) != expected:
            raise AssertionError(
                f"Expected `attn_mask` shape to be {expected} but got {tuple(attn_mask.shape)}"
            )
    return n == 3


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Multi-head attention (Vaswani et al., 2017): query [L, N, E], key and value [S, N, ...] give
    [L, N, E], and, with ``need_weights``, the weights [N, L, S] (or [N, num_heads, L, S] unless
    ``average_attn_weights``). Without the dimension N for one sequence.

    ``attn_mask`` is [L, S] or [N * num_heads, L, S], ``key_padding_mask`` [N, S]: True where a key
    does not count, or added to the scores. ``is_causal`` says that ``attn_mask`` is the causal one.

    Raises:
        AssertionError: shapes do not fit.
        RuntimeError: ``is_causal`` without a mask, or a mask of another shape.

    >>> x, w = adjoint.ones(3, 1, 2), adjoint.ones(6, 2)
    >>> attention = adjoint.nn.functional.multi_head_attention_forward
    >>> arguments = (w, None, None, None, False, 0.0, adjoint.eye(2), None)
    >>> attention(x, x, x, 2, 1, *arguments, need_weights=False)[0].flatten()
    tensor([2., 2., 2., 2., 2., 2.])
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    source = key.shape[0]
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    key_padding_mask = canonical_mask(key_padding_mask, "key_padding_mask", query)
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = canonical_mask(attn_mask, "attn_mask", query)
        is_causal = is_causal and key_padding_mask is None and attn_mask is None
    if width != embed_dim_to_check:
        raise AssertionError(
            f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}"
        )
    head = width // num_heads
    if head * num_heads != width:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    same = key.shape[:2] if use_separate_proj_weight else key.shape
    if tuple(same) != tuple(value.shape[: len(same)]):
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    q, k, v = _project(
        query,
        key,
        value,
        in_proj_weight,
        in_proj_bias,
        (q_proj_weight, k_proj_weight, v_proj_weight),
    )
    if attn_mask is not None:
        if attn_mask.dim() == 2:
            expected: tuple[int, ...] = (length, source)
        else:
            expected = (batch * num_heads, length, source)
        if tuple(attn_mask.shape) != expected:
            raise RuntimeError(
                f"The shape of the {attn_mask.dim()}D attn_mask is {attn_mask.shape}, "
                f"but should be {expected}."
            )
        if attn_mask.dim() == 2:
            attn_mask = attn_mask.unsqueeze(0)
    if key_padding_mask is not None and tuple(key_padding_mask.shape) != (batch, source):
        raise AssertionError(
            f"expecting key_padding_mask shape of {(batch, source)}, "
            f"but got {tuple(key_padding_mask.shape)}"
        )
    pad = _F["pad"]
    extra = 0
    if bias_k is not None and bias_v is not None:
        k = adjoint.cat([k, bias_k.repeat(1, batch, 1)])
        v = adjoint.cat([v, bias_v.repeat(1, batch, 1)])
        extra += 1
    # [n, N, E] -> [N, heads, n, head]
    q, k, v = (x.view(x.shape[0], batch, num_heads, head).permute(1, 2, 0, 3) for x in (q, k, v))
    if static_k is not None:
        k = static_k.view(batch, num_heads, -1, head)
    if static_v is not None:
        v = static_v.view(batch, num_heads, -1, head)
    if add_zero_attn:
        zeros = k.new_zeros((batch, num_heads, 1, head))
        k, v = adjoint.cat([k, zeros], 2), adjoint.cat([v, zeros], 2)
        extra += 1
    if attn_mask is not None:
        attn_mask = attn_mask.view(-1, num_heads if attn_mask.shape[0] > 1 else 1, length, source)
        if extra:
            attn_mask = pad(attn_mask, (0, extra))
    if key_padding_mask is not None:
        padding = key_padding_mask.view(batch, 1, 1, source)
        padding = pad(padding, (0, extra)) if extra else padding
        attn_mask = padding if attn_mask is None else attn_mask + padding
    dropout_p = dropout_p if training else 0.0
    weights = None
    if need_weights:
        scores = (q * math.sqrt(1.0 / head)) @ k.transpose(-2, -1)
        if attn_mask is not None:
            scores = scores + attn_mask
        weights = _F["softmax"](scores, -1)
        if dropout_p > 0:
            weights = _F["dropout"](weights, dropout_p)
        output = weights @ v
    else:
        output = _F["scaled_dot_product_attention"](q, k, v, attn_mask, dropout_p, is_causal)
    output = output.permute(2, 0, 1, 3).reshape(length, batch, width)
    output = _F["linear"](output, out_proj_weight, out_proj_bias)
    if weights is not None and average_attn_weights:
        weights = weights.mean(1)
    if not batched:
        output = output.squeeze(1)
        weights = None if weights is None else weights.squeeze(0)
    return output, weights


def _project(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    packed: Tensor | None,
    bias: Tensor | None,
    weights: tuple[Tensor | None, Tensor | None, Tensor | None],
) -> tuple[Tensor, ...]:
    """Queries, keys and values of width E each; what is the same is projected at once."""
    linear, width = _F["linear"], query.shape[-1]
    if packed is None:
        if any(w is None for w in weights):
            raise AssertionError("use_separate_proj_weight is True but a projection weight is None")
        parts: tuple[Tensor | None, ...] = (None,) * 3 if bias is None else bias.chunk(3)
        return tuple(map(linear, (query, key, value), weights, parts))
    if query is key and key is value:
        return linear(query, packed, bias).chunk(3, -1)
    own = linear(query, packed[:width], None if bias is None else bias[:width])
    rest, rest_bias = packed[width:], None if bias is None else bias[width:]
    if key is value:
        return own, *linear(key, rest, rest_bias).chunk(2, -1)
    parts = (None,) * 2 if rest_bias is None else rest_bias.chunk(2)
    return own, *map(linear, (key, value), rest.chunk(2), parts)
