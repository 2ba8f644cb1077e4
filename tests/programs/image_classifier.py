"""Classify small noisy images; save a checkpoint in the middle, and go on from the file."""

import json
import os
import tempfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, Dataset, Sampler

CLASSES, SIDE = 4, 8


class Strokes(Dataset):
    """Images of one stroke each: horizontal, vertical, and the two diagonals, with noise."""

    def __init__(self, count, seed, transform=None):
        rng = np.random.RandomState(seed)
        self.labels = rng.randint(CLASSES, size=count)
        self.images = 0.3 * rng.standard_normal((count, SIDE, SIDE)).astype(np.float32)
        across = np.arange(SIDE)
        for image, label in zip(self.images, self.labels):
            at = rng.randint(1, SIDE - 1)
            rows = [np.full(SIDE, at), across, across, across[::-1]][label]
            columns = [across, np.full(SIDE, at), across, across][label]
            image[rows, columns] += 1
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = torch.from_numpy(self.images[index])
        return (self.transform(image) if self.transform else image), int(self.labels[index])


class Shuffled(Sampler):
    """Another order each epoch, from the epoch's number alone: a resumed run draws the same."""

    def __init__(self, count):
        self.count, self.epoch = count, 0

    def __iter__(self):
        return iter(np.random.RandomState(100 + self.epoch).permutation(self.count).tolist())

    def __len__(self):
        return self.count


class Net(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.features = nn.Sequential(
            nn.Linear(SIDE * SIDE, hidden), nn.BatchNorm1d(hidden), nn.ReLU()
        )
        self.head = nn.Linear(hidden, CLASSES)

    def forward(self, image):
        return self.head(self.features(image.flatten(1)))


def build(seed):
    rng = np.random.RandomState(seed)
    model = Net()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                bound = parameter.shape[1] ** -0.5
                parameter.copy_(torch.from_numpy(rng.uniform(-bound, bound, parameter.shape)))
        model.features[0].bias.zero_()
        model.head.bias.zero_()
    optimizer = optim.SGD(
        model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True
    )
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    return model, optimizer, scheduler


def train(model, optimizer, scheduler, loader, epochs, losses):
    for epoch in epochs:
        model.train()
        loader.sampler.epoch = epoch
        for images, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    right = sum((model(x).argmax(dim=1) == y).sum().item() for x, y in loader)
    return right / len(loader.dataset)


def main():
    data = Strokes(256, seed=0, transform=lambda image: (image - 0.1) / 0.4)
    loader = DataLoader(data, batch_size=32, sampler=Shuffled(len(data)))
    held_out = DataLoader(Strokes(128, seed=1, transform=data.transform), batch_size=64)

    whole = []
    train(*build(seed=2), loader, range(6), whole)

    losses = []
    first = build(seed=2)
    train(*first, loader, range(3), losses)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "checkpoint.pt")
        torch.save({"epoch": 3, **{n: x.state_dict() for n, x in zip("mos", first)}}, path)
        resumed = build(seed=3)  # other weights: all must come from the file
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        for name, part in zip("mos", resumed):
            part.load_state_dict(checkpoint[name])
    train(*resumed, loader, range(checkpoint["epoch"], 6), losses)

    assert losses == whole, "a resumed run goes on as if it had not stopped"
    result = {"losses": losses, "accuracy": accuracy(resumed[0], held_out)}
    result["lr"] = resumed[2].get_last_lr()[0]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
