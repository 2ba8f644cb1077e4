"""Anomaly detection: a backward that raises where a gradient first becomes nan.

Each node of the graph gets a hook for the length of one backward. Errors name the source line of an
operation with or without this mode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from adjoint._core import Tensor

__all__ = [
    "detect_anomaly",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "set_detect_anomaly",
]

_enabled = False
_check_nan = True

_plain_backward = Tensor.backward


def _watched_backward(
    self: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    from . import backward

    backward((self,), (gradient,), retain_graph, create_graph, inputs=inputs)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return _enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection, when on, looks for nans."""
    return _check_nan


def _set(mode: bool, check_nan: bool) -> None:
    global _enabled, _check_nan
    _enabled, _check_nan = bool(mode), bool(check_nan)
    # The method is in C and knows nothing of this mode, so that it costs nothing while it is off.
    Tensor.backward = _watched_backward if _enabled and _check_nan else _plain_backward


class set_detect_anomaly:
    """Turn anomaly detection on or off: at once, or for a `with` block.

    >>> with adjoint.autograd.set_detect_anomaly(True):
    ...     adjoint.autograd.anomaly_mode.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = _enabled, _check_nan
        _set(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        _set(*self._before)


class detect_anomaly:
    """Within the `with` block, a backward that computes a nan raises, naming the operation.

    >>> x = adjoint.zeros(1, requires_grad=True)
    >>> with adjoint.autograd.detect_anomaly():
    ...     try:
    ...         (x.sqrt() * 0).sum().backward()
    ...     except RuntimeError as error:
    ...         print(error)
    Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan

    def __enter__(self) -> None:
        self._before = _enabled, _check_nan
        _set(True, self._check_nan)

    def __exit__(self, *exc: object) -> None:
        _set(*self._before)


class watching:
    """For one backward from `outputs`: raise where a gradient is nan, if the mode asks for it."""

    def __init__(self, outputs: Iterable[Any]) -> None:
        self._outputs = tuple(outputs)
        self._handles: list[Any] = []

    def __enter__(self) -> None:
        if _enabled and _check_nan:
            self._handles = [node.register_hook(_nan_check(node)) for node in _nodes(self._outputs)]

    def __exit__(self, *exc: object) -> None:
        for handle in self._handles:
            handle.remove()


def _nan_check(node: Any) -> Callable[[Any, Any], None]:
    name = node.name()

    def check(grad_inputs: Any, grad_outputs: Any) -> None:
        for position, grad in enumerate(grad_inputs):
            if grad is not None and grad.dtype.is_floating_point and grad.isnan().any():
                raise RuntimeError(
                    f"Function '{name}' returned nan values in its {position}th output."
                )

    return check


def _nodes(outputs: tuple[Any, ...]) -> Iterator[Any]:
    """Every node of the graph of `outputs` that computes gradients."""
    pending = [x.grad_fn for x in outputs if x.grad_fn is not None]
    seen = set(pending)
    while pending:
        node = pending.pop()
        yield node
        for parent, _ in node.next_functions:
            if parent is not None and parent not in seen and parent.next_functions:
                seen.add(parent)
                pending.append(parent)
