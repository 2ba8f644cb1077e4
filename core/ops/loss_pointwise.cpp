// Losses of one term per element.
#include "ops/loss.h"

#include "ops/elementwise/var.h"

#include "ops/elementwise/loss.h"
#include "tensor/warning.h"

namespace adj {

namespace {

struct MseLoss : PointwiseLoss<MseLoss> {
  static inline const Fn term{"_nodes.mse_term"};
};
ADJ_OP(MseLoss,
       "_nodes.mse_loss(input: Tensor, target: Tensor, weight: Tensor?, parameter: Operand?, "
       "reduction: int) -> Tensor",
       R"(
`nn.functional.mse_loss`.

>>> adjoint.nn.functional.mse_loss(adjoint.tensor([3., 1.]), adjoint.tensor([1., 1.]))
tensor(2.)
)");

struct SmoothL1Loss : PointwiseLoss<SmoothL1Loss> {
  static constexpr bool has_parameter = true;
  static inline const Fn term{"_nodes.smooth_l1_term"};
};
ADJ_OP(SmoothL1Loss,
       "_nodes.smooth_l1_loss(input: Tensor, target: Tensor, weight: Tensor?, parameter: Operand?, "
       "reduction: int) -> Tensor",
       R"(
`nn.functional.smooth_l1_loss`; the parameter is beta.

>>> adjoint.nn.functional.smooth_l1_loss(adjoint.tensor([3., 1.]), adjoint.tensor([1., 1.]))
tensor(0.7500)
)");

struct HuberLoss : PointwiseLoss<HuberLoss> {
  static constexpr bool has_parameter = true;
  static inline const Fn term{"_nodes.huber_term"};
};
ADJ_OP(HuberLoss,
       "_nodes.huber_loss(input: Tensor, target: Tensor, weight: Tensor?, parameter: Operand?, "
       "reduction: int) -> Tensor",
       R"(
`nn.functional.huber_loss`; the parameter is delta.

>>> adjoint.nn.functional.huber_loss(adjoint.tensor([3., 1.]), adjoint.tensor([1., 1.]))
tensor(0.7500)
)");

struct BceLoss : PointwiseLoss<BceLoss> {
  static inline const Fn term{"_nodes.bce_term"};
  static Tensor forward(Tensor x, Tensor y, Tensor weight, Value parameter, int64_t reduction) {
    if (x.numel()) {
      DimMask all = all_dims(x.dim());
      Tensor low = cast(reduce_dims(Reduce::amin, x, all, false), DType::f64);
      Tensor high = cast(reduce_dims(Reduce::amax, x, all, false), DType::f64);
      if (!(*low.data<double>() >= 0 && *high.data<double>() <= 1))
        runtime_error(
            "binary_cross_entropy: all elements of input should be between 0 and 1, got values "
            "from ",
            *low.data<double>(), " to ", *high.data<double>(),
            "; take binary_cross_entropy_with_logits for logits");
    }
    return PointwiseLoss::forward(x, y, weight, parameter, reduction);
  }
};
ADJ_OP(BceLoss,
       "_nodes.binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor?, "
       "parameter: Operand?, reduction: int) -> Tensor",
       R"(
`nn.functional.binary_cross_entropy`.

>>> adjoint.nn.functional.binary_cross_entropy(adjoint.tensor([0.5]), adjoint.tensor([1.]))
tensor(0.6931)
)");

// With pos_weight as the parameter, or without.
struct BceLogitsLoss : FusedRule {
  static constexpr uint32_t saves = input(0) | input(1) | input(2) | input(3);
  struct Plain : PointwiseLoss<Plain> {
    static inline const Fn term{"_nodes.bce_logits_term"};
  };
  struct Weighted : PointwiseLoss<Weighted> {
    static constexpr bool has_parameter = true;
    static inline const Fn term{"_nodes.bce_logits_weighted_term"};
  };
  static Tensor forward(Tensor x, Tensor y, Tensor weight, Value parameter, int64_t reduction) {
    return parameter.is_none() ? Plain::forward(x, y, weight, parameter, reduction)
                               : Weighted::forward(x, y, weight, parameter, reduction);
  }
  static Tensor define(Tensor x, Tensor y, Tensor weight, Value parameter, int64_t reduction) {
    return parameter.is_none() ? Plain::define(x, y, weight, parameter, reduction)
                               : Weighted::define(x, y, weight, parameter, reduction);
  }
  static void vjp(Vjp& c) { c.node.values[3].is_none() ? Plain::vjp(c) : Weighted::vjp(c); }
  static bool fast_vjp(Vjp& c) {
    return c.node.values[3].is_none() ? Plain::fast_vjp(c) : Weighted::fast_vjp(c);
  }
};
ADJ_OP(BceLogitsLoss,
       "_nodes.binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor?, "
       "parameter: Operand?, reduction: int) -> Tensor",
       R"(
`nn.functional.binary_cross_entropy_with_logits`; the parameter is pos_weight.

>>> x, y = adjoint.tensor([0.]), adjoint.tensor([1.])
>>> adjoint.nn.functional.binary_cross_entropy_with_logits(x, y)
tensor(0.6931)
)");

struct SoftMarginLoss : PointwiseLoss<SoftMarginLoss> {
  static inline const Fn term{"_nodes.soft_margin_term"};
};
ADJ_OP(
    SoftMarginLoss,
    "_nodes.soft_margin_loss(input: Tensor, target: Tensor, weight: Tensor?, parameter: Operand?, "
    "reduction: int) -> Tensor",
    R"(
`nn.functional.soft_margin_loss`.

>>> adjoint.nn.functional.soft_margin_loss(adjoint.tensor([0.]), adjoint.tensor([1.]))
tensor(0.6931)
)");

const Fn mse{"_nodes.mse_loss"}, smooth_l1{"_nodes.smooth_l1_loss"}, huber{"_nodes.huber_loss"},
    bce{"_nodes.binary_cross_entropy"}, bce_logits{"_nodes.binary_cross_entropy_with_logits"},
    soft_margin{"_nodes.soft_margin_loss"};
const Tensor none;

// Losses whose operands may broadcast: a target [N] beside an input [N, 1] is nearly always a
// mistake.
void warn_of_broadcasting(const Tensor& x, const Tensor& y) {
  if (!(x.sizes() == y.sizes()))
    user_warning(
        "Using a target size (", y.sizes(), ") that is different to the input size (", x.sizes(),
        "): every element of one is compared with several of the other. Please ensure they "
        "have the same size.");
}

// With weights the mean is over their sum.
Tensor weighted(const Tensor& each, const Tensor& input, const Tensor& weight,
                Reduction reduction) {
  if (!(weight.sizes() == input.sizes()))
    value_error("Weights and input must have the same size, got ", weight.sizes(), " and ",
                input.sizes());
  Tensor z = ops::mul(each, weight);
  return reduction == kMean ? ops::div(ops::sum(z), ops::sum(weight)) : reduced(z, reduction);
}

struct MseFunction : Composite {
  static Tensor define(Tensor x, Tensor y, Value size_average, Value reduce, Text text,
                       Tensor weight) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    warn_of_broadcasting(x, y);
    if (!weight.defined()) return mse(x, y, none, none, int64_t{reduction});
    return weighted(mse(x, y, none, none, int64_t{kNone}), x, weight, reduction);
  }
};
ADJ_OP(MseFunction,
       "nn.functional.mse_loss(input: Tensor, target: Tensor, size_average: bool? = None, "
       "reduce: bool? = None, reduction: str = 'mean', weight: Tensor? = None) -> Tensor",
       R"(
`(input - target)^2`, of tensors [...] of one shape. `reduction` is 'mean', 'sum' or 'none'; with a
weight [...] the mean is over the weights' sum. A ValueError for any other reduction.

>>> adjoint.nn.functional.mse_loss(adjoint.tensor([3., 1.]), adjoint.tensor([1., 1.]), reduction='sum')
tensor(4.)
)");

struct L1Function : Composite {
  static Tensor define(Tensor x, Tensor y, Value size_average, Value reduce, Text text,
                       Tensor weight) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    warn_of_broadcasting(x, y);
    Tensor each = ops::abs(ops::sub(x, y));
    return weight.defined() ? weighted(each, x, weight, reduction) : reduced(each, reduction);
  }
};
ADJ_OP(L1Function,
       "nn.functional.l1_loss(input: Tensor, target: Tensor, size_average: bool? = None, "
       "reduce: bool? = None, reduction: str = 'mean', weight: Tensor? = None) -> Tensor",
       R"(
`|input - target|`, of tensors [...] of one shape; reductions and weight as in `mse_loss`.

>>> adjoint.nn.functional.l1_loss(adjoint.tensor([3., 1.]), adjoint.tensor([1., 1.]))
tensor(1.)
)");

struct SmoothL1Function : Composite {
  static Tensor define(Tensor x, Tensor y, Value size_average, Value reduce, Text text,
                       double beta) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    if (beta < 0)
      runtime_error("smooth_l1_loss does not support negative values for beta, got ", beta);
    warn_of_broadcasting(x, y);
    if (beta == 0) return reduced(ops::abs(ops::sub(x, y)), reduction);
    return smooth_l1(x, y, none, beta, int64_t{reduction});
  }
};
ADJ_OP(SmoothL1Function,
       "nn.functional.smooth_l1_loss(input: Tensor, target: Tensor, size_average: bool? = None, "
       "reduce: bool? = None, reduction: str = 'mean', beta: float = 1.0) -> Tensor",
       R"(
With `d = |input - target|`: `d^2 / (2 beta)` below beta, else `d - beta / 2` (Girshick, "Fast R-CNN",
2015). Reductions as in `mse_loss`.

>>> adjoint.nn.functional.smooth_l1_loss(adjoint.tensor([3., 1.]), adjoint.tensor([1., 1.]))
tensor(0.7500)
)");

struct HuberFunction : Composite {
  static Tensor define(Tensor x, Tensor y, Text text, double delta, Tensor weight) {
    Reduction reduction = reduction_of(text, {}, {});
    if (!(delta > 0))
      runtime_error("huber_loss does not support non-positive values for delta, got ", delta);
    warn_of_broadcasting(x, y);
    if (!weight.defined()) return huber(x, y, none, delta, int64_t{reduction});
    if (!(weight.sizes() == x.sizes()))
      value_error("Weights and input must have the same size, got ", weight.sizes(), " and ",
                  x.sizes());
    return reduced(ops::mul(huber(x, y, none, delta, int64_t{kNone}), weight), reduction);
  }
};
ADJ_OP(HuberFunction,
       "nn.functional.huber_loss(input: Tensor, target: Tensor, reduction: str = 'mean', "
       "delta: float = 1.0, weight: Tensor? = None) -> Tensor",
       R"(
With `d = |input - target|`: `d^2 / 2` below delta, else `delta (d - delta / 2)` (Huber, 1964). A weight
[...] multiplies the losses; reductions are as in `mse_loss`, and the mean is over the elements.

>>> adjoint.nn.functional.huber_loss(adjoint.tensor([3., 1.]), adjoint.tensor([1., 1.]))
tensor(0.7500)
)");

struct BceFunction : Composite {
  static Tensor define(Tensor x, Tensor y, Tensor weight, Value size_average, Value reduce,
                       Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    if (!(x.sizes() == y.sizes()))
      value_error("Using a target size (", y.sizes(), ") that is different to the input size (",
                  x.sizes(), ") is deprecated. Please ensure they have the same size.");
    return bce(x, y, weight, none, int64_t{reduction});
  }
};
ADJ_OP(BceFunction,
       "nn.functional.binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor? = None, "
       "size_average: bool? = None, reduce: bool? = None, reduction: str = 'mean') -> Tensor",
       R"(
`-(target log(input) + (1 - target) log(1 - input))` of probabilities in [0, 1], with logarithms no
smaller than -100; `weight` broadcasts and multiplies. A ValueError if input and target differ in shape,
a RuntimeError for an input outside of [0, 1].

>>> adjoint.nn.functional.binary_cross_entropy(adjoint.tensor([0.5]), adjoint.tensor([1.]))
tensor(0.6931)
)");

struct BceLogitsFunction : Composite {
  static Tensor define(Tensor x, Tensor y, Tensor weight, Value size_average, Value reduce,
                       Text text, Tensor pos_weight) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    if (!(x.sizes() == y.sizes()))
      value_error("Target size (", y.sizes(), ") must be the same as input size (", x.sizes(), ")");
    return bce_logits(x, y, weight, pos_weight, int64_t{reduction});
  }
};
ADJ_OP(BceLogitsFunction,
       "nn.functional.binary_cross_entropy_with_logits(input: Tensor, target: Tensor, "
       "weight: Tensor? = None, size_average: bool? = None, reduce: bool? = None, "
       "reduction: str = 'mean', pos_weight: Tensor? = None) -> Tensor",
       R"(
`binary_cross_entropy` of `sigmoid(input)`, computed without overflow. `pos_weight` (broadcast, usually
[classes]) multiplies the loss of positives; `weight` (broadcast) that of each element. A ValueError if
input and target differ in shape.

>>> x, y = adjoint.tensor([0., 100.]), adjoint.tensor([1., 1.])
>>> adjoint.nn.functional.binary_cross_entropy_with_logits(x, y, reduction='none')
tensor([0.6931, 0.0000])
)");

struct SoftMarginFunction : Composite {
  static Tensor define(Tensor x, Tensor y, Value size_average, Value reduce, Text text) {
    Reduction reduction = reduction_of(text, size_average, reduce);
    return soft_margin(x, y, none, none, int64_t{reduction});
  }
};
ADJ_OP(SoftMarginFunction,
       "nn.functional.soft_margin_loss(input: Tensor, target: Tensor, size_average: bool? = None, "
       "reduce: bool? = None, reduction: str = 'mean') -> Tensor",
       R"(
`log(1 + exp(-target input))` for targets 1 and -1; reductions as in `mse_loss`.

>>> adjoint.nn.functional.soft_margin_loss(adjoint.tensor([0.]), adjoint.tensor([1.]))
tensor(0.6931)
)");

}  // namespace
}  // namespace adj
