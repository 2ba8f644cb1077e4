"""How a family of operators states its cases for the test matrix (tests/test_ops.py).

    case("tanh", lambda r: [S(r.normal(3, 4)), S(r.normal())], reference=numpy.tanh)

The key is the registry's name of the operator, with its overload: "max:dim". The samples are calls
that it accepts; `r` draws their tensors. Whatever floating tensor a sample holds is differentiated.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import adjoint


class S:
    """One call: `S(x, 2, dim=1)` is `op(x, 2, dim=1)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    def __repr__(self) -> str:
        words = [_short(a) for a in self.args]
        words += [f"{k}={_short(v)}" for k, v in self.kwargs.items()]
        return f"({', '.join(words)})"


def _short(x: Any) -> str:
    if isinstance(x, adjoint.Tensor):
        return f"{str(x.dtype)[6:]}{list(x.shape)}"
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(map(_short, x))}]"
    return repr(x)


class Draw:
    """Random tensors: float64 unless the name says otherwise, the same for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)

    def normal(self, *shape: int) -> Any:
        return _tensor(self._rng.normal(size=shape))

    def complex(self, *shape: int) -> Any:
        """complex128, both parts normal."""
        return _tensor(self._rng.normal(size=shape) + 1j * self._rng.normal(size=shape))

    def uniform(self, low: float, high: float, *shape: int) -> Any:
        return _tensor(self._rng.uniform(low, high, size=shape))

    def positive(self, *shape: int) -> Any:
        """In [0.5, 2)."""
        return self.uniform(0.5, 2.0, *shape)

    def distinct(self, *shape: int) -> Any:
        """In (-1.5, 1.5), at least 0.5 / numel apart: no ties, and none for a small step either."""
        n = int(np.prod(shape))
        places = (self._rng.permutation(n) - (n - 1) / 2) * (2 / max(n, 1))
        return _tensor((places + self._rng.uniform(-0.5, 0.5, n) / max(n, 1)).reshape(shape))

    def integers(self, low: int, high: int, *shape: int) -> Any:
        """int64 in [low, high)."""
        return _tensor(self._rng.integers(low, high, size=shape))

    def bools(self, *shape: int) -> Any:
        return _tensor(self._rng.integers(0, 2, size=shape).astype(bool))


def _tensor(a: Any) -> Any:
    return adjoint.from_numpy(np.array(a))  # a copy, and 0-d arrays where NumPy gives scalars


@dataclasses.dataclass
class Case:
    """What the matrix knows of one operator. A check that is off carries the reason as a string."""

    name: str
    samples: Callable[[Draw], list[S]]
    family: str
    # The same on NumPy arrays; several results as a tuple.
    reference: Callable[..., Any] | None = None
    # Calls that are errors, with the type of the error.
    bad: Sequence[tuple[S, type[BaseException]]] = ()
    # Called differently in torch: a dotted name below `torch`, or a function of torch tensors.
    # None: torch has none, or another one by this name.
    torch_name: Any = ""
    # Whether torch has its derivatives.
    torch_grad: bool | str = True
    # A map of tensors (adjoint's and torch's) onto what the operator is a function of, made before
    # every call: symmetric matrices, triangular ones.
    domain: Callable[[Any], Any] | None = None
    # Whether it has derivatives: first and second order, in both modes.
    grad: bool = True
    second: bool | str = True
    vmap: bool | str = True
    # Elementwise ones alone: torch on every dtype and pair of dtypes; on 0, infinities, NaN.
    dtypes: bool | str = True
    special: bool | str = True
    # Where its derivative is zero nothing passes: not even an infinite cotangent.
    masks: bool = False
    # Agreement of values with the reference and with torch, and of torch's own constants.
    rtol: float = 1e-10
    atol: float = 1e-12
    torch_rtol: float = 0.0
    alias_of: str = ""

    def draw(self, seed: int = 0) -> list[S]:
        return self.samples(Draw(seed))


CASES: dict[str, Case] = {}
_family = "?"


def case(name: str, samples: Callable[[Draw], list[S]], **kwargs: Any) -> None:
    """State the case of one operator of the registry."""
    if name in CASES:
        raise ValueError(f"{name} has a case already, in cases_{CASES[name].family}.py")
    CASES[name] = Case(name, samples, _family, **kwargs)


def start_family(family: str) -> None:
    global _family
    _family = family


def alias(name: str, of: str, **kwargs: Any) -> None:
    """State that an operator is another one by a second name."""
    fields = {"torch_name": "", "alias_of": of, **kwargs}
    CASES[name] = dataclasses.replace(CASES[of], name=name, family=_family, **fields)
