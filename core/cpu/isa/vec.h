// Vectors of the level's width, for the few loops that compilers do not vectorise: sums, because
// the order of additions is ours to choose, and maxima that propagate NaN.
#pragma once
#include <cstdint>
#include <cstring>

namespace adj {
inline namespace ADJ_ISA {

#if defined(__AVX512F__)
inline constexpr int kVecBytes = 64;
#elif defined(__AVX__)
inline constexpr int kVecBytes = 32;
#else
inline constexpr int kVecBytes = 16;
#endif

template <class T>
struct VecOf {
  typedef T Type __attribute__((vector_size(kVecBytes)));
};
template <class T>
using Vec = typename VecOf<T>::Type;
template <class T>
inline constexpr int kWidth = kVecBytes / static_cast<int>(sizeof(T));

template <class T>
inline Vec<T> load(const T* p) {
  Vec<T> v;
  memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
inline void store(T* p, Vec<T> v) {
  memcpy(p, &v, sizeof v);
}
template <class T>
inline Vec<T> splat(T x) {
  return x - Vec<T>{};
}

// Reductions keep this many partial results whatever the width of a vector, so that sums are the
// same at every level.
template <class T>
inline constexpr int kLanes = 128 / static_cast<int>(sizeof(T));

// The reduction of n values, at most some thousands: value(i) gives a Vec of those from i on,
// tail(i) one. Lanes are combined in a tree.
template <class Op, class T, class Value, class Tail>
inline T reduce_lanes(int64_t n, Value value, Tail tail) {
  constexpr int L = kLanes<T>, W = kWidth<T>, K = L / W;
  if (n < L) {
    T a = Op::template identity<T>();
#pragma GCC unroll 1
    for (int64_t i = 0; i < n; ++i) a = Op::combine(a, tail(i));
    return a;
  }
  Vec<T> acc[K];
  for (int k = 0; k < K; ++k) acc[k] = value(k * W);
  int64_t i = L;
  for (; i + L <= n; i += L)
    for (int k = 0; k < K; ++k) acc[k] = Op::combine(acc[k], value(i + k * W));
  if (i < n) {
    alignas(64) T rest[L];
    for (int j = 0; j < L; ++j) rest[j] = Op::template identity<T>();
    T* to = rest;
#pragma GCC unroll 1
    for (; i < n; ++i) *to++ = tail(i);
    for (int k = 0; k < K; ++k) acc[k] = Op::combine(acc[k], load(rest + k * W));
  }
  for (int w = K / 2; w > 0; w /= 2)
    for (int k = 0; k < w; ++k) acc[k] = Op::combine(acc[k], acc[k + w]);
  alignas(64) T lanes[W];
  store(lanes, acc[0]);
  for (int w = W / 2; w > 0; w /= 2)
    for (int j = 0; j < w; ++j) lanes[j] = Op::combine(lanes[j], lanes[j + w]);
  return lanes[0];
}

// Sums longer than this are split in halves, so that rounding errors grow with the logarithm of n.
inline constexpr int64_t kBlock = 2048;

template <class Op, class T, class Value, class Tail>
inline T reduce_pairwise(int64_t n, Value value, Tail tail) {
  if (n <= kBlock) return reduce_lanes<Op, T>(n, value, tail);
  // Results of blocks, merged as the carries of a binary counter: a tree without recursion.
  T partial[48];
  int depth = 0;
  int64_t blocks = 0;
  for (int64_t i = 0; i < n; i += kBlock) {
    int64_t m = n - i < kBlock ? n - i : kBlock;
    T r = reduce_lanes<Op, T>(
        m, [&](int64_t k) { return value(i + k); }, [&](int64_t k) { return tail(i + k); });
    ++blocks;
    for (int64_t b = blocks; (b & 1) == 0; b >>= 1) r = Op::combine(partial[--depth], r);
    partial[depth++] = r;
  }
  T r = partial[--depth];
  while (depth > 0) r = Op::combine(partial[--depth], r);
  return r;
}

struct SumOp {
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class V>
  static V combine(V a, V b) {
    return a + b;
  }
};
struct ProdOp {
  template <class T>
  static constexpr T identity() {
    return T(1);
  }
  template <class V>
  static V combine(V a, V b) {
    return a * b;
  }
};
// NaN if any is.
struct MaxOp {
  template <class T>
  static constexpr T identity() {
    if constexpr (T(0.5) != T(0)) return T(-__builtin_inf());
    else if constexpr (T(-1) > T(0)) return T(0);
    else return T(T(1) << (sizeof(T) * 8 - 1));
  }
  template <class V>
  static V combine(V a, V b) {
    return (b > a) | (b != b) ? b : a;
  }
};
struct MinOp {
  template <class T>
  static constexpr T identity() {
    if constexpr (T(0.5) != T(0)) return T(__builtin_inf());
    else if constexpr (T(-1) > T(0)) return T(-1);
    else return T(~(T(1) << (sizeof(T) * 8 - 1)));
  }
  template <class V>
  static V combine(V a, V b) {
    return (b < a) | (b != b) ? b : a;
  }
};

template <class T>
inline T sum_of(const T* x, int64_t n) {
  return reduce_pairwise<SumOp, T>(
      n, [&](int64_t i) { return load(x + i); }, [&](int64_t i) { return x[i]; });
}

// The largest (MaxOp) or smallest value, or NaN. Comparisons leave NaN out, which is looked for
// aside: that makes one instruction of each.
template <class Op, class T>
inline T extremum_of(const T* x, int64_t n) {
  constexpr int L = kLanes<T>, W = kWidth<T>, K = L / W;
  T best = Op::template identity<T>();
  int64_t i = 0;
  bool any_nan = false;
  if (n >= L) {
    Vec<T> top[K];
    for (int k = 0; k < K; ++k) top[k] = splat(best);
    auto nan = top[0] != top[0];
    for (; i + L <= n; i += L)
      for (int k = 0; k < K; ++k) {
        Vec<T> v = load(x + i + k * W);
        if constexpr (__is_same(Op, MaxOp)) top[k] = v > top[k] ? v : top[k];
        else top[k] = v < top[k] ? v : top[k];
        nan |= v != v;
      }
    for (int k = 1; k < K; ++k) top[0] = Op::combine(top[0], top[k]);
    for (int j = 0; j < W; ++j) {
      best = Op::combine(best, T(top[0][j]));
      any_nan |= nan[j] != 0;
    }
  }
#pragma GCC unroll 1
  for (; i < n; ++i) best = Op::combine(best, x[i]);
  return any_nan ? T(__builtin_nan("")) : best;
}
template <class T>
inline T max_of(const T* x, int64_t n) {
  return extremum_of<MaxOp>(x, n);
}

}  // namespace ADJ_ISA
}  // namespace adj
