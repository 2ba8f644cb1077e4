#include "cpu/resample.h"

#include <algorithm>

#include "cpu/allocator.h"
#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

void resample(DType t, void* y, const void* x, int64_t planes, const RunDim* dims) {
  auto size = static_cast<int64_t>(itemsize(t));
  // Dims that shrink first, so that little is computed twice.
  int order[3] = {0, 1, 2};
  std::stable_sort(order, order + 3,
                   [&](int a, int b) { return dims[a].m * dims[b].n < dims[b].m * dims[a].n; });
  int64_t sizes[3] = {dims[0].n, dims[1].n, dims[2].n}, half = 0;
  int64_t in = sizes[0] * sizes[1] * sizes[2], out = dims[0].m * dims[1].m * dims[2].m;
  if (planes == 0 || out == 0) return;
  for (int d : order) {
    sizes[d] = dims[d].m;
    half = std::max(half, sizes[0] * sizes[1] * sizes[2]);
  }
  parallel_for(planes, 16384 / (in + out) + 1, [&](int64_t from, int64_t to) {
    auto bytes = static_cast<size_t>(2 * half * size);
    void* scratch = allocate(bytes);
    kernels().resample.planes[t == DType::f64](static_cast<char*>(y) + from * out * size,
                                               static_cast<const char*>(x) + from * in * size,
                                               scratch, half, to - from, dims, order);
    deallocate(scratch, bytes);
  });
}

}  // namespace adj
