// Distances between points.
#include <cmath>

#include "ops/linalg.h"

namespace adj {

namespace {

// sum (or another reduction) of f over [0, n) in lanes that the compiler makes vectors of.
template <class T, class F>
T sum_of(int64_t n, const F& f) {
  constexpr int kLanes = 16;
  T lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int l = 0; l < kLanes; ++l) lanes[l] += f(i + l);
  T sum = 0;
  for (; i < n; ++i) sum += f(i);
  for (T lane : lanes) sum += lane;
  return sum;
}
template <class T>
T sign_of(T x) {
  return static_cast<T>((x > 0) - (x < 0));
}

template <class T>
T distance(const T* x, const T* y, int64_t n, double p) {
  if (p == 2)
    return std::sqrt(sum_of<T>(n, [&](int64_t i) { return (x[i] - y[i]) * (x[i] - y[i]); }));
  if (p == 1) return sum_of<T>(n, [&](int64_t i) { return std::fabs(x[i] - y[i]); });
  if (p == 0) return sum_of<T>(n, [&](int64_t i) { return T(x[i] != y[i]); });
  if (std::isinf(p)) {
    T most = 0;
    for (int64_t i = 0; i < n; ++i) {
      T d = std::fabs(x[i] - y[i]);
      if (!(d <= most)) most = d;  // NaN stays
    }
    return most;
  }
  T q = static_cast<T>(p);
  return std::pow(sum_of<T>(n, [&](int64_t i) { return std::pow(std::fabs(x[i] - y[i]), q); }),
                  1 / q);
}

// out += g * the gradient of the distance d of x and y, with respect to x.
template <class T>
void add_slope(T* out, const T* x, const T* y, int64_t n, double p, T g, T d) {
  if (d == 0 || p == 0) return;
  if (p == 2) {
    T factor = g / d;
    for (int64_t i = 0; i < n; ++i) out[i] += factor * (x[i] - y[i]);
  } else if (p == 1) {
    for (int64_t i = 0; i < n; ++i) out[i] += g * sign_of(x[i] - y[i]);
  } else if (std::isinf(p)) {
    T ties = sum_of<T>(n, [&](int64_t i) { return T(std::fabs(x[i] - y[i]) == d); });
    for (int64_t i = 0; i < n; ++i)
      if (std::fabs(x[i] - y[i]) == d) out[i] += g / ties * sign_of(x[i] - y[i]);
  } else {
    T q = static_cast<T>(p - 1), factor = g / std::pow(d, q);
    for (int64_t i = 0; i < n; ++i) {
      T e = x[i] - y[i];
      if (e != 0) out[i] += factor * sign_of(e) * std::pow(std::fabs(e), q);
    }
  }
}

// x where it is not 0, else 1, which is masked again where it matters: no derivative is infinite.
Tensor without_zeros(const Tensor& x) { return ops::masked_fill(x, ops::eq(x, 0.0), 1.0); }
Tensor zeros_kept(const Tensor& y, const Tensor& x) {
  return ops::masked_fill(y, ops::eq(x, 0.0), 0.0);
}

struct CdistNode : Fused {
  static constexpr uint32_t saves = output(0);

  static Tensor define(Tensor x, Tensor y, double p, bool) {
    Tensor d = ops::sub(row(x), ops::unsqueeze(y, int64_t{-3}));  // [..., P, R, M]
    if (p == 0) return ops::to_dtype(ops::sum(ops::ne(d, 0.0), int64_t{-1}), x.dtype());
    if (x.size(-1) == 0) return ops::sum(d, int64_t{-1});
    if (p == 2) {
      Tensor s = ops::sum(ops::square(d), int64_t{-1});
      return zeros_kept(ops::sqrt(without_zeros(s)), s);
    }
    Tensor size = ops::abs(d);
    if (p == 1) return ops::sum(size, int64_t{-1});
    if (std::isinf(p)) return ops::amax(size, int64_t{-1});
    Tensor s = ops::sum(zeros_kept(ops::pow(without_zeros(size), p), size), int64_t{-1});
    return zeros_kept(ops::pow(without_zeros(s), 1 / p), s);
  }
  static Tensor forward(Tensor x, Tensor y, double p, bool by_products) {
    int64_t m = x.size(-2), r = y.size(-2), n = x.size(-1);
    Dims batch = broadcast_sizes(batch_sizes(x), batch_sizes(y));
    if (by_products && p == 2) {
      Tensor s = ops::mul(ops::matmul(x, mt(y)), -2.0);
      s = ops::add(s, column(ops::sum(ops::square(x), int64_t{-1})));
      s = ops::add(s, row(ops::sum(ops::square(y), int64_t{-1})));
      return ops::sqrt(ops::clamp(s, 0.0));
    }
    x = dense(x);
    y = dense(y);
    Tensor out = empty(with_sizes(batch, {m, r}), x.dtype());
    Matrices xs(x, batch), ys(y, batch);
    with_real_type(x.dtype(), [&]<class T>(T) {
      parallel_for(xs.count() * m, 20000 / (r * n + 1) + 1, [&](int64_t from, int64_t to) {
        for (int64_t i = from; i < to; ++i) {
          const T *a = xs.at<T>(i / m) + i % m * n, *b = ys.at<T>(i / m);
          for (int64_t j = 0; j < r; ++j) out.data<T>()[i * r + j] = distance(a, b + j * n, n, p);
        }
      });
    });
    return out;
  }
  static bool fast_vjp(Vjp& c) {
    Tensor x = dense(c.in(0)), y = dense(c.in(1)), g = dense(c.g()), d = dense(c.out());
    double p = c.arg<double>(2);
    if (p == 2 && c.arg<bool>(3)) {  // sum over j of w_ij (x_i - y_j) with w = g / d
      Tensor w = ops::masked_fill(ops::div(g, d), ops::eq(d, 0.0), 0.0);
      auto slope = [&](const Tensor& v, const Tensor& a, const Tensor& b) {
        return ops::sub(ops::mul(column(ops::sum(v, int64_t{-1})), a), ops::matmul(v, b));
      };
      if (c.needs(0)) c.set(0, sum_to(slope(w, x, y), c.like(0)));
      if (c.needs(1)) c.set(1, sum_to(slope(mt(w), y, x), c.like(1)));
      return true;
    }
    if (c.needs(0)) c.set(0, sum_to(slopes(x, y, g, d, p, false), c.like(0)));
    if (c.needs(1)) c.set(1, sum_to(slopes(y, x, g, d, p, true), c.like(1)));
    return true;
  }
  // The gradient of x, for distances [.., P, R] stored with x along R if `transposed`.
  static Tensor slopes(const Tensor& x, const Tensor& y, const Tensor& g, const Tensor& d, double p,
                       bool transposed) {
    int64_t m = x.size(-2), r = y.size(-2), n = x.size(-1);
    Dims batch = batch_sizes(d);
    Tensor out = empty(with_sizes(batch, {m, n}), x.dtype());
    Matrices xs(x, batch), ys(y, batch);
    int64_t down = transposed ? 1 : r, along = transposed ? m : 1;
    with_real_type(x.dtype(), [&]<class T>(T) {
      parallel_for(xs.count() * m, 10000 / (r * n + 1) + 1, [&](int64_t from, int64_t to) {
        for (int64_t i = from; i < to; ++i) {
          const T *a = xs.at<T>(i / m) + i % m * n, *b = ys.at<T>(i / m);
          int64_t first = i / m * m * r + i % m * down;
          const T *gi = g.data<T>() + first, *di = d.data<T>() + first;
          T* to_row = out.data<T>() + i * n;
          for (int64_t k = 0; k < n; ++k) to_row[k] = 0;
          for (int64_t j = 0; j < r; ++j)
            add_slope(to_row, a, b + j * n, n, p, gi[j * along], di[j * along]);
        }
      });
    });
    return out;
  }
  static Outs batch(Batch& b) { return batch_of_two(b); }
};
ADJ_OP(CdistNode,
       "_nodes.cdist(x1: Tensor, x2: Tensor, p: float = 2.0, by_products: bool = False) -> Tensor",
       R"(
The distances behind `cdist`.

>>> adjoint.cdist(adjoint.zeros(1, 2), adjoint.tensor([[3., 4.]]))
tensor([[5.]])
)");
const Fn cdist_node{"_nodes.cdist"};

struct Cdist : Composite {
  static Tensor define(Tensor x, Tensor y, double p, Text mode) {
    for (const Tensor* t : {&x, &y}) {
      if (t->dim() < 2)
        runtime_error("cdist only supports at least 2D tensors, got: ", t->dim(), "D");
      if (!is_floating(t->dtype()))
        runtime_error("cdist only supports floating-point dtypes, got: ",
                      scalar_name_of(t->dtype()));
    }
    if (x.size(-1) != y.size(-1))
      runtime_error("X1 and X2 must have the same number of columns. X1: ", x.size(-1),
                    " X2: ", y.size(-1));
    if (!(p >= 0)) runtime_error("cdist only supports non-negative p values, got ", p);
    bool always = mode == "use_mm_for_euclid_dist", never = mode == "donot_use_mm_for_euclid_dist";
    if (!always && !never && mode != "use_mm_for_euclid_dist_if_necessary")
      value_error(mode, " is not a valid value for compute_mode");
    DType t = promote(x.dtype(), y.dtype()), computed = computed_in(t);
    bool products = always || (!never && (x.size(-2) > 25 || y.size(-2) > 25));
    Tensor d = cdist_node(in_dtype(x, computed), in_dtype(y, computed), p, products && p == 2);
    return in_dtype(d, t);
  }
};
ADJ_OP(Cdist,
       "cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "
       "'use_mm_for_euclid_dist_if_necessary') -> Tensor",
       R"(
The p-norms of all differences of a row of x1 [..., P, M] and one of x2 [..., R, M]: [..., P, R];
batches broadcast. `p` is 0 (how many elements differ) to inf. Where two rows are equal the gradient
is 0. For p = 2 `compute_mode` tells whether to go by matrix products, which are faster and less
exact: 'use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist', or, by default, if there are more
than 25 rows.

>>> adjoint.cdist(adjoint.tensor([[0., 0.], [3., 4.]]), adjoint.tensor([[0., 0.]]), p=1)
tensor([[0.],
        [7.]])
)");
const Fn cdist{"cdist"};

Tensor pdist(const Tensor& x, double p) {
  if (x.dim() != 2) runtime_error("pdist only supports 2D tensors, got: ", x.dim(), "D");
  if (!is_floating(x.dtype()))
    runtime_error("pdist only supports floating-point dtypes, got ", scalar_name_of(x.dtype()));
  if (!(p >= 0)) runtime_error("pdist only supports non-negative p values, got ", p);
  int64_t n = x.size(0), count = n * (n - 1) / 2;
  Tensor at = empty(Dims{count}, DType::i64);
  int64_t* next = at.data<int64_t>();
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i + 1; j < n; ++j) *next++ = i * n + j;
  Tensor all = cdist(x, x, p, "donot_use_mm_for_euclid_dist");
  return ops::index_select(ops::reshape(all, Dims{n * n}), int64_t{0}, at);
}

struct Pdist : Composite {
  static Tensor define(Tensor x, double p) { return pdist(x, p); }
};
ADJ_OP(Pdist, "pdist(input: Tensor, p: float = 2.0) -> Tensor", R"(
The p-norms of the differences of all pairs of rows of [n, m]: [n (n - 1) / 2], those of row 0
first.

>>> adjoint.pdist(adjoint.tensor([[0., 0.], [3., 4.], [0., 1.]]))
tensor([5.0000, 1.0000, 4.2426])
)");

struct FunctionalPdist : Composite {
  static Tensor define(Tensor x, double p) { return pdist(x, p); }
};
ADJ_OP(FunctionalPdist, "nn.functional.pdist(input: Tensor, p: float = 2.0) -> Tensor", R"(
See `pdist`.

>>> adjoint.nn.functional.pdist(adjoint.tensor([[0., 0.], [3., 4.]]))
tensor([5.])
)");

struct Dist : Composite {
  static Tensor define(Tensor x, Tensor y, Number p) { return ops::vector_norm(ops::sub(x, y), p); }
};
ADJ_OP(Dist, "dist(input: Tensor, other: Tensor, p: Number = 2) -> Tensor", R"(
The p-norm of all elements of `input - other`.

>>> adjoint.dist(adjoint.tensor([3., 0.]), adjoint.tensor([0., 4.]))
tensor(5.)
)");

struct Renorm : Composite {
  static constexpr bool in_place = true;
  static Tensor define(Tensor x, Number p, int64_t dim, Number maxnorm) {
    if (p.real() <= 0) runtime_error("renorm: non-positive-norm not supported, got p = ", p.real());
    if (maxnorm.real() < 0)
      runtime_error("renorm: expected maxnorm to be >= 0 but got ", maxnorm.real());
    if (x.dim() < 2)
      runtime_error("renorm: input needs at least 2 dimensions, got ", x.dim(), " dimensions");
    int d = normalize_dim(dim, x.dim());
    Dims others;
    for (int i = 0; i < x.dim(); ++i)
      if (i != d) others.push_back(i);
    x = ops::clone(x);  // renorm_ writes over the original
    Tensor norm = ops::vector_norm(x, p, others, true);
    Tensor large = ops::gt(norm, maxnorm.real());
    Tensor scale = ops::mul(ops::reciprocal(ops::add(norm, 1e-7)), maxnorm.real());
    return ops::mul(x, ops::masked_fill(scale, ops::logical_not(large), 1.0));
  }
};
ADJ_OP(Renorm, "renorm(input: Tensor, p: Number, dim: int, maxnorm: Number) -> Tensor", R"(
Each slice of `input` along `dim` whose p-norm exceeds `maxnorm` scaled down to it.

>>> adjoint.renorm(adjoint.tensor([[3., 4.], [0.3, 0.4]]), 2, 0, 1)
tensor([[0.6000, 0.8000],
        [0.3000, 0.4000]])
)");

}  // namespace
}  // namespace adj
