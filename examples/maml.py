"""Learn to learn: from ten points to a whole sine wave in five steps of gradient descent.

    python examples/maml.py [--epochs 150] [--seed 0] [--out examples/out] [--quick]

A task is a wave of its own amplitude and phase. MAML (Finn et al., 2017, arXiv:1703.03400) looks
for weights that a little descent on a task's ten points turns into a good model of that task: the
outer gradient goes through the inner gradient steps, all tasks of a batch at once under `vmap`.
After 45 s the squared error of new waves falls from 3.36 to 0.062 (seed 0, 2 cores).
"""

import math

from _common import BLUE, GREY, RED, figure, options, save
from tqdm import tqdm

import adjoint as torch

nn = torch.nn
STEPS, RATE = 5, 0.02


def make_tasks(count, points=10):
    """x and y [count, points, 1] to adapt to, and others of the same waves to be judged by."""
    amplitude = 0.5 + 4.5 * torch.rand(count, 1, 1)
    phase = math.pi * torch.rand(count, 1, 1)
    near, far = (10 * torch.rand(count, points, 1) - 5 for _ in range(2))
    wave = lambda x: amplitude * torch.sin(x - phase)
    return near, wave(near), far, wave(far)


def mse(network, weights, x, y):
    return nn.functional.mse_loss(torch.func.functional_call(network, weights, (x,)), y)


def adapted(network, weights, x, y, steps=STEPS):
    """The weights after some steps of gradient descent on (x, y)."""
    gradient = torch.func.grad(lambda w: mse(network, w, x, y))
    for _ in range(steps):
        slopes = gradient(weights)
        weights = {name: w - RATE * slopes[name] for name, w in weights.items()}
    return weights


def losses_after(network, weights, tasks, steps=STEPS):
    """For each task [count], the loss on its second points after adapting to the first."""

    def one(near, wave_near, far, wave_far):
        return mse(network, adapted(network, weights, near, wave_near, steps), far, wave_far)

    return torch.func.vmap(one)(*tasks)


def train(network, epochs, rounds=50, batch=32):
    """Returns the loss before and after adaptation, the means over each epoch."""
    weights = dict(network.named_parameters())
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    history = []
    with tqdm(total=epochs * rounds, ncols=100) as bar:
        for _ in range(epochs):
            before = after = 0.0
            for _ in range(rounds):
                tasks = make_tasks(batch)
                loss = losses_after(network, weights, tasks).mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 10.0)
                optimizer.step()
                with torch.no_grad():
                    before += mse(network, weights, *tasks[2:]).item() / rounds
                after += loss.item() / rounds
                bar.update()
            schedule.step()
            history.append((before, after))
            bar.set_postfix_str(f"loss {before:.2f}, adapted {after:.3f}")
    return history


def draw(network, history, out):
    weights = {k: w.detach() for k, w in network.named_parameters()}
    drawn, axes = figure(4, size=(15, 3.6))
    for values, colour, label in zip(zip(*history), (GREY, BLUE), ("as it is", "adapted")):
        axes[0].semilogy(range(1, len(values) + 1), values, color=colour, label=label)
    axes[0].set(title="Squared error of new tasks", xlabel="epoch")
    axes[0].legend()
    x = torch.linspace(-5, 5, 200)[:, None]
    for panel, amplitude, phase in zip(axes[1:], (1.0, 2.5, 4.5), (0.3, 2.7, 1.4)):
        wave = lambda x, a=amplitude, p=phase: a * torch.sin(x - p)
        near = 10 * torch.rand(10, 1) - 5
        model = adapted(network, weights, near, wave(near))
        for w, colour, label in ((weights, GREY, "before"), (model, BLUE, "after 5 steps")):
            y = torch.func.functional_call(network, w, (x,)).detach()
            panel.plot(x[:, 0].numpy(), y[:, 0].numpy(), color=colour, label=label)
        panel.plot(x[:, 0].numpy(), wave(x)[:, 0].numpy(), color=RED, ls=":", label="the wave")
        panel.plot(near[:, 0].numpy(), wave(near)[:, 0].numpy(), "o", color=RED, ms=4)
        panel.set(ylim=(-5.6, 5.6), xlabel="x")
    axes[1].legend(loc="upper left", ncols=3, fontsize=8, columnspacing=1, handlelength=1.5)
    axes[2].set_title("Three new waves, ten points of each")
    save(drawn, out / "maml.png")


def main():
    chosen = options(__doc__, epochs=150, quick=6)
    torch.manual_seed(chosen.seed)
    network = nn.Sequential(
        nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1)
    )
    history = train(network, chosen.epochs)
    weights = {k: w.detach() for k, w in network.named_parameters()}
    before, after = (
        losses_after(network, weights, make_tasks(500), steps).mean().item() for steps in (0, STEPS)
    )
    draw(network, history, chosen.out)
    print(f"squared error of 500 new waves: {before:.2f} as it is, {after:.3f} adapted")


if __name__ == "__main__":
    main()
