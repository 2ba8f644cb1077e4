// Rows copied and added, per instruction-set level.
#pragma once
#include <cstdint>

namespace adj {

struct GatherKernels {
  // out[j] = x[index[j]], rows of `bytes`
  void (*copy_rows)(void* out, const void* x, const int64_t* index, int64_t m, int64_t bytes);
  // out[index[j]] += alpha * source[j], rows of `inner` elements, for j in order[0 .. m), or with
  // order null for j < m. By dtype; complex numbers as pairs.
  void (*index_add[12])(void* out, const void* source, const int64_t* index, const int64_t* order,
                        int64_t m, int64_t inner, double alpha);
};

}  // namespace adj
