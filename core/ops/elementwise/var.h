// The functions of base.h on tensors, for derivatives that are differentiated again.
#pragma once
#include "ops/elementwise/base.h"
#include "ops/kinds/var.h"

namespace adj {

namespace ops { inline const Fn polygamma_of{"_nodes.polygamma"}; }

inline Var sigmoid(const Var& x) {
  return x.constant() ? Var(var_constant(ops::sigmoid, x.c)) : Var(ops::sigmoid(x));
}
inline Var acosh_slope(const Var& x) {
  if (is_complex(x)) return rsqrt(x - Var(1.0)) * rsqrt(x + Var(1.0));
  return rsqrt(x * x - Var(1.0));
}
inline Var log_as(const Var& x, const Var& z) {
  if (!is_complex(z) || is_complex(x)) return log(x);
  return log(Var(x.constant() ? ops::full_like(z.t, x.c) : ops::to_dtype(x.t, z.t.dtype())));
}
inline Var psi(const Var& x) { return Var(ops::digamma(x)); }
inline Var polygamma(const Var& n, const Var& x) { return Var(ops::polygamma_of(x, n)); }
inline Var floor_quotient(const Var& x, const Var& y) { return Var(ops::floor_divide(x, y)); }
Var choose(const Var& c, const Var& a, const Var& b);

void conjugated_vjp(Vjp& c);
Outs conjugated_jvp(Jvp& j);

template <class S>
void Conjugation::fill(Op& op) {
  Elementwise<1>::fill<S>(op);
  op.fast_vjp = nullptr;
  op.vjp = conjugated_vjp;
  op.jvp = conjugated_jvp;
}

// Where the derivative d is 0, nothing passes.
Var masked_product(const Var& g, const Var& d);
void masked_vjp(Vjp& c);
Outs masked_jvp(Jvp& j);

template <int N, int G>
template <class S>
void Pointwise<N, G>::fill(Op& op) {
  Elementwise<N, G>::template fill<S>(op);
  if constexpr (requires { S::mask; }) {
    op.vjp = masked_vjp;
    op.jvp = masked_jvp;
  }
  if constexpr (requires { S::node; }) op.node_name = S::node;
}

// Another name of an operator: all of it but the signature and the documentation.
struct Alias {
  static constexpr KindName kind = KindName::composite;  // that of the other one, once known
  template <class S>
  static void fill(Op& op) {
    Op other = Registry::get().find(S::of);
    other.signature = op.signature;
    other.documentation = op.documentation;
    other.schema = std::move(op.schema);
    other.name = op.name;
    if constexpr (requires { S::node; }) other.node_name = S::node;
    op = std::move(other);
  }
};

}  // namespace adj
