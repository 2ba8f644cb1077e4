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
void fill(FftKernels&);
void fill(PoolKernels&);
void fill(ResampleKernels&);
void fill(BatchNormKernels&);
void fill(AttentionKernels&);
void fill(RnnKernels&);
void fill(ConvKernels&);

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
    fill(k.fft);
    fill(k.pool);
    fill(k.resample);
    fill(k.batch_norm);
    fill(k.attention);
    fill(k.rnn);
    fill(k.conv);
    return k;
  }();
  return table;
}

}  // namespace ADJ_ISA
}  // namespace adj
