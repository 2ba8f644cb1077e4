// What operators that pick elements along a dim share: (values, indices), and their derivatives.
#pragma once
#include <cmath>

#include "cpu/sort.h"
#include "ops/index.h"
#include "ops/reduce.h"

namespace adj {

// A tensor as [outer, n, inner] around one dim, contiguous.
struct Along {
  Tensor x;
  int dim;
  int64_t outer = 1, n = 1, inner = 1;

  Along(const char* name, const Tensor& given, int64_t dim_given)
      : x(given.contiguous() ? given : Tensor(ops::contiguous_copy(given))),
        dim(normalize_dim(dim_given, given.dim())) {
    if (is_complex(x.dtype()))
      fail(ErrorKind::not_implemented, name, " is not implemented for '", scalar_name_of(x.dtype()),
           "'");
    for (int i = 0; i < x.dim(); ++i) (i < dim ? outer : i == dim ? n : inner) *= x.size(i);
  }
  Dims sizes(int64_t k) const { return x.dim() ? sizes_with(x.sizes(), dim, k) : Dims(); }
};

// Calls f(T()) with the type of elements that are real numbers, of 4 bytes if floating.
template <class F>
void with_real_type(DType t, const F& f) {
  switch (t) {
    case DType::b8: return f(bool());
    case DType::u8: return f(uint8_t());
    case DType::i8: return f(int8_t());
    case DType::i16: return f(int16_t());
    case DType::i32: return f(int32_t());
    case DType::i64: return f(int64_t());
    case DType::f32: return f(float());
    default: return f(double());
  }
}

// What is the same for all that pick elements along a dim, which is argument number D.
template <int D>
struct Picks : Rule {
  static constexpr uint32_t saves = output(1);
  static void vjp(Vjp& c) { c.set(0, put_back(c, c.g(0), c.arg<int64_t>(D), saved_indices(c, 1))); }
  static Outs jvp(Jvp& j) {
    Outs outs = as_outs(ops::gather(j.t(0), j.arg<int64_t>(D), j.outs[1]));
    outs.push_back({});
    return outs;
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    Tensor x = with_one_dim(b.in(0));
    b.values[0].tensor = x.get();
    b.values[D] = from_right(b.arg<int64_t>(D), std::max(n, 1));
    Outs outs = b.run();
    if (n == 0)
      for (auto& y : outs) y = ops::squeeze(y, Dims{1});
    return outs;
  }
};

// One line of a sorted tensor: n elements `step` apart, of which `numbers` are not NaN (which come
// last).
struct Line {
  const Tensor& sorted;
  int64_t first, step, n, numbers;
};

// The element of each line whose rank `rank(line)` gives.
template <class F>
Outs pick_rank(const Along& a, bool keepdim, const F& rank) {
  int64_t total = a.outer * a.n * a.inner;
  Tensor positions = empty({total}, DType::i64), sorted = empty({total}, a.x.dtype());
  adj::sort(a.x.dtype(), false, sorted.data(), positions.data<int64_t>(), a.x.data(), a.outer, a.n,
            a.inner);
  Tensor exact = is_floating(a.x.dtype()) ? Tensor(ops::to_dtype(sorted, DType::f64)) : Tensor();
  Dims kept = a.sizes(1);
  Tensor chosen = empty(kept, DType::i64), at = empty(kept, DType::i64);
  for (int64_t o = 0; o < a.outer; ++o)
    for (int64_t i = 0; i < a.inner; ++i) {
      int64_t first = o * a.n * a.inner + i, numbers = a.n;
      if (exact.defined())
        while (numbers && std::isnan(exact.data<double>()[first + (numbers - 1) * a.inner]))
          --numbers;
      int64_t place = first + rank(Line{sorted, first, a.inner, a.n, numbers}) * a.inner;
      at.data<int64_t>()[o * a.inner + i] = place;
      chosen.data<int64_t>()[o * a.inner + i] = positions.data<int64_t>()[place];
    }
  Outs outs{take_elements(sorted, at, kept), chosen};
  if (!keepdim && a.x.dim())
    for (auto& y : outs)
      y = view_of(y,
                  {sizes_without(kept, a.dim), contiguous_strides(sizes_without(kept, a.dim)), 0});
  return outs;
}

// Of one element a line: the dim is put back in for the gradient. keepdim is argument D + 1.
template <int D>
struct PicksOne : Picks<D> {
  static void vjp(Vjp& c) {
    Tensor g = c.g(0), index = saved_indices(c, 1);
    bool gone = !c.template arg<bool>(D + 1) && c.like(0).sizes.size();
    int64_t dim = c.template arg<int64_t>(D);
    if (gone) {
      int d = normalize_dim(dim, c.like(0).sizes.size());
      g = ops::unsqueeze(g, d);
      index = ops::unsqueeze(index, d);
    }
    c.set(0, put_back(c, g, dim, index));
  }
  static Outs jvp(Jvp& j) {
    Tensor t = j.t(0), index = j.outs[1];
    int d = normalize_dim(j.template arg<int64_t>(D), t.dim());
    bool gone = !j.template arg<bool>(D + 1) && t.dim();
    Tensor y = ops::gather(t, d, gone ? Tensor(ops::unsqueeze(index, d)) : index);
    Outs outs = as_outs(gone ? Tensor(ops::squeeze(y, Dims{d})) : y);
    outs.push_back({});
    return outs;
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    if (n == 0) return batch_by_loop(b);
    b.values[D] = from_right(b.template arg<int64_t>(D), n);
    return b.run();
  }
};

}  // namespace adj
