"""Derivatives of functions of several tensors: `jacobian`, `hessian`, and products with them.

Each takes `func` and `inputs`, a tensor or a tuple of tensors, as it returns a tensor or a tuple of
tensors; results have the structure of the inputs (and of the outputs, for Jacobians).
`create_graph=True` makes the results differentiable. `strict=True` refuses an output that does not
depend on an input, where otherwise its derivative is zero. (`adjoint.func` has the same for
pytrees, as function transforms.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import adjoint
from adjoint import _core
from adjoint._core import Tensor

from .grad_mode import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = tuple[Tensor, ...]


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of `func` and its vector-Jacobian product `v^T J`.

    Args:
        v: of the shapes of the outputs; may be left out for an output of one element.

    >>> x, v = adjoint.tensor([1.0, 2.0]), adjoint.ones(2)
    >>> adjoint.autograd.functional.vjp(lambda x: x * x, x, v)
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        variables, one_input = _variables(inputs, create_graph)
        outputs, one_output = _call(func, variables, strict)
        vector = _vector(v, outputs, "outputs")
        grads = _grad(outputs, variables, vector, create_graph, strict)
    return (
        _result(outputs, one_output, create_graph),
        _result(grads, one_input, create_graph),
    )


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of `func` and its Jacobian-vector product `J v`, by reverse mode applied twice.

    Args:
        v: of the shapes of the inputs; may be left out for an input of one element.

    >>> x, v = adjoint.tensor([1.0, 2.0]), adjoint.ones(2)
    >>> adjoint.autograd.functional.jvp(lambda x: x * x, x, v)
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        variables, _ = _variables(inputs, create_graph)
        vector = _vector(v, variables, "inputs")
        outputs, one_output = _call(func, variables, strict)
        # u -> u^T J is linear; its derivative in the direction v is J v.
        cotangents = tuple(_zeros_like(y).requires_grad_() for y in outputs)
        pulled = _grad(outputs, variables, cotangents, True, strict)
        pushed = _grad(pulled, cotangents, vector, create_graph, strict)
    return (
        _result(outputs, one_output, create_graph),
        _result(pushed, one_output, create_graph),
    )


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of a scalar `func` and the product `H v` of its Hessian with `v`.

    As `vhp`, which is faster; they differ where the Hessian is not symmetric.

    >>> cube = lambda x: (x**3).sum()
    >>> adjoint.autograd.functional.hvp(cube, adjoint.tensor([1.0, 2.0]), adjoint.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        variables, one_input = _variables(inputs, create_graph)
        vector = _vector(v, variables, "inputs")
        outputs, one_output = _call(func, variables, strict)
        _require_scalar(outputs, one_output)
        grads = _grad(outputs, variables, (None,), True, strict)
        # u -> u^T H is linear; its derivative in the direction v is H v.
        cotangents = tuple(_zeros_like(g).requires_grad_() for g in grads)
        pulled = _grad(grads, variables, cotangents, True, strict)
        pushed = _grad(pulled, cotangents, vector, create_graph, strict)
    return (
        _result(outputs, one_output, create_graph),
        _result(pushed, one_input, create_graph),
    )


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of a scalar `func` and the product `v^T H` of `v` with its Hessian.

    Args:
        v: of the shapes of the inputs; may be left out for an input of one element.

    >>> cube = lambda x: (x**3).sum()
    >>> adjoint.autograd.functional.vhp(cube, adjoint.tensor([1.0, 2.0]), adjoint.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        variables, one_input = _variables(inputs, create_graph)
        vector = _vector(v, variables, "inputs")
        outputs, one_output = _call(func, variables, strict)
        _require_scalar(outputs, one_output)
        grads = _grad(outputs, variables, (None,), True, strict)
        product = _grad(grads, variables, vector, create_graph, strict)
    return (
        _result(outputs, one_output, create_graph),
        _result(product, one_input, create_graph),
    )


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of `func`: for output i and input j a tensor of shape `[*output i, *input j]`.

    Args:
        vectorize: compute all rows at once with `vmap`.
        strategy: "reverse-mode", or (with `vectorize`) "forward-mode".

    Returns:
        A tensor; a tuple over the inputs or over the outputs if these are a tuple; a tuple over the
        outputs of tuples over the inputs if both are.

    >>> adjoint.autograd.functional.jacobian(lambda x: x * x, adjoint.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f"strategy must be 'reverse-mode' or 'forward-mode', got {strategy!r}")
    if strict and vectorize:
        raise RuntimeError("jacobian: strict=True does not go with vectorize=True")
    if strategy == "forward-mode":
        return _forward_jacobian(func, inputs, create_graph, vectorize)
    with enable_grad():
        variables, one_input = _variables(inputs, create_graph)
        outputs, one_output = _call(func, variables, strict)
        rows = _vectorized_rows if vectorize else _rows
        blocks = [rows(y, variables, create_graph, strict) for y in outputs]
    return _blocks_result(blocks, one_input, one_output, create_graph)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a scalar `func`: for inputs i and j a tensor of shape `[*input i, *input j]`.

    Args:
        vectorize: compute all rows at once with `vmap`.
        outer_jacobian_strategy: "reverse-mode", or (with `vectorize`) "forward-mode" over reverse
            mode.

    >>> adjoint.autograd.functional.hessian(lambda x: (x**3).sum(), adjoint.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    given, one_input = _tuple(inputs, "inputs")

    def gradient(*xs: Tensor) -> Any:
        with enable_grad():  # forward mode passes duals that are no variables yet
            variables = tuple(
                x if x.requires_grad else _core._alias(x).requires_grad_() for x in xs
            )
            outputs, one_output = _call(func, variables, strict)
            _require_scalar(outputs, one_output)
            grads = _grad(outputs, variables, (None,), True, strict)
        return grads[0] if one_input else grads

    return jacobian(
        gradient,
        given[0] if one_input else given,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )


def _rows(output: Tensor, variables: Tensors, create_graph: bool, strict: bool) -> list[Tensor]:
    """The Jacobian of one output, an element of it at a time."""
    rows: list[Tensors] = []
    flat = output.reshape(-1)
    for i in range(flat.numel()):
        rows.append(_grad((flat[i],), variables, (None,), create_graph, strict, retain=True))
    blocks = []
    for j, x in enumerate(variables):
        column = [row[j].reshape(-1) for row in rows]
        whole = adjoint.stack(column) if column else x.new_zeros(0, x.numel())
        blocks.append(whole.reshape(output.shape + x.shape))
    return blocks


def _vectorized_rows(
    output: Tensor, variables: Tensors, create_graph: bool, strict: bool
) -> list[Tensor]:
    """The same with one backward, batched over the elements of the output."""
    from adjoint.func import vmap

    count = output.numel()
    if count == 0 or not output.requires_grad:
        return [x.new_zeros(output.shape + x.shape) for x in variables]
    basis = adjoint.eye(count, dtype=output.dtype, device=output.device)

    def pull(cotangent: Tensor) -> Tensors:
        return _grad((output,), variables, (cotangent,), create_graph, strict, retain=True)

    rows = vmap(pull)(basis.reshape(count, *output.shape))
    return [g.reshape(output.shape + x.shape) for g, x in zip(rows, variables)]


def _forward_jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool, vectorize: bool
) -> Any:
    from adjoint.func import jacfwd

    if not vectorize:
        raise NotImplementedError("jacobian: strategy='forward-mode' needs vectorize=True")
    given, one_input = _tuple(inputs, "inputs")
    one_output = True

    def tupled(*xs: Tensor) -> Tensors:
        nonlocal one_output
        outputs, one_output = _tuple(func(*xs), "outputs")
        return outputs

    variables = given if create_graph else tuple(x.detach() for x in given)
    blocks = jacfwd(tupled, argnums=tuple(range(len(given))))(*variables)
    return _blocks_result(blocks, one_input, one_output, create_graph)


def _blocks_result(
    blocks: Sequence[Sequence[Tensor]], one_input: bool, one_output: bool, create_graph: bool
) -> Any:
    rows = [_result(tuple(row), one_input, create_graph) for row in blocks]
    return rows[0] if one_output else tuple(rows)


def _tuple(values: Any, role: str) -> tuple[Tensors, bool]:
    """`values` as a tuple of tensors, and whether it was a single tensor."""
    one = isinstance(values, Tensor)
    found = (values,) if one else tuple(values) if isinstance(values, (tuple, list)) else None
    if found is None:
        raise TypeError(
            f"the {role} must be a tensor or a tuple of them, got {type(values).__name__}"
        )
    for x in found:
        if not isinstance(x, Tensor):
            raise TypeError(f"the {role} must be tensors, got {type(x).__name__} among them")
    return found, one


def _variables(inputs: Any, create_graph: bool) -> tuple[Tensors, bool]:
    """Fresh variables: aliases of the inputs if the results are to be differentiated in these."""
    given, one = _tuple(inputs, "inputs")
    fresh = []
    for x in given:
        variable = _core._alias(x) if create_graph else x.detach()
        fresh.append(variable if variable.requires_grad else variable.requires_grad_())
    return tuple(fresh), one


def _call(func: Callable[..., Any], variables: Tensors, strict: bool) -> tuple[Tensors, bool]:
    outputs, one = _tuple(func(*variables), "outputs of func")
    if strict:
        for i, y in enumerate(outputs):
            if not y.requires_grad:
                raise RuntimeError(
                    f"output {i} does not depend on the inputs, which strict=True forbids"
                )
    return outputs, one


def _require_scalar(outputs: Tensors, one: bool) -> None:
    if not one:
        raise RuntimeError("the function must return one tensor, not a tuple")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"the function must return a tensor of one element, got shape {tuple(outputs[0].shape)}"
        )


def _vector(v: Any, like: Tensors, role: str) -> Tensors:
    """`v` as a tuple of the shapes of `like`; a single element stands for 1 if it was left out."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"v may be left out only if the {role} have a single element")
        return (adjoint.ones_like(like[0]),)
    vectors, _ = _tuple(v, "vectors")
    if len(vectors) != len(like):
        raise RuntimeError(f"v has {len(vectors)} tensors for {len(like)} {role}")
    for i, (vector, x) in enumerate(zip(vectors, like)):
        if vector.shape != x.shape:
            raise RuntimeError(
                f"v[{i}] must have the shape of {role}[{i}], {tuple(x.shape)}; "
                f"got {tuple(vector.shape)}"
            )
    return vectors


def _grad(
    outputs: Tensors,
    variables: Tensors,
    cotangents: Sequence[Tensor | None],
    create_graph: bool,
    strict: bool,
    retain: bool | None = None,
) -> Tensors:
    """Gradients, zeros where an output does not depend on a variable (an error if strict)."""
    pairs = [(y, g) for y, g in zip(outputs, cotangents) if y.requires_grad]
    grads: Sequence[Tensor | None] = (None,) * len(variables)
    if pairs:
        sources, starts = zip(*pairs)
        keep = create_graph if retain is None else retain
        grads = _core._run_backward(sources, starts, keep, create_graph, variables, False, True)
    found = []
    for i, (x, g) in enumerate(zip(variables, grads)):
        if strict and (g is None or (create_graph and not g.requires_grad)):
            raise RuntimeError(
                f"the outputs, or their derivatives, do not depend on input {i}, "
                "which strict=True forbids"
            )
        found.append(_zeros_like(x) if g is None else g)
    return tuple(found)


def _zeros_like(x: Tensor) -> Tensor:
    return adjoint.zeros_like(x)


def _result(values: Tensors, one: bool, create_graph: bool) -> Any:
    if not create_graph:
        values = tuple(x.detach() for x in values)
    return values[0] if one else values
