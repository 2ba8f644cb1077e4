"""Looking at the graph, and deciding what it keeps.

`Node` and `GradientEdge`, version counters, hooks on what is saved and on several gradients.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from adjoint import _core
from adjoint._core import Node, RemovableHandle, Tensor

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


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


class saved_tensors_hooks:
    """Decide what the graph keeps: a context manager that gives every saved tensor to a hook.

    Args:
        pack_hook: called, without recording, with each tensor that an operation saves for
            backward; what it returns is kept in the tensor's place. It may not write to the tensor,
            and had better not return a result of the operation itself, but what `detach()` makes of
            it: the graph would be in a cycle until backward, or Python's collector, frees it.
        unpack_hook: called with that when backward needs the tensor; returns a tensor of the same
            values, shape and dtype.

    Of nested pairs the innermost is used. Keep halves of what was saved in bfloat16, for example,
    or on disk:

    >>> x = adjoint.full((2,), 3.0, requires_grad=True)
    >>> with adjoint.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), adjoint.tensor):
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([6., 6.])
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        for hook in (pack_hook, unpack_hook):
            if not callable(hook):
                raise TypeError(f"a hook must be callable, got {type(hook).__name__}")
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if _disabled.message is not None:
            raise RuntimeError(_disabled.message)
        _core._push_saved_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *_: object) -> None:
        _core._pop_saved_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Keep saved tensors in the memory of the CPU, and bring them back to their device in backward.

    `pin_memory` is accepted. On the CPU, where all tensors are, it keeps them as they are.

    >>> x = adjoint.ones(3, requires_grad=True)
    >>> with adjoint.autograd.graph.save_on_cpu():
    ...     y = x.exp().sum()
    >>> y.backward()
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(x: Tensor) -> tuple[Any, Tensor]:
            return x.device, x.detach().cpu()

        def unpack(packed: tuple[Any, Tensor]) -> Tensor:
            device, x = packed
            return x.to(device)

        super().__init__(pack, unpack)


class allow_mutation_on_saved_tensors(saved_tensors_hooks):
    """Lets tensors that are saved for backward be written to: the graph keeps copies of them.

    >>> with adjoint.autograd.graph.allow_mutation_on_saved_tensors():
    ...     x = adjoint.ones(2, requires_grad=True)
    ...     y = x.clone()
    ...     z = (y**2).sum()
    ...     _ = y.sin_()
    ...     z.backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self) -> None:
        super().__init__(lambda x: x.detach().clone(), lambda copy: copy)

    def __enter__(self) -> allow_mutation_on_saved_tensors:  # type: ignore[override]
        super().__enter__()
        return self

    def clear(self) -> None:
        """Accepted: the copies belong to the graph, and go with it."""


class _Disabled(threading.local):
    message: str | None = None


_disabled = _Disabled()


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Make entering `saved_tensors_hooks` a RuntimeError with this message.

    >>> with adjoint.autograd.graph.disable_saved_tensors_hooks("not here"):
    ...     with adjoint.autograd.graph.save_on_cpu():
    ...         pass
    Traceback (most recent call last):
    RuntimeError: not here
    """
    if _core._saved_hooks_in_force():
        raise RuntimeError(error_message)
    before = _disabled.message
    _disabled.message = error_message
    try:
        yield
    finally:
        _disabled.message = before


def register_multi_grad_hook(
    tensors: Sequence[Tensor],
    fn: Callable[..., None],
    *,
    mode: Literal["all", "any"] = "all",
) -> _Handles:
    """Call `fn` once in each backward, when the gradients of several tensors are known.

    With ``mode="all"`` it is given the list of them, once the last has arrived (or, with None for
    those to which no gradient flowed, at the end of the backward); with ``"any"`` it is given the
    first gradient alone.

    >>> a, b = adjoint.ones(2, requires_grad=True), adjoint.ones(2, requires_grad=True)
    >>> handle = adjoint.autograd.graph.register_multi_grad_hook([a, b], print)
    >>> (a * b).sum().backward()
    [tensor([1., 1.]), tensor([1., 1.])]
    >>> handle.remove()
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode!r}")
    count = len(tensors)
    state = threading.local()  # the gradients of the backward that runs in a thread

    def end() -> None:
        grads, state.grads = state.grads, None
        if mode == "all" and state.arrived < count:
            fn(grads)

    def hook_of(i: int) -> Callable[[Tensor], None]:
        def hook(grad: Tensor) -> None:
            first = getattr(state, "grads", None) is None
            if first:
                state.grads = [None] * count
                state.arrived = 0
                _core._queue_callback(end)
            state.grads[i] = grad
            state.arrived += 1
            if mode == "any" and first:
                fn(grad)
            elif mode == "all" and state.arrived == count:
                fn(list(state.grads))

        return hook

    return _Handles(tuple(x.register_hook(hook_of(i)) for i, x in enumerate(tensors)))


class _Handles(NamedTuple):
    """Several registrations that are undone together."""

    handles: tuple[RemovableHandle, ...]

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()
