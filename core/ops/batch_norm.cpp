// Batch norm, and instance norm by it: normalisation of the channels [N, C, ...].
#include "cpu/batch_norm.h"

#include "ops/fused_rule.h"
#include "ops/reduce.h"

namespace adj {

namespace {

// All dims but that of the channels, dim 1.
Dims other_dims(const Tensor& x) {
  Dims dims;
  for (int i = 0; i < x.dim(); ++i)
    if (i != 1) dims.push_back(i);
  return dims;
}
// [C] as [1, C, 1, ...], to go with x.
Tensor along_channels(const Tensor& v, const Tensor& x) {
  Dims sizes(x.dim());
  for (auto& s : sizes) s = 1;
  sizes[1] = x.size(1);
  return ops::reshape(v, sizes);
}
double per_channel(const Tensor& x) {
  return static_cast<double>(x.numel()) / static_cast<double>(x.size(1));
}

void check_channels(const char* what, const Tensor& v, int64_t c) {
  if (v.defined() && (v.dim() != 1 || v.size(0) != c))
    runtime_error(what, " should contain ", c, " elements, one for each channel, but has shape ",
                  v.sizes());
}
Channels channels_of(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& mean,
                     const Tensor& variance, bool training, double eps) {
  Channels a{};
  a.n = x.size(0);
  a.c = x.size(1);
  a.s = 1;
  for (int i = 2; i < x.dim(); ++i) a.s *= x.size(i);
  a.eps = eps;
  a.training = training;
  a.weight = w.defined() ? w.data() : nullptr;
  a.bias = b.defined() ? b.data() : nullptr;
  a.mean = mean.data();
  a.variance = variance.data();
  return a;
}
Tensor as_computed(const Tensor& x, DType t) { return x.defined() ? cast(x, t) : x; }

// (x - mean) / sqrt(variance + eps) * weight + bias with statistics [C].
Tensor normalized(const Tensor& x, const Tensor& mean, const Tensor& variance, const Tensor& w,
                  const Tensor& b, double eps) {
  Tensor rstd = ops::rsqrt(ops::add(along_channels(variance, x), eps));
  Tensor y = ops::mul(ops::sub(x, along_channels(mean, x)), rstd);
  if (w.defined()) y = ops::mul(y, along_channels(w, x));
  if (b.defined()) y = ops::add(y, along_channels(b, x));
  return y;
}

// The kernel's gradients; false where it does not apply.
bool fast_gradients(Vjp& c, const Tensor& mean, const Tensor& variance, bool training, double eps) {
  Tensor g = c.g(0), x = c.in(0), w = c.in(1);
  DType t = g.dtype();
  if (computed_in(t) != t || x.dtype() != t || (w.defined() && w.dtype() != t) || !x.numel())
    return false;
  Tensor cotangent = dense(g), in = dense(x), weight = as_computed(w, t);
  Tensor m = cast(mean, t), v = cast(variance, t);
  Tensor gx, gw = empty({x.size(1)}, t), gb = empty({x.size(1)}, t);
  if (c.needs(0)) gx = empty(x.sizes(), t);
  Channels a = channels_of(x, weight, {}, m, v, training, eps);
  batch_norm_backward(t, a, gx.defined() ? gx.data() : nullptr, gw.data(), gb.data(),
                      cotangent.data(), in.data());
  if (c.needs(0)) c.set(0, gx);
  if (c.needs(1)) c.set(1, gw);
  if (c.needs(2)) c.set(2, cast(gb, c.like(2).dtype));
  return true;
}

// With the statistics of the batch, which it also gives: mean and variance (uncorrected), [C].
struct BatchNormTraining : FusedRule {
  static constexpr uint32_t saves = input(0) | input(1) | output(1) | output(2);
  static constexpr const char* node = "NativeBatchNormBackward0";

  static Outs forward(Tensor x, Tensor weight, Tensor bias, double eps) {
    check_floating("batch_norm", x.dtype());
    DType t = computed_in(x.dtype());
    Tensor in = cast(x, t), w = as_computed(weight, t), b = as_computed(bias, t);
    Tensor y = empty(x.sizes(), t), mean = empty({x.size(1)}, t), variance = empty({x.size(1)}, t);
    batch_norm(t, channels_of(x, w, b, mean, variance, true, eps), y.data(), in.data());
    Outs outs = as_outs(cast(y, x.dtype()));
    outs.push_back(mean);
    outs.push_back(variance);
    return outs;
  }
  static Outs define(Tensor x, Tensor weight, Tensor bias, double eps) {
    Outs moments = ops::var_mean.all(x, other_dims(x), int64_t{0}, false);
    Outs outs = as_outs(normalized(x, moments[1], moments[0], weight, bias, eps));
    outs.push_back(moments[1]);
    outs.push_back(moments[0]);
    return outs;
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0), w = c.in(1), g = c.g(0);
    Dims dims = other_dims(x);
    double n = per_channel(x);
    Tensor rstd = ops::rsqrt(ops::add(along_channels(c.out(2), x), c.arg<double>(3)));
    Tensor centred = ops::sub(x, along_channels(c.out(1), x)), hat = ops::mul(centred, rstd);
    if (c.needs(0)) {
      Tensor gh = w.defined() ? ops::mul(g, along_channels(w, x)) : g;
      Tensor gx = ops::sub(gh, ops::mul(hat, ops::mean(ops::mul(gh, hat), dims, true)));
      gx = ops::mul(ops::sub(gx, ops::mean(gh, dims, true)), rstd);
      if (c.has_g(1)) gx = ops::add(gx, ops::div(along_channels(c.g(1), x), n));
      if (c.has_g(2))
        gx = ops::add(gx, ops::mul(centred, ops::mul(along_channels(c.g(2), x), 2 / n)));
      c.set(0, gx);
    }
    if (c.needs(1)) c.set(1, ops::sum(ops::mul(g, hat), dims, false));
    if (c.needs(2)) c.set(2, ops::sum(g, dims, false));
  }
  static bool fast_vjp(Vjp& c) {
    if (c.has_g(1) || c.has_g(2)) return false;
    return fast_gradients(c, c.out(1), c.out(2), true, c.arg<double>(3));
  }
};
ADJ_OP(BatchNormTraining,
       "_nodes.native_batch_norm(input: Tensor, weight: Tensor?, bias: Tensor?, eps: float) -> "
       "Tensor[]",
       R"(
`nn.functional.batch_norm` of a training step, with the mean and the variance (without correction)
of each channel.

>>> x = adjoint.tensor([[1.], [3.]])
>>> adjoint._core._namespaces["_nodes"]["native_batch_norm"](x, None, None, 0.0)[0]
tensor([[-1.],
        [ 1.]])
)");

// A running statistic as a constant.
Tensor constant(const Tensor& v, const Tensor& x) {
  Tensor y = without_tangents(v);
  return is_floating(y.dtype()) ? y : Tensor(ops::to_dtype(y, x.dtype()));
}

// With given statistics.
struct BatchNormEvaluation : FusedRule {
  static constexpr uint32_t saves = input(0) | input(1) | input(3) | input(4);
  static constexpr const char* node = "NativeBatchNormBackward0";

  static Tensor forward(Tensor x, Tensor weight, Tensor bias, Tensor mean, Tensor variance,
                        double eps) {
    check_floating("batch_norm", x.dtype());
    DType t = computed_in(x.dtype());
    Tensor in = cast(x, t), w = as_computed(weight, t), b = as_computed(bias, t);
    Tensor m = cast(mean, t), v = cast(variance, t), y = empty(x.sizes(), t);
    batch_norm(t, channels_of(x, w, b, m, v, false, eps), y.data(), in.data());
    return cast(y, x.dtype());
  }
  static Tensor define(Tensor x, Tensor weight, Tensor bias, Tensor mean, Tensor variance,
                       double eps) {
    return normalized(x, constant(mean, x), constant(variance, x), weight, bias, eps);
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0), w = c.in(1), g = c.g(0), mean = constant(c.in(3), x),
           v = constant(c.in(4), x);
    Tensor rstd = ops::rsqrt(ops::add(along_channels(v, x), c.arg<double>(5)));
    if (c.needs(0)) {
      Tensor scale = w.defined() ? ops::mul(rstd, along_channels(w, x)) : rstd;
      c.set(0, ops::mul(g, scale));
    }
    if (c.needs(1)) {
      Tensor hat = ops::mul(ops::sub(x, along_channels(mean, x)), rstd);
      c.set(1, ops::sum(ops::mul(g, hat), other_dims(x), false));
    }
    if (c.needs(2)) c.set(2, ops::sum(g, other_dims(x), false));
  }
  static bool fast_vjp(Vjp& c) {
    return fast_gradients(c, c.in(3), c.in(4), false, c.arg<double>(5));
  }
};
ADJ_OP(BatchNormEvaluation,
       "_nodes.native_batch_norm_evaluation(input: Tensor, weight: Tensor?, bias: Tensor?, mean: "
       "Tensor, variance: Tensor, eps: float) -> Tensor",
       R"(
`nn.functional.batch_norm` with given statistics.

>>> x, one = adjoint.tensor([[1.], [3.]]), adjoint.ones(1)
>>> f = adjoint._core._namespaces["_nodes"]["native_batch_norm_evaluation"]
>>> f(x, None, None, one, one, 0.0)
tensor([[0.],
        [2.]])
)");

const Fn batch_norm_training{"_nodes.native_batch_norm"};
const Fn batch_norm_evaluation{"_nodes.native_batch_norm_evaluation"};

// running <- (1 - momentum) running + momentum value, outside of every graph.
void update(const Tensor& running, const Tensor& value, double momentum) {
  if (!running.defined()) return;
  GradMode off(false);
  Tensor v =
      value.dtype() == running.dtype() ? value : Tensor(ops::to_dtype(value, running.dtype()));
  ops::copy.into(running, ops::add(ops::mul(running, 1 - momentum), ops::mul(v, momentum)));
}

// y, mean, variance; running statistics are used, or updated.
Outs batch_normed(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                  const Tensor& variance, bool training, double momentum, double eps) {
  if (x.dim() < 2)
    runtime_error("batch_norm: expected an input of shape [N, C, ...], but got ", x.sizes());
  int64_t c = x.size(1);
  check_channels("running_mean", mean, c);
  check_channels("running_var", variance, c);
  check_channels("weight", weight, c);
  check_channels("bias", bias, c);
  if (!training) {
    if (!mean.defined() || !variance.defined())
      runtime_error("batch_norm: running_mean and running_var must be defined in evaluation mode");
    Tensor y = batch_norm_evaluation(x, weight, bias, detach(mean), detach(variance), eps);
    return as_outs(y);
  }
  Outs outs = batch_norm_training.all(x, weight, bias, eps);
  if (!x.numel()) return outs;  // of nothing there are no statistics
  double n = c ? per_channel(x) : 0;
  update(mean, without_tangents(outs[1]), momentum);
  if (variance.defined()) {
    GradMode off(false);
    Tensor unbiased = ops::mul(without_tangents(outs[2]), n / (n - 1));
    update(variance, unbiased, momentum);
  }
  return outs;
}

struct BatchNorm : Composite {
  static Tensor define(Tensor x, Tensor mean, Tensor variance, Tensor weight, Tensor bias,
                       bool training, double momentum, double eps) {
    if (training && x.dim() >= 2 && x.numel() && x.numel() == x.size(1))
      value_error(
          "Expected more than 1 value per channel when training, got input size torch.Size(",
          x.sizes(), ")");
    if (training && !(eps > 0))
      value_error("batch_norm eps must be positive during training, but got ", eps);
    return batch_normed(x, weight, bias, mean, variance, training, momentum, eps)[0];
  }
};
ADJ_OP(
    BatchNorm,
    "nn.functional.batch_norm(input: Tensor, running_mean: Tensor?, running_var: Tensor?, weight: "
    "Tensor? = None, bias: Tensor? = None, training: bool = False, momentum: float = 0.1, eps: "
    "float = 1e-5) -> Tensor",
    R"(
`(input - mean) / sqrt(variance + eps) * weight + bias` for each channel of an input [N, C, ...];
weight, bias and the running statistics are [C] (Ioffe and Szegedy, 2015). In training, mean and
variance are those of the batch, and `running = (1 - momentum) * running + momentum * batch` where
running statistics are given (of the variance with Bessel's correction); otherwise the running ones
are used. A ValueError for a single value per channel in training, a RuntimeError for shapes that
do not fit.

>>> x = adjoint.tensor([[1.], [3.]])
>>> adjoint.nn.functional.batch_norm(x, adjoint.zeros(1), adjoint.ones(1), eps=0.0)
tensor([[1.],
        [3.]])
)");

struct BatchNormPlain : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, Tensor weight, Tensor bias, Tensor mean, Tensor variance,
                       bool training, double momentum, double eps, bool) {
    return batch_normed(x, weight, bias, mean, variance, training, momentum, eps)[0];
  }
};
ADJ_OP(
    BatchNormPlain,
    "batch_norm(input: Tensor, weight: Tensor?, bias: Tensor?, running_mean: Tensor?, running_var: "
    "Tensor?, training: bool, momentum: float, eps: float, cudnn_enabled: bool) -> Tensor",
    R"(
`nn.functional.batch_norm`.

>>> x = adjoint.tensor([[1.], [3.]])
>>> adjoint.batch_norm(x, None, None, None, None, True, 0.1, 0.0, False)
tensor([[-1.],
        [ 1.]])
)");

struct NativeBatchNorm : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, Tensor weight, Tensor bias, Tensor mean, Tensor variance,
                     bool training, double momentum, double eps) {
    Outs outs = batch_normed(x, weight, bias, mean, variance, training, momentum, eps);
    if (training) {
      outs[2] = ops::rsqrt(ops::add(outs[2], eps));
    } else {
      outs.push_back(ops::zeros(Dims{0}, x.dtype()));
      outs.push_back(ops::zeros(Dims{0}, x.dtype()));
    }
    return outs;
  }
};
ADJ_OP(NativeBatchNorm,
       "native_batch_norm(input: Tensor, weight: Tensor?, bias: Tensor?, running_mean: Tensor?, "
       "running_var: Tensor?, training: bool, momentum: float, eps: float) -> Tensor[]",
       R"(
`batch_norm`, with the mean and 1 / sqrt(variance + eps) of each channel in training.

>>> x = adjoint.tensor([[1.], [3.]])
>>> adjoint.native_batch_norm(x, None, None, None, None, True, 0.1, 0.0)[2]
tensor([1.])
)");

}  // namespace
}  // namespace adj
