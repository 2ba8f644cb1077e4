"""Hessian-free optimisation: Newton steps by conjugate gradients on Hessian-vector products.

Martens 2010, "Deep learning via Hessian-free optimization"; the products are Pearlmutter's (1994).
"""

import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters


def two_spirals(rng, count):
    t = np.sqrt(rng.uniform(0, 1, count)) * 1.2 * np.pi
    sign = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    points = np.stack([sign * t * np.cos(t), sign * t * np.sin(t)], 1) / 3
    return torch.from_numpy(points), torch.from_numpy((sign > 0).astype(np.float64))


class HessianFree(torch.optim.Optimizer):
    """Levenberg and Marquardt's damping; each step solves (H + damping) d = -g."""

    def __init__(self, params, damping=1.0, iterations=20):
        super().__init__(params, {"damping": damping, "iterations": iterations})

    def step(self, closure):
        group = self.param_groups[0]
        params = group["params"]
        with torch.enable_grad():
            loss = closure()
            grads = torch.autograd.grad(loss, params, create_graph=True)
        flat = torch.cat([g.reshape(-1) for g in grads])
        gradient = flat.detach()

        def product(v):
            hv = torch.autograd.grad(flat, params, v, retain_graph=True)
            return torch.cat([h.reshape(-1) for h in hv]) + group["damping"] * v

        direction = self.solve(product, -gradient, group["iterations"])
        start = parameters_to_vector(params).detach()
        predicted = torch.dot(gradient, direction) + 0.5 * torch.dot(direction, product(direction))
        with torch.no_grad():
            vector_to_parameters(start + direction, params)
            ratio = ((closure() - loss) / predicted).item()
            if ratio > 0.75:
                group["damping"] *= 2 / 3
            elif ratio < 0.25:
                group["damping"] *= 1.5
            if ratio <= 0:  # no gain: stay, and be more careful
                vector_to_parameters(start, params)
        return loss.detach()

    @staticmethod
    def solve(product, b, iterations):
        x, r, p = torch.zeros_like(b), b.clone(), b.clone()
        rr = r.dot(r)
        for _ in range(iterations):
            hp = product(p)
            curvature = p.dot(hp)
            if curvature <= 0:  # a direction that H bends down: stop before it
                break
            alpha = rr / curvature
            x = x + alpha * p
            r = r - alpha * hp
            rr, old = r.dot(r), rr
            if rr.sqrt() < 1e-6:
                break
            p = r + rr / old * p
        return x if x.any() else b


def main():
    rng = np.random.RandomState(0)
    points, labels = two_spirals(rng, 120)
    model = nn.Sequential(
        nn.Linear(2, 12), nn.Tanh(), nn.Linear(12, 12), nn.Softplus(), nn.Linear(12, 1)
    ).double()
    for p in model.parameters():
        p.data = torch.from_numpy(rng.normal(0, 0.5, tuple(p.shape)))
    optimizer = HessianFree(model.parameters())

    def closure():
        return F.binary_cross_entropy_with_logits(model(points).squeeze(-1), labels)

    losses = [optimizer.step(closure).item() for _ in range(30)]
    accuracy = ((model(points).squeeze(-1) > 0) == labels.bool()).double().mean()
    print(json.dumps({"losses": losses, "accuracy": accuracy.item()}))


if __name__ == "__main__":
    main()
