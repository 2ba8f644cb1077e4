"""Training with per-sample gradients clipped and noised (Abadi et al., arXiv:1607.00133),
the gradients by torch.func."""

import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad_and_value, vmap


def main():
    rng = np.random.RandomState(0)
    x = torch.from_numpy(rng.standard_normal((128, 6)))
    y = (x @ torch.from_numpy(rng.standard_normal((6, 3)))).argmax(dim=1)
    model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.LayerNorm(16), nn.Linear(16, 3)).double()
    params = {}
    for name, p in model.named_parameters():
        scale = 1.0 if name == "2.weight" else rng.uniform(-0.4, 0.4, tuple(p.shape))
        params[name] = torch.ones_like(p).detach() * torch.as_tensor(scale)

    def loss_of_one(params, x, y):
        logits = functional_call(model, params, (x.unsqueeze(0),))
        return F.cross_entropy(logits, y.unsqueeze(0))

    per_sample = vmap(grad_and_value(loss_of_one), in_dims=(None, 0, 0))

    # A loop over the samples gives the same gradients.
    grads, _ = per_sample(params, x[:4], y[:4])
    for i in range(4):
        wanted = torch.func.grad(loss_of_one)(params, x[i], y[i])
        for name in params:
            torch.testing.assert_close(grads[name][i], wanted[name])

    bound, noise, lr, losses = 1.0, 0.3, 0.5, []
    for _ in range(40):
        chosen = torch.from_numpy(rng.choice(128, 32, replace=False))
        grads, values = per_sample(params, x[chosen], y[chosen])
        norms = torch.stack([g.flatten(1).norm(dim=1) for g in grads.values()]).norm(dim=0)
        factor = (bound / norms).clamp(max=1.0)
        for name, g in grads.items():
            total = torch.einsum("b,b...->...", factor, g)
            total = total + noise * bound * torch.from_numpy(rng.standard_normal(total.shape))
            params[name] = params[name] - lr * total / len(chosen)
        losses.append(values.mean().item())
    print(json.dumps({"losses": losses}))


if __name__ == "__main__":
    main()
