// conv1d and its kin: what the arguments mean, and what is wrong with them.
#include "ops/pool.h"
#include "ops/shape.h"

namespace adj {

namespace {

const Fn convolution{"_nodes.convolution"};

struct ConvArgs {
  const char* name;
  int nd;
  Dims stride, padding, dilation;
  int64_t groups;
};

ConvArgs checked(const char* name, int nd, const Tensor& x, const Tensor& w, const Tensor& bias,
                 DimsView stride, DimsView padding, DimsView dilation, int64_t groups,
                 bool transposed) {
  ConvArgs a{name,
             nd,
             per_dim(name, "stride", stride, nd),
             per_dim(name, "padding", padding, nd),
             per_dim(name, "dilation", dilation, nd),
             groups};
  if (groups <= 0) runtime_error(name, ": non-positive groups is not supported, got ", groups);
  for (int i = 0; i < nd; ++i) {
    if (a.stride[i] <= 0) runtime_error(name, ": non-positive stride is not supported: ", stride);
    if (a.padding[i] < 0) runtime_error(name, ": negative padding is not supported: ", padding);
    if (a.dilation[i] <= 0)
      runtime_error(name, ": dilation should be greater than zero, got ", dilation);
  }
  if (w.dim() != nd + 2)
    runtime_error(name, ": expected a weight of ", nd + 2, " dimensions, but got one of size ",
                  w.sizes());
  if (x.dim() != nd + 1 && x.dim() != nd + 2)
    runtime_error("Expected ", nd + 1, "D (unbatched) or ", nd + 2, "D (batched) input to ", name,
                  ", but got input of size: ", x.sizes());
  if (x.dtype() != w.dtype())
    runtime_error("Input type (", scalar_name_of(x.dtype()), ") and weight type (",
                  scalar_name_of(w.dtype()), ") should be the same");
  if (bias.defined() && bias.dtype() != x.dtype())
    runtime_error("Input type (", scalar_name_of(x.dtype()), ") and bias type (",
                  scalar_name_of(bias.dtype()), ") should be the same");
  int64_t first = w.size(0), channels = x.size(-nd - 1);
  if (first < groups || first % groups)
    runtime_error("Given groups=", groups, ", expected weight to be at least ", groups,
                  " at dimension 0 and divisible by it, but got weight of size ", w.sizes(),
                  " instead");
  int64_t wanted = transposed ? first : w.size(1) * groups;
  if (channels != wanted)
    runtime_error(transposed ? "Given transposed=1" : "Given groups=",
                  transposed ? "" : std::to_string(groups), ", weight of size ", w.sizes(),
                  ", expected input", x.sizes(), " to have ", wanted, " channels, but got ",
                  channels, " channels instead");
  int64_t results = transposed ? w.size(1) * groups : first;
  if (bias.defined() && (bias.dim() != 1 || bias.size(0) != results))
    runtime_error("Given ", transposed ? "transposed=1, " : "", "weight of size ", w.sizes(),
                  ", expected bias to be 1-dimensional with ", results,
                  " elements, but got bias of size ", bias.sizes(), " instead");
  for (int i = 2; i < w.dim(); ++i)
    if (w.size(i) <= 0)
      runtime_error(name, ": kernel size should be greater than zero: ", w.sizes());
  return a;
}

Tensor with_samples(const ConvArgs& a, const Tensor& x) {
  return x.dim() == a.nd + 1 ? Tensor(ops::unsqueeze(x, int64_t{0})) : x;
}
Tensor run(const ConvArgs& a, const Tensor& x, const Tensor& w, const Tensor& bias, DimsView size,
           bool transposed) {
  if (is_complex(x.dtype())) {
    Tensor xr = ops::real(x), xi = ops::imag(x), wr = ops::real(w), wi = ops::imag(w);
    auto part = [&](const Tensor& u, const Tensor& v) {
      return run(a, u, v, {}, size, transposed);
    };
    Tensor y =
        ops::complex(ops::sub(part(xr, wr), part(xi, wi)), ops::add(part(xr, wi), part(xi, wr)));
    if (!bias.defined()) return y;
    Dims channels{bias.numel()};
    for (int i = 0; i < a.nd; ++i) channels.push_back(1);
    return ops::add(y, ops::reshape(bias, channels));
  }
  if (is_integral(x.dtype())) {  // exact below 2^53
    auto real = [](const Tensor& t) {
      return t.defined() ? Tensor(ops::to_dtype(t, DType::f64)) : t;
    };
    return ops::to_dtype(run(a, real(x), real(w), real(bias), size, transposed), x.dtype());
  }
  Tensor y = convolution(with_samples(a, x), w, bias, a.stride, a.padding, a.dilation, a.groups,
                         size, transposed);
  return x.dim() == a.nd + 1 ? Tensor(ops::squeeze(y, int64_t{0})) : y;
}

Tensor convolve(const char* name, int nd, const Tensor& x, const Tensor& w, const Tensor& bias,
                DimsView stride, DimsView padding, DimsView dilation, int64_t groups) {
  ConvArgs a = checked(name, nd, x, w, bias, stride, padding, dilation, groups, false);
  Dims size(nd), padded(nd), reach(nd);
  bool fits = true;
  for (int i = 0; i < nd; ++i) {
    padded[i] = x.size(i - nd) + 2 * a.padding[i];
    reach[i] = a.dilation[i] * (w.size(i + 2) - 1) + 1;
    fits = fits && padded[i] >= reach[i];
    size[i] = (padded[i] - reach[i]) / a.stride[i] + 1;
  }
  if (!fits)
    runtime_error("Calculated padded input size per channel: ", padded, ". Kernel size: ", reach,
                  ". Kernel size can't be greater than actual input size");
  return run(a, x, w, bias, size, false);
}

Tensor convolve_as(const char* name, int nd, const Tensor& x, const Tensor& w, const Tensor& bias,
                   DimsView stride, Text padding, DimsView dilation, int64_t groups) {
  if (padding == "valid") return convolve(name, nd, x, w, bias, stride, Dims{0}, dilation, groups);
  if (padding != "same")
    runtime_error(name, ": padding must be 'same', 'valid' or ints, got '", padding, "'");
  ConvArgs a = checked(name, nd, x, w, bias, stride, Dims{0}, dilation, groups, false);
  Dims before(nd), extra;
  bool odd = false;
  for (int i = 0; i < nd; ++i) {
    if (a.stride[i] != 1)
      runtime_error(name, ": padding='same' is not supported for strided convolutions");
    before[i] = a.dilation[i] * (w.size(i + 2) - 1) / 2;
  }
  for (int i = nd - 1; i >= 0; --i) {  // an odd total has one more behind
    int64_t more = a.dilation[i] * (w.size(i + 2) - 1) % 2;
    extra.push_back(0);
    extra.push_back(more);
    odd = odd || more;
  }
  Tensor in = odd ? Tensor(ops::constant_pad_nd(x, extra)) : x;
  return convolve(name, nd, in, w, bias, stride, before, dilation, groups);
}

Tensor convolve_transposed(const char* name, int nd, const Tensor& x, const Tensor& w,
                           const Tensor& bias, DimsView stride, DimsView padding,
                           DimsView output_padding, int64_t groups, DimsView dilation) {
  ConvArgs a = checked(name, nd, x, w, bias, stride, padding, dilation, groups, true);
  Dims more = per_dim(name, "output_padding", output_padding, nd), size(nd);
  for (int i = 0; i < nd; ++i) {
    if (more[i] < 0 || more[i] >= std::max(a.stride[i], a.dilation[i]))
      runtime_error(
          "output padding must be smaller than either stride or dilation, but got output_padding ",
          more, ", stride ", a.stride, ", dilation ", a.dilation);
    size[i] = (x.size(i - nd) - 1) * a.stride[i] - 2 * a.padding[i] +
              a.dilation[i] * (w.size(i + 2) - 1) + more[i] + 1;
    if (size[i] <= 0)
      runtime_error("Given input size per channel: ", x.sizes().slice(x.dim() - nd, nd),
                    ". Calculated output size per channel: ", size[i], " in dimension ", i,
                    ". Output size is too small");
  }
  return run(a, x, w, bias, size, true);
}

// The plain name and that of nn.functional, for each number of dims.
template <int nd>
struct ConvOf : Composite {
  static constexpr bool is_method = false;
  static constexpr const char* name = nd == 1 ? "conv1d" : nd == 2 ? "conv2d" : "conv3d";
  static Tensor define(Tensor x, Tensor w, Tensor bias, DimsView stride, DimsView padding,
                       DimsView dilation, int64_t groups) {
    return convolve(name, nd, x, w, bias, stride, padding, dilation, groups);
  }
};
template <int nd>
struct ConvPaddedOf : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, Tensor w, Tensor bias, DimsView stride, Text padding,
                       DimsView dilation, int64_t groups) {
    return convolve_as(ConvOf<nd>::name, nd, x, w, bias, stride, padding, dilation, groups);
  }
};
template <int nd>
struct ConvTransposeOf : Composite {
  static constexpr bool is_method = false;
  static constexpr const char* name = nd == 1   ? "conv_transpose1d"
                                      : nd == 2 ? "conv_transpose2d"
                                                : "conv_transpose3d";
  static Tensor define(Tensor x, Tensor w, Tensor bias, DimsView stride, DimsView padding,
                       DimsView output_padding, int64_t groups, DimsView dilation) {
    return convolve_transposed(name, nd, x, w, bias, stride, padding, output_padding, groups,
                               dilation);
  }
};

#define ADJ_CONV_ARGS                                                           \
  "(input: Tensor, weight: Tensor, bias: Tensor? = None, stride: int[] = [1], " \
  "padding: int[] = [0], dilation: int[] = [1], groups: int = 1) -> Tensor"
#define ADJ_CONV_PADDED_ARGS                                                       \
  ":padding(input: Tensor, weight: Tensor, bias: Tensor? = None, stride: int[] = " \
  "[1], padding: str = 'valid', dilation: int[] = [1], groups: int = 1) -> Tensor"
#define ADJ_CONV_TRANSPOSE_ARGS                                                    \
  "(input: Tensor, weight: Tensor, bias: Tensor? = None, stride: int[] = [1], "    \
  "padding: int[] = [0], output_padding: int[] = [0], groups: int = 1, dilation: " \
  "int[] = [1]) -> Tensor"

using Conv1d = ConvOf<1>;
using Conv2d = ConvOf<2>;
using Conv3d = ConvOf<3>;
using Conv1dPadded = ConvPaddedOf<1>;
using Conv2dPadded = ConvPaddedOf<2>;
using Conv3dPadded = ConvPaddedOf<3>;
using ConvTranspose1d = ConvTransposeOf<1>;
using ConvTranspose2d = ConvTransposeOf<2>;
using ConvTranspose3d = ConvTransposeOf<3>;
struct PlainConv1d : Conv1d {};
struct PlainConv2d : Conv2d {};
struct PlainConv3d : Conv3d {};
struct PlainConv1dPadded : Conv1dPadded {};
struct PlainConv2dPadded : Conv2dPadded {};
struct PlainConv3dPadded : Conv3dPadded {};
struct PlainConvTranspose1d : ConvTranspose1d {};
struct PlainConvTranspose2d : ConvTranspose2d {};
struct PlainConvTranspose3d : ConvTranspose3d {};

constexpr const char* kConv1d = R"(
Cross-correlation of sequences: `input` [N, C, L] or [C, L], `weight` [M, C / groups, K], `bias` [M];
the result is [N, M, (L + 2 padding - dilation (K - 1) - 1) / stride + 1]. `padding` is a number, or
'same' (as long as the input, for stride 1) or 'valid'. A RuntimeError for shapes that do not fit.

>>> adjoint.nn.functional.conv1d(adjoint.ones(1, 1, 4), adjoint.ones(1, 1, 3), padding=1)
tensor([[[2., 3., 3., 2.]]])
)";
constexpr const char* kConv2d = R"(
Cross-correlation of images: `input` [N, C, H, W] or [C, H, W], `weight` [M, C / groups, KH, KW],
`bias` [M]. `stride`, `padding` and `dilation` are numbers or pairs; `padding` may be 'same' or
'valid'; see `conv1d` for the size of the result.

>>> adjoint.nn.functional.conv2d(adjoint.ones(1, 1, 3, 3), adjoint.ones(1, 1, 2, 2))
tensor([[[[4., 4.],
          [4., 4.]]]])
)";
constexpr const char* kConv3d = R"(
Cross-correlation of volumes: `input` [N, C, D, H, W], `weight` [M, C / groups, KD, KH, KW]; see
`conv2d`.

>>> adjoint.nn.functional.conv3d(adjoint.ones(1, 1, 2, 2, 2), adjoint.ones(1, 1, 2, 2, 2))
tensor([[[[[8.]]]]])
)";
constexpr const char* kConvTranspose1d = R"(
The transpose of `conv1d` (its gradient by the input): `input` [N, C, L], `weight`
[C, M / groups, K], result [N, M, (L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1].

>>> adjoint.nn.functional.conv_transpose1d(adjoint.ones(1, 1, 2), adjoint.ones(1, 1, 3))
tensor([[[1., 2., 2., 1.]]])
)";
constexpr const char* kConvTranspose2d = R"(
The transpose of `conv2d`; see `conv_transpose1d`.

>>> adjoint.nn.functional.conv_transpose2d(adjoint.ones(1, 1, 1, 1), adjoint.ones(1, 1, 2, 2))
tensor([[[[1., 1.],
          [1., 1.]]]])
)";
constexpr const char* kConvTranspose3d = R"(
The transpose of `conv3d`; see `conv_transpose1d`.

>>> adjoint.nn.functional.conv_transpose3d(
...     adjoint.ones(1, 1, 1, 1, 1), adjoint.ones(1, 1, 1, 1, 2)
... )
tensor([[[[[1., 1.]]]]])
)";

ADJ_OP(Conv1d, "nn.functional.conv1d" ADJ_CONV_ARGS, kConv1d);
ADJ_OP(Conv1dPadded, "nn.functional.conv1d" ADJ_CONV_PADDED_ARGS, kConv1d);
ADJ_OP(Conv2d, "nn.functional.conv2d" ADJ_CONV_ARGS, kConv2d);
ADJ_OP(Conv2dPadded, "nn.functional.conv2d" ADJ_CONV_PADDED_ARGS, kConv2d);
ADJ_OP(Conv3d, "nn.functional.conv3d" ADJ_CONV_ARGS, kConv3d);
ADJ_OP(Conv3dPadded, "nn.functional.conv3d" ADJ_CONV_PADDED_ARGS, kConv3d);
ADJ_OP(ConvTranspose1d, "nn.functional.conv_transpose1d" ADJ_CONV_TRANSPOSE_ARGS, kConvTranspose1d);
ADJ_OP(ConvTranspose2d, "nn.functional.conv_transpose2d" ADJ_CONV_TRANSPOSE_ARGS, kConvTranspose2d);
ADJ_OP(ConvTranspose3d, "nn.functional.conv_transpose3d" ADJ_CONV_TRANSPOSE_ARGS, kConvTranspose3d);
ADJ_OP(PlainConv1d, "conv1d" ADJ_CONV_ARGS, kConv1d);
ADJ_OP(PlainConv1dPadded, "conv1d" ADJ_CONV_PADDED_ARGS, kConv1d);
ADJ_OP(PlainConv2d, "conv2d" ADJ_CONV_ARGS, kConv2d);
ADJ_OP(PlainConv2dPadded, "conv2d" ADJ_CONV_PADDED_ARGS, kConv2d);
ADJ_OP(PlainConv3d, "conv3d" ADJ_CONV_ARGS, kConv3d);
ADJ_OP(PlainConv3dPadded, "conv3d" ADJ_CONV_PADDED_ARGS, kConv3d);
ADJ_OP(PlainConvTranspose1d, "conv_transpose1d" ADJ_CONV_TRANSPOSE_ARGS, kConvTranspose1d);
ADJ_OP(PlainConvTranspose2d, "conv_transpose2d" ADJ_CONV_TRANSPOSE_ARGS, kConvTranspose2d);
ADJ_OP(PlainConvTranspose3d, "conv_transpose3d" ADJ_CONV_TRANSPOSE_ARGS, kConvTranspose3d);

}  // namespace
}  // namespace adj
