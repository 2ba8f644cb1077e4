"""Solve Burgers' equation with a network that has seen no solution, only the equation.

    python examples/pinn.py [--epochs 100] [--seed 0] [--out examples/out] [--quick]

u_t + u u_x = nu u_xx on -1 < x < 1, 0 < t < 1, from u = -sin(pi x), zero at both ends: the wave
steepens into a front at x = 0. The loss is the equation's residual at random points (Raissi et
al., 2019, doi:10.1016/j.jcp.2018.10.045), with derivatives of the network by its inputs, which
are then differentiated by its weights. The exact solution is an integral (Cole and Hopf), used to
judge alone. After 9 s the solution's relative error is 0.12% (seed 0, 2 cores).
"""

import numpy as np
from _common import BLUE, GREY, RED, figure, options, picture, save
from tqdm import tqdm

import adjoint as torch

nn = torch.nn
NU = 0.03


class Solution(nn.Module):
    """u(x, t) that meets the start and the ends by construction, whatever the network says."""

    def __init__(self, width=32, depth=3):
        super().__init__()
        layers = [nn.Linear(2, width), nn.Tanh()]
        for _ in range(depth - 1):
            layers += [nn.Linear(width, width), nn.Tanh()]
        self.network = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, x, t):
        free = self.network(torch.cat([x, t], 1))
        return -torch.sin(np.pi * x) + t * (1 - x**2) * free


def derivative(y, x):
    """dy/dx of each element, itself differentiable."""
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0]


def residual(u, x, t):
    x, t = x.requires_grad_(), t.requires_grad_()
    value = u(x, t)
    u_x, u_t = derivative(value, x), derivative(value, t)
    return u_t + value * u_x - NU * derivative(u_x, x)


def exact(x, t, order=100):
    """Cole and Hopf's solution [T, X] by Gauss-Hermite quadrature."""
    z, w = np.polynomial.hermite.hermgauss(order)
    y = x[None, :, None] - 2 * np.sqrt(NU * t[:, None, None]) * z  # [T, X, order]
    weight = w * np.exp(-np.cos(np.pi * y) / (2 * np.pi * NU))
    return -(weight * np.sin(np.pi * y)).sum(2) / weight.sum(2)


@torch.no_grad()
def on_grid(u, x, t):
    """The network's solution [T, X]."""
    t, x = np.meshgrid(t, x, indexing="ij")
    column = lambda a: torch.from_numpy(a.reshape(-1, 1).astype(np.float32))
    return u(column(x), column(t)).reshape(*x.shape).numpy()


def train(u, epochs, truth, x, t, rounds=50, points=512):
    """Returns the loss of each step, and after each epoch the relative error."""
    optimizer = torch.optim.Adam(u.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * rounds)
    losses, errors = [], []
    with tqdm(total=epochs * rounds, ncols=100) as bar:
        for _ in range(epochs):
            for _ in range(rounds):
                place = 2 * torch.rand(points, 1) - 1
                loss = (residual(u, place, torch.rand(points, 1)) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
                bar.update()
            errors.append(np.linalg.norm(on_grid(u, x, t) - truth) / np.linalg.norm(truth))
            bar.set_postfix_str(f"residual {losses[-1]:.1e}, error {errors[-1]:.2%}")
    return losses, errors


def main():
    chosen = options(__doc__, epochs=100, quick=8)
    torch.manual_seed(chosen.seed)
    x, t = np.linspace(-1, 1, 161), np.linspace(0, 1, 81)
    truth = exact(x, t)
    u = Solution()
    losses, errors = train(u, chosen.epochs, truth, x, t)

    drawn, (left, middle, right) = figure(3, size=(14, 3.9))
    left.semilogy(losses, color=GREY, lw=0.7, label="squared residual")
    ends = (np.arange(len(errors)) + 1) * len(losses) / len(errors)
    left.semilogy(ends, errors, color=BLUE, label="relative error of u")
    left.set(title="Learning", xlabel="step")
    left.legend()
    found = on_grid(u, x, t)
    image = picture(middle, found.T, cmap="RdBu_r", extent=(0, 1, -1, 1), origin="lower")
    middle.axis("on")
    middle.set(title="The network's u(x, t)", xlabel="t", ylabel="x", aspect="auto")
    drawn.colorbar(image, ax=middle)
    for i, alpha in zip((0, 20, 40, 80), (0.35, 0.5, 0.7, 1.0)):
        right.plot(x, found[i], color=BLUE, alpha=alpha, label=f"t = {t[i]:.2f}")
        right.plot(x, truth[i], color=RED, ls=":", lw=1.6, label="exact" if i == 80 else None)
    right.set(title="Against the exact solution", xlabel="x", ylabel="u")
    right.legend(fontsize=8)
    save(drawn, chosen.out / "pinn.png")
    print(f"relative error of the solution: {errors[-1]:.2%}")


if __name__ == "__main__":
    main()
