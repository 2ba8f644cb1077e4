"""A variational autoencoder of handwritten digits: eight numbers for each, and digits out of noise.

    python examples/vae.py [--epochs 150] [--seed 0] [--out examples/out] [--quick]

The encoder gives a normal distribution of codes, the decoder the probability of ink at each
pixel; the loss is minus the evidence lower bound (Kingma and Welling, 2014, arXiv:1312.6114, eq.
10). After 2 s held-out digits take 23.86 nats each, 3.6 of them for the code (seed 0, 2 cores).
"""

import numpy as np
from _common import BLUE, GREY, digits, figure, options, picture, save
from tqdm import tqdm

import adjoint as torch

nn, functional = torch.nn, torch.nn.functional
PATHS = [(0, 6), (1, 7), (3, 5), (9, 4), (2, 7), (5, 6), (8, 3), (0, 9)]


class VAE(nn.Module):
    def __init__(self, code=8, hidden=256):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.GELU(), nn.Linear(hidden, 2 * code))
        self.decoder = nn.Sequential(nn.Linear(code, hidden), nn.GELU(), nn.Linear(hidden, 64))

    def forward(self, images):
        """Logits of ink [B, 64], and the mean and the logarithm of the variance of the code."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)  # [B, code] each
        code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        return self.decoder(code), mean, log_variance


def parts_of_the_loss(model, images):
    """Nats per image: to say its pixels given the code, and to say the code."""
    logits, mean, log_variance = model(images)
    pixels = functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    code = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
    return pixels / len(images), code / len(images)


def train(model, images, held_out, epochs):
    """Returns, after each epoch, the mean loss in it and the two parts of that of the rest."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    dataset = torch.utils.data.TensorDataset(images)
    loader = torch.utils.data.DataLoader(dataset, batch_size=64, shuffle=True)
    history = []
    with tqdm(total=epochs, unit="epoch", ncols=100) as bar:
        for _ in range(epochs):
            total = 0.0
            for (batch,) in loader:
                loss = sum(parts_of_the_loss(model, batch))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() / len(loader)
            schedule.step()
            with torch.no_grad():
                pixels, code = parts_of_the_loss(model, held_out)
            history.append((total, pixels.item(), code.item()))
            bar.set_postfix_str(f"held out: {sum(history[-1][1:]):.2f} nats")
            bar.update()
    return np.array(history)  # [epochs, 3]


def sheet(images, columns):
    """Images [N, 64] on one page, with white between them."""
    tiles = np.pad(images.reshape(-1, columns, 8, 8), ((0, 0), (0, 0), (1, 1), (1, 1)))
    return tiles.transpose(0, 2, 1, 3).reshape(-1, columns * 10)


def draw(model, history, held_out, labels, out):
    drawn, axes = figure()
    axes.plot(history[:, 0], color=GREY, label="training")
    axes.plot(history[:, 1:].sum(1), color=BLUE, label="held out")
    axes.plot(history[:, 2], color=BLUE, ls=":", label="held out: the code's part")
    axes.set(title="Nats to describe an image", xlabel="epoch", ylim=(0, 40))
    axes.legend()
    save(drawn, out / "vae_curves.png")

    with torch.no_grad():
        mean, _ = model.encoder(held_out).chunk(2, dim=1)
        rebuilt = model.decoder(mean[:32]).sigmoid()
        samples = model.decoder(torch.randn(64, mean.shape[1])).sigmoid()
        # From one digit to another on a straight line between their codes, in 8 stops.
        first = [mean[labels == digit][0] for digit in range(10)]
        stops = torch.linspace(0, 1, 8)[:, None]
        paths = [torch.lerp(first[a], first[b], stops) for a, b in PATHS]
        between = model.decoder(torch.cat(paths)).sigmoid()
    pairs = torch.stack([held_out[:32].reshape(4, 8, 64), rebuilt.reshape(4, 8, 64)], 1)
    drawn, panels = figure(3, size=(11, 4.1))
    drawn.get_layout_engine().set(wspace=0.06)
    titles = ["Held out; below, rebuilt", "Decoded noise", "From one digit to another"]
    for axes, title, page in zip(panels, titles, (pairs, samples, between)):
        picture(axes, sheet(page.reshape(-1, 64).numpy(), 8), cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(title)
    save(drawn, out / "vae_digits.png")


def main():
    chosen = options(__doc__, epochs=150, quick=8)
    torch.manual_seed(chosen.seed)
    images, _, held_out, labels = digits()
    images, held_out = torch.from_numpy(images), torch.from_numpy(held_out)
    model = VAE()
    history = train(model, images, held_out, chosen.epochs)
    draw(model, history, held_out, torch.from_numpy(labels), chosen.out)
    print(f"held-out digits take {history[-1, 1:].sum():.2f} nats each")


if __name__ == "__main__":
    main()
