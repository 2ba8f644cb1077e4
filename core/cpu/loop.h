// Runs an elementwise kernel over operands of any strides and dtypes.
#pragma once
#include "cpu/elementwise_kernels.h"
#include "tensor/dims.h"
#include "tensor/dtype.h"

namespace adj {

constexpr int kMaxOperands = 6;

struct LoopOperand {
  char* data = nullptr;
  DType dtype = DType::f32;
  const int64_t* strides = nullptr;  // in elements, one per dim of the loop; null: the same for all
};

// out = fn(in...), the operands converted to `in_type` and the result from `out_type` on the way.
// Kernels see contiguous runs only: whatever is not one passes through a buffer in the L1 cache.
void run_loop(LoopFn fn, DimsView sizes, const LoopOperand& out, DType out_type,
              const LoopOperand* in, int count, DType in_type);

}  // namespace adj
