// Cumulative sums, products and their kin along a dim.
#include <cmath>
#include <complex>

#include "cpu/norm.h"
#include "ops/fused_rule.h"
#include "ops/reduce.h"

namespace adj {

namespace {

const Fn cumsum_reverse{"_nodes.cumsum_reverse"};

Tensor in_dtype(const Tensor& x, DType t) { return x.dtype() == t ? x : ops::to_dtype(x, t); }

template <class T>
void cumprod_loop(T* y, const T* x, int64_t outer, int64_t n, int64_t inner) {
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      T product = 1;
      for (int64_t k = 0; k < n; ++k) {
        int64_t at = (o * n + k) * inner + i;
        y[at] = product *= x[at];
      }
    }
}

// Complex numbers: their parts have sums of their own.
Tensor complex_scanned(bool product, const Tensor& x, int d, bool reverse) {
  Tensor y = empty(x.sizes(), x.dtype());
  Grouped g = grouped(x, x.dim() ? DimMask{1} << d : 0);
  DType t = real_of(x.dtype());
  if (!product) {
    scan(false, t, y.data(), g.x.data(), g.outer, g.n, g.inner * 2, reverse);
  } else if (t == DType::f32) {
    using C = std::complex<float>;
    cumprod_loop(y.data<C>(), g.x.data<C>(), g.outer, g.n, g.inner);
  } else {
    using C = std::complex<double>;
    cumprod_loop(y.data<C>(), g.x.data<C>(), g.outer, g.n, g.inner);
  }
  return y;
}

// torch's dtypes: integers and bools are accumulated in int64, unless `dtype` says otherwise.
Tensor scanned(bool product, const Tensor& x, int64_t dim, std::optional<DType> dtype,
               bool reverse = false) {
  int d = normalize_dim(dim, x.dim());
  DType result = dtype.value_or(is_differentiable(x.dtype()) ? x.dtype() : DType::i64);
  DType t = computed_in(result);
  if (is_complex(t)) return complex_scanned(product, cast(x, t), d, reverse);
  Tensor in = is_floating(t) ? cast(x, t) : dense(x);
  if (!is_floating(t) && is_differentiable(in.dtype())) in = cast(in, DType::i64);
  DType out = is_floating(t) ? t : DType::i64;
  Tensor y = empty(x.sizes(), out);
  Grouped g = grouped(in, x.dim() ? DimMask{1} << d : 0);
  scan(product, in.dtype(), y.data(), g.x.data(), g.outer, g.n, g.inner, reverse);
  return cast(y, result);
}

struct Cumsum : Linear {
  static constexpr bool in_place = true;
  static Tensor forward(Tensor x, int64_t dim, std::optional<DType> dtype) {
    return scanned(false, x, dim, dtype);
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, int64_t dim, std::optional<DType>) {
    return cumsum_reverse(in_dtype(g, x.dtype), dim);
  }
  static Outs batch(Batch& b) { return batch_over_dim(b, 1, -1); }
};
ADJ_OP(Cumsum, "cumsum(input: Tensor, dim: int, *, dtype: dtype? = None) -> Tensor", R"(
The sums of the elements up to each one along `dim`. Integers and bools give int64.

>>> adjoint.cumsum(adjoint.tensor([1., 2., 3.]), dim=0)
tensor([1., 3., 6.])
)");

struct CumsumReverse : Linear {
  static Tensor forward(Tensor x, int64_t dim) { return scanned(false, x, dim, x.dtype(), true); }
  static Tensor transpose(Tensor g, const TensorMeta&, int64_t dim) { return ops::cumsum(g, dim); }
  static Outs batch(Batch& b) { return batch_over_dim(b, 1, -1); }
};
ADJ_OP(CumsumReverse, "_nodes.cumsum_reverse(input: Tensor, dim: int) -> Tensor", R"(
The sums of the elements from each one on: the transpose of `cumsum`.

>>> adjoint.autograd.functional.vjp(lambda x: x.cumsum(0), adjoint.zeros(3), adjoint.ones(3))[1]
tensor([3., 2., 1.])
)");

// Both of the rules below go back along the dim from its end: s_i = g_i + f_i s_(i+1), and the
// gradient is s_i times what i itself contributes. As operators this takes a few for each position.
template <class F>
Tensor from_the_end(const Tensor& g, int64_t d, const F& factor) {
  int64_t n = g.size(static_cast<int>(d));
  TensorList parts(static_cast<int>(n));
  Tensor s;
  for (int64_t i = n - 1; i >= 0; --i) {
    Tensor gi = ops::select(g, d, i);
    s = s.defined() ? ops::add(gi, ops::mul(factor(i), s)) : gi;
    parts[static_cast<int>(i)] = s;
  }
  return ops::stack(parts, d);
}

// f(g, x, y, gx, n, step) for each line of n elements, `step` apart, along a dim of plain tensors.
template <class T, class F>
Tensor along_lines(const Tensor& g, const Tensor& x, const Tensor& y, int64_t dim, const F& f) {
  DimMask mask = DimMask{1} << normalize_dim(dim, x.dim());
  Grouped gg = grouped(g, mask), gx = grouped(x, mask), gy = grouped(y, mask);
  Tensor out = empty(x.sizes(), x.dtype());
  for (int64_t o = 0; o < gx.outer; ++o)
    for (int64_t j = 0; j < gx.inner; ++j) {
      int64_t at = o * gx.n * gx.inner + j;
      f(gg.x.data<T>() + at, gx.x.data<T>() + at, gy.x.data<T>() + at, out.data<T>() + at, gx.n,
        gx.inner);
    }
  return out;
}

bool plain_line(const Vjp& c, const Tensor& x, const Tensor& y) {
  DType t = c.g().dtype();
  return (t == DType::f32 || t == DType::f64) && x.dtype() == t && y.dtype() == t && x.dim() > 0 &&
         x.numel() > 0;
}

// d y_j / d x_i, for j >= i, is the product of the others up to j.
struct Cumprod : FastRule {
  static constexpr bool in_place = true;
  static constexpr uint32_t saves = input(0) | output(0);
  static Tensor forward(Tensor x, int64_t dim, std::optional<DType> dtype) {
    return scanned(true, x, dim, dtype);
  }

  static bool any_zero(const Tensor& x) {
    Tensor nonzero = reduce_dims(Reduce::count_nonzero, x, all_dims(x.dim()), false);
    return *nonzero.data<int64_t>() != x.numel();
  }
  static void vjp(Vjp& c) {
    Tensor y = c.out(), g = c.g(), x = in_dtype(c.in(0), y.dtype()), gx = g;
    if (x.dim() && x.numel()) {
      int64_t d = normalize_dim(c.arg<int64_t>(1), x.dim()), n = x.size(static_cast<int>(d));
      if (!x.wrapped() && !any_zero(x)) {
        gx = ops::div(cumsum_reverse(ops::mul(g, y), d), x);
      } else {
        Tensor one = ops::ones_like(ops::slice(x, d, int64_t{0}, int64_t{1}));
        Tensor before = ops::cat(TensorList{one, ops::slice(y, d, int64_t{0}, n - 1)}, d);
        gx = ops::mul(before,
                      from_the_end(g, d, [&](int64_t i) { return ops::select(x, d, i + 1); }));
      }
    }
    c.set(0, in_dtype(gx, c.like(0).dtype));
  }
  template <class T>
  static void line(const T* g, const T* x, const T* y, T* gx, int64_t n, int64_t step) {
    T s = 0;
    for (int64_t i = n - 1; i >= 0; --i) {
      s = g[i * step] + (i + 1 < n ? x[(i + 1) * step] * s : T(0));
      gx[i * step] = i ? y[(i - 1) * step] * s : s;
    }
  }
  static bool fast_vjp(Vjp& c) {
    Tensor y = c.out(), x = c.in(0);
    if (!plain_line(c, x, y)) return false;
    auto dim = c.arg<int64_t>(1);
    c.set(0, x.dtype() == DType::f32 ? along_lines<float>(c.g(), x, y, dim, line<float>)
                                     : along_lines<double>(c.g(), x, y, dim, line<double>));
    return true;
  }
  static Outs batch(Batch& b) { return batch_over_dim(b, 1, -1); }
};
ADJ_OP(Cumprod, "cumprod(input: Tensor, dim: int, *, dtype: dtype? = None) -> Tensor", R"(
The products of the elements up to each one along `dim`. Integers and bools give int64.

>>> adjoint.cumprod(adjoint.tensor([1., 2., 3.]), dim=0)
tensor([1., 2., 6.])
)");

// y_i = log(exp y_(i-1) + exp x_i), with the larger one taken out.
template <class T>
void log_scan(T* y, const T* x, int64_t outer, int64_t n, int64_t inner) {
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t j = 0; j < inner; ++j) {
      T total = 0;
      for (int64_t k = 0; k < n; ++k) {
        int64_t at = (o * n + k) * inner + j;
        if (k == 0) {
          total = x[at];
        } else {
          T high = total > x[at] ? total : x[at], low = total > x[at] ? x[at] : total;
          if (std::isnan(total) || std::isnan(x[at])) total = total + x[at];
          else if (std::isinf(high)) total = high;
          else total = high + std::log1p(std::exp(low - high));
        }
        y[at] = total;
      }
    }
}

// d y_j / d x_i = exp(x_i - y_j) for j >= i. All exponents are differences that are not positive.
struct LogCumsumExp : FastRule {
  static constexpr uint32_t saves = input(0) | output(0);
  static Tensor forward(Tensor x, int64_t dim) {
    int d = normalize_dim(dim, x.dim());
    check_floating("logcumsumexp", x.dtype());
    DType t = computed_in(x.dtype());
    Grouped g = grouped(x.dtype() == t ? x : cast(x, t), x.dim() ? DimMask{1} << d : 0);
    Tensor y = empty(x.sizes(), t);
    if (t == DType::f32) log_scan(y.data<float>(), g.x.data<float>(), g.outer, g.n, g.inner);
    else log_scan(y.data<double>(), g.x.data<double>(), g.outer, g.n, g.inner);
    return cast(y, x.dtype());
  }
  static void vjp(Vjp& c) {
    Tensor x = c.in(0), y = c.out(), g = c.g();
    if (x.dim() == 0 || x.numel() == 0) return c.set(0, g);
    int64_t d = normalize_dim(c.arg<int64_t>(1), x.dim());
    Tensor s = from_the_end(g, d, [&](int64_t i) {
      return ops::exp(ops::sub(ops::select(y, d, i), ops::select(y, d, i + 1)));
    });
    c.set(0, ops::mul(s, ops::exp(ops::sub(x, y))));
  }
  template <class T>
  static void line(const T* g, const T* x, const T* y, T* gx, int64_t n, int64_t step) {
    auto share = [](T low, T high) { return low == high ? T(1) : std::exp(low - high); };
    T s = 0;
    for (int64_t i = n - 1; i >= 0; --i) {
      s = g[i * step] + (i + 1 < n ? share(y[i * step], y[(i + 1) * step]) * s : T(0));
      gx[i * step] = share(x[i * step], y[i * step]) * s;
    }
  }
  static bool fast_vjp(Vjp& c) {
    Tensor y = c.out(), x = c.in(0);
    if (!plain_line(c, x, y)) return false;
    auto dim = c.arg<int64_t>(1);
    c.set(0, x.dtype() == DType::f32 ? along_lines<float>(c.g(), x, y, dim, line<float>)
                                     : along_lines<double>(c.g(), x, y, dim, line<double>));
    return true;
  }
  static Outs batch(Batch& b) { return batch_over_dim(b, 1, -1); }
};
ADJ_OP(LogCumsumExp, "logcumsumexp(input: Tensor, dim: int) -> Tensor", R"(
The logarithms of the cumulative sums of `exp(input)` along `dim`, computed without overflow.

>>> adjoint.logcumsumexp(adjoint.tensor([0., 0.]), dim=0)
tensor([0.0000, 0.6931])
)");

}  // namespace
}  // namespace adj
