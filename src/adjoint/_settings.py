"""Settings that programs for torch make: kept, and answered truthfully.

Results here never depend on chance or on the number of threads, so asking for deterministic
algorithms changes nothing; float32 products are always computed in float32.
"""

from __future__ import annotations

from typing import Any

from adjoint import _core

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_default_device",
    "get_deterministic_debug_mode",
    "get_device_module",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_default_device",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_warn_always",
    "use_deterministic_algorithms",
]

_state: dict[str, Any] = {
    "deterministic": False,
    "warn_only": False,
    "precision": "highest",
    "interop": 1,
    "warn_always": False,
}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: all algorithms are deterministic already."""
    _state["deterministic"], _state["warn_only"] = bool(mode), bool(mode and warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was last given.

    >>> adjoint.are_deterministic_algorithms_enabled()
    False
    """
    return bool(_state["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """The `warn_only` that `use_deterministic_algorithms` was last given."""
    return bool(_state["warn_only"])


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """0 or "default", 1 or "warn", 2 or "error"; see `use_deterministic_algorithms`."""
    modes: dict[int | str, int] = {"default": 0, "warn": 1, "error": 2, 0: 0, 1: 1, 2: 2}
    if debug_mode not in modes:
        raise RuntimeError(
            f"invalid value of debug_mode, expected one of `default`, `warn`, `error` or 0, 1, 2, "
            f"got {debug_mode!r}"
        )
    number = modes[debug_mode]
    use_deterministic_algorithms(number > 0, warn_only=number == 1)


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2, as `set_deterministic_debug_mode` says."""
    return 0 if not _state["deterministic"] else 1 if _state["warn_only"] else 2


def set_float32_matmul_precision(precision: str) -> None:
    """Accepts "highest", "high" and "medium"; products of float32 stay in float32."""
    if precision not in ("highest", "high", "medium"):
        raise ValueError(f"precision must be 'highest', 'high' or 'medium', got {precision!r}")
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was last given.

    >>> adjoint.get_float32_matmul_precision()
    'highest'
    """
    return str(_state["precision"])


def set_num_interop_threads(num: int) -> None:
    """Accepted: there is one pool of threads, whose size `set_num_threads` sets."""
    if num <= 0:
        raise RuntimeError(f"Expected a positive number of threads, got {num}")
    _state["interop"] = int(num)


def get_num_interop_threads() -> int:
    """What `set_num_interop_threads` was last given."""
    return int(_state["interop"])


def set_warn_always(b: bool) -> None:
    """Accepted: how often a warning is shown is for Python's `warnings` to say."""
    _state["warn_always"] = bool(b)


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` was last given."""
    return bool(_state["warn_always"])


def set_flush_denormal(mode: bool) -> bool:
    """Whether denormal numbers are now flushed to zero: they never are.

    >>> adjoint.set_flush_denormal(True)
    False
    """
    return False


def get_default_device() -> Any:
    """Where tensors are made: the CPU.

    >>> adjoint.get_default_device()
    device(type='cpu')
    """
    return _core.device("cpu")


def set_default_device(device: Any) -> None:
    """Where tensors are to be made; a RuntimeError for what is not the CPU."""
    if device is not None and _core.device(device).type != "cpu":
        raise RuntimeError(f"this build of adjoint has no device {device}: only 'cpu' is available")


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype by the name of a tensor type: `"torch.DoubleTensor"`, `FloatTensor`.

    >>> adjoint.set_default_tensor_type("torch.FloatTensor")
    """
    name = t if isinstance(t, str) else f"{t.__module__}.{t.__name__}"
    name = name.removeprefix("torch.")
    dtypes = {
        "FloatTensor": _core.float32,
        "DoubleTensor": _core.float64,
        "HalfTensor": _core.float16,
        "BFloat16Tensor": _core.bfloat16,
    }
    if name not in dtypes:
        raise TypeError(f"only floating-point types are supported as the default type, got {t}")
    _core.set_default_dtype(dtypes[name])


def get_device_module(device: Any = None) -> Any:
    """The module of a kind of device: `adjoint.cpu`, that of the one there is, by default.

    Raises:
        RuntimeError: there is no such kind.

    >>> adjoint.get_device_module("cpu").device_count()
    1
    """
    import adjoint

    if device is None:
        return adjoint.cpu
    kind = str(device).partition(":")[0]
    if kind not in ("cpu", "cuda", "mps", "xpu"):
        raise RuntimeError(f"Invalid device_type of {kind!r}: it has no module")
    return getattr(adjoint, kind)
