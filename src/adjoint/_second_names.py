"""Functions of other modules by their names in the root, and small compositions of operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint import _core
from adjoint._core import Tensor

__all__ = [
    "alpha_dropout",
    "alpha_dropout_",
    "bilinear",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "detach",
    "detach_",
    "diagonal_scatter",
    "dropout_",
    "empty_strided",
    "feature_alpha_dropout",
    "feature_alpha_dropout_",
    "hinge_embedding_loss",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "kl_div",
    "layer_norm",
    "logspace",
    "margin_ranking_loss",
    "narrow_copy",
    "pairwise_distance",
    "poisson_nll_loss",
    "put",
    "range",
    "rms_norm",
    "rrelu",
    "rrelu_",
    "scalar_tensor",
    "select_scatter",
    "slice_scatter",
    "triplet_margin_loss",
    "unravel_index",
    "unsafe_chunk",
    "unsafe_split",
]

_root = _core._namespaces[""]
_F = _core._namespaces["nn.functional"]
_REDUCTIONS = ("none", "mean", "sum")


def _by_number(name: str, standard: dict[str, Any]) -> Callable[..., Tensor]:
    """A loss whose `reduction` is a number: 0 none, 1 mean, 2 sum."""
    names = [*standard, "reduction"]

    def loss(*args: Any, **kwargs: Any) -> Tensor:
        given = dict(zip(names, args, strict=False))
        if len(args) > len(names) or given.keys() & kwargs.keys():
            raise TypeError(f"{name}() got too many arguments, or one of them twice")
        given.update(kwargs)
        for key, value in standard.items():
            if given.setdefault(key, value) is ...:
                raise TypeError(f"{name}() is missing the argument {key}")
        reduction = given.pop("reduction", 1)
        if reduction not in (0, 1, 2):
            raise ValueError(f"reduction must be 0 (none), 1 (mean) or 2 (sum), got {reduction}")
        return _F[name](**given, reduction=_REDUCTIONS[reduction])

    loss.__name__ = loss.__qualname__ = name
    loss.__doc__ = f"`nn.functional.{name}` with a reduction by number: 0 none, 1 mean, 2 sum."
    return loss


kl_div = _by_number("kl_div", {"input": ..., "target": ...})
hinge_embedding_loss = _by_number(
    "hinge_embedding_loss", {"input": ..., "target": ..., "margin": 1.0}
)
margin_ranking_loss = _by_number(
    "margin_ranking_loss", {"input1": ..., "input2": ..., "target": ..., "margin": 0.0}
)
cosine_embedding_loss = _by_number(
    "cosine_embedding_loss", {"input1": ..., "input2": ..., "target": ..., "margin": 0.0}
)
triplet_margin_loss = _by_number(
    "triplet_margin_loss",
    {"anchor": ..., "positive": ..., "negative": ..., "margin": 1.0, "p": 2.0, "eps": 1e-6,
     "swap": False},
)  # fmt: skip
poisson_nll_loss = _by_number(
    "poisson_nll_loss", {"input": ..., "target": ..., "log_input": ..., "full": ..., "eps": ...}
)
binary_cross_entropy_with_logits = _by_number(
    "binary_cross_entropy_with_logits",
    {"input": ..., "target": ..., "weight": None, "pos_weight": None},
)
pairwise_distance, bilinear = _F["pairwise_distance"], _F["bilinear"]


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:
    """`nn.functional.layer_norm`."""
    return _F["layer_norm"](input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """`nn.functional.rms_norm`."""
    return _F["rms_norm"](input, normalized_shape, weight, eps)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.alpha_dropout`."""
    return _F["alpha_dropout"](input, p, train)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.alpha_dropout`, in place."""
    return _F["alpha_dropout"](input, p, train, True)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.feature_alpha_dropout`."""
    return _F["feature_alpha_dropout"](input, p, train)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.feature_alpha_dropout`, in place."""
    return _F["feature_alpha_dropout"](input, p, train, True)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.dropout`, in place."""
    return _F["dropout"](input, p, train, True)


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False
) -> Tensor:
    """`nn.functional.rrelu`."""
    from adjoint.nn._functional_losses import rrelu

    return rrelu(input, lower, upper, training)


def rrelu_(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False
) -> Tensor:
    """`nn.functional.rrelu_`."""
    from adjoint.nn._functional_losses import rrelu

    return rrelu(input, lower, upper, training, inplace=True)


def detach(input: Tensor) -> Tensor:
    """The tensor without its history, on the same memory."""
    return input.detach()


def detach_(input: Tensor) -> Tensor:
    """Forgets the history of the tensor itself."""
    return input.detach_()


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of `input` is other than 0.

    Raises:
        RuntimeError: there is not exactly one.

    >>> adjoint.is_nonzero(adjoint.tensor([2.]))
    True
    """
    if input.numel() != 1:
        many = "more than one value" if input.numel() else "no values"
        raise RuntimeError(f"Boolean value of Tensor with {many} is ambiguous")
    return bool(input)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape."""
    return input.shape == other.shape


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative values."""
    return input.dtype.is_signed


def scalar_tensor(s: Any, *, dtype: Any = None, **kwargs: Any) -> Tensor:
    """A 0-d tensor of the default dtype, unless another is given.

    >>> adjoint.scalar_tensor(2)
    tensor(2.)
    """
    return _root["full"]((), s, dtype=dtype or _core.get_default_dtype(), **kwargs)


def _made(values: Tensor, dtype: Any, options: dict[str, Any]) -> Tensor:
    """The values in a tensor that is made with the options of a factory."""
    made: Tensor = _root["empty"](values.shape, dtype=dtype, **options)
    made.detach().copy_(values)
    return made


def range(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None,
          **kwargs: Any) -> Tensor:  # fmt: skip
    """`arange` whose end is included; floating unless a dtype is given.

    >>> adjoint.range(1, 3)
    tensor([1., 2., 3.])
    """
    start, end = (0, start) if end is None else (start, end)
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: {start}, "
                           f"{end}, {step}")  # fmt: skip
    count = int((end - start) / step) + 1
    return _made(_root["arange"](count, dtype=_core.float64) * step + start, dtype, kwargs)


def logspace(start: float, end: float, steps: int, base: float = 10.0, *, dtype: Any = None,
             **kwargs: Any) -> Tensor:  # fmt: skip
    """`steps` numbers from `base**start` to `base**end`, equally far apart in their logarithms.

    >>> adjoint.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    powers = _root["linspace"](start, end, steps, dtype=_core.float64)
    return _made(base**powers, dtype, kwargs)


def empty_strided(size: Any, stride: Any, *, dtype: Any = None, **kwargs: Any) -> Tensor:
    """An uninitialised tensor of these sizes and strides.

    >>> adjoint.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    count = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    memory = _root["empty"](0 if 0 in tuple(size) else count, dtype=dtype, **kwargs)
    return memory.as_strided(tuple(size), tuple(stride))


def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`narrow`, copied."""
    return input.narrow(dim, start, length).clone()


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """The input with `source` at the places `index` of its elements in order; `accumulate` adds.

    >>> adjoint.put(adjoint.zeros(2, 2), adjoint.tensor([3]), adjoint.tensor([5.]))
    tensor([[0., 0.],
            [0., 5.]])
    """
    if index.numel() != source.numel():
        raise RuntimeError(f"put_(): Expected source and index to have the same number of elements,"
                           f" got {source.numel()} and {index.numel()}")  # fmt: skip
    places = (index.reshape(-1),)
    flat = input.reshape(-1).index_put(places, source.reshape(-1), accumulate)
    return flat.reshape(input.shape)


def _written(input: Tensor, part: Callable[[Tensor], Tensor], src: Tensor) -> Tensor:
    result = input.clone()
    place = part(result)
    if place.shape != src.shape:
        raise RuntimeError(f"expected src to have a size equal to the slice of self: {place.shape},"
                           f" got {src.shape}")  # fmt: skip
    place.copy_(src)
    return result


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of the input whose `select(dim, index)` is `src`."""
    return _written(input, lambda x: x.select(dim, index), src)


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """A copy of the input whose `[start:end:step]` along `dim` is `src`.

    >>> adjoint.slice_scatter(adjoint.zeros(3), adjoint.ones(2), start=1)
    tensor([0., 1., 1.])
    """
    if not -input.dim() <= dim < input.dim():
        raise IndexError(f"Dimension out of range, got {dim} for {input.dim()} dims")
    where = (slice(None),) * (dim % input.dim()) + (slice(start, end, step),)
    return _written(input, lambda x: x[where], src)


def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy of the input whose `diagonal(offset, dim1, dim2)` is `src`."""
    return _written(input, lambda x: x.diagonal(offset, dim1, dim2), src)


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Coordinates, one tensor per dim, of positions among the elements of `shape` in order.

    >>> adjoint.unravel_index(adjoint.tensor([5]), (2, 3))
    (tensor([1]), tensor([2]))
    """
    result: list[Tensor] = []
    for n in reversed((shape,) if isinstance(shape, int) else tuple(shape)):
        result.insert(0, indices % n)
        indices = indices.div(n, rounding_mode="floor")
    return tuple(result)


unsafe_chunk, unsafe_split = _root["chunk"], _root["split"]

for _name in ("diagonal_scatter", "is_nonzero", "narrow_copy", "put", "select_scatter",
              "slice_scatter", "unsafe_chunk", "unsafe_split"):  # fmt: skip
    _function = globals()[_name]
    if _name.startswith("unsafe"):
        setattr(Tensor, _name, getattr(Tensor, _name[7:]))
    else:
        setattr(Tensor, _name, _function)


def _put(self: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """`put`, in place."""
    return self.copy_(put(self, index, source, accumulate))


Tensor.put_ = _put


def _copying(name: str) -> Callable[..., Any]:
    def copy(*args: Any, **kwargs: Any) -> Any:
        result = _root[name](*args, **kwargs)
        if isinstance(result, Tensor):
            return result.clone()
        return tuple(part.clone() for part in result)

    copy.__name__ = copy.__qualname__ = f"{name}_copy"
    copy.__doc__ = f"`{name}`, copied: no view of the input."
    return copy


for _name in ("alias", "as_strided", "diagonal", "expand", "permute", "select", "split",
              "split_with_sizes", "squeeze", "t", "transpose", "unbind", "unfold", "unsqueeze",
              "view", "view_as_complex", "view_as_real"):  # fmt: skip
    if _name in _root:
        globals()[f"{_name}_copy"] = _copying(_name)
        __all__.append(f"{_name}_copy")
