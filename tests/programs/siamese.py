"""Two networks that share their weights learn a distance: a triplet and a contrastive loss."""

import json

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES, FEATURES = 5, 16


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(FEATURES, 32), nn.PReLU(), nn.Linear(32, 8))

    def forward(self, x):
        return F.normalize(self.net(x), dim=1)


class ContrastiveLoss(nn.Module):
    """Hadsell, Chopra and LeCun 2006, equation 4."""

    def __init__(self, margin=0.8):
        super().__init__()
        self.margin = margin

    def forward(self, one, other, same):
        distance = F.pairwise_distance(one, other)
        apart = torch.clamp(self.margin - distance, min=0.0)
        return torch.mean(same * distance.pow(2) + (1 - same) * apart.pow(2))


class Points:
    """Noisy points around a centre for each class."""

    def __init__(self, rng):
        self.rng = rng
        self.centres = rng.standard_normal((CLASSES, FEATURES))

    def of(self, labels):
        noise = 0.7 * self.rng.standard_normal((len(labels), FEATURES))
        return torch.tensor(self.centres[labels] + noise)

    def triplets(self, count):
        same = self.rng.randint(CLASSES, size=count)
        other = (same + self.rng.randint(1, CLASSES, size=count)) % CLASSES
        return self.of(same), self.of(same), self.of(other)


def nearest_neighbour_accuracy(model, points):
    labels = np.repeat(np.arange(CLASSES), 12)
    with torch.no_grad():
        embedded = model(points.of(labels))
    distances = torch.cdist(embedded, embedded)
    distances = distances.masked_fill(torch.eye(len(labels), dtype=torch.bool), float("inf"))
    labels = torch.from_numpy(labels)
    return (labels[distances.argmin(dim=1)] == labels).double().mean().item()


def main():
    rng = np.random.RandomState(0)
    points, model = Points(rng), Embedder().double()
    for layer in (model.net[0], model.net[2]):
        torch.nn.init.zeros_(layer.bias)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(rng.uniform(-0.3, 0.3, layer.weight.shape)))
    triplet = nn.TripletMarginLoss(margin=0.5, p=2)
    contrastive = ContrastiveLoss()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, momentum=0.5)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=80)

    before = nearest_neighbour_accuracy(model, points)
    losses = []
    for _ in range(80):
        anchor, positive, negative = (model(x) for x in points.triplets(48))
        loss = triplet(anchor, positive, negative)
        loss = loss + 0.5 * contrastive(anchor, positive, torch.ones(48))
        loss = loss + 0.5 * contrastive(anchor, negative, torch.zeros(48))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    after = nearest_neighbour_accuracy(model, points)
    print(json.dumps({"losses": losses, "before": before, "after": after}))


if __name__ == "__main__":
    main()
