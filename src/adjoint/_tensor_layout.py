"""Methods of Tensor that change its layout in place, fill it by a function, or copy into a part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint import _core
from adjoint._core import Tensor
from adjoint._layouts import memory_format

_functions = _core._namespaces[""]


def _layout_form(name: str) -> None:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if self.requires_grad and self.is_leaf and _core.is_grad_enabled():
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation: "
                f"{name}_"
            )
        if self._is_view() and self.requires_grad:
            raise RuntimeError(f"{name}_ cannot change the layout of a view that requires grad")
        _core._become(self, getattr(self, name)(*args, **kwargs), f"{name}_")
        return self

    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f"`{name}`, of this tensor itself: its shape and strides become the view's."
    setattr(Tensor, f"{name}_", method)


for _name in ("t", "transpose", "squeeze", "unsqueeze", "swapaxes", "swapdims", "as_strided"):
    _layout_form(_name)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    setattr(Tensor, function.__name__, function)
    return function


@_method
def resize_(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """Another shape in place, contiguous: the first elements are kept, more are uninitialised. A
    RuntimeError for tensors that require grad.

    >>> adjoint.tensor([[1, 2], [3, 4]]).resize_(3)
    tensor([1, 2, 3])
    """
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    shape = tuple(size[0]) if size and not isinstance(size[0], int) else tuple(size)
    count = 1
    for n in shape:
        if n < 0:
            raise RuntimeError(f"resize_: negative size {n} in {list(shape)}")
        count *= n
    steps = [1] * len(shape)
    for i in range(len(shape) - 1, 0, -1):
        steps[i - 1] = steps[i] * max(shape[i], 1)
    room = self._storage_bytes() // self.itemsize - self.storage_offset()
    if count > room:
        new = _functions["empty"](count, dtype=self.dtype)
        if room > 0:
            new[:room] = self.detach().as_strided((room,), (1,))
        self.data = new
    _core._become(self, self.detach().as_strided(shape, tuple(steps)), "resize_")
    return self


@_method
def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """`resize_` to the shape of another tensor."""
    return self.resize_(the_template.shape)


@_method
def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Fills the main diagonal of a matrix, or of a tensor of equal sizes; `wrap` starts it again
    below, one row on, in matrices taller than wide.

    >>> adjoint.zeros(2, 2).fill_diagonal_(5.)
    tensor([[5., 0.],
            [0., 5.]])
    """
    if self.dim() < 2:
        raise RuntimeError(f"dimensions must larger than 1, got {self.dim()}")
    if self.dim() > 2 and len(set(self.shape)) > 1:
        raise RuntimeError(f"all dimensions of input must be of equal length, got {self.shape}")
    step = sum(self.stride())
    self.as_strided((min(self.shape),), (step,), self.storage_offset()).fill_(fill_value)
    if wrap and self.dim() == 2:
        rows, columns = self.shape
        for row in range(columns + 1, rows, columns + 1):
            self[row:].fill_diagonal_(fill_value)
    return self


@_method
def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replaces each element by `callable(element)`; slow. A RuntimeError if it requires grad.

    >>> adjoint.tensor([1., 2.]).apply_(lambda v: v + 1)
    tensor([2., 3.])
    """
    return _mapped(self, callable)


@_method
def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replaces each element by `callable(element, element of tensor)`, broadcast; slow."""
    return _mapped(self, callable, tensor)


@_method
def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[..., Any]) -> Tensor:
    """`map_` of three tensors."""
    return _mapped(self, callable, x, y)


def _mapped(self: Tensor, function: Callable[..., Any], *others: Tensor) -> Tensor:
    if self.requires_grad or any(t.requires_grad for t in others):
        raise RuntimeError("Can't call apply_() or map_() on Variable that requires grad. Use "
                           "var.detach() first.")  # fmt: skip
    columns = [t.expand(self.shape).reshape(-1).tolist() for t in (self, *others)]
    values = [function(*row) for row in zip(*columns, strict=True)]
    return self.copy_(_core.tensor(values, dtype=self.dtype).reshape(self.shape))


@_method
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both are the same memory in the same layout."""
    return (
        self._storage_ptr() == tensor._storage_ptr()
        and self.storage_offset() == tensor.storage_offset()
        and self.shape == tensor.shape
        and self.stride() == tensor.stride()
    )


@_method
def dim_order(self: Tensor, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dims from the outermost in memory to the innermost.

    Args:
        ambiguity_check: True, or a list of memory formats: a RuntimeError if dims of one element or
            of equal strides leave the order open (between those formats).

    >>> adjoint.ones(2, 3).t().dim_order()
    (1, 0)
    """
    if not isinstance(ambiguity_check, bool) and not (
        isinstance(ambiguity_check, list)
        and all(isinstance(format, memory_format) for format in ambiguity_check)
    ):
        raise TypeError("The ambiguity_check argument must be a bool or a list of memory formats.")
    strides = self.stride()
    is_open = len(set(strides)) < self.dim() or 1 in self.shape
    if ambiguity_check and (is_open if ambiguity_check is True else 1 in self.shape):
        raise RuntimeError(
            f"The tensor does not have unique dim order: shape {tuple(self.shape)}, strides "
            f"{strides}"
        )
    return tuple(sorted(range(self.dim()), key=lambda d: -self.stride(d)))


@_method
def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: Any = None) -> Tensor:
    """The tensor itself (all are dense), in another dtype if one is given."""
    return self if dtype is None else self.to(dtype)


@_method
def dense_dim(self: Tensor) -> int:
    """The number of dims: all are dense."""
    return self.dim()


@_method
def as_subclass(self: Tensor, cls: type) -> Any:
    """The same tensor, with its history, as a new object of a subclass of Tensor."""
    return _core._as_subclass(self, cls)


@_method
def sum_to_size(self: Tensor, *size: Any) -> Tensor:
    """Sums over the dims that broadcasting from `size` to this shape would stretch.

    >>> adjoint.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    shape = tuple(size[0]) if size and not isinstance(size[0], int) else tuple(size)
    extra = self.dim() - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, self.shape[extra:], strict=True)):
        raise RuntimeError(
            f"size {{{list(shape)}}} is not expandable to size {{{list(self.shape)}}}."
        )
    result = self.sum(tuple(range(extra))) if extra else self
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and result.shape[i] != 1)
    return result.sum(stretched, keepdim=True) if stretched else result


@_method
def new_empty_strided(self: Tensor, size: Any, stride: Any, *, dtype: Any = None,
                      **kwargs: Any) -> Tensor:  # fmt: skip
    """`adjoint.empty_strided` with this tensor's dtype unless another is given."""
    from adjoint._second_names import empty_strided

    return empty_strided(size, stride, dtype=dtype or self.dtype, **kwargs)


Tensor.where = lambda self, condition, other: _functions["where"](condition, self, other)
