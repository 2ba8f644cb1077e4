"""A graph convolution network finds communities: messages gathered by edge and scattered to nodes,
symmetric normalisation (Kipf and Welling, arXiv:1609.02907), and a readout of whole graphs."""

import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def scatter(src: Tensor, index: Tensor, dim_size: int, reduce: str = "sum") -> Tensor:
    index = index.view(-1, *[1] * (src.dim() - 1)).expand_as(src)
    out = src.new_zeros(dim_size, *src.shape[1:])
    if reduce == "sum":
        return out.scatter_add_(0, index, src)
    return out.scatter_reduce_(0, index, src, reduce, include_self=False)


class GCNConv(nn.Module):
    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.lin = nn.Linear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.lin.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        n = x.size(0)
        loops = torch.arange(n, device=x.device)
        row, col = torch.cat([edge_index, loops.expand(2, -1)], dim=1)
        deg = torch.bincount(col, minlength=n).to(x.dtype)
        norm = deg.pow(-0.5)
        norm[norm == float("inf")] = 0
        x = self.lin(x)
        message = (norm[row] * norm[col]).unsqueeze(-1) * x.index_select(0, row)
        return scatter(message, col, n) + self.bias


class Attention(nn.Module):
    """Edges weigh their messages by a softmax over those that arrive at a node."""

    def __init__(self, channels):
        super().__init__()
        self.score = nn.Linear(2 * channels, 1)

    def forward(self, x, edge_index):
        row, col = edge_index.unbind()
        score = F.leaky_relu(self.score(torch.cat([x[row], x[col]], -1)).squeeze(-1), 0.2)
        score = score - scatter(score, col, len(x), "amax").detach()[col]
        weight = score.exp()
        weight = weight / (scatter(weight, col, len(x))[col] + 1e-16)
        return x + torch.zeros_like(x).index_add_(0, col, weight[:, None] * x[row])


class Network(nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.conv1, self.attention = GCNConv(features, hidden), Attention(hidden)
        self.conv2 = GCNConv(hidden, classes)

    def forward(self, x, edge_index):
        x = F.relu(self.conv1(x, edge_index))
        x = F.elu(self.attention(x, edge_index))
        return F.log_softmax(self.conv2(x, edge_index), dim=-1)


def main():
    torch.set_default_dtype(torch.float64)
    rng = np.random.RandomState(0)
    n, classes = 90, 3
    y = torch.arange(n) % classes
    near = (y[:, None] == y[None, :]).numpy()
    linked = np.triu(rng.uniform(size=(n, n)) < np.where(near, 0.2, 0.03), 1)
    edges = torch.from_numpy(linked | linked.T).nonzero().t().contiguous()
    x = F.one_hot(y, classes).double() + torch.from_numpy(rng.normal(scale=2.0, size=(n, classes)))
    train = torch.zeros(n, dtype=torch.bool)
    train[torch.from_numpy(rng.permutation(n)[:45])] = True

    model = Network(classes, 16, classes)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.from_numpy(rng.normal(scale=0.3, size=tuple(p.shape))))
    optimizer = torch.optim.Adam(
        [
            {"params": model.conv1.parameters(), "weight_decay": 5e-4},
            {
                "params": [*model.attention.parameters(), *model.conv2.parameters()],
                "weight_decay": 0,
            },
        ],
        lr=0.01,
    )
    losses = []
    for _epoch in range(100):
        model.train()
        optimizer.zero_grad()
        loss = F.nll_loss(model(x, edges)[train], y[train])
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    model.eval()
    with torch.inference_mode():
        right = (model(x, edges).argmax(-1) == y)[~train]
    print(json.dumps({"losses": losses, "accuracy": right.float().mean().item()}))


if __name__ == "__main__":
    main()
