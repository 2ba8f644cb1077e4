#include "cpu/kernels.h"

namespace adj {
inline namespace ADJ_ISA {

void fill(CastKernels&);
void fill(ReduceKernels&);
void fill(NormKernels&);
void fill(GemmKernels&);
void fill(RandomKernels&);
void fill(GatherKernels&);
void fill(OptimKernels&);

const Kernels& all_kernels() {
  static const Kernels& table = [&]() -> const Kernels& {
    static Kernels k{};
    fill(k.cast);
    fill(k.reduce);
    fill(k.norm);
    fill(k.gemm);
    fill(k.random);
    fill(k.gather);
    fill(k.optim);
    return k;
  }();
  return table;
}

}  // namespace ADJ_ISA
}  // namespace adj
