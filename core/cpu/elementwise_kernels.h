// The loops of elementwise operators, found by the name of the operator's struct.
#pragma once
#include <cstdint>

namespace adj {

// out[i] = f(in[0][i], in[1][i], ...) over contiguous runs of one dtype.
using LoopFn = void (*)(int64_t n, void* out, const void* const* in);

struct ElementwiseKernels {
  const char* struct_name;
  LoopFn forward[12] = {};      // by dtype of the operands
  LoopFn backward[4][2] = {};  // by operand and float32 / float64: in = {g, operands..., result}
  ElementwiseKernels* next = nullptr;
};

// Those of the ISA level in use; null if there are none of that name.
const ElementwiseKernels* elementwise_kernels(const char* struct_name);
// The forward loops over complex64 and complex128.
const ElementwiseKernels* complex_elementwise_kernels(const char* struct_name);

}  // namespace adj
