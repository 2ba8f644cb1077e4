"""Optimizer: parameter groups, state, and what every optimizer does besides its step."""

from __future__ import annotations

import copy
import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.utils.gradients import clear_grad
from adjoint.utils.hooks import RemovableHandle, add_hook

from ._helpers import *  # noqa: F403
from ._helpers import _get_scalar_dtype, _group_tensors_by_device_and_dtype

__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
]

Group = dict[str, Any]


ParamsT = params_t = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]


class _RequiredParameter:
    """Stands for a default that a group of parameters must give itself."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _RequiredParameter()

_step_pre_hooks: OrderedDict[int, Any] = OrderedDict()
_step_post_hooks: OrderedDict[int, Any] = OrderedDict()


def register_optimizer_step_pre_hook(hook: Any) -> RemovableHandle:
    """Run ``hook(optimizer, args, kwargs)`` before the step of every optimizer.

    >>> register = adjoint.optim.optimizer.register_optimizer_step_pre_hook
    >>> with register(lambda optimizer, args, kwargs: print("step")):
    ...     adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))]).step()
    step
    """
    return add_hook(_step_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Any) -> RemovableHandle:
    """Run ``hook(optimizer, args, kwargs)`` after the step of every optimizer.

    >>> register = adjoint.optim.optimizer.register_optimizer_step_post_hook
    >>> with register(lambda optimizer, args, kwargs: print("done")):
    ...     adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))]).step()
    done
    """
    return add_hook(_step_post_hooks, hook)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True  # read by the learning rate schedulers
        own, own_post = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
        # a step that calls super().step() is one step
        if self._in_step or not (own or own_post or _step_pre_hooks or _step_post_hooks):
            return step(self, *args, **kwargs)
        self._in_step = True
        try:
            args = (self, *args)  # as hooks get them
            for hook in (*_step_pre_hooks.values(), *own.values()):
                replaced = hook(self, args, kwargs)
                if replaced is None:
                    continue
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise RuntimeError(
                        "a step pre-hook must return None or (args, kwargs), "
                        f"{hook!r} returned {replaced!r}"
                    )
                args, kwargs = replaced
            result = step(*args, **kwargs)
            for hook in (*own_post.values(), *_step_post_hooks.values()):
                hook(self, args, kwargs)
            return result
        finally:
            self._in_step = False

    wrapper.hooked = True  # type: ignore[attr-defined]
    return wrapper


class Optimizer:
    """Base class of the optimizers.

    A subclass defines ``step(closure=None)``, which updates the parameters of each of
    ``param_groups`` (dictionaries of ``"params"`` and hyperparameters) from their ``.grad``, and
    keeps what it remembers of a parameter in ``state[param]``.

    Args:
        params: parameters, or pairs of name and parameter, or dictionaries (groups) whose
            ``"params"`` are such, with hyperparameters that differ from the defaults.
        defaults: the hyperparameters of groups that do not say otherwise.

    Raises:
        TypeError: ``params`` is a tensor, or holds something that is not one.
        ValueError: no parameters, one in two groups, one that is not a leaf, bad hyperparameters.

    >>> class SignDescent(adjoint.optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p.data -= group["lr"] * p.grad.sign()
    >>> p = adjoint.nn.Parameter(adjoint.tensor([2.0, -3.0]))
    >>> (p**2).sum().backward()
    >>> SignDescent([p], lr=0.5).step()
    >>> p.data
    tensor([ 1.5000, -2.5000])
    """

    defaults: dict[str, Any]
    state: defaultdict[Tensor, Any]
    param_groups: list[Group]

    _opt_called = False
    _in_step = False
    _optimizer_step_pre_hooks: OrderedDict[int, Any]
    _optimizer_step_post_hooks: OrderedDict[int, Any]

    # The entries of a parameter's state that have its shape; loading checks them.
    _param_shaped: tuple[str, ...] = ()
    # Those that are one float32 or float64, whatever the parameter is.
    _scalars: tuple[str, ...] = ("step",)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "the params of an optimizer should be an iterable of Tensors or dicts, "
                "got one Tensor: put it in a list"
            )
        self._check_group(defaults)
        self.defaults = defaults
        self.state = defaultdict(dict)
        self.param_groups = []
        listed = list(params)
        if not listed:
            raise ValueError("optimizer got an empty parameter list")
        groups = listed if isinstance(listed[0], dict) else [{"params": listed}]
        for group in groups:
            self.add_param_group(group)

    profile_hook_step = staticmethod(_with_hooks)
    _group_tensors_by_device_and_dtype = staticmethod(_group_tensors_by_device_and_dtype)

    def _cuda_graph_capture_health_check(self) -> None:
        """Nothing: copies of torch's optimizers call it at the beginning of a step."""

    _accelerator_graph_capture_health_check = _cuda_graph_capture_health_check

    def _patch_step_function(self) -> None:
        """Nothing: the class has given its step hooks; called by a `__setstate__` of torch's."""

    def __getattr__(self, name: str) -> Any:
        # a subclass that does not call __init__, a wrapper of another optimizer say, has hooks too
        if name.startswith("_optimizer_") and name.endswith("_hooks"):
            return self.__dict__.setdefault(name, OrderedDict())
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _check_group(self, group: Group) -> None:
        """Raise a ValueError if a hyperparameter of ``group`` is out of range."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once.

        Args:
            closure: computes the loss and its gradients anew and returns the loss, which ``step``
                returns.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define step()")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros.

        >>> p = adjoint.nn.Parameter(adjoint.ones(1))
        >>> p.grad = adjoint.ones(1)
        >>> adjoint.optim.SGD([p], lr=0.1).zero_grad()
        >>> p.grad is None
        True
        """
        for group in self.param_groups:
            for param in group["params"]:
                clear_grad(param, set_to_none)

    def add_param_group(self, param_group: Group) -> None:
        """Add a group: its ``"params"``, and hyperparameters that differ from the defaults.

        Raises:
            TypeError: not a dictionary, parameters in a set, or something that is not a Tensor.
            ValueError: a parameter is in a group already or is not a leaf, some but not all have
                names, or a hyperparameter is out of range.

        >>> p, q = (adjoint.nn.Parameter(adjoint.ones(1)) for _ in range(2))
        >>> optimizer = adjoint.optim.SGD([p], lr=0.1)
        >>> optimizer.add_param_group({"params": q, "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"a param_group must be a dict, got {type(param_group).__name__}")
        given = param_group["params"]
        if isinstance(given, Tensor):
            given = [given]
        elif isinstance(given, set):
            raise TypeError(
                "the parameters of a group need an order that stays the same between runs: "
                "give a list, not a set"
            )
        params, names = _split_names(list(given))
        group = {**param_group, "params": params}
        if names:
            group["param_names"] = names
        self._check_params(params)
        if self.param_groups and bool(names) != ("param_names" in self.param_groups[0]):
            raise ValueError(
                "all optimizer param groups should be with/without names, as the first one is"
            )
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(
                    f"a parameter group didn't specify a value of {name!r}, which is required"
                )
            group.setdefault(name, default)
        self._check_group(group)
        # the caller's dictionary itself: a later change of its "lr" counts
        param_group.update(group)
        self.param_groups.append(param_group)

    def _check_params(self, params: list[Any]) -> None:
        differentiable = bool(self.defaults.get("differentiable"))
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, got {type(param).__name__}")
            if not (differentiable or param.is_leaf or param.retains_grad):
                raise ValueError(
                    "can't optimize a non-leaf Tensor: it is the result of "
                    f"{param.grad_fn.name()} and is computed anew each time"
                )
        if len(set(params)) < len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters: each is stepped "
                "once for every time that it stands there",
                stacklevel=4,
            )
        taken = {param for group in self.param_groups for param in group["params"]}
        if not taken.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")

    def register_step_pre_hook(self, hook: Any) -> RemovableHandle:
        """Run ``hook(optimizer, args, kwargs)`` before each step; it may return new
        ``(args, kwargs)``."""
        return add_hook(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Any) -> RemovableHandle:
        """Run ``hook(optimizer, args, kwargs)`` after each step."""
        return add_hook(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(optimizer)`` before ``state_dict``."""
        return add_hook(self._optimizer_state_dict_pre_hooks, hook, prepend=prepend)

    def register_state_dict_post_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(optimizer, state_dict)`` after ``state_dict``; its result replaces it."""
        return add_hook(self._optimizer_state_dict_post_hooks, hook, prepend=prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Any, prepend: bool = False
    ) -> RemovableHandle:
        """Run ``hook(optimizer, state_dict)`` before loading; its result replaces it."""
        return add_hook(self._optimizer_load_state_dict_pre_hooks, hook, prepend=prepend)

    def register_load_state_dict_post_hook(
        self, hook: Any, prepend: bool = False
    ) -> RemovableHandle:
        """Run ``hook(optimizer)`` after loading."""
        return add_hook(self._optimizer_load_state_dict_post_hooks, hook, prepend=prepend)

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimizer, with parameters replaced by their numbers.

        ``{"state": {number: state}, "param_groups": [group with "params": numbers]}``; tensors
        share memory with the optimizer.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[Tensor, int] = {}
        groups = []
        for group in self.param_groups:
            for param in group["params"]:
                numbers.setdefault(param, len(numbers))
            packed = {name: value for name, value in group.items() if name != "params"}
            packed["params"] = [numbers[param] for param in group["params"]]
            groups.append(packed)
        state = {
            numbers[key] if isinstance(key, Tensor) else key: value
            for key, value in self.state.items()
        }
        packed_state = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            replaced = hook(self, packed_state)
            if replaced is not None:
                packed_state = replaced
        return packed_state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the state and the hyperparameters of ``state_dict``.

        Tensors are copied, and cast to the dtype and device of their parameters. The names of
        parameters, where there are any, stay those of this optimizer. Everything is checked first:
        an error leaves the optimizer as it was.

        Raises:
            ValueError: other groups than this optimizer's, or state of another shape than its
                parameter.
        """
        state_dict = dict(state_dict)
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            replaced = hook(self, state_dict)
            if replaced is not None:
                state_dict = replaced
        saved_groups = copy.deepcopy(state_dict["param_groups"])
        mine = [len(group["params"]) for group in self.param_groups]
        theirs = [len(group["params"]) for group in saved_groups]
        if mine != theirs:
            what = (
                "has a different number of parameter groups"
                if len(mine) != len(theirs)
                else "contains a parameter group that doesn't match the size of optimizer's group"
            )
            raise ValueError(
                f"loaded state dict {what}: its groups have {theirs} parameters, "
                f"this optimizer's {mine}"
            )
        params = {
            number: param
            for saved, group in zip(saved_groups, self.param_groups)
            for number, param in zip(saved["params"], group["params"])
        }
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in params:
                state[params[key]] = self._adapt_state(params[key], key, value)
            else:
                state[key] = copy.deepcopy(value)
        groups = []
        for saved, group in zip(saved_groups, self.param_groups):
            saved["params"] = group["params"]
            saved.pop("param_names", None)
            if "param_names" in group:
                saved["param_names"] = group["param_names"]
            groups.append(saved)
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def _adapt_state(self, param: Tensor, number: Any, value: Any, key: str = "") -> Any:
        """A copy of loaded state with the dtype and device of ``param``."""
        if isinstance(value, Tensor):
            if key in self._scalars:
                dtype = adjoint.float64 if value.dtype == adjoint.float64 else adjoint.float32
                return value.detach().to("cpu", dtype, copy=True)
            if key in self._param_shaped and value.shape != param.shape:
                raise ValueError(
                    f"state {key!r} of parameter {number} has shape {tuple(value.shape)}, "
                    f"the parameter has {tuple(param.shape)}"
                )
            dtype = param.dtype if param.is_floating_point() else value.dtype
            return value.detach().to(param.device, dtype, copy=True)
        if isinstance(value, dict):
            return {k: self._adapt_state(param, number, v, k) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._adapt_state(param, number, v) for v in value)
        return copy.deepcopy(value)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # a file written before a hyperparameter existed leaves it at its default
        for group in self.param_groups:
            for name, default in self.__dict__.get("defaults", {}).items():
                group.setdefault(name, default)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"\nParameter Group {i}" if i else "Parameter Group 0")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def run_closure(closure: Callable[[], Any] | None) -> Any:
    if closure is None:
        return None
    with adjoint.enable_grad():
        return closure()


def with_gradients(group: Group) -> tuple[list[Tensor], list[Tensor]]:
    """The parameters of a group that have a gradient, and the gradients."""
    params, grads = [], []
    for param in group["params"]:
        grad = param.grad
        if grad is not None:
            params.append(param)
            grads.append(grad)
    return params, grads


def number(value: Any) -> float:
    """A hyperparameter as a float; a tensor of one element (a learning rate, say) is read."""
    return value if type(value) is float else float(value)


def new_step() -> Tensor:
    return adjoint.tensor(0.0, dtype=_get_scalar_dtype())


def steps_as_tensors(state: dict[Any, Any]) -> None:
    """Turn the step counts of old files, plain numbers, into 0-d tensors."""
    for values in state.values():
        if "step" in values and not isinstance(values["step"], Tensor):
            values["step"] = adjoint.tensor(float(values["step"]), dtype=_get_scalar_dtype())


def check_common(group: Group) -> None:
    """The checks that all optimizers share: lr, weight_decay, the choice of a kernel."""
    if group.get("fused") and (group.get("foreach") or group.get("differentiable")):
        other = "foreach" if group.get("foreach") else "differentiable"
        raise RuntimeError(f"fused=True and {other}=True exclude each other")
    lr = group["lr"]
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
    not_negative(group, "lr", "weight_decay")


def not_negative(group: Group, *names: str) -> None:
    """Raise a ValueError for the first of the hyperparameters that is negative or nan."""
    for name in names:
        if name in group and not 0.0 <= group[name]:
            what = "learning rate" if name == "lr" else f"{name} value"
            raise ValueError(f"Invalid {what}: {group[name]} ({name} must not be negative)")


def check_betas(group: Group) -> None:
    for i, beta in enumerate(group["betas"]):
        if not 0.0 <= beta < 1.0:
            raise ValueError(
                f"Invalid beta parameter at index {i}: {beta} (it must be at least 0 and below 1)"
            )


def _split_names(given: list[Any]) -> tuple[list[Any], list[str]]:
    """Parameters and their names, from parameters or pairs of name and parameter."""
    named = [isinstance(entry, tuple) for entry in given]
    if not any(named):
        return given, []
    if not all(named):
        raise ValueError(
            "all optimizer params should be with/without names, in a group some lack one"
        )
    return [param for _, param in given], [name for name, _ in given]
