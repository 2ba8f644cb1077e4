"""A generative adversarial network learns points on a ring."""

import json

import numpy as np
import torch
import torch.nn as nn

NOISE = 4


def ring(rng, count):
    angle = rng.uniform(0, 2 * np.pi, count)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 2
    return torch.from_numpy(points + 0.05 * rng.standard_normal((count, 2)))


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(NOISE, 32, bias=False),
            nn.BatchNorm1d(32),
            nn.ReLU(inplace=True),
            nn.Linear(32, 2),
        )

    def forward(self, noise):
        return self.main(noise)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(2, 32), nn.LeakyReLU(0.2, inplace=True), nn.Linear(32, 1), nn.Sigmoid()
        )

    def forward(self, points):
        return self.main(points).squeeze(1)


def initialiser(rng):
    def weights_init(module):
        kind = module.__class__.__name__
        if kind.find("Linear") != -1:
            weight = rng.standard_normal(tuple(module.weight.shape)) * 0.3
            module.weight.data = torch.tensor(weight)
            if module.bias is not None:
                nn.init.constant_(module.bias.data, 0)
        elif kind.find("BatchNorm") != -1:
            module.weight.data.fill_(1.0)
            module.bias.data.zero_()

    return weights_init


def main():
    rng = np.random.RandomState(0)
    generator, discriminator = Generator().double(), Discriminator().double()
    generator.apply(initialiser(rng))
    discriminator.apply(initialiser(rng))
    criterion = nn.BCELoss()
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=5e-3, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=5e-3, betas=(0.5, 0.999))

    batch, losses_d, losses_g, losses = 64, [], [], []
    for _ in range(300):
        # The discriminator: one backward for the real points, one for the made ones.
        discriminator.zero_grad()
        real = ring(rng, batch)
        label = torch.full((batch,), 0.9, dtype=torch.float64)
        error_real = criterion(discriminator(real), label)
        error_real.backward()
        made = generator(torch.from_numpy(rng.standard_normal((batch, NOISE))))
        label.fill_(0.0)
        error_made = criterion(discriminator(made.detach()), label)
        error_made.backward()
        optimizer_d.step()

        # The generator: made points should look real.
        generator.zero_grad()
        label.fill_(1.0)
        error = criterion(discriminator(made), label)
        error.backward()
        optimizer_g.step()

        losses_d.append((error_real + error_made).item())
        losses_g.append(error.item())
        with torch.no_grad():  # how far the made points lie from the ring
            losses.append((made.norm(dim=1) - 2).abs().mean().item())
    print(json.dumps({"losses": losses, "generator": losses_g, "discriminator": losses_d}))


if __name__ == "__main__":
    main()
