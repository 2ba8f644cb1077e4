"""How a tensor prints: `Tensor.__repr__` calls `_str`.

Printing reads the elements that are shown and no others. Those become nested lists of Python
numbers; one `_NumberFormat` is chosen for all of them, so that columns align; then the lists are
laid out as text.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Any

import adjoint
from adjoint import _core


@dataclasses.dataclass
class _Options:
    """What `set_printoptions` sets: digits, elements before summarising, edge elements, columns."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None  # None: decided for each tensor


_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

_options = PRINT_OPTS = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print.

    Args:
        precision: digits after the point (4).
        threshold: a tensor with more elements than this is summarised (1000).
        edgeitems: elements shown at each end of a summarised dim (3).
        linewidth: columns in a line (80).
        profile: "default", "short" or "full" sets the four above; each may still be given.
        sci_mode: True or False for scientific notation always or never; None decides for each
            tensor.

    >>> with adjoint._tensor_str.printoptions(precision=2):
    ...     print(adjoint.tensor([3.14159]))
    tensor([3.14])
    """
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"profile must be one of {', '.join(_PROFILES)}; got {profile!r}")
    settings: dict[str, Any] = dict(_PROFILES[profile]) if profile is not None else {}
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems}
    given["linewidth"] = linewidth
    settings.update((name, value) for name, value in given.items() if value is not None)
    for name, value in settings.items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The current settings, as keyword arguments for `set_printoptions`."""
    return dataclasses.asdict(_options)


@contextlib.contextmanager
def printoptions(**settings: Any) -> Iterator[None]:
    """`set_printoptions(**settings)` within a `with` block."""
    before = get_printoptions()
    try:
        set_printoptions(**settings)
        yield
    finally:
        for name, value in before.items():
            setattr(_options, name, value)


class _NumberFormat:
    """Turns the numbers of one tensor into strings of one width.

    Floats print as integers with a point (`2.`) if all of them are whole, in scientific notation if
    they span more than three decades or are very large or small, else with `precision` digits.
    Zeros, infinities and nans do not take part in that choice.
    """

    def __init__(self, values: Iterable[Any], is_float: bool) -> None:
        self.width = 0
        self._spec = ""  # a format specification, or nothing for str()
        self._point = ""  # follows a whole float
        if not is_float:
            self.width = max(len(str(value)) for value in values)
            return
        finite = [value for value in values if value != 0 and math.isfinite(value)]
        whole = all(value == math.floor(value) for value in finite)
        if _is_scientific(finite, whole):
            self._spec = f".{_options.precision}e"
        elif whole:
            self._spec, self._point = ".0f", "."
        else:
            self._spec = f".{_options.precision}f"
        self.width = max((len(self(value)) for value in finite), default=1)

    def __call__(self, value: Any) -> str:
        if not self._spec:
            return str(value).rjust(self.width)
        text = format(value, self._spec)
        if math.isfinite(value):
            text += self._point
        return text.rjust(self.width)


def _is_scientific(finite: list[float], whole: bool) -> bool:
    if not finite:
        return False
    if _options.sci_mode is not None:
        return _options.sci_mode
    largest, smallest = max(map(abs, finite)), min(map(abs, finite))
    spread = largest / smallest > 1000
    return spread or largest > 1e8 or (not whole and smallest < 1e-4)


class _ComplexFormat:
    """`real+imagj`, each part with its own `_NumberFormat`."""

    def __init__(self, values: list[complex]) -> None:
        self._real = _NumberFormat([value.real for value in values], is_float=True)
        self._imag = _NumberFormat([value.imag for value in values], is_float=True)
        self.width = self._real.width + self._imag.width + 1

    def __call__(self, value: complex) -> str:
        imag = self._imag(value.imag).lstrip() + "j"
        sign = "" if imag[0] in "+-" else "+"
        return self._real(value.real) + sign + imag


_Format = _NumberFormat | _ComplexFormat


def _flatten(data: Any, dims: int) -> list[Any]:
    for _ in range(dims - 1):
        data = [item for part in data for item in part]
    return data if dims else [data]


def _edges(size: int) -> int:
    """How many elements are shown at each end of a dim that is summarised; 0 if all are shown."""
    return _options.edgeitems if size > 2 * _options.edgeitems else 0


def _shown(x: Any) -> Any:
    """Nested lists of the elements of `x` that a summary shows."""
    if not any(map(_edges, x.shape)):
        return x.tolist()
    edge, size = _edges(x.shape[0]), x.shape[0]
    kept = [*range(edge), *range(size - edge, size)] if edge else range(size)
    if x.dim() > 1:
        return [_shown(x[i]) for i in kept]
    return x[:edge].tolist() + x[size - edge :].tolist()


def _layout(data: Any, shape: tuple[int, ...], indent: int, summarise: bool, fmt: _Format) -> str:
    """Text of nested lists, continued lines indented by `indent`."""
    if not shape:
        return fmt(data)
    edge = _edges(shape[0]) if summarise else 0
    if len(shape) == 1:
        cells = [fmt(value) for value in data]
        if summarise and edge:
            cells[edge:edge] = [" ..."]
        per_line = max(1, (_options.linewidth - indent) // (fmt.width + 2))
        rows = [", ".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
        separator = ",\n" + " " * (indent + 1)
    else:
        rows = [_layout(part, shape[1:], indent + 1, summarise, fmt) for part in data]
        if summarise and edge:
            rows[edge:edge] = ["..."]
        separator = "," + "\n" * (len(shape) - 1) + " " * (indent + 1)
    return "[" + separator.join(rows) + "]"


def _contents(x: Any, indent: int) -> str:
    shape = tuple(x.shape)
    if 0 in shape:
        return "[]"
    summarise = x.numel() > _options.threshold
    if summarise and shape and not _options.edgeitems:
        return "[...]"
    data = _shown(x) if summarise else x.tolist()
    values = _flatten(data, len(shape))
    fmt: _Format
    if x.dtype.is_complex:
        fmt = _ComplexFormat(values)
    else:
        fmt = _NumberFormat(values, x.dtype.is_floating_point)
    return _layout(data, shape, indent, summarise, fmt)


def _dtype_is_obvious(x: Any) -> bool:
    """Whether a reader infers the dtype from the numbers (never so when there are none)."""
    default = adjoint.get_default_dtype()
    if x.dtype == default:
        return True
    if x.numel() == 0:
        return False
    is_default_complex = x.dtype == (
        adjoint.complex128 if default == adjoint.float64 else adjoint.complex64
    )
    return x.dtype in (adjoint.int64, adjoint.bool) or is_default_complex


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def _grad_suffix(x: Any) -> list[str]:
    if x.grad_fn is not None:
        return [f"grad_fn=<{x.grad_fn.name()}>"]
    return ["requires_grad=True"] if x.requires_grad else []


def _wrapped_str(x: Any) -> str:
    """A tensor inside `vmap`, `jvp` or a dual level: what it holds at that level."""
    kind, level, value = _core._describe_level(x)
    if kind == "vmap":
        body = repr(value).replace("\n", "\n    ")
        return f"BatchedTensor(lvl={level}, value=\n    {body}\n)"
    primal, tangent = _core._unpack_dual(x, level)
    text = repr(primal)
    if tangent is None:
        return text
    return _with_suffixes(text[:-1], [f"tangent={tangent!r}"], len("tensor("))


def _str(x: Any) -> str:
    """The text of `repr(x)`."""
    with adjoint.no_grad():
        if _core._is_wrapped(x):
            return _wrapped_str(x)
        is_plain = type(x) is _core.Tensor or type(x).__name__ == "Parameter"
        prefix = "tensor(" if is_plain else type(x).__name__ + "("
        indent = len(prefix)
        suffixes = []
        if x.device.type != "cpu":
            suffixes.append(f"device='{x.device}'")
        size_is_told = not _options.edgeitems if x.numel() else x.dim() != 1
        if size_is_told:
            suffixes.append(f"size={tuple(x.shape)}")
        if not _dtype_is_obvious(x):
            suffixes.append(f"dtype={x.dtype}")
        suffixes += _grad_suffix(x)
        return _with_suffixes(prefix + _contents(x.detach(), indent), suffixes, indent)
