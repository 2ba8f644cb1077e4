"""A character model: an LSTM learns a verse by heart, and recites it."""

import json

import numpy as np
import torch
import torch.nn as nn

TEXT = "the quick brown fox jumps over the lazy dog while a cat sleeps near the warm old stove. "
ALPHABET = sorted(set(TEXT))
NUMBER = {character: i for i, character in enumerate(ALPHABET)}


class CharRNN(nn.Module):
    def __init__(self, characters, embedding=16, hidden=48, layers=2):
        super().__init__()
        self.embedding = nn.Embedding(characters, embedding)
        self.rnn = nn.LSTM(embedding, hidden, num_layers=layers, batch_first=True)
        self.decoder = nn.Linear(hidden, characters)

    def forward(self, numbers, state=None):
        output, state = self.rnn(self.embedding(numbers), state)
        return self.decoder(output), state  # [B, T, characters]


def batches(rng, steps, batch=8, length=20):
    numbers = torch.tensor([NUMBER[c] for c in TEXT * 3], dtype=torch.long)
    for _ in range(steps):
        starts = rng.randint(len(TEXT), size=batch)
        chunk = torch.stack([numbers[s : s + length + 1] for s in starts])
        yield chunk[:, :-1], chunk[:, 1:]


def recite(model, prompt, length):
    model.eval()
    state, text = None, prompt
    numbers = torch.tensor([[NUMBER[c] for c in prompt]])
    with torch.no_grad():
        for _ in range(length):
            scores, state = model(numbers, state)
            numbers = scores[:, -1].argmax(dim=-1, keepdim=True)
            text += ALPHABET[numbers.item()]
    return text


def main():
    rng = np.random.RandomState(0)
    model = CharRNN(len(ALPHABET))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale = 0.5 if name.startswith("embedding") else 0.15
            parameter.copy_(torch.from_numpy(rng.uniform(-scale, scale, parameter.shape)))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()

    losses = []
    for numbers, targets in batches(rng, steps=90):
        model.train()
        scores, _ = model(numbers)
        loss = criterion(scores.reshape(-1, len(ALPHABET)), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        losses.append(loss.item())
    text = recite(model, "the quick ", 20)
    agree = sum(a == b for a, b in zip(text[10:], TEXT[10:30])) / 20
    print(json.dumps({"losses": losses, "recited": agree}))


if __name__ == "__main__":
    main()
