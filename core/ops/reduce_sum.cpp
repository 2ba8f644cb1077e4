// Sums, means, products and counts.
#include "ops/reduce.h"

namespace adj {

namespace {

// Whether elements are to be converted before they are combined: not where integers, which wrap,
// give the same in the end.
bool converts_first(const Tensor& x, std::optional<DType> dtype) {
  if (!dtype || *dtype == x.dtype()) return false;
  return is_differentiable(*dtype) || is_differentiable(x.dtype()) || *dtype == DType::b8;
}

// The sum in the dtype that torch gives it: integers and bools add up as int64.
Tensor sum_plain(const Tensor& x, DimMask mask, bool keepdim, std::optional<DType> dtype) {
  Tensor in = converts_first(x, dtype) ? cast(x, *dtype) : x;
  Tensor out = reduce_dims(Reduce::sum, in, mask, keepdim);
  return cast(out, dtype.value_or(is_differentiable(x.dtype()) ? x.dtype() : out.dtype()));
}

struct SumAll : Linear {
  static Tensor forward(Tensor x, std::optional<DType> dtype) {
    return sum_plain(x, all_dims(x.dim()), false, dtype);
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, std::optional<DType>) {
    return spread(g, x, all_dims(x.sizes.size()), false);
  }
  static Outs batch(Batch& b) {
    return as_outs(ops::sum(flat_batch(b), int64_t{1}, false, b.values[1]));
  }
};
ADJ_OP(SumAll, "sum:all(input: Tensor, *, dtype: dtype? = None) -> Tensor", R"(
The sum of all elements. Integers and bools give int64; `dtype` converts the elements first.

>>> adjoint.sum(adjoint.tensor([[1., 2.], [3., 4.]]))
tensor(10.)
)");

struct Sum : Linear {
  static Tensor forward(Tensor x, std::optional<DimsView> dim, bool keepdim,
                        std::optional<DType> dtype) {
    return sum_plain(x, reduced_dims(dim, x.dim()), keepdim, dtype);
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, std::optional<DimsView> dim, bool keepdim,
                          std::optional<DType>) {
    return spread(g, x, reduced_dims(dim, x.sizes.size()), keepdim);
  }
  static Outs batch(Batch& b) { return batch_over_dims(b); }
};
ADJ_OP(Sum,
       "sum:dim/1(input: Tensor, dim: int[]?, keepdim: bool = False, *, dtype: dtype? = None) -> "
       "Tensor",
       R"(
The sum over `dim` (one or several; None: all), which goes, or becomes 1 with `keepdim`. An IndexError
for a dim that is not there.

>>> adjoint.sum(adjoint.tensor([[1., 2.], [3., 4.]]), dim=1)
tensor([3., 7.])
)");

// The mean's own dtype; an error for those that have none.
DType mean_dtype(const Tensor& x, std::optional<DType> dtype) {
  DType t = dtype.value_or(x.dtype());
  if (!is_differentiable(t))
    runtime_error(
        "mean(): could not infer output dtype. ", dtype ? "Output" : "Input",
        " dtype must be either a floating point or complex dtype. Got: ", scalar_name_of(t));
  return t;
}

Tensor mean_plain(const Tensor& given, DimMask mask, bool keepdim, std::optional<DType> dtype) {
  DType t = mean_dtype(given, dtype);
  Tensor x = given.dtype() == t ? given : cast(given, t);
  Tensor out = reduce_dims(Reduce::sum, x, mask, keepdim);
  auto n = static_cast<double>(reduced_count(x.sizes(), mask));
  int64_t numbers = out.numel() * (is_complex(t) ? 2 : 1);
  if (real_of(out.dtype()) == DType::f32) {
    auto by = static_cast<float>(n);
    for (int64_t i = 0; i < numbers; ++i) out.data<float>()[i] /= by;
  } else {
    for (int64_t i = 0; i < numbers; ++i) out.data<double>()[i] /= n;
  }
  return cast(out, t);
}

Tensor mean_transpose(Tensor g, const TensorMeta& x, DimMask mask, bool keepdim) {
  return spread(ops::div(g, static_cast<double>(reduced_count(x.sizes, mask))), x, mask, keepdim);
}

struct MeanAll : Linear {
  static Tensor forward(Tensor x, std::optional<DType> dtype) {
    return mean_plain(x, all_dims(x.dim()), false, dtype);
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, std::optional<DType>) {
    return mean_transpose(g, x, all_dims(x.sizes.size()), false);
  }
  static Outs batch(Batch& b) {
    return as_outs(ops::mean(flat_batch(b), int64_t{1}, false, b.values[1]));
  }
};
ADJ_OP(MeanAll, "mean:all(input: Tensor, *, dtype: dtype? = None) -> Tensor", R"(
The mean of all elements. A RuntimeError for integers and bools, unless `dtype` is floating.

>>> adjoint.mean(adjoint.tensor([[1., 2.], [3., 4.]]))
tensor(2.5000)
)");

struct Mean : Linear {
  static Tensor forward(Tensor x, std::optional<DimsView> dim, bool keepdim,
                        std::optional<DType> dtype) {
    return mean_plain(x, reduced_dims(dim, x.dim()), keepdim, dtype);
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, std::optional<DimsView> dim, bool keepdim,
                          std::optional<DType>) {
    return mean_transpose(g, x, reduced_dims(dim, x.sizes.size()), keepdim);
  }
  static Outs batch(Batch& b) { return batch_over_dims(b); }
};
ADJ_OP(Mean,
       "mean:dim/1(input: Tensor, dim: int[]?, keepdim: bool = False, *, dtype: dtype? = None) -> "
       "Tensor",
       R"(
The mean over `dim` (one or several; None: all), which goes, or becomes 1 with `keepdim`.

>>> adjoint.mean(adjoint.tensor([[1., 2.], [3., 4.]]), dim=0)
tensor([2., 3.])
)");

struct Nansum : Composite {
  static Tensor define(Tensor x, std::optional<DimsView> dim, bool keepdim,
                       std::optional<DType> dtype) {
    if (!is_differentiable(x.dtype())) return ops::sum(x, dim, keepdim, dtype);
    return ops::sum(ops::where(ops::isnan(x), 0.0, x), dim, keepdim, dtype);
  }
};
ADJ_OP(Nansum,
       "nansum(input: Tensor, dim: int[]? = None, keepdim: bool = False, *, dtype: dtype? = None) "
       "-> Tensor",
       R"(
The sum over `dim` (None: all), NaN counting as zero.

>>> adjoint.nansum(adjoint.tensor([1., float("nan"), 2.]))
tensor(3.)
)");

Tensor prod_plain(const Tensor& x, DimMask mask, bool keepdim, std::optional<DType> dtype) {
  Tensor in = converts_first(x, dtype) ? cast(x, *dtype) : x;
  Tensor out = reduce_dims(Reduce::prod, in, mask, keepdim);
  return cast(out, dtype.value_or(is_differentiable(x.dtype()) ? x.dtype() : out.dtype()));
}

bool any_zero(const Tensor& x) {
  Tensor nonzero = reduce_dims(Reduce::count_nonzero, x, all_dims(x.dim()), false);
  return *nonzero.data<int64_t>() != x.numel();
}

// The product of the others, for each element along a dim: what lies before times what lies behind.
Tensor product_of_others(const Tensor& x, int64_t dim) {
  int64_t n = x.size(normalize_dim(dim, x.dim()));
  Tensor one = ops::ones_like(ops::slice(x, dim, int64_t{0}, int64_t{1}));
  auto before = [&](const Tensor& y) {
    return ops::cumprod(ops::cat(TensorList{one, ops::slice(y, dim, int64_t{0}, n - 1)}, dim), dim);
  };
  Dims along{dim};
  return ops::mul(before(x), ops::flip(before(ops::flip(x, along)), along));
}

// g, x, y with their dims kept.
Tensor prod_gradient(const Tensor& g, const Tensor& x, const Tensor& y, int64_t dim) {
  if (x.wrapped() || any_zero(x)) return ops::mul(g, product_of_others(x, dim));
  return ops::div(ops::mul(g, y), x);
}

struct ProdAll : Rule {
  static constexpr uint32_t saves = input(0) | output(0);
  static Tensor forward(Tensor x, std::optional<DType> dtype) {
    return prod_plain(x, all_dims(x.dim()), false, dtype);
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0), y = c.out(), g = c.g();
    if (x.numel() == 0) return c.set(0, ops::zeros_like(x));
    if (g.dtype() != x.dtype()) {
      g = ops::to_dtype(g, x.dtype());
      y = ops::to_dtype(y, x.dtype());
    }
    Tensor gx = prod_gradient(g, ops::reshape(x, Dims{-1}), y, 0);
    c.set(0, ops::reshape(gx, x.sizes()));
  }
  static Outs batch(Batch& b) {
    return as_outs(ops::prod(flat_batch(b), int64_t{1}, false, b.values[1]));
  }
};
ADJ_OP(ProdAll, "prod:all(input: Tensor, *, dtype: dtype? = None) -> Tensor", R"(
The product of all elements. Integers and bools give int64; `dtype` converts the elements first.

>>> adjoint.prod(adjoint.tensor([2., 3., 4.]))
tensor(24.)
)");

struct Prod : Rule {
  static constexpr uint32_t saves = input(0) | output(0);
  static Tensor forward(Tensor x, int64_t dim, bool keepdim, std::optional<DType> dtype) {
    return prod_plain(x, reduced_dims(DimsView(&dim, 1), x.dim()), keepdim, dtype);
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0), y = c.out(), g = c.g();
    auto dim = c.arg<int64_t>(1);
    if (x.numel() == 0) return c.set(0, ops::zeros_like(x));
    if (g.dtype() != x.dtype()) {
      g = ops::to_dtype(g, x.dtype());
      y = ops::to_dtype(y, x.dtype());
    }
    if (x.dim() == 0) return c.set(0, g);
    DimMask mask = reduced_dims(DimsView(&dim, 1), x.dim());
    bool keepdim = c.arg<bool>(2);
    c.set(0, prod_gradient(with_kept_dims(g, x.sizes(), mask, keepdim), x,
                           with_kept_dims(y, x.sizes(), mask, keepdim), dim));
  }
  static Outs batch(Batch& b) { return batch_over_dim(b); }
};
ADJ_OP(
    Prod,
    "prod:dim/1(input: Tensor, dim: int, keepdim: bool = False, *, dtype: dtype? = None) -> Tensor",
    R"(
The product over `dim`, which goes, or becomes 1 with `keepdim`.

>>> adjoint.prod(adjoint.tensor([[1., 2.], [3., 4.]]), dim=1)
tensor([ 2., 12.])
)");

struct CountNonzero : Constant {
  static Tensor forward(Tensor x, std::optional<DimsView> dim) {
    return reduce_dims(Reduce::count_nonzero, x, reduced_dims(dim, x.dim()), false);
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    if (n == 0) return as_outs(ops::to_dtype(ops::ne(b.in(0), int64_t{0}), DType::i64));
    Dims dims;
    auto given = b.arg<std::optional<DimsView>>(1);
    DimMask mask = reduced_dims(given, n);
    for (int i = 0; i < n; ++i)
      if (mask >> i & 1) dims.push_back(i + 1);
    b.values[1] = dims;
    return dispatch(b.op, b.values);
  }
};
ADJ_OP(CountNonzero, "count_nonzero(input: Tensor, dim: int[]? = None) -> Tensor", R"(
How many elements are not zero over `dim` (None: all): int64.

>>> adjoint.count_nonzero(adjoint.tensor([0, 1, 2]))
tensor(2)
)");

}  // namespace
}  // namespace adj
