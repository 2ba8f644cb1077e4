"""REINFORCE on a pole that must be kept upright on a cart.

Williams 1992; the cart and the pole are those of Barto, Sutton and Anderson 1983.
"""

import json
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical


class CartPole:
    gravity, cart, pole, half_length, force, tau = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.state = self.rng.uniform(-0.05, 0.05, 4)
        return self.state

    def step(self, action):
        x, speed, angle, spin = self.state
        push = self.force if action == 1 else -self.force
        cos, sin, total = math.cos(angle), math.sin(angle), self.cart + self.pole
        pulled = (push + self.pole * self.half_length * spin**2 * sin) / total
        turn = (self.gravity * sin - cos * pulled) / (
            self.half_length * (4 / 3 - self.pole * cos**2 / total)
        )
        gain = pulled - self.pole * self.half_length * turn * cos / total
        change = np.array([speed, gain, spin, turn])
        self.state = self.state + self.tau * change
        done = abs(self.state[0]) > 2.4 or abs(self.state[2]) > 12 * math.pi / 180
        return self.state, 1.0, bool(done)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 32)
        self.dropout = nn.Dropout(p=0.0)
        self.affine2 = nn.Linear(32, 2)
        self.saved_log_probs, self.rewards = [], []

    def forward(self, x):
        x = F.relu(self.dropout(self.affine1(x)))
        return F.softmax(self.affine2(x), dim=1)


def select_action(policy, state, rng):
    m = Categorical(policy(torch.from_numpy(state).unsqueeze(0)))
    action = torch.tensor([int(rng.uniform() < m.probs[0, 1].item())])
    policy.saved_log_probs.append(m.log_prob(action))
    return action.item()


def finish_episodes(policy, optimizer, gamma=0.99):
    returns, total = [], 0.0
    for reward, done in reversed(policy.rewards):
        total = reward + (0.0 if done else gamma * total)
        returns.insert(0, total)
    returns = torch.tensor(returns, dtype=torch.float64)
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    policy_loss = [-p * r for p, r in zip(policy.saved_log_probs, returns)]
    optimizer.zero_grad()
    loss = torch.cat(policy_loss).sum()
    loss.backward()
    optimizer.step()
    del policy.rewards[:], policy.saved_log_probs[:]
    return loss.item()


def main():
    rng = np.random.RandomState(0)
    env, policy = CartPole(rng), Policy().double()
    for p in policy.parameters():
        p.data.copy_(torch.from_numpy(rng.uniform(-0.4, 0.4, tuple(p.shape))))
    optimizer = optim.Adam(policy.parameters(), lr=3e-2)
    lengths, policy_losses = [], []
    for episode in range(64):
        state = env.reset()
        for t in range(100):
            state, reward, done = env.step(select_action(policy, state, rng))
            policy.rewards.append((reward, done or t == 99))
            if done:
                break
        lengths.append(t + 1)
        if episode % 4 == 3:
            policy_losses.append(finish_episodes(policy, optimizer))
    # What falls is the number of steps that were missing to a full episode.
    losses = [100.0 - float(np.mean(lengths[i : i + 8])) for i in range(0, 64, 8)]
    result = {"losses": losses, "policy": policy_losses}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
