"""Gaussian process regression by Cholesky's factorisation, its hyperparameters learnt.

Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", algorithm 2.1.
"""

import json
import math

import numpy as np
import torch


class GaussianProcess(torch.nn.Module):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y
        # Logarithms, so that the values stay positive.
        self.log_length = torch.nn.Parameter(torch.tensor(0.7, dtype=x.dtype))
        self.log_scale = torch.nn.Parameter(torch.tensor(-0.5, dtype=x.dtype))
        self.log_noise = torch.nn.Parameter(torch.tensor(-0.5, dtype=x.dtype))

    def kernel(self, a, b):
        squared = (a.unsqueeze(1) - b.unsqueeze(0)).pow(2).sum(-1)
        return torch.exp(2 * self.log_scale - 0.5 * squared * torch.exp(-2 * self.log_length))

    def factor(self):
        noise = torch.exp(2 * self.log_noise) * torch.eye(len(self.x), dtype=self.x.dtype)
        low = torch.linalg.cholesky(self.kernel(self.x, self.x) + noise)
        return low, torch.cholesky_solve(self.y.unsqueeze(-1), low).squeeze(-1)

    def negative_log_likelihood(self):
        low, alpha = self.factor()
        fit = 0.5 * self.y @ alpha
        complexity = torch.diagonal(low).log().sum()
        return fit + complexity + 0.5 * len(self.y) * math.log(2 * math.pi)

    def predict(self, at):
        low, alpha = self.factor()
        across = self.kernel(self.x, at)
        mean = across.T @ alpha
        v = torch.linalg.solve_triangular(low, across, upper=False)
        variance = torch.exp(2 * self.log_scale) - v.pow(2).sum(0)
        return mean, variance


def main():
    rng = np.random.RandomState(0)
    x = torch.from_numpy(np.sort(rng.uniform(-3, 3, (40, 1)), axis=0))
    y = torch.sin(2 * x[:, 0]) + 0.1 * torch.from_numpy(rng.standard_normal(40))
    process = GaussianProcess(x, y)
    optimizer = torch.optim.Adam(process.parameters(), lr=0.1)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=5, factor=0.5)

    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = process.negative_log_likelihood()
        loss.backward()
        optimizer.step()
        plateau.step(loss.item())
        losses.append(loss.item())

    # The same likelihood, as a density of torch.distributions.
    with torch.no_grad():
        noise = process.log_noise.mul(2).exp() * torch.eye(40, dtype=x.dtype)
        prior = torch.distributions.MultivariateNormal(
            torch.zeros_like(y), covariance_matrix=process.kernel(x, x) + noise
        )
        torch.testing.assert_close(-prior.log_prob(y), process.negative_log_likelihood())
        at = torch.linspace(-2.5, 2.5, 11, dtype=x.dtype).unsqueeze(-1)
        mean, variance = process.predict(at)
    error = (mean - torch.sin(2 * at[:, 0])).abs().max().item()
    assert error < 0.25 and variance.min() > 0
    noise = process.log_noise.exp().item()
    print(json.dumps({"losses": losses, "noise": noise, "error": error}))


if __name__ == "__main__":
    main()
