"""Whether operations are recorded: `no_grad`, `enable_grad`, `set_grad_enabled`, `inference_mode`.

Each is a context manager and a decorator. The mode belongs to the thread.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from adjoint import _core

F = TypeVar("F", bound=Callable[..., Any])

__all__ = [
    "enable_grad",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
    "set_multithreading_enabled",
]


class _DecoratorContextManager:
    """A context manager that also decorates functions, generators and (deprecated) classes."""

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *exc: object) -> None:
        raise NotImplementedError

    def clone(self) -> Any:
        """A fresh context of the same mode: one for each call of a decorated function."""
        return type(self)()

    def __call__(self, func: F) -> F:
        return _decorate(self.clone, func)


class _NoParamDecoratorContextManager(_DecoratorContextManager):
    """A mode without arguments: `@no_grad` means `@no_grad()`."""

    __slots__ = ("_before",)

    def __new__(cls, func: Callable[..., Any] | None = None) -> Any:
        mode = super().__new__(cls)
        return mode if func is None else mode(func)


def _decorate(make_context: Callable[[], Any], func: Any) -> Any:
    if isinstance(func, type):
        warnings.warn(
            f"decorating the class {func.__name__} with a grad mode is deprecated; decorate its "
            "methods (this decorates __init__ alone)",
            FutureWarning,
            stacklevel=3,
        )
        cls: Any = func
        cls.__init__ = _decorate(make_context, cls.__init__)
        return cls
    if _is_generator(func):
        return _decorate_generator(make_context, func)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with make_context():
            return func(*args, **kwargs)

    return wrapper


def _is_generator(func: Any) -> bool:
    import inspect  # slow to import, and needed only here

    return inspect.isgeneratorfunction(func)


def _decorate_generator(make_context: Callable[[], Any], func: Any) -> Any:
    """The mode holds while the generator runs, not while its caller does."""

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with make_context():
            generator = func(*args, **kwargs)
        step, sent = generator.send, None
        while True:
            try:
                with make_context():
                    item = step(sent)
            except StopIteration as stop:
                return stop.value
            try:
                step, sent = generator.send, (yield item)
            except GeneratorExit:
                with make_context():
                    generator.close()
                raise
            except BaseException as error:  # thrown in by the caller: goes to the generator
                step, sent = generator.throw, error

    return wrapper


class no_grad(_NoParamDecoratorContextManager):
    """Nothing is recorded: results do not require grad.

    >>> x = adjoint.ones(2, requires_grad=True)
    >>> with adjoint.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    >>> @adjoint.no_grad
    ... def double(x):
    ...     return x * 2
    >>> double(x).requires_grad
    False
    """

    __slots__ = ()

    def __enter__(self) -> None:
        self._before = _core.is_grad_enabled()
        _core._set_grad_enabled(False)

    def __exit__(self, *exc: object) -> None:
        _core._set_grad_enabled(self._before)


class enable_grad(_NoParamDecoratorContextManager):
    """Operations are recorded, inside a `no_grad` too.

    >>> x = adjoint.ones(2, requires_grad=True)
    >>> with adjoint.no_grad(), adjoint.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    __slots__ = ()

    def __enter__(self) -> None:
        self._before = _core.is_grad_enabled()
        _core._set_grad_enabled(True)

    def __exit__(self, *exc: object) -> None:
        _core._set_grad_enabled(self._before)


class set_grad_enabled(_DecoratorContextManager):
    """Recording on or off: at once, or for a `with` block, or for a decorated function.

    >>> x = adjoint.ones(2, requires_grad=True)
    >>> with adjoint.set_grad_enabled(False):
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    __slots__ = ("_before", "mode")

    def __init__(self, mode: bool) -> None:
        self._before = _core.is_grad_enabled()
        self.mode = mode
        _core._set_grad_enabled(mode)

    def __call__(self, func: F) -> F:
        _core._set_grad_enabled(self._before)  # a decorator changes nothing until it is called
        return super().__call__(func)

    def __enter__(self) -> None:
        _core._set_grad_enabled(self.mode)

    def __exit__(self, *exc: object) -> None:
        _core._set_grad_enabled(self._before)

    def clone(self) -> set_grad_enabled:
        return type(self)(self.mode)

    def __str__(self) -> str:
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.mode})"

    __repr__ = __str__


class inference_mode(_DecoratorContextManager):
    """`no_grad`, and results that may never take part in a recorded computation.

    >>> x = adjoint.ones(2, requires_grad=True)
    >>> with adjoint.inference_mode():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    __slots__ = ("_before", "mode")

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if isinstance(mode, bool):
            return self
        self.mode = True
        return self(mode)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        self._before = _core.is_inference_mode_enabled(), _core.is_grad_enabled()
        _core._set_inference_mode(self.mode)
        _core._set_grad_enabled(not self.mode)

    def __exit__(self, *exc: object) -> None:
        inference, grad = self._before
        _core._set_inference_mode(inference)
        _core._set_grad_enabled(grad)

    def clone(self) -> inference_mode:
        return type(self)(self.mode)


class set_multithreading_enabled(_DecoratorContextManager):
    """Accepted, at once or for a `with` block: a backward pass walks the graph in one thread.

    >>> with adjoint.autograd.set_multithreading_enabled(False):
    ...     adjoint.ones(1, requires_grad=True).sum().backward()
    """

    __slots__ = ("mode",)

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass

    def clone(self) -> set_multithreading_enabled:
        return type(self)(self.mode)
