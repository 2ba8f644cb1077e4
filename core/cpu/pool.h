// Pooling of contiguous planes, over one to three dims; float32 and float64.
#pragma once
#include "cpu/pool_kernels.h"
#include "tensor/dtype.h"

namespace adj {

// dims: always three. See PoolKernels.
void max_pool(DType t, void* y, int32_t* where, const void* x, int64_t planes,
              const WindowDim* dims);
void max_pool_backward(DType t, void* dx, const void* g, const int32_t* where, int64_t planes,
                       const WindowDim* dims);

}  // namespace adj
