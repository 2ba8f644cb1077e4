"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import adjoint
from adjoint import Tensor

from ._line_search import Point, strong_wolfe
from .optimizer import Group, Optimizer, check_common, run_closure

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Limited-memory BFGS (Nocedal, "Updating Quasi-Newton Matrices with Limited Storage", 1980).

    A step runs up to ``max_iter`` iterations and evaluates the closure several times. All
    parameters are taken as one vector: there can be one group only.

    Args:
        params: the parameters, see :class:`Optimizer`.
        lr: the first step length that is tried, and without a line search the only one.
        max_iter: iterations in a step.
        max_eval: evaluations in a step, ``1.25 * max_iter`` if None.
        tolerance_grad: a step ends when no element of the gradient is larger.
        tolerance_change: a step ends when loss or parameters change by less.
        history_size: how many past directions make the curvature.
        line_search_fn: None, or "strong_wolfe".

    Raises:
        ValueError: a negative ``lr``, several groups, or an unknown line search.

    >>> x = adjoint.nn.Parameter(adjoint.tensor([3.0, -2.0]))
    >>> optimizer = adjoint.optim.LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (x[0] - 1) ** 2 + 10 * (x[1] - 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    164.0
    >>> bool((x - adjoint.tensor([1.0, 2.0])).abs().max() < 1e-4)
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(
                f"line_search_fn must be None or 'strong_wolfe', got {group['line_search_fn']!r}"
            )

    def add_param_group(self, param_group: Group) -> None:
        """Add the only group; a second one is a ValueError."""
        if self.param_groups:
            raise ValueError("LBFGS takes all parameters as one vector: there can be one group")
        super().add_param_group(param_group)

    @property
    def _params(self) -> list[Tensor]:
        return cast("list[Tensor]", self.param_groups[0]["params"])

    def _flat_grad(self) -> Tensor:
        return adjoint.cat(
            [
                adjoint.zeros_like(p).reshape(-1) if p.grad is None else p.grad.reshape(-1)
                for p in self._params
            ]
        )

    def _move(self, t: float, direction: Tensor) -> None:
        """Add ``t * direction`` to the parameters."""
        start = 0
        for p in self._params:
            p.add_(direction[start : start + p.numel()].view_as(p), alpha=t)
            start += p.numel()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Minimize along several directions.

        Args:
            closure: clears the gradients, computes the loss and its gradients, returns the loss.

        Returns:
            The loss before the step.
        """
        if closure is None:
            raise TypeError("LBFGS evaluates the loss several times in a step: it needs a closure")
        with adjoint.no_grad():
            return self._minimize(closure)

    def _minimize(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        lr = float(group["lr"])
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = run_closure(closure)
        loss, grad = float(first_loss), self._flat_grad()
        state["func_evals"] += 1
        evaluations = 1
        if _largest(grad) <= group["tolerance_grad"]:
            return first_loss

        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(state, grad, group["history_size"])
            before = loss
            state["prev_flat_grad"], state["prev_loss"] = grad.clone(), loss
            # the gradient alone has no scale, so the first step is short
            t = min(1.0, 1.0 / grad.abs().sum().item()) * lr if state["n_iter"] == 1 else lr
            state["d"], state["t"] = direction, t
            slope = grad.dot(direction).item()
            if slope > -group["tolerance_change"]:
                break
            used = 0
            if group["line_search_fn"] is not None:
                start = Point(0.0, loss, grad, slope)
                most = group["max_eval"] - evaluations
                found, used = self._search(closure, direction, start, t, most, group)
                t, loss, grad = found.t, found.loss, found.grad
                self._move(t, direction)
            else:
                self._move(t, direction)
                if iteration != group["max_iter"]:  # else nobody would use it
                    loss, grad = float(run_closure(closure)), self._flat_grad()
                    used = 1
            state["t"] = t
            evaluations += used
            state["func_evals"] += used
            if (
                evaluations >= group["max_eval"]
                or _largest(grad) <= group["tolerance_grad"]
                or _largest(direction) * abs(t) <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        return first_loss

    def _direction(self, state: dict[str, Any], grad: Tensor, history_size: int) -> Tensor:
        """The quasi-Newton direction: the two-loop recursion (Nocedal, Wright, algorithm 7.4)."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -grad
        changes, moves, scales = state["old_dirs"], state["old_stps"], state["ro"]
        change, move = grad - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = change.dot(move)
        if curvature.item() > 1e-10:
            if len(changes) == history_size:
                for history in (changes, moves, scales):
                    history.pop(0)
            changes.append(change)
            moves.append(move)
            scales.append(1.0 / curvature)
            state["H_diag"] = curvature / change.dot(change)
        al = state["al"] = [None] * history_size
        r = -grad
        for i in reversed(range(len(changes))):
            al[i] = moves[i].dot(r) * scales[i]
            r = r - al[i] * changes[i]
        r = r * state["H_diag"]
        for i in range(len(changes)):
            r = r + (al[i] - changes[i].dot(r) * scales[i]) * moves[i]
        return r

    def _search(
        self,
        closure: Callable[[], Any],
        direction: Tensor,
        start: Point,
        t: float,
        most: int,
        group: Group,
    ) -> tuple[Point, int]:
        origin = [p.clone() for p in self._params]

        def at(t: float) -> Point:
            self._move(t, direction)
            loss, grad = float(run_closure(closure)), self._flat_grad()
            for p, value in zip(self._params, origin):
                p.copy_(value)
            return Point(t, loss, grad, grad.dot(direction).item())

        return strong_wolfe(
            at, start, t, _largest(direction), group["tolerance_change"], max_iter=most
        )


def _largest(x: Tensor) -> float:
    return x.abs().max().item()
