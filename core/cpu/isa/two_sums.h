// Two sums over a run at once, for the statistics of normalisation.
#pragma once
#include "cpu/isa/vec.h"

namespace adj {
inline namespace ADJ_ISA {
namespace {

// In blocks, which meet in double precision: terms.vector(i, a, b) adds the terms of a vector of
// elements from i on, terms.one(i, a, b) those of one.
struct Pair {
  double a = 0, b = 0;
};
template <class T, class Load>
Pair two_sums(int64_t n, Load terms) {
  constexpr int W = kWidth<T>, K = kLanes<T> / W;
  Pair sums;
  for (int64_t from = 0; from < n; from += kBlock) {
    int64_t to = n - from < kBlock ? n : from + kBlock, i = from;
    Vec<T> a[K], b[K];
    for (int k = 0; k < K; ++k) a[k] = b[k] = splat(T(0));
    for (; i + K * W <= to; i += K * W)
      for (int k = 0; k < K; ++k) terms.vector(i + k * W, a[k], b[k]);
    for (int width = K / 2; width > 0; width /= 2)
      for (int k = 0; k < width; ++k) a[k] += a[k + width], b[k] += b[k + width];
    T first = 0, second = 0;
    for (; i < to; ++i) terms.one(i, first, second);
    alignas(64) T as[W], bs[W];
    store(as, a[0]);
    store(bs, b[0]);
    for (int w = W / 2; w > 0; w /= 2)
      for (int j = 0; j < w; ++j) as[j] += as[j + w], bs[j] += bs[j + w];
    sums.a += as[0] + first;
    sums.b += bs[0] + second;
  }
  return sums;
}

// x - shift and its square: with a shift near the mean, little is lost
template <class T>
struct Moments {
  const T* x;
  T shift;
  void vector(int64_t i, Vec<T>& a, Vec<T>& b) const {
    Vec<T> d = load(x + i) - splat(shift);
    a += d;
    b += d * d;
  }
  void one(int64_t i, T& a, T& b) const {
    T d = x[i] - shift;
    a += d;
    b += d * d;
  }
};

// g and g (x - mean)
template <class T>
struct Products {
  const T *g, *x;
  T mean;
  void vector(int64_t i, Vec<T>& a, Vec<T>& b) const {
    Vec<T> v = load(g + i);
    a += v;
    b += v * (load(x + i) - splat(mean));
  }
  void one(int64_t i, T& a, T& b) const {
    a += g[i];
    b += g[i] * (x[i] - mean);
  }
};

}  // namespace
}  // namespace ADJ_ISA
}  // namespace adj
