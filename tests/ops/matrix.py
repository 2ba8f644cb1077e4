"""What the checks of the test matrix are made of: calls, derivatives, and their counterparts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import adjoint
from adjoint import _core
from ops.case import Case, S

try:
    import torch
except ImportError:  # the comparisons with torch are skipped
    torch = None

Tensor = adjoint.Tensor
REGISTRY = {op["name"]: op for op in _core._registry()}


def function_of(name: str) -> Callable[..., Any]:
    """The Python function that the registry made of an operator."""
    space, _, base = name.split(":")[0].rpartition(".")
    return _core._namespaces[space][base]


def run(case: Case, call: S) -> Any:
    if case.domain:
        call = map_tensors(call, case.domain)
    return function_of(case.name)(*call.args, **call.kwargs)


def tensors_in(x: Any) -> list[Tensor]:
    """All tensors in nested tuples, lists and calls, in order."""
    found: list[Tensor] = []
    map_tensors(x, lambda t: found.append(t) or t)
    return found


def map_tensors(x: Any, f: Callable[[Tensor], Any]) -> Any:
    """The same structure with `f` applied to each tensor."""
    if isinstance(x, Tensor):
        return f(x)
    if isinstance(x, S):
        args = [map_tensors(a, f) for a in x.args]
        return S(*args, **{k: map_tensors(v, f) for k, v in x.kwargs.items()})
    if isinstance(x, (list, tuple)):
        return type(x)(map_tensors(a, f) for a in x) if type(x) in (list, tuple) else [
            map_tensors(a, f) for a in x
        ]  # fmt: skip
    return x


def with_tensors(call: S, tensors: Sequence[Any]) -> S:
    """The call on other tensors, in the order of `tensors_in`."""
    rest = iter(tensors)
    return map_tensors(call, lambda _: next(rest))


def outputs(result: Any) -> list[Tensor]:
    return tensors_in(list(result) if isinstance(result, tuple) else result)


def is_float(x: Tensor) -> bool:
    """Whether it has derivatives."""
    return x.dtype.is_floating_point or x.dtype.is_complex


def array(x: Any) -> np.ndarray:
    x = x.detach()
    if str(x.dtype)[6:] == "bfloat16":
        x = x.to(adjoint.float32 if isinstance(x, Tensor) else torch.float32)
    return x.numpy(force=True)


def assert_close(actual: Any, expected: Any, rtol: float, atol: float, what: str) -> None:
    """Equal shapes, nearly equal values, NaN in the same places."""
    assert tuple(actual.shape) == tuple(expected.shape), f"{what}: shapes differ"
    np.testing.assert_allclose(array(actual), array(expected), rtol=rtol, atol=atol, err_msg=what)


# Derivatives. A differentiable function of a case is one of its floating tensors alone: the list of
# variables to the list of floating results.


def variables_of(call: S) -> list[int]:
    """Which of the tensors of a call are variables."""
    return [i for i, x in enumerate(tensors_in(call)) if is_float(x)]


def as_function(case: Case, call: S) -> tuple[Callable[..., list[Tensor]], list[Tensor]]:
    tensors, where = tensors_in(call), variables_of(call)

    def f(*variables: Tensor) -> list[Tensor]:
        moved = list(tensors)
        for i, x in zip(where, variables, strict=True):
            moved[i] = x
        return [y for y in outputs(run(case, with_tensors(call, moved))) if is_float(y)]

    return f, [tensors[i] for i in where]


def like(xs: Sequence[Tensor], seed: int) -> list[Tensor]:
    """Random tensors in the shapes of `xs`: directions and cotangents."""
    rng = np.random.default_rng(seed)

    def draw(x: Tensor) -> Any:
        real = rng.normal(size=tuple(x.shape))
        return real + 1j * rng.normal(size=tuple(x.shape)) if x.dtype.is_complex else real

    return [adjoint.from_numpy(np.array(draw(x))).to(x.dtype) for x in xs]


def leaves(xs: Sequence[Tensor]) -> list[Tensor]:
    return [x.detach().clone().requires_grad_() for x in xs]


def vjp(f: Callable[..., list[Tensor]], xs: Sequence[Tensor], gs: Sequence[Tensor]) -> list[Tensor]:
    """Reverse mode, by the kernels of a plain backward."""
    xs = leaves(xs)
    pairs = [(y, g) for y, g in zip(f(*xs), gs, strict=True) if y.requires_grad]
    if not pairs:
        return [adjoint.zeros_like(x.detach()) for x in xs]
    ys, gs = zip(*pairs)
    return list(adjoint.autograd.grad(ys, xs, gs, materialize_grads=True))


def jvp(f: Callable[..., list[Tensor]], xs: Sequence[Tensor], ts: Sequence[Tensor]) -> list[Tensor]:
    """Forward mode."""
    xs = tuple(x.detach() for x in xs)
    return list(adjoint.func.jvp(lambda *v: tuple(f(*v)), xs, tuple(ts))[1])


def difference(
    f: Callable[..., list[Tensor]], xs: Sequence[Tensor], ts: Sequence[Tensor]
) -> list[Tensor]:
    """(f(x + h t) - f(x - h t)) / 2h. With h = 1e-5 the error is about 1e-10 times a third
    derivative, and 1e-11 of rounding."""
    h = 1e-5
    above = f(*(x.detach() + h * t for x, t in zip(xs, ts, strict=True)))
    below = f(*(x.detach() - h * t for x, t in zip(xs, ts, strict=True)))
    return [(a.detach() - b.detach()) / (2 * h) for a, b in zip(above, below, strict=True)]


def dot(xs: Sequence[Tensor], ys: Sequence[Tensor]) -> float:
    """The inner product of all numbers, a complex one being two."""
    return float(sum(np.vdot(array(x), array(y)).real for x, y in zip(xs, ys, strict=True)))


def check_reverse_mode(case: Case, call: S) -> None:
    """<vjp(g), t> is the derivative of <g, f> along t, here by finite differences."""
    f, xs = as_function(case, call)
    ts, gs = like(xs, 1), like(f(*xs), 2)
    numeric = dot(gs, difference(f, xs, ts))
    analytic = dot(vjp(f, xs, gs), ts)
    scale = 1 + sum(float(np.sum(np.abs(array(g)))) for g in gs)
    assert abs(analytic - numeric) <= 1e-6 * abs(numeric) + 1e-8 * scale, f"{case.name}{call}"


# torch, the oracle.


def torch_function(case: Case) -> Callable[..., Any] | None:
    """The same function in torch, if it has one."""
    if torch is None or case.torch_name is None:
        return None
    if callable(case.torch_name):
        return on_domain(case, case.torch_name)
    name = case.torch_name or case.name.split(":")[0]
    for root in (torch, torch.Tensor):
        try:
            return on_domain(case, functools.reduce(getattr, name.split("."), root))
        except AttributeError:
            continue
    return None


def on_domain(case: Case, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of torch tensors after the case's map onto its domain."""
    domain = case.domain
    if domain is None:
        return function

    def of(x: Any) -> Any:
        return domain(x) if isinstance(x, torch.Tensor) else x

    return lambda *args, **kwargs: function(*map(of, args), **{k: of(v) for k, v in kwargs.items()})


def to_torch(x: Any) -> Any:
    """Tensors and dtypes as torch's, on memory of their own."""
    if isinstance(x, Tensor):
        return torch.from_numpy(np.array(array(x))).to(to_torch(x.dtype))
    if isinstance(x, adjoint.dtype):
        return getattr(torch, str(x)[6:])
    if isinstance(x, S):
        return S(*map(to_torch, x.args), **{k: to_torch(v) for k, v in x.kwargs.items()})
    if type(x) in (list, tuple):
        return type(x)(map(to_torch, x))
    return x


def torch_tensors(x: Any) -> list[Any]:
    if isinstance(x, torch.Tensor):
        return [x]
    if isinstance(x, S):
        return torch_tensors([*x.args, *x.kwargs.values()])
    return [t for part in x for t in torch_tensors(part)] if isinstance(x, (list, tuple)) else []


# Calls that follow from a case's own.


def non_contiguous(x: Tensor) -> Tensor:
    """The same values, every other column of a transposed block of memory, with an offset."""
    a = array(x)
    if a.ndim == 0:
        return adjoint.from_numpy(np.stack([a, a]))[1]
    block = np.full((a.shape[-1] * 2 + 1, *a.shape[:-1]), 7).astype(a.dtype)
    block[1::2] = np.moveaxis(a, -1, 0)
    order = (*range(1, a.ndim), 0)
    return adjoint.from_numpy(block).permute(order)[..., 1::2].to(x.dtype)


def is_elementwise(case: Case) -> bool:
    return REGISTRY[case.name]["elementwise"]


def broadcast_calls(call: S) -> list[S]:
    """Each tensor of a shape that all share, in turn, cut down to a column and to one element."""
    tensors = tensors_in(call)
    shapes = {tuple(x.shape) for x in tensors}
    if len(tensors) < 2 or len(shapes) != 1 or len(*shapes) < 2 or 0 in next(iter(shapes)):
        return []
    calls = []
    for i, x in enumerate(tensors):
        for part in (x[..., :1], x[0], x[0, 0]):
            part = part.reshape(part.shape).clone()
            calls.append(with_tensors(call, [*tensors[:i], part, *tensors[i + 1 :]]))
    return calls


def resized_calls(call: S) -> list[S]:
    """An elementwise call on 0-d and on empty tensors."""
    tensors = tensors_in(call)
    if not any(x.numel() and x.dim() for x in tensors):
        return []
    single = [x.reshape(-1)[0].clone() for x in tensors]
    empty = [adjoint.zeros(2, 0, 3, dtype=x.dtype) if x.dim() else x for x in tensors]
    return [with_tensors(call, single), with_tensors(call, empty)]


def leaves_among(call: S, where: Sequence[int]) -> S:
    """The call on copies of its tensors, those at `where` requiring grad."""
    copies = [x.detach().clone() for x in tensors_in(call)]
    return with_tensors(call, [x.requires_grad_(i in where) for i, x in enumerate(copies)])


def requiring_grad(xs: Sequence[Tensor]) -> list[Tensor]:
    return [x.detach().clone().requires_grad_(is_float(x)) for x in xs]
