// Normalisation over groups of channels, over the positions of an image, over nearby channels.
#include "cpu/batch_norm.h"
#include "ops/fused_rule.h"
#include "ops/reduce.h"

namespace adj {

namespace {

Tensor along_channels(const Tensor& v, const Tensor& x) {
  Dims sizes(x.dim());
  for (auto& s : sizes) s = 1;
  sizes[1] = x.size(1);
  return ops::reshape(v, sizes);
}
Tensor as_computed(const Tensor& x, DType t) { return x.defined() ? cast(x, t) : x; }

// [N, C, ...] as [N, groups, elements of a group].
Tensor in_groups(const Tensor& x, int64_t groups) {
  int64_t n = x.size(0), all = n * groups;
  return ops::reshape(x, Dims{n, groups, all ? x.numel() / all : 0});
}

struct GroupNorm : FusedRule {
  static constexpr uint32_t saves = input(0) | input(1) | output(1) | output(2);
  static constexpr const char* node = "NativeGroupNormBackward0";

  static Groups groups_of(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& mean,
                          const Tensor& rstd, int64_t groups, double eps) {
    int64_t s = 1;
    for (int i = 2; i < x.dim(); ++i) s *= x.size(i);
    return {x.size(0) * groups,
            groups,
            x.size(1) / groups,
            s,
            eps,
            w.defined() ? w.data() : nullptr,
            b.defined() ? b.data() : nullptr,
            mean.data(),
            rstd.data()};
  }
  static Outs forward(Tensor x, Tensor weight, Tensor bias, int64_t groups, double eps) {
    check_floating("group_norm", x.dtype());
    DType t = computed_in(x.dtype());
    Tensor in = cast(x, t), w = as_computed(weight, t), b = as_computed(bias, t);
    Tensor y = empty(x.sizes(), t), mean = empty({x.size(0), groups}, t),
           rstd = empty({x.size(0), groups}, t);
    group_norm(t, groups_of(x, w, b, mean, rstd, groups, eps), y.data(), in.data());
    Outs outs = as_outs(cast(y, x.dtype()));
    outs.push_back(mean);
    outs.push_back(rstd);
    return outs;
  }
  static Outs define(Tensor x, Tensor weight, Tensor bias, int64_t groups, double eps) {
    Tensor grouped = in_groups(x, groups);
    Outs moments = ops::var_mean.all(grouped, Dims{-1}, int64_t{0}, true);
    Tensor rstd = ops::rsqrt(ops::add(moments[0], eps));
    Tensor y = ops::reshape(ops::mul(ops::sub(grouped, moments[1]), rstd), x.sizes());
    if (weight.defined()) y = ops::mul(y, along_channels(weight, x));
    if (bias.defined()) y = ops::add(y, along_channels(bias, x));
    Outs outs = as_outs(y);
    outs.push_back(ops::squeeze(moments[1], Dims{-1}));
    outs.push_back(ops::squeeze(rstd, Dims{-1}));
    return outs;
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0), w = c.in(1), g = c.g(0);
    int64_t groups = c.arg<int64_t>(3);
    Tensor rstd = ops::unsqueeze(c.out(2), int64_t{-1});
    Tensor centred = ops::sub(in_groups(x, groups), ops::unsqueeze(c.out(1), int64_t{-1}));
    Tensor hat = ops::mul(centred, rstd);
    if (c.needs(0)) {
      double n = static_cast<double>(hat.size(-1));
      Tensor gh = in_groups(w.defined() ? ops::mul(g, along_channels(w, x)) : g, groups);
      Tensor gx = ops::sub(gh, ops::mul(hat, ops::mean(ops::mul(gh, hat), Dims{-1}, true)));
      gx = ops::mul(ops::sub(gx, ops::mean(gh, Dims{-1}, true)), rstd);
      if (c.has_g(1)) gx = ops::add(gx, ops::div(ops::unsqueeze(c.g(1), int64_t{-1}), n));
      if (c.has_g(2)) {  // d rstd = -rstd^2 hat dx / n
        Tensor g2 = ops::mul(ops::unsqueeze(c.g(2), int64_t{-1}), ops::mul(rstd, rstd));
        gx = ops::sub(gx, ops::mul(hat, ops::div(g2, n)));
      }
      c.set(0, ops::reshape(gx, x.sizes()));
    }
    Dims others;
    for (int i = 0; i < x.dim(); ++i)
      if (i != 1) others.push_back(i);
    if (c.needs(1)) c.set(1, ops::sum(ops::mul(g, ops::reshape(hat, x.sizes())), others, false));
    if (c.needs(2)) c.set(2, ops::sum(g, others, false));
  }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g(0), x = c.in(0), w = c.in(1);
    DType t = g.dtype();
    if (computed_in(t) != t || x.dtype() != t || (w.defined() && w.dtype() != t) || c.has_g(1) ||
        c.has_g(2) || !x.numel())
      return false;
    Tensor cotangent = dense(g), in = dense(x), weight = as_computed(w, t);
    Tensor gx, gw = empty({x.size(0), x.size(1)}, t), gb = empty({x.size(0), x.size(1)}, t);
    if (c.needs(0)) gx = empty(x.sizes(), t);
    Groups a = groups_of(x, weight, {}, c.out(1), c.out(2), c.arg<int64_t>(3), c.arg<double>(4));
    group_norm_backward(t, a, gx.defined() ? gx.data() : nullptr, gw.data(), gb.data(),
                        cotangent.data(), in.data());
    if (c.needs(0)) c.set(0, gx);
    if (c.needs(1)) c.set(1, reduce_dims(Reduce::sum, gw, 1, false));
    if (c.needs(2)) c.set(2, cast(reduce_dims(Reduce::sum, gb, 1, false), c.like(2).dtype));
    return true;
  }
};
ADJ_OP(GroupNorm,
       "_nodes.native_group_norm(input: Tensor, weight: Tensor?, bias: Tensor?, num_groups: int, "
       "eps: float) -> Tensor[]",
       R"(
`nn.functional.group_norm`, with the mean and 1 / sqrt(variance + eps) of each group.

>>> f = adjoint._core._namespaces["_nodes"]["native_group_norm"]
>>> f(adjoint.tensor([[1., 3.]]), None, None, 1, 0.0)[0]
tensor([[-1.,  1.]])
)");

const Fn native_group_norm{"_nodes.native_group_norm"};

void check_vector(const char* what, const Tensor& v, const Tensor& x) {
  if (v.defined() && (v.dim() != 1 || v.size(0) != x.size(1)))
    runtime_error("Expected ", what,
                  " to be a vector of size equal to the number of channels in input, but got ",
                  what, " of shape ", v.sizes(), " and input of shape ", x.sizes());
}

Tensor group_normed(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias,
                    double eps) {
  if (x.dim() < 2)
    runtime_error("Expected at least 2 dimensions for input tensor but received ", x.dim());
  if (groups <= 0) runtime_error("Expected num groups to be greater than 0, got ", groups);
  if (x.size(1) % groups)
    runtime_error(
        "Expected number of channels in input to be divisible by num_groups, but got input of "
        "shape ",
        x.sizes(), " and num_groups=", groups);
  check_vector("weight", weight, x);
  check_vector("bias", bias, x);
  return native_group_norm(x, weight, bias, groups, eps);
}

struct GroupNormFunction : Composite {
  static Tensor define(Tensor x, int64_t groups, Tensor weight, Tensor bias, double eps) {
    if (x.dim() >= 2 && groups > 0) {
      int64_t values = x.size(0) * x.size(1) / groups;
      for (int i = 2; i < x.dim(); ++i) values *= x.size(i);
      if (values == 1)
        value_error("Expected more than 1 value per channel when training, got an input of shape ",
                    x.sizes(), " and num_groups=", groups);
    }
    return group_normed(x, groups, weight, bias, eps);
  }
};
ADJ_OP(GroupNormFunction,
       "nn.functional.group_norm(input: Tensor, num_groups: int, weight: Tensor? = None, bias: "
       "Tensor? = None, eps: float = 1e-5) -> Tensor",
       R"(
`(input - mean) / sqrt(variance + eps) * weight + bias` of an input [N, C, ...], mean and variance
being those of each of `num_groups` groups of channels of a sample, weight and bias [C] (Wu and He,
2018).

>>> adjoint.nn.functional.group_norm(adjoint.tensor([[1., 3.]]), 1, eps=0.0)
tensor([[-1.,  1.]])
)");

struct GroupNormPlain : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, int64_t groups, Tensor weight, Tensor bias, double eps, bool) {
    return group_normed(x, groups, weight, bias, eps);
  }
};
ADJ_OP(GroupNormPlain,
       "group_norm(input: Tensor, num_groups: int, weight: Tensor? = None, bias: Tensor? = None, "
       "eps: float = 1e-5, cudnn_enabled: bool = True) -> Tensor",
       R"(
`nn.functional.group_norm`.

>>> adjoint.group_norm(adjoint.tensor([[1., 3.]]), 1, eps=0.0)
tensor([[-1.,  1.]])
)");

const Fn batch_norm_function{"batch_norm"}, avg_pool1d{"nn.functional.avg_pool1d"};

// Batch norm of [1, N C, ...]: every channel of every sample by itself.
Tensor instance_normed(const Tensor& x, const Tensor& weight, const Tensor& bias,
                       const Tensor& mean, const Tensor& variance, bool use_input_stats,
                       double momentum, double eps) {
  if (x.dim() < 2)
    runtime_error("instance_norm: expected an input of shape [N, C, ...], but got ", x.sizes());
  if (!use_input_stats && (!mean.defined() || !variance.defined()))
    runtime_error(
        "Expected running_mean and running_var to be defined when use_input_stats is false");
  int64_t n = x.size(0), channels = x.size(1);
  auto repeated = [&](const Tensor& v) {
    return v.defined() ? Tensor(ops::repeat(v, Dims{n})) : v;
  };
  Dims sizes = x.sizes().copy();
  sizes[0] = 1;
  sizes[1] = n * channels;
  Tensor m = repeated(mean), v = repeated(variance);
  Tensor y = batch_norm_function(ops::reshape(x, sizes), repeated(weight), repeated(bias), m, v,
                                 use_input_stats, momentum, eps, false);
  if (use_input_stats) {
    GradMode off(false);
    for (auto& [running, all] : {std::pair(&mean, &m), std::pair(&variance, &v)})
      if (running->defined())
        ops::copy.into(*running, ops::mean(ops::reshape(*all, Dims{n, channels}), Dims{0}, false));
  }
  return ops::reshape(y, x.sizes());
}

struct InstanceNorm : Composite {
  static Tensor define(Tensor x, Tensor mean, Tensor variance, Tensor weight, Tensor bias,
                       bool use_input_stats, double momentum, double eps) {
    if (use_input_stats && x.dim() >= 2 && x.numel() && x.numel() == x.size(0) * x.size(1))
      value_error("Expected more than 1 spatial element when training, got input size torch.Size(",
                  x.sizes(), ")");
    return instance_normed(x, weight, bias, mean, variance, use_input_stats, momentum, eps);
  }
};
ADJ_OP(InstanceNorm,
       "nn.functional.instance_norm(input: Tensor, running_mean: Tensor? = None, running_var: "
       "Tensor? = None, weight: Tensor? = None, bias: Tensor? = None, use_input_stats: bool = "
       "True, momentum: float = 0.1, eps: float = 1e-5) -> Tensor",
       R"(
`(input - mean) / sqrt(variance + eps) * weight + bias` of an input [N, C, ...], mean and variance
being those of each channel of each sample, weight and bias [C] (Ulyanov et al., 2016). Running
statistics, if given, move to the mean over the samples, and are used instead where
`use_input_stats` is off.

>>> adjoint.nn.functional.instance_norm(adjoint.tensor([[[1., 3.]]]), eps=0.0)
tensor([[[-1.,  1.]]])
)");

struct InstanceNormPlain : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, Tensor weight, Tensor bias, Tensor mean, Tensor variance,
                       bool use_input_stats, double momentum, double eps, bool) {
    return instance_normed(x, weight, bias, mean, variance, use_input_stats, momentum, eps);
  }
};
ADJ_OP(InstanceNormPlain,
       "instance_norm(input: Tensor, weight: Tensor?, bias: Tensor?, running_mean: Tensor?, "
       "running_var: Tensor?, use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: "
       "bool) -> Tensor",
       R"(
`nn.functional.instance_norm`.

>>> x = adjoint.tensor([[[1., 3.]]])
>>> adjoint.instance_norm(x, None, None, None, None, True, 0.1, 0.0, False)
tensor([[[-1.,  1.]]])
)");

struct LocalResponseNorm : Composite {
  static Tensor define(Tensor x, int64_t size, double alpha, double beta, double k) {
    if (x.dim() < 3)
      value_error("Expected 3D or higher dimensionality input (got ", x.dim(), " dimensions)");
    if (x.numel() == 0) return x;
    // the channels last: [N, positions, C]
    Tensor squares = ops::flatten(ops::mul(x, x), int64_t{2}, int64_t{-1});
    squares = ops::transpose(squares, int64_t{1}, int64_t{2});
    squares = ops::constant_pad_nd(squares, Dims{size / 2, (size - 1) / 2});
    Tensor mean = ops::transpose(avg_pool1d(squares, size, int64_t{1}), int64_t{1}, int64_t{2});
    mean = ops::reshape(mean, x.sizes());
    return ops::div(x, ops::pow(ops::add(ops::mul(mean, alpha), k), beta));
  }
};
ADJ_OP(LocalResponseNorm,
       "nn.functional.local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: "
       "float = 0.75, k: float = 1.0) -> Tensor",
       R"(
`input / (k + alpha * mean of squares)^beta`, the mean going over `size` neighbouring channels of
the same position; the input is [N, C, ...] with at least one dim more (Krizhevsky et al., 2012).

>>> x = adjoint.ones(1, 1, 2)
>>> adjoint.nn.functional.local_response_norm(x, 1, alpha=3.0, beta=0.5)
tensor([[[0.5000, 0.5000]]])
)");

}  // namespace
}  // namespace adj
