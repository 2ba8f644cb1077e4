"""`_foreach_add(tensors, 1)` and its kin: an operator applied to each tensor of a list.

One definition makes all of them: the operator of that name, called for each tensor with the entries
of the other arguments at its place (of lists, which must be as long), or with the arguments
themselves (numbers, 0-d tensors). The form with a final underscore writes to the tensors. They are
loops: nothing is gained over a loop but the name, under which optimizers written for torch ask for
them.

>>> adjoint._foreach_mul([adjoint.ones(2), adjoint.ones(1)], [2.0, 3.0])
(tensor([2., 2.]), tensor([3.]))
>>> x = [adjoint.zeros(2)]
>>> _ = adjoint._foreach_add_(x, x, alpha=2), adjoint._foreach_sub_(x, 1)
>>> x
[tensor([-1., -1.])]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor

# The other arguments of each: in order, with the names that they have where they are a list, a
# number, or a list of numbers.
_OTHER = (("other", "scalar", "scalars"),)
_ARGUMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    **dict.fromkeys(
        "abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p "
        "log2 neg reciprocal round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc".split(),
        (),
    ),
    **dict.fromkeys("add sub mul div clamp_max clamp_min maximum minimum".split(), _OTHER),
    "addcmul": (("tensor1",), ("tensor2",), ("value", "scalars")),
    "addcdiv": (("tensor1",), ("tensor2",), ("value", "scalars")),
    "lerp": (("tensors1",), ("weights", "weight")),
    "pow": (("exponent",),),
    "norm": (("ord",), ("dtype",)),
    "powsum": (("ord",), ("dtype",)),
    "max": (),
    "mm": (("mat2",),),
    "clone": (),
    "copy_": (("src",), ("non_blocking",)),
    "zero_": (),
}
_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "addcmul": (1,), "addcdiv": (1,), "norm": (2, None), "powsum": (2, None), "copy_": (False,),
}  # fmt: skip
_KEYWORDS = {"add": ("alpha",), "sub": ("alpha",), "clone": ("memory_format",)}
_ONLY_NEW = ("norm", "powsum", "max", "mm", "clone")


def _clamp(side: str, in_place: bool) -> Callable[[Tensor, Any], Tensor]:
    """`maximum` (side "min") or `minimum` of a tensor and a tensor or number."""
    of_tensors = adjoint.maximum if side == "min" else adjoint.minimum
    of_number = Tensor.clamp_ if in_place else Tensor.clamp

    def clamp(x: Tensor, other: Any) -> Tensor:
        if not isinstance(other, Tensor):
            return of_number(x, **{side: other})
        return x.copy_(of_tensors(x, other)) if in_place else of_tensors(x, other)

    return clamp


def _powsum(x: Tensor, ord: Any, dtype: Any) -> Tensor:
    return (x.to(dtype) if dtype else x).abs().pow(ord).sum()


def _max(x: Tensor) -> Tensor:
    if x.numel() == 0:
        raise RuntimeError("_foreach_max cannot compute the maximum of an empty tensor")
    return x.max()


_SPECIAL: dict[str, Callable[..., Any]] = {
    "maximum": _clamp("min", False),
    "maximum_": _clamp("min", True),
    "minimum": _clamp("max", False),
    "minimum_": _clamp("max", True),
    "addcmul": lambda x, a, b, value: adjoint.addcmul(x, a, b, value=value),
    "addcdiv": lambda x, a, b, value: adjoint.addcdiv(x, a, b, value=value),
    "addcmul_": lambda x, a, b, value: x.addcmul_(a, b, value=value),
    "addcdiv_": lambda x, a, b, value: x.addcdiv_(a, b, value=value),
    "norm": lambda x, ord, dtype: adjoint.linalg.vector_norm(x, ord, dtype=dtype),
    "powsum": _powsum,
    "max": _max,
}


def _tensors(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(x, Tensor) for x in value)


def _columns(name: str, count: int, position: str, value: Any) -> list[Any]:
    """An argument's entry for each tensor."""
    if isinstance(value, (list, tuple)):
        if len(value) != count:
            raise RuntimeError(
                f"Tensor lists must have the same number of tensors, got {count} and {len(value)}"
                if _tensors(value)
                else "Tensor list must have same number of elements as scalar list, got "
                f"{count} and {len(value)}"
            )
        return list(value)
    if isinstance(value, Tensor):
        if position == "value":  # numbers packed into a tensor
            if value.dim() != 1:
                raise RuntimeError(
                    f"Expected packed scalar Tensor to be of dimension 1. Got {value.dim()} instead"
                )
            if len(value) != count:
                raise RuntimeError(
                    f"Expected length of scalars to match input of length {count} but got "
                    f"{len(value)} instead"
                )
            return value.tolist()
        if value.dim() != 0:
            raise RuntimeError(
                f"scalar tensor expected to be 0 dim but it has {value.dim()} dimensions and "
                f"{value.numel()} elements"
            )
    elif position in ("tensor1", "tensor2", "tensors1", "src", "mat2"):
        raise TypeError(f"{name}(): {position} must be a list of tensors, got {value!r}")
    return [value] * count


def _make(operator: str, in_place: bool) -> Callable[..., Any]:
    called = operator.rstrip("_") + "_" * in_place
    name = f"_foreach_{called}"
    places, keywords = _ARGUMENTS[operator], _KEYWORDS.get(operator, ())
    defaults = dict(zip([place[0] for place in reversed(places)],
                        reversed(_DEFAULTS.get(operator, ()))))  # fmt: skip
    apply = _SPECIAL.get(called)
    if apply is None:
        apply = getattr(Tensor if in_place or operator == "clone" else adjoint, called)

    def foreach(self: Any, *args: Any, **kwargs: Any) -> Any:
        if operator == "pow" and not in_place and not isinstance(self, (list, tuple)):
            (exponents,) = (*args, *kwargs.values())
            return tuple([adjoint.pow(self, x) for x in exponents])
        if not _tensors(self):
            raise TypeError(f"{name}(): expected a list of tensors, got {type(self).__name__}")
        if len(args) > len(places):
            raise TypeError(f"{name}() takes {len(places)} arguments after the tensors, "
                            f"got {len(args)}")  # fmt: skip
        if not self:
            raise RuntimeError("Tensor list must have at least one tensor.")
        columns = []
        for i, place in enumerate(places):
            named = [key for key in place if key in kwargs]
            if i < len(args):
                value = args[i]
            elif named:
                value = kwargs.pop(named[0])
            elif place[0] in defaults:
                value = defaults[place[0]]
            else:
                raise TypeError(f"{name}() needs {place[0]!r}")
            columns.append(_columns(name, len(self), place[0], value))
        for key in kwargs:
            if key not in keywords:
                raise TypeError(f"{name}() got an unexpected argument {key!r}")
        if "alpha" in kwargs and not all(isinstance(x, Tensor) for x in columns[0]):
            raise TypeError(f"{name}() takes alpha with tensors alone")
        results = [apply(*row, **kwargs) for row in zip(self, *columns)]
        return self if in_place else tuple(results)

    foreach.__name__ = foreach.__qualname__ = name
    foreach.__doc__ = f"`{called}` of each tensor of a list."
    return foreach


for _operator in _ARGUMENTS:
    if not _operator.endswith("_"):
        globals()[f"_foreach_{_operator}"] = _make(_operator, False)
    if _operator not in _ONLY_NEW:
        globals()[f"_foreach_{_operator.rstrip('_')}_"] = _make(_operator, True)
