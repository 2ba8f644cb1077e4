// What pointwise losses compute per element, before weights and reductions. The losses themselves
// are in ops/loss_pointwise.cpp.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

struct MseTerm : Elementwise<2> {
  template <class V> static constexpr V f(V x, V y) { return (x - y) * (x - y); }
  template <class V> static constexpr V dx(V x, V y, V) { return V(2) * (x - y); }
  template <class V> static constexpr V dy(V x, V y, V) { return V(2) * (y - x); }
};
ADJ_OP(MseTerm, "_nodes.mse_term(input: Operand, target: Operand) -> Tensor", R"(
`(input - target)^2`.

>>> adjoint.nn.functional.mse_loss(adjoint.tensor([3.]), adjoint.tensor([1.]), reduction='none')
tensor([4.])
)");

struct SmoothL1Term : Elementwise<3, 2> {
  template <class V> static constexpr V f(V x, V y, V beta) {
    V d = abs(x - y);
    return select(d < beta, V(0.5) * d * d / beta, d - V(0.5) * beta);
  }
  template <class V> static constexpr V dx(V x, V y, V beta, V) {
    return select(abs(x - y) < beta, (x - y) / beta, sign(x - y));
  }
  template <class V> static constexpr V dy(V x, V y, V beta, V) {
    return select(abs(x - y) < beta, (y - x) / beta, sign(y - x));
  }
};
ADJ_OP(SmoothL1Term,
       "_nodes.smooth_l1_term(input: Operand, target: Operand, beta: Operand) -> Tensor", R"(
With `d = |input - target|`: `d^2 / (2 beta)` below beta, else `d - beta / 2`.

>>> adjoint.nn.functional.smooth_l1_loss(adjoint.tensor([3.]), adjoint.tensor([1.]), reduction='none')
tensor([1.5000])
)");

struct HuberTerm : Elementwise<3, 2> {
  template <class V> static constexpr V f(V x, V y, V delta) {
    V d = abs(x - y);
    return select(d < delta, V(0.5) * d * d, delta * (d - V(0.5) * delta));
  }
  template <class V> static constexpr V dx(V x, V y, V delta, V) {
    return select(abs(x - y) < delta, x - y, delta * sign(x - y));
  }
  template <class V> static constexpr V dy(V x, V y, V delta, V) {
    return select(abs(x - y) < delta, y - x, delta * sign(y - x));
  }
};
ADJ_OP(HuberTerm, "_nodes.huber_term(input: Operand, target: Operand, delta: Operand) -> Tensor",
       R"(
With `d = |input - target|`: `d^2 / 2` below delta, else `delta (d - delta / 2)`.

>>> adjoint.nn.functional.huber_loss(adjoint.tensor([3.]), adjoint.tensor([1.]), reduction='none')
tensor([1.5000])
)");

// Logarithms are cut off at -100, so that a target of 0 or 1 gives a finite loss.
struct BceTerm : Elementwise<2> {
  template <class V> static constexpr V f(V x, V y) {
    return (y - V(1)) * maximum(log1p(-x), V(-100)) - y * maximum(log(x), V(-100));
  }
  template <class V> static constexpr V dx(V x, V y, V) {
    return (x - y) / maximum((V(1) - x) * x, V(1e-12));
  }
  template <class V> static constexpr V dy(V x, V, V) {
    return maximum(log1p(-x), V(-100)) - maximum(log(x), V(-100));
  }
};
ADJ_OP(BceTerm, "_nodes.bce_term(input: Operand, target: Operand) -> Tensor", R"(
`-(target log(input) + (1 - target) log(1 - input))`.

>>> x, y = adjoint.tensor([0.5]), adjoint.tensor([1.])
>>> adjoint.nn.functional.binary_cross_entropy(x, y, reduction='none')
tensor([0.6931])
)");

// softplus(x) - x y, where neither term overflows.
struct BceLogitsTerm : Elementwise<2> {
  template <class V> static constexpr V f(V x, V y) { return softplus_of(x) - x * y; }
  template <class V> static constexpr V dx(V x, V y, V) { return sigmoid(x) - y; }
  template <class V> static constexpr V dy(V x, V, V) { return -x; }
};
ADJ_OP(BceLogitsTerm, "_nodes.bce_logits_term(input: Operand, target: Operand) -> Tensor", R"(
The binary cross entropy of `sigmoid(input)`.

>>> x, y = adjoint.tensor([0.]), adjoint.tensor([1.])
>>> adjoint.nn.functional.binary_cross_entropy_with_logits(x, y, reduction='none')
tensor([0.6931])
)");

// The same with the loss of positives p times as large: (1 - y) softplus(x) + p y softplus(-x).
struct BceLogitsWeightedTerm : Elementwise<3> {
  template <class V> static constexpr V f(V x, V y, V p) {
    return (V(1) - y) * x + (V(1) + (p - V(1)) * y) * softplus_of(-x);
  }
  template <class V> static constexpr V dx(V x, V y, V p, V) {
    return (V(1) + (p - V(1)) * y) * sigmoid(x) - p * y;
  }
  template <class V> static constexpr V dy(V x, V, V p, V) {
    return (p - V(1)) * softplus_of(-x) - x;
  }
  template <class V> static constexpr V dw(V x, V y, V, V) { return y * softplus_of(-x); }
};
ADJ_OP(BceLogitsWeightedTerm,
       "_nodes.bce_logits_weighted_term(input: Operand, target: Operand, pos_weight: Operand) -> "
       "Tensor",
       R"(
The binary cross entropy of `sigmoid(input)`, that of positives `pos_weight` times as large.

>>> x, y, p = adjoint.tensor([0.]), adjoint.tensor([1.]), adjoint.tensor([2.])
>>> adjoint.nn.functional.binary_cross_entropy_with_logits(x, y, pos_weight=p, reduction='none')
tensor([1.3863])
)");

struct SoftMarginTerm : Elementwise<2> {
  template <class V> static constexpr V f(V x, V y) { return softplus_of(-x * y); }
  template <class V> static constexpr V dx(V x, V y, V) { return -y * sigmoid(-x * y); }
  template <class V> static constexpr V dy(V x, V y, V) { return -x * sigmoid(-x * y); }
};
ADJ_OP(SoftMarginTerm, "_nodes.soft_margin_term(input: Operand, target: Operand) -> Tensor", R"(
`log(1 + exp(-target input))`.

>>> adjoint.nn.functional.soft_margin_loss(adjoint.tensor([0.]), adjoint.tensor([1.]), reduction='none')
tensor([0.6931])
)");

}  // namespace ADJ_ISA
}  // namespace adj
