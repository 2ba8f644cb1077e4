"""Training steps of whole models, each on one batch that stays the same."""

from benchmarks.harness import workload


def training_step(torch, network, optimizer, x, y, loss_of=None):
    """One step of an ordinary loop; `loss_of(scores, y)` is cross-entropy unless given."""
    loss_of = loss_of or torch.nn.functional.cross_entropy

    def step():
        optimizer.zero_grad()
        loss_of(network(x), y).backward()
        optimizer.step()

    return step


@workload(goal=1 / 1.8)
def mlp(torch):
    """784-512-256-10 network, batch 128, Adam"""
    nn = torch.nn
    network = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    return training_step(
        torch, network, optimizer, torch.randn(128, 784), torch.randint(0, 10, (128,))
    )


@workload(goal=1 / 1.5)
def digits_cnn(torch):
    """Digits CNN (conv 32, conv 64, pool, 9216-128-10), batch 64, Adam"""
    nn = torch.nn
    network = nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(9216, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    return training_step(
        torch, network, optimizer, torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    )


@workload(goal=1 / 1.2)
def residual_block(torch):
    """Residual block, two 3x3 convolutions of 64, 16x16, batch 16, SGD"""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
            self.norm1 = nn.BatchNorm2d(64)
            self.conv2 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
            self.norm2 = nn.BatchNorm2d(64)

        def forward(self, x):
            y = torch.relu(self.norm1(self.conv1(x)))
            return torch.relu(x + self.norm2(self.conv2(y)))

    block = Block()
    optimizer = torch.optim.SGD(block.parameters(), lr=1e-3, momentum=0.9)
    x, y = torch.randn(16, 64, 16, 16), torch.randn(16, 64, 16, 16)
    return training_step(torch, block, optimizer, x, y, nn.functional.mse_loss)


@workload(goal=1 / 2)
def lstm(torch):
    """LSTM (64 to 128), batch 32, 50 steps, embedding and head, Adam"""
    nn = torch.nn

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(100, 64)
            self.lstm = nn.LSTM(64, 128, batch_first=True)
            self.head = nn.Linear(128, 100)

        def forward(self, tokens):  # [B, T]
            hidden, _ = self.lstm(self.embed(tokens))  # [B, T, 128]
            return self.head(hidden).flatten(0, 1)  # [B * T, 100]

    network = Tagger()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    tokens, targets = torch.randint(0, 100, (32, 50)), torch.randint(0, 100, (1600,))
    return training_step(torch, network, optimizer, tokens, targets)


@workload(goal=1 / 1.5)
def transformer(torch):
    """Transformer, 4 layers, 4 heads, width 128, context 64, batch 12, AdamW"""
    nn, width, heads, context, vocabulary = torch.nn, 128, 4, 64, 65

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv = nn.Linear(width, 3 * width)
            self.out = nn.Linear(width, width)
            self.mlp = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )

        def forward(self, x):  # [B, T, C]
            batch, time, _ = x.shape
            q, k, v = (
                t.view(batch, time, heads, -1).transpose(1, 2)  # [B, heads, T, C / heads]
                for t in self.qkv(self.norm1(x)).split(width, dim=2)
            )
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(batch, time, width))
            return x + self.mlp(self.norm2(x))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(vocabulary, width)
            self.positions = nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(Block() for _ in range(4)))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, vocabulary)

        def forward(self, tokens):  # [B, T]
            x = self.tokens(tokens) + self.positions(torch.arange(context))
            return self.head(self.norm(self.blocks(x))).flatten(0, 1)  # [B * T, vocabulary]

    network = Transformer()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    tokens = torch.randint(0, vocabulary, (12, context))
    targets = torch.randint(0, vocabulary, (12 * context,))
    return training_step(torch, network, optimizer, tokens, targets)
