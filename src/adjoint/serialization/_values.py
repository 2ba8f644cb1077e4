"""What both formats say about values that they cannot hold."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor

__all__ = ["check_key", "memory_of", "place", "refusal", "whole"]


def place(path: tuple[Any, ...]) -> str:
    """How one gets from the saved object to a value in it."""
    return "the object" + "".join(f"[{key!r}]" for key in path)


def refusal(value: Any, path: tuple[Any, ...]) -> TypeError:
    """The error for a value that cannot be saved."""
    hint = ""
    if isinstance(value, (adjoint.nn.Module, adjoint.optim.Optimizer)):
        hint = ": save its state_dict()"
    elif type(value).__module__ == "numpy":
        hint = ": make it a tensor with adjoint.from_numpy"
    return TypeError(f"cannot save {place(path)}, which is a {type(value).__name__}{hint}")


def check_key(key: Any, path: tuple[Any, ...]) -> None:
    if isinstance(key, Tensor):
        raise TypeError(f"cannot save {place(path)}: a key is a Tensor")


def memory_of(tensor: Tensor) -> Any:
    """What two tensors have in common if they share memory; None if there is no memory."""
    return (tensor._storage_ptr(), tensor.dtype) if tensor.numel() > 0 else None


def whole(tensor: Tensor) -> Tensor:
    """All of the memory that a tensor is a part of, as a tensor with one dim."""
    if tensor.numel() == 0:
        return tensor.detach().reshape(0)
    count = tensor._storage_bytes() // tensor.itemsize
    return tensor.detach().as_strided((count,), (1,), 0)
