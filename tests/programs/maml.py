"""Model-agnostic meta-learning of sine waves: a gradient of what gradient steps lead to.

Finn, Abbeel and Levine, arXiv:1703.03400, algorithm 2 and section 5.1.
"""

import json
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(1, hidden), nn.Linear(hidden, 1)])

    def forward(self, x, params=None):
        params = params or OrderedDict(self.named_parameters())
        x = F.linear(x, params["layers.0.weight"], params["layers.0.bias"])
        return F.linear(torch.tanh(x), params["layers.1.weight"], params["layers.1.bias"])


class Sine:
    """A task: a wave of its own amplitude and phase."""

    def __init__(self, rng):
        self.rng = rng
        self.amplitude, self.phase = rng.uniform(0.5, 2.0), rng.uniform(0, np.pi)

    def draw(self, count):
        x = torch.from_numpy(self.rng.uniform(-3, 3, (count, 1)))
        return x, self.amplitude * torch.sin(x + self.phase)


def adapt(model, x, y, lr, steps, create_graph):
    params = OrderedDict(model.named_parameters())
    for _ in range(steps):
        loss = F.mse_loss(model(x, params), y)
        grads = torch.autograd.grad(loss, list(params.values()), create_graph=create_graph)
        params = OrderedDict((n, p - lr * g) for (n, p), g in zip(params.items(), grads))
    return params


def main():
    rng = np.random.RandomState(0)
    model = Net().double()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.from_numpy(rng.normal(0, 0.5, tuple(p.shape))))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses, inner, tasks = [], 0.05, 6
    for _ in range(80):
        optimizer.zero_grad()
        outer = 0.0
        for _ in range(tasks):
            task = Sine(rng)
            params = adapt(model, *task.draw(10), lr=inner, steps=2, create_graph=True)
            x, y = task.draw(10)
            outer = outer + F.mse_loss(model(x, params), y) / tasks
        outer.backward()
        nn.utils.clip_grad_value_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(outer.item())

    # On new tasks a few steps from the learnt start go further than before them.
    before = after = 0.0
    for _ in range(20):
        task = Sine(rng)
        params = adapt(model, *task.draw(10), lr=inner, steps=5, create_graph=False)
        x, y = task.draw(50)
        with torch.no_grad():
            before += F.mse_loss(model(x), y).item() / 20
            after += F.mse_loss(model(x, params), y).item() / 20
    assert after < before
    print(json.dumps({"losses": losses, "before": before, "after": after}))


if __name__ == "__main__":
    main()
