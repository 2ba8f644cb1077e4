"""A mixture density network: an inverse problem with several answers for one question.

Bishop 1994, "Mixture density networks", section 5.
"""

import json
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import distributions

COMPONENTS = 4


class MixtureDensity(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(1, hidden), nn.Tanh())
        self.weights = nn.Linear(hidden, COMPONENTS)
        self.means = nn.Linear(hidden, COMPONENTS)
        self.scales = nn.Linear(hidden, COMPONENTS)

    def forward(self, x):
        h = self.hidden(x)
        return self.weights(h), self.means(h), F.softplus(self.scales(h)) + 0.03


def negative_log_likelihood(logits, means, scales, y):
    z = (y - means) / scales
    log_density = -0.5 * z**2 - scales.log() - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(F.log_softmax(logits, dim=-1) + log_density, dim=-1).mean()


def main():
    rng = np.random.RandomState(0)
    target = torch.from_numpy(rng.uniform(0, 1, (200, 1)))
    noise = torch.from_numpy(rng.uniform(-0.1, 0.1, (200, 1)))
    question = target + 0.3 * torch.sin(2 * math.pi * target) + noise  # asked: the target

    model = MixtureDensity().to(torch.float64)
    for name, parameter in sorted(model.named_parameters()):
        parameter.requires_grad_(False).copy_(
            torch.from_numpy(rng.normal(0, 1.0 if "hidden" in name else 0.3, parameter.shape))
        )
        parameter.requires_grad_(True)
    optimizer = torch.optim.Adam(
        [
            {"params": model.hidden.parameters()},
            {"params": [p for n, p in model.named_parameters() if "hidden" not in n], "lr": 0.01},
        ],
        lr=0.003,
        amsgrad=True,
    )
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = negative_log_likelihood(*model(question), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    # The density that the distributions give is the one written by hand.
    logits, means, scales = model(question)
    mixture = distributions.MixtureSameFamily(
        distributions.Categorical(logits=logits), distributions.Normal(means, scales)
    )
    by_class = -mixture.log_prob(target.squeeze(-1)).mean()
    torch.testing.assert_close(by_class, negative_log_likelihood(logits, means, scales, target))
    # One normal for each question does worse: sometimes there are three answers.
    single = distributions.Normal(mixture.mean, mixture.stddev).log_prob(target.squeeze(-1))
    assert -single.mean() > by_class
    answers = means.gather(1, logits.argmax(1, keepdim=True))
    inverse = answers + 0.3 * torch.sin(2 * math.pi * answers)
    close = ((inverse - question).abs() < 0.2).double().mean().item()
    print(json.dumps({"losses": losses, "close": close}))


if __name__ == "__main__":
    main()
