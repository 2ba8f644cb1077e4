// Max pooling over windows at random places, and the way back from maxima to their places.
#include "ops/fused_rule.h"
#include "ops/pool.h"
#include "ops/shape.h"

namespace adj {

namespace {

// Where the windows of one dim start (Graham, "Fractional max-pooling", 2014): steps of two sizes,
// in an order that `u` in [0, 1) decides.
std::vector<int64_t> fractional_starts(double u, int64_t n, int64_t m, int64_t kernel) {
  std::vector<int64_t> starts(static_cast<size_t>(m));
  double alpha = m > 1 ? static_cast<double>(n - kernel) / static_cast<double>(m - 1) : 0;
  for (int64_t i = 0; i + 1 < m; ++i)
    starts[static_cast<size_t>(i)] = static_cast<int64_t>((static_cast<double>(i) + u) * alpha) -
                                     static_cast<int64_t>(u * alpha);
  if (m > 0) starts.back() = n - kernel;
  return starts;
}

// The largest of a window of plane `p`, and where it is.
struct Plane {
  const double* p;
  const int64_t* sizes;  // three
  void largest(const int64_t* start, const int64_t* kernel, double& best, int32_t& at) const {
    bool first = true;
    for (int64_t a = start[0]; a < start[0] + kernel[0]; ++a)
      for (int64_t b = start[1]; b < start[1] + kernel[1]; ++b)
        for (int64_t c = start[2]; c < start[2] + kernel[2]; ++c) {
          int64_t i = (a * sizes[1] + b) * sizes[2] + c;
          if (!first && !(p[i] > best) && p[i] == p[i]) continue;
          best = p[i];
          at = static_cast<int32_t>(i);
          first = false;
        }
  }
};

template <int nd>
struct FractionalMaxPool : Rule {
  static constexpr uint32_t saves = output(1);

  // samples: [planes..., nd], numbers in [0, 1)
  static Outs forward(Tensor x, DimsView kernel, DimsView output_size, Tensor samples) {
    check_floating("fractional_max_pool", x.dtype());
    Tensor in = cast(x, DType::f64), u = cast(samples, DType::f64);
    int64_t planes = x.sizes().slice(0, x.dim() - nd).product();
    if (u.numel() != planes * nd)
      runtime_error("fractional_max_pool: expected ", nd, " random samples for each of ", planes,
                    " planes, got shape ", samples.sizes());
    Tensor y = empty(with_last(x.sizes(), output_size), DType::f64);
    Tensor where = empty(y.sizes(), DType::i32);
    int64_t n[3] = {1, 1, 1}, m[3] = {1, 1, 1}, k[3] = {1, 1, 1};
    for (int i = 0; i < nd; ++i) {
      n[3 - nd + i] = x.size(i - nd);
      m[3 - nd + i] = output_size[i];
      k[3 - nd + i] = kernel[i];
    }
    double* values = y.data<double>();
    int32_t* at = where.data<int32_t>();
    for (int64_t p = 0; p < planes; ++p) {
      std::vector<int64_t> starts[3] = {{0}, {0}, {0}};
      for (int i = 0; i < nd; ++i) {
        // torch's order: the first sample is for W in two dims, for D in three
        int d = nd == 2 ? 2 - i : i;
        starts[d] = fractional_starts(u.data<double>()[p * nd + i], n[d], m[d], k[d]);
      }
      Plane plane{in.data<double>() + p * n[0] * n[1] * n[2], n};
      for (int64_t a : starts[0])
        for (int64_t b : starts[1])
          for (int64_t c : starts[2]) {
            int64_t start[3] = {a, b, c};
            plane.largest(start, k, *values++, *at++);
          }
    }
    Outs outs = as_outs(cast(y, x.dtype()));
    outs.push_back(where);
    return outs;
  }
  static void vjp(Vjp& c) {
    if (c.needs(0)) put_at_maxima(c, nd);
  }
  static Outs jvp(Jvp& j) { return take_at_maxima(j, nd); }
  static Outs batch(Batch& b) {
    Tensor x = b.expanded(0), u = b.expanded(3);
    b.values[0].tensor = x.get();
    b.values[3].tensor = u.get();
    return b.run();
  }
};

struct FractionalMaxPool2d : FractionalMaxPool<2> {};
ADJ_OP(FractionalMaxPool2d,
       "_nodes.fractional_max_pool2d:/FractionalMaxPool2DBackward0(input: Tensor, "
       "kernel_size: int[], output_size: int[], samples: Tensor) -> Tensor[]",
       R"(
`nn.functional.fractional_max_pool2d` with given random numbers, 2 for each plane, and where in its
plane (int32) each maximum was.

>>> f = adjoint._core._namespaces["_nodes"]["fractional_max_pool2d"]
>>> f(adjoint.arange(16.).view(1, 4, 4), [2, 2], [2, 2], adjoint.full((1, 2), 0.5))[0]
tensor([[[ 5.,  7.],
         [13., 15.]]])
)");

struct FractionalMaxPool3d : FractionalMaxPool<3> {};
ADJ_OP(FractionalMaxPool3d,
       "_nodes.fractional_max_pool3d:/FractionalMaxPool3DBackward0(input: Tensor, "
       "kernel_size: int[], output_size: int[], samples: Tensor) -> Tensor[]",
       R"(
`nn.functional.fractional_max_pool3d` with given random numbers, 3 for each plane, and where in its
plane (int32) each maximum was.

>>> f = adjoint._core._namespaces["_nodes"]["fractional_max_pool3d"]
>>> f(adjoint.arange(8.).view(1, 2, 2, 2), [2, 2, 2], [1, 1, 1], adjoint.full((1, 3), 0.5))[0]
tensor([[[[7.]]]])
)");

const Fn fractional2d{"_nodes.fractional_max_pool2d"}, fractional3d{"_nodes.fractional_max_pool3d"};
const Fn uniform{"rand_like"};

template <int nd>
Outs fractional_pooled(const char* name, const Tensor& x, DimsView kernel_size, DimsView sizes,
                       bool return_indices, Tensor samples) {
  check_pool_input(name, x, nd);
  Dims kernel = per_dim(name, "kernel_size", kernel_size, nd),
       output = per_dim(name, "output_size", sizes, nd);
  for (int i = 0; i < nd; ++i)
    if (kernel[i] < 1 || output[i] < 1 || output[i] + kernel[i] - 1 > x.size(i - nd))
      runtime_error(name, "(): pool size ", kernel[i], " and output size ", output[i],
                    " are too large (or not positive) for dim ", i - nd, " of an input of shape ",
                    x.sizes());
  int64_t channels = x.size(-nd - 1), n = x.dim() == nd + 2 ? x.size(0) : 1;
  if (!samples.defined()) {
    GradMode off(false);
    samples = uniform(ops::zeros(Dims{n, channels, nd}, x.dtype()));
  }
  if (samples.dim() != 3 || samples.size(0) != n || samples.size(1) != channels ||
      samples.size(2) != nd)
    runtime_error(name, "(): expected _random_samples of shape [", n, ", ", channels, ", ", nd,
                  "], got ", samples.sizes());
  Outs outs = (nd == 2 ? fractional2d : fractional3d).all(x, kernel, output, samples);
  if (return_indices) outs[1] = ops::to_dtype(outs[1], DType::i64);
  else outs.pop_back();
  return outs;
}

struct Fractional2d : Composite {
  static Outs define(Tensor x, DimsView kernel, DimsView sizes, bool return_indices,
                     Tensor samples) {
    return fractional_pooled<2>("fractional_max_pool2d", x, kernel, sizes, return_indices, samples);
  }
};
ADJ_OP(Fractional2d,
       "_nodes.fractional_pooled2d(input: Tensor, kernel_size: int[], output_size: "
       "int[], return_indices: bool = False, samples: Tensor? = None) -> Tensor",
       R"(
`nn.functional.fractional_max_pool2d` once the size of the result is known.

>>> f = adjoint._core._namespaces["_nodes"]["fractional_pooled2d"]
>>> f(adjoint.arange(16.).view(1, 4, 4), 2, 3).shape
torch.Size([1, 3, 3])
)");

struct Fractional3d : Composite {
  static Outs define(Tensor x, DimsView kernel, DimsView sizes, bool return_indices,
                     Tensor samples) {
    return fractional_pooled<3>("fractional_max_pool3d", x, kernel, sizes, return_indices, samples);
  }
};
ADJ_OP(Fractional3d,
       "_nodes.fractional_pooled3d(input: Tensor, kernel_size: int[], output_size: "
       "int[], return_indices: bool = False, samples: Tensor? = None) -> Tensor",
       R"(
`nn.functional.fractional_max_pool3d` once the size of the result is known.

>>> f = adjoint._core._namespaces["_nodes"]["fractional_pooled3d"]
>>> f(adjoint.arange(8.).view(1, 2, 2, 2), 2, 1).shape
torch.Size([1, 1, 1, 1])
)");

// Values put where `indices` say, zero elsewhere.
template <int nd>
Tensor unpooled(const char* name, const Tensor& x, const Tensor& indices, DimsView kernel_size,
                DimsView stride, DimsView padding, DimsView output_size) {
  if (indices.dtype() != DType::i64)
    runtime_error(name, ": elements in indices should be type int64 but got: ", indices.dtype());
  if (!(x.sizes() == indices.sizes()))
    runtime_error(name, ": Expected shape of indices to be same as that of the input tensor (",
                  x.sizes(), ") but got indices tensor with shape: ", indices.sizes());
  if (x.dim() != nd + 1 && x.dim() != nd + 2)
    runtime_error(name, ": Input to ", name, " should be a ", nd + 1, "d or ", nd + 2,
                  "d Tensor, but got shape ", x.sizes());
  Dims k = per_dim(name, "kernel_size", kernel_size, nd),
       s = per_dim(name, "stride", stride, nd, k), p = per_dim(name, "padding", padding, nd), sizes;
  DimsView wanted = output_size;
  if (wanted.size() == nd + 2) wanted = wanted.slice(2, nd);
  if (!wanted.empty() && wanted.size() != nd)
    value_error("output_size should be a sequence containing ", nd, " or ", nd + 2,
                " elements, but it has a length of '", output_size.size(), "'");
  for (int i = 0; i < nd; ++i) {
    int64_t n = (x.size(i - nd) - 1) * s[i] + k[i] - 2 * p[i];
    if (!wanted.empty()) {
      if (wanted[i] <= n - s[i] || wanted[i] >= n + s[i])
        value_error("invalid output_size \"", wanted, "\" (dim ", i, " must be between ", n - s[i],
                    " and ", n + s[i], ")");
      n = wanted[i];
    }
    if (n < 0) value_error(name, ": the size of dim ", i, " of the result would be ", n);
    sizes.push_back(n);
  }
  Dims all = with_last(x.sizes(), sizes), flat = x.sizes().slice(0, x.dim() - nd).copy();
  flat.push_back(DimsView(sizes).product());
  Tensor y = ops::scatter(ops::zeros(flat, x.dtype()), int64_t{-1}, flat_planes(indices, nd),
                          flat_planes(x, nd));
  return ops::reshape(y, all);
}

struct MaxUnpool1d : Composite {
  static Tensor define(Tensor x, Tensor indices, DimsView kernel, DimsView stride, DimsView padding,
                       DimsView output_size) {
    return unpooled<1>("max_unpool1d", x, indices, kernel, stride, padding, output_size);
  }
};
ADJ_OP(MaxUnpool1d,
       "nn.functional.max_unpool1d(input: Tensor, indices: Tensor, kernel_size: int[], "
       "stride: int[]? = None, padding: int[] = [0], output_size: int[]? = None) -> Tensor",
       R"(
A partial inverse of `max_pool1d`: values back at the positions in their planes that it returned,
zeros elsewhere. `output_size` (of the spatial dims, or of all) settles which of the input sizes it
was that the pooling makes equal. A ValueError if it is none of them.

>>> adjoint.nn.functional.max_unpool1d(adjoint.tensor([[5., 4.]]), adjoint.tensor([[1, 3]]), 2)
tensor([[0., 5., 0., 4.]])
)");

struct MaxUnpool2d : Composite {
  static Tensor define(Tensor x, Tensor indices, DimsView kernel, DimsView stride, DimsView padding,
                       DimsView output_size) {
    return unpooled<2>("max_unpool2d", x, indices, kernel, stride, padding, output_size);
  }
};
ADJ_OP(MaxUnpool2d,
       "nn.functional.max_unpool2d(input: Tensor, indices: Tensor, kernel_size: int[], "
       "stride: int[]? = None, padding: int[] = [0], output_size: int[]? = None) -> Tensor",
       R"(
A partial inverse of `max_pool2d`: values back at the positions in their planes that it returned,
zeros elsewhere. `output_size` (of the spatial dims, or of all) settles which of the input sizes it
was that the pooling makes equal. A ValueError if it is none of them.

>>> adjoint.nn.functional.max_unpool2d(adjoint.tensor([[[7.]]]), adjoint.tensor([[[3]]]), 2)
tensor([[[0., 0.],
         [0., 7.]]])
)");

struct MaxUnpool3d : Composite {
  static Tensor define(Tensor x, Tensor indices, DimsView kernel, DimsView stride, DimsView padding,
                       DimsView output_size) {
    return unpooled<3>("max_unpool3d", x, indices, kernel, stride, padding, output_size);
  }
};
ADJ_OP(MaxUnpool3d,
       "nn.functional.max_unpool3d(input: Tensor, indices: Tensor, kernel_size: int[], "
       "stride: int[]? = None, padding: int[] = [0], output_size: int[]? = None) -> Tensor",
       R"(
A partial inverse of `max_pool3d`: values back at the positions in their planes that it returned,
zeros elsewhere. `output_size` (of the spatial dims, or of all) settles which of the input sizes it
was that the pooling makes equal. A ValueError if it is none of them.

>>> x, where = adjoint.tensor([[[[7.]]]]), adjoint.tensor([[[[7]]]])
>>> adjoint.nn.functional.max_unpool3d(x, where, 2).flatten()
tensor([0., 0., 0., 0., 0., 0., 0., 7.])
)");

struct ChannelShuffle : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, int64_t groups) {
    if (x.dim() < 3)
      runtime_error("channel_shuffle expects input with > 2 dims, but got input with sizes ",
                    x.sizes());
    if (groups <= 0)
      runtime_error("Number of groups to divide channels in must be positive. Value of groups:",
                    groups);
    int64_t c = x.size(1);
    if (c % groups)
      runtime_error("Number of channels must be divisible by groups. Got ", c, " channels and ",
                    groups, " groups.");
    Dims apart{x.size(0), groups, c / groups};
    apart.append(x.sizes().begin() + 2, x.sizes().end());
    return ops::reshape(ops::transpose(ops::reshape(x, apart), int64_t{1}, int64_t{2}), x.sizes());
  }
};
ADJ_OP(ChannelShuffle, "channel_shuffle(input: Tensor, groups: int) -> Tensor", R"(
The channels of an input [N, C, ...] in `groups` groups, taken one from each in turn (Zhang et al.,
"ShuffleNet", 2018).

>>> adjoint.channel_shuffle(adjoint.arange(4).view(1, 4, 1), 2).flatten()
tensor([0, 2, 1, 3])
)");
struct NativeChannelShuffle : ChannelShuffle {};
ADJ_OP(NativeChannelShuffle, "native_channel_shuffle(input: Tensor, groups: int) -> Tensor", R"(
`channel_shuffle`.

>>> adjoint.native_channel_shuffle(adjoint.arange(4).view(1, 4, 1), 2).flatten()
tensor([0, 2, 1, 3])
)");
struct ChannelShuffleFunction : ChannelShuffle {};
ADJ_OP(ChannelShuffleFunction,
       "nn.functional.channel_shuffle(input: Tensor, groups: int) -> Tensor", R"(
See `adjoint.channel_shuffle`.

>>> adjoint.nn.functional.channel_shuffle(adjoint.arange(4).view(1, 4, 1), 2).flatten()
tensor([0, 2, 1, 3])
)");
struct NativeChannelShuffleFunction : ChannelShuffle {};
ADJ_OP(NativeChannelShuffleFunction,
       "nn.functional.native_channel_shuffle(input: Tensor, groups: int) -> Tensor", R"(
See `adjoint.channel_shuffle`.

>>> adjoint.nn.functional.native_channel_shuffle(adjoint.arange(4).view(1, 4, 1), 2).flatten()
tensor([0, 2, 1, 3])
)");

}  // namespace
}  // namespace adj
