"""A vector-quantised autoencoder (arXiv:1711.00937) over pictures of bars, with a straight-through
gradient, a codebook moved by averages, and a U-shaped decoder with skips."""

import json

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Bars(Dataset):
    def __init__(self, count, rng, transform=None):
        self.pictures = np.zeros((count, 8, 8), dtype=np.uint8)
        for picture in self.pictures:
            picture[rng.randint(8)] = 255
            picture[:, rng.randint(8)] = 255
        self.transform = transform

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        picture = torch.from_numpy(self.pictures[index]).unsqueeze(0)
        return self.transform(picture) if self.transform else picture


class Quantizer(nn.Module):
    def __init__(self, codes, dim, decay=0.9):
        super().__init__()
        self.decay = decay
        self.register_buffer("codebook", torch.zeros(codes, dim))
        self.register_buffer("count", torch.ones(codes))
        self.register_buffer("total", torch.zeros(codes, dim))

    def forward(self, z):
        flat = z.permute(0, 2, 3, 1).reshape(-1, z.size(1))
        index = torch.cdist(flat, self.codebook).argmin(1)
        one_hot = F.one_hot(index, len(self.codebook)).type_as(flat)
        if self.training:
            with torch.no_grad():
                self.count.mul_(self.decay).add_(one_hot.sum(0), alpha=1 - self.decay)
                self.total.lerp_(one_hot.t() @ flat, 1 - self.decay)
                self.codebook.copy_(self.total / (self.count + 1e-3).unsqueeze(1))
        q = F.embedding(index, self.codebook).view(z.size(0), *z.shape[2:], -1).permute(0, 3, 1, 2)
        commitment = F.mse_loss(z, q.detach())
        use = one_hot.mean(0)
        perplexity = torch.exp(-torch.sum(use * torch.log(use + 1e-10)))
        return z + (q - z).detach(), commitment, perplexity


def block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.GroupNorm(2, o), nn.SiLU(inplace=True))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.inc, self.down = block(1, 8), block(8, 8)
        self.pool = nn.MaxPool2d(2)
        self.quantize = Quantizer(16, 8)
        self.up = nn.ConvTranspose2d(8, 8, kernel_size=2, stride=2)
        self.mid = block(8, 8)
        self.out = nn.Conv2d(8, 1, kernel_size=1)

    def forward(self, x):
        z, commitment, perplexity = self.quantize(self.down(self.pool(self.inc(x))))
        up = self.up(z)
        up = up + F.interpolate(z, scale_factor=2, mode="bilinear", align_corners=False)
        return self.out(self.mid(up)), commitment, perplexity


def main():
    torch.set_default_dtype(torch.float64)
    rng = np.random.RandomState(0)
    data = Bars(128, rng, transform=lambda p: p.double().div(255))
    loader = DataLoader(data, batch_size=32, shuffle=False, drop_last=True)
    model = Model()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() > 1:
                fan = p[0].numel()
                p.copy_(torch.from_numpy(rng.normal(scale=fan**-0.5, size=tuple(p.shape))))
            else:
                p.fill_(0.0 if name.endswith("bias") else 1.0)
        model.quantize.codebook.copy_(torch.from_numpy(rng.normal(size=(16, 8))))
        model.quantize.total.copy_(model.quantize.codebook)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-4)
    losses = []
    for _epoch in range(25):
        for batch in loader:
            logits, commitment, perplexity = model(batch)
            loss = F.binary_cross_entropy_with_logits(logits, batch) + 0.25 * commitment
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    model.eval()
    print(json.dumps({"losses": losses, "perplexity": perplexity.item()}))


if __name__ == "__main__":
    main()
