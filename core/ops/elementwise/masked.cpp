// The gradients of elementwise operators that choose: what is not chosen gets zero, whatever the
// cotangent is there.
#include "ops/elementwise/var.h"
#include "ops/kinds/elementwise.h"

namespace adj {

Var choose(const Var& c, const Var& a, const Var& b) {
  if (c.constant() || !a.constant() || !b.constant()) return select(c, a, b);
  Tensor t = ops::where(c, scalar_tensor(a.c, DType::f64), scalar_tensor(b.c, DType::f64));
  t->flags |= kNumber;  // it takes on the dtype of what it meets, as the constants would
  return t;
}

Var masked_product(const Var& g, const Var& d) {
  if (d.constant()) return g * d;
  return select(d == Var(0.0), Var(0.0), g * d);
}

void masked_vjp(Vjp& c) {
  const ElementwiseInfo& info = *c.node.op.elementwise;
  if (!c.has_g(0)) return;
  Var x[5];
  for (int i = 0; i < info.arity; ++i) {
    const Value& v = c.node.values[i];
    if (v.tag != Tag::tensor) x[i] = Var(v.as_double());
    else if (c.node.reads >> i & 1) x[i] = Var(c.in(i));
  }
  if (c.node.reads & output(0)) x[info.arity] = Var(c.out());
  for (int k = 0; k < info.gradients; ++k) {
    if (!c.needs(k)) continue;
    Var grad = masked_product(Var(c.g()), info.derivative[k](x, x[info.arity]));
    const TensorMeta& like = c.like(k);
    c.set(k, grad.constant() ? ops::zeros(like.sizes, like.dtype) : sum_to(grad.t, like));
  }
}

Outs masked_jvp(Jvp& j) {
  const ElementwiseInfo& info = *j.op.elementwise;
  Var x[5];
  for (int i = 0; i < info.arity; ++i) {
    const Value& v = j.primals[i];
    x[i] = v.tag == Tag::tensor ? Var(Tensor(v.tensor)) : Var(v.as_double());
  }
  const Tensor& z = j.outs[0];
  x[info.arity] = Var(z);
  Var sum(0.0);
  for (int k = 0; k < info.gradients; ++k) {
    Tensor t = j.t(k);
    if (t.defined()) sum = sum + masked_product(Var(t), info.derivative[k](x, x[info.arity]));
  }
  if (sum.constant()) return as_outs(ops::zeros_like(z));
  Tensor t = sum.t;
  if (!(t.sizes() == z.sizes())) t = ops::expand(t, z.sizes());
  return as_outs(t.dtype() == z.dtype() ? t : ops::to_dtype(t, z.dtype()));
}

}  // namespace adj
