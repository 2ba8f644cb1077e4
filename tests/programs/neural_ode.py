"""A neural ordinary differential equation, its gradient by the adjoint method: the loss's
derivative is integrated backwards in time, and no step of the solver is kept.

Chen et al., arXiv:1806.07366, section 2 and appendix B.
"""

import json

import numpy as np
import torch
from torch import nn


def rk4(f, t0, t1, y, steps=10):
    """The classical Runge-Kutta method, for a tuple of tensors."""
    h = (t1 - t0) / steps
    t = t0

    def moved(y, k, by):
        return tuple(a + by * b for a, b in zip(y, k))

    for _ in range(steps):
        k1 = f(t, y)
        k2 = f(t + h / 2, moved(y, k1, h / 2))
        k3 = f(t + h / 2, moved(y, k2, h / 2))
        k4 = f(t + h, moved(y, k3, h))
        y = tuple(a + h / 6 * (b + 2 * c + 2 * d + e) for a, b, c, d, e in zip(y, k1, k2, k3, k4))
        t = t + h
    return y


class ODESolve(torch.autograd.Function):
    """States at the given times; backward solves the augmented equation."""

    @staticmethod
    def forward(ctx, func, times, y0, *parameters):
        with torch.no_grad():
            states = [y0]
            for t0, t1 in zip(times[:-1], times[1:]):
                (y,) = rk4(lambda t, y: (func(t, y[0]),), t0, t1, (states[-1],))
                states.append(y)
            states = torch.stack(states)  # [T, B, D]
        ctx.func = func
        ctx.save_for_backward(times, states, *parameters)
        return states

    @staticmethod
    def backward(ctx, grad):
        times, states, *parameters = ctx.saved_tensors

        def augmented(t, state):
            y, a, *_ = state
            with torch.enable_grad():
                y = y.detach().requires_grad_(True)
                dy = ctx.func(t, y)
                vjp = torch.autograd.grad(dy, [y, *parameters], a, allow_unused=True)
            vjp = [torch.zeros_like(p) if v is None else v for v, p in zip(vjp, [y, *parameters])]
            return (dy.detach(), *(-v for v in vjp))

        a = grad[-1]
        wrt = [torch.zeros_like(p) for p in parameters]
        for i in range(len(times) - 1, 0, -1):
            state = rk4(augmented, times[i], times[i - 1], (states[i], a, *wrt))
            a, wrt = state[1] + grad[i - 1], list(state[2:])
        return None, None, a, *wrt


class Field(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))

    def forward(self, t, y):
        return self.net(y**3)


def main():
    rng = np.random.RandomState(0)
    truth = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]], dtype=torch.float64)
    times = torch.linspace(0, 1.2, 5, dtype=torch.float64)
    y0 = torch.from_numpy(rng.uniform(-1.2, 1.2, (8, 2)))
    with torch.no_grad():
        spiral = ODESolve.apply(lambda t, y: y**3 @ truth, times, y0)

    field = Field().double()
    for parameter in field.parameters():
        nn.init.zeros_(parameter)
        if parameter.dim() == 2:
            parameter.data += torch.from_numpy(rng.normal(0, 0.4, tuple(parameter.shape)))
    optimizer = torch.optim.RMSprop(field.parameters(), lr=1e-2)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        predicted = ODESolve.apply(field, times, y0, *field.parameters())
        loss = torch.mean(torch.abs(predicted - spiral))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    # The adjoint method's gradient is that of differentiating through the solver, nearly.
    field.zero_grad()
    ODESolve.apply(field, times, y0, *field.parameters())[-1].pow(2).sum().backward()
    y = (y0,)
    for t0, t1 in zip(times[:-1], times[1:]):
        y = rk4(lambda t, y: (field(t, y[0]),), t0, t1, y)
    direct = torch.autograd.grad(y[0].pow(2).sum(), list(field.parameters()))
    off = max((p.grad - g).abs().max().item() for p, g in zip(field.parameters(), direct))
    assert off < 1e-4
    print(json.dumps({"losses": losses}))


if __name__ == "__main__":
    main()
