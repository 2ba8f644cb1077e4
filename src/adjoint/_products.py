"""Sums of products: the forms in which torch takes their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint import _core
from adjoint._core import Tensor

__all__ = ["einsum", "tensordot"]

_einsum = _core._namespaces[""]["einsum"]
_tensordot = _core._namespaces[""]["tensordot"]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _letters(subscripts: Sequence[Any]) -> str:
    text = ""
    for s in subscripts:
        if s is Ellipsis:
            text += "..."
        elif isinstance(s, int) and 0 <= s < len(_LETTERS):
            text += _LETTERS[s]
        else:
            raise ValueError(
                f"einsum(): subscripts in a list must be an Ellipsis or from 0 to 51, got {s!r}"
            )
    return text


def einsum(*args: Any) -> Tensor:
    """Products of the elements of all operands, summed over subscripts that are not in the output.

    `einsum(equation, *operands)`: `"ij,jk->ik"` is a matrix product. Without `->` the output has
    the subscripts that occur once, in alphabetical order; `...` stands for any dims, which
    broadcast; a subscript that an operand has twice takes its diagonal. Operands are multiplied
    from left to right. `einsum(operand, subscripts, ..., [output])` takes subscripts as lists of
    numbers from 0 to 51. A RuntimeError for an equation that does not fit, a ValueError for too few
    or wrong arguments.

    >>> adjoint.einsum("i,i->", adjoint.tensor([1., 2.]), adjoint.tensor([3., 4.]))
    tensor(11.)
    >>> adjoint.einsum(adjoint.tensor([1., 2.]), [0], adjoint.tensor([3., 4.]), [0], [])
    tensor(11.)
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    if isinstance(args[0], str):
        equation, operands = args[0], list(args[1:])
    else:
        operands = list(args[: len(args) // 2 * 2 : 2])
        equation = ",".join(map(_letters, args[1::2]))
        if len(args) % 2:
            equation += "->" + _letters(args[-1])
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = list(operands[0])
    return _einsum(equation, operands)


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Tensor | None = None) -> Tensor:
    """Products summed over dims of both tensors.

    `dims`: how many of the last dims of `a` are paired with as many of the first of `b`; or two
    lists, the dims of `a` and those of `b` (also as a tensor [2, n]). A RuntimeError where sizes do
    not fit.

    >>> adjoint.tensordot(adjoint.ones(2, 3), adjoint.ones(3, 4), dims=([1], [0])).shape
    torch.Size([2, 4])
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims.numel() > 1 else dims.item()
    if isinstance(dims, (list, tuple)):
        if len(dims) != 2:
            raise RuntimeError(f"tensordot expects dims to be an int or two lists, got {dims}")
        pair = [[d] if isinstance(d, int) else list(d) for d in dims]
        return _tensordot(a, b, *pair, out=out)
    return _tensordot(a, b, dims, out=out)
