// Windows, and transforms of a signal piece by piece.
#include <cmath>

#include "ops/shape.h"

namespace adj {

namespace {

constexpr double kPi = 3.14159265358979323846;

// f(k / n) for k < length, with n = length of a periodic window and length - 1 of a symmetric one.
template <class F>
Tensor window(const char* name, int64_t length, bool periodic, std::optional<DType> dtype,
              const F& f) {
  DType t = dtype.value_or(default_dtype());
  if (!is_floating(t)) runtime_error(name, " expects floating point dtypes, got: ", t);
  if (length < 0)
    runtime_error(name, " requires non-negative window_length, got window_length=", length);
  Tensor x = empty(Dims{length}, DType::f64);
  double n = static_cast<double>(periodic ? length : length - 1);
  for (int64_t k = 0; k < length; ++k)
    x.data<double>()[k] = length == 1 ? 1 : f(static_cast<double>(k) / n);
  return in_dtype(x, t);
}

struct HammingWindow : Factory {
  static Tensor forward(int64_t length, bool periodic, double alpha, double beta,
                        std::optional<DType> dtype) {
    return window("hamming_window", length, periodic, dtype,
                  [=](double u) { return alpha - beta * std::cos(2 * kPi * u); });
  }
};
ADJ_OP(HammingWindow,
       "hamming_window(window_length: int, periodic: bool = True, alpha: float = 0.54, "
       "beta: float = 0.46, *, dtype: dtype? = None) -> Tensor",
       R"(
The window `alpha - beta cos(2 pi k / n)`, n being the length, or one less if not `periodic`.

>>> adjoint.hamming_window(4)
tensor([0.0800, 0.5400, 1.0000, 0.5400])
)");

struct HannWindow : Factory {
  static Tensor forward(int64_t length, bool periodic, std::optional<DType> dtype) {
    return window("hann_window", length, periodic, dtype,
                  [](double u) { return 0.5 - 0.5 * std::cos(2 * kPi * u); });
  }
};
ADJ_OP(HannWindow,
       "hann_window(window_length: int, periodic: bool = True, *, dtype: dtype? = None) -> Tensor",
       R"(
The window `(1 - cos(2 pi k / n)) / 2`, n being the length, or one less if not `periodic`.

>>> adjoint.hann_window(4)
tensor([0.0000, 0.5000, 1.0000, 0.5000])
)");

struct BlackmanWindow : Factory {
  static Tensor forward(int64_t length, bool periodic, std::optional<DType> dtype) {
    return window("blackman_window", length, periodic, dtype, [](double u) {
      return std::fabs(0.42 - 0.5 * std::cos(2 * kPi * u) + 0.08 * std::cos(4 * kPi * u));
    });
  }
};
ADJ_OP(BlackmanWindow,
       "blackman_window(window_length: int, periodic: bool = True, *, dtype: dtype? = None) "
       "-> Tensor",
       R"(
The window `0.42 - 0.5 cos(2 pi k / n) + 0.08 cos(4 pi k / n)`, n being the length, or one less if not
`periodic`.

>>> adjoint.blackman_window(5, periodic=False)[1:4]
tensor([0.3400, 1.0000, 0.3400])
)");

struct BartlettWindow : Factory {
  static Tensor forward(int64_t length, bool periodic, std::optional<DType> dtype) {
    return window("bartlett_window", length, periodic, dtype,
                  [](double u) { return 1 - std::fabs(2 * u - 1); });
  }
};
ADJ_OP(BartlettWindow,
       "bartlett_window(window_length: int, periodic: bool = True, *, dtype: dtype? = None) "
       "-> Tensor",
       R"(
The triangle `1 - |2 k / n - 1|`, n being the length, or one less if not `periodic`.

>>> adjoint.bartlett_window(4)
tensor([0.0000, 0.5000, 1.0000, 0.5000])
)");

// The modified Bessel function of order 0: sum of (x^2 / 4)^k / k!^2, all of whose terms are
// positive.
double bessel_i0(double x) {
  double term = 1, sum = 1;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= x * x / 4 / (static_cast<double>(k) * k);
    sum += term;
  }
  return sum;
}

struct KaiserWindow : Factory {
  static Tensor forward(int64_t length, bool periodic, double beta, std::optional<DType> dtype) {
    return window("kaiser_window", length, periodic, dtype, [=](double u) {
      double v = 2 * u - 1;
      return bessel_i0(beta * std::sqrt(std::fmax(0, 1 - v * v))) / bessel_i0(beta);
    });
  }
};
ADJ_OP(KaiserWindow,
       "kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, *, "
       "dtype: dtype? = None) -> Tensor",
       R"(
The window `I0(beta sqrt(1 - (2 k / n - 1)^2)) / I0(beta)`, n being the length, or one less if not
`periodic`.

>>> adjoint.kaiser_window(5, periodic=False)[2:]
tensor([1.0000e+00, 2.1567e-01, 5.2773e-05])
)");

const Fn pad{"nn.functional.pad"}, rfft{"fft.rfft"}, fft{"fft.fft"}, irfft{"fft.irfft"},
    ifft{"fft.ifft"};

struct Frames {
  int64_t size, hop;
  Tensor window;  // [size], or undefined
};

Frames frames_of(const char* name, int64_t n_fft, std::optional<int64_t> hop_length,
                 std::optional<int64_t> win_length, const Tensor& given) {
  Frames f{n_fft, hop_length.value_or(n_fft / 4), given};
  int64_t length = win_length.value_or(n_fft);
  if (n_fft < 1) runtime_error(name, ": expected n_fft > 0, but got n_fft=", n_fft);
  if (f.hop < 1) runtime_error(name, ": expected hop_length > 0, but got hop_length=", f.hop);
  if (length < 1 || length > n_fft)
    runtime_error(name, ": expected 0 < win_length <= n_fft, but got win_length=", length,
                  " and n_fft=", n_fft);
  if (given.defined() && (given.dim() != 1 || given.size(0) != length))
    runtime_error(name, ": expected a 1D window tensor of size equal to win_length=", length,
                  ", but got window with size ", given.sizes());
  int64_t left = (n_fft - length) / 2, right = n_fft - length - left;
  if (length < n_fft) {
    if (!given.defined()) f.window = ops::ones(Dims{length});
    f.window = ops::constant_pad_nd(f.window, Dims{left, right});
  }
  return f;
}

struct Stft : Composite {
  static Tensor define(Tensor x, int64_t n_fft, std::optional<int64_t> hop_length,
                       std::optional<int64_t> win_length, Tensor given, bool center, Text mode,
                       bool normalized, std::optional<bool> onesided,
                       std::optional<bool> return_complex) {
    if (!is_floating(x.dtype()) && !is_complex(x.dtype()))
      runtime_error("stft: expected a tensor of floating point or complex values, got ", x.dtype());
    if (x.dim() != 1 && x.dim() != 2)
      runtime_error("stft: expected a 1D or 2D tensor, got shape ", x.sizes());
    Frames f = frames_of("stft", n_fft, hop_length, win_length, given);
    bool complex = is_complex(x.dtype()) || (given.defined() && is_complex(given.dtype()));
    if (!complex && !return_complex)
      runtime_error(
          "stft requires the return_complex parameter be given for real inputs: "
          "return_complex=True "
          "gives a complex tensor");
    bool half = onesided.value_or(!complex);
    if (half && complex) runtime_error("Cannot have onesided output if window or input is complex");
    bool single = x.dim() == 1;
    if (single) x = ops::unsqueeze(x, int64_t{0});
    if (center) {
      int64_t by = n_fft / 2;
      Dims sides{by, by};
      x = ops::squeeze(pad(ops::unsqueeze(x, int64_t{0}), sides, intern(mode)), Dims{0});
    }
    if (x.size(1) < n_fft)
      runtime_error("stft: expected 0 < n_fft <= ", x.size(1), ", but got n_fft=", n_fft);
    Tensor frames = ops::unfold(x, int64_t{1}, f.size, f.hop);  // [batch, frames, n_fft]
    if (f.window.defined()) frames = ops::mul(frames, in_kind(f.window, frames));
    const char* norm = normalized ? "ortho" : "backward";
    Tensor y = (half ? rfft : fft)(frames, std::nullopt, int64_t{-1}, intern(norm));
    y = ops::transpose(y, int64_t{1}, int64_t{2});
    if (single) y = ops::squeeze(y, Dims{0});
    return return_complex.value_or(true) ? y : ops::view_as_real(y);
  }
  // The window in the precision of the signal.
  static Tensor in_kind(const Tensor& window, const Tensor& x) {
    return is_complex(window.dtype()) ? window : in_dtype(window, real_of(x.dtype()));
  }
};
ADJ_OP(Stft,
       "stft(input: Tensor, n_fft: int, hop_length: int? = None, win_length: int? = None, "
       "window: Tensor? = None, center: bool = True, pad_mode: str = 'reflect', "
       "normalized: bool = False, onesided: bool? = None, return_complex: bool? = None) -> Tensor",
       R"(
The transforms of the pieces of a signal [length] or [batch, length] that start every `hop_length`
elements (None: n_fft // 4): [..., frequencies, pieces], with n_fft // 2 + 1 frequencies if `onesided`
(None: for real signals), else n_fft. Each piece of `n_fft` elements is multiplied by `window`, of
size `win_length`, which is padded by zeros on both sides. `center` pads the signal so that piece t is
centred at t * hop_length. `normalized` divides by the root of n_fft.

>>> adjoint.stft(adjoint.ones(8), 4, return_complex=True).shape
torch.Size([3, 9])
)");

// The pieces [batch, pieces, size] added up at their places.
Tensor overlap_add(const Tensor& pieces, int64_t hop) {
  int64_t size = pieces.size(2), length = size + hop * (pieces.size(1) - 1);
  Dims whole{pieces.size(0), length};
  return ops::unfold_transpose(pieces, whole, int64_t{1}, size, hop);
}

struct Istft : Composite {
  static Tensor define(Tensor x, int64_t n_fft, std::optional<int64_t> hop_length,
                       std::optional<int64_t> win_length, Tensor given, bool center,
                       bool normalized, std::optional<bool> onesided, std::optional<int64_t> length,
                       bool return_complex) {
    if (!is_complex(x.dtype()))
      runtime_error(
          "istft requires a complex-valued input tensor matching the output from stft "
          "with return_complex=True.");
    if (x.dim() != 2 && x.dim() != 3)
      runtime_error("istft: expected a tensor with 2 or 3 dimensions, got shape ", x.sizes());
    if (x.numel() == 0) runtime_error("istft: the input tensor cannot be empty");
    Frames f = frames_of("istft", n_fft, hop_length, win_length, given);
    bool single = x.dim() == 2;
    if (single) x = ops::unsqueeze(x, int64_t{0});
    bool half = onesided.value_or(x.size(1) != n_fft);
    if (x.size(1) != (half ? n_fft / 2 + 1 : n_fft))
      runtime_error(
          "istft: expected the frequency dimension (3rd to the last) of the input tensor "
          "to match n_fft ",
          half ? "/ 2 + 1 when onesided=True" : "when onesided=False", ", but got ", x.size(1));
    if (return_complex && half)
      runtime_error("cannot have onesided input if window or output is complex");
    int64_t frames = x.size(2);
    Tensor y = ops::transpose(x, int64_t{1}, int64_t{2});
    const char* norm = normalized ? "ortho" : "backward";
    y = (half ? irfft : ifft)(y, n_fft, int64_t{-1}, intern(norm));  // [batch, frames, n_fft]
    if (!half && !return_complex) y = ops::real(y);
    Tensor window = f.window.defined() ? in_dtype(f.window, real_of(x.dtype()))
                                       : ops::ones(Dims{n_fft}, real_of(x.dtype()));
    y = overlap_add(ops::mul(y, window), f.hop);
    Tensor squares = ops::expand(ops::square(window), Dims{1, frames, n_fft});
    Tensor envelope = overlap_add(squares, f.hop);
    int64_t start = center ? n_fft / 2 : 0, whole = y.size(1);
    int64_t end = length ? std::min(start + *length, whole) : whole - (center ? n_fft / 2 : 0);
    y = ops::narrow(y, int64_t{1}, start, end - start);
    envelope = ops::narrow(envelope, int64_t{1}, start, end - start);
    if (!envelope.wrapped() && envelope.numel() &&
        *ops::to_dtype(ops::amin(ops::abs(envelope), Dims{}), DType::f64).data<double>() < 1e-11)
      runtime_error("window overlap add min: the windows leave some elements without weight");
    y = ops::div(y, envelope);
    if (length && *length > end - start)
      y = ops::constant_pad_nd(y, Dims{0, *length - (end - start)});
    return single ? ops::squeeze(y, Dims{0}) : y;
  }
};
ADJ_OP(Istft,
       "istft(input: Tensor, n_fft: int, hop_length: int? = None, win_length: int? = None, "
       "window: Tensor? = None, center: bool = True, normalized: bool = False, "
       "onesided: bool? = None, length: int? = None, return_complex: bool = False) -> Tensor",
       R"(
The inverse of `stft`, with its arguments: the signal whose pieces have the given transforms, in the
least squares sense if they contradict each other. `length` is that of the signal, which is cut off or
filled up. A RuntimeError where the windows are all zero.

>>> x = adjoint.arange(8.)
>>> y = adjoint.stft(x, 4, window=adjoint.hann_window(4), return_complex=True)
>>> adjoint.istft(y, 4, window=adjoint.hann_window(4)).round()
tensor([0., 1., 2., 3., 4., 5., 6., 7.])
)");

}  // namespace
}  // namespace adj
