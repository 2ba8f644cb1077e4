// Sums, products, extrema and the like over rows (contiguous) and over columns (side by side).
#include "cpu/isa/vec.h"
#include "cpu/reduce_kernels.h"
#include "scalar/math.h"

namespace adj {
inline namespace ADJ_ISA {

struct Same {
  template <class V>
  static V map(V x) {
    return x;
  }
};
struct Magnitude {
  template <class V>
  static V map(V x) {
    return x < 0 ? -x : x;
  }
};
struct Square {
  template <class V>
  static V map(V x) {
    return x * x;
  }
};

template <class Op, class Map, class T>
void float_rows(void* out, const void* x, int64_t rows, int64_t n, int64_t stride) {
  auto* o = static_cast<T*>(out);
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    o[r] = reduce_pairwise<Op, T>(
        n, [&](int64_t i) { return Map::map(load(row + i)); },
        [&](int64_t i) { return Map::map(row[i]); });
  }
}

template <class Op, class T>
void extremum_rows(void* out, const void* x, int64_t rows, int64_t n, int64_t stride) {
  for (int64_t r = 0; r < rows; ++r)
    static_cast<T*>(out)[r] = extremum_of<Op>(static_cast<const T*>(x) + r * stride, n);
}

// out[j] = out[j] + the reduction of `count` rows, which is 1 or 8 (in a tree).
template <class Op, class Map, int count, class T>
inline void add_rows(T* out, const T* x, int64_t width, int64_t stride) {
  auto tree = [&](auto at) {
    if constexpr (count == 1) {
      return Map::map(at(0));
    } else {
      auto two = [&](int k) { return Op::combine(Map::map(at(k)), Map::map(at(k + 1))); };
      return Op::combine(Op::combine(two(0), two(2)), Op::combine(two(4), two(6)));
    }
  };
  int64_t j = 0;
  for (; j + kWidth<T> <= width; j += kWidth<T>)
    store(out + j,
          Op::combine(load(out + j), tree([&](int k) { return load(x + k * stride + j); })));
#pragma GCC unroll 1
  for (; j < width; ++j)
    out[j] = Op::combine(out[j], tree([&](int k) { return x[k * stride + j]; }));
}

// Eight rows at a time into a first accumulator, that every 128 rows into the result.
template <class Op, class Map, class T>
void float_columns(void* out, const void* x, int64_t n, int64_t m, int64_t stride) {
  constexpr int64_t kColumns = 1024;
  alignas(64) T acc[kColumns];
  for (int64_t from = 0; from < m; from += kColumns) {
    int64_t width = m - from < kColumns ? m - from : kColumns;
    T* o = static_cast<T*>(out) + from;
    const T* s = static_cast<const T*>(x) + from;
    for (int64_t j = 0; j < width; ++j) o[j] = Op::template identity<T>();
    for (int64_t k = 0; k < n;) {
      int64_t end = n - k < 128 ? n : k + 128;
      for (int64_t j = 0; j < width; ++j) acc[j] = Op::template identity<T>();
      for (; k + 8 <= end; k += 8) add_rows<Op, Map, 8>(acc, s + k * stride, width, stride);
      for (; k < end; ++k) add_rows<Op, Map, 1>(acc, s + k * stride, width, stride);
      add_rows<Op, Same, 1>(o, acc, width, 0);
    }
  }
}

// Of T into A, in any order: integers, and tests for zero.
template <class Op, class Map, class T, class A>
void exact_rows(void* out, const void* x, int64_t rows, int64_t n, int64_t stride) {
  auto* o = static_cast<A*>(out);
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    A a = Op::template identity<A>();
    for (int64_t i = 0; i < n; ++i) a = Op::combine(a, A(Map::map(A(row[i]))));
    o[r] = a;
  }
}
template <class Op, class Map, class T, class A>
void exact_columns(void* out, const void* x, int64_t n, int64_t m, int64_t stride) {
  constexpr int64_t kColumns = 1024;
  for (int64_t from = 0; from < m; from += kColumns) {
    int64_t width = m - from < kColumns ? m - from : kColumns;
    A* __restrict o = static_cast<A*>(out) + from;
    for (int64_t j = 0; j < width; ++j) o[j] = Op::template identity<A>();
    for (int64_t k = 0; k < n; ++k) {
      const T* s = static_cast<const T*>(x) + k * stride + from;
      for (int64_t j = 0; j < width; ++j) o[j] = Op::combine(o[j], A(Map::map(A(s[j]))));
    }
  }
}

// any (stop at the first one that is not 0) and all (at the first 0), looked for in pieces.
template <bool any, class T>
void test_rows(void* out, const void* x, int64_t rows, int64_t n, int64_t stride) {
  auto* o = static_cast<uint8_t*>(out);
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    bool found = false;
    for (int64_t i = 0; i < n && !found; i += 1024) {
      int64_t end = n - i < 1024 ? n : i + 1024;
      int hits = 0;
      for (int64_t k = i; k < end; ++k) hits |= any ? row[k] != T(0) : row[k] == T(0);
      found = hits;
    }
    o[r] = found == any;
  }
}
template <bool any, class T>
void test_columns(void* out, const void* x, int64_t n, int64_t m, int64_t stride) {
  auto* __restrict o = static_cast<uint8_t*>(out);
  for (int64_t j = 0; j < m; ++j) o[j] = !any;
  for (int64_t k = 0; k < n; ++k) {
    const T* s = static_cast<const T*>(x) + k * stride;
    for (int64_t j = 0; j < m; ++j)
      o[j] = any ? o[j] | uint8_t(s[j] != T(0)) : o[j] & uint8_t(s[j] != T(0));
  }
}
template <class T>
void count_rows(void* out, const void* x, int64_t rows, int64_t n, int64_t stride) {
  auto* o = static_cast<int64_t*>(out);
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    int64_t count = 0;
    for (int64_t i = 0; i < n; ++i) count += row[i] != T(0);
    o[r] = count;
  }
}
template <class T>
void count_columns(void* out, const void* x, int64_t n, int64_t m, int64_t stride) {
  auto* __restrict o = static_cast<int64_t*>(out);
  for (int64_t j = 0; j < m; ++j) o[j] = 0;
  for (int64_t k = 0; k < n; ++k) {
    const T* s = static_cast<const T*>(x) + k * stride;
    for (int64_t j = 0; j < m; ++j) o[j] += s[j] != T(0);
  }
}

template <class Op, class Map, class T>
void set_float(ReduceKernels& k, Reduce op, int t) {
  k.rows[static_cast<int>(op)][t] = float_rows<Op, Map, T>;
  k.columns[static_cast<int>(op)][t] = float_columns<Op, Map, T>;
}
template <class Op, class Map, class T, class A>
void set_exact(ReduceKernels& k, Reduce op, int t) {
  k.rows[static_cast<int>(op)][t] = exact_rows<Op, Map, T, A>;
  k.columns[static_cast<int>(op)][t] = exact_columns<Op, Map, T, A>;
}

template <class T>
void set_tests(ReduceKernels& k, int t) {
  auto any = static_cast<int>(Reduce::any), all = static_cast<int>(Reduce::all);
  auto count = static_cast<int>(Reduce::count_nonzero);
  k.rows[any][t] = test_rows<true, T>;
  k.columns[any][t] = test_columns<true, T>;
  k.rows[all][t] = test_rows<false, T>;
  k.columns[all][t] = test_columns<false, T>;
  k.rows[count][t] = count_rows<T>;
  k.columns[count][t] = count_columns<T>;
}

template <class T>
void set_floating(ReduceKernels& k, int t) {
  set_float<SumOp, Same, T>(k, Reduce::sum, t);
  set_float<ProdOp, Same, T>(k, Reduce::prod, t);
  k.columns[static_cast<int>(Reduce::amax)][t] = float_columns<MaxOp, Same, T>;
  k.columns[static_cast<int>(Reduce::amin)][t] = float_columns<MinOp, Same, T>;
  k.rows[static_cast<int>(Reduce::amax)][t] = extremum_rows<MaxOp, T>;
  k.rows[static_cast<int>(Reduce::amin)][t] = extremum_rows<MinOp, T>;
  set_float<SumOp, Magnitude, T>(k, Reduce::sum_abs, t);
  set_float<SumOp, Square, T>(k, Reduce::sum_squares, t);
  set_tests<T>(k, t);
}

// Sums and products of integers are int64, and wrap: hence computed without a sign.
template <class T>
void set_integer(ReduceKernels& k, int t) {
  set_exact<SumOp, Same, T, uint64_t>(k, Reduce::sum, t);
  set_exact<ProdOp, Same, T, uint64_t>(k, Reduce::prod, t);
  set_exact<MaxOp, Same, T, T>(k, Reduce::amax, t);
  set_exact<MinOp, Same, T, T>(k, Reduce::amin, t);
  set_tests<T>(k, t);
}

void fill_arg(ReduceKernels& k);
void fill_moments(ReduceKernels& k);

void fill(ReduceKernels& k) {
  set_integer<uint8_t>(k, 0);  // bool, as bytes of 0 and 1
  set_integer<uint8_t>(k, 1);
  set_integer<int8_t>(k, 2);
  set_integer<int16_t>(k, 3);
  set_integer<int32_t>(k, 4);
  set_integer<int64_t>(k, 5);
  set_floating<float>(k, 8);
  set_floating<double>(k, 9);
  fill_arg(k);
  fill_moments(k);
}

}  // namespace ADJ_ISA
}  // namespace adj
