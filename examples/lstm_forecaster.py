"""Forecast a chaotic series with an LSTM, from its own forecasts.

    python examples/lstm_forecaster.py [--epochs 30] [--seed 0] [--out examples/out] [--quick]

The series is the Mackey-Glass equation, x' = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x(t), a
classic of forecasting: close to periodic, never quite. The network learns to say the next value;
then it reads 200 values that it was not trained on, and goes on alone, each forecast its next
input. After 7 s the forecast is off by 0.035 standard deviations 84 steps ahead (seed 0, 2
cores).
"""

import numpy as np
from _common import BLUE, GREY, RED, figure, options, save
from tqdm import tqdm

import adjoint as torch

nn = torch.nn


def mackey_glass(length, delay=17, step=0.1):
    """One value per unit of time, after the transient: Euler's method with ten steps a unit."""
    lag, every = int(delay / step), int(1 / step)
    x = [1.2] * (lag + 1)
    for _ in range((length + 300) * every):
        x.append(x[-1] + step * (0.2 * x[-lag - 1] / (1 + x[-lag - 1] ** 10) - 0.1 * x[-1]))
    series = np.array(x[lag + 1 :: every][300 : 300 + length], np.float32)
    return (series - series.mean()) / series.std()


class Forecaster(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.change = nn.Linear(hidden, 1)

    def forward(self, x, state=None):
        """What follows each value [B, T, 1], and the state after the last."""
        out, state = self.lstm(x, state)
        return x + self.change(out), state

    @torch.no_grad()
    def continued(self, x, steps):
        """The forecast [B, steps] after reading x [B, T, 1]."""
        y, state = self(x)
        values = [y[:, -1:]]
        for _ in range(steps - 1):
            y, state = self(values[-1], state)
            values.append(y)
        return torch.cat(values, 1)[:, :, 0]


def train(model, series, epochs, window=100, batch=32):
    """Fit on windows at random places; returns the loss of every step."""
    rounds, losses = 40, []
    optimizer = torch.optim.Adam(model.parameters())
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=epochs * rounds)
    windows = series.unfold(0, window + 1, 1)  # [N, window + 1]
    with tqdm(total=epochs * rounds, ncols=100) as bar:
        for _ in range(epochs * rounds):
            chosen = windows[torch.randint(0, len(windows), (batch,))].unsqueeze(2)
            forecast, _ = model(chosen[:, :-1])
            # The first values of a window say too little about where on the orbit it starts.
            loss = nn.functional.mse_loss(forecast[:, 20:], chosen[:, 21:])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
            bar.set_postfix_str(f"loss {losses[-1]:.1e}", refresh=False)
            bar.update()
    return losses


def main():
    chosen = options(__doc__, epochs=30, quick=6)
    torch.manual_seed(chosen.seed)
    series = torch.from_numpy(mackey_glass(3000))
    model = Forecaster()
    losses = train(model, series[:2000], chosen.epochs)

    read, steps = 200, 200
    held_out = series[2000:].unfold(0, read + steps, 10)  # [N, read + steps]
    forecast = model.continued(held_out[:, :read].unsqueeze(2), steps)
    errors = ((forecast - held_out[:, read:]) ** 2).mean(0).sqrt()  # in standard deviations

    drawn, (left, right) = figure(2, size=(11, 3.8))
    left.semilogy(losses, color=BLUE, lw=0.8)
    left.set(title="Squared error one step ahead", xlabel="step")
    right.plot(errors.numpy(), color=BLUE)
    right.axhline(1, color=RED, ls=":", lw=1)
    right.text(0, 1.02, "always saying the mean", color=RED, fontsize=9)
    right.set(title="Error of the forecast, in standard deviations", xlabel="steps ahead")
    right.set_ylim(0, 1.15)
    save(drawn, chosen.out / "lstm_curves.png")

    drawn, axes = figure(3, size=(11, 3))
    for i, panel in zip((0, 30, 55), axes):
        panel.plot(range(-100, 0), held_out[i, 100:read].numpy(), color=GREY)
        panel.plot(range(steps), held_out[i, read:].numpy(), color=GREY, label="truth")
        panel.plot(range(steps), forecast[i].numpy(), color=BLUE, ls="--", label="forecast")
        panel.axvline(0, color=RED, lw=1)
        panel.set(xlabel="time", ylim=(-3.2, 2.6))
    axes[0].legend(loc="lower left", ncols=2)
    drawn.suptitle("From the red line on, the network reads nothing but its own forecasts")
    save(drawn, chosen.out / "lstm_forecast.png")
    print(f"error 84 steps ahead: {errors[83].item():.3f} standard deviations")


if __name__ == "__main__":
    main()
