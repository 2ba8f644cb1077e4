// Conversion of runs and transposition of tiles, per instruction-set level.
#pragma once
#include <cstdint>

namespace adj {

struct CastKernels {
  // dst[i] = src[i], [dst dtype][src dtype], both contiguous.
  void (*convert[12][12])(void* dst, const void* src, int64_t n);
  // dst[j][i] = src[i][j] for i < rows, j < columns, of items of 1, 2, 4, 8, 16 bytes (by their
  // logarithm). Rows of src and of dst are contiguous; their distances are in bytes.
  void (*transpose[5])(void* dst, int64_t dst_row, const void* src, int64_t src_row, int64_t rows,
                       int64_t columns);
  // Copies past the caches, for results that do not fit in them; followed by a store fence.
  void (*stream)(void* dst, const void* src, int64_t bytes);
};

}  // namespace adj
