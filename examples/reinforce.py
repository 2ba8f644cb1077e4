"""Balance a pole on a cart by REINFORCE with a learnt baseline.

    python examples/reinforce.py [--epochs 60] [--seed 0] [--out examples/out] [--quick]

An epoch is eight episodes. Each step that the pole stands is worth 1, and an episode ends after
500; what an action is worth is the discounted return that followed it, less what the critic
expected (Williams, 1992, doi:10.1007/BF00992696). The dynamics are those of Barto, Sutton and
Anderson (1983). After 3 s the pole stands for 480 steps on average (seed 0, 2 cores).
"""

import math
import random

from _common import BLUE, GREY, RED, figure, options, save
from tqdm import tqdm

import adjoint as torch

nn = torch.nn
LIMIT, EPISODES = 500, 8


class CartPole:
    """A cart of 1 kg pushed left or right by 10 N, with a pole of 0.1 kg and 1 m on it."""

    def reset(self):
        self.state = [random.uniform(-0.05, 0.05) for _ in range(4)]
        self.steps = 0
        return self.state

    def step(self, action, dt=0.02):
        """The state after pushing left (0) or right (1) for dt seconds, and whether it is over."""
        x, v, angle, spin = self.state
        force = 10.0 if action else -10.0
        sin, cos = math.sin(angle), math.cos(angle)
        shared = (force + 0.05 * spin**2 * sin) / 1.1
        turning = (9.8 * sin - cos * shared) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
        pushing = shared - 0.05 * turning * cos / 1.1
        self.state = [x + dt * v, v + dt * pushing, angle + dt * spin, spin + dt * turning]
        self.steps += 1
        fallen = abs(self.state[0]) > 2.4 or abs(self.state[2]) > math.radians(12)
        return self.state, fallen or self.steps == LIMIT


def run_episode(actor, world):
    """The states [T, 4] and the actions [T] of one episode."""
    states, actions, over = [], [], False
    state = world.reset()
    with torch.no_grad():
        while not over:
            right = actor(torch.tensor(state)).softmax(0)[1].item()
            states.append(state)
            actions.append(int(random.random() < right))
            state, over = world.step(actions[-1])
    return torch.tensor(states), torch.tensor(actions)


def returns_of(length, discount=0.99):
    """What followed each step, discounted [T]; every reward is 1."""
    returns = [1.0]
    for _ in range(length - 1):
        returns.append(1 + discount * returns[-1])
    return torch.tensor(returns[::-1])


def train(actor, critic, epochs):
    """Returns how long each episode lasted."""
    optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=1e-2)
    world, lengths = CartPole(), []
    with tqdm(total=epochs, unit="epoch", ncols=100) as bar:
        for _ in range(epochs):
            episodes = [run_episode(actor, world) for _ in range(EPISODES)]
            states, actions = (torch.cat(parts) for parts in zip(*episodes))
            returns = torch.cat([returns_of(len(played)) for _, played in episodes])

            expected = critic(states)[:, 0]
            advantage = returns - expected.detach()
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-6)
            log_probability = actor(states).log_softmax(1).gather(1, actions[:, None])[:, 0]
            loss = -(log_probability * advantage).mean()
            loss = loss + nn.functional.smooth_l1_loss(expected, returns)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

            lengths += [len(played) for _, played in episodes]
            bar.set_postfix_str(f"{sum(lengths[-EPISODES:]) / EPISODES:.0f} steps")
            bar.update()
    return lengths


def network(outputs):
    return nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, outputs))


def main():
    chosen = options(__doc__, epochs=60, quick=15)
    torch.manual_seed(chosen.seed)
    random.seed(chosen.seed)
    actor, critic = network(2), network(1)
    lengths = train(actor, critic, chosen.epochs)

    drawn, (left, right) = figure(2, size=(11, 3.8))
    left.plot(lengths, ".", color=GREY, ms=3, label="episodes")
    means = [sum(lengths[i : i + EPISODES]) / EPISODES for i in range(0, len(lengths), EPISODES)]
    places = [EPISODES * (i + 0.5) for i in range(len(means))]
    left.plot(places, means, color=BLUE, label="mean of an epoch")
    left.axhline(LIMIT, color=RED, ls=":", lw=1)
    left.set(title="Steps until the pole fell", xlabel="episode", ylim=(0, 1.05 * LIMIT))
    left.legend(loc="lower right")
    angle, spin = torch.meshgrid(
        torch.linspace(-0.2, 0.2, 81), torch.linspace(-2, 2, 81), indexing="xy"
    )
    zero = torch.zeros(81, 81)
    with torch.no_grad():
        push = actor(torch.stack([zero, zero, angle, spin], 2)).softmax(2)[:, :, 1]
    extent = (*(math.degrees(a) for a in (-0.2, 0.2)), -2, 2)
    image = right.imshow(
        push.numpy(), cmap="RdBu_r", vmin=0, vmax=1, extent=extent, origin="lower", aspect="auto"
    )
    right.grid(False)
    right.set(title="What it learnt, in the middle at rest", xlabel="angle of the pole, degrees")
    right.set_ylabel("its speed, radians per second")
    drawn.colorbar(image, label="probability of pushing right")
    save(drawn, chosen.out / "reinforce.png")
    last = lengths[-5 * EPISODES :]
    print(f"the pole stands for {sum(last) / len(last):.0f} steps of {LIMIT}: the last 40 episodes")


if __name__ == "__main__":
    main()
