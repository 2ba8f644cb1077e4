// What losses share: reductions and their deprecated spellings, and losses of one term per element.
#pragma once
#include "ops/fused_rule.h"
#include "ops/kinds/elementwise.h"
#include "ops/reduce.h"

namespace adj {

enum Reduction : int64_t { kNone, kMean, kSum, kBatchMean };

// The `reduction` of a call, or what its deprecated arguments say. A ValueError for any other text.
Reduction reduction_of(Text reduction, const Value& size_average, const Value& reduce,
                       bool batchmean = false);
// In operators, and on plain tensors.
Tensor reduced(const Tensor& each, int64_t reduction);
Tensor reduced_plain(const Tensor& each, int64_t reduction);

// The gradients of a loss of one term per element, whose arguments are input, target, weight?,
// parameter?, reduction: in operators, and by the kernels of the term (false where they do not
// fit).
void term_vjp(Vjp& c, const Fn& term, bool has_parameter);
bool term_fast_vjp(Vjp& c, const Fn& term, bool has_parameter);

// A loss made of an elementwise operator T::term(input, target[, parameter]): its kernels, forward
// and backward, are those of the loss.
template <class T>
struct PointwiseLoss : FusedRule {
  static constexpr bool has_parameter = false;
  static constexpr uint32_t saves = input(0) | input(1) | input(2) | input(3);

  static Tensor each(const Tensor& x, const Tensor& y, const Tensor& weight,
                     const Value& parameter) {
    Tensor z = T::has_parameter ? T::term(x, y, parameter) : T::term(x, y);
    return weight.defined() ? ops::mul(z, weight) : z;
  }
  static Tensor forward(Tensor x, Tensor y, Tensor weight, Value parameter, int64_t reduction) {
    return reduced_plain(each(x, y, weight, parameter), reduction);
  }
  static Tensor define(Tensor x, Tensor y, Tensor weight, Value parameter, int64_t reduction) {
    return reduced(each(x, y, weight, parameter), reduction);
  }
  static void vjp(Vjp& c) { term_vjp(c, T::term, T::has_parameter); }
  static bool fast_vjp(Vjp& c) { return term_fast_vjp(c, T::term, T::has_parameter); }
};

}  // namespace adj
