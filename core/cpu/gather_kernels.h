// Rows copied and added, per instruction-set level.
#pragma once
#include <cstdint>

namespace adj {

struct GatherKernels {
  // out[j] = x[index[j]], rows of `bytes`
  void (*copy_rows)(void* out, const void* x, const int64_t* index, int64_t m, int64_t bytes);
  // out[index[j], from .. from + width] += alpha * source[j, from .. from + width] for j < m; rows
  // of `inner` elements. By dtype; complex numbers as pairs.
  void (*index_add[12])(void* out, const void* source, const int64_t* index, int64_t m,
                        int64_t inner, int64_t from, int64_t width, double alpha);
};

}  // namespace adj
