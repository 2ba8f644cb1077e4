// Backward: runs the graph from outputs to leaves.
#pragma once
#include "autograd/node.h"

namespace adj {

struct BackwardOptions {
  bool retain_graph = false;
  bool create_graph = false;
  bool accumulate = true;     // into .grad; otherwise the gradients of `inputs` are returned
  bool allow_unused = false;
};

// `grads` has an entry per output, undefined for "one, the output being a scalar". With no inputs,
// every leaf reached gets its gradient.
TensorList run_backward(const TensorList& outputs, const TensorList& grads,
                        const TensorList& inputs, const BackwardOptions& options);

// Calls `callback` once the backward that is running in this thread has ended.
void at_end_of_backward(HookRef callback);

// Whether every leaf that the graph of `outputs` reaches is among `inputs`.
bool graph_reaches_only(const TensorList& outputs, const TensorList& inputs);

}  // namespace adj
