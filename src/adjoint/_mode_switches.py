"""Modes asked about and switched one by one: autocast, anomaly detection; eager control flow.

Libraries that manage these modes themselves call them; programs use the context managers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import adjoint
from adjoint import Tensor, _core

__all__ = [
    "SymBool",
    "SymFloat",
    "SymInt",
    "clear_autocast_cache",
    "cond",
    "get_autocast_cpu_dtype",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_inference",
    "set_anomaly_enabled",
    "set_autocast_cache_enabled",
    "set_autocast_cpu_dtype",
    "set_autocast_cpu_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
    "sym_float",
    "sym_int",
    "sym_max",
    "sym_min",
    "sym_not",
]

_lower: dict[str, Any] = {}  # the dtype that is taken when autocast is switched on


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Switches `autocast` on or off; devices other than the CPU are not there, and nothing happens.

    >>> adjoint.set_autocast_enabled("cpu", True)
    >>> (adjoint.ones(2, 2) @ adjoint.ones(2, 2)).dtype
    torch.bfloat16
    >>> adjoint.set_autocast_enabled("cpu", False)
    """
    if enabled is None:  # the older form is about CUDA alone
        return
    if device_type == "cpu":
        dtype = _lower.get("cpu", _core.bfloat16)
        _core._set_autocast_dtype(dtype if enabled else None)


def set_autocast_dtype(device_type: str, dtype: Any) -> None:
    """The dtype that `autocast` lowers to from now on: bfloat16 or float16."""
    if device_type != "cpu":
        return
    if dtype not in (_core.bfloat16, _core.float16):
        raise RuntimeError(f"autocast lowers to bfloat16 or float16, not {dtype}")
    _lower["cpu"] = dtype
    if _core._autocast_dtype() is not None:
        _core._set_autocast_dtype(dtype)


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """`set_autocast_enabled("cpu", enabled)`."""
    set_autocast_enabled("cpu", enabled)


def set_autocast_cpu_dtype(dtype: Any) -> None:
    """`set_autocast_dtype("cpu", dtype)`."""
    set_autocast_dtype("cpu", dtype)


def is_autocast_cpu_enabled() -> bool:
    """`is_autocast_enabled("cpu")`."""
    return _core._autocast_dtype() is not None


def get_autocast_cpu_dtype() -> Any:
    """The dtype that `autocast` lowers to, or would."""
    return _core._autocast_dtype() or _lower.get("cpu", _core.bfloat16)


def is_autocast_cache_enabled() -> bool:
    """Whether lowered weights are kept for the length of an `autocast`: they are not."""
    return False


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Accepted, without effect: there is no such cache."""


def clear_autocast_cache() -> None:
    """Nothing to do: there is no such cache."""


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Turns `autograd.set_detect_anomaly` on or off."""
    adjoint.autograd.set_detect_anomaly(mode, check_nan)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return adjoint.autograd.anomaly_mode.is_anomaly_enabled()


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection, when on, looks for NaN."""
    return adjoint.autograd.anomaly_mode.is_anomaly_check_nan_enabled()


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made under `inference_mode`."""
    return input.is_inference()


def cond(
    pred: Any,
    true_fn: Callable[..., Any],
    false_fn: Callable[..., Any],
    operands: Sequence[Any] = (),
) -> Any:
    """One of two functions of `operands`, as a condition says, which is known: an `if`.

    >>> adjoint.cond(adjoint.tensor(True), lambda x: x + 1, lambda x: x, (adjoint.ones(1),))
    tensor([2.])
    """
    for function in (true_fn, false_fn):
        if not callable(function):
            raise RuntimeError(f"cond: expected a function, got {function!r}")
    return true_fn(*operands) if pred else false_fn(*operands)


class _Symbol:
    def __init__(self, node: Any) -> None:
        raise TypeError(f"{type(self).__name__} cannot be made: sizes are numbers, not symbols")


class SymInt(_Symbol):
    """A size that is a symbol: there is none, sizes are numbers here."""


class SymFloat(_Symbol):
    """A float that is a symbol: there is none."""


class SymBool(_Symbol):
    """A bool that is a symbol: there is none."""


def sym_int(a: Any) -> int:
    """`int`: sizes are numbers here, never symbols."""
    return int(a)


def sym_float(a: Any) -> float:
    """`float`: sizes are numbers here, never symbols."""
    return float(a)


def sym_max(a: Any, b: Any) -> Any:
    """The larger of two numbers, as a float if one is."""
    return float(max(a, b)) if isinstance(a, float) or isinstance(b, float) else max(a, b)


def sym_min(a: Any, b: Any) -> Any:
    """The smaller of two numbers, as a float if one is."""
    return float(min(a, b)) if isinstance(a, float) or isinstance(b, float) else min(a, b)


def sym_not(a: Any) -> bool:
    """`not`."""
    return not a
