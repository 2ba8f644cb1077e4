// The elementwise kind: from one scalar function to loops, gradients, broadcasting and promotion.
#pragma once
#include "autograd/history.h"
#include "cpu/elementwise_kernels.h"
#include "ops/kinds/kinds.h"
#include "ops/kinds/var.h"
#include "scalar/elementwise.h"

namespace adj {

struct ElementwiseInfo {
  int arity;
  int gradients;
  Types types;
  unsigned unpromoted;
  bool real_result;
  unsigned reads[4] = {};    // of the derivative by each operand; bit `arity` is the result
  bool unit[4] = {};         // the derivative is 1 whatever the operands
  Var (*derivative[4])(const Var* operands, const Var& result) = {};
  void (*check)(const Args&) = nullptr;  // an author's own check of the operands
  const ElementwiseKernels* kernels = nullptr;  // of the CPU's ISA level, looked up at first use
  const ElementwiseKernels* complex_kernels = nullptr;
};

Outs elementwise_forward(const Args& args);
void elementwise_vjp(Vjp& c);
bool elementwise_fast_vjp(Vjp& c);
Outs elementwise_jvp(Jvp& j);
Outs elementwise_batch(Batch& b);

template <class S, int K>
Var var_derivative(const Var* operands, const Var& result) {
  return derivative<K, S, Var>(operands, result);
}

template <class S, int K>
void fill_derivative(ElementwiseInfo& info) {
  if constexpr (K < S::gradients) {
    constexpr unsigned reads = derivative_reads<K, S>();
    info.reads[K] = reads;
    info.derivative[K] = var_derivative<S, K>;
    if constexpr (reads == 0) {
      const double zeros[S::arity] = {};
      info.unit[K] = derivative<K, S, double>(zeros, 0.0) == 1.0;
    }
    fill_derivative<S, K + 1>(info);
  }
}

template <int N, int G>
constexpr KindName Elementwise<N, G>::kind = G ? KindName::elementwise : KindName::constant;

template <int N, int G>
template <class S>
void Elementwise<N, G>::fill(Op& op) {
  auto* info = new ElementwiseInfo{N, G, S::types, S::unpromoted, S::real_result};
  fill_derivative<S, 0>(*info);
  if constexpr (requires(const Args& a) { S::check(a); }) info->check = &S::check;
  op.elementwise = info;
  op.forward = elementwise_forward;
  op.vjp = elementwise_vjp;
  op.fast_vjp = elementwise_fast_vjp;
  op.jvp = elementwise_jvp;
  op.batch = elementwise_batch;
  op.in_place = true;
  for (int k = 0; k < G; ++k) {
    unsigned operands = info->reads[k] & ((1u << N) - 1);
    op.reads[k] = operands | (info->reads[k] >> N & 1 ? output(0) : 0);
  }
  fill_common<S>(op);
}

}  // namespace adj
