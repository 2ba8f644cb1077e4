"""Full backward hooks: what stands around a module's call to see its gradients pass."""

from __future__ import annotations

import warnings
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

    The identities share the memory of what they pass on, so that a write through one of them
    would be missing from the history of the other. A single output needs no identity: a hook of
    the tensor itself does, and it may be written as without hooks. Other outputs refuse recorded
    writes, and a module that writes its input is an error.
    """

    def __init__(self, module: Any, hooks: list[Any], pre_hooks: list[Any]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.n_inputs = 0
        self.n_outputs = 0
        self.input_places: list[int] = []
        self.output_places: list[int] = []
        self.passed_on: list[tuple[Tensor, int]] = []  # the module's inputs and their versions
        self.grad_output: Grads | None = None

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.n_inputs = len(args)
        watched, self.input_places = _watch(_WatchInputs, self, args)
        self.passed_on = [(watched[i], watched[i]._version) for i in self.input_places]
        return watched

    def watch_outputs(self, result: Any) -> Any:
        passed_on, self.passed_on = self.passed_on, []
        for tensor, version in passed_on:
            if tensor._version != version:
                raise RuntimeError(
                    f"{type(self.module).__name__} has backward hooks and modified its input of "
                    f"shape {tuple(tensor.shape)} in place: the gradients of the input before and "
                    "after cannot be told apart. Use an operation that is not in-place "
                    "(inplace=False), or give the module a clone()"
                )
        outputs = result if isinstance(result, tuple) else (result,)
        seen = any(isinstance(out, Tensor) for out in outputs)
        if not isinstance(result, (Tensor, tuple)) or (self.input_places and not seen):
            warnings.warn(
                f"the backward hooks of {type(self.module).__name__} will not be called: for that, "
                "module output should be a Tensor or a tuple of Tensors, got "
                f"{type(result).__name__}",
                stacklevel=4,
            )
            return result
        self.n_outputs = len(outputs)
        if isinstance(result, Tensor) and self._can_hook(result, passed_on):
            self.output_places = [0]
            self._hook(result)
            return result
        watched, self.output_places = _watch(_WatchOutputs, self, outputs)
        if not self.output_places:
            return result
        if not isinstance(result, tuple):
            return watched[0]
        # a named tuple takes its fields one by one
        return type(result)(*watched) if hasattr(result, "_fields") else watched

    def _hook(self, out: Any) -> None:
        """Let a hook of ``out`` call this; of modules that return the same tensor, the outermost
        first, which is not the order of registration."""
        node, calls = getattr(out, "_module_calls", (None, None))
        if calls is not None and node is out.grad_fn:
            calls.insert(0, self)
            return
        calls = [self]

        def run(grad: Tensor) -> Any:
            for call in calls:
                (grad,) = call.outputs_ready((grad,))
            return grad

        out.register_hook(run)
        out._module_calls = (out.grad_fn, calls)

    @staticmethod
    def _can_hook(out: Tensor, inputs: list[tuple[Tensor, int]]) -> bool:
        """Whether the gradients of ``out`` are those of this call's output and of nothing else."""
        if not out.requires_grad or out.is_leaf or out._is_view():
            return False
        return all(out is not tensor for tensor, _ in inputs)

    def outputs_ready(self, grads: Grads) -> Grads:
        grad_output = _spread(grads, self.output_places, self.n_outputs)
        for hook in self.pre_hooks:
            replaced = hook(self.module, grad_output)
            if replaced is not None:
                grad_output = _as_grads(replaced, grad_output, "grad_output", hook)
        if self.input_places:
            self.grad_output = grad_output
        else:
            self._run_without_inputs(grad_output)
        return tuple(grad_output[i] for i in self.output_places)

    def inputs_ready(self, grads: Grads) -> Grads:
        grad_output, self.grad_output = self.grad_output, None
        if grad_output is None:  # a second derivative, which does not come from the outputs
            return grads
        grad_input = _spread(grads, self.input_places, self.n_inputs)
        for hook in self.hooks:
            replaced = hook(self.module, grad_input, grad_output)
            if replaced is not None:
                grad_input = _as_grads(replaced, grad_input, "grad_input", hook)
        return tuple(grad_input[i] for i in self.input_places)

    def _run_without_inputs(self, grad_output: Grads) -> None:
        for hook in self.hooks:
            replaced = hook(self.module, (None,) * self.n_inputs, grad_output)
            if replaced is not None and any(g is not None for g in replaced):
                raise RuntimeError(
                    f"the backward hook {hook!r} of {type(self.module).__name__}, a module where "
                    "no input requires gradient, returned gradients of the inputs: it must return "
                    "None"
                )


class _WatchInputs(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(hooks: BackwardHooks, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(t.detach() for t in tensors)  # counts the writes together with them

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.hooks = inputs[0]
        needed = ctx.needs_input_grad[1:]
        ctx.mark_non_differentiable(*(t for t, need in zip(output, needed) if not need))

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return None, *ctx.hooks.inputs_ready(grads)

    @staticmethod
    def jvp(ctx: Any, hooks: Any, *tangents: Any) -> tuple[Any, ...]:
        return tangents


class _WatchOutputs(_WatchInputs):
    @staticmethod
    def forward(hooks: BackwardHooks, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tensors  # passed on as they are: recorded writes are refused

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.set_materialize_grads(False)
        _WatchInputs.setup_context(ctx, inputs, output)

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


def _as_grads(returned: Any, old: Grads, name: str, hook: Any) -> Grads:
    grads = returned if isinstance(returned, (tuple, list)) else (returned,)
    if len(grads) != len(old):
        raise RuntimeError(
            f"the backward hook {hook!r} returned an invalid number of {name}, "
            f"got {len(grads)}, but expected {len(old)}"
        )
    for i, (new, grad) in enumerate(zip(grads, old)):
        if isinstance(new, Tensor) and grad is not None and new.shape != grad.shape:
            raise RuntimeError(
                f"the backward hook {hook!r} returned a gradient of shape {tuple(new.shape)} for "
                f"{name}[{i}], which has shape {tuple(grad.shape)}"
            )
    return tuple(grads)
