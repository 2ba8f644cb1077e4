"""Trade computation for memory: forget what a function saved, and compute it again in backward.

Training Deep Nets with Sublinear Memory Cost, Chen et al., 2016.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.autograd.graph import saved_tensors_hooks

__all__ = [
    "CheckpointError",
    "DefaultDeviceType",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]

_Contexts = tuple[contextlib.AbstractContextManager[Any], contextlib.AbstractContextManager[Any]]

_early_stop: bool | None = None


class CheckpointError(RuntimeError):
    """The function did not save the same tensors when it was run again."""


class _Enough(Exception):
    """Everything that was saved has been computed again."""


def noop_context_fn() -> _Contexts:
    """The contexts of forward and of recomputation that do nothing."""
    return contextlib.nullcontext(), contextlib.nullcontext()


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Whether recomputation ends as soon as all is there that was saved, for what is run inside.

    >>> with adjoint.utils.checkpoint.set_checkpoint_early_stop(False):
    ...     y = adjoint.utils.checkpoint.checkpoint(adjoint.exp, adjoint.zeros(2))
    """
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Accepted: messages say what a recomputation did differently with and without it."""
    yield


class DefaultDeviceType:
    """The kind of device whose random numbers are kept for tensors of no device: "cpu"."""

    _type = "cpu"

    @staticmethod
    def set_device_type(device: str = "cpu") -> None:
        """Sets it; it changes nothing, there is one kind."""
        DefaultDeviceType._type = device

    @staticmethod
    def get_device_type() -> str:
        """What was set, "cpu" at first."""
        return DefaultDeviceType._type


class _Meta:
    """What a recomputed tensor must agree in with the one that was saved."""

    def __init__(self, x: Tensor) -> None:
        self.shape, self.dtype, self.device = tuple(x.shape), x.dtype, x.device

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Meta) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{self.dtype} of shape {self.shape} on {self.device}"


class _Frame:
    """One checkpointed call: how to run it again, and what the last run saved."""

    def __init__(self, run: Callable[[], Any], check: bool, early_stop: bool) -> None:
        self.run, self.check, self.early_stop = run, check, early_stop
        self.saved: list[_Meta] = []
        self.recomputed: dict[int, Tensor] = {}

    def pack(self, x: Tensor) -> int:
        self.saved.append(_Meta(x))
        return len(self.saved) - 1

    def unpack(self, index: int) -> Tensor:
        if index not in self.recomputed:
            self.recompute()
        return self.recomputed.pop(index)

    def recompute(self) -> None:
        found: dict[int, Tensor] = {}

        def pack(x: Tensor) -> None:
            found[len(found)] = x
            if self.early_stop and len(found) == len(self.saved):
                raise _Enough

        def unpack(_: None) -> Tensor:
            raise CheckpointError("a backward ran inside the checkpointed function")

        with adjoint.enable_grad(), saved_tensors_hooks(pack, unpack):
            with contextlib.suppress(_Enough):
                self.run()
        if self.check:
            self.compare(found)
        self.recomputed = found

    def compare(self, found: dict[int, Tensor]) -> None:
        if len(found) != len(self.saved):
            raise CheckpointError(
                f"a different number of tensors was saved during recomputation: {len(found)}, and "
                f"{len(self.saved)} in the forward pass. The function must compute the same each "
                "time it is called with the same arguments."
            )
        for i, meta in enumerate(self.saved):
            if _Meta(found[i]) != meta:
                raise CheckpointError(
                    f"saved tensor {i} differs between the forward pass ({meta}) and its "
                    f"recomputation ({_Meta(found[i])}). The function must compute the same each "
                    "time it is called with the same arguments."
                )


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], _Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    preserve_rng_state: bool = True,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Call ``function(*args, **kwargs)`` so that the graph keeps only its arguments.

    What its operations save for backward is dropped at once, and computed again by calling the
    function a second time when backward first needs any of it.

    Args:
        use_reentrant: accepted; the function is always recomputed inside the running backward,
            which supports `autograd.grad`, nested checkpoints and keyword arguments.
        context_fn: returns two context managers, for the forward pass and for recomputation.
        determinism_check: "default" compares shapes, dtypes and devices of what is computed again
            with what was saved, and raises a `CheckpointError`; "none" does not.
        preserve_rng_state: draw the same random numbers (dropout) when recomputing.
        early_stop: end recomputation once all is there that was saved.

    >>> x = adjoint.ones(3, requires_grad=True)
    >>> y = adjoint.utils.checkpoint.checkpoint(lambda x: (x * 2).exp().sum(), x)
    >>> y.backward()
    >>> x.grad
    tensor([14.7781, 14.7781, 14.7781])
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f"determinism_check should be one of 'default' and 'none', got {determinism_check!r}"
        )
    forward_context, again_context = context_fn()
    if not adjoint.is_grad_enabled():
        with forward_context:
            return function(*args, **kwargs)
    state = adjoint.get_rng_state() if preserve_rng_state else None

    def run_again() -> None:
        with contextlib.ExitStack() as stack:
            if state is not None:
                stack.enter_context(adjoint.random.fork_rng())
                adjoint.set_rng_state(state)
            stack.enter_context(again_context)
            function(*args, **kwargs)

    stop = early_stop if _early_stop is None else _early_stop
    frame = _Frame(run_again, determinism_check == "default", stop)
    with saved_tensors_hooks(frame.pack, frame.unpack), forward_context:
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Run a sequence of modules in `segments` parts, each but the last one checkpointed.

    Args:
        functions: an `nn.Sequential`, or a list of modules or functions.
        segments: how many parts of equal length.
        input: what the first is called with.

    >>> net = adjoint.nn.Sequential(*[adjoint.nn.Linear(2, 2) for _ in range(4)])
    >>> adjoint.utils.checkpoint.checkpoint_sequential(net, 2, adjoint.ones(1, 2)).shape
    torch.Size([1, 2])
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"Unexpected keyword arguments: {', '.join(kwargs)}")
    steps: Sequence[Any] = (
        list(functions.children()) if isinstance(functions, adjoint.nn.Sequential) else functions
    )
    size = len(steps) // segments

    def part(start: int, end: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for step in steps[start:end]:
                x = step(x)
            return x

        return run

    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(
            part(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve
        )
    return part(end, len(steps))(input)


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments, each tensor among them as a new leaf of the same memory.

    >>> x = adjoint.ones(1, requires_grad=True)
    >>> (y,) = adjoint.utils.checkpoint.detach_variable((x * 2,))
    >>> y.is_leaf, y.requires_grad
    (True, True)
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"only a tuple of tensors is supported, got {type(inputs).__name__}")
    return tuple(
        [x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs]
    )


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """A warning if no tensor requires grad, so that there is nothing to compute again."""
    if not any(x.requires_grad for x in inputs if isinstance(x, Tensor)):
        warnings.warn("None of the inputs have requires_grad=True: their gradients will be None",
                      stacklevel=2)  # fmt: skip


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """The accelerators of the tensors, and the states of their generators: there are none."""
    return [], []


def set_device_states(devices: Any, states: Any, *, device_type: str | None = None) -> None:
    """Nothing: there are no generators of accelerators to set."""
