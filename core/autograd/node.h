// A node of the graph: what a result remembers of the call that made it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "op.h"
#include "tensor/tensor.h"

namespace adj {

class Node;
using NodeRef = Ref<Node>;

// Where a cotangent flows: output number `output` of `node`.
struct Edge {
  NodeRef node;
  uint32_t output = 0;
};

struct TensorMeta {
  Dims sizes;
  DType dtype = DType::f32;
};

// A user's function on gradients; the binding keeps Python callables in these.
class Hook : public Counted {
 public:
  // Returns the gradients to go on with, entries undefined where nothing changes.
  virtual TensorList call(const TensorList& first, const TensorList* second) = 0;
};
using HookRef = Ref<Hook>;

struct NodeHooks {
  struct OnOutput {
    uint32_t output;
    HookRef hook;
    uint64_t id;
  };
  struct OnNode {
    HookRef hook;
    uint64_t id;
  };
  std::vector<OnOutput> tensor;       // on the gradient of one output, before the node runs
  std::vector<OnNode> before, after;  // on the node itself
  std::vector<std::pair<uint32_t, TensorImpl*>> retained;  // whose .grad is to be kept (weak)
};

class Node : public Counted {
 public:
  Node();
  ~Node() override;
  virtual const char* name() const = 0;

  // Gradients of the outputs to those of the inputs, one per edge; `needs(i)` tells which count.
  virtual TensorList apply(TensorList&& grads, const SmallVec<bool, 4>& needs,
                           bool create_graph) = 0;
  // Drops what was saved: after backward without retain_graph.
  virtual void release() {}
  // The leaf that an accumulating node adds to.
  virtual TensorImpl* variable() const { return nullptr; }
  // Python code runs in it, so the interpreter's lock is needed.
  virtual bool is_python() const { return false; }
  // Drops everything, for the cycle collector.
  virtual void clear();

  void trace(Tracer& tracer) const override;
  void destroy() override;
  static void* operator new(size_t size);
  static void operator delete(void* p, size_t size);

  NodeHooks& make_hooks() {
    if (!hooks) hooks = std::make_unique<NodeHooks>();
    return *hooks;
  }

  uint64_t sequence;  // counts up per process: a node runs after all that were made later
  SmallVec<Edge, 2> next;
  SmallVec<TensorMeta, 1> outputs;  // to make zeros of an absent cotangent
  std::unique_ptr<NodeHooks> hooks;
  void* metadata = nullptr;  // a Python dict, made on demand by the binding
};

// Called for every new node, so that the binding gives it a Python object (the cycle collector
// must see all nodes). Needs the interpreter's lock, as recording always does.
inline void (*node_created)(Node*) = nullptr;
// The same for a tensor that a node saves: several nodes may hold it, and what it refers to must be
// seen by the collector once.
inline void (*tensor_saved)(TensorImpl*) = nullptr;
template <class N, class... A>
Ref<N> make_node(A&&... args) {
  auto node = Ref<N>::adopt(new N(std::forward<A>(args)...));
  if (node_created) node_created(node.get());
  return node;
}

// What a hook of saved_tensors_hooks put in the place of a tensor.
class Packed : public Counted {
 public:
  virtual Tensor unpack() = 0;
};
inline Ref<Packed> (*pack_tensor)(const Tensor&) = nullptr;  // supplied by the binding

// A tensor kept for backward, with the version that it had.
struct Saved {
  Tensor tensor;
  uint32_t version = 0;
  Ref<Packed> packed;  // instead of the tensor
  Edge history;        // of a packed one

  void pack();
  // A result of `node`: it must not be held with its history.
  void pack_output(Node* node, uint32_t output);
  void unpack();  // `tensor` is there until it is dropped again
  void trace(Tracer& tracer) const;
};

// The node of every operator of the registry.
class OpNode final : public Node {
 public:
  struct Slot {  // a tensor among the arguments
    uint8_t argument;
    Saved saved;
    TensorMeta meta;
  };

  explicit OpNode(const Op& op) : op(op) {}
  const char* name() const override { return op.node_name; }
  TensorList apply(TensorList&& grads, const SmallVec<bool, 4>& needs, bool create_graph) override;
  void release() override;
  void clear() override;
  void trace(Tracer& tracer) const override;

  // Takes what `op` needs of a call's arguments for the gradients in `needs` (one per slot).
  void save_arguments(const Value* values, const SmallVec<bool, 4>& needs);
  void save_outputs(const Outs& outs);
  // Gives what was saved to the hooks of saved_tensors_hooks.
  void pack();
  Tensor unpack(const Saved& saved, const char* what) const;

  const Op& op;
  SmallVec<Value, 4> values;
  SmallVec<Dims, 1> dims;     // behind the `ints` of values
  SmallVec<Slot, 2> slots;
  SmallVec<Saved, 1> outs;
  uint32_t reads = 0;         // union of op.reads over the gradients that are needed
  bool released = false;
  bool packed = false;        // by hooks: unpacked for each run
  bool recorded = true;       // results are unpacked with this node as their history
};

// The context of one vjp: cotangents in, gradients out. Arguments are numbered as in the signature.
struct Vjp {
  OpNode& node;
  const TensorList& cotangents;
  const SmallVec<bool, 4>& wanted;  // per slot
  bool create_graph;
  TensorList& grads;                // per slot

  int slot(int argument) const {
    for (int i = 0; i < node.slots.size(); ++i)
      if (node.slots[i].argument == argument) return i;
    return -1;
  }
  bool needs(int argument, int element = 0) const {
    int s = slot(argument);
    return s >= 0 && wanted[s + element];
  }
  int count(int argument) const {  // how many tensors argument holds
    int n = 0;
    for (auto& s : node.slots) n += s.argument == argument;
    return n;
  }
  // The saved tensor; only what `reads` declares may be asked for.
  Tensor in(int argument, int element = 0) const {
    int s = slot(argument);
    return s < 0 ? Tensor() : node.unpack(node.slots[s + element].saved, "argument");
  }
  // The saved result, as the differentiable output of this node that it was.
  Tensor out(int i = 0) const;
  const TensorMeta& like(int argument, int element = 0) const {
    return node.slots[slot(argument) + element].meta;
  }
  const TensorMeta& out_like(int i = 0) const { return node.outputs[i]; }
  // The cotangent of output i; zeros where nothing flowed.
  Tensor g(int i = 0) const;
  bool has_g(int i) const { return cotangents[i].defined(); }
  const Value& value(int i) const { return node.values[i]; }
  template <class T>
  T arg(int i) const {
    return Get<T>::from(node.values[i]);
  }
  void set(int argument, Tensor grad, int element = 0) {
    grads[slot(argument) + element] = std::move(grad);
  }
};

}  // namespace adj
