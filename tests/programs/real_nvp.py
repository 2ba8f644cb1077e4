"""A normalizing flow of affine couplings (RealNVP, arXiv:1605.08803) on two moons, and a
density by `TransformedDistribution` beside it."""

import json

import numpy as np
import torch
import torch.distributions as D
from torch import nn


class Coupling(nn.Module):
    def __init__(self, mask, hidden=24):
        super().__init__()
        self.register_buffer("mask", mask)
        self.s = nn.Sequential(
            nn.Linear(2, hidden), nn.LeakyReLU(), nn.Linear(hidden, 2), nn.Tanh()
        )
        self.t = nn.Sequential(nn.Linear(2, hidden), nn.LeakyReLU(), nn.Linear(hidden, 2))

    def forward(self, x):
        kept = x * self.mask
        s, t = self.s(kept) * (1 - self.mask), self.t(kept) * (1 - self.mask)
        return kept + (1 - self.mask) * (x - t) * torch.exp(-s), -s.sum(dim=-1)

    def inverse(self, z):
        kept = z * self.mask
        s, t = self.s(kept) * (1 - self.mask), self.t(kept) * (1 - self.mask)
        return kept + (1 - self.mask) * (z * torch.exp(s) + t)


class RealNVP(nn.Module):
    def __init__(self, layers):
        super().__init__()
        masks = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(layers // 2, 1)
        self.layers = nn.ModuleList(Coupling(mask) for mask in masks)
        self.prior = D.MultivariateNormal(torch.zeros(2), torch.eye(2))

    def log_prob(self, x):
        total = x.new_zeros(x.shape[0])
        for layer in self.layers:
            x, log_det = layer(x)
            total += log_det
        return self.prior.log_prob(x) + total

    def decode(self, z):
        for layer in reversed(self.layers):
            z = layer.inverse(z)
        return z


def moons(rng, count):
    angle, which = rng.uniform(0, np.pi, count), rng.randint(2, size=count)
    x = np.stack([np.cos(angle), np.sin(angle)], 1)
    x[which == 1] = np.array([1.0, 0.5]) - x[which == 1]
    return torch.from_numpy(x + rng.normal(scale=0.05, size=x.shape))


def main():
    torch.set_default_dtype(torch.float64)
    rng = np.random.RandomState(0)
    flow = RealNVP(6)
    with torch.no_grad():
        for p in flow.parameters():
            p.copy_(
                torch.from_numpy(rng.normal(scale=0.3 / np.sqrt(p.shape[-1]), size=tuple(p.shape)))
            )
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=120)
    losses = []
    for _ in range(120):
        loss = -flow.log_prob(moons(rng, 128)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    with torch.no_grad():
        x = moons(rng, 16)
        z = x
        for layer in flow.layers:
            z, _ = layer(z)
        back = (flow.decode(z) - x).abs().max().item()
        torch.testing.assert_close(flow.decode(z), x)
    base = D.Independent(D.Normal(torch.zeros(2), torch.ones(2)), 1)
    pushed = D.TransformedDistribution(base, [D.AffineTransform(0.5, 2.0), D.TanhTransform()])
    density = pushed.log_prob(torch.tanh(x / 4)).mean().item()
    print(json.dumps({"losses": losses, "density": density, "inverts": back < 1e-8}))


if __name__ == "__main__":
    main()
