"""Looking at the graph: `Node`, `GradientEdge`, and version counters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from adjoint import _core
from adjoint._core import Node, Tensor

__all__ = ["GradientEdge", "Node", "get_gradient_edge", "increment_version"]


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor arrives: input `output_nr` of `node`."""

    node: Any
    output_nr: int


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge of `tensor`; for a leaf, the node that accumulates into its `.grad`.

    >>> x = adjoint.ones(2, requires_grad=True)
    >>> adjoint.autograd.graph.get_gradient_edge(x * 2).node.name()
    'MulBackward0'
    """
    if not tensor.requires_grad:
        raise RuntimeError("the tensor does not require grad, so no gradient arrives at it")
    return GradientEdge(*_core._gradient_edge(tensor))


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Tell autograd that `tensor` (or each of several) was written to by other means."""
    for one in [tensor] if isinstance(tensor, Tensor) else tensor:
        _core._bump_version(one)
