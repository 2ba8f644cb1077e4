// Positions of the largest and smallest elements.
#include "cpu/isa/vec.h"
#include "cpu/reduce_kernels.h"

namespace adj {
inline namespace ADJ_ISA {

// The first position of `value`, or of a NaN if it is one; it is there.
template <class T>
int64_t find(const T* x, int64_t n, T value) {
  constexpr int64_t kPiece = 256;
  for (int64_t i = 0;; i += kPiece) {
    int64_t end = n - i < kPiece ? n : i + kPiece;
    int hits = 0;
    for (int64_t k = i; k < end; ++k) hits |= (x[k] == value) | (x[k] != x[k]);
    if (!hits) continue;
    for (int64_t k = i; k < end; ++k)
      if ((x[k] == value) | (x[k] != x[k])) return k;
  }
}

// The extremum of a piece in a pass that vectorises; its place is looked for only if it is a new
// one.
template <class Op, class T>
void arg_rows(void* values, int64_t* positions, const void* x, int64_t rows, int64_t n,
              int64_t stride) {
  constexpr int64_t kPiece = 4096;
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    T best = row[0];
    int64_t position = 0;
    for (int64_t i = 0; i < n && best == best; i += kPiece) {
      int64_t m = n - i < kPiece ? n - i : kPiece;
      T top = Op::template identity<T>();
      if constexpr (T(0.5) != T(0)) {
        top = extremum_of<Op>(row + i, m);
      } else {
        for (int64_t k = 0; k < m; ++k) top = Op::combine(top, row[i + k]);
      }
      bool is_new = i == 0 || top != top || (top != best && Op::combine(best, top) == top);
      if (!is_new) continue;
      position = i + find(row + i, m, top);
      best = top;
    }
    positions[r] = position;
    if (values) static_cast<T*>(values)[r] = row[position];
  }
}

// Positions in the width of T where that is enough for n, so that the loop vectorises.
template <class Op, class T>
void arg_columns(void* values, int64_t* positions, const void* x, int64_t n, int64_t m,
                 int64_t stride) {
  using Index = decltype([] {
    if constexpr (sizeof(T) == 8) return int64_t();
    else return int32_t();
  }());
  constexpr int64_t kColumns = 512;
  T best_buffer[kColumns];
  Index index_buffer[kColumns];
  for (int64_t from = 0; from < m; from += kColumns) {
    int64_t width = m - from < kColumns ? m - from : kColumns;
    const T* s = static_cast<const T*>(x) + from;
    T* __restrict best = best_buffer;
    Index* __restrict index = index_buffer;
    for (int64_t j = 0; j < width; ++j) best[j] = s[j], index[j] = 0;
    for (int64_t k = 1; k < n; ++k) {
      const T* row = s + k * stride;
      for (int64_t j = 0; j < width; ++j) {
        T v = row[j], b = best[j];
        // strictly better, or the first NaN
        bool better = ((Op::combine(b, v) == v) & (v != b) & (b == b)) | ((v != v) & (b == b));
        best[j] = better ? v : b;
        index[j] = better ? Index(k) : index[j];
      }
    }
    for (int64_t j = 0; j < width; ++j) positions[from + j] = index[j];
    if (values)
      memcpy(static_cast<T*>(values) + from, best, static_cast<size_t>(width) * sizeof(T));
  }
}

template <class T>
void set_arg(ReduceKernels& k, int t) {
  k.arg_rows[0][t] = arg_rows<MaxOp, T>;
  k.arg_rows[1][t] = arg_rows<MinOp, T>;
  k.arg_columns[0][t] = arg_columns<MaxOp, T>;
  k.arg_columns[1][t] = arg_columns<MinOp, T>;
}

void fill_arg(ReduceKernels& k) {
  set_arg<uint8_t>(k, 0);
  set_arg<uint8_t>(k, 1);
  set_arg<int8_t>(k, 2);
  set_arg<int16_t>(k, 3);
  set_arg<int32_t>(k, 4);
  set_arg<int64_t>(k, 5);
  set_arg<float>(k, 8);
  set_arg<double>(k, 9);
}

}  // namespace ADJ_ISA
}  // namespace adj
