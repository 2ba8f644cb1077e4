#include "autograd/history.h"

#include <algorithm>

#include "ops/vocabulary.h"
#include "transform/level.h"

namespace adj {

namespace {
void drop_retained(Node& node, const TensorImpl* x) {
  if (node.hooks)
    std::erase_if(node.hooks->retained, [x](auto& entry) { return entry.second == x; });
}
}  // namespace

TensorImpl::~TensorImpl() {
  if (history) {
    if (history->retains_grad && history->grad_fn) drop_retained(*history->grad_fn, this);
    delete history;
  }
  delete level;
}

void TensorImpl::destroy() { delete this; }

void TensorImpl::trace(Tracer& tracer) const {
  if (base) tracer.visit(base.get());
  if (level) {
    if (level->value.defined()) tracer.visit(level->value.get());
    if (level->tangent.defined()) tracer.visit(level->tangent.get());
  }
  if (!history) return;
  if (history->grad.defined()) tracer.visit(history->grad.get());
  if (history->grad_fn) tracer.visit(history->grad_fn.get());
  if (history->hooks) {
    for (auto& h : history->hooks->tensor) tracer.visit(h.hook.get());
    for (auto& h : history->hooks->accumulated) tracer.visit(h.hook.get());
  }
}

namespace {
// A base through the dtype of its view: complex numbers as pairs of real ones, or pairs as complex.
Tensor seen_as(const Tensor& base, DType dtype) {
  if (dtype == base.dtype()) return base;
  if (is_complex(base.dtype())) return ops::view_as_real(base);
  return ops::view_as_complex(ops::view(base, Dims{-1, 2}));
}
}  // namespace

namespace {
bool outdated(const Tensor& x) {
  return x->base && x->base->history &&
         (x->history ? x->history->seen_rewrites : 0) != x->base->history->rewrites;
}

// A view made unrecorded has no history to replay on what its base is now.
void check_replayable(const Tensor& x) {
  if (!(x->flags & kNoGradView) || !outdated(x) || !(x->base->flags & kRequiresGrad)) return;
  runtime_error(
      "A view was created in no_grad or inference mode, or by a custom Function, and its base or "
      "another view of its base has been modified inplace with grad mode enabled: its history does "
      "not know of that. Make the view with grad mode enabled, write under no_grad, or clone it "
      "first.");
}
}  // namespace

void refresh_view(const Tensor& x) {
  if (!x->base) return;
  if (x->base->level) follow_tangent(x);
  if (!outdated(x)) return;
  if (x->flags & kNoGradView && x->base->flags & kRequiresGrad) {
    x->flags |= kRequiresGrad;  // an error when its history is asked for
    return;
  }
  uint32_t rewrites = x->base->history->rewrites;
  Tensor base(x->base);
  History& own = history_of(x);
  own.seen_rewrites = rewrites;
  if (!base.requires_grad()) {
    own.grad_fn = {};
    x->flags &= static_cast<uint8_t>(~kRequiresGrad);
    return;
  }
  // Replayed on the base: the view of what the base is now.
  GradMode recording(true);
  Tensor fresh = ops::as_strided(seen_as(base, x.dtype()), x.sizes(), x.strides(), x->offset);
  set_history(x, fresh->history->grad_fn, 0);
}

NodeRef grad_fn(const Tensor& x) {
  refresh_view(x);
  check_replayable(x);
  return x->history ? x->history->grad_fn : NodeRef();
}

Edge gradient_edge(const Tensor& x) {
  refresh_view(x);
  check_replayable(x);
  if (!x.requires_grad()) return {};
  History& h = history_of(x);
  if (h.grad_fn) return {h.grad_fn, h.output};
  if (Node* known = h.accumulator.load(std::memory_order_acquire)) return {NodeRef(known), 0};
  Ref<AccumulateGrad> node = make_node<AccumulateGrad>(x);
  h.accumulator.store(node.get(), std::memory_order_release);
  return {node, 0};
}

void set_requires_grad(const Tensor& x, bool on) {
  refresh_view(x);
  if (on && !is_differentiable(x.dtype()))
    runtime_error("only Tensors of floating point and complex dtype can require gradients, not ",
                  x.dtype(), "; convert it first, e.g. x.float()");
  if (x->history && x->history->grad_fn) {
    if (!on)
      runtime_error(
          "you can only change requires_grad flags of leaf variables. If you want to use a "
          "computed "
          "variable in a subgraph that doesn't require differentiation use var_no_grad = "
          "var.detach().");
    return;
  }
  if ((x->flags & kInference) && on && !modes.inference)
    runtime_error(
        "Setting requires_grad=True on an inference tensor outside InferenceMode is not "
        "allowed; make a copy of it first: x.clone()");
  if (on) x->flags |= kRequiresGrad;
  else x->flags &= static_cast<uint8_t>(~kRequiresGrad);
}

Tensor detach(const Tensor& x) {
  Tensor y = alias_of(x);
  y->flags = x->flags & static_cast<uint8_t>(~kRequiresGrad);
  if (x->level) y->level = new Level(*x->level);
  return y;
}

Tensor alias(const Tensor& x) { return ops::alias(x); }

void set_history(const Tensor& x, NodeRef node, uint32_t output) {
  History& h = history_of(x);
  if (h.retains_grad) {  // what is kept is the gradient of the tensor as it is now
    if (h.grad_fn) drop_retained(*h.grad_fn, x.get());
    if (node) node->make_hooks().retained.push_back({output, x.get()});
  }
  h.grad_fn = std::move(node);
  h.output = output;
  x->flags |= kRequiresGrad;
}

namespace {
// A node for a call, with its edges, if any argument requires grad.
Ref<OpNode> make_op_node(const Op& op, const Value* values) {
  SmallVec<bool, 4> needs;
  SmallVec<Edge, 2> edges;
  bool any = false;
  int n = static_cast<int>(op.schema.params.size());
  auto add = [&](TensorImpl* x) {
    bool need = x && (x->flags & kRequiresGrad);
    needs.push_back(need);
    Edge& edge = edges.emplace_back();
    if (need) edge = gradient_edge(Tensor(x));
    any |= need;
  };
  for (int i = 0; i < n; ++i) {
    if (values[i].tag == Tag::tensor) add(values[i].tensor);
    else if (values[i].tag == Tag::tensors)
      for (uint32_t k = 0; k < values[i].length; ++k) add(values[i].tensors[k].get());
  }
  if (!any) return {};
  Ref<OpNode> node = make_node<OpNode>(op);
  node->next = std::move(edges);
  node->save_arguments(values, needs);
  return node;
}

void add_output(Node& node, const Tensor& x) {
  TensorMeta& meta = node.outputs.emplace_back();
  meta.sizes = x->sizes;
  meta.dtype = x.dtype();
}
}  // namespace

void record(const Op& op, const Value* values, Outs& outs) {
  Ref<OpNode> node = make_op_node(op, values);
  if (!node) return;
  for (int i = 0; i < outs.size(); ++i) {
    add_output(*node, outs[i]);
    if (is_differentiable(outs[i].dtype())) set_history(outs[i], node, static_cast<uint32_t>(i));
  }
  node->save_outputs(outs);
  if (modes.packs) [[unlikely]]
    node->pack();
}

void check_writable(const Tensor& self, const char* writer, bool recorded) {
  refresh_view(self);
  if (overlaps_itself(self.sizes(), self.strides()))
    runtime_error("unsupported operation: ", writer, " would write a tensor of size ", self.sizes(),
                  " and strides ", self.strides(),
                  " where more than one element of the written-to "
                  "tensor refers to a single memory location. Please clone() the tensor first.");
  if ((self->flags & kInference) && !modes.inference)
    runtime_error(
        "Inplace update to inference tensor outside InferenceMode is not allowed; make a "
        "copy of it first: x.clone()");
  if (!modes.grad) return;
  if (self.requires_grad() && is_leaf(self))
    runtime_error("a leaf Variable that requires grad is being used in an in-place operation (",
                  writer, "). Write under torch.no_grad(), or to a copy (x.clone()).");
  if (self->base && (self->base->flags & kRequiresGrad) && is_leaf(Tensor(self->base)))
    runtime_error(
        "a view of a leaf Variable that requires grad is being used in an in-place "
        "operation (",
        writer, "). Write under torch.no_grad(), or to a copy (x.clone()).");
  if (self->flags & kNoGradView && (recorded || (self->base && self->base->flags & kRequiresGrad)))
    runtime_error(
        "A view was created in no_grad mode, or by a custom Function (the backward hooks of a "
        "module are such functions), and is being modified inplace (",
        writer,
        ") with grad mode enabled: its history does not know the base. Make the view with "
        "grad mode enabled, write under no_grad, or clone it first.");
}

void rebase_history(const Tensor& self, NodeRef node, uint32_t output) {
  if (!self->base) {
    set_history(self, std::move(node), output);
    ++self->history->rewrites;
    return;
  }
  // The base becomes "itself with this view replaced"; the view is replayed on it when next asked.
  Tensor base(self->base);
  Tensor written = alias_of(self);
  set_history(written, std::move(node), output);
  const Op& scatter = ops::write_through_view.op();
  GradMode recording(true);
  Tensor seen = seen_as(base, self.dtype());
  Value values[] = {seen,         written,        self.sizes(), self.strides(),
                    self->offset, seen.strides(), seen->offset};
  Ref<OpNode> rewrite = make_op_node(scatter, values);
  add_output(*rewrite, seen);
  NodeRef last = rewrite;
  if (self.dtype() != base.dtype()) {  // back to the dtype of the base
    Tensor now = alias_of(seen);
    set_history(now, rewrite, 0);
    now = is_complex(base.dtype()) ? ops::view_as_complex(now)
                                   : ops::view(ops::view_as_real(now), base.sizes());
    last = now->history->grad_fn;
  }
  set_history(base, last, 0);
  ++base->history->rewrites;
  self->flags |= kRequiresGrad;
}

void dispatch_into(const Op& op, Value* values, const Tensor& self) {
  bool any_grad = false, wrapped = self.wrapped();
  for_each_tensor(op, values, [&](TensorImpl* t, int) {
    if (t->base) refresh_view(Tensor(t));
    any_grad |= (t->flags & kRequiresGrad) != 0;
    wrapped |= (t->flags & kWrapped) != 0;
  });
  any_grad = any_grad && modes.grad && is_differentiable(self.dtype()) && op.differentiable();
  const char* writer = op.in_place_name;
  if (wrapped) return write_into_level(op, values, self);
  check_writable(self, writer, any_grad);

  Ref<OpNode> node;
  Tensor before;
  if (any_grad && op.kind != KindName::composite) {
    // What the gradient reads of the overwritten tensor must be kept from before the write.
    node = make_op_node(op, values);
    for (auto& slot : node->slots)
      if (slot.saved.tensor.same(self)) {
        if (!before.defined()) {
          GradMode off(false);
          before = ops::clone(self);
          if (self.requires_grad()) {
            Edge edge = gradient_edge(self);
            set_history(before, edge.node, edge.output);
          }
        }
        slot.saved.tensor = before;
        slot.saved.version = version_of(before);
      }
  }
  Outs outs;
  {
    GradMode off(op.kind == KindName::composite && modes.grad);
    Args args{op, values, &self};
    outs = op.kind == KindName::composite ? op.define(args) : op.forward(args);
  }
  Tensor& result = outs[0];
  if (!result.same(self)) {
    if (!(result.sizes() == self.sizes()))
      runtime_error("output with shape ", self.sizes(), " doesn't match the broadcast shape ",
                    result.sizes(), " in ", writer);
    if (!can_cast(result.dtype(), self.dtype()))
      runtime_error("result type ", scalar_name_of(result.dtype()),
                    " can't be cast to the desired output type ", scalar_name_of(self.dtype()),
                    " in ", writer);
    write_into(self, result);
  }
  bool counted = op.kind == KindName::composite && result.same(self);  // by the operator it used
  if (!counted) bump_version(self, writer);
  if (op.kind == KindName::composite) {
    if (any_grad) rebase_history(self, grad_fn(result), result->history->output);
    return;
  }
  if (!node && modes.grad && self.requires_grad() && !op.differentiable()) {
    // What is drawn at random depends on nothing: gradients end here.
    Value zeroed[] = {self};
    node = make_op_node(ops::zero.op(), zeroed);
  }
  if (!node) return;
  add_output(*node, self);
  Outs written{self};
  node->save_outputs(written);
  if (modes.packs) node->pack();
  rebase_history(self, node, 0);
}

AccumulateGrad::AccumulateGrad(const Tensor& variable) : variable_(variable) {
  TensorMeta& meta = outputs.emplace_back();
  meta.sizes = variable->sizes;
  meta.dtype = variable.dtype();
}

void AccumulateGrad::trace(Tracer& tracer) const {
  Node::trace(tracer);
  if (variable_.defined()) tracer.visit(variable_.get());
}

// The leaf's weak pointer must be gone before this node is: it may wait in a queue of the dying.
void AccumulateGrad::forget() {
  if (!variable_.defined() || !variable_->history) return;
  auto& known = variable_->history->accumulator;
  if (known.load(std::memory_order_acquire) == this)
    known.store(nullptr, std::memory_order_release);
}

void AccumulateGrad::destroy() {
  forget();
  Node::destroy();
}

void AccumulateGrad::clear() {
  forget();
  Tensor variable = std::move(variable_);
  Node::clear();
}

TensorList AccumulateGrad::apply(TensorList&& grads, const SmallVec<bool, 4>&, bool create_graph) {
  Tensor g = std::move(grads[0]);
  if (!g.defined() || !variable_.defined()) return {};
  std::lock_guard lock(mutex_);  // threads may share a leaf
  History& h = history_of(variable_);
  bool plain = !g.wrapped() && !(h.grad.defined() && h.grad.wrapped());
  if (!h.grad.defined()) {
    // A gradient that nobody else holds is kept as it is.
    bool own = plain && !create_graph && g.get()->unique() && g.contiguous() &&
               g->storage->references.load(std::memory_order_acquire) == 1 && !g->base;
    if (own || create_graph) h.grad = create_graph ? ops::clone(g) : std::move(g);
    else h.grad = detach(ops::clone(g));
  } else if (create_graph || !plain) {
    h.grad = ops::add(h.grad, g);
  } else {
    GradMode off(false);
    ops::add.into(h.grad, g);
  }
  return {};
}

}  // namespace adj
