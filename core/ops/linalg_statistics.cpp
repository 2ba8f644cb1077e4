// Covariances, integrals by trapezoids, and combinations of elements.
#include <cmath>

#include "ops/linalg.h"

namespace adj {

namespace {

// [variables, observations]
Tensor covariance(const Tensor& input, int64_t correction, Tensor fweights, Tensor aweights) {
  if (input.dim() > 2)
    runtime_error("cov(): expected input to have two or fewer dimensions but got an input with ",
                  input.dim(), " dimensions");
  if (input.dtype() == DType::b8) runtime_error("cov(): bool dtype is not supported for input");
  Tensor x = input.dim() < 2 ? ops::reshape(input, Dims{1, -1}) : input;
  if (!is_floating(x.dtype()) && !is_complex(x.dtype())) x = ops::to_dtype(x, default_dtype());
  int64_t n = x.size(1);
  DType real = real_of(x.dtype());
  auto check = [&](const Tensor& w, const char* name, bool whole) {
    if (w.dim() > 1)
      runtime_error("cov(): expected ", name, " to have one or fewer dimensions but got ", name,
                    " with ", w.dim(), " dimensions");
    bool fits = whole ? is_integral(w.dtype()) : is_floating(w.dtype());
    if (!fits)
      runtime_error("cov(): expected ", name, " to have ", whole ? "integral" : "floating point",
                    " dtype but got ", name, " with ", scalar_name_of(w.dtype()), " dtype");
    if (w.numel() != n)
      runtime_error("cov(): expected ", name,
                    " to have the same numel as there are observations "
                    "in the input but got ",
                    w.numel(), " != ", n);
    if (w.wrapped()) return;
    Tensor plain = ops::contiguous(ops::to_dtype(w, DType::f64));
    for (int64_t i = 0; i < n; ++i)
      if (plain.data<double>()[i] < 0)
        runtime_error("cov(): ", name, " cannot be negative, but has ", plain.data<double>()[i]);
  };
  Tensor w;
  if (fweights.defined()) {
    check(fweights, "fweights", true);
    w = ops::to_dtype(fweights, real);
  }
  if (aweights.defined()) {
    check(aweights, "aweights", false);
    Tensor a = in_dtype(aweights, real);
    w = w.defined() ? ops::mul(w, a) : a;
  }
  Tensor total = w.defined() ? ops::sum_all(w) : Tensor();
  Tensor mean = w.defined() ? ops::div(ops::sum(ops::mul(x, w), int64_t{1}, true), total)
                            : ops::mean(x, int64_t{1}, true);
  x = ops::sub(x, mean);
  Tensor c = ops::matmul(w.defined() ? ops::mul(x, w) : x, ht(x));
  if (!w.defined()) {
    c = ops::div(c, static_cast<double>(std::max<int64_t>(n - correction, 0)));
  } else {
    Tensor lost = scalar_tensor(static_cast<double>(correction), real);
    if (aweights.defined() && correction != 0)
      lost = ops::div(ops::mul(ops::sum_all(ops::mul(w, in_dtype(aweights, real))), lost), total);
    c = ops::div(c, ops::clamp(ops::sub(total, lost), 0.0));
  }
  return input.dim() < 2 ? ops::reshape(c, Dims{}) : ops::squeeze(c);
}

struct Cov : Composite {
  static Tensor define(Tensor x, int64_t correction, Tensor fweights, Tensor aweights) {
    return covariance(x, correction, fweights, aweights);
  }
};
ADJ_OP(Cov,
       "cov(input: Tensor, *, correction: int = 1, fweights: Tensor? = None, aweights: Tensor? = "
       "None) -> Tensor",
       R"(
Covariances [variables, variables] of [variables, observations], or the variance of a vector.
`fweights`: how often each observation was made (integers); `aweights`: how much it counts; the
divisor is the number of observations less `correction`.

>>> adjoint.cov(adjoint.tensor([[0., 2.], [2., 0.]]))
tensor([[ 2., -2.],
        [-2.,  2.]])
)");

struct Corrcoef : Composite {
  static Tensor define(Tensor x) {
    if (x.dim() > 2)
      runtime_error(
          "corrcoef(): expected input to have two or fewer dimensions but got an input "
          "with ",
          x.dim(), " dimensions");
    Tensor c = covariance(x, 1, {}, {});
    if (c.dim() == 0) return ops::div(c, c);
    Tensor variances = ops::diagonal(c);
    bool parts = is_complex(c.dtype());
    Tensor deviation = ops::sqrt(parts ? ops::real(variances) : variances);
    c = ops::div(ops::div(c, column(deviation)), row(deviation));
    if (parts)
      return ops::complex(ops::clamp(ops::real(c), -1.0, 1.0), ops::clamp(ops::imag(c), -1.0, 1.0));
    return ops::clamp(c, -1.0, 1.0);
  }
};
ADJ_OP(Corrcoef, "corrcoef(input: Tensor) -> Tensor", R"(
Pearson's correlations [variables, variables] of [variables, observations].

>>> adjoint.corrcoef(adjoint.tensor([[0., 1., 2.], [2., 1., 0.]]))
tensor([[ 1., -1.],
        [-1.,  1.]])
)");

// (y[i] + y[i + 1]) dx / 2 along `dim`.
Tensor trapezoids(const Tensor& y, Tensor x, std::optional<Number> dx, int64_t dim,
                  const char* name) {
  int d = normalize_dim(dim, y.dim());
  int64_t n = y.dim() ? y.size(d) : 0;
  if (y.dim() == 0) index_error(name, ": Dimension specified as ", dim, " but tensor has no dims");
  auto ends = [n](const Tensor& v, int along, bool later) {
    int64_t size = v.size(along);
    if (size == 0) return v;
    return ops::narrow(v, int64_t{along}, int64_t{later}, std::min(size, n) - 1);
  };
  if (x.defined() && dx) runtime_error(name, ": only one of x and dx may be given");
  if (n == 0) return y;
  Tensor sum = ops::add(ends(y, d, true), ends(y, d, false));
  if (x.defined()) {
    if (x.dim() == 1) {
      if (x.size(0) != n)
        runtime_error(name, ": There must be one `x` value for each sample point, got ", x.size(0),
                      " for ", n);
      Dims sizes;
      for (int i = 0; i < y.dim(); ++i) sizes.push_back(i == d ? n : 1);
      x = ops::reshape(x, sizes);
    } else {
      while (x.dim() < y.dim()) x = ops::unsqueeze(x, int64_t{0});
    }
    int along = x.dim() - (y.dim() - d);
    if (x.size(along) != n)
      runtime_error(name, ": There must be one `x` value for each sample point, got ",
                    x.size(along), " for ", n);
    sum = ops::mul(sum, ops::sub(ends(x, along, true), ends(x, along, false)));
  } else if (dx) {
    sum = ops::mul(sum, *dx);
  }
  return ops::mul(sum, 0.5);
}
Tensor trapezoid(const Tensor& y, const Tensor& x, std::optional<Number> dx, int64_t dim,
                 const char* name) {
  Tensor parts = trapezoids(y, x, dx, dim, name);
  return ops::sum(parts, dim < 0 ? dim : dim + (parts.dim() - y.dim()));
}

struct Trapezoid : Composite {
  static Tensor define(Tensor y, Tensor x, std::optional<Number> dx, int64_t dim) {
    return trapezoid(y, x, dx, dim, "trapezoid");
  }
};
ADJ_OP(Trapezoid,
       "trapezoid(y: Tensor, x: Tensor? = None, *, dx: Number? = None, dim: int = -1) -> Tensor",
       R"(
The integral of `y` along `dim` by the trapezoidal rule, sampled at `x` (a vector, or points that
broadcast with `y`) or at equal distances `dx` (1).

>>> adjoint.trapezoid(adjoint.tensor([1., 2., 3.]))
tensor(4.)
)");

struct Trapz : Composite {
  static Tensor define(Tensor y, Tensor x, std::optional<Number> dx, int64_t dim) {
    return trapezoid(y, x, dx, dim, "trapz");
  }
};
ADJ_OP(Trapz, "trapz(y: Tensor, x: Tensor? = None, *, dx: Number? = None, dim: int = -1) -> Tensor",
       R"(
See `trapezoid`.

>>> adjoint.trapz(adjoint.tensor([1., 2., 3.]), dx=2)
tensor(8.)
)");

struct CumulativeTrapezoid : Composite {
  static Tensor define(Tensor y, Tensor x, std::optional<Number> dx, int64_t dim) {
    Tensor parts = trapezoids(y, x, dx, dim, "cumulative_trapezoid");
    return ops::cumsum(parts, dim < 0 ? dim : dim + (parts.dim() - y.dim()));
  }
};
ADJ_OP(
    CumulativeTrapezoid,
    "cumulative_trapezoid(y: Tensor, x: Tensor? = None, *, dx: Number? = None, dim: int = -1) -> "
    "Tensor",
    R"(
The integrals of `y` from the first point to each of the others: see `trapezoid`.

>>> adjoint.cumulative_trapezoid(adjoint.tensor([1., 2., 3.]))
tensor([1.5000, 4.0000])
)");

struct CartesianProd : Composite {
  static Tensor define(Tensors tensors) {
    if (tensors.size() == 0) runtime_error("cartesian_prod: expected at least one tensor");
    int64_t rows = 1;
    for (auto& x : tensors) {
      if (x.dim() != 1) runtime_error("Expect a 1D vector, but got shape ", x.sizes());
      if (x.dtype() != tensors[0].dtype())
        runtime_error("cartesian_prod expects all tensors to have the same dtype, but got ",
                      scalar_name_of(tensors[0].dtype()), " and ", scalar_name_of(x.dtype()));
      rows *= x.size(0);
    }
    if (tensors.size() == 1) return tensors[0];
    TensorList columns;
    int64_t before = 1;
    for (auto& x :
         tensors) {  // each element repeated for what varies faster, the whole for the rest
      int64_t n = x.size(0), after = n ? rows / (before * n) : 0;
      Tensor spread = ops::expand(ops::reshape(x, Dims{1, n, 1}), Dims{before, n, after});
      columns.push_back(ops::reshape(spread, Dims{rows}));
      before *= n;
      if (rows == 0) before = 1;
    }
    return ops::stack(columns, int64_t{1});
  }
};
ADJ_OP(CartesianProd, "cartesian_prod(tensors: Tensor[]) -> Tensor", R"(
All choices of one element of each vector, a row each, the last varying fastest: [product of the
sizes, number of vectors]. Of one vector: itself.

>>> adjoint.cartesian_prod(adjoint.tensor([1, 2]), adjoint.tensor([3, 4]))
tensor([[1, 3],
        [1, 4],
        [2, 3],
        [2, 4]])
)");

struct Combinations : Composite {
  static Tensor define(Tensor x, int64_t r, bool again) {
    if (x.dim() != 1) runtime_error("Expect a 1D vector, but got shape ", x.sizes());
    if (r < 0) runtime_error("Expect a non-negative number, but got ", r);
    int64_t n = x.size(0);
    SmallVec<int64_t, 64> chosen, all;
    int64_t rows = 0;
    if (r > 0 && (again ? n > 0 : n >= r)) {
      for (int64_t i = 0; i < r; ++i) chosen.push_back(again ? 0 : i);
      for (;;) {
        all.append(chosen.begin(), chosen.end());
        ++rows;
        int i = static_cast<int>(r) - 1;
        while (i >= 0 && chosen[i] == (again ? n - 1 : n - r + i)) --i;
        if (i < 0) break;
        ++chosen[i];
        for (int j = i + 1; j < r; ++j) chosen[j] = again ? chosen[i] : chosen[j - 1] + 1;
      }
    }
    if (r == 0) return ops::zeros(Dims{0}, x.dtype());
    Tensor at = empty(Dims{rows * r}, DType::i64);
    for (int i = 0; i < all.size(); ++i) at.data<int64_t>()[i] = all[i];
    return ops::reshape(ops::index_select(x, int64_t{0}, at), Dims{rows, r});
  }
};
ADJ_OP(Combinations,
       "combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor", R"(
All choices of `r` elements of a vector, a row each, in the order of their places: [number of
choices, r].

>>> adjoint.combinations(adjoint.tensor([1, 2, 3]))
tensor([[1, 2],
        [1, 3],
        [2, 3]])
)");

}  // namespace
}  // namespace adj
