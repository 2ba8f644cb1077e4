// Softmax and its relatives.
#include "cpu/norm.h"
#include "ops/fused_rule.h"
#include "ops/reduce.h"
#include "tensor/warning.h"

namespace adj {

namespace {

Tensor in_dtype(const Tensor& x, DType t) { return x.dtype() == t ? x : ops::to_dtype(x, t); }

template <bool kLog>
struct SoftmaxRule : FusedRule {
  static constexpr uint32_t saves = output(0);
  static constexpr const char* name = kLog ? "log_softmax" : "softmax";

  static Tensor forward(Tensor x, int64_t dim, std::optional<DType> dtype) {
    DimMask mask = reduced_dims(DimsView(&dim, 1), x.dim());
    DType t = dtype.value_or(x.dtype()), computed = computed_in(t);
    check_floating(name, t);
    Tensor in = x.dtype() == computed ? x : cast(x, computed);
    Grouped g = grouped(in, mask);
    Tensor y = empty(x.sizes(), computed);
    softmax(computed, kLog, y.data(), g.x.data(), g.outer, g.n, g.inner);
    return t == computed ? y : cast(y, t);
  }
  static Tensor define(Tensor x, int64_t dim, std::optional<DType> dtype) {
    check_floating(name, dtype.value_or(x.dtype()));
    x = in_dtype(x, dtype.value_or(x.dtype()));
    if (x.numel() == 0) return x;
    Tensor shifted = ops::sub(x, ops::amax(x, dim, true));
    Tensor e = ops::exp(shifted), total = ops::sum(e, dim, true);
    return kLog ? ops::sub(shifted, ops::log(total)) : ops::div(e, total);
  }
  static void vjp(Vjp& c) {
    Tensor g = c.g(), y = c.out();
    auto dim = c.arg<int64_t>(1);
    Tensor gx = kLog ? ops::sub(g, ops::mul(ops::exp(y), ops::sum(g, dim, true)))
                     : ops::mul(y, ops::sub(g, ops::sum(ops::mul(g, y), dim, true)));
    c.set(0, in_dtype(gx, c.like(0).dtype));
  }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g(), y = c.out();
    DType t = y.dtype();
    if (computed_in(t) != t || g.dtype() != t) return false;
    auto dim = c.arg<int64_t>(1);
    DimMask mask = reduced_dims(DimsView(&dim, 1), y.dim());
    Grouped out = grouped(y, mask), cotangent = grouped(g, mask);
    Tensor gx = empty(y.sizes(), t);
    softmax_backward(t, kLog, gx.data(), cotangent.x.data(), out.x.data(), out.outer, out.n,
                     out.inner);
    c.set(0, cast(gx, c.like(0).dtype));
    return true;
  }
  static Outs jvp(Jvp& j) {
    Tensor y = j.outs[0], t = in_dtype(j.t(0), y.dtype());
    auto dim = j.arg<int64_t>(1);
    if (kLog) return as_outs(ops::sub(t, ops::sum(ops::mul(ops::exp(y), t), dim, true)));
    return as_outs(ops::mul(y, ops::sub(t, ops::sum(ops::mul(y, t), dim, true))));
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    Tensor x = n ? b.in(0) : ops::unsqueeze(b.in(0), int64_t{-1});
    int64_t dim = normalize_dim(b.arg<int64_t>(1), n) - (n ? n : 1);
    Value values[] = {x, dim, b.values[2]};
    Outs outs = dispatch(b.op, values);
    return n ? outs : as_outs(ops::squeeze(outs[0], int64_t{-1}));
  }
};

struct Softmax : SoftmaxRule<false> {};
ADJ_OP(Softmax, "softmax(input: Tensor, dim: int, dtype: dtype? = None) -> Tensor", R"(
`exp(input)` divided by its sum over `dim`, computed without overflow. `dtype` converts the input first.

>>> adjoint.softmax(adjoint.tensor([0., 0., 0., 0.]), dim=0)
tensor([0.2500, 0.2500, 0.2500, 0.2500])
)");

struct LogSoftmax : SoftmaxRule<true> {};
ADJ_OP(LogSoftmax, "log_softmax(input: Tensor, dim: int, dtype: dtype? = None) -> Tensor", R"(
`input - log(sum of exp(input))` over `dim`: the logarithm of `softmax`, accurate where that is tiny.

>>> adjoint.log_softmax(adjoint.tensor([0., 0.]), dim=0)
tensor([-0.6931, -0.6931])
)");

// The dim that torch takes where none is given.
int64_t implicit_dim(const char* name, const Tensor& x, std::optional<int64_t> dim) {
  if (dim) return *dim;
  int64_t chosen = x.dim() == 0 || x.dim() == 1 || x.dim() == 3 ? 0 : 1;
  user_warning("Implicit dimension choice for ", name, " has been deprecated: say dim=", chosen);
  return chosen;
}

struct SoftmaxFunction : Composite {
  static Tensor define(Tensor x, std::optional<int64_t> dim, int64_t, std::optional<DType> dtype) {
    return ops::softmax(x, implicit_dim("softmax", x, dim), dtype);
  }
};
ADJ_OP(SoftmaxFunction,
       "nn.functional.softmax(input: Tensor, dim: int? = None, _stacklevel: int = 3, dtype: dtype? "
       "= None)"
       " -> Tensor",
       R"(
`exp(input)` divided by its sum over `dim`. Without `dim` it is 0 for inputs of 0, 1 or 3 dims, else 1;
say which instead.

>>> adjoint.nn.functional.softmax(adjoint.tensor([0., 0.]), dim=0)
tensor([0.5000, 0.5000])
)");

struct LogSoftmaxFunction : Composite {
  static Tensor define(Tensor x, std::optional<int64_t> dim, int64_t, std::optional<DType> dtype) {
    return ops::log_softmax(x, implicit_dim("log_softmax", x, dim), dtype);
  }
};
ADJ_OP(LogSoftmaxFunction,
       "nn.functional.log_softmax(input: Tensor, dim: int? = None, _stacklevel: int = 3, "
       "dtype: dtype? = None) -> Tensor",
       R"(
The logarithm of `softmax`; without `dim` the same dim is taken.

>>> adjoint.nn.functional.log_softmax(adjoint.tensor([0., 0.]), dim=0)
tensor([-0.6931, -0.6931])
)");

struct Softmin : Composite {
  static Tensor define(Tensor x, std::optional<int64_t> dim, int64_t, std::optional<DType> dtype) {
    return ops::softmax(ops::neg(x), implicit_dim("softmin", x, dim), dtype);
  }
};
ADJ_OP(Softmin,
       "nn.functional.softmin(input: Tensor, dim: int? = None, _stacklevel: int = 3, dtype: dtype? "
       "= None)"
       " -> Tensor",
       R"(
`softmax` of `-input`.

>>> adjoint.nn.functional.softmin(adjoint.tensor([0., 0.]), dim=0)
tensor([0.5000, 0.5000])
)");

}  // namespace
}  // namespace adj
