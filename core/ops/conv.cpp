// Convolution as a function that is linear in each of its two operands.
//
// With T(x, w, y) = sum of x[n, c, t s + k d - p] w[m, c, k] y[n, m, t], a convolution is the
// gradient of T by y, and the two others are those by x (the transposed convolution) and by w. Each
// is a bilinear operator, whose derivatives are the others: that is all there is to any order. The
// size of the result is given explicitly, since strides leave it open.
#include "cpu/conv.h"

#include <cstring>

#include "ops/fused_rule.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace adj {

namespace {

const Fn conv{"_nodes.conv"}, conv_input{"_nodes.conv_input"}, conv_weight{"_nodes.conv_weight"};

struct Geometry {
  DimsView stride, padding, dilation;
  int64_t groups;
};

DimsView spatial(DimsView sizes) { return sizes.slice(2, sizes.size() - 2); }

Tensor dense_as(const Tensor& x, DType t) {
  Tensor y = cast(x, t);
  return y.contiguous() ? y : Tensor(ops::contiguous_copy(y));
}

// x [n, groups * c, in], w [groups * m, c, kernel], y [n, groups * m, out]
ConvShape shape_of(const Geometry& g, int64_t n, int64_t c, int64_t m, DimsView in, DimsView kernel,
                   DimsView out) {
  ConvShape s{n, g.groups, c, m, {}, {}, {}, {}, {}, {}};
  int nd = kernel.size();
  for (int i = 0; i < 3; ++i) {
    int d = i - (3 - nd);
    s.in[i] = d < 0 ? 1 : in[d];
    s.out[i] = d < 0 ? 1 : out[d];
    s.kernel[i] = d < 0 ? 1 : kernel[d];
    s.stride[i] = d < 0 ? 1 : g.stride[d];
    s.pad[i] = d < 0 ? 0 : g.padding[d];
    s.dilation[i] = d < 0 ? 1 : g.dilation[d];
  }
  return s;
}
bool nothing_to_add(const ConvShape& s) {
  bool empty = s.n == 0 || s.c == 0 || s.m == 0;
  for (int i = 0; i < 3; ++i) empty = empty || !s.in[i] || !s.out[i] || !s.kernel[i];
  return empty;
}

Dims sizes_of(int64_t n, int64_t channels, DimsView rest) {
  Dims sizes{n, channels};
  sizes.append(rest.begin(), rest.end());
  return sizes;
}

// Numbers that the kernels can work with: whoever calls has said what is wrong with the rest.
void check(const Geometry& g, const Tensor& a, const Tensor& b, DimsView size) {
  int nd = a.dim() - 2;
  bool fits = nd >= 1 && nd <= 3 && b.dim() == a.dim() && size.size() == nd && g.groups > 0 &&
              a.dtype() == b.dtype() && g.stride.size() == nd && g.padding.size() == nd &&
              g.dilation.size() == nd;
  for (int i = 0; fits && i < nd; ++i)
    fits = g.stride[i] > 0 && g.padding[i] >= 0 && g.dilation[i] > 0 && size[i] >= 0;
  if (!fits)
    runtime_error("convolution: operands of sizes ", a.sizes(), " and ", b.sizes(), ", stride ",
                  g.stride, ", padding ", g.padding, ", dilation ", g.dilation, ", groups ",
                  g.groups, " and size ", size, " do not fit");
}
void check_channels(bool fits, const Tensor& a, const Tensor& b, int64_t groups) {
  if (!fits)
    runtime_error("convolution: channels of ", a.sizes(), " and ", b.sizes(), " do not fit for ",
                  groups, " groups");
}

// A result without a single product: the bias alone.
Tensor only_bias(const Tensor& y, const Tensor& bias) {
  memset(y.data(), 0, static_cast<size_t>(y.numel()) * itemsize(y.dtype()));
  if (!bias.defined()) return y;
  Dims channels{bias.numel()};
  for (int i = 2; i < y.dim(); ++i) channels.push_back(1);
  return ops::add(y, ops::view(bias, channels));
}

Tensor forward_of(const Tensor& x, const Tensor& w, const Tensor& bias, const Geometry& g,
                  DimsView size) {
  check_floating("convolution", x.dtype());
  check(g, x, w, size);
  check_channels(w.size(0) % g.groups == 0 && x.size(1) == w.size(1) * g.groups, x, w, g.groups);
  DType t = computed_in(x.dtype());
  Tensor in = dense_as(x, t), weight = dense_as(w, t),
         b = bias.defined() ? dense_as(bias, t) : bias;
  Tensor y = empty(sizes_of(x.size(0), w.size(0), size), t);
  ConvShape s = shape_of(g, x.size(0), w.size(1), w.size(0) / g.groups, spatial(x.sizes()),
                         spatial(w.sizes()), size);
  if (nothing_to_add(s)) return cast(only_bias(y, b), x.dtype());
  conv_forward(t, s, y.data(), in.data(), weight.data(), b.defined() ? b.data() : nullptr);
  return cast(y, x.dtype());
}
Tensor input_of(const Tensor& y, const Tensor& w, const Tensor& bias, const Geometry& g,
                DimsView size) {
  check_floating("convolution", y.dtype());
  check(g, y, w, size);
  check_channels(w.size(0) % g.groups == 0 && y.size(1) == w.size(0), y, w, g.groups);
  DType t = computed_in(y.dtype());
  Tensor out = dense_as(y, t), weight = dense_as(w, t),
         b = bias.defined() ? dense_as(bias, t) : bias;
  Tensor x = empty(sizes_of(y.size(0), w.size(1) * g.groups, size), t);
  ConvShape s = shape_of(g, y.size(0), w.size(1), w.size(0) / g.groups, size, spatial(w.sizes()),
                         spatial(y.sizes()));
  if (nothing_to_add(s)) return cast(only_bias(x, b), y.dtype());
  adj::conv_input(t, s, x.data(), out.data(), weight.data(), b.defined() ? b.data() : nullptr);
  return cast(x, y.dtype());
}

// [batch, n, channels...] as [n, batch * channels...]: a batch of weights becomes more groups.
Tensor batch_to_channels(const Tensor& x) { return ops::flatten(ops::transpose(x, 0, 1), 1, 2); }
// The dim d of x as two, the first one of n.
Tensor split_dim(const Tensor& x, int d, int64_t n) {
  Dims sizes = x.sizes().slice(0, d).copy();
  sizes.push_back(n);
  sizes.push_back(x.size(d) / n);
  for (int i = d + 1; i < x.dim(); ++i) sizes.push_back(x.size(i));
  return ops::reshape(x, sizes);
}
Tensor channels_to_batch(const Tensor& y, int64_t batch) {
  return ops::transpose(split_dim(y, 1, batch), int64_t{0}, int64_t{1});
}
Tensor batch_to_samples(const Tensor& x) { return ops::flatten(x, 0, 1); }

// The rule of vmap of the first two: shared weights see one larger batch of samples.
Outs batch_of(Batch& b, const Fn& f) {
  DimsView stride = b.arg<DimsView>(2), padding = b.arg<DimsView>(3), dilation = b.arg<DimsView>(4),
           size = b.arg<DimsView>(6);
  int64_t groups = b.arg<int64_t>(5);
  if (!b.is_batched(1)) {
    Tensor y = f(batch_to_samples(b.in(0)), b.in(1), stride, padding, dilation, groups, size);
    return as_outs(split_dim(y, 0, b.size));
  }
  Tensor x = batch_to_channels(b.expanded(0)), w = batch_to_samples(b.in(1));
  Tensor y = f(x, w, stride, padding, dilation, groups * b.size, size);
  return as_outs(channels_to_batch(y, b.size));
}

struct Conv : Bilinear {
  static Tensor forward(Tensor x, Tensor w, DimsView stride, DimsView padding, DimsView dilation,
                        int64_t groups, DimsView size) {
    return forward_of(x, w, {}, {stride, padding, dilation, groups}, size);
  }
  static Tensor left(Tensor g, Tensor w, const TensorMeta& x, DimsView stride, DimsView padding,
                     DimsView dilation, int64_t groups, DimsView) {
    return conv_input(g, w, stride, padding, dilation, groups, spatial(x.sizes));
  }
  static Tensor right(Tensor g, Tensor x, const TensorMeta& w, DimsView stride, DimsView padding,
                      DimsView dilation, int64_t groups, DimsView) {
    return conv_weight(x, g, stride, padding, dilation, groups, spatial(w.sizes));
  }
  static Outs batch(Batch& b) { return batch_of(b, conv); }
};
ADJ_OP(Conv,
       "_nodes.conv:/ConvolutionBackward0(input: Tensor, weight: Tensor, stride: int[], padding: "
       "int[], dilation: int[], groups: int, size: int[]) -> Tensor",
       R"(
A convolution of `input` [n, c, ...] with `weight` [m, c / groups, kernel]: [n, m, size].

>>> f = adjoint._core._namespaces["_nodes"]["conv"]
>>> f(adjoint.ones(1, 1, 4), adjoint.ones(1, 1, 3), [1], [0], [1], 1, [2])
tensor([[[3., 3.]]])
)");

struct ConvInput : Bilinear {
  static Tensor forward(Tensor y, Tensor w, DimsView stride, DimsView padding, DimsView dilation,
                        int64_t groups, DimsView size) {
    return input_of(y, w, {}, {stride, padding, dilation, groups}, size);
  }
  static Tensor left(Tensor g, Tensor w, const TensorMeta& y, DimsView stride, DimsView padding,
                     DimsView dilation, int64_t groups, DimsView) {
    return conv(g, w, stride, padding, dilation, groups, spatial(y.sizes));
  }
  static Tensor right(Tensor g, Tensor y, const TensorMeta& w, DimsView stride, DimsView padding,
                      DimsView dilation, int64_t groups, DimsView) {
    return conv_weight(g, y, stride, padding, dilation, groups, spatial(w.sizes));
  }
  static Outs batch(Batch& b) { return batch_of(b, conv_input); }
};
ADJ_OP(ConvInput,
       "_nodes.conv_input:/ConvolutionBackward0(input: Tensor, weight: Tensor, stride: int[], "
       "padding: int[], dilation: int[], groups: int, size: int[]) -> Tensor",
       R"(
The gradient of `_nodes.conv` by its input, [n, c, size], for the cotangent `input` [n, m, ...].

>>> f = adjoint._core._namespaces["_nodes"]["conv_input"]
>>> f(adjoint.ones(1, 1, 2), adjoint.ones(1, 1, 3), [1], [0], [1], 1, [4])
tensor([[[1., 2., 2., 1.]]])
)");

struct ConvWeight : Bilinear {
  static Tensor forward(Tensor x, Tensor y, DimsView stride, DimsView padding, DimsView dilation,
                        int64_t groups, DimsView size) {
    check_floating("convolution", x.dtype());
    check({stride, padding, dilation, groups}, x, y, size);
    bool fits = x.size(0) == y.size(0) && x.size(1) % groups == 0 && y.size(1) % groups == 0;
    check_channels(fits, x, y, groups);
    DType t = computed_in(x.dtype());
    Tensor in = dense_as(x, t), out = dense_as(y, t);
    int64_t c = x.size(1) / groups;
    Tensor w = empty(sizes_of(y.size(1), c, size), t);
    ConvShape s = shape_of({stride, padding, dilation, groups}, x.size(0), c, y.size(1) / groups,
                           spatial(x.sizes()), size, spatial(y.sizes()));
    if (nothing_to_add(s)) return cast(only_bias(w, {}), x.dtype());
    adj::conv_weight(t, s, w.data(), in.data(), out.data());
    return cast(w, x.dtype());
  }
  static Tensor left(Tensor g, Tensor y, const TensorMeta& x, DimsView stride, DimsView padding,
                     DimsView dilation, int64_t groups, DimsView) {
    return conv_input(y, g, stride, padding, dilation, groups, spatial(x.sizes));
  }
  static Tensor right(Tensor g, Tensor x, const TensorMeta& y, DimsView stride, DimsView padding,
                      DimsView dilation, int64_t groups, DimsView) {
    return conv(x, g, stride, padding, dilation, groups, spatial(y.sizes));
  }
  static Outs batch(Batch& b) {
    Tensor x = batch_to_channels(b.expanded(0)), y = batch_to_channels(b.expanded(1));
    Tensor w = conv_weight(x, y, b.arg<DimsView>(2), b.arg<DimsView>(3), b.arg<DimsView>(4),
                           b.arg<int64_t>(5) * b.size, b.arg<DimsView>(6));
    return as_outs(split_dim(w, 0, b.size));
  }
};
ADJ_OP(ConvWeight,
       "_nodes.conv_weight:/ConvolutionBackward0(input: Tensor, other: Tensor, stride: int[], "
       "padding: int[], dilation: int[], groups: int, size: int[]) -> Tensor",
       R"(
The gradient of `_nodes.conv` by its weight, [m, c / groups, size], for the cotangent `other`
[n, m, ...].

>>> f = adjoint._core._namespaces["_nodes"]["conv_weight"]
>>> f(adjoint.ones(1, 1, 4), adjoint.ones(1, 1, 2), [1], [0], [1], 1, [3])
tensor([[[2., 2., 2.]]])
)");

// With a bias, in one node of the graph.
struct Convolution : FusedRule {
  static constexpr uint32_t reads[] = {input(1), input(0), 0};

  static Tensor forward(Tensor x, Tensor w, Tensor bias, DimsView stride, DimsView padding,
                        DimsView dilation, int64_t groups, DimsView size, bool transposed) {
    Geometry g{stride, padding, dilation, groups};
    return transposed ? input_of(x, w, bias, g, size) : forward_of(x, w, bias, g, size);
  }
  static Tensor define(Tensor x, Tensor w, Tensor bias, DimsView stride, DimsView padding,
                       DimsView dilation, int64_t groups, DimsView size, bool transposed) {
    Tensor y = (transposed ? conv_input : conv)(x, w, stride, padding, dilation, groups, size);
    if (!bias.defined()) return y;
    Dims channels{-1};
    for (int i = 0; i < size.size(); ++i) channels.push_back(1);
    return ops::add(y, ops::reshape(bias, channels));
  }
  static void vjp(Vjp& c) {
    Tensor g = c.g();
    DimsView stride = c.arg<DimsView>(3), padding = c.arg<DimsView>(4),
             dilation = c.arg<DimsView>(5);
    int64_t groups = c.arg<int64_t>(6);
    bool transposed = c.arg<bool>(8);
    if (c.needs(0))
      c.set(0, (transposed ? conv : conv_input)(g, c.in(1), stride, padding, dilation, groups,
                                                spatial(c.like(0).sizes)));
    if (c.needs(1)) {
      DimsView kernel = spatial(c.like(1).sizes);
      Tensor x = c.in(0);
      c.set(1, transposed ? conv_weight(g, x, stride, padding, dilation, groups, kernel)
                          : conv_weight(x, g, stride, padding, dilation, groups, kernel));
    }
    if (c.needs(2)) {
      Dims dims{0};
      for (int i = 2; i < g.dim(); ++i) dims.push_back(i);
      c.set(2, ops::sum(g, dims, false));
    }
  }
  static bool fast_vjp(Vjp&) { return false; }
};
ADJ_OP(Convolution,
       "_nodes.convolution(input: Tensor, weight: Tensor, bias: Tensor?, stride: int[], padding: "
       "int[], dilation: int[], groups: int, size: int[], transposed: bool) -> Tensor",
       R"(
A convolution or its transpose, with a bias.

>>> f = adjoint._core._namespaces["_nodes"]["convolution"]
>>> f(adjoint.ones(1, 1, 4), adjoint.ones(1, 1, 3), adjoint.ones(1), [1], [0], [1], 1, [2], False)
tensor([[[4., 4.]]])
)");

}  // namespace
}  // namespace adj
