"""Sequence to sequence with packed sequences: a GRU reads digits, another writes them sorted."""

import json

import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

DIGITS, START, PAD = 6, 6, -1


class Encoder(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(DIGITS, 16)
        self.gru = nn.GRU(16, hidden, batch_first=True, bidirectional=True)
        self.join = nn.Linear(2 * hidden, hidden)

    def forward(self, padded, lengths):
        packed = pack_padded_sequence(
            self.embedding(padded), lengths, batch_first=True, enforce_sorted=False
        )
        output, hidden = self.gru(packed)
        output, _ = pad_packed_sequence(output, batch_first=True)
        return output, torch.tanh(self.join(torch.cat([hidden[0], hidden[1]], dim=1)))


class Decoder(nn.Module):
    """Writes a digit at a time, attending to what the encoder read."""

    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(DIGITS + 1, 16)
        self.cell = nn.GRUCell(16, hidden)
        self.query = nn.Linear(hidden, 2 * hidden, bias=False)
        self.out = nn.Linear(3 * hidden, DIGITS)

    def forward(self, token, hidden, memory, mask):
        hidden = self.cell(self.embedding(token), hidden)
        scores = torch.bmm(memory, self.query(hidden).unsqueeze(2)).squeeze(2)
        weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=1)
        context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
        return self.out(torch.cat([hidden, context], dim=1)), hidden


def draw(rng, count=32):
    sequences = [
        torch.from_numpy(rng.randint(DIGITS, size=rng.randint(3, 7))) for _ in range(count)
    ]
    lengths = torch.tensor([len(s) for s in sequences])
    targets = [torch.sort(s).values for s in sequences]
    return (
        pad_sequence(sequences, batch_first=True),
        lengths,
        pad_sequence(targets, batch_first=True, padding_value=PAD),
    )


def main():
    rng = np.random.RandomState(0)
    encoder, decoder = Encoder(24).double(), Decoder(24).double()
    both = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
    for parameter in both.parameters():
        parameter.data = torch.from_numpy(rng.uniform(-0.25, 0.25, parameter.shape))
    optimizer = torch.optim.Adamax(both.parameters(), lr=2e-2)
    criterion = nn.NLLLoss(ignore_index=PAD)

    losses = []
    for _ in range(60):
        padded, lengths, targets = draw(rng)
        memory, hidden = encoder(padded, lengths)
        mask = torch.arange(padded.size(1)).expand_as(padded) < lengths.unsqueeze(1)
        token, loss = torch.full((len(padded),), START), 0.0
        for t in range(targets.size(1)):
            scores, hidden = decoder(token, hidden, memory, mask)
            loss = loss + criterion(scores.log_softmax(dim=1), targets[:, t])
            token = targets[:, t].clamp(min=0)  # the right digit, whatever was written
        loss = loss / targets.size(1)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    print(json.dumps({"losses": losses}))


if __name__ == "__main__":
    main()
