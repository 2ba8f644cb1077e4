"""Train a small network to read handwritten digits, then draw what it learnt.

    python examples/digits.py [--epochs 20] [--seed 0] [--out examples/out] [--quick]

It is written for either library: with `import torch` in place of the import below it runs the same.
"""

import argparse
from pathlib import Path
from time import perf_counter

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from tqdm import tqdm

import adjoint as torch

HERE = Path(__file__).resolve().parent
BLUE, RED, GREY, LIGHT = "#1f6feb", "#d1242f", "#9aa5b1", "#d0d7de"
nn = torch.nn


def load_digits():
    """Images [N, 64] from 0 to 1 and labels [N]: four fifths to train on, and a fifth held out.

    The split is the same on every run, whatever the seed of the training.
    """
    table = np.loadtxt(HERE / "data" / "optdigits.csv.gz", delimiter=",", dtype=np.float32)
    table = np.random.default_rng(0).permutation(table)
    images = torch.from_numpy(table[:, :64] / 16)
    labels = torch.from_numpy(table[:, 64].astype(np.int64))
    fifth = len(table) // 5
    return (images[fifth:], labels[fifth:]), (images[:fifth], labels[:fifth])


def make_network():
    return nn.Sequential(
        nn.Linear(64, 256),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(128, 10),
    )


@torch.no_grad()
def evaluate(network, images, labels):
    """Mean loss, accuracy, and the digit that the network takes each image for [N]."""
    network.eval()
    scores = network(images)  # [N, 10]
    predicted = scores.argmax(1)
    accuracy = (predicted == labels).float().mean().item()
    return nn.functional.cross_entropy(scores, labels).item(), accuracy, predicted


def train(network, training, held_out, epochs, quiet=False):
    """Fit the network; returns what `evaluate` said of both parts after each epoch."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.05)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    dataset = torch.utils.data.TensorDataset(*training)
    loader = torch.utils.data.DataLoader(dataset, batch_size=32, shuffle=True)
    history = {"training": [], "held out": []}
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - epoch / epochs)
        network.train()
        title = f"epoch {epoch + 1:2}/{epochs}"
        with tqdm(total=len(loader), desc=title, ncols=100, disable=quiet) as bar:
            for images, labels in loader:
                loss = criterion(network(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                bar.update()
            for name, part in [("training", training), ("held out", held_out)]:
                history[name].append(evaluate(network, *part)[:2])
            loss, accuracy = history["held out"][-1]
            bar.set_postfix_str(f"held out: loss {loss:.3f}, {accuracy:.1%}")
    return history


def draw_curves(history, path):
    """Loss and accuracy over the epochs, on both parts of the data."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for (name, values), colour in zip(history.items(), [GREY, BLUE], strict=True):
        losses, accuracies = zip(*values, strict=True)
        epochs = range(1, len(values) + 1)
        left.plot(epochs, losses, color=colour, lw=1.8, label=name)
        right.plot(epochs, accuracies, color=colour, lw=1.8, label=name)
    left.set(title="Cross-entropy", xlabel="epoch", ylim=(0, None))
    right.set(title="Accuracy", xlabel="epoch")
    right.axhline(0.97, color=RED, lw=1, ls=":", zorder=0)
    right.annotate("97%", (1, 0.97), (4, 3), color=RED, textcoords="offset points", fontsize=9)
    right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="#e6e8eb")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_predictions(images, labels, predicted, path, columns=24):
    """Every image with the digit that it was taken for; mistakes in red, with the true digit."""
    rows = -(-len(images) // columns)
    wide, high = 11, 13  # one cell of the page: an image of 8 x 8 and room for what is said of it
    page = np.zeros((rows * high, columns * wide), np.float32)
    figure, axes = plt.subplots(figsize=(columns * 0.5, rows * 0.59 + 0.5), layout="constrained")
    for i, (image, label, guess) in enumerate(zip(images, labels, predicted, strict=True)):
        x, y = i % columns * wide, i // columns * high
        page[y : y + 8, x : x + 8] = image.reshape(8, 8)
        right = guess == label
        edge, thickness = (LIGHT, 0.6) if right else (RED, 2)
        axes.add_patch(Rectangle((x, y), 8, 8, fill=False, ec=edge, lw=thickness))
        axes.text(
            x + 4,
            y + 9.9,
            guess if right else f"{guess}, not {label}",
            color="#57606a" if right else RED,
            fontsize=8 if right else 7,
            weight="normal" if right else "bold",
            ha="center",
            va="center",
        )
    axes.imshow(page, cmap="gray_r", extent=(0, columns * wide, rows * high, 0))
    axes.set(xlim=(-0.5, columns * wide - 2.5), ylim=(rows * high - 1, -1))
    axes.axis("off")
    axes.text(
        0,
        -2.5,
        f"{len(labels)} held-out digits and what the network took them for"
        f" ({(predicted != labels).sum()} mistakes)",
        fontsize=13,
    )
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for the pictures")
    parser.add_argument("--quick", action="store_true", help="4 epochs in place of 20")
    options = parser.parse_args()
    epochs = options.epochs or (4 if options.quick else 20)

    matplotlib.use("Agg")
    torch.manual_seed(options.seed)
    training, held_out = load_digits()
    network = make_network()
    start = perf_counter()
    history = train(network, training, held_out, epochs)
    seconds = perf_counter() - start
    _, accuracy, predicted = evaluate(network, *held_out)

    options.out.mkdir(parents=True, exist_ok=True)
    draw_curves(history, options.out / "curves.png")
    draw_predictions(*(t.numpy() for t in (*held_out, predicted)), options.out / "predictions.png")
    print(f"{accuracy:.2%} of {len(predicted)} held-out digits right, {seconds:.1f} s of training")
    print(f"pictures: {options.out / 'curves.png'}, {options.out / 'predictions.png'}")


if __name__ == "__main__":
    main()
