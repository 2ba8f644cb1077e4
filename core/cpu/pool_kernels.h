// Pooling of whole planes (one image of one channel), per instruction-set level.
#pragma once
#include <cstdint>

namespace adj {

// The windows of one dim: outputs o < m look at start[o] + step t for t < count[o], all of them
// inside of the input's n positions. Outputs in [full_from, full_to) are regular: count is
// `kernel`, and starts are `stride` apart.
struct WindowDim {
  int64_t n = 1, m = 1, step = 1;
  const int32_t* start = nullptr;
  const int32_t* count = nullptr;
  int64_t kernel = 1, stride = 1, full_from = 0, full_to = 0;
};

struct PoolKernels {
  // y and where: [planes, m0, m1, m2], the largest value of each window and its position in the
  // plane. NaN is the largest, the last one of several; otherwise the first.
  void (*max[2])(void* y, int32_t* where, const void* x, int64_t planes, const WindowDim* dims);
  // dx [planes, n0, n1, n2], each g added where its maximum was.
  void (*max_backward[2])(void* dx, const void* g, const int32_t* where, int64_t planes,
                          const WindowDim* dims);
};

}  // namespace adj
