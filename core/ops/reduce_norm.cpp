// Norms, and logsumexp.
#include <cmath>

#include "ops/reduce.h"

namespace adj {

namespace {

Dims dims_of(DimMask mask, int ndim) {
  Dims dims;
  for (int i = 0; i < ndim; ++i)
    if (mask >> i & 1) dims.push_back(i);
  return dims;
}
Tensor in_dtype(const Tensor& x, DType t) { return x.dtype() == t ? x : ops::to_dtype(x, t); }

// sum over k of y_k, or y itself if no dims are left to sum over.
Tensor sum_over(const Tensor& y, DimMask mask, bool keepdim) {
  Dims dims = dims_of(mask, y.dim());
  return dims.empty() ? y : ops::sum(y, dims, keepdim);
}

DType norm_dtype(const Tensor& x, std::optional<DType> dtype) {
  DType t = dtype.value_or(x.dtype());
  if (!is_differentiable(t))
    runtime_error("linalg.vector_norm: Expected a floating point or complex tensor as input. Got ",
                  scalar_name_of(t));
  return t;
}

// Each number of a contiguous f32 or f64 tensor replaced by f of it.
template <class F>
void apply(const Tensor& x, F f) {
  for (int64_t i = 0; i < x.numel(); ++i) {
    if (x.dtype() == DType::f32)
      x.data<float>()[i] = static_cast<float>(f(double(x.data<float>()[i])));
    else x.data<double>()[i] = f(x.data<double>()[i]);
  }
}

struct VectorNorm : Rule {
  static constexpr bool conjugates = true;
  static constexpr uint32_t saves = input(0) | output(0);

  static Tensor forward(Tensor x, Number ord, std::optional<DimsView> dim, bool keepdim,
                        std::optional<DType> dtype) {
    DType t = norm_dtype(x, dtype);
    if (is_complex(x.dtype())) {
      x = ops::abs(in_dtype(x, t));
      t = x.dtype();
    }
    DType computed = computed_in(t);
    DimMask mask = reduced_dims(dim, x.dim());
    double p = ord.real();
    if (x.dtype() != computed) x = cast(x, computed);
    bool nothing = reduced_count(x.sizes(), mask) == 0;
    if (nothing && (p < 0 || std::isinf(p)))
      runtime_error("linalg.vector_norm cannot compute the ", p,
                    " norm on an empty tensor because the "
                    "operation does not have an identity; the input has shape ",
                    x.sizes());
    Tensor y;
    if (p == 2) {
      y = reduce_dims(Reduce::sum_squares, x, mask, keepdim);
      apply(y, [](double v) { return std::sqrt(v); });
    } else if (p == 1) {
      y = reduce_dims(Reduce::sum_abs, x, mask, keepdim);
    } else if (p == 0) {
      y = cast(reduce_dims(Reduce::count_nonzero, x, mask, keepdim), computed);
    } else {
      Tensor magnitude = ops::abs(x);
      if (std::isinf(p)) {
        y = reduce_dims(p > 0 ? Reduce::amax : Reduce::amin, magnitude, mask, keepdim);
      } else {
        y = reduce_dims(Reduce::sum, ops::pow(magnitude, p), mask, keepdim);
        apply(y, [p](double v) { return std::pow(v, 1 / p); });
      }
    }
    return cast(y, t);
  }
  // x in the precision of the result.
  static Tensor computed_like(const Tensor& x, const Tensor& y) {
    if (!is_complex(x.dtype())) return in_dtype(x, y.dtype());
    return in_dtype(x, y.dtype() == DType::f64 ? DType::c128 : DType::c64);
  }
  // d norm / dx, with the dims of the result kept; 0 where the norm is.
  static Tensor slope(const Tensor& x, const Tensor& y, double p, DimMask mask) {
    if (p == 0) return ops::zeros_like(x);
    if (p == 1) return ops::sgn(x);
    if (p == 2) return ops::masked_fill(ops::div(x, y), ops::eq(y, 0.0), 0.0);
    if (std::isinf(p)) {
      Tensor ties = ops::to_dtype(ops::eq(ops::abs(x), y), y.dtype());
      return ops::div(ops::mul(ops::sgn(x), ties), sum_over(ties, mask, true));
    }
    // x |x|^(p - 2) / y^(p - 1)
    Tensor part = ops::pow(ops::abs(x), p - 1);
    if (p < 1) part = ops::masked_fill(part, ops::eq(x, 0.0), 0.0);
    return ops::masked_fill(ops::mul(ops::sgn(x), ops::div(part, ops::pow(y, p - 1))),
                            ops::eq(y, 0.0), 0.0);
  }
  static void vjp(Vjp& c) {
    Tensor g = c.g(), y = c.out(), x = computed_like(c.in(0), y);
    DimMask mask = reduced_dims(c.arg<std::optional<DimsView>>(2), x.dim());
    bool keepdim = c.arg<bool>(3);
    Tensor gk = with_kept_dims(g, x.sizes(), mask, keepdim),
           yk = with_kept_dims(y, x.sizes(), mask, keepdim);
    c.set(0, in_dtype(ops::mul(gk, slope(x, yk, c.arg<double>(1), mask)), c.like(0).dtype));
  }
  static Outs jvp(Jvp& j) {
    Tensor y = j.outs[0], x = computed_like(j.in(0), y), t = computed_like(j.t(0), y);
    DimMask mask = reduced_dims(j.arg<std::optional<DimsView>>(2), x.dim());
    bool keepdim = j.arg<bool>(3);
    Tensor yk = with_kept_dims(y, x.sizes(), mask, keepdim);
    Tensor s = ops::conj(slope(x, yk, j.arg<double>(1), mask));
    return as_outs(sum_over(ops::real(ops::mul(t, s)), mask, keepdim));
  }
  static Outs batch(Batch& b) { return batch_over_dims(b, 2, 3); }
};
ADJ_OP(VectorNorm,
       "_nodes.linalg_vector_norm(x: Tensor, ord: Number = 2, dim: int[]? = None, keepdim: bool = "
       "False, *, "
       "dtype: dtype? = None) -> Tensor",
       R"(
The vector norm behind `linalg.vector_norm`, `linalg.norm` and `norm`.

>>> adjoint.linalg.vector_norm(adjoint.tensor([3., 4.]))
tensor(5.)
)");

const Fn vector_norm{"_nodes.linalg_vector_norm"};

struct VectorNormFunction : Composite {
  static Tensor define(Tensor x, Number ord, std::optional<DimsView> dim, bool keepdim,
                       std::optional<DType> dtype) {
    return vector_norm(x, ord, dim, keepdim, dtype);
  }
};
ADJ_OP(
    VectorNormFunction,
    "linalg.vector_norm(x: Tensor, ord: Number = 2, dim: int[]? = None, keepdim: bool = False, *, "
    "dtype: dtype? = None) -> Tensor",
    R"(
`(sum |x|^ord)^(1/ord)` over `dim` (None: all). `ord` inf and -inf are the largest and the smallest
magnitude, 0 the number of elements that are not zero. A RuntimeError for integers, and for an empty
`dim` where the norm has no value.

>>> adjoint.linalg.vector_norm(adjoint.tensor([[3., 4.], [6., 8.]]), dim=1)
tensor([ 5., 10.])
)");

struct Norm : Composite {
  static Tensor define(Tensor x, std::optional<Number> p, std::optional<DimsView> dim, bool keepdim,
                       std::optional<DType> dtype) {
    return vector_norm(x, p ? p->value : Value(int64_t{2}), dim, keepdim, dtype);
  }
};
ADJ_OP(Norm,
       "norm(input: Tensor, p: Number? = 2, dim: int[]? = None, keepdim: bool = False, "
       "dtype: dtype? = None) -> Tensor",
       R"(
The vector norm of order `p` over `dim` (None: all elements): see `linalg.vector_norm`.

>>> adjoint.norm(adjoint.tensor([3., 4.]))
tensor(5.)
)");

struct LogSumExp : Rule {
  static constexpr uint32_t saves = input(0) | output(0);
  static Tensor forward(Tensor x, DimsView dim, bool keepdim) {
    if (is_complex(x.dtype())) check_floating("logsumexp", x.dtype());
    DType t = is_floating(x.dtype()) ? x.dtype() : default_dtype(), computed = computed_in(t);
    DimMask mask = reduced_dims(dim, x.dim());
    Grouped g = grouped(x.dtype() == computed ? x : cast(x, computed), mask);
    Tensor y = empty(reduced_sizes(x.sizes(), mask, keepdim), computed);
    logsumexp(computed, y.data(), g.x.data(), g.outer, g.n, g.inner);
    return cast(y, t);
  }
  static Tensor weights(const Tensor& x, const Tensor& y, DimMask mask, bool keepdim) {
    return ops::exp(ops::sub(x, with_kept_dims(y, x.sizes(), mask, keepdim)));
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0);
    DimMask mask = reduced_dims(c.arg<DimsView>(1), x.dim());
    bool keepdim = c.arg<bool>(2);
    c.set(0, ops::mul(with_kept_dims(c.g(), x.sizes(), mask, keepdim),
                      weights(x, c.out(), mask, keepdim)));
  }
  static Outs jvp(Jvp& j) {
    Tensor x = j.in(0);
    DimMask mask = reduced_dims(j.arg<DimsView>(1), x.dim());
    bool keepdim = j.arg<bool>(2);
    return as_outs(sum_over(ops::mul(j.t(0), weights(x, j.outs[0], mask, keepdim)), mask, keepdim));
  }
  static Outs batch(Batch& b) { return batch_over_dims(b); }
};
ADJ_OP(LogSumExp, "logsumexp(input: Tensor, dim: int[], keepdim: bool = False) -> Tensor", R"(
`log(sum of exp(input))` over `dim` (one or several), computed without overflow.

>>> adjoint.logsumexp(adjoint.tensor([1000., 1000.]), dim=0)
tensor(1000.6932)
)");

}  // namespace
}  // namespace adj
