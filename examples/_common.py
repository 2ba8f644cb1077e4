"""What the examples share: their options, the digits, and how pictures look. No tensors in here."""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot as plt

HERE = Path(__file__).resolve().parent
BLUE, RED, GREEN, GREY = "#1f6feb", "#d1242f", "#1a7f37", "#9aa5b1"

matplotlib.use("Agg")
matplotlib.rcParams.update(
    {
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "grid.color": "#e6e8eb",
        "legend.frameon": False,
        "lines.linewidth": 1.6,
    }
)


def options(doc, epochs, quick):
    """The command line: `--epochs` (its default, and that of the small form), `--seed`, `--out`."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--epochs", type=int, help=f"default: {epochs}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for the pictures")
    parser.add_argument("--quick", action="store_true", help="a few seconds: it runs, it learns")
    chosen = parser.parse_args()
    if chosen.epochs is None:
        chosen.epochs = quick if chosen.quick else epochs
    chosen.out.mkdir(parents=True, exist_ok=True)
    return chosen


def digits():
    """Arrays: images [N, 64] from 0 to 1 and labels [N] to train on, then the same held out."""
    table = np.loadtxt(HERE / "data" / "optdigits.csv.gz", delimiter=",", dtype=np.float32)
    table = np.random.default_rng(0).permutation(table)
    images, labels, fifth = table[:, :64] / 16, table[:, 64].astype(np.int64), len(table) // 5
    return images[fifth:], labels[fifth:], images[:fifth], labels[:fifth]


def figure(columns=1, size=(7.2, 4.0)):
    """A figure and its axes, side by side."""
    return plt.subplots(1, columns, figsize=size, layout="constrained")


def picture(axes, image, **kwargs):
    """An image without the furniture of a plot."""
    axes.grid(False)
    axes.axis("off")
    return axes.imshow(image, **kwargs)


def save(drawn, path):
    drawn.savefig(path, dpi=100)
    plt.close(drawn)
    print(f"picture: {path}")
