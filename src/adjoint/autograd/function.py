"""`Function`: an operation with a derivative of one's own.

`apply` runs `forward` unrecorded, then gives its results one node of the graph, whose context `ctx`
carries what `backward` needs. Inputs that are batched or dual go to `_function_levels`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from adjoint import _core
from adjoint._core import Tensor

from .grad_mode import no_grad

__all__ = ["Function", "FunctionCtx", "FunctionMeta", "InplaceFunction", "NestedIOFunction",
           "VmapInfo", "once_differentiable"]  # fmt: skip


class VmapInfo(NamedTuple):
    """What a `vmap` staticmethod is told: the size of the mapped dim, and the randomness."""

    batch_size: int
    randomness: str


class FunctionCtx(_core._FunctionCtx):
    """What one call of a `Function` keeps for its derivative; a node of the graph once recorded.

    Attributes:
        needs_input_grad: for each argument of `apply`, whether a gradient is wanted for it.
        saved_tensors: what was given to `save_for_backward`.
    """

    needs_input_grad: tuple[bool, ...] = ()
    _function: Any  # the subclass of Function
    _pending: tuple[Tensor | None, ...] | None = None  # saved, and not yet kept by the node
    _for_forward: tuple[Tensor | None, ...] = ()
    _dirty: tuple[Tensor, ...] = ()
    _non_differentiable: tuple[Tensor, ...] = ()
    _materialize = True
    _read = False  # saved_tensors was, by a Function that lets them be read once
    _is_tensor: tuple[bool, ...] = ()  # which arguments of apply are tensors
    _returned: tuple[bool, ...] | None = None  # which results are, unless all

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The tensors given to `save_for_backward`; an error if one was modified since."""
        if self._pending is not None:
            return self._pending
        if not self._function.clear_saved_tensors_on_access:
            return super().saved_tensors
        if self._read:
            raise RuntimeError(
                f"saved_tensors can only be accessed once: {self._function.__name__} sets "
                "clear_saved_tensors_on_access=True"
            )
        saved = super().saved_tensors
        self._read = True
        self._drop_saved()
        return saved

    @property
    def saved_variables(self) -> tuple[Tensor | None, ...]:
        """An old name of `saved_tensors`."""
        warnings.warn(
            "'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2
        )
        return self.saved_tensors

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (inputs, results, or others) for `backward`; once, in the forward pass.

        What is kept so is checked against later writes and freed with the graph; attributes of
        `ctx` are for everything else.
        """
        _check_saved("save_for_backward", tensors)
        self._pending = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `jvp`, which reads them from `saved_tensors`."""
        _check_saved("save_for_forward", tensors)
        self._for_forward = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say which inputs `forward` wrote to; each must be returned."""
        _check_marked("mark_dirty", tensors)
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say which results have no derivative."""
        _check_marked("mark_non_differentiable", tensors)
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether a result without a gradient gives `backward` zeros (the default) or None."""
        self._materialize = bool(value)

    def _backward(self, grads: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        """Called by the engine: from a gradient for each tensor returned, one for each input."""
        function = self._function
        if self._returned is not None:
            given = iter(grads)
            grads = tuple(next(given) if is_tensor else None for is_tensor in self._returned)
        result = _backward_of(function)(self, *grads)
        if not isinstance(result, tuple):
            result = (result,)
        return self._checked(function.__name__ + "Backward", result)

    def _checked(self, name: str, result: tuple[Any, ...]) -> tuple[Tensor | None, ...]:
        count = len(self._is_tensor)
        while len(result) > count and result[-1] is None:
            result = result[:-1]
        if len(result) != count:
            raise RuntimeError(
                f"function {name} returned an incorrect number of gradients (expected {count}, one "
                f"for each argument of forward, got {len(result)})"
            )
        for position, (grad, is_tensor) in enumerate(zip(result, self._is_tensor), start=1):
            if grad is None:
                continue
            if not isinstance(grad, Tensor):
                raise RuntimeError(
                    f"function {name} must return a tensor or None for each argument; "
                    f"got {type(grad).__name__} at position {position}"
                )
            if not is_tensor:
                raise RuntimeError(
                    f"function {name} returned a gradient different from None at position "
                    f"{position}, but that argument of forward is not a tensor"
                )
        return tuple(grad for grad, is_tensor in zip(result, self._is_tensor) if is_tensor)


def _check_saved(method: str, tensors: tuple[Any, ...]) -> None:
    for position, x in enumerate(tensors):
        if x is not None and not isinstance(x, Tensor):
            raise TypeError(
                f"{method} takes tensors and None, but argument {position} is of type "
                f"{type(x).__name__}; keep other values as attributes of ctx"
            )


def _check_marked(method: str, tensors: tuple[Any, ...]) -> None:
    for position, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            raise RuntimeError(
                f"{method} can only accept tensors, but argument {position} is of type "
                f"{type(x).__name__}"
            )


def _no_setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: Any) -> None:
    """Fill `ctx` after `forward(*args)`: the other form is `forward(ctx, *args)`, without this."""
    raise NotImplementedError("setup_context is not defined")


class FunctionMeta(type):
    """The type of `Function` and of its subclasses."""


class Function(metaclass=FunctionMeta):
    """An operation whose derivative you write.

    Subclass it and define static methods, then call `apply`:

    - `forward(ctx, *args)`, or `forward(*args)` together with `setup_context(ctx, inputs, output)`:
      the result, a tensor or a tuple. It runs unrecorded. The second form works under `vmap` also.
    - `backward(ctx, *grads)`: from a gradient for each result, one for each argument of `forward`
      (None where there is none).
    - `jvp(ctx, *tangents)`: from a tangent for each argument, one for each result; for forward
      mode.
    - `vmap(info, in_dims, *args)`: results and their dims, for `vmap`; or set
      `generate_vmap_rule = True`, if the methods above are made of operations that can be mapped.

    >>> class Exp(adjoint.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         y = x.exp()
    ...         ctx.save_for_backward(y)
    ...         return y
    ...
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (y,) = ctx.saved_tensors
    ...         return grad * y
    >>> x = adjoint.zeros(2, requires_grad=True)
    >>> y = Exp.apply(x)
    >>> y
    tensor([1., 1.], grad_fn=<ExpBackward>)
    >>> y.sum().backward()
    >>> x.grad
    tensor([1., 1.])
    """

    generate_vmap_rule = False
    clear_saved_tensors_on_access = False  # saved tensors are let go of once backward has read them

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self).__name__} should not be instantiated: the methods of a Function are "
            f"static, and {type(self).__name__}.apply(...) calls it",
            DeprecationWarning,
            stacklevel=2,
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The result, from the arguments of `apply`."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function: a static method"
        )

    setup_context = staticmethod(_no_setup_context)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Gradients of the arguments of `apply`, from those of the results."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with reverse mode"
        )

    vjp = backward  # another name for the same method

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """Tangents of the results, from those of the arguments of `apply`."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode"
        )

    @staticmethod
    def vmap(info: VmapInfo, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        """Results and out_dims, from arguments that have a mapped dim where `in_dims` says."""
        raise NotImplementedError(
            "You must implement the vmap function for custom autograd.Function to map it"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = type(self).__name__
        raise RuntimeError(f"a Function is not called on an instance: use {name}.apply(...)")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` on the arguments and record it."""
        if cls.setup_context is not _no_setup_context:
            args = _with_defaults(cls.forward, args, kwargs)
        elif kwargs:
            args = _without_context(cls.forward, args, kwargs)
        for x in args:
            if isinstance(x, Tensor) and _core._is_wrapped(x):
                from ._function_levels import apply_wrapped

                return apply_wrapped(cls, args)
        return run(cls, args)[0]


class InplaceFunction(Function):
    """A Function that once could be made with `inplace`: the same."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace


class NestedIOFunction(Function):
    """A Function whose arguments and results were once nested: the same."""


# Under these names classes of torch's own hierarchy are asked for.
_SingleLevelFunction = Function
BackwardCFunction = _ContextMethodMixin = _HookMixin = FunctionCtx


def new_context(function: Any, args: tuple[Any, ...]) -> FunctionCtx:
    """A context for a call of `function` with `args`."""
    ctx = FunctionCtx()
    ctx._function = function
    ctx._is_tensor = tuple([isinstance(x, Tensor) for x in args])
    ctx.needs_input_grad = tuple([isinstance(x, Tensor) and x.requires_grad for x in args])
    return ctx


def run(function: Any, args: tuple[Any, ...]) -> tuple[Any, FunctionCtx]:
    """Call `function` on arguments that no level wraps; its results, recorded, and its context."""
    ctx = new_context(function, args)
    recording = _core.is_grad_enabled()
    _core._set_grad_enabled(False)
    try:
        if function.setup_context is _no_setup_context:
            outputs = function.forward(ctx, *args)
        else:
            outputs = function.forward(*args)
            function.setup_context(ctx, args, outputs)
    finally:
        _core._set_grad_enabled(recording)
    return record(ctx, args, outputs, recording and True in ctx.needs_input_grad), ctx


def record(ctx: FunctionCtx, args: tuple[Any, ...], outputs: Any, recording: bool) -> Any:
    """The results with `ctx` as the node that made them, or as they are if not recording."""
    results = outputs if isinstance(outputs, tuple) else (outputs,)
    returned = tuple([y for y in results if isinstance(y, Tensor)])
    inputs = tuple([x for x in args if isinstance(x, Tensor)])
    for x in ctx._dirty:
        if not _among(x, returned):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as "
                "output. The inputs that are modified inplace must all be outputs of the Function."
            )
        if not _among(x, inputs):
            warnings.warn(
                "mark_dirty() received a tensor that was not an input: only inputs that forward "
                "wrote to are to be marked",
                stacklevel=4,
            )
    # A result that is an input comes out as another tensor, unless it was written to.
    tensors = tuple(
        [_twin(y) if _among(y, inputs) and not _among(y, ctx._dirty) else y for y in returned]
    )
    if recording and tensors:
        if len(tensors) != len(results):
            ctx._returned = tuple([isinstance(y, Tensor) for y in results])
        constant = ctx._non_differentiable
        if constant:
            constant = tuple([new for y, new in zip(returned, tensors) if _among(y, constant)])
        name = ctx._function.__name__ + "Backward"
        saved = ctx._pending or ()
        ctx._attach(name, inputs, tensors, saved, ctx._dirty, constant, ctx._materialize)
        ctx._pending = None  # now the node has them
    ctx._dirty = ctx._non_differentiable = ()
    if not isinstance(outputs, tuple):
        return tensors[0] if tensors else outputs
    attached = iter(tensors)
    return tuple([next(attached) if isinstance(y, Tensor) else y for y in results])


def _among(x: Tensor, tensors: tuple[Tensor, ...]) -> bool:
    for y in tensors:
        if x is y:
            return True
    return False


def _twin(x: Tensor) -> Tensor:
    with no_grad():
        return _core._alias(x)


def _backward_of(function: Any) -> Callable[..., Any]:
    if function.vjp is Function.vjp:
        return function.backward
    if function.backward is not Function.backward:
        raise RuntimeError(
            f"{function.__name__} implements both backward and vjp; implement one of them"
        )
    return function.vjp


@functools.cache
def _signature(forward: Callable[..., Any]) -> Any:
    import inspect  # slow to import, and needed only here

    return inspect.signature(forward)


def _with_defaults(
    forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """Positional arguments, defaults filled in, so that `setup_context` sees all of them."""
    if not kwargs and not getattr(forward, "__defaults__", None):
        return args
    bound = _signature(forward).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


def _without_context(
    forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """Positional arguments of a `forward(ctx, ...)`, which `apply` gives the context."""
    bound = _signature(forward).bind(None, *args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(f"keyword-only arguments of forward are not supported: {[*bound.kwargs]}")
    return bound.args[1:]


class _OnceBarrier(FunctionCtx):
    def _backward(self, grads: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a `backward` made of operations that are not recorded: its derivative is an error.

    Under `create_graph=True` the gradients it returns come with a history that raises when a second
    backward reaches it.
    """

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grads: Tensor | None) -> Any:
        differentiating = _core.is_grad_enabled()
        with no_grad():
            result = backward(ctx, *grads)
        sources = tuple(g for g in grads if g is not None and g.requires_grad)
        if not differentiating or not sources:
            return result
        results = result if isinstance(result, tuple) else (result,)
        tensors = tuple(g.detach() for g in results if g is not None)
        _OnceBarrier()._attach("Error", sources, tensors, (), (), (), False)
        guarded = iter(tensors)
        results = tuple(None if g is None else next(guarded) for g in results)
        return results if isinstance(result, tuple) else results[0]

    return wrapper
