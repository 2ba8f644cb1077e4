// The table of the functions that exist once per instruction-set level. Each part is declared
// beside the functions that call it; cpu/isa/kernels.cpp puts them together.
#pragma once
#include "cpu/attention_kernels.h"
#include "cpu/batch_norm_kernels.h"
#include "cpu/cast_kernels.h"
#include "cpu/conv_kernels.h"
#include "cpu/fft_kernels.h"
#include "cpu/gather_kernels.h"
#include "cpu/gemm_kernels.h"
#include "cpu/norm_kernels.h"
#include "cpu/optim_kernels.h"
#include "cpu/pool_kernels.h"
#include "cpu/random_kernels.h"
#include "cpu/reduce_kernels.h"
#include "cpu/resample_kernels.h"
#include "cpu/rnn_kernels.h"

namespace adj {

struct Kernels {
  CastKernels cast;
  ReduceKernels reduce;
  NormKernels norm;
  GemmKernels gemm;
  RandomKernels random;
  GatherKernels gather;
  OptimKernels optim;
  FftKernels fft;
  PoolKernels pool;
  ResampleKernels resample;
  BatchNormKernels batch_norm;
  AttentionKernels attention;
  RnnKernels rnn;
  ConvKernels conv;
};

}  // namespace adj
