// Losses that are a few operators each.
#include <cmath>

#include "ops/loss.h"
#include "tensor/warning.h"

namespace adj {

namespace {

const Fn clamp_min{"clamp_min"}, xlogy{"xlogy"},
    pairwise_distance{"nn.functional.pairwise_distance"};

struct KlDiv : Composite {
  static Tensor define(Tensor x, Tensor y, Value size_average, Value reduce, Text text,
                       bool log_target) {
    Reduction reduction = reduction_of(text, size_average, reduce, true);
    if (text == "mean" && reduction == kMean && size_average.is_none() && reduce.is_none())
      user_warning(
          "reduction: 'mean' divides by the number of elements, 'batchmean' by the size of the "
          "batch "
          "alone, as the definition of the divergence has it");
    Tensor each =
        log_target ? ops::mul(ops::exp(y), ops::sub(y, x)) : ops::sub(xlogy(y, y), ops::mul(y, x));
    if (reduction != kBatchMean) return reduced(each, reduction);
    Tensor total = ops::sum_all(each);
    return x.dim() ? ops::div(total, static_cast<double>(x.size(0))) : total;
  }
};
ADJ_OP(KlDiv,
       "nn.functional.kl_div(input: Tensor, target: Tensor, size_average: bool? = None, "
       "reduce: bool? = None, reduction: str = 'mean', log_target: bool = False) -> Tensor",
       R"(
The Kullback-Leibler divergence `target (log(target) - input)` of log-probabilities `input` from
probabilities `target`, or from their logarithms with `log_target`. `reduction` 'batchmean' divides the
sum by the first size, as the definition has it; 'mean' divides by the number of elements.

>>> x, y = adjoint.tensor([[0.5, 0.5]]).log(), adjoint.tensor([[1., 0.]])
>>> adjoint.nn.functional.kl_div(x, y, reduction='batchmean')
tensor(0.6931)
)");

struct PoissonNll : Composite {
  static Tensor define(Tensor x, Tensor y, bool log_input, bool full, Value size_average,
                       double eps, Value reduce, Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    Tensor each = log_input ? ops::sub(ops::exp(x), ops::mul(y, x))
                            : ops::sub(x, ops::mul(y, ops::log(ops::add(x, eps))));
    if (full) {
      // log y! by Stirling's formula, for y > 1
      constexpr double kTwoPi = 6.283185307179586477;
      Tensor factorial = ops::add(ops::sub(ops::mul(y, ops::log(y)), y),
                                  ops::mul(ops::log(ops::mul(y, kTwoPi)), 0.5));
      each = ops::add(each, ops::masked_fill(factorial, ops::le(y, 1.0), 0.0));
    }
    return reduced(each, reduction);
  }
};
ADJ_OP(PoissonNll,
       "nn.functional.poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool = True, "
       "full: bool = False, size_average: bool? = None, eps: float = 1e-8, reduce: bool? = None, "
       "reduction: str = 'mean') -> Tensor",
       R"(
The negative log likelihood of counts `target` under Poisson distributions of mean `exp(input)`, or
`input` (plus eps under the logarithm) without `log_input`; `full` adds Stirling's approximation of the
term that is left out, `log(target!)`.

>>> adjoint.nn.functional.poisson_nll_loss(adjoint.tensor([0.]), adjoint.tensor([2.]))
tensor(1.)
)");

Tensor gaussian_nll(const Tensor& x, const Tensor& y, Tensor var, bool full, double eps,
                    Text text) {
  if (text != "none" && text != "mean" && text != "sum") value_error(text, " is not valid");
  if (!(var.sizes() == x.sizes())) {
    int n = x.dim();
    bool one_less = var.dim() == n - 1 && x.sizes().slice(0, n - 1) == var.sizes();
    int64_t differing = 0, sum = 0;
    if (var.dim() == n)
      for (int i = 0; i < n; ++i)
        if (x.size(i) != var.size(i)) {
          ++differing;
          sum += var.size(i);
        }
    if (one_less) var = ops::unsqueeze(var, int64_t{-1});
    else if (var.dim() != n || differing == 0 || sum != 1)
      value_error("var is of incorrect size: ", var.sizes(), " for an input of shape ", x.sizes());
  }
  // Clamped in value, but the gradient passes as if it were not.
  Tensor plain = var;
  if (!var.wrapped()) {
    Tensor least = var.numel() ? reduce_dims(Reduce::amin, cast(detach(var), DType::f64),
                                             all_dims(var.dim()), false)
                               : scalar_tensor(0.0, DType::f64);
    if (*least.data<double>() < 0)
      value_error("var has negative entry/entries: the smallest is ", *least.data<double>());
    if (*least.data<double>() < eps) {
      GradMode off(false);
      plain = clamp_min(var, eps);
    }
  }
  if (!plain.same(var)) var = ops::add(ops::sub(var, detach(var)), plain);
  Tensor d = ops::sub(x, y);
  Tensor each = ops::mul(ops::add(ops::log(var), ops::div(ops::mul(d, d), var)), 0.5);
  if (full) each = ops::add(each, 0.91893853320467274178);  // log(2 pi) / 2
  return reduced(each, reduction_of(text, {}, {}));
}

struct GaussianNll : Composite {
  static Tensor define(Tensor x, Tensor y, Tensor var, bool full, double eps, Text text) {
    return gaussian_nll(x, y, var, full, eps, text);
  }
};
ADJ_OP(GaussianNll,
       "nn.functional.gaussian_nll_loss(input: Tensor, target: Tensor, var: Tensor, full: bool = "
       "False, "
       "eps: float = 1e-6, reduction: str = 'mean') -> Tensor",
       R"(
`(log(var) + (input - target)^2 / var) / 2`: the negative log likelihood of `target` under normal
distributions of mean `input` and variance `var` (no less than eps), which has the shape of `input`, or
lacks its last dim or has 1 there. `full` adds `log(2 pi) / 2`. A ValueError for a negative variance.

>>> x = adjoint.tensor([0.])
>>> adjoint.nn.functional.gaussian_nll_loss(x, adjoint.tensor([2.]), adjoint.tensor([1.]))
tensor(2.)
)");

struct GaussianNllNumber : Composite {
  static Tensor define(Tensor x, Tensor y, double var, bool full, double eps, Text text) {
    return gaussian_nll(x, y, ops::full_like(x, var), full, eps, text);
  }
};
ADJ_OP(GaussianNllNumber,
       "nn.functional.gaussian_nll_loss:number(input: Tensor, target: Tensor, var: float, "
       "full: bool = False, eps: float = 1e-6, reduction: str = 'mean') -> Tensor",
       R"(
One variance for all.

>>> adjoint.nn.functional.gaussian_nll_loss(adjoint.tensor([0.]), adjoint.tensor([2.]), 1.0)
tensor(2.)
)");

struct HingeEmbedding : Composite {
  static Tensor define(Tensor x, Tensor y, double margin, Value size_average, Value reduce,
                       Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    Tensor far = ops::where(ops::ne(y, int64_t{1}),
                            clamp_min(ops::sub(ops::mul(x, -1.0), -margin), 0.0), 0.0);
    Tensor near = ops::where(ops::ne(y, int64_t{-1}), x, 0.0);
    return reduced(ops::add(far, near), reduction);
  }
};
ADJ_OP(HingeEmbedding,
       "nn.functional.hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, "
       "size_average: bool? = None, reduce: bool? = None, reduction: str = 'mean') -> Tensor",
       R"(
`input` where the target is 1, `max(0, margin - input)` where it is -1.

>>> x, y = adjoint.tensor([0.2, 0.2]), adjoint.tensor([1, -1])
>>> adjoint.nn.functional.hinge_embedding_loss(x, y, reduction='none')
tensor([0.2000, 0.8000])
)");

struct MarginRanking : Composite {
  static Tensor define(Tensor x, Tensor y, Tensor target, double margin, Value size_average,
                       Value reduce, Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    if (x.dim() != y.dim() || x.dim() != target.dim())
      runtime_error(
          "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
          "input1: ",
          x.sizes(), ", input2: ", y.sizes(), ", target: ", target.sizes());
    Tensor each = ops::add(ops::mul(ops::neg(target), ops::sub(x, y)), margin);
    return reduced(clamp_min(each, 0.0), reduction);
  }
};
ADJ_OP(MarginRanking,
       "nn.functional.margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, "
       "margin: float = 0.0, size_average: bool? = None, reduce: bool? = None, reduction: str = "
       "'mean')"
       " -> Tensor",
       R"(
`max(0, margin - target (input1 - input2))`, for targets 1 (input1 should be larger) and -1.

>>> x, y = adjoint.tensor([1.]), adjoint.tensor([3.])
>>> adjoint.nn.functional.margin_ranking_loss(x, y, adjoint.tensor([1.]))
tensor(2.)
)");

struct CosineEmbedding : Composite {
  static Tensor define(Tensor x, Tensor y, Tensor target, double margin, Value size_average,
                       Value reduce, Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    if (target.dim() > 1 || x.dim() != target.dim() + 1 || y.dim() != target.dim() + 1)
      runtime_error("cosine_embedding_loss: expected a target of ", target.dim() ? "1D" : "0D",
                    " with inputs of one dim more (and at most 2), got shapes ", x.sizes(), ", ",
                    y.sizes(), " and ", target.sizes());
    int64_t dim = target.dim();
    // torch's formula: the epsilon stands under the root
    auto squares = [&](const Tensor& v) { return ops::add(ops::sum(ops::mul(v, v), dim), 1e-12); };
    Tensor cosine =
        ops::div(ops::sum(ops::mul(x, y), dim), ops::sqrt(ops::mul(squares(x), squares(y))));
    Tensor near =
        ops::where(ops::eq(target, int64_t{1}), ops::sub(ops::mul(cosine, -1.0), -1.0), 0.0);
    Tensor far =
        ops::where(ops::eq(target, int64_t{-1}), clamp_min(ops::sub(cosine, margin), 0.0), 0.0);
    return reduced(ops::add(near, far), reduction);
  }
};
ADJ_OP(CosineEmbedding,
       "nn.functional.cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, "
       "margin: float = 0.0, size_average: bool? = None, reduce: bool? = None, reduction: str = "
       "'mean')"
       " -> Tensor",
       R"(
`1 - cos` of the angle between inputs [N, D] (or [D]) where the target [N] is 1, `max(0, cos - margin)`
where it is -1.

>>> x, y = adjoint.tensor([[1., 0.]]), adjoint.tensor([[0., 1.]])
>>> adjoint.nn.functional.cosine_embedding_loss(x, y, adjoint.tensor([1]))
tensor(1.)
)");

struct TripletMargin : Composite {
  static Tensor define(Tensor anchor, Tensor positive, Tensor negative, double margin, double p,
                       double eps, bool swap, Value size_average, Value reduce, Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    if (!(margin > 0)) value_error("margin must be greater than 0, got ", margin);
    if (anchor.dim() != positive.dim() || anchor.dim() != negative.dim())
      runtime_error(
          "triplet_margin_loss: The anchor, positive, and negative tensors are expected to have "
          "the same "
          "number of dimensions, but got shapes ",
          anchor.sizes(), ", ", positive.sizes(), " and ", negative.sizes());
    Tensor near = pairwise_distance(anchor, positive, p, eps),
           far = pairwise_distance(anchor, negative, p, eps);
    if (swap) far = ops::minimum(far, pairwise_distance(positive, negative, p, eps));
    return reduced(clamp_min(ops::add(ops::sub(near, far), margin), 0.0), reduction);
  }
};
ADJ_OP(TripletMargin,
       "nn.functional.triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, "
       "margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, "
       "size_average: bool? = None, reduce: bool? = None, reduction: str = 'mean') -> Tensor",
       R"(
`max(0, d(anchor, positive) - d(anchor, negative) + margin)` with d the `pairwise_distance` of order `p`,
of vectors [..., D]; `swap` takes d(positive, negative) where that is smaller (Balntas et al., 2016).

>>> a, b = adjoint.tensor([[0., 0.]]), adjoint.tensor([[3., 4.]])
>>> adjoint.nn.functional.triplet_margin_loss(a, a, b, margin=6.0)
tensor(1.0000)
)");

}  // namespace
}  // namespace adj
