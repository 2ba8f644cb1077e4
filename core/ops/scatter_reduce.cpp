// Scatter that combines what falls on one place.
#include <cmath>

#include "ops/index.h"

namespace adj {

namespace {

Put put_named(Text reduce) {
  if (reduce == "sum" || reduce == "mean") return Put::add;
  if (reduce == "prod") return Put::mul;
  if (reduce == "amax") return Put::amax;
  if (reduce == "amin") return Put::amin;
  runtime_error("reduce argument must be either sum, prod, mean, amax or amin, got ", reduce);
}

// What a combination starts from.
Tensor identity_of(Put how, DType t) {
  if (how == Put::add) return number_as(0, t);
  if (how == Put::mul) return number_as(1, t);
  bool lowest = how == Put::amax;
  if (is_differentiable(t)) return number_as(lowest ? -HUGE_VAL : HUGE_VAL, t);
  if (t == DType::b8) return number_as(lowest ? 0 : 1, t);
  if (t == DType::u8) return number_as(lowest ? 0 : 255, t);
  int bits = static_cast<int>(itemsize(t)) * 8;
  auto high = static_cast<int64_t>((uint64_t{1} << (bits - 1)) - 1);
  return number_as(lowest ? -high - 1 : high, t);
}

// How many elements each place of the result is made of; at least one.
Tensor contributions(const Tensor& x, int64_t dim, const Tensor& index, bool include_self) {
  Tensor counts = ops::ones_like(x);
  if (!include_self) counts = ops::scatter_value(counts, dim, index, 0);
  return ops::scatter_add(counts, dim, index, ops::ones(index.sizes(), x.dtype()));
}

// The part of src that the index covers.
Tensor covered(Tensor src, DimsView sizes) {
  for (int d = 0; d < sizes.size() && src.dim() == sizes.size(); ++d)
    if (src.size(d) != sizes[d]) src = ops::slice(src, d, 0, sizes[d], 1);
  return src;
}

struct ScatterReduce : Rule {
  static constexpr uint32_t saves = input(0) | input(2) | input(3) | output(0);
  static constexpr bool in_place = true;
  static Outs forward(const Args& a) {
    Text reduce = Get<Text>::from(a[4]);
    Put how = put_named(reduce);
    Tensor self = a[0].as_tensor(), index = a[2].as_tensor(), src = a[3].as_tensor();
    bool include_self = a[5].as_bool();
    if (include_self && reduce != "mean") return scatter_into("scatter_reduce", a, src, how);
    Tensor start = self;
    if (!include_self) {
      Value values[] = {self, a[1], index};
      start = scatter_number("scatter_reduce", {a.op, values}, identity_of(how, self.dtype()))[0];
    }
    Value values[] = {start, a[1], index};
    Tensor out = scatter_into("scatter_reduce", {a.op, values}, src, how)[0];
    if (reduce != "mean" || index.numel() == 0) return as_outs(out);
    DType exact = is_differentiable(self.dtype()) ? self.dtype() : DType::f64;
    Tensor counts = contributions(ops::to_dtype(self, exact), a[1].as_int(), index, include_self);
    out = ops::div(ops::to_dtype(out, exact), counts);
    return as_outs(exact == self.dtype() ? out
                                         : Tensor(ops::to_dtype(ops::floor(out), self.dtype())));
  }
  static void vjp(Vjp& c) {
    Tensor g = c.g(), x = c.in(0), index = c.in(2), src = covered(c.in(3), index.sizes());
    int64_t dim = c.arg<int64_t>(1);
    Text reduce = c.arg<Text>(4);
    bool include_self = c.arg<bool>(5);
    auto gathered = [&](const Tensor& y) { return ops::gather(y, dim, index); };
    Tensor to_self, to_src;
    if (reduce == "sum") {
      to_self = g;
      to_src = gathered(g);
    } else if (reduce == "mean") {
      to_self = ops::div(g, contributions(x, dim, index, include_self));
      to_src = gathered(to_self);
    } else if (reduce == "prod") {
      // The product divided by the element; by a zero, the product of the others is taken anew.
      auto product = [&](const Tensor& a, const Tensor& b) {
        return ops::scatter_reduce(a, dim, index, b, "prod", true);
      };
      Tensor one = ops::ones(Dims{}, g.dtype());
      Tensor start = include_self ? x : Tensor(ops::scatter_value(x, dim, index, 1));
      Tensor whole = ops::where(ops::eq(start, 0), one, start);
      to_self = ops::mul(g, ops::div(product(whole, src), whole));
      Tensor zero = ops::eq(src, 0);
      Tensor zeros =
          ops::scatter_add(ops::zeros_like(x), dim, index, ops::to_dtype(zero, x.dtype()));
      Tensor alone = ops::logical_and(zero, ops::eq(gathered(zeros), 1));
      Tensor without = gathered(ops::mul(g, product(start, ops::where(alone, one, src))));
      Tensor divided =
          ops::div(gathered(ops::mul(g, product(start, src))), ops::where(zero, one, src));
      to_src = ops::where(alone, without, divided);
    } else {  // amax, amin: shared evenly among equals
      Tensor y = c.out();
      Tensor self_is = ops::to_dtype(ops::eq(x, y), g.dtype());
      if (!include_self) self_is = ops::scatter_value(self_is, dim, index, 0);
      Tensor src_is = ops::to_dtype(ops::eq(src, gathered(y)), g.dtype());
      Tensor share = ops::div(g, ops::scatter_add(self_is, dim, index, src_is));
      to_self = ops::mul(share, self_is);
      to_src = ops::mul(gathered(share), src_is);
    }
    if (c.needs(0))
      c.set(0, include_self ? to_self : Tensor(ops::scatter_value(to_self, dim, index, 0)));
    if (c.needs(3)) c.set(3, fitted(to_src, c.like(3).sizes));
  }
  static Outs batch(Batch& b) { return batch_scatter(b); }
};
ADJ_OP(ScatterReduce,
       "scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, "
       "include_self: bool = True) -> Tensor",
       R"(
`scatter` that combines all elements for one place, and the one that is there unless `include_self`
is false: by `reduce` "sum", "prod", "mean", "amax" or "amin". Gradients of amax and amin are shared
evenly among equal elements.

>>> i = adjoint.tensor([0, 1, 1])
>>> adjoint.zeros(2).scatter_reduce(0, i, adjoint.tensor([1., 2., 4.]), "amax")
tensor([1., 4.])
)");

}  // namespace
}  // namespace adj
