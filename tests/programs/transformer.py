"""A transformer encoder learns to reverse sequences, attending over the whole of each."""

import json
import math

import numpy as np
import torch
from torch import nn

TOKENS, LENGTH, WIDTH, PAD = 8, 6, 32, 0


class PositionalEncoding(nn.Module):
    def __init__(self, width, longest=64):
        super().__init__()
        position = torch.arange(longest).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(1e4) / width))
        table = torch.zeros(longest, width)
        table[:, 0::2] = torch.sin(position * rate)
        table[:, 1::2] = torch.cos(position * rate)
        self.register_buffer("table", table)

    def forward(self, x):
        return x + self.table[: x.size(1)]  # [B, T, C]


class Reverser(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(TOKENS, WIDTH, padding_idx=PAD)
        self.position = PositionalEncoding(WIDTH)
        layer = nn.TransformerEncoderLayer(
            WIDTH, nhead=4, dim_feedforward=64, dropout=0.0, activation="gelu", batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, TOKENS)

    def forward(self, tokens):
        x = self.position(self.embed(tokens) * math.sqrt(WIDTH))
        x = self.encoder(x, src_key_padding_mask=tokens == PAD)
        return self.head(self.norm(x))


def batch(rng, size=48):
    """Sequences of 4 to 6 tokens, padded behind; their reversals, -100 where padded."""
    tokens = np.zeros((size, LENGTH), np.int64)
    targets = np.full((size, LENGTH), -100)
    for row, wanted in zip(tokens, targets):
        length = rng.randint(4, LENGTH + 1)
        row[:length] = rng.randint(1, TOKENS, size=length)
        wanted[:length] = row[:length][::-1]
    return torch.from_numpy(tokens), torch.from_numpy(targets)


def initialise(model, rng):
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            bound = math.sqrt(6 / sum(parameter.shape))
            value = rng.uniform(-bound, bound, parameter.shape)
            parameter.data = torch.as_tensor(value, dtype=torch.float32)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    with torch.no_grad():
        model.embed.weight[PAD].zero_()


def main():
    rng = np.random.RandomState(0)
    model = Reverser()
    initialise(model, rng)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 10))
    criterion = nn.CrossEntropyLoss(ignore_index=-100, label_smoothing=0.05)
    losses = []
    for _ in range(240):
        tokens, targets = batch(rng)
        loss = criterion(model(tokens).transpose(1, 2), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        warm_up.step()
        losses.append(loss.item())

    model.eval()
    with torch.inference_mode():
        tokens, targets = batch(rng, size=64)
        right = (model(tokens).argmax(-1) == targets)[targets != -100]
    pad_row = model.embed.weight.grad[PAD].abs().max().item()
    print(json.dumps({"losses": losses, "accuracy": right.float().mean().item(), "pad": pad_row}))


if __name__ == "__main__":
    main()
