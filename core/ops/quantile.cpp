// Quantiles, and means without NaN.
#include <cmath>

#include "ops/reduce.h"
#include "ops/shape.h"

namespace adj {

namespace {

const Fn lerp{"lerp"};

void check_quantiles(const char* name, const Tensor& x, const Tensor& q, Text interpolation) {
  if (x.numel() == 0) runtime_error(name, "() input tensor must be non-empty");
  if (q.dim() > 1)
    runtime_error(name, "() q must be a scalar or 1D tensor, got one of shape ", q.sizes());
  if (x.dtype() != DType::f32 && x.dtype() != DType::f64)
    runtime_error(name, "() input tensor must be either float or double dtype, got ",
                  scalar_name_of(x.dtype()));
  if (q.dtype() != x.dtype())
    runtime_error(name,
                  "() q tensor must be same dtype as the input tensor: ", scalar_name_of(q.dtype()),
                  " and ", scalar_name_of(x.dtype()));
  for (Text known : {"linear", "lower", "higher", "midpoint", "nearest"})
    if (interpolation == known) return;
  runtime_error(name,
                "() interpolation must be one of linear, lower, higher, midpoint or nearest, but "
                "got ",
                interpolation);
}

void check_range(const char* name, const Tensor& q) {
  if (q.wrapped()) return;
  Tensor exact = dense(cast(q, DType::f64));
  for (int64_t i = 0; i < exact.numel(); ++i)
    if (double v = exact.data<double>()[i]; !(v >= 0 && v <= 1))
      runtime_error(name, "() q values must be in the range [0, 1], got ", v);
}

// Between two neighbours of the sorted elements; their ranks are q (n - 1).
Tensor quantiles(const char* name, Tensor x, Tensor q, std::optional<int64_t> dim, bool keepdim,
                 Text interpolation, bool skip_nan) {
  check_quantiles(name, x, q, interpolation);
  check_range(name, q);
  int dims = x.dim(), d = dim ? normalize_dim(*dim, dims) : 0;
  Dims kept = x.sizes().copy();
  for (int i = 0; i < dims; ++i)
    if (!dim || i == d) kept[i] = 1;
  x = dim && dims ? ops::movedim(x, Dims{d}, Dims{-1}) : Tensor(ops::flatten(x));
  Tensor sorted = ops::sort(x, int64_t{-1});  // [..., n], NaN last
  auto last = static_cast<double>(x.size(-1) - 1);

  // [..., q]
  Tensor missing = ops::isnan(sorted), at = ops::reshape(q, Dims{-1}), rank;
  if (skip_nan) {
    Tensor numbers = ops::sum(ops::to_dtype(ops::logical_not(missing), x.dtype()), Dims{-1}, true);
    rank = ops::clamp(ops::mul(at, ops::sub(numbers, 1)), 0.0);
  } else {
    rank = ops::where(ops::any(missing, int64_t{-1}, true), last, ops::mul(at, last));
  }
  if (interpolation == "lower") rank = ops::floor(rank);
  if (interpolation == "higher") rank = ops::ceil(rank);
  if (interpolation == "nearest") rank = ops::round(rank);
  Dims sizes = x.sizes().copy();
  sizes[sizes.size() - 1] = at.size(0);
  rank = ops::expand(rank, sizes);
  Tensor below = ops::floor(rank);
  Tensor y = ops::gather(sorted, int64_t{-1}, ops::to_dtype(below, DType::i64));
  if (interpolation == "linear" || interpolation == "midpoint") {
    Tensor above = ops::gather(sorted, int64_t{-1}, ops::to_dtype(ops::ceil(rank), DType::i64));
    y = interpolation == "midpoint" ? lerp(y, above, 0.5) : lerp(y, above, ops::sub(rank, below));
  }
  // the quantiles first
  y = q.dim() ? ops::movedim(y, Dims{-1}, Dims{0}) : Tensor(ops::squeeze(y, Dims{-1}));
  if (!keepdim) return y;
  if (q.dim()) {
    Dims whole{at.size(0)};
    whole.append(kept.begin(), kept.end());
    kept = whole;
  }
  return ops::reshape(y, kept);
}

template <bool SkipNan>
struct QuantileOf : Composite {
  static constexpr const char* name = SkipNan ? "nanquantile" : "quantile";
  static Tensor define(Tensor x, Tensor q, std::optional<int64_t> dim, bool keepdim,
                       Text interpolation) {
    return quantiles(name, x, q, dim, keepdim, interpolation, SkipNan);
  }
};
template <bool SkipNan>
struct QuantileOfNumber : Composite {
  static Tensor define(Tensor x, double q, std::optional<int64_t> dim, bool keepdim,
                       Text interpolation) {
    if (!(q >= 0 && q <= 1))
      runtime_error(QuantileOf<SkipNan>::name, "() q must be in the range [0, 1] but got ", q);
    DType t = is_floating(x.dtype()) ? x.dtype() : default_dtype();
    return quantiles(QuantileOf<SkipNan>::name, x, scalar_tensor(q, t), dim, keepdim, interpolation,
                     SkipNan);
  }
};

#define ADJ_QUANTILE_ARGS(TYPE)                                   \
  "(input: Tensor, q: " TYPE                                      \
  ", dim: int? = None, keepdim: bool = False, *, interpolation: " \
  "str = 'linear') -> Tensor"

struct Quantile : QuantileOf<false> {};
ADJ_OP(Quantile, "quantile" ADJ_QUANTILE_ARGS("Tensor"), R"(
The quantiles `q` (numbers from 0 to 1, a number or a vector) along `dim`, or of all elements: of
the n elements in order, the one at the place q (n - 1), where the first is at 0. Between two places
`interpolation` says what counts: "linear", "lower", "higher", "midpoint", "nearest". Of a vector
`q` the quantiles are the first dim of the result. NaN makes NaN. float32 and float64.

>>> adjoint.quantile(adjoint.tensor([0., 1., 2., 4.]), adjoint.tensor([0., 0.5, 1.]))
tensor([0.0000, 1.5000, 4.0000])
)");
struct QuantileNumber : QuantileOfNumber<false> {};
ADJ_OP(QuantileNumber, "quantile:number" ADJ_QUANTILE_ARGS("float"), R"(
One quantile.

>>> adjoint.quantile(adjoint.tensor([0., 1., 2., 4.]), 0.5)
tensor(1.5000)
)");
struct Nanquantile : QuantileOf<true> {};
ADJ_OP(Nanquantile, "nanquantile" ADJ_QUANTILE_ARGS("Tensor"), R"(
`quantile` of what is not NaN.

>>> adjoint.nanquantile(adjoint.tensor([0., 1., float("nan")]), adjoint.tensor([0.5]))
tensor([0.5000])
)");
struct NanquantileNumber : QuantileOfNumber<true> {};
ADJ_OP(NanquantileNumber, "nanquantile:number" ADJ_QUANTILE_ARGS("float"), R"(
One quantile of what is not NaN.

>>> adjoint.nanquantile(adjoint.tensor([0., 1., float("nan")]), 0.5)
tensor(0.5000)
)");

struct Nanmean : Composite {
  static Tensor define(Tensor x, std::optional<DimsView> dim, bool keepdim,
                       std::optional<DType> dtype) {
    if (!is_floating(x.dtype()) && !is_complex(x.dtype()))
      runtime_error("nanmean(): expected input to have floating point or complex dtype but got ",
                    scalar_name_of(x.dtype()));
    Tensor numbers = ops::to_dtype(ops::logical_not(ops::isnan(x)), dtype.value_or(x.dtype()));
    Dims all;
    for (int i = 0; i < x.dim(); ++i) all.push_back(i);
    DimsView over = dim && dim->size() ? *dim : DimsView(all);
    Tensor y = dtype ? Tensor(ops::to_dtype(x, *dtype)) : x;
    return ops::div(nansum(y, over, keepdim), ops::sum(numbers, over, keepdim));
  }

 private:
  static Tensor nansum(const Tensor& x, DimsView over, bool keepdim) {
    return ops::sum(ops::where(ops::isnan(x), 0, x), over, keepdim);
  }
};
ADJ_OP(Nanmean,
       "nanmean(input: Tensor, dim: int[]? = None, keepdim: bool = False, *, dtype: dtype? = None) "
       "-> Tensor",
       R"(
The mean of what is not NaN, over all dims or those in `dim`.

>>> adjoint.nanmean(adjoint.tensor([1., float("nan"), 2.]))
tensor(1.5000)
)");

}  // namespace
}  // namespace adj
