// What the recurrent layers and cells share: one direction of one layer, over a whole sequence.
#pragma once
#include "cpu/rnn.h"
#include "ops/kinds/kinds.h"
#include "ops/vocabulary.h"

namespace adj {

// x [rows, gates n]: what the input gives to the gates, for all steps one after the other.
struct RnnState {
  Tensor h, c;  // c of an LSTM
};
struct RnnResult {
  Tensor out;      // [rows, n]
  RnnState last;   // [batch, n]
};
// `projection` [p, n] of an LSTM, or undefined: h is then p wide. `bias` of a GRU, or undefined.
RnnResult run_layer(RnnKind kind, const Tensor& x, const RnnState& start, const Tensor& weight,
                    const Tensor& bias, const Tensor& projection, DimsView batch_sizes,
                    bool reverse);
// One step by plain operators: x [b, gates n] and the state to the next state.
RnnState rnn_step(RnnKind kind, const Tensor& x, const RnnState& state, const Tensor& weight,
                  const Tensor& bias, const Tensor& projection);

}  // namespace adj
