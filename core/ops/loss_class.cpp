// Losses of classifiers: negative log likelihood and cross entropy.
#include <vector>

#include "ops/fused_rule.h"
#include "ops/loss.h"

namespace adj {

namespace {

// An input [N, C, inner] of C classes and its target [N, inner], as kernels read them. An input [C]
// is one sample.
struct ClassCall {
  Tensor x, target;  // contiguous; target int64
  DType t;
  int64_t n, classes, inner;

  ClassCall(const Tensor& input, const Tensor& targets)
      : x(cast(input, computed_in(input.dtype()))),
        target(cast(targets, DType::i64)),
        t(x.dtype()) {
    bool single = x.dim() == 1;
    n = single ? 1 : x.size(0);
    classes = x.size(single ? 0 : 1);
    inner = 1;
    for (int i = 2; i < x.dim(); ++i) inner *= x.size(i);
  }
};

// What each target counts: its class's weight, or 1; 0 for those to ignore. `total` is their sum.
std::vector<double> target_weights(const Tensor& target, const Tensor& weight, int64_t classes,
                                   int64_t ignore, double& total) {
  const int64_t* at = target.data<int64_t>();
  Tensor w = weight.defined() ? cast(weight, DType::f64) : Tensor();
  std::vector<double> out(static_cast<size_t>(target.numel()));
  total = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    if (at[i] == ignore) continue;
    if (at[i] < 0 || at[i] >= classes)
      index_error("Target ", at[i], " is out of bounds: there are ", classes,
                  " classes, from 0 to ", classes - 1);
    out[i] = w.defined() ? w.data<double>()[at[i]] : 1;
    total += out[i];
  }
  return out;
}

// -w (x[target] - lse), lse being absent where x holds log-probabilities already.
template <class T>
void pick(const ClassCall& c, const std::vector<double>& w, const T* lse, T* out) {
  const T* x = c.x.data<T>();
  const int64_t* target = c.target.data<int64_t>();
  for (int64_t i = 0; i < c.n * c.inner; ++i) {
    double factor = w[static_cast<size_t>(i)];
    if (factor == 0) {
      out[i] = 0;
      continue;
    }
    int64_t sample = i / c.inner, at = i % c.inner;
    T value = x[(sample * c.classes + target[i]) * c.inner + at];
    out[i] = static_cast<T>(factor) * ((lse ? lse[i] : T(0)) - value);
  }
}

Tensor picked(const ClassCall& c, const Tensor& sizes_of, const Tensor& weight, int64_t reduction,
              int64_t ignore, const Tensor& lse) {
  double total;
  auto w = target_weights(c.target, weight, c.classes, ignore, total);
  Tensor each = empty(sizes_of.sizes(), c.t);
  if (c.t == DType::f32)
    pick<float>(c, w, lse.defined() ? lse.data<float>() : nullptr, each.data<float>());
  else pick<double>(c, w, lse.defined() ? lse.data<double>() : nullptr, each.data<double>());
  if (reduction == kNone) return each;
  Tensor out = reduce_dims(Reduce::sum, each, all_dims(each.dim()), false);
  if (reduction == kMean) {
    if (c.t == DType::f32) *out.data<float>() = static_cast<float>(*out.data<float>() / total);
    else *out.data<double>() /= total;
  }
  return out;
}

// The cotangent of each -w x[target], from that of the loss: g w, divided by the total for a mean.
template <class T>
std::vector<double> factors(const Tensor& g, std::vector<double> w, double total,
                            int64_t reduction) {
  Tensor cotangent = dense(g);
  const T* p = cotangent.data<T>();
  for (size_t i = 0; i < w.size(); ++i) {
    if (w[i] == 0 && reduction != kMean) continue;
    w[i] *= static_cast<double>(reduction == kNone ? p[i] : p[0]);
    if (reduction == kMean) w[i] /= total;
  }
  return w;
}

std::vector<double> factors(const Tensor& g, const ClassCall& c, const Tensor& weight,
                            int64_t reduction, int64_t ignore) {
  double total;
  auto w = target_weights(c.target, weight, c.classes, ignore, total);
  return c.t == DType::f32 ? factors<float>(g, std::move(w), total, reduction)
                           : factors<double>(g, std::move(w), total, reduction);
}

template <class T>
void subtract_at_targets(const ClassCall& c, const std::vector<double>& factor, int64_t ignore,
                         T* gx) {
  const int64_t* target = c.target.data<int64_t>();
  for (int64_t i = 0; i < c.n * c.inner; ++i)
    if (target[i] != ignore)
      gx[(i / c.inner * c.classes + target[i]) * c.inner + i % c.inner] -=
          static_cast<T>(factor[static_cast<size_t>(i)]);
}

// The weights of the targets in operators, with targets that are safe to index by.
struct Targets {
  Tensor safe, weights;
};
Targets targets_of(const Tensor& input, const Tensor& target, const Tensor& weight,
                   int64_t ignore) {
  Tensor index = target.dtype() == DType::i64 ? target : ops::to_dtype(target, DType::i64);
  Tensor kept = ops::ne(index, ignore);
  Targets out{ops::masked_fill(index, ops::logical_not(kept), int64_t{0}), {}};
  out.weights = ops::to_dtype(kept, input.dtype());
  if (weight.defined()) {
    Tensor w = ops::reshape(ops::index_select(weight, int64_t{0}, ops::reshape(out.safe, Dims{-1})),
                            out.safe.sizes());
    out.weights = ops::mul(out.weights, w);
  }
  return out;
}

// Log-probabilities [N, C, ...] in, or [C].
struct NllLoss : FusedRule {
  static constexpr uint32_t reads[] = {input(1) | input(2)};

  static Tensor forward(Tensor x, Tensor target, Tensor weight, int64_t reduction, int64_t ignore) {
    check_floating("nll_loss", x.dtype());
    ClassCall c(x, target);
    return cast(picked(c, target, weight, reduction, ignore, {}), x.dtype());
  }
  static Tensor define(Tensor x, Tensor target, Tensor weight, int64_t reduction, int64_t ignore) {
    int64_t dim = x.dim() == 1 ? 0 : 1;
    Targets at = targets_of(x, target, weight, ignore);
    Tensor each = ops::squeeze(ops::gather(x, dim, ops::unsqueeze(at.safe, dim)), dim);
    each = ops::neg(ops::mul(each, at.weights));
    if (reduction == kMean) return ops::div(ops::sum_all(each), ops::sum_all(at.weights));
    return reduced(each, reduction);
  }
  static void vjp(Vjp& c) {
    if (!c.needs(0)) return;
    const TensorMeta& x = c.like(0);
    int64_t dim = x.sizes.size() == 1 ? 0 : 1;
    Tensor g = c.g();
    Targets at = targets_of(g, c.in(1), c.in(2), c.arg<int64_t>(4));
    if (c.arg<int64_t>(3) == kMean) g = ops::div(g, ops::sum(at.weights));
    Tensor gx = ops::unsqueeze(ops::neg(ops::mul(g, at.weights)), dim);
    c.set(0, ops::scatter_add(ops::zeros(x.sizes, x.dtype), dim, ops::unsqueeze(at.safe, dim), gx));
  }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g();
    if (!c.needs(0)) return true;
    if (computed_in(g.dtype()) != g.dtype() || c.in(1).wrapped()) return false;
    Tensor gx = ops::zeros(c.like(0).sizes, g.dtype());
    ClassCall call(gx, c.in(1));
    auto factor = factors(g, call, c.in(2), c.arg<int64_t>(3), c.arg<int64_t>(4));
    if (call.t == DType::f32)
      subtract_at_targets(call, factor, c.arg<int64_t>(4), gx.data<float>());
    else subtract_at_targets(call, factor, c.arg<int64_t>(4), gx.data<double>());
    c.set(0, gx);
    return true;
  }
};
ADJ_OP(NllLoss,
       "_nodes.nll_loss(input: Tensor, target: Tensor, weight: Tensor?, reduction: int, "
       "ignore_index: int) -> Tensor",
       R"(
`nn.functional.nll_loss`.

>>> adjoint.nn.functional.nll_loss(adjoint.tensor([[-0.5, -2.]]), adjoint.tensor([1]))
tensor(2.)
)");

struct NllLoss2d : NllLoss {
  static constexpr const char* node = "NllLoss2DBackward0";
};
ADJ_OP(NllLoss2d,
       "_nodes.nll_loss2d(input: Tensor, target: Tensor, weight: Tensor?, reduction: int, "
       "ignore_index: int) -> Tensor",
       R"(
`nn.functional.nll_loss` of inputs [N, C, ...].

>>> adjoint.nn.functional.nll_loss(adjoint.tensor([[[-0.5], [-2.]]]), adjoint.tensor([[1]]))
tensor(2.)
)");

const Fn nll{"_nodes.nll_loss"}, nll2d{"_nodes.nll_loss2d"}, nll_logits{"_nodes.nll_loss_logits"};
const Fn& nll_of(const Tensor& x) { return x.dim() <= 2 ? nll : nll2d; }

// Logits [N, C] in: no log-probabilities are kept, since the backward takes softmax of the input
// again.
struct NllLogits : FusedRule {
  static constexpr const char* node = "NllLossBackward0";
  static constexpr uint32_t saves = input(0) | input(1) | input(2);

  static Tensor forward(Tensor x, Tensor target, Tensor weight, int64_t reduction, int64_t ignore) {
    check_floating("cross_entropy", x.dtype());
    ClassCall c(x, target);
    Tensor lse = empty(Dims{c.n}, c.t);
    logsumexp(c.t, lse.data(), c.x.data(), c.n, c.classes, 1);
    return cast(picked(c, target, weight, reduction, ignore, lse), x.dtype());
  }
  static Tensor define(Tensor x, Tensor target, Tensor weight, int64_t reduction, int64_t ignore) {
    return nll(ops::log_softmax(x, int64_t{1}), target, weight, reduction, ignore);
  }
  static void vjp(Vjp& c) {
    if (!c.needs(0)) return;
    Tensor x = c.in(0), g = c.g();
    Targets at = targets_of(x, c.in(1), c.in(2), c.arg<int64_t>(4));
    if (c.arg<int64_t>(3) == kMean) g = ops::div(g, ops::sum(at.weights));
    Tensor factor = ops::unsqueeze(ops::mul(g, at.weights), int64_t{1});  // [N, 1]
    Tensor hits = ops::scatter_add(ops::zeros(x.sizes(), x.dtype()), int64_t{1},
                                   ops::unsqueeze(at.safe, int64_t{1}), factor);
    c.set(0, ops::sub(ops::mul(ops::softmax(x, int64_t{1}), factor), hits));
  }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g();
    if (!c.needs(0)) return true;
    if (computed_in(g.dtype()) != g.dtype() || c.in(1).wrapped() || c.in(0).wrapped()) return false;
    ClassCall call(c.in(0), c.in(1));
    auto ignore = c.arg<int64_t>(4);
    auto factor = factors(g, call, c.in(2), c.arg<int64_t>(3), ignore);
    Tensor gx = ops::softmax(call.x, int64_t{1});
    if (call.t == DType::f32) scale_rows<float>(call, factor, gx);
    else scale_rows<double>(call, factor, gx);
    if (call.t == DType::f32) subtract_at_targets(call, factor, ignore, gx.data<float>());
    else subtract_at_targets(call, factor, ignore, gx.data<double>());
    c.set(0, gx);
    return true;
  }
  template <class T>
  static void scale_rows(const ClassCall& c, const std::vector<double>& factor, const Tensor& gx) {
    if (c.classes < 64) {
      for (int64_t i = 0; i < c.n; ++i)
        for (int64_t j = 0; j < c.classes; ++j)
          gx.data<T>()[i * c.classes + j] *= static_cast<T>(factor[static_cast<size_t>(i)]);
      return;
    }
    Tensor column = empty(Dims{c.n, 1}, c.t);
    for (int64_t i = 0; i < c.n; ++i)
      column.data<T>()[i] = static_cast<T>(factor[static_cast<size_t>(i)]);
    ops::mul.into(gx, column);
  }
};
ADJ_OP(NllLogits,
       "_nodes.nll_loss_logits(input: Tensor, target: Tensor, weight: Tensor?, reduction: int, "
       "ignore_index: int) -> Tensor",
       R"(
`nn.functional.cross_entropy` of logits [N, C] and class indices.

>>> adjoint.nn.functional.cross_entropy(adjoint.tensor([[0., 0.]]), adjoint.tensor([1]))
tensor(0.6931)
)");

void check_classes(const char* name, const Tensor& x, const Tensor& target, const Tensor& weight) {
  if (x.dim() == 0)
    value_error(name, ": Expected 1 or more dimensions (got 0): the input has a dim of classes");
  if (x.dim() > 1 && target.dim() > 0 && x.size(0) != target.size(0))
    value_error("Expected input batch_size (", x.size(0), ") to match target batch_size (",
                target.size(0), ").");
  if (target.dtype() != DType::i64 && target.dtype() != DType::u8)
    runtime_error(name, ": expected target dtype to be Long or Byte, but got ",
                  scalar_name_of(target.dtype()));
  int64_t classes = x.size(x.dim() == 1 ? 0 : 1);
  if (x.dim() == 1 ? target.dim() != 0 && !(target.dim() == 1 && target.size(0) == 1)
                   : target.dim() != x.dim() - 1)
    runtime_error(name, ": a target of shape ", target.sizes(), " does not fit an input of shape ",
                  x.sizes(), " (expected the input's shape without its dim of classes)");
  for (int i = 2; i < x.dim(); ++i)
    if (x.size(i) != target.size(i - 1))
      runtime_error(name, ": Expected target size ", reduced_sizes(x.sizes(), 2, false), ", got ",
                    target.sizes());
  if (weight.defined() && (weight.dim() != 1 || weight.size(0) != classes))
    runtime_error(name, ": weight tensor should be defined either for all ", classes,
                  " classes or no classes but got weight tensor of shape: ", weight.sizes());
  if (weight.defined() && is_floating(weight.dtype()) && weight.dtype() != x.dtype())
    runtime_error(name, ": expected scalar type ", scalar_name_of(x.dtype()), " but found ",
                  scalar_name_of(weight.dtype()), " for the weight");
}

struct NllFunction : Composite {
  static Tensor define(Tensor x, Tensor target, Tensor weight, Value size_average, int64_t ignore,
                       Value reduce, Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    check_classes("nll_loss", x, target, weight);
    return nll_of(x)(x, target, weight, int64_t{reduction}, ignore);
  }
};
ADJ_OP(NllFunction,
       "nn.functional.nll_loss(input: Tensor, target: Tensor, weight: Tensor? = None, "
       "size_average: bool? = None, ignore_index: int = -100, reduce: bool? = None, "
       "reduction: str = 'mean') -> Tensor",
       R"(
`-weight[target] * input[target]`: log-probabilities [C], [N, C] or [N, C, d1, ...], class indices of the
same shape without C (int64), weight [C]. Targets equal to `ignore_index` count for nothing; the mean is
over the weights of the others. An IndexError for a target that is no class.

>>> adjoint.nn.functional.nll_loss(adjoint.tensor([[-0.5, -2.]]), adjoint.tensor([1]))
tensor(2.)
)");

// The target as probabilities, smoothed.
Tensor soft_cross_entropy(const Tensor& x, const Tensor& target, const Tensor& weight,
                          Reduction reduction, double smoothing) {
  int64_t dim = x.dim() == 1 ? 0 : 1, classes = x.size(static_cast<int>(dim));
  if (!is_floating(target.dtype()))
    runtime_error("Expected floating point type for target with class probabilities, got ",
                  scalar_name_of(target.dtype()));
  if (weight.defined() && (weight.dim() != 1 || weight.size(0) != classes))
    runtime_error("cross_entropy: weight tensor should be defined either for all ", classes,
                  " classes or no classes but got weight tensor of shape: ", weight.sizes());
  Tensor log_p = ops::log_softmax(x, dim), p = target;
  if (smoothing > 0)
    p = ops::add(ops::mul(p, 1 - smoothing), smoothing / static_cast<double>(classes));
  Tensor terms = ops::mul(log_p, p);
  if (weight.defined()) {
    Dims shape;
    for (int i = 0; i < x.dim(); ++i) shape.push_back(i == dim ? classes : 1);
    terms = ops::mul(terms, ops::reshape(weight, shape));
  }
  if (reduction == kNone) return ops::neg(ops::sum(terms, dim));
  Tensor total = ops::neg(ops::sum_all(terms));
  return reduction == kSum
             ? total
             : ops::div(total, static_cast<double>(classes ? x.numel() / classes : 0));
}

// (1 - s) nll + s / C times the loss summed over all classes.
Tensor smoothed_cross_entropy(const Tensor& x, const Tensor& target, const Tensor& weight,
                              Reduction reduction, int64_t ignore, double smoothing) {
  int64_t dim = x.dim() == 1 ? 0 : 1, classes = x.size(static_cast<int>(dim));
  Tensor log_p = ops::log_softmax(x, dim);
  Tensor hard = nll_of(x)(log_p, target, weight, int64_t{reduction}, ignore);
  Tensor terms = log_p;
  if (weight.defined()) {
    Dims shape;
    for (int i = 0; i < x.dim(); ++i) shape.push_back(i == dim ? classes : 1);
    terms = ops::mul(terms, ops::reshape(weight, shape));
  }
  Targets at = targets_of(x, target, weight, ignore);
  Tensor smooth = ops::masked_fill(ops::neg(ops::sum(terms, dim)), ops::eq(target, ignore), 0.0);
  if (reduction == kMean) smooth = ops::div(ops::sum(smooth), ops::sum(at.weights));
  else smooth = reduced(smooth, reduction);
  return ops::add(ops::mul(hard, 1 - smoothing),
                  ops::mul(smooth, smoothing / static_cast<double>(classes)));
}

struct CrossEntropy : Composite {
  static Tensor define(Tensor x, Tensor target, Tensor weight, Value size_average, int64_t ignore,
                       Value reduce, Text text, double smoothing) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    if (!(smoothing >= 0 && smoothing <= 1))
      runtime_error("label_smoothing must be between 0.0 and 1.0. Got: ", smoothing);
    if (x.dim() > 0 && x.sizes() == target.sizes()) {
      if (ignore >= 0)
        runtime_error("ignore_index is not supported for floating point target, got ", ignore);
      return soft_cross_entropy(x, target, weight, reduction, smoothing);
    }
    check_classes("cross_entropy", x, target, weight);
    if (smoothing > 0)
      return smoothed_cross_entropy(x, target, weight, reduction, ignore, smoothing);
    if (x.dim() == 2) return nll_logits(x, target, weight, int64_t{reduction}, ignore);
    return nll_of(x)(ops::log_softmax(x, int64_t{x.dim() == 1 ? 0 : 1}), target, weight,
                     int64_t{reduction}, ignore);
  }
};
ADJ_OP(CrossEntropy,
       "nn.functional.cross_entropy(input: Tensor, target: Tensor, weight: Tensor? = None, "
       "size_average: bool? = None, ignore_index: int = -100, reduce: bool? = None, "
       "reduction: str = 'mean', label_smoothing: float = 0.0) -> Tensor",
       R"(
`nll_loss` of `log_softmax(input)`: logits [C], [N, C] or [N, C, d1, ...], and either class indices of
the same shape without C (int64) or probabilities of the input's shape. weight [C]; targets equal to
`ignore_index` count for nothing; `label_smoothing` mixes targets with the uniform distribution (Szegedy
et al., 2016). An IndexError for a target that is no class.

>>> adjoint.nn.functional.cross_entropy(adjoint.tensor([[0., 0.]]), adjoint.tensor([1]))
tensor(0.6931)
)");

}  // namespace
}  // namespace adj
