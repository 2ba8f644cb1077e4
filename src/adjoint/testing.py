"""Assertions for tests of numerical code.

>>> adjoint.testing.assert_close(adjoint.tensor([1.0, 2.0]), adjoint.tensor([1.0, 2.0]))
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import adjoint
from adjoint import Tensor, _core

__all__ = ["assert_allclose", "assert_close", "make_tensor"]

# (rtol, atol) by dtype; other dtypes are compared exactly.
_TOLERANCES = {
    _core.float16: (1e-3, 1e-5),
    _core.bfloat16: (1.6e-2, 1e-5),
    _core.float32: (1.3e-6, 1e-5),
    _core.float64: (1e-7, 1e-7),
    _core.complex64: (1.3e-6, 1e-5),
    _core.complex128: (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise an AssertionError unless ``|actual - expected| <= atol + rtol * |expected|``.

    Tensors, arrays and numbers are compared element by element; sequences and mappings of them,
    nested, item by item. Without `rtol` and `atol` (given together or not at all) the tolerance is
    that of the less precise dtype: float64 1e-7 and 1e-7, float32 1.3e-6 and 1e-5, bfloat16 1.6e-2
    and 1e-5, float16 1e-3 and 1e-5; others must be equal.

    Args:
        allow_subclasses: without it, both must be of the same type.
        equal_nan: NaN is close to NaN.
        check_device, check_dtype, check_stride: these must agree too. (There is one layout.)
        msg: the message of the error, or a function of the message that it would have had.

    >>> adjoint.testing.assert_close(adjoint.tensor([1.0, 2.0]), adjoint.tensor([1.0, 2.5]))
    Traceback (most recent call last):
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)
    Greatest relative difference: 0.2 at index (1,) (up to 1.3e-06 allowed)
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            f"rtol and atol must both be specified or both be unspecified, got {rtol} and {atol}"
        )
    comparison = _Comparison(
        rtol, atol, equal_nan, check_device, check_dtype, check_stride, allow_subclasses
    )
    problem = comparison.compare(actual, expected)
    if problem is not None:
        if msg is not None:
            problem = msg(problem) if callable(msg) else msg
        raise AssertionError(problem)


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """An older `assert_close`, which looks at values alone.

    >>> adjoint.testing.assert_allclose(adjoint.ones(2), [1.0, 1.0])
    """
    actual, expected = adjoint.as_tensor(actual), adjoint.as_tensor(expected)
    if rtol is None and atol is None:
        rtol, atol = _tolerances_of(actual, expected)
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False,
                 msg=msg or None)  # fmt: skip


def _tolerances_of(*tensors: Tensor) -> tuple[float, float]:
    pairs = [_TOLERANCES.get(x.dtype, (0.0, 0.0)) for x in tensors]
    return max(r for r, _ in pairs), max(a for _, a in pairs)


def _as_tensor(x: Any) -> Tensor:
    if isinstance(x, Tensor):
        return x.detach()
    return adjoint.as_tensor(x, dtype=_core.float64 if isinstance(x, float) else None)


def _is_number(x: Any) -> bool:
    return isinstance(x, numbers.Number)  # NumPy's scalars are among them


def _kind(number: Any) -> type:
    """The type of a number, for one of NumPy's that of Python's number."""
    return type(number.item() if hasattr(number, "item") else number)


class _Comparison:
    """What `assert_close` was asked for; `compare` gives the first problem as text, or None."""

    def __init__(
        self,
        rtol: float | None,
        atol: float | None,
        equal_nan: bool,
        check_device: bool,
        check_dtype: bool,
        check_stride: bool,
        allow_subclasses: bool,
    ) -> None:
        self.rtol, self.atol, self.equal_nan = rtol, atol, equal_nan
        self.check_device, self.check_dtype = check_device, check_dtype
        self.check_stride, self.allow_subclasses = check_stride, allow_subclasses

    def compare(self, actual: Any, expected: Any, path: str = "") -> str | None:
        where = f"\n\nThe failure occurred for item {path}" if path else ""
        if actual is None or expected is None:
            if actual is None and expected is None:
                return None
            return f"None mismatch: {actual} is not {expected}{where}"
        if isinstance(actual, Mapping) and isinstance(expected, Mapping):
            return self.mappings(actual, expected, path, where)
        sequences = (Sequence,)
        if isinstance(actual, sequences) and isinstance(expected, sequences):
            if not isinstance(actual, (str, bytes)):
                return self.sequences(actual, expected, path, where)
        scalars = _is_number(actual) and _is_number(expected)
        related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
        same = type(actual) is type(expected)
        if not scalars and not (related if self.allow_subclasses else same):
            kinds = "related types" if self.allow_subclasses else "one type"
            raise TypeError(
                f"No comparison pair was able to handle inputs of type {type(actual)} and "
                f"{type(expected)}: they must be of {kinds}, or both be numbers.{where}"
            )
        return self.values(actual, expected, where)

    def mappings(
        self, actual: Mapping[Any, Any], expected: Mapping[Any, Any], path: str, where: str
    ) -> str | None:
        missing, extra = expected.keys() - actual.keys(), actual.keys() - expected.keys()
        if missing or extra:
            return (
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(missing, key=repr)}\n"
                f"Additional keys in the actual mapping: {sorted(extra, key=repr)}{where}"
            )
        found = (self.compare(actual[k], expected[k], f"{path}[{k!r}]") for k in actual)
        return next((problem for problem in found if problem is not None), None)

    def sequences(
        self, actual: Sequence[Any], expected: Sequence[Any], path: str, where: str
    ) -> str | None:
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}{where}"
        found = (
            self.compare(a, e, f"{path}[{i}]")
            for i, (a, e) in enumerate(zip(actual, expected, strict=True))
        )
        return next((problem for problem in found if problem is not None), None)

    def values(self, actual: Any, expected: Any, where: str) -> str | None:
        scalars = _is_number(actual) and _is_number(expected)
        if scalars and self.check_dtype and _kind(actual) is not _kind(expected):
            return f"The (d)types do not match: {_kind(actual)} != {_kind(expected)}.{where}"
        try:
            a, e = _as_tensor(actual), _as_tensor(expected)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TypeError(
                f"No comparison pair was able to handle inputs of type {type(actual)} and "
                f"{type(expected)}.{where}"
            ) from error
        if not scalars:
            if a.shape != e.shape:
                return (
                    f"The values for attribute 'shape' do not match: {a.shape} != {e.shape}.{where}"
                )
            for name, checked in (("device", self.check_device), ("dtype", self.check_dtype)):
                x, y = getattr(a, name), getattr(e, name)
                if checked and x != y:
                    return f"The values for attribute '{name}' do not match: {x} != {y}.{where}"
            if self.check_stride and a.stride() != e.stride():
                return (
                    "The values for attribute 'stride()' do not match: "
                    f"{a.stride()} != {e.stride()}.{where}"
                )
        rtol, atol = self.rtol, self.atol
        if rtol is None or atol is None:
            rtol, atol = _tolerances_of(a, e)
        if a.dtype != e.dtype:
            common = adjoint.promote_types(a.dtype, e.dtype)
            a, e = a.to(common), e.to(common)
        return self.elements(a, e, rtol, atol, scalars, where)

    def elements(
        self, a: Tensor, e: Tensor, rtol: float, atol: float, scalars: bool, where: str
    ) -> str | None:
        wide = a.dtype if a.is_complex() else _core.float64
        close = a == e
        x, y = a.to(wide), e.to(wide)
        if self.equal_nan:
            close = close | (x.isnan() & y.isnan())
        difference, size = (x - y).abs(), y.abs()
        close = close | ((difference <= atol + rtol * size) & y.isfinite())
        if bool(close.all()):
            return None
        equal = "equal" if rtol == atol == 0 else "close"
        difference = difference.masked_fill(close, 0)
        relative = (difference / size).masked_fill(close, 0)
        if scalars:
            allowed = [f" (up to {t} allowed)" if equal == "close" else "" for t in (atol, rtol)]
            return (
                f"Scalars are not {equal}!\n\nExpected {e.item()} but got {a.item()}.\n"
                f"Absolute difference: {difference.item()}{allowed[0]}\n"
                f"Relative difference: {relative.item()}{allowed[1]}{where}"
            )
        wrong = a.numel() - int(close.sum())
        lines = [
            f"Tensor-likes are not {equal}!",
            "",
            f"Mismatched elements: {wrong} / {a.numel()} ({wrong / a.numel():.1%})",
        ]
        kinds = (("absolute", difference, atol), ("relative", relative, rtol))
        for name, values, tolerance in kinds:
            worst, index = _greatest(values, a)
            at = f" at index {index}" if a.dim() else ""
            limit = f" (up to {tolerance} allowed)" if equal == "close" else ""
            lines.append(f"Greatest {name} difference: {worst}{at}{limit}")
        return "\n".join(lines) + where


def _greatest(values: Tensor, like: Tensor) -> tuple[Any, tuple[int, ...]]:
    """The largest value (NaN counts as such) and its index."""
    place = int(values.nan_to_num(nan=math.inf).argmax())
    worst = values.flatten()[place].item()
    if not (like.is_floating_point() or like.is_complex()) and math.isfinite(worst):
        worst = int(worst) if worst == int(worst) else worst
    index = []
    for size in reversed(values.shape):
        place, rest = divmod(place, size)
        index.append(rest)
    return worst, tuple(reversed(index))


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any = "cpu",
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
) -> Tensor:
    """A tensor of random values, uniform in ``[low, high)`` (by default [-9, 9), or all of bool).

    Args:
        exclude_zero: zeros are replaced by the smallest positive value of the dtype (1, for
            integers).
        noncontiguous: the elements do not lie side by side (where there is more than one).

    >>> adjoint.testing.make_tensor((2, 3), dtype=adjoint.float64, low=0, high=1).shape
    torch.Size([2, 3])
    """
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    doubled = noncontiguous and math.prod(sizes) > 1
    if doubled:
        sizes = (*sizes[:-1], sizes[-1] * 2)
    if dtype == _core.bool:
        x = adjoint.randint(0, 2, sizes, dtype=dtype, device=device)
    else:
        signed = dtype.is_signed
        low = (-9 if signed else 0) if low is None else low
        high = (9 if signed else 10) if high is None else high
        if dtype.is_floating_point or dtype.is_complex:
            x = adjoint.empty(sizes, dtype=dtype, device=device)
            if dtype.is_complex:
                parts = [adjoint.rand(sizes) * (high - low) + low for _ in range(2)]
                x = adjoint.complex(*parts).to(dtype)
            else:
                x.uniform_(low, high)
        else:
            x = adjoint.randint(math.floor(low), math.ceil(high), sizes, dtype=dtype, device=device)
    if exclude_zero:
        least = adjoint.finfo(dtype).tiny if dtype.is_floating_point else 1
        x = x.masked_fill(x == 0, least)
    if doubled:
        x = x[..., ::2]
    return x.requires_grad_(requires_grad) if requires_grad else x
