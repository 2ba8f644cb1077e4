// The table of the functions that exist once per instruction-set level. Each part is declared
// beside the functions that call it; cpu/isa/kernels.cpp puts them together.
#pragma once
#include "cpu/cast_kernels.h"
#include "cpu/gather_kernels.h"
#include "cpu/gemm_kernels.h"
#include "cpu/norm_kernels.h"
#include "cpu/optim_kernels.h"
#include "cpu/random_kernels.h"
#include "cpu/reduce_kernels.h"

namespace adj {

struct Kernels {
  CastKernels cast;
  ReduceKernels reduce;
  NormKernels norm;
  GemmKernels gemm;
  RandomKernels random;
  GatherKernels gather;
  OptimKernels optim;
};

}  // namespace adj
