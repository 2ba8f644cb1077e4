"""Mixed precision: `autocast` picks the dtype of each operator, `GradScaler` keeps gradients large.

On the CPU bfloat16 has the range of float32, so training with it needs no scaler; the scaler works
all the same, for programs that use one.

Mixed Precision Training, Micikevicius et al., 2018.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import adjoint
from adjoint import Tensor, _core

__all__ = [
    "GradScaler",
    "autocast",
    "custom_bwd",
    "custom_fwd",
    "get_autocast_dtype",
    "is_autocast_available",
    "is_autocast_enabled",
]

F = TypeVar("F", bound=Callable[..., Any])


class autocast(contextlib.ContextDecorator):
    """Run what is inside in mixed precision: products in `dtype`, losses and norms in float32.

    A context manager and a decorator. Matrix products, linear layers, convolutions and attention
    take their floating arguments (all but float64) in the lower dtype; exponentials, sums, norms
    and losses take halves in float32; other operators follow from their arguments.

    Args:
        device_type: "cpu"; for "cuda", which is absent, the mode is off and a warning says so.
        dtype: bfloat16 (the default) or float16.
        enabled: switches it off, also inside another `autocast`.
        cache_enabled: accepted.

    >>> net = adjoint.nn.Linear(2, 2)
    >>> with adjoint.autocast("cpu"):
    ...     y = net(adjoint.ones(1, 2))
    >>> y.dtype
    torch.bfloat16
    """

    def __init__(
        self,
        device_type: str = "cpu",
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device_type, self.cache_enabled = device_type, cache_enabled
        self.dtype = self.fast_dtype = _core.bfloat16 if dtype is None else dtype
        self._enabled = enabled
        if device_type != "cpu" and enabled:
            warnings.warn(
                f"autocast of device type {device_type!r}, which is not available: it is disabled",
                UserWarning,
                stacklevel=2,
            )
        elif enabled and self.dtype not in (_core.bfloat16, _core.float16):
            warnings.warn(
                f"In CPU autocast, but the target dtype {self.dtype} is not supported: it is "
                "disabled. CPU autocast supports torch.bfloat16 and torch.float16.",
                UserWarning,
                stacklevel=2,
            )
            self._enabled = False
        self._before: list[Any] = []

    def __enter__(self) -> autocast:
        self._before.append(_core._autocast_dtype())
        if self.device_type == "cpu":
            _core._set_autocast_dtype(self.dtype if self._enabled else None)
        return self

    def __exit__(self, *_: object) -> None:
        _core._set_autocast_dtype(self._before.pop())

    def _recreate_cm(self) -> autocast:  # so that a decorated function may call itself
        return self


def is_autocast_enabled(device_type: str = "cpu") -> bool:
    """Whether `autocast` is in force for this kind of device.

    >>> adjoint.is_autocast_enabled()
    False
    """
    return device_type == "cpu" and _core._autocast_dtype() is not None


def get_autocast_dtype(device_type: str = "cpu") -> Any:
    """The dtype that `autocast` lowers to, or would.

    >>> adjoint.get_autocast_dtype("cpu")
    torch.bfloat16
    """
    return _core._autocast_dtype() or _core.bfloat16


def is_autocast_available(device_type: str) -> bool:
    """Whether there is an `autocast` for this kind of device: for "cpu" alone.

    >>> adjoint.amp.is_autocast_available("cpu")
    True
    """
    return device_type == "cpu"


def custom_fwd(fwd: Any = None, *, device_type: str = "cpu", cast_inputs: Any = None) -> Any:
    """Decorates a Function's forward: it runs with `autocast` as it is, or, with `cast_inputs`,
    without it and with its floating tensors in that dtype.
    """
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        ctx._autocast_dtype = _core._autocast_dtype()
        if cast_inputs is None or ctx._autocast_dtype is None:
            return fwd(ctx, *args, **kwargs)

        def cast(x: Any) -> Any:
            fits = isinstance(x, Tensor) and x.is_floating_point() and x.dtype != _core.float64
            return x.to(cast_inputs) if fits else x

        ctx._autocast_dtype = None
        with autocast(enabled=False):
            return fwd(ctx, *map(cast, args), **{k: cast(v) for k, v in kwargs.items()})

    return forward


def custom_bwd(bwd: Any = None, *, device_type: str = "cpu") -> Any:
    """Decorates a Function's backward: it runs with the `autocast` that its forward ran with."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def backward(ctx: Any, *args: Any) -> Any:
        dtype = getattr(ctx, "_autocast_dtype", None)
        with autocast("cpu", dtype=dtype, enabled=dtype is not None):
            return bwd(ctx, *args)

    return backward


class GradScaler:
    """Multiplies losses by a factor, so that small gradients do not vanish in float16.

    `scale(loss).backward()`, `step(optimizer)`, `update()`: the gradients are divided by the factor
    before the step, which is skipped if any of them is infinite or NaN; then the factor shrinks.
    After `growth_interval` steps without that, it grows.

    Args:
        device: accepted.
        init_scale, growth_factor, backoff_factor, growth_interval: as said.
        enabled: without it, all of this passes through.

    >>> w = adjoint.ones(1, requires_grad=True)
    >>> optimizer, scaler = adjoint.optim.SGD([w], lr=0.5), adjoint.amp.GradScaler("cpu")
    >>> scaler.scale((w * 2).sum()).backward()
    >>> _ = scaler.step(optimizer)
    >>> scaler.update()
    >>> w
    tensor([0.], requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cpu",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and growth_factor <= 1.0:
            raise AssertionError(f"The growth factor must be > 1.0, got {growth_factor}")
        if enabled and not backoff_factor < 1.0:
            raise AssertionError(f"The backoff factor must be < 1.0, got {backoff_factor}")
        self._scale, self._growth_factor = float(init_scale), growth_factor
        self._backoff_factor, self._growth_interval = backoff_factor, growth_interval
        self._enabled, self._good_steps = enabled, 0
        self._infinite: dict[int, bool] = {}  # by optimizer, since the last update
        self._stepped: set[int] = set()

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def get_scale(self) -> float:
        """The factor; 1 if disabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """By how much the factor grows."""
        return self._growth_factor

    def get_backoff_factor(self) -> float:
        """By how much the factor shrinks."""
        return self._backoff_factor

    def get_growth_interval(self) -> int:
        """After how many good steps the factor grows."""
        return self._growth_interval

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets by how much the factor grows."""
        self._growth_factor = new_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets by how much the factor shrinks."""
        self._backoff_factor = new_factor

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets after how many good steps the factor grows."""
        self._growth_interval = new_interval

    def scale(self, outputs: Any) -> Any:
        """The tensor, or each of an iterable of them, times the factor."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, Iterable):
            scaled = [self.scale(x) for x in outputs]
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of the optimizer's parameters by the factor, once per step."""
        if not self._enabled:
            return
        key = id(optimizer)
        if key in self._stepped:
            raise RuntimeError("unscale_() is being called after step().")
        if key in self._infinite:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        self._unscale(optimizer)

    def _unscale(self, optimizer: Any) -> None:
        grads = [
            p.grad for group in optimizer.param_groups for p in group["params"]
            if p.grad is not None
        ]  # fmt: skip
        inverse = 1.0 / self._scale
        infinite = False
        with adjoint.no_grad():
            for g in grads:
                g.mul_(inverse)
                infinite = infinite or not bool(g.isfinite().all())
        self._infinite[id(optimizer)] = infinite

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """`optimizer.step(*args, **kwargs)`, unless a gradient is infinite or NaN."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        key = id(optimizer)
        if key in self._stepped:
            raise RuntimeError("step() has already been called since the last update().")
        if key not in self._infinite:
            self._unscale(optimizer)
        self._stepped.add(key)
        return None if self._infinite[key] else optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapts the factor to what the steps since the last update met, or sets it."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._infinite:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(self._infinite.values()):
            self._scale *= self._backoff_factor
            self._good_steps = 0
        else:
            self._good_steps += 1
            if self._good_steps == self._growth_interval:
                self._scale *= self._growth_factor
                self._good_steps = 0
        self._infinite.clear()
        self._stepped.clear()

    def state_dict(self) -> dict[str, Any]:
        """The factor and how it changes; empty if disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._good_steps,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._good_steps = int(state_dict["_growth_tracker"])
