"""Honest answers about CUDA: this build has no devices of that kind."""

from __future__ import annotations

import importlib
from typing import Any

from adjoint._older_types import cuda_types


def is_available() -> bool:
    """Whether tensors can live on a GPU: no.

    >>> adjoint.cuda.is_available()
    False
    """
    return False


def device_count() -> int:
    """Number of GPUs that can be used: 0."""
    return 0


def is_initialized() -> bool:
    """Whether CUDA was started: no."""
    return False


def manual_seed(seed: int) -> None:
    """Accepted for compatibility: there is no generator to seed."""


def manual_seed_all(seed: int) -> None:
    """Accepted for compatibility: there is no generator to seed."""


def empty_cache() -> None:
    """Accepted for compatibility: there is nothing cached."""


def synchronize(device: Any = None) -> None:
    """Accepted for compatibility: work on the CPU is done when a call returns."""


def current_device() -> int:
    """A RuntimeError: there is no GPU."""
    raise RuntimeError("this build of adjoint has no CUDA devices: only 'cpu' is available")


def get_device_name(device: Any = None) -> str:
    """A RuntimeError: there is no GPU."""
    return str(current_device())


def get_device_properties(device: Any = None) -> Any:
    """A RuntimeError: there is no GPU."""
    return current_device()


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """A RuntimeError: there is no GPU."""
    return current_device(), 0


def set_device(device: Any) -> None:
    """A RuntimeError: there is no GPU."""
    current_device()


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether a GPU computes in bfloat16: there is none."""
    return False


def memory_allocated(device: Any = None) -> int:
    """Bytes of GPU memory in use: 0."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes of GPU memory that were in use: 0."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """Bytes of GPU memory held: 0."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes of GPU memory that were held: 0."""
    return 0


def reset_peak_memory_stats(device: Any = None) -> None:
    """Accepted for compatibility: there is nothing counted."""


def seed() -> None:
    """Accepted for compatibility: there is no generator to seed."""


def seed_all() -> None:
    """Accepted for compatibility: there is no generator to seed."""


def get_rng_state_all() -> list[Any]:
    """The states of all GPUs' generators: none."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Accepted for compatibility: there is no generator to set."""


def init() -> None:
    """A RuntimeError: there is no GPU."""
    current_device()


def initial_seed() -> int:
    """A RuntimeError: there is no GPU."""
    return current_device()


def get_rng_state(device: Any = "cuda") -> Any:
    """A RuntimeError: there is no GPU."""
    return current_device()


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """A RuntimeError: there is no GPU."""
    current_device()


def current_stream(device: Any = None) -> Any:
    """A RuntimeError: there is no GPU."""
    return current_device()


def default_stream(device: Any = None) -> Any:
    """A RuntimeError: there is no GPU."""
    return current_device()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """A RuntimeError: there is no GPU."""
    return current_device(), 0


def memory_stats(device: Any = None) -> dict[str, Any]:
    """What was counted of GPU memory: nothing."""
    return {}


def ipc_collect() -> None:
    """Accepted for compatibility: there is no GPU memory to collect."""


def is_current_stream_capturing() -> bool:
    """Whether a graph is being captured: no."""
    return False


def get_arch_list() -> list[str]:
    """The kinds of GPU that this build is for: none."""
    return []


def reset_max_memory_allocated(device: Any = None) -> None:
    """Accepted for compatibility: there is nothing counted."""


default_generators: tuple[Any, ...] = ()


class _Absent:
    """A class of things on a GPU: none can be made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        current_device()


class Stream(_Absent):
    """A RuntimeError: there is no GPU."""


class Event(_Absent):
    """A RuntimeError: there is no GPU."""


class CUDAGraph(_Absent):
    """A RuntimeError: there is no GPU."""


class graph(_Absent):
    """A RuntimeError: there is no GPU."""


class ExternalStream(Stream):
    """A RuntimeError: there is no GPU."""


class device:
    """A `with` block on a GPU: a RuntimeError, but for None or a negative number, which do nothing.

    >>> with adjoint.cuda.device(None):
    ...     pass
    """

    def __init__(self, device: Any) -> None:
        if device is not None and not (isinstance(device, int) and device < 0):
            current_device()
        self.idx = -1

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


class StreamContext:
    """A `with` block on a stream of a GPU: there is none, so that it must be None."""

    def __init__(self, stream: Any) -> None:
        if stream is not None:
            current_device()
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


def stream(stream: Any) -> StreamContext:
    """A `with` block on a stream, which must be None."""
    return StreamContext(stream)


class AcceleratorError(RuntimeError):
    """Never raised: for programs that expect it."""


class OutOfMemoryError(RuntimeError):
    """Never raised: for programs that expect it."""


def __getattr__(name: str) -> Any:
    if name == "amp":
        return importlib.import_module("adjoint.cuda.amp")
    if name in cuda_types:
        return cuda_types[name]
    raise AttributeError(f"module 'adjoint.cuda' has no attribute {name!r}")
