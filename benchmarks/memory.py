"""Does memory grow while a model trains, and how much does a big step need?

python -m benchmarks.memory
"""

import importlib

from benchmarks.processes import installed, output_of, peak_resident, resident

STEPS = 10_000
MARKS = (1_000, 5_000, STEPS)


def training_loop(library: str) -> None:
    """Print the resident memory at each of the marks of a loop over batches of changing size."""
    torch = importlib.import_module(library)
    nn = torch.nn
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for step in range(1, STEPS + 1):
        x = torch.randn(16 + step % 48, 8)
        loss = (network(x) - x[:, :2]).pow(2).mean()
        optimizer.zero_grad()
        if step % 10 == 0:  # a graph of the gradients too
            gradients = torch.autograd.grad(loss, list(network.parameters()), create_graph=True)
            loss = loss + sum(g.pow(2).sum() for g in gradients)
        loss.backward()
        optimizer.step()
        loss.item()
        if step in MARKS:
            print(resident())


def transformer_peak(library: str) -> None:
    """Print how far the memory rises above that of the idle library in steps of a transformer."""
    from benchmarks.models import transformer

    torch = importlib.import_module(library)
    torch.set_num_threads(2)
    before = resident()
    step = transformer(torch)
    for _ in range(5):
        step()
    print(peak_resident() - before)


def report(libraries: list[str]) -> None:
    heads = "".join(f"{f'step {mark:,}':>14}" for mark in MARKS)
    print(f"\nresident memory of a training loop, MB{'':>6}{heads}{'growth':>14}")
    for library in installed(libraries):
        code = f"from benchmarks.memory import training_loop; training_loop({library!r})"
        values = [float(line) for line in output_of(code).split()]
        cells = "".join(f"{value:>14.1f}" for value in [*values, values[-1] - values[0]])
        print(f"{library:<44}{cells}")
    print("\npeak of a transformer's training step, MB above the idle library")
    for library in installed(libraries):
        code = f"from benchmarks.memory import transformer_peak; transformer_peak({library!r})"
        try:
            print(f"{library:<44}{float(output_of(code)):>14.1f}")
        except Exception as error:  # an operator that is still missing
            print(f"{library:<44}{'-':>14}  {describe(error)}")


def describe(error: Exception) -> str:
    """The last line of the child's traceback."""
    lines = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


if __name__ == "__main__":
    report(["adjoint", "torch"])
