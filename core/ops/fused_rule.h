// The kinds Rule and Fused with more than one way backward.
#pragma once
#include <iterator>

#include "ops/kinds/kinds.h"

namespace adj {

// define is the meaning (and what forward mode and vmap run); vjp(Vjp&), in differentiable
// operators, needs less than define does: what `saves` says, or, argument by argument, `reads`.
// `node` is the name of the graph node where it does not follow from the operator's.
struct FusedRule : Fused {
  template <class S>
  static void fill(Op& op) {
    Fused::fill<S>(op);
    op.vjp = conjugated<S>;
    for (int i = 0; i < 8; ++i) {
      if constexpr (requires { S::reads[0]; })
        op.reads[i] = i < std::ssize(S::reads) ? S::reads[i] : 0;
      else op.reads[i] = S::saves;
    }
    if constexpr (requires { S::node; }) op.node_name = S::node;
  }
};

// A rule with a fast_vjp(Vjp&) for plain tensors beside its vjp.
struct FastRule : Rule {
  template <class S>
  static void fill(Op& op) {
    Rule::fill<S>(op);
    op.fast_vjp = fast_conjugated<S>;
  }
};

}  // namespace adj
