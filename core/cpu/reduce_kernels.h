// Serial reductions of parts of a tensor, per instruction-set level; cpu/reduce.h calls them.
#pragma once
#include <cstdint>

namespace adj {

enum class Reduce : uint8_t {
  sum,
  prod,
  amax,
  amin,
  any,
  all,
  sum_abs,
  sum_squares,
  count_nonzero
};
inline constexpr int kReductions = 9;

struct ReduceKernels {
  // out[r] = the reduction of x[r * stride .. + n]; strides in elements. [reduction][dtype of x]
  void (*rows[kReductions][12])(void* out, const void* x, int64_t rows, int64_t n, int64_t stride);
  // out[j] = the reduction of x[k * stride + j] over k < n, for j < m
  void (*columns[kReductions][12])(void* out, const void* x, int64_t n, int64_t m, int64_t stride);

  // Largest (or smallest) values and their first positions; NaN counts as the largest and smallest.
  // `values` may be null. [smallest][dtype]
  void (*arg_rows[2][12])(void* values, int64_t* positions, const void* x, int64_t rows, int64_t n,
                          int64_t stride);
  void (*arg_columns[2][12])(void* values, int64_t* positions, const void* x, int64_t n, int64_t m,
                             int64_t stride);

  // moments[2 r], [2 r + 1]: the mean and the sum of squared deviations. [double]
  void (*moment_rows[2])(double* moments, const void* x, int64_t rows, int64_t n, int64_t stride);
  void (*moment_columns[2])(double* moments, const void* x, int64_t n, int64_t m, int64_t stride);

  // largest[r] and the sum of exp(x - largest). [double]
  void (*logsumexp_rows[2])(void* out, const void* x, int64_t rows, int64_t n, int64_t stride);
  void (*logsumexp_columns[2])(void* out, const void* x, int64_t n, int64_t m, int64_t stride);
};

}  // namespace adj
