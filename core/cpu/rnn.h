// Recurrent layers over whole sequences, one direction of one layer at a time. float32, float64.
//
// Rows of all steps lie one after the other: step t has batch_sizes[t] of them, which never grow,
// the first elements of the batch. A reversed layer starts at the last step.
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace adj {

enum class RnnKind : uint8_t { lstm, gru, tanh, relu };

constexpr int64_t gates_of(RnnKind k) { return k == RnnKind::lstm ? 4 : k == RnnKind::gru ? 3 : 1; }
// The widths, in units of n, of what forward keeps for backward.
constexpr int64_t kept_of(RnnKind k) { return k == RnnKind::lstm || k == RnnKind::gru ? 4 : 0; }

struct RnnLayer {
  RnnKind kind;
  DType dtype;
  int64_t n, batch, rows, steps;  // hidden units; elements; rows of all steps
  const int64_t* batch_sizes;
  bool reverse;
  const void *h0, *c0;         // [batch, n]; c0 of an LSTM
  const void *weight, *bias;   // [gates n, n]; bias of a GRU alone, [3 n] or null
};

// x [rows, gates n]: what the input gives to the gates. h [rows, n], hn and cn [batch, n], gates
// [rows, kept n], c [rows, n].
void rnn_forward(const RnnLayer& a, const void* x, void* h, void* hn, void* cn, void* gates,
                 void* c);
// Cotangents dh of h, dhn, dcn of the last states (null: zero) to dx, dgates (a GRU's; otherwise it
// is dx), dh0, dc0, and dweight and dbias unless null.
void rnn_backward(const RnnLayer& a, const void* dh, const void* dhn, const void* dcn,
                  const void* h, const void* gates, const void* c, void* dx, void* dgates,
                  void* dh0, void* dc0, void* dweight, void* dbias);

}  // namespace adj
