"""Cases of the Fourier transforms."""

import numpy as np

import adjoint
from ops.case import S, case

REAL, Z = adjoint.ones(3), adjoint.ones(3, dtype=adjoint.complex64)


def numpys(name, **kwargs):
    """NumPy's function, which calls the sizes `s` and the dims `axes`."""

    def reference(x, s=None, dim=None, norm=None, n=None):
        f = getattr(np.fft, name)
        if name[-1] in "2n":
            if dim is None:
                dim = kwargs.get("dim", tuple(range(-len(s or x.shape), 0)))
            shape = [x.shape[d] for d in dim]
            s = [m if k == -1 else k for k, m in zip(s, shape)] if s else None
            return f(x, s=s, axes=dim, norm=norm)
        return f(x, n=n if n is not None else s, axis=-1 if dim is None else dim, norm=norm)

    return reference


def one_dim(real):
    def samples(r):
        draw = r.normal if real else r.complex
        return [
            S(draw(3, 5)),
            S(draw(6)),
            S(draw(4, 3), n=6, dim=0, norm="ortho"),
            S(draw(4, 3), n=3, dim=-2, norm="forward"),
            S(draw(2, 5), norm="backward"),
        ]

    return samples


def several(real):
    def samples(r):
        draw = r.normal if real else r.complex
        return [
            S(draw(3, 4)),
            S(draw(2, 3, 4), s=(4, 5), norm="ortho"),
            S(draw(2, 3, 4), dim=(0, 1), norm="forward"),
            S(draw(2, 3, 3), s=(3, -1), dim=(2, 0)),
        ]

    return samples


for name in ("fft", "ifft", "irfft", "hfft", "rfft", "ihfft"):
    real = name in ("rfft", "ihfft")
    case(
        f"fft.{name}",
        one_dim(real),
        reference=numpys(name),
        bad=[
            (S(REAL, n=0), RuntimeError),
            (S(REAL, dim=1), IndexError),
            (S(REAL, norm="half"), RuntimeError),
            *([(S(Z), RuntimeError)] if real else []),
        ],
    )
for name in ("fft", "ifft", "irfft", "rfft"):
    for end, default in (("2", {"dim": (-2, -1)}), ("n", {})):
        case(
            f"fft.{name}{end}",
            several(name == "rfft"),
            reference=numpys(name + end, **default),
            bad=[
                (S(REAL.expand(2, 3), s=(2, 2), dim=(0,)), RuntimeError),
                (S(REAL.expand(2, 3), dim=(0, 0)), RuntimeError),
            ],
        )
for name in ("hfft", "ihfft"):  # which NumPy has in one dim alone
    for end in "2n":
        case(f"fft.{name}{end}", several(name == "ihfft"))

case(
    "_nodes.fft_c2c",
    lambda r: [S(r.complex(3, 4), (-1, -2), True, 0.5), S(r.complex(6), (-1,), False, 1.0)],
)
case("_nodes.fft_r2c", lambda r: [S(r.normal(3, 4), -1, 0.5), S(r.normal(5, 2), -2, 1.0)])
case("_nodes.fft_c2r", lambda r: [S(r.complex(3, 4), -1, 6, 0.5), S(r.complex(3, 2), -2, 5, 1.0)])

case(
    "fft.fftshift",
    lambda r: [S(r.normal(4, 5)), S(r.complex(5), dim=0), S(r.normal(2, 3, 4), dim=(0, 2))],
    reference=lambda x, dim=None: np.fft.fftshift(x, dim),
)
case(
    "fft.ifftshift",
    lambda r: [S(r.normal(4, 5)), S(r.complex(5), dim=0), S(r.normal(2, 3, 4), dim=(0, 2))],
    reference=lambda x, dim=None: np.fft.ifftshift(x, dim),
)
case(
    "fft.fftfreq",
    lambda r: [S(4, dtype=adjoint.float64), S(5, 0.5, dtype=adjoint.float64)],
    reference=lambda n, d=1.0, dtype=None: np.fft.fftfreq(n, d),
    bad=[(S(-1), RuntimeError)],
)
case(
    "fft.rfftfreq",
    lambda r: [S(4, dtype=adjoint.float64), S(5, 0.5, dtype=adjoint.float64)],
    reference=lambda n, d=1.0, dtype=None: np.fft.rfftfreq(n, d),
    bad=[(S(-1), RuntimeError)],
)

for name in ("hann", "hamming", "blackman", "bartlett", "kaiser"):
    case(
        f"{name}_window",
        lambda r: [
            S(7, dtype=adjoint.float64),
            S(6, False, dtype=adjoint.float64),
            S(1, dtype=adjoint.float64),
            S(0, dtype=adjoint.float64),
        ],
        bad=[(S(-1), RuntimeError), (S(3, dtype=adjoint.int64), RuntimeError)],
        rtol=1e-7,  # torch computes them in float32 steps
        atol=1e-8,
    )

HANN = adjoint.hann_window(4, dtype=adjoint.float64)
case(
    "stft",
    lambda r: [
        S(r.normal(10), 4, window=HANN, return_complex=True),
        S(r.normal(2, 9), 4, 2, window=HANN, return_complex=True, onesided=False),
        S(r.normal(9), 6, 2, 4, HANN, False, normalized=True, return_complex=True),
        S(r.complex(8), 4, window=HANN, pad_mode="constant"),
    ],
    second="the second derivative is that of the operators that it is made of, and slow",
    vmap="takes one signal or a batch of them: under vmap the batch would be a third dim",
    bad=[
        (S(adjoint.ones(8), 4), RuntimeError),
        (S(adjoint.ones(8), 4, 0, return_complex=True), RuntimeError),
        (S(adjoint.ones(8), 4, window=adjoint.ones(3), return_complex=True), RuntimeError),
    ],
)
case(
    "istft",
    lambda r: [
        S(r.complex(3, 6), 4, window=HANN),
        S(r.complex(2, 3, 6), 4, 2, window=HANN, normalized=True, length=9),
        S(r.complex(4, 6), 4, 1, window=HANN, onesided=False, return_complex=True),
    ],
    second="the second derivative is that of the operators that it is made of, and slow",
    vmap="takes one signal or a batch of them: under vmap the batch would be a third dim",
    bad=[(S(adjoint.ones(3, 4), 4), RuntimeError), (S(Z.expand(5, 3), 4), RuntimeError)],
)
