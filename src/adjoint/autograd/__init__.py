"""Reverse-mode differentiation of recorded computations, and what surrounds it.

`backward` and `grad` run the engine (in C++) from outputs to inputs; `no_grad` and its like decide
what is recorded; `Function` adds an operation of one's own; `gradcheck` compares derivatives with
finite differences; `functional` computes Jacobians and Hessians; `forward_ad` is forward mode.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from adjoint import _core
from adjoint._core import Tensor, _add_batch_dim, _remove_batch_dim, _run_backward

from . import anomaly_mode
from ._levels import vmap_level
from .anomaly_mode import detect_anomaly, set_detect_anomaly
from .function import Function, NestedIOFunction
from .grad_mode import (
    enable_grad,
    inference_mode,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from .gradcheck import gradcheck, gradgradcheck
from .variable import Variable

__all__ = [
    "Function",
    "NestedIOFunction",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "no_grad",
    "profiler",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
]

Tensors: TypeAlias = Tensor | Sequence[Tensor]
Gradients: TypeAlias = Tensor | Sequence[Tensor | None] | None


def __getattr__(name: str) -> Any:
    if name in ("forward_ad", "functional", "graph", "profiler"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def backward(
    tensors: Tensors,
    grad_tensors: Gradients = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Gradients = None,
    inputs: Tensors | Mapping[str, Tensor] | None = None,
) -> None:
    """Add the gradients of `tensors` to the `.grad` of the leaves that they were computed from.

    Args:
        tensors: a tensor or several; the sum of their gradients is accumulated.
        grad_tensors: for each of them the cotangent, of its shape; None stands for 1, for a scalar.
        retain_graph: keep the graph, for another backward; by default as `create_graph`.
        create_graph: record the backward itself, for derivatives of the gradients.
        grad_variables: an old name of `grad_tensors`.
        inputs: accumulate into the `.grad` of these tensors alone.

    Raises:
        RuntimeError: nothing requires grad; no gradient for a tensor that is not a scalar; a
            gradient of the wrong shape; a graph already freed; a tensor that was modified after it
            was saved.

    >>> x = adjoint.tensor([1.0, 2.0], requires_grad=True)
    >>> adjoint.autograd.backward([x * 2, x * 3], [adjoint.ones(2), adjoint.ones(2)])
    >>> x.grad
    tensor([5., 5.])
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError("give grad_tensors or grad_variables (its old name), not both")
        warnings.warn("`grad_variables` is now `grad_tensors`", FutureWarning, stacklevel=2)
        grad_tensors = grad_variables
    if isinstance(inputs, Mapping):
        inputs = tuple(inputs.values())
    if inputs is not None and not isinstance(inputs, Tensor) and len(inputs) == 0:
        raise RuntimeError(
            "`inputs` argument to `backward()` cannot be empty; leave it out to accumulate into "
            "every leaf"
        )
    outputs = _tuple(tensors)
    cotangents = _cotangents(grad_tensors, len(outputs))
    retain = create_graph if retain_graph is None else retain_graph
    targets = () if inputs is None else _tuple(inputs)
    _run(outputs, cotangents, retain, create_graph, targets, True, True)


def grad(
    outputs: Tensors,
    inputs: Tensors | Mapping[str, Tensor],
    grad_outputs: Gradients = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """The gradients of the sum of `outputs` with respect to `inputs`; no `.grad` changes.

    Args:
        outputs: a tensor or several; a `graph.GradientEdge` stands for its tensor, here and below.
        inputs: a tensor, several, or a dict of them: leaves or intermediate results.
        grad_outputs: for each output the cotangent, of its shape; None stands for 1, for a scalar.
        retain_graph: keep the graph, for another backward; by default as `create_graph`.
        create_graph: record this computation, for derivatives of the gradients.
        only_inputs: ignored (True is the only behaviour).
        allow_unused: return None for an input that the outputs do not depend on, in place of an
            error; by default as `materialize_grads`.
        is_grads_batched: dim 0 of each of `grad_outputs` is a batch of cotangents; the gradients
            have the same dim. This is `vmap` over the backward.
        materialize_grads: return zeros in place of None.

    Returns:
        A tuple with a gradient for each input, or for a dict a dict.

    Raises:
        RuntimeError: as `backward`, and for an input that is not used or does not require grad.
        ValueError: `materialize_grads=True` with `allow_unused=False`.

    >>> x = adjoint.tensor(3.0, requires_grad=True)
    >>> (g,) = adjoint.autograd.grad(x**3, x, create_graph=True)
    >>> adjoint.autograd.grad(g, x)  # the second derivative, 6 x
    (tensor(18.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "materialize_grads=True implies allow_unused=True, but it was given as False"
        )
    if not only_inputs:
        warnings.warn("`only_inputs` is ignored: it is always True", FutureWarning, stacklevel=2)
    values = _tuple(inputs.values() if isinstance(inputs, Mapping) else inputs)
    if not values:
        raise RuntimeError(
            "`inputs` argument to `grad()` cannot be empty: there is nothing to differentiate with "
            "respect to"
        )
    sources = _tuple(outputs)
    run = _batched_grads if is_grads_batched else _grads
    grads = run(
        sources,
        values,
        _cotangents(grad_outputs, len(sources)),
        create_graph if retain_graph is None else retain_graph,
        create_graph,
        materialize_grads if allow_unused is None else allow_unused,
    )
    if materialize_grads:
        grads = tuple(x.new_zeros(x.shape) if g is None else g for x, g in zip(values, grads))
    return dict(zip(inputs, grads)) if isinstance(inputs, Mapping) else grads


def _run(outputs: tuple[Tensor, ...], *arguments: Any) -> tuple[Tensor | None, ...]:
    if not anomaly_mode._enabled:
        return _run_backward(outputs, *arguments)
    with anomaly_mode.watching(outputs):
        return _run_backward(outputs, *arguments)


def _grads(
    outputs: tuple[Tensor, ...],
    inputs: tuple[Tensor, ...],
    cotangents: tuple[Tensor | None, ...],
    retain_graph: bool,
    create_graph: bool,
    allow_unused: bool,
) -> tuple[Tensor | None, ...]:
    return _run(outputs, cotangents, retain_graph, create_graph, inputs, False, allow_unused)


def _batched_grads(
    outputs: tuple[Tensor, ...],
    inputs: tuple[Tensor, ...],
    cotangents: tuple[Tensor | None, ...],
    *settings: bool,
) -> tuple[Tensor | None, ...]:
    for cotangent in cotangents:
        if cotangent is not None and cotangent.dim() == 0:
            raise ValueError("is_grads_batched: a gradient of 0 dims has no dim 0 to batch over")
    sizes = {cotangent.shape[0] for cotangent in cotangents if cotangent is not None}
    if len(sizes) != 1:
        raise ValueError(f"is_grads_batched needs gradients of one batch size; got {sorted(sizes)}")
    (size,) = sizes
    with vmap_level(size) as level:
        batched = tuple(g if g is None else _add_batch_dim(g, 0, level) for g in cotangents)
        grads = _grads(outputs, inputs, batched, *settings)
        return tuple(g if g is None else _remove_batch_dim(g, level, size, 0) for g in grads)


def _tuple(tensors: Any) -> tuple[Any, ...]:
    if isinstance(tensors, Tensor):
        return (tensors,)
    if _is_edge(tensors):
        return (_core._tensor_at_edge(*tensors),)
    return tuple([_core._tensor_at_edge(*x) if _is_edge(x) else x for x in tensors])


def _is_edge(x: Any) -> bool:
    """Whether x is a `graph.GradientEdge`, without importing it before there is one."""
    return type(x) is not Tensor and type(x).__name__ == "GradientEdge"


def _cotangents(given: Any, count: int) -> tuple[Any, ...]:
    if given is None:
        return (None,) * count
    cotangents = _tuple(given)
    if len(cotangents) != count:
        raise RuntimeError(
            f"got {count} tensors and {len(cotangents)} gradients; give one for each"
        )
    return cotangents
