// What autograd knows of a tensor: its gradient, the node that made it, hooks; views and writes.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "autograd/modes.h"
#include "autograd/node.h"

namespace adj {

struct LeafHooks {
  struct Entry {
    HookRef hook;
    uint64_t id;
  };
  std::vector<Entry> tensor;       // on the gradient, before it is accumulated
  std::vector<Entry> accumulated;  // after it was
};

struct History {
  Tensor grad;
  NodeRef grad_fn;
  uint32_t output = 0;
  bool retains_grad = false;
  std::atomic<Node*> accumulator{nullptr};  // of a leaf: weak, the node holds the tensor
  std::unique_ptr<LeafHooks> hooks;         // of a leaf
  uint32_t rewrites = 0;       // of a base: how often an in-place write gave it another history
  uint32_t seen_rewrites = 0;  // of a view: at which of them its grad_fn was made
};

inline History& history_of(const Tensor& x) {
  if (!x->history) x->history = new History;
  return *x->history;
}

// The node that made x, brought up to date if x is a view whose base was written to; may be null.
NodeRef grad_fn(const Tensor& x);
inline bool is_leaf(const Tensor& x) { return !x.requires_grad() || !grad_fn(x); }
// Where the cotangent of x flows (a leaf's accumulating node is made on demand); null if nowhere.
Edge gradient_edge(const Tensor& x);

void set_requires_grad(const Tensor& x, bool on);
Tensor detach(const Tensor& x);
// A differentiable identity: a fresh tensor on the same memory.
Tensor alias(const Tensor& x);

// Marks x as a view of `of` that in-place writes must follow.
inline void set_base(const Tensor& x, const Tensor& of) {
  x->base = of->base ? of->base : of.ref();
}
// A view's flags follow its base's; a no-op for what is no view. Called before flags are read.
void refresh_view(const Tensor& x);

// Makes `node` (its output number `output`) the history of x.
void set_history(const Tensor& x, NodeRef node, uint32_t output);
// Records a call: `outs` become results of a new node if any argument requires grad.
void record(const Op& op, const Value* values, Outs& outs);
// The same for an in-place write into self, through views to their base.
void check_writable(const Tensor& self, const char* writer, bool recorded);
void rebase_history(const Tensor& self, NodeRef node, uint32_t output);

// Every tensor among a call's arguments, lists included: f(tensor, argument number).
template <class F>
void for_each_tensor(const Op& op, const Value* values, F&& f) {
  int n = static_cast<int>(op.schema.params.size());
  for (int i = 0; i < n; ++i) {
    const Value& v = values[i];
    if (v.tag == Tag::tensor) f(v.tensor, i);
    else if (v.tag == Tag::tensors)
      for (uint32_t k = 0; k < v.length; ++k)
        if (v.tensors[k].defined()) f(v.tensors[k].get(), i);
  }
}

// Adds into .grad of a leaf.
class AccumulateGrad final : public Node {
 public:
  explicit AccumulateGrad(const Tensor& variable);
  const char* name() const override { return "AccumulateGrad"; }
  TensorList apply(TensorList&& grads, const SmallVec<bool, 4>&, bool create_graph) override;
  TensorImpl* variable() const override { return variable_.get(); }
  void trace(Tracer& tracer) const override;
  void clear() override;
  void destroy() override;

 private:
  void forget();
  Tensor variable_;
  std::mutex mutex_;
};

}  // namespace adj
