"""Fourier transforms: accuracy at all sizes, and what the matrix of operators leaves."""

import math

import numpy as np
import pytest
from _backend import assert_close, assert_same, torch

RNG = np.random.default_rng(0)
SIZES = [*range(1, 34), 48, 60, 77, 97, 101, 143, 210, 256, 289, 1000, 1009, 1024, 2310, 5003]


def draw(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def error(actual, expected):
    """Relative to the largest number, in units of log2(n)."""
    scale = max(1, math.log2(expected.shape[-1])) * np.abs(expected).max()
    return np.abs(actual.numpy() - expected).max() / scale


@pytest.mark.parametrize("n", SIZES)
def test_accuracy(n):
    z, x, half = draw(2, n), RNG.normal(size=(2, n)), draw(2, n // 2 + 1)
    for f, a in (("fft", z), ("ifft", z), ("rfft", x), ("ihfft", x), ("fft", x)):
        expected = getattr(np.fft, f)(a)
        assert error(getattr(torch.fft, f)(torch.tensor(a)).resolve_conj(), expected) < 1e-15
        low = torch.tensor(a.astype(np.complex64 if np.iscomplexobj(a) else np.float32))
        assert error(getattr(torch.fft, f)(low).resolve_conj(), expected) < 6e-7
    for f in ("irfft", "hfft"):
        expected = getattr(np.fft, f)(half, n=n)
        assert error(getattr(torch.fft, f)(torch.tensor(half), n=n), expected) < 1e-15


def test_transforms_are_undone_by_their_inverses():
    z, x = torch.tensor(draw(3, 4, 5)), torch.tensor(RNG.normal(size=(3, 4, 5)))
    fft = torch.fft
    for norm in ("forward", "backward", "ortho"):
        assert_close(fft.ifftn(fft.fftn(z, norm=norm), norm=norm), z)
        assert_close(fft.irfftn(fft.rfftn(x, norm=norm), s=x.shape, norm=norm), x)
        assert_close(fft.hfft2(fft.ihfft2(x, norm=norm), s=(4, 5), norm=norm), x)


def test_dtypes():
    fft = torch.fft
    assert fft.fft(torch.arange(3)).dtype == torch.complex64
    assert fft.rfft(torch.tensor([True, False])).dtype == torch.complex64
    assert fft.irfft(torch.ones(3, dtype=torch.float64)).dtype == torch.float64
    assert fft.rfft(torch.ones(3, dtype=torch.float64)).dtype == torch.complex128


def test_layouts_and_empty_batches():
    z = draw(4, 6)
    assert_close(torch.fft.fft(torch.tensor(z).T, dim=0), np.fft.fft(z.T, axis=0))
    assert_close(torch.fft.fft(torch.tensor(z)[:, ::2]), np.fft.fft(z[:, ::2]))
    assert torch.fft.fft(torch.zeros(0, 4)).shape == (0, 4)
    with pytest.raises(RuntimeError):
        torch.fft.fft(torch.zeros(4, 0))


def test_convolution_by_transforms_has_the_gradients_of_convolution():
    def convolve(x, y):
        return torch.fft.irfft(torch.fft.rfft(x, 8) * torch.fft.rfft(y, 8), 8)

    x, y = (torch.tensor(RNG.normal(size=4), requires_grad=True) for _ in range(2))
    assert_close(convolve(x, y)[:7], np.convolve(x.detach().numpy(), y.detach().numpy()))
    assert torch.autograd.gradcheck(convolve, (x, y), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(convolve, (x, y))


def test_parseval_and_shifts():
    z = torch.tensor(draw(6))
    assert_close(torch.fft.fft(z, norm="ortho").norm(), float(z.norm()))
    freq = torch.fft.fftfreq(6, d=0.5)
    assert_same(torch.fft.ifftshift(torch.fft.fftshift(freq)), freq)
    assert torch.fft.fftshift(freq).tolist() == sorted(freq.tolist())


def test_a_tensor_without_dims_has_no_dim_to_transform():
    for transform in (torch.fft.fft, torch.fft.rfft, torch.fft.ifft, torch.fft.hfft):
        with pytest.raises(IndexError, match="no dimensions"):
            transform(torch.tensor(1.0))
    assert torch.fft.fftn(torch.tensor(2.0)) == 2
