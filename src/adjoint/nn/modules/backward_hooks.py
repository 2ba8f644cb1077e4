"""Full backward hooks: identity functions around a module that see its gradients pass."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.autograd import Function

Grads = tuple[Any, ...]


class BackwardHooks:
    """The backward hooks of one call of a module.

    ``watch_outputs`` and ``watch_inputs`` put an identity after and before the module. Backward
    reaches the first when the gradients of all outputs are known, the second when those of all
    inputs are: those are the moments at which the pre-hooks and the hooks run.
    """

    def __init__(self, module: Any, hooks: list[Any], pre_hooks: list[Any]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.n_inputs = 0
        self.n_outputs = 0
        self.input_places: list[int] = []
        self.output_places: list[int] = []
        self.grad_output: Grads = ()

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.n_inputs = len(args)
        watched, self.input_places = _watch(_WatchInputs, self, args)
        return watched

    def watch_outputs(self, result: Any) -> Any:
        outputs = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(outputs)
        watched, self.output_places = _watch(_WatchOutputs, self, outputs)
        if not self.output_places:
            return result
        if not isinstance(result, tuple):
            return watched[0]
        # a named tuple takes its fields one by one
        return type(result)(*watched) if hasattr(result, "_fields") else watched

    def outputs_ready(self, grads: Grads) -> Grads:
        grad_output = _spread(grads, self.output_places, self.n_outputs)
        for hook in self.pre_hooks:
            replaced = hook(self.module, grad_output)
            if replaced is not None:
                grad_output = _as_grads(replaced, self.n_outputs, "grad_output", hook)
        if self.input_places:
            self.grad_output = grad_output
        else:
            self._run_without_inputs(grad_output)
        return tuple(grad_output[i] for i in self.output_places)

    def inputs_ready(self, grads: Grads) -> Grads:
        grad_input = _spread(grads, self.input_places, self.n_inputs)
        grad_output, self.grad_output = self.grad_output, ()
        for hook in self.hooks:
            replaced = hook(self.module, grad_input, grad_output)
            if replaced is not None:
                grad_input = _as_grads(replaced, self.n_inputs, "grad_input", hook)
        return tuple(grad_input[i] for i in self.input_places)

    def _run_without_inputs(self, grad_output: Grads) -> None:
        for hook in self.hooks:
            replaced = hook(self.module, (None,) * self.n_inputs, grad_output)
            if replaced is not None and any(g is not None for g in replaced):
                raise RuntimeError(
                    f"the backward hook {hook!r} returned gradients for the inputs of "
                    f"{type(self.module).__name__}, but none of the inputs requires a gradient: "
                    "the hook must return None"
                )


class _WatchInputs(Function):
    @staticmethod
    def forward(ctx: Any, hooks: BackwardHooks, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.hooks = hooks
        needed = ctx.needs_input_grad[1:]
        ctx.mark_non_differentiable(*(t for t, need in zip(tensors, needed) if not need))
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return None, *ctx.hooks.inputs_ready(grads)


class _WatchOutputs(Function):
    @staticmethod
    def forward(ctx: Any, hooks: BackwardHooks, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        return _WatchInputs.forward(ctx, hooks, *tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return None, *ctx.hooks.outputs_ready(grads)


def _watch(
    function: Any, hooks: BackwardHooks, values: tuple[Any, ...]
) -> tuple[tuple[Any, ...], list[int]]:
    """Pass the tensors of ``values`` through ``function``, if one of them requires a gradient."""
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not adjoint.is_grad_enabled() or not any(values[i].requires_grad for i in places):
        return values, []
    watched = list(values)
    for i, tensor in zip(places, function.apply(hooks, *(values[i] for i in places))):
        watched[i] = tensor
    return tuple(watched), places


def _spread(grads: Grads, places: list[int], length: int) -> Grads:
    spread = [None] * length
    for i, grad in zip(places, grads):
        spread[i] = grad
    return tuple(spread)


def _as_grads(returned: Any, length: int, name: str, hook: Any) -> Grads:
    grads = returned if isinstance(returned, (tuple, list)) else (returned,)
    if len(grads) != length:
        raise RuntimeError(
            f"the backward hook {hook!r} returned {len(grads)} gradients for {name}, "
            f"which has {length}"
        )
    return tuple(grads)
