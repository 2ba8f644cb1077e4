"""Proximal policy optimisation on a cart that is to be driven to the middle of its track.

Schulman et al., arXiv:1707.06347; advantages of arXiv:1506.02438.
"""

import json

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from torch.distributions.normal import Normal


class Cart:
    """Many carts at once: position and speed; a force in [-1, 1] drives them."""

    def __init__(self, number, rng):
        self.number, self.rng = number, rng

    def reset(self):
        self.state = self.rng.uniform(-1, 1, size=(self.number, 2))
        return self.state.copy()

    def step(self, force):
        position, speed = self.state.T
        speed = 0.9 * speed + 0.2 * np.clip(force, -1, 1)
        position = np.clip(position + 0.2 * speed, -2, 2)
        self.state = np.stack([position, speed], axis=1)
        return self.state.copy(), -(position**2) - 0.1 * speed**2


def layer_init(layer, rng, std=np.sqrt(2)):
    with torch.no_grad():
        weight = torch.as_tensor(rng.normal(size=tuple(layer.weight.shape)))
        layer.weight.copy_(weight / weight.norm(dim=1, keepdim=True) * float(std))
    torch.nn.init.constant_(layer.bias, 0.0)
    return layer


class Agent(nn.Module):
    def __init__(self, rng):
        super().__init__()
        self.critic = nn.Sequential(
            layer_init(nn.Linear(2, 16), rng), nn.Tanh(), layer_init(nn.Linear(16, 1), rng, 1.0)
        )
        self.actor_mean = nn.Sequential(
            layer_init(nn.Linear(2, 16), rng), nn.Tanh(), layer_init(nn.Linear(16, 1), rng, 0.01)
        )
        self.actor_logstd = nn.Parameter(torch.zeros(1, 1))

    def get_value(self, x):
        return self.critic(x)

    def get_action_and_value(self, x, action=None, noise=None):
        mean = self.actor_mean(x)
        probs = Normal(mean, self.actor_logstd.expand_as(mean).exp())
        if action is None:
            action = probs.mean + probs.stddev * noise
        return action, probs.log_prob(action).sum(1), probs.entropy().sum(1), self.critic(x)


def main():
    torch.set_default_dtype(torch.float64)
    rng = np.random.RandomState(0)
    steps, carts, gamma, lam, clip = 16, 8, 0.95, 0.9, 0.2
    env, agent = Cart(carts, rng), Agent(rng)
    optimizer = optim.Adam(agent.parameters(), lr=1e-2, eps=1e-5)
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda update: 1 - update / 30)
    losses = []
    for _update in range(30):
        obs, actions = torch.zeros(steps, carts, 2), torch.zeros(steps, carts, 1)
        logprobs, rewards, values = (torch.zeros(steps, carts) for _ in range(3))
        next_obs = torch.Tensor(env.reset()).double()
        for step in range(steps):
            obs[step] = next_obs
            with torch.no_grad():
                noise = torch.from_numpy(rng.normal(size=(carts, 1)))
                action, logprob, _, value = agent.get_action_and_value(next_obs, noise=noise)
                values[step] = value.flatten()
            actions[step], logprobs[step] = action, logprob
            state, reward = env.step(action.cpu().numpy()[:, 0])
            rewards[step] = torch.tensor(reward).view(-1)
            next_obs = torch.as_tensor(state)
        with torch.no_grad():
            next_value = agent.get_value(next_obs).reshape(1, -1)
            advantages, last = torch.zeros_like(rewards), 0
            for t in reversed(range(steps)):
                following = next_value if t == steps - 1 else values[t + 1]
                delta = rewards[t] + gamma * following - values[t]
                advantages[t] = last = delta + gamma * lam * last
            returns = advantages + values
        b_obs, b_actions = obs.reshape((-1, 2)), actions.reshape((-1, 1))
        b_logprobs, b_advantages = logprobs.reshape(-1), advantages.reshape(-1)
        b_returns = returns.reshape(-1)
        inds = np.arange(steps * carts)
        for _ in range(3):
            rng.shuffle(inds)
            for start in range(0, len(inds), 64):
                mb = inds[start : start + 64]
                _, newlogprob, entropy, newvalue = agent.get_action_and_value(
                    b_obs[mb], b_actions[mb]
                )
                ratio = (newlogprob - b_logprobs[mb]).exp()
                adv = b_advantages[mb]
                adv = (adv - adv.mean()) / (adv.std() + 1e-8)
                pg_loss = torch.max(
                    -adv * ratio, -adv * torch.clamp(ratio, 1 - clip, 1 + clip)
                ).mean()
                v_loss = 0.5 * ((newvalue.view(-1) - b_returns[mb]) ** 2).mean()
                loss = pg_loss - 0.001 * entropy.mean() + v_loss * 0.5
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                optimizer.step()
        scheduler.step()
        losses.append(-rewards.mean().item())
    print(json.dumps({"losses": losses}))


if __name__ == "__main__":
    main()
