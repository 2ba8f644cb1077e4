// The engine: nodes run in the reverse order of their making, so each runs once, after everything
// that its outputs flowed into; gradients wait in a small table until their node's turn.
#include "autograd/engine.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "autograd/history.h"
#include "autograd/python_lock.h"
#include "ops/vocabulary.h"

namespace adj {

namespace {

struct Pending {
  Node* node;
  TensorList grads;  // per output of the node
};

// Nodes that have received a gradient, the latest made first.
class Frontier {
 public:
  bool empty() const { return heap_.empty(); }

  TensorList& grads_of(Node* node) {
    uint32_t i = find(node);
    if (slots_[i].node) return pending_[slots_[i].index].grads;
    uint32_t index;
    if (free_.empty()) {
      index = static_cast<uint32_t>(pending_.size());
      pending_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Pending& p = pending_[index];
    p.node = node;
    p.grads.clear();
    p.grads.resize(std::max(node->outputs.size(), 1));
    slots_[i] = {node, index};
    heap_.push_back({node->sequence, index});
    std::push_heap(heap_.begin(), heap_.end());
    if (++used_ * 2 > slots_.size()) grow();
    return p.grads;
  }

  Pending pop() {
    std::pop_heap(heap_.begin(), heap_.end());
    uint32_t index = heap_.back().index;
    heap_.pop_back();
    Pending out = std::move(pending_[index]);
    free_.push_back(index);
    remove(out.node);
    return out;
  }

 private:
  struct Slot {
    Node* node = nullptr;
    uint32_t index = 0;
  };
  struct Turn {
    uint64_t sequence;
    uint32_t index;
    bool operator<(const Turn& o) const { return sequence < o.sequence; }
  };

  uint32_t hash(const Node* node) const {
    auto key = reinterpret_cast<uintptr_t>(node) >> 4;
    return static_cast<uint32_t>(key * 0x9E3779B97F4A7C15ull >> 32) & mask();
  }
  uint32_t mask() const { return static_cast<uint32_t>(slots_.size() - 1); }
  uint32_t find(const Node* node) const {
    uint32_t i = hash(node);
    while (slots_[i].node && slots_[i].node != node) i = (i + 1) & mask();
    return i;
  }
  void remove(const Node* node) {  // closes the gap, so that no tombstones are needed
    uint32_t i = find(node), j = i;
    --used_;
    for (;;) {
      slots_[i].node = nullptr;
      uint32_t home;
      do {
        j = (j + 1) & mask();
        if (!slots_[j].node) return;
        home = hash(slots_[j].node);
      } while (i <= j ? (i < home && home <= j) : (i < home || home <= j));
      slots_[i] = slots_[j];
      i = j;
    }
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (Slot& s : old)
      if (s.node) slots_[find(s.node)] = s;
  }

  std::vector<Slot> slots_ = std::vector<Slot>(32);
  std::vector<Pending> pending_;
  std::vector<uint32_t> free_;
  std::vector<Turn> heap_;
  uint32_t used_ = 0;
};

bool owned_alone(const Tensor& x) {
  return x.get()->unique() && !x->base && x.contiguous() &&
         x->storage->references.load(std::memory_order_acquire) == 1;
}

void accumulate(Tensor& sum, Tensor&& g, bool create_graph) {
  if (!sum.defined()) {
    sum = std::move(g);
    return;
  }
  bool plain = !create_graph && !sum.wrapped() && !g.wrapped() && sum.sizes() == g.sizes() &&
               sum.dtype() == g.dtype();
  if (plain && owned_alone(sum)) ops::add.into(sum, g);
  else if (plain && owned_alone(g)) {
    ops::add.into(g, sum);
    sum = std::move(g);
  } else {
    sum = ops::add(sum, g);
  }
}

// A hook's answer: nothing, or the gradients to go on with (undefined where there is none).
void replace(TensorList& grads, const TensorList& answer) {
  for (int i = 0; i < answer.size() && i < grads.size(); ++i) grads[i] = answer[i];
}

// The nodes on a path from the roots to one of the targets, and the targets.
std::unordered_set<Node*> nodes_towards(const SmallVec<Edge, 2>& roots,
                                        const std::unordered_set<Node*>& targets) {
  uint64_t oldest = UINT64_MAX;
  for (Node* t : targets) oldest = std::min(oldest, t->sequence);
  std::unordered_set<Node*> seen, needed(targets);
  std::vector<std::pair<Node*, int>> stack;
  for (auto& root : roots) {
    if (!root.node || !seen.insert(root.node.get()).second) continue;
    stack.push_back({root.node.get(), 0});
    while (!stack.empty()) {
      auto& [node, i] = stack.back();
      if (i < node->next.size()) {
        Node* child = node->next[i++].node.get();
        // What was made before every target cannot lead to one.
        if (child && child->sequence >= oldest && seen.insert(child).second)
          stack.push_back({child, 0});
        continue;
      }
      for (auto& e : node->next)
        if (e.node && needed.count(e.node.get())) needed.insert(node);
      stack.pop_back();
    }
  }
  return needed;
}

struct Task;
thread_local Task* running = nullptr;  // the innermost backward of this thread

struct Task {
  const BackwardOptions& options;
  Frontier frontier;
  bool pruned = false;
  std::unordered_set<Node*> needed;
  // Which gradients to hand out: (node, output) -> number of the input.
  struct Capture {
    Node* node;
    uint32_t output;
    int input;
  };
  std::vector<Capture> captures;
  TensorList captured;
  std::vector<HookRef> at_end;

  bool wants(const Node* node) const { return !pruned || needed.count(const_cast<Node*>(node)); }

  void run() {
    struct Running {
      Task* outer;
      ~Running() { running = outer; }
    } scope{std::exchange(running, this)};
    while (!frontier.empty()) step(frontier.pop());
    for (size_t i = 0; i < at_end.size(); ++i) HookRef(at_end[i])->call({}, nullptr);
  }

  void run_tensor_hooks(Node* node, TensorList& grads) {
    if (node->hooks) {
      for (size_t k = 0; k < node->hooks->tensor.size(); ++k) {
        auto entry = node->hooks->tensor[k];
        Tensor& g = grads[static_cast<int>(entry.output)];
        if (!g.defined()) continue;
        TensorList result = entry.hook->call({g}, nullptr);
        if (result.size() && result[0].defined()) g = result[0];
      }
      for (auto& [output, tensor] : node->hooks->retained) {
        const Tensor& g = grads[static_cast<int>(output)];
        if (!g.defined()) continue;
        Tensor& kept = history_of(Tensor(tensor)).grad;
        kept = kept.defined() ? ops::add(kept, g) : options.create_graph ? g : detach(g);
      }
    }
    TensorImpl* leaf = node->variable();
    if (leaf && leaf->history && leaf->history->hooks) {
      auto hooks = leaf->history->hooks->tensor;
      for (auto& entry : hooks) {
        if (!grads[0].defined()) break;
        TensorList result = entry.hook->call({grads[0]}, nullptr);
        if (result.size() && result[0].defined()) grads[0] = result[0];
      }
    }
  }

  void step(Pending item) {
    Node* node = item.node;
    TensorList& grads = item.grads;
    TensorImpl* leaf = node->variable();
    if (node->hooks || leaf) run_tensor_hooks(node, grads);
    bool is_target = false;
    for (auto& c : captures)
      if (c.node == node) {
        captured[c.input] = grads[static_cast<int>(c.output)];
        is_target = true;
      }
    if (leaf && (!options.accumulate || !wants(node))) return;

    SmallVec<bool, 4> needs;
    bool any = leaf != nullptr;
    for (auto& e : node->next) {
      needs.push_back(e.node && wants(e.node.get()));
      any |= needs.back();
    }
    // A target is where the way ends, unless another target lies behind it.
    if (pruned && is_target && !any) return;

    if (node->hooks) {
      auto before = node->hooks->before;
      for (auto& entry : before) replace(grads, entry.hook->call(grads, nullptr));
    }
    TensorList outputs_grads;
    bool hooked = node->hooks && !node->hooks->after.empty();
    if (hooked) outputs_grads = grads;
    TensorList result = node->apply(std::move(grads), needs, options.create_graph);
    if (!options.retain_graph) node->release();
    if (leaf && leaf->history && leaf->history->hooks) {
      auto hooks = leaf->history->hooks->accumulated;
      for (auto& entry : hooks) entry.hook->call({Tensor(leaf)}, nullptr);
    }
    if (hooked) {
      auto after = node->hooks->after;
      for (auto& entry : after) replace(result, entry.hook->call(result, &outputs_grads));
    }
    for (int i = 0; i < node->next.size() && i < result.size(); ++i) {
      const Edge& e = node->next[i];
      if (!result[i].defined() || !needs[i]) continue;
      accumulate(frontier.grads_of(e.node.get())[static_cast<int>(e.output)], std::move(result[i]),
                 options.create_graph);
    }
  }
};

Tensor first_gradient(const Tensor& output, const Tensor& given) {
  if (!given.defined()) {
    if (output.numel() != 1)
      runtime_error(
          "grad can be implicitly created only for scalar outputs, and this one has shape ",
          output.sizes(), ": reduce it (y.sum()), or pass the gradient to start from");
    if (is_complex(output.dtype()))
      runtime_error("grad can be implicitly created only for real scalar outputs but got torch.",
                    name_of(output.dtype()));
    return ops::ones_like(output);
  }
  if (!(given.sizes() == output.sizes()))
    runtime_error("Mismatch in shape: a gradient of shape ", given.sizes(),
                  " was given for an output of shape ", output.sizes());
  if (is_complex(given.dtype()) != is_complex(output.dtype()))
    runtime_error(
        "For complex Tensors, both grad_output and output are required to have the same "
        "dtype: got ",
        given.dtype(), " for ", output.dtype());
  return given;
}

}  // namespace

TensorList run_backward(const TensorList& outputs, const TensorList& grads,
                        const TensorList& inputs, const BackwardOptions& options) {
  Task task{options, {}, false, {}, {}, {}, {}};
  SmallVec<Edge, 2> roots;
  TensorList starts;
  for (int i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].requires_grad() && !(outputs[i]->base && grad_fn(outputs[i])))
      runtime_error("element ", i,
                    " of tensors does not require grad and does not have a grad_fn: "
                    "no input of its computation required grad, or it was computed under no_grad");
    GradMode mode(options.create_graph);
    starts.push_back(first_gradient(outputs[i], i < grads.size() ? grads[i] : Tensor()));
    roots.push_back(gradient_edge(outputs[i]));
  }
  SmallVec<Edge, 2> targets;
  if (!inputs.empty()) {
    std::unordered_set<Node*> nodes;
    for (int i = 0; i < inputs.size(); ++i) {
      Edge edge = gradient_edge(inputs[i]);
      if (!edge.node)
        runtime_error("One of the differentiated Tensors does not require grad: input ", i);
      if (!options.accumulate) task.captures.push_back({edge.node.get(), edge.output, i});
      nodes.insert(edge.node.get());
      bool kept = inputs[i]->history && inputs[i]->history->retains_grad;
      if (options.accumulate && !edge.node->variable() && !kept) {
        // A non-leaf among backward(inputs=...): its gradient goes to its own .grad.
        task.captures.push_back({edge.node.get(), edge.output, i});
      }
      targets.push_back(std::move(edge));
    }
    task.pruned = true;
    task.needed = nodes_towards(roots, nodes);
    task.captured.resize(inputs.size());
  }
  for (int i = 0; i < roots.size(); ++i) {
    if (!task.wants(roots[i].node.get())) continue;
    accumulate(task.frontier.grads_of(roots[i].node.get())[static_cast<int>(roots[i].output)],
               Tensor(starts[i]), options.create_graph);
  }
  {
    Modes before = modes;
    modes.grad = options.create_graph;
    modes.track_views = options.create_graph;
    struct Restore {
      Modes before;
      ~Restore() { modes = before; }
    } restore{before};
    // Recording makes Python objects; a plain backward needs the interpreter only in hooks.
    PythonUnlocked unlocked(!options.create_graph);
    task.run();
  }
  for (int i = 0; i < inputs.size(); ++i) {
    if (options.accumulate) {
      if (!task.captured[i].defined()) continue;
      Tensor& grad = history_of(inputs[i]).grad;
      grad = grad.defined() ? ops::add(grad, task.captured[i]) : task.captured[i];
    } else if (!task.captured[i].defined() && !options.allow_unused) {
      runtime_error(
          "One of the differentiated Tensors appears to not have been used in the graph: "
          "input ",
          i, " of shape ", inputs[i].sizes(),
          ". Set allow_unused=True if this is the desired behavior.");
    }
  }
  return std::move(task.captured);
}

void at_end_of_backward(HookRef callback) {
  if (!running)
    runtime_error("Final callbacks can only be installed during backward pass: none is running");
  running->at_end.push_back(std::move(callback));
}

bool graph_reaches_only(const TensorList& outputs, const TensorList& inputs) {
  std::unordered_set<const Node*> allowed, seen;
  for (auto& x : inputs)
    if (x.requires_grad()) allowed.insert(gradient_edge(x).node.get());
  std::vector<Node*> stack;
  std::vector<NodeRef> roots;
  for (auto& y : outputs)
    if (y.requires_grad()) {
      roots.push_back(gradient_edge(y).node);
      stack.push_back(roots.back().get());
    }
  while (!stack.empty()) {
    Node* node = stack.back();
    stack.pop_back();
    if (allowed.count(node) || !seen.insert(node).second) continue;
    if (node->variable()) return false;
    for (auto& e : node->next)
      if (e.node) stack.push_back(e.node.get());
  }
  return true;
}

}  // namespace adj
