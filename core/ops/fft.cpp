// Discrete Fourier transforms: three linear nodes, and torch.fft's functions in terms of them.
#include "cpu/fft.h"

#include <cmath>

#include "ops/reduce.h"
#include "ops/shape.h"

namespace adj {

namespace {

const Fn c2c{"_nodes.fft_c2c"}, r2c{"_nodes.fft_r2c"}, c2r{"_nodes.fft_c2r"};

DType complex_of(DType t) { return is_complex(t) ? t : t == DType::f64 ? DType::c128 : DType::c64; }

// x with dim d last: the same elements, contiguous.
Tensor lines_of(const Tensor& x, int d) {
  if (d == x.dim() - 1) return dense(x);
  Layout layout = x.layout();
  layout.sizes.erase(d);
  layout.strides.erase(d);
  layout.sizes.push_back(x.size(d));
  layout.strides.push_back(x.stride(d));
  return dense(view_of(x, std::move(layout)));
}
// The way back, from lines [..., n].
Tensor from_lines(const Tensor& lines, int d) {
  int last = lines.dim() - 1;
  if (d == last) return lines;
  Layout layout = lines.layout();
  int64_t n = layout.sizes[last], step = layout.strides[last];
  layout.sizes.pop_back();
  layout.strides.pop_back();
  layout.sizes.insert(d, n);
  layout.strides.insert(d, step);
  return dense(view_of(lines, std::move(layout)));
}

// `count` zeros behind x along a dim counted from the right.
Tensor padded(const Tensor& x, int64_t dim, int64_t count) {
  if (count == 0) return x;
  Dims pad;
  for (int64_t d = -1; d > dim; --d) {
    pad.push_back(0);
    pad.push_back(0);
  }
  pad.push_back(0);
  pad.push_back(count);
  return ops::constant_pad_nd(x, pad);
}

// The nodes are given what `checked` below lets through.
void check_node(const Tensor& x, bool want_complex, bool needs_dim = true) {
  if (needs_dim && x.dim() == 0)
    index_error("a Fourier transform needs a dimension, but the tensor has none");
  DType t = real_of(x.dtype());
  if ((t != DType::f32 && t != DType::f64) || is_complex(x.dtype()) != want_complex)
    runtime_error("Unsupported dtype ", scalar_name_of(x.dtype()), " of a Fourier transform");
}

// The transform of complex numbers over `dims`, times `scale`.
struct FftC2C : Linear {
  static Tensor forward(Tensor x, DimsView dims, bool inverse, double scale) {
    check_node(x, true, dims.size() > 0);
    for (int i = 0; i < dims.size(); ++i) {
      int d = normalize_dim(dims[i], x.dim());
      Tensor lines = lines_of(x, d), y = empty(lines.sizes(), x.dtype());
      int64_t n = x.size(d);
      fft_complex(real_of(x.dtype()), inverse, lines.data(), y.data(), n ? x.numel() / n : 0, n,
                  i ? 1 : scale);
      x = from_lines(y, d);
    }
    return x;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, DimsView dims, bool inverse, double scale) {
    return c2c(g, dims, !inverse, scale);
  }
  static Outs batch(Batch& b) { return b.run(); }
};
ADJ_OP(FftC2C, "_nodes.fft_c2c(input: Tensor, dims: int[], inverse: bool, scale: float) -> Tensor",
       R"(
The transform behind `fft.fftn`; `dims` count from the right.

>>> adjoint.fft.fft(adjoint.tensor([1. + 0j, 2.]))
tensor([ 3.+0.j, -1.+0.j])
)");

// Of real numbers, forwards: the first n / 2 + 1 results.
struct FftR2C : Linear {
  static Tensor forward(Tensor x, int64_t dim, double scale) {
    check_node(x, false);
    int d = normalize_dim(dim, x.dim());
    Tensor lines = lines_of(x, d);
    int64_t n = x.size(d);
    Tensor y = empty(sizes_with(lines.sizes(), x.dim() - 1, n / 2 + 1), complex_of(x.dtype()));
    fft_real(x.dtype(), lines.data(), y.data(), n ? x.numel() / n : 0, n, scale);
    return from_lines(y, d);
  }
  // The other half of the results has no cotangent.
  static Tensor transpose(Tensor g, const TensorMeta& x, int64_t dim, double scale) {
    int64_t n = x.sizes[normalize_dim(dim, x.sizes.size())], rest = n - n / 2 - 1;
    g = padded(g, dim, rest);
    return ops::real(c2c(g, Dims{dim}, true, scale));
  }
  static Outs batch(Batch& b) { return b.run(); }
};
ADJ_OP(FftR2C, "_nodes.fft_r2c(input: Tensor, dim: int, scale: float) -> Tensor", R"(
The transform behind `fft.rfft`; `dim` counts from the right.

>>> adjoint.fft.rfft(adjoint.tensor([1., 2.]))
tensor([ 3.+0.j, -1.+0.j])
)");

// The inverse of FftR2C (but for the scale) to n real numbers: the second half of the input is the
// first one conjugated.
struct FftC2R : Linear {
  static Tensor forward(Tensor x, int64_t dim, int64_t n, double scale) {
    check_node(x, true);
    int d = normalize_dim(dim, x.dim());
    Tensor lines = lines_of(x, d),
           y = empty(sizes_with(lines.sizes(), x.dim() - 1, n), real_of(x.dtype()));
    fft_half_complex(y.dtype(), lines.data(), y.data(), n ? y.numel() / n : 0, n, scale);
    return from_lines(y, d);
  }
  // What stands for two elements counts twice.
  static Tensor transpose(Tensor g, const TensorMeta& x, int64_t dim, int64_t n, double scale) {
    Tensor y = r2c(g, dim, scale);
    int d = normalize_dim(dim, x.sizes.size());
    Dims shape(x.sizes.size());
    for (auto& s : shape) s = 1;
    shape[d] = n / 2 + 1;
    Tensor twice = empty(shape, g.dtype());
    for (int64_t k = 0; k <= n / 2; ++k) {
      double by = k == 0 || 2 * k == n ? 1 : 2;
      if (twice.dtype() == DType::f32) twice.data<float>()[k] = static_cast<float>(by);
      else twice.data<double>()[k] = by;
    }
    return ops::mul(y, twice);
  }
  static Outs batch(Batch& b) { return b.run(); }
};
ADJ_OP(FftC2R, "_nodes.fft_c2r(input: Tensor, dim: int, n: int, scale: float) -> Tensor", R"(
The transform behind `fft.irfft`; `dim` counts from the right.

>>> adjoint.fft.irfft(adjoint.tensor([3. + 0j, -1.]))
tensor([1., 2.])
)");

// The factor of a transform of n elements in all.
double scale_of(Text norm, bool inverse, int64_t n) {
  auto count = static_cast<double>(n);
  if (norm == "ortho") return 1 / std::sqrt(count);
  if (norm.empty() || norm == "backward") return inverse ? 1 / count : 1;
  if (norm == "forward") return inverse ? 1 : 1 / count;
  runtime_error("Invalid normalization mode: \"", norm, "\"");
}

Tensor checked(const Tensor& x, bool want_complex, const char* name) {
  DType t = is_differentiable(x.dtype()) ? x.dtype() : default_dtype();
  if (t == DType::f16 || t == DType::bf16)
    runtime_error("Unsupported dtype ", scalar_name_of(t), " of ", name);
  if (!want_complex && is_complex(t))
    runtime_error(name, " expects a real input tensor, but got ", scalar_name_of(t));
  return in_dtype(x, want_complex ? complex_of(t) : t);
}

// x cut off, or filled up with zeros, to n elements along a dim counted from the right.
Tensor resized(const Tensor& x, int64_t dim, int64_t n) {
  int64_t have = x.size(static_cast<int>(dim));
  if (have == n) return x;
  if (have > n) return ops::narrow(x, dim, int64_t{0}, n);
  return padded(x, dim, n - have);
}

// The dims of a call, from the right, and the sizes that the input is brought to.
struct Call {
  Dims dims, sizes;
  int64_t count() const { return DimsView(sizes).product(); }
};
Call call_of(const Tensor& x, std::optional<DimsView> s, std::optional<DimsView> dim) {
  Call c;
  int n = x.dim();
  if (dim) {
    for (int64_t d : *dim) {
      if (n == 0) index_error("Dimension specified as ", d, " but tensor has no dimensions");
      int64_t at = from_right(d, n);
      for (int64_t other : c.dims)
        if (other == at) runtime_error("FFT dims must be unique, got ", *dim);
      c.dims.push_back(at);
    }
    if (s && s->size() != dim->size())
      runtime_error("When given, dim and shape arguments must have the same length, got ", *dim,
                    " and ", *s);
  } else {
    int count = s ? s->size() : n;
    if (count > n)
      runtime_error("Got shape with ", count, " values but input tensor only has ", n,
                    " dimensions.");
    for (int i = 0; i < count; ++i) c.dims.push_back(i - count);
  }
  for (int i = 0; i < c.dims.size(); ++i) {
    int64_t size = s && (*s)[i] != -1 ? (*s)[i] : x.size(static_cast<int>(c.dims[i]));
    c.sizes.push_back(size);
  }
  return c;
}
void check_sizes(DimsView sizes) {
  for (int64_t n : sizes)
    if (n < 1) runtime_error("Invalid number of data points (", n, ") specified");
}

Tensor complex_transform(const char* name, Tensor x, Call call, Text norm, bool inverse) {
  x = checked(x, true, name);
  check_sizes(call.sizes);
  for (int i = 0; i < call.dims.size(); ++i) x = resized(x, call.dims[i], call.sizes[i]);
  return c2c(x, call.dims, inverse, scale_of(norm, inverse, call.count()));
}

// `inverse`: of the scale only (ihfft is the conjugate of rfft).
Tensor real_transform(const char* name, Tensor x, Call call, Text norm, bool inverse) {
  if (call.dims.empty()) runtime_error(name, " must transform at least one axis");
  x = checked(x, false, name);
  check_sizes(call.sizes);
  for (int i = 0; i < call.dims.size(); ++i) x = resized(x, call.dims[i], call.sizes[i]);
  double scale = scale_of(norm, inverse, call.count());
  int64_t last = call.dims.back();
  call.dims.pop_back();
  x = r2c(x, last, scale);
  if (!call.dims.empty()) x = c2c(x, call.dims, false, 1.0);
  return inverse ? ops::conj(x) : x;
}

// `last`: the size of the last dim of the result, if given. `inverse`: of the scale, and irfft or
// hfft, which takes the conjugate.
Tensor to_real_transform(const char* name, Tensor x, Call call, std::optional<int64_t> last,
                         Text norm, bool inverse) {
  if (call.dims.empty()) runtime_error(name, " must transform at least one axis");
  x = checked(x, true, name);
  int64_t& n = call.sizes.back();
  n = last ? *last : 2 * (n - 1);
  check_sizes(call.sizes);
  for (int i = 0; i < call.dims.size(); ++i)
    x = resized(x, call.dims[i], i + 1 < call.dims.size() ? call.sizes[i] : n / 2 + 1);
  double scale = scale_of(norm, inverse, call.count());
  int64_t dim = call.dims.back();
  call.dims.pop_back();
  if (!inverse) x = ops::conj(x);
  if (!call.dims.empty()) x = c2c(x, call.dims, true, 1.0);
  return c2r(x, dim, n, scale);
}

Call one_dim(const Tensor& x, std::optional<int64_t> n, int64_t dim) {
  int64_t size = n.value_or(-1);
  if (n && *n < 1) runtime_error("Invalid number of data points (", *n, ") specified");
  return call_of(x, DimsView(&size, 1), DimsView(&dim, 1));
}
std::optional<int64_t> last_of(std::optional<DimsView> s) {
  if (!s || s->empty() || (*s)[s->size() - 1] == -1) return std::nullopt;
  return (*s)[s->size() - 1];
}

using MaybeInt = std::optional<int64_t>;
using MaybeDims = std::optional<DimsView>;

#define ADJ_FFT_1(STRUCT, NAME, BODY)                                    \
  struct STRUCT : Composite {                                            \
    static constexpr const char* name = NAME;                            \
    static Tensor define(Tensor x, MaybeInt n, int64_t dim, Text norm) { \
      Call call = one_dim(x, n, dim);                                    \
      return BODY;                                                       \
    }                                                                    \
  };
#define ADJ_FFT_N(STRUCT, NAME, BODY)                                       \
  struct STRUCT : Composite {                                               \
    static constexpr const char* name = NAME;                               \
    static Tensor define(Tensor x, MaybeDims n, MaybeDims dim, Text norm) { \
      Call call = call_of(x, n, dim);                                       \
      return BODY;                                                          \
    }                                                                       \
  };

ADJ_FFT_1(Fft, "fft", complex_transform(name, x, call, norm, false))
ADJ_OP(Fft, "fft.fft(input: Tensor, n: int? = None, dim: int = -1, norm: str? = None) -> Tensor",
       R"(
The discrete Fourier transform over `dim`: `y[j] = sum over k of x[k] exp(-2 pi i j k / n)`, complex.
The input is cut off or filled up with zeros to `n` elements. `norm` "backward" (None) scales the
inverse by 1/n, "forward" this one, "ortho" both by 1/sqrt(n). A RuntimeError for n < 1.

>>> adjoint.fft.fft(adjoint.tensor([1., 2., 3., 4.]))
tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
)");
ADJ_FFT_1(Ifft, "ifft", complex_transform(name, x, call, norm, true))
ADJ_OP(Ifft, "fft.ifft(input: Tensor, n: int? = None, dim: int = -1, norm: str? = None) -> Tensor",
       R"(
The inverse of `fft`, with its arguments.

>>> adjoint.fft.ifft(adjoint.tensor([3. + 0j, -1.]))
tensor([1.+0.j, 2.+0.j])
)");
ADJ_FFT_1(Rfft, "rfft", real_transform(name, x, call, norm, false))
ADJ_OP(Rfft, "fft.rfft(input: Tensor, n: int? = None, dim: int = -1, norm: str? = None) -> Tensor",
       R"(
`fft` of a real tensor, without the results that are conjugates of others: n // 2 + 1 of them.

>>> adjoint.fft.rfft(adjoint.tensor([1., 2., 3., 4.]))
tensor([10.+0.j, -2.+2.j, -2.+0.j])
)");
ADJ_FFT_1(Irfft, "irfft", to_real_transform(name, x, call, n, norm, true))
ADJ_OP(Irfft,
       "fft.irfft(input: Tensor, n: int? = None, dim: int = -1, norm: str? = None) -> Tensor",
       R"(
The inverse of `rfft`: a real tensor of size `n` over `dim`, 2 (m - 1) by default, for an input of size
m. The imaginary parts that cannot be, of the first and the middle element, are left out.

>>> adjoint.fft.irfft(adjoint.tensor([10. + 0j, -2 + 2j, -2.]))
tensor([1., 2., 3., 4.])
)");
ADJ_FFT_1(Hfft, "hfft", to_real_transform(name, x, call, n, norm, false))
ADJ_OP(Hfft, "fft.hfft(input: Tensor, n: int? = None, dim: int = -1, norm: str? = None) -> Tensor",
       R"(
`fft` of a signal whose second half is the first one conjugated, of which m = n // 2 + 1 elements are
given: a real tensor of size `n`, 2 (m - 1) by default.

>>> adjoint.fft.hfft(adjoint.tensor([1. + 0j, 2., 3.]))
tensor([ 8., -2.,  0., -2.])
)");
ADJ_FFT_1(Ihfft, "ihfft", real_transform(name, x, call, norm, true))
ADJ_OP(Ihfft,
       "fft.ihfft(input: Tensor, n: int? = None, dim: int = -1, norm: str? = None) -> Tensor",
       R"(
The inverse of `hfft`, of a real tensor: n // 2 + 1 elements.

>>> adjoint.fft.ihfft(adjoint.tensor([8., -2., 0., -2.])).real
tensor([1., 2., 3.])
)");

#define ADJ_FFT_FAMILY(NAME) \
  "(input: Tensor, s: int[]? = None, dim: int[]? = " NAME ", norm: str? = None) -> Tensor"
#define ADJ_TWO "[-2, -1]"

ADJ_FFT_N(Fftn, "fftn", complex_transform(name, x, call, norm, false))
ADJ_OP(Fftn, "fft.fftn" ADJ_FFT_FAMILY("None"), R"(
`fft` over several dims: `dim`, or the last ones that `s` gives sizes for, or all. A size of -1 leaves
a dim as it is.

>>> adjoint.fft.fftn(adjoint.tensor([[1., 2.], [3., 4.]]))
tensor([[10.+0.j, -2.+0.j],
        [-4.+0.j,  0.+0.j]])
)");
ADJ_FFT_N(Ifftn, "ifftn", complex_transform(name, x, call, norm, true))
ADJ_OP(Ifftn, "fft.ifftn" ADJ_FFT_FAMILY("None"), R"(
The inverse of `fftn`.

>>> adjoint.fft.ifftn(adjoint.tensor([[10., -2.], [-4., 0.]])).real
tensor([[1., 2.],
        [3., 4.]])
)");
ADJ_FFT_N(Rfftn, "rfftn", real_transform(name, x, call, norm, false))
ADJ_OP(Rfftn, "fft.rfftn" ADJ_FFT_FAMILY("None"), R"(
`fftn` of a real tensor, whose last transformed dim has n // 2 + 1 results.

>>> adjoint.fft.rfftn(adjoint.ones(2, 4)).shape
torch.Size([2, 3])
)");
ADJ_FFT_N(Irfftn, "irfftn", to_real_transform(name, x, call, last_of(n), norm, true))
ADJ_OP(Irfftn, "fft.irfftn" ADJ_FFT_FAMILY("None"), R"(
The inverse of `rfftn`.

>>> adjoint.fft.irfftn(adjoint.fft.rfftn(adjoint.ones(2, 4)))
tensor([[1., 1., 1., 1.],
        [1., 1., 1., 1.]])
)");
ADJ_FFT_N(Hfftn, "hfftn", to_real_transform(name, x, call, last_of(n), norm, false))
ADJ_OP(Hfftn, "fft.hfftn" ADJ_FFT_FAMILY("None"), R"(
`fftn` of a signal that is symmetric up to conjugation, of whose last dim half is given: real.

>>> adjoint.fft.hfftn(adjoint.ones(2, 3)).shape
torch.Size([2, 4])
)");
ADJ_FFT_N(Ihfftn, "ihfftn", real_transform(name, x, call, norm, true))
ADJ_OP(Ihfftn, "fft.ihfftn" ADJ_FFT_FAMILY("None"), R"(
The inverse of `hfftn`.

>>> adjoint.fft.ihfftn(adjoint.ones(2, 4)).shape
torch.Size([2, 3])
)");

struct Fft2 : Fftn {};
ADJ_OP(Fft2, "fft.fft2" ADJ_FFT_FAMILY(ADJ_TWO), R"(
`fftn` over the last two dims.

>>> adjoint.fft.fft2(adjoint.ones(2, 2)).real
tensor([[4., 0.],
        [0., 0.]])
)");
struct Ifft2 : Ifftn {};
ADJ_OP(Ifft2, "fft.ifft2" ADJ_FFT_FAMILY(ADJ_TWO), R"(
`ifftn` over the last two dims.

>>> adjoint.fft.ifft2(adjoint.ones(2, 2)).real
tensor([[1., 0.],
        [0., 0.]])
)");
struct Rfft2 : Rfftn {};
ADJ_OP(Rfft2, "fft.rfft2" ADJ_FFT_FAMILY(ADJ_TWO), R"(
`rfftn` over the last two dims.

>>> adjoint.fft.rfft2(adjoint.ones(2, 4)).shape
torch.Size([2, 3])
)");
struct Irfft2 : Irfftn {};
ADJ_OP(Irfft2, "fft.irfft2" ADJ_FFT_FAMILY(ADJ_TWO), R"(
`irfftn` over the last two dims.

>>> adjoint.fft.irfft2(adjoint.ones(2, 3)).shape
torch.Size([2, 4])
)");
struct Hfft2 : Hfftn {};
ADJ_OP(Hfft2, "fft.hfft2" ADJ_FFT_FAMILY(ADJ_TWO), R"(
`hfftn` over the last two dims.

>>> adjoint.fft.hfft2(adjoint.ones(2, 3)).shape
torch.Size([2, 4])
)");
struct Ihfft2 : Ihfftn {};
ADJ_OP(Ihfft2, "fft.ihfft2" ADJ_FFT_FAMILY(ADJ_TWO), R"(
`ihfftn` over the last two dims.

>>> adjoint.fft.ihfft2(adjoint.ones(2, 4)).shape
torch.Size([2, 3])
)");

Tensor shifted(const Tensor& x, MaybeDims dim, bool inverse) {
  Dims dims, by;
  if (dim) dims = dim->copy();
  else
    for (int i = 0; i < x.dim(); ++i) dims.push_back(i);
  for (int64_t d : dims) {
    int64_t n = x.size(normalize_dim(d, x.dim()));
    by.push_back(inverse ? (n + 1) / 2 : n / 2);
  }
  return dims.empty() ? ops::clone(x) : ops::roll(x, by, dims);
}

struct Fftshift : Composite {
  static Tensor define(Tensor x, MaybeDims dim) { return shifted(x, dim, false); }
};
ADJ_OP(Fftshift, "fft.fftshift(input: Tensor, dim: int[]? = None) -> Tensor", R"(
The frequencies of a transform in ascending order: each of the dims (None: all) rolled by half.

>>> adjoint.fft.fftshift(adjoint.tensor([0, 1, -2, -1]))
tensor([-2, -1,  0,  1])
)");
struct Ifftshift : Composite {
  static Tensor define(Tensor x, MaybeDims dim) { return shifted(x, dim, true); }
};
ADJ_OP(Ifftshift, "fft.ifftshift(input: Tensor, dim: int[]? = None) -> Tensor", R"(
The inverse of `fftshift`.

>>> adjoint.fft.ifftshift(adjoint.tensor([-2, -1, 0, 1]))
tensor([ 0,  1, -2, -1])
)");

Tensor frequencies(int64_t n, double d, int64_t count, std::optional<DType> dtype) {
  Tensor x = empty(Dims{count}, DType::f64);
  double step = 1 / (static_cast<double>(n) * d);
  for (int64_t k = 0; k < count; ++k)
    x.data<double>()[k] = static_cast<double>(count == n && k > (n - 1) / 2 ? k - n : k) * step;
  return in_dtype(x, dtype.value_or(default_dtype()));
}

struct Fftfreq : Factory {
  static Tensor forward(int64_t n, double d, std::optional<DType> dtype) {
    if (n < 0) runtime_error("fftfreq: n must not be negative, got ", n);
    return frequencies(n, d, n, dtype);
  }
};
ADJ_OP(Fftfreq, "fft.fftfreq(n: int, d: float = 1.0, *, dtype: dtype? = None) -> Tensor", R"(
The frequencies of the results of `fft` of n samples that are `d` apart, in cycles per unit of `d`.

>>> adjoint.fft.fftfreq(4)
tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
)");
struct Rfftfreq : Factory {
  static Tensor forward(int64_t n, double d, std::optional<DType> dtype) {
    if (n < 0) runtime_error("rfftfreq: n must not be negative, got ", n);
    Tensor x = frequencies(n, d, n / 2 + 1, dtype);
    return x;
  }
};
ADJ_OP(Rfftfreq, "fft.rfftfreq(n: int, d: float = 1.0, *, dtype: dtype? = None) -> Tensor", R"(
The frequencies of the results of `rfft` of n samples that are `d` apart.

>>> adjoint.fft.rfftfreq(4)
tensor([0.0000, 0.2500, 0.5000])
)");

}  // namespace
}  // namespace adj
