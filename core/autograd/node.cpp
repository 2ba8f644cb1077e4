#include "autograd/node.h"

#include <atomic>
#include <cstring>

#include "autograd/history.h"
#include "cpu/allocator.h"
#include "ops/vocabulary.h"

namespace adj {

namespace {
std::atomic<uint64_t> sequence_counter{0};

// Long chains are freed by a loop: a node that dies while another is dying waits its turn.
thread_local SmallVec<Node*, 16>* dying = nullptr;
}  // namespace

Node::Node() : sequence(sequence_counter.fetch_add(1, std::memory_order_relaxed)) {}

Node::~Node() {
  if (metadata) python_references.decrement(metadata);
}

void Node::trace(Tracer& tracer) const {
  for (auto& e : next)
    if (e.node) tracer.visit(e.node.get());
  if (metadata) tracer.visit_python(metadata);
  if (!hooks) return;
  for (auto& h : hooks->tensor) tracer.visit(h.hook.get());
  for (auto& h : hooks->before) tracer.visit(h.hook.get());
  for (auto& h : hooks->after) tracer.visit(h.hook.get());
}

void Node::clear() {
  SmallVec<Edge, 2> edges = std::move(next);
  std::unique_ptr<NodeHooks> old = std::move(hooks);
  if (metadata) python_references.decrement(std::exchange(metadata, nullptr));
}

void Node::destroy() {
  if (dying) {
    dying->push_back(this);
    return;
  }
  SmallVec<Node*, 16> queue;
  dying = &queue;
  queue.push_back(this);
  while (!queue.empty()) {
    Node* node = queue.back();
    queue.pop_back();
    delete node;
  }
  dying = nullptr;
}

void* Node::operator new(size_t size) { return allocate(size); }
void Node::operator delete(void* p, size_t size) { deallocate(p, size); }

void Saved::pack() {
  if (!tensor.defined()) return;
  if (tensor.requires_grad()) history = gradient_edge(tensor);
  GradMode off(false);
  packed = pack_tensor(tensor);
  tensor = {};
}

void Saved::pack_output(Node* node, uint32_t output) {
  if (!tensor.defined()) return;
  Tensor shown = detach(tensor);
  if (is_differentiable(shown.dtype())) set_history(shown, NodeRef(node), output);
  GradMode off(false);
  packed = pack_tensor(shown);
  tensor = {};
}

void Saved::unpack() {
  if (!packed || tensor.defined()) return;
  tensor = detach(packed->unpack());
  if (history.node) set_history(tensor, history.node, history.output);
  version = version_of(tensor);
}

void OpNode::save_arguments(const Value* args, const SmallVec<bool, 4>& needs) {
  int n = static_cast<int>(op.schema.params.size());
  int slot = 0, lists = 0;
  for (int i = 0; i < n; ++i) {
    const Value& v = args[i];
    int count = v.tag == Tag::tensor ? 1 : v.tag == Tag::tensors ? static_cast<int>(v.length) : 0;
    for (int k = 0; k < count; ++k, ++slot)
      if (needs[slot]) reads |= op.reads[i < 8 ? i : 7];
    lists += v.tag == Tag::ints || v.tag == Tag::complex;
  }
  dims.reserve(lists);
  values.reserve(n);
  for (int i = 0; i < n; ++i) {
    Value v = args[i];
    bool kept = reads >> i & 1;
    auto add_slot = [&](TensorImpl* x) {
      Slot& s = slots.emplace_back();
      s.argument = static_cast<uint8_t>(i);
      if (!x) return;
      s.meta.sizes = x->sizes;
      s.meta.dtype = x->dtype;
      if (!kept) return;
      s.saved.tensor = Tensor(x);
      s.saved.version = version_of(s.saved.tensor);
      if (x->history && tensor_saved && !x->python()) tensor_saved(x);
    };
    if (v.tag == Tag::tensor) {
      add_slot(v.tensor);
      v.tensor = nullptr;
    } else if (v.tag == Tag::tensors) {
      for (uint32_t k = 0; k < v.length; ++k) add_slot(v.tensors[k].get());
      v.tensors = nullptr;
    } else if (v.tag == Tag::ints || v.tag == Tag::complex) {
      dims.push_back(v.as_ints().copy());
      v.ints = dims.back().data();
    }
    values.push_back(v);
  }
}

void OpNode::save_outputs(const Outs& results) {
  for (int i = 0; i < results.size(); ++i) {
    Saved& saved = outs.emplace_back();
    if (!(reads >> (16 + i) & 1)) continue;
    // An alias without history: a node must not hold the tensor that holds it.
    saved.tensor = detach(results[i]);
    saved.version = version_of(results[i]);
  }
}

void OpNode::pack() {
  packed = true;
  for (auto& s : slots) s.saved.pack();
  for (int i = 0; i < outs.size(); ++i) outs[i].pack_output(this, static_cast<uint32_t>(i));
}

Tensor OpNode::unpack(const Saved& saved, const char* what) const {
  if (released)
    runtime_error(
        "Trying to backward through the graph a second time: what ", op.name, " (", op.node_name,
        ") saved was freed by the first backward. Call backward(retain_graph=True) the first time "
        "if you need the graph again, or recompute the result.");
  if (!saved.tensor.defined())
    runtime_error("adjoint bug: ", op.node_name, " reads a ", what, " that it does not declare");
  uint32_t now = version_of(saved.tensor);
  if (now != saved.version) {
    const char* writer = saved.tensor->storage->last_writer.load(std::memory_order_relaxed);
    runtime_error(
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation: [",
        scalar_name_of(saved.tensor.dtype()), "Tensor ", saved.tensor.sizes(), "], saved by ",
        op.name, " (", op.node_name, ") as its ", what, ", was then written by ",
        writer ? writer : "an in-place operation", "; it is at version ", now,
        ", expected version ", saved.version,
        ". Write to a copy (x = x.clone()), or use the "
        "out-of-place form.");
  }
  return saved.tensor;
}

namespace {
// What hooks packed is there while the node runs.
struct Unpacked {
  explicit Unpacked(OpNode& node) : node(node) {
    if (!node.packed || node.released) return;
    for (auto& s : node.slots) s.saved.unpack();
    for (auto& s : node.outs) s.unpack();
  }
  ~Unpacked() {
    if (!node.packed) return;
    for (auto& s : node.slots) s.saved.tensor = {};
    for (auto& s : node.outs) s.tensor = {};
  }
  OpNode& node;
};
}  // namespace

TensorList OpNode::apply(TensorList&& cotangents, const SmallVec<bool, 4>& needs,
                         bool create_graph) {
  Unpacked unpacked(*this);
  TensorList grads(slots.size());
  Vjp c{*this, cotangents, needs, create_graph, grads};
  auto is_plain = [](const Tensor& x) { return !x.defined() || !x.wrapped(); };
  bool plain = !create_graph;
  for (auto& g : cotangents) plain = plain && is_plain(g);
  for (auto& s : slots) plain = plain && is_plain(s.saved.tensor);
  for (auto& s : outs) plain = plain && is_plain(s.tensor);
  if (!(plain && op.fast_vjp && op.fast_vjp(c))) op.vjp(c);
  // In the dtype of the operand: kernels compute halves in float32, and a real operand among
  // complex ones gets the real part.
  for (int i = 0; i < slots.size(); ++i)
    if (grads[i].defined() && grads[i].dtype() != slots[i].meta.dtype)
      grads[i] = ops::to_dtype(grads[i], slots[i].meta.dtype);
  return grads;
}

void OpNode::release() {
  if (!reads) return;
  released = true;
  for (auto& s : slots) s.saved = {};
  for (auto& s : outs) s = {};
}

void OpNode::clear() {
  released = true;
  for (auto& s : slots) Saved dropped = std::move(s.saved);
  for (auto& s : outs) Saved dropped = std::move(s);
  Node::clear();
}

void OpNode::trace(Tracer& tracer) const {
  Node::trace(tracer);
  for (auto& s : slots) s.saved.trace(tracer);
  for (auto& s : outs) s.trace(tracer);
}

void Saved::trace(Tracer& tracer) const {
  if (tensor.defined()) tracer.visit(tensor.get());
  if (packed) tracer.visit(packed.get());
  if (history.node) tracer.visit(history.node.get());
}

Tensor Vjp::out(int i) const {
  Tensor y = node.unpack(node.outs[i], "result");
  if (!create_graph || !node.recorded) return y;
  Tensor result = detach(y);
  set_history(result, NodeRef(&node), static_cast<uint32_t>(i));
  return result;
}

Tensor Vjp::g(int i) const {
  if (cotangents[i].defined()) return cotangents[i];
  const TensorMeta& meta = node.outputs[i];
  Tensor zeros = empty(meta.sizes, meta.dtype);
  memset(zeros.data(), 0, static_cast<size_t>(zeros.numel()) * itemsize(meta.dtype));
  return zeros;
}

}  // namespace adj
