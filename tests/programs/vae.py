"""A variational autoencoder of binary images: Kingma and Welling, arXiv:1312.6114, appendix B."""

import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

SIDE, LATENT = 6, 2


def bars(count, rng):
    """Images with one whole row and one whole column set."""
    images = np.zeros((count, SIDE, SIDE), np.float32)
    images[np.arange(count), rng.randint(SIDE, size=count)] = 1
    images[np.arange(count), :, rng.randint(SIDE, size=count)] = 1
    return torch.from_numpy(images)


class VAE(nn.Module):
    def __init__(self, pixels=SIDE * SIDE, hidden=48):
        super().__init__()
        self.fc1 = nn.Linear(pixels, hidden)
        self.fc21 = nn.Linear(hidden, LATENT)
        self.fc22 = nn.Linear(hidden, LATENT)
        self.fc3 = nn.Linear(LATENT, hidden)
        self.fc4 = nn.Linear(hidden, pixels)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar, eps):
        return mu + eps * torch.exp(0.5 * logvar)

    def decode(self, z):
        return torch.sigmoid(self.fc4(torch.tanh(self.fc3(z))))

    def forward(self, x, eps):
        mu, logvar = self.encode(x.view(x.size(0), -1))
        return self.decode(self.reparameterize(mu, logvar, eps)), mu, logvar


def loss_function(reconstruction, x, mu, logvar):
    bce = F.binary_cross_entropy(reconstruction, x.view(x.size(0), -1), reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld, kld


def main():
    rng = np.random.RandomState(0)
    loader = DataLoader(TensorDataset(bars(256, rng)), batch_size=64, shuffle=False)
    model = VAE()
    for layer in model.children():
        bound = layer.in_features**-0.5
        for parameter in (layer.weight, layer.bias):
            value = rng.uniform(-bound, bound, tuple(parameter.shape)).astype(np.float32)
            parameter.data.copy_(torch.from_numpy(value))
    optimizer = optim.Adam(model.parameters(), lr=5e-3)

    losses, divergences = [], []
    for _ in range(40):
        total = 0.0
        for (images,) in loader:
            eps = torch.from_numpy(rng.standard_normal((len(images), LATENT))).float()
            reconstruction, mu, logvar = model(images, eps)
            loss, kld = loss_function(reconstruction, images, mu, logvar)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(loader.dataset))
        divergences.append(kld.item() / 64)
    with torch.no_grad():
        sample = model.decode(torch.from_numpy(rng.standard_normal((8, LATENT))).float())
    assert sample.ge(0).all() and sample.le(1).all()
    print(json.dumps({"losses": losses, "divergence": divergences[-1]}))


if __name__ == "__main__":
    main()
