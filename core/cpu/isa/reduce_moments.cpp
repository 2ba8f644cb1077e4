// Mean and variance in one pass over memory, and logsumexp.
#include "cpu/isa/vec.h"
#include "cpu/reduce_kernels.h"
#include "scalar/math.h"

namespace adj {
inline namespace ADJ_ISA {

// Count, mean and sum of squared deviations; merged by the formula of Chan, Golub and LeVeque
// (1979).
struct Moments {
  double count = 0, mean = 0, squares = 0;
  void add(double n, double m, double s) {
    double total = count + n, delta = m - mean;
    squares += s + delta * delta * (count * n / total);
    mean += delta * (n / total);
    count = total;
  }
};

// Blocks that stay in the L1 cache are read twice: for their mean, then for the deviations from it.
// What the rounded mean is off by is taken out of the squares.
template <class T>
void moment_rows(double* moments, const void* x, int64_t rows, int64_t n, int64_t stride) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    Moments total;
    for (int64_t i = 0; i < n; i += kBlock) {
      int64_t m = n - i < kBlock ? n - i : kBlock;
      const T* p = row + i;
      T sum = reduce_lanes<SumOp, T>(
          m, [&](int64_t k) { return load(p + k); }, [&](int64_t k) { return p[k]; });
      T mean = sum / T(m);
      Vec<T> means = splat(mean);
      T off = reduce_lanes<SumOp, T>(
          m, [&](int64_t k) { return load(p + k) - means; },
          [&](int64_t k) { return p[k] - mean; });
      T squares = reduce_lanes<SumOp, T>(
          m,
          [&](int64_t k) {
            Vec<T> d = load(p + k) - means;
            return d * d;
          },
          [&](int64_t k) { return (p[k] - mean) * (p[k] - mean); });
      double count = double(m);
      total.add(count, double(mean) + double(off) / count,
                double(squares) - double(off) * double(off) / count);
    }
    moments[2 * r] = total.mean;
    moments[2 * r + 1] = total.squares;
  }
}

template <class T>
void moment_columns(double* moments, const void* x, int64_t n, int64_t m, int64_t stride) {
  constexpr int64_t kColumns = 256, kRows = 32;
  alignas(64) T sum[kColumns], off[kColumns], squares[kColumns];
  alignas(64) double mean[kColumns], total[kColumns];
  for (int64_t from = 0; from < m; from += kColumns) {
    int64_t width = m - from < kColumns ? m - from : kColumns;
    const T* s = static_cast<const T*>(x) + from;
    for (int64_t j = 0; j < width; ++j) mean[j] = total[j] = 0;
    for (int64_t k = 0; k < n; k += kRows) {
      int64_t rows = n - k < kRows ? n - k : kRows;
      const T* tile = s + k * stride;
      for (int64_t j = 0; j < width; ++j) sum[j] = off[j] = squares[j] = 0;
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < width; ++j) sum[j] += tile[i * stride + j];
      T scale = T(1) / T(rows);
      for (int64_t j = 0; j < width; ++j) sum[j] *= scale;
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < width; ++j) {
          T d = tile[i * stride + j] - sum[j];
          off[j] += d;
          squares[j] += d * d;
        }
      double before = double(k), count = double(rows), share = count / (before + count);
      for (int64_t j = 0; j < width; ++j) {
        double o = off[j];
        double delta = double(sum[j]) + o / count - mean[j];
        total[j] += double(squares[j]) - o * o / count + delta * delta * before * share;
        mean[j] += delta * share;
      }
    }
    for (int64_t j = 0; j < width; ++j) {
      moments[2 * (from + j)] = mean[j];
      moments[2 * (from + j) + 1] = total[j];
    }
  }
}

template <class T>
void logsumexp_rows(void* out, const void* x, int64_t rows, int64_t n, int64_t stride) {
  constexpr int64_t kPiece = 1024;
  alignas(64) T e[kPiece];
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    T top = max_of(row, n);
    T shift = isfinite(top) ? top : T(0);  // all -inf, or some inf or NaN: exp says what they mean
    T sum = 0;
    for (int64_t i = 0; i < n; i += kPiece) {
      int64_t m = n - i < kPiece ? n - i : kPiece;
      for (int64_t k = 0; k < m; ++k) e[k] = exp(row[i + k] - shift);
      sum += sum_of(e, m);
    }
    static_cast<T*>(out)[r] = shift + log(sum);
  }
}

template <class T>
void logsumexp_columns(void* out, const void* x, int64_t n, int64_t m, int64_t stride) {
  constexpr int64_t kColumns = 256;
  alignas(64) T top[kColumns];
  for (int64_t from = 0; from < m; from += kColumns) {
    int64_t width = m - from < kColumns ? m - from : kColumns;
    T* __restrict o = static_cast<T*>(out) + from;
    const T* s = static_cast<const T*>(x) + from;
    for (int64_t j = 0; j < width; ++j) top[j] = MaxOp::identity<T>();
    for (int64_t k = 0; k < n; ++k) {
      int64_t j = 0;
      for (; j + kWidth<T> <= width; j += kWidth<T>)
        store(top + j, MaxOp::combine(load(top + j), load(s + k * stride + j)));
      for (; j < width; ++j) top[j] = MaxOp::combine(top[j], s[k * stride + j]);
    }
    for (int64_t j = 0; j < width; ++j) {
      top[j] = isfinite(top[j]) ? top[j] : T(0);
      o[j] = 0;
    }
    for (int64_t k = 0; k < n; ++k)
      for (int64_t j = 0; j < width; ++j) o[j] += exp(s[k * stride + j] - top[j]);
    for (int64_t j = 0; j < width; ++j) o[j] = top[j] + log(o[j]);
  }
}

template <class T>
void set_moments(ReduceKernels& k, int is_double) {
  k.moment_rows[is_double] = moment_rows<T>;
  k.moment_columns[is_double] = moment_columns<T>;
  k.logsumexp_rows[is_double] = logsumexp_rows<T>;
  k.logsumexp_columns[is_double] = logsumexp_columns<T>;
}

void fill_moments(ReduceKernels& k) {
  set_moments<float>(k, 0);
  set_moments<double>(k, 1);
}

}  // namespace ADJ_ISA
}  // namespace adj
