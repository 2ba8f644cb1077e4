// Elementwise operators of complex tensors alone. Their real kernels are never asked for.
#pragma once
#include "ops/elementwise/base.h"

namespace adj {
inline namespace ADJ_ISA {

// Not differentiable as a complex function: a linear one of the two parts.
struct ConjPhysical : Conjugation {
  static constexpr bool complex = true;
  template <class V> static constexpr V f(V x) { return conj(x); }
  template <class V> static constexpr V dx(V, V) { return V(1); }  // reads nothing; see Conjugation
};
ADJ_OP(ConjPhysical, "_nodes.conj(input: Tensor) -> Tensor", R"(
`conj` of a complex tensor.

>>> adjoint.conj(adjoint.tensor([1 + 2j]))
tensor([1.-2.j])
)");

}  // namespace ADJ_ISA
}  // namespace adj
