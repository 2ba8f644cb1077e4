// Linear maps along the dims of planes, each output a weighted run of inputs, and weighted sums of
// any elements; per instruction-set level.
#pragma once
#include <cstdint>

namespace adj {

// One dim: output o < m is the sum of weight[offset[o] + t] * input[start[o] + t] over t <
// count[o].
struct RunDim {
  int64_t n = 1, m = 1;
  const int32_t *start = nullptr, *count = nullptr, *offset = nullptr;
  const void* weight = nullptr;  // of the type of the data
  const void* across = nullptr;  // if every count is `taps`: [taps, m]
  int64_t taps = 0;
  bool identity = true;
};

struct ResampleKernels {
  // x [planes, n0, n1, n2] to y [planes, m0, m1, m2], the dims in the given order. scratch has room
  // for two of the largest plane in between.
  void (*planes[2])(void* y, const void* x, void* scratch, int64_t half, int64_t planes,
                    const RunDim* dims, const int* order);
  // y[j] = sum over t of weight[t * m + j] * x[at[t * m + j]]; terms of weight 0 are left out.
  void (*weighted[2])(void* y, const void* x, const int32_t* at, const void* weight, int64_t taps,
                      int64_t m);
  // sums[d * m + j] += sum over t of slope[(d * taps + t) * m + j] * x[at[t * m + j]] * g[j]
  void (*sloped[2])(void* sums, const void* x, const int32_t* at, const void* slope, const void* g,
                    int64_t dims, int64_t taps, int64_t m);
};

}  // namespace adj
