"""An actor and a critic, with generalised advantages, find the way through a windy grid.

Advantages: Schulman et al., arXiv:1506.02438, equation 16.
"""

import json
from collections import namedtuple

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical

SIDE = 5
Step = namedtuple("Step", "log_prob value reward entropy")


class Grid:
    """From one corner to the other; now and then the wind blows a step aside."""

    moves = ((-1, 0), (1, 0), (0, -1), (0, 1))

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.at = np.array([0, 0])
        return self.observe()

    def observe(self):
        index = torch.tensor(int(self.at[0] * SIDE + self.at[1]))
        return F.one_hot(index, num_classes=SIDE * SIDE).double()

    def step(self, action):
        if self.rng.uniform() < 0.1:
            action = self.rng.randint(4)
        self.at = np.clip(self.at + self.moves[action], 0, SIDE - 1)
        done = bool((self.at == SIDE - 1).all())
        return self.observe(), (1.0 if done else -0.05), done


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(SIDE * SIDE, 32)
        self.actor = nn.Linear(32, 4)
        self.critic = nn.Linear(32, 1)

    def forward(self, x):
        x = torch.tanh(self.shared(x))
        return Categorical(logits=self.actor(x)), self.critic(x).squeeze(-1)


def run_episode(env, model, rng, longest=60):
    steps, observation = [], env.reset()
    for _ in range(longest):
        policy, value = model(observation)
        threshold = rng.uniform()
        action = int((policy.probs.cumsum(-1) < threshold).sum().clamp(max=3))
        observation, reward, done = env.step(action)
        log_prob = policy.log_prob(torch.tensor(action))
        steps.append(Step(log_prob, value, reward, policy.entropy()))
        if done:
            return steps, 0.0
    with torch.no_grad():
        return steps, model(observation)[1].item()


def objective(steps, last, gamma=0.97, smoothing=0.9):
    values = torch.stack([s.value for s in steps])
    following = [*values[1:].tolist(), last]
    advantage, advantages = 0.0, []
    for s, after in zip(reversed(steps), reversed(following)):
        delta = s.reward + gamma * after - s.value.item()
        advantage = delta + gamma * smoothing * advantage
        advantages.append(advantage)
    advantages = torch.tensor(advantages[::-1], dtype=torch.float64)
    targets = advantages + values.detach()
    actor = -(torch.stack([s.log_prob for s in steps]) * advantages).mean()
    critic = F.smooth_l1_loss(values, targets)
    entropy = torch.stack([s.entropy for s in steps]).mean()
    return actor + 0.5 * critic - 0.01 * entropy


def main():
    rng = np.random.RandomState(0)
    env, model = Grid(rng), ActorCritic().double()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.from_numpy(rng.uniform(-0.3, 0.3, tuple(p.shape))))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    losses, objectives = [], []
    for _ in range(70):
        steps, last = run_episode(env, model, rng)
        loss = objective(steps, last)
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        assert torch.isfinite(norm)
        optimizer.step()
        objectives.append(loss.item())
        losses.append(float(len(steps)))  # steps to the goal: 8 at the least
    print(json.dumps({"losses": losses, "objective": objectives, "last": np.mean(losses[-10:])}))


if __name__ == "__main__":
    main()
