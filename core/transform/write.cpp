// In-place writes into wrapped tensors, and of wrapped values into tensors that were not.
#include <algorithm>
#include <map>

#include "autograd/history.h"
#include "ops/vocabulary.h"
#include "transform/level.h"

namespace adj {

namespace {

// The vmap levels of x, and of what it holds, with their batch sizes.
void add_batches(const Tensor& x, std::map<int, int64_t>& found) {
  if (!x.defined() || !x.wrapped()) return;
  const Level& level = *x->level;
  if (level.kind == LevelKind::batched) found[level.id] = level.value.size(0);
  add_batches(level.value, found);
  add_batches(level.tangent, found);
}

// The same memory and history as an object of its own.
Tensor move_inside(const Tensor& self) {
  Tensor inner = alias_of(self);
  inner->flags = self->flags;
  inner->base = std::move(self->base);
  inner->history = std::exchange(self->history, nullptr);
  inner->level = std::exchange(self->level, nullptr);
  self->flags = static_cast<uint8_t>((self->flags & ~kRequiresGrad) | kWrapped);
  return inner;
}

// Zeros in the layout of `x`, so that what is a view of x by strides has its tangent at the same
// ones, batched at the given levels.
Tensor zeros_laid_as(const Tensor& x, const std::map<int, int64_t>& batches) {
  int64_t span = x.numel() ? 1 : 0;
  for (int i = 0; i < x.dim() && span; ++i) span += (x.size(i) - 1) * x.stride(i);
  Layout layout = x.layout();
  layout.offset = 0;
  // the highest level is the innermost of the hidden dims
  for (auto it = batches.rbegin(); it != batches.rend(); ++it) {
    layout.sizes.insert(0, it->second);
    layout.strides.insert(0, span);
    span *= it->second;
  }
  Tensor zeros = view_of(ops::zeros(Dims{span}, x.dtype()), std::move(layout));
  for (auto& batch : batches) zeros = make_batched(zeros, batch.first);
  return zeros;
}

// The part of x that lies at `part`, whose offset counts from the first element of x.
Tensor strided_part(const Tensor& x, Layout part) {
  Tensor y;
  if (!x.wrapped()) {
    part.offset += x->offset;
    y = view_of(x, std::move(part));
  } else if (const Level& level = *x->level; level.kind == LevelKind::dual) {
    Tensor tangent = level.tangent.defined() ? strided_part(level.tangent, part) : Tensor();
    y = make_dual(strided_part(level.value, std::move(part)), tangent, level.id);
  } else {
    part.sizes.insert(0, level.value.size(0));
    part.strides.insert(0, level.value.stride(0));
    y = make_batched(strided_part(level.value, std::move(part)), level.id);
  }
  set_base(y, x);
  if (x.requires_grad()) {  // whatever was written: the view's history is made from that of x
    history_of(y).seen_rewrites = history_of(x).rewrites - 1;
    refresh_view(y);
  }
  return y;
}

// Whether x requires grad on any level.
bool is_tracked(const Tensor& x) {
  if (!x.defined()) return false;
  return x.requires_grad() ||
         (x.wrapped() && (is_tracked(x->level->value) || is_tracked(x->level->tangent)));
}

// What self is a view of, or itself.
Tensor root_of(const Tensor& self) { return self->base ? Tensor(self->base) : self; }

// If the tangent to be written is batched where that of self is not, self's becomes so too.
void batch_tangent(const Tensor& self, const Tensor& written) {
  std::map<int, int64_t> have, wanted;
  add_batches(self->level->tangent, have);
  add_batches(written, wanted);
  if (std::all_of(wanted.begin(), wanted.end(), [&](auto& b) { return have.contains(b.first); }))
    return;
  Tensor root = root_of(self), before = root->level->tangent;
  add_batches(before, wanted);
  Tensor wide = zeros_laid_as(root, wanted);
  ops::copy.into(wide, before);
  root->level->tangent = wide;
  refresh_view(self);
}

// A tensor that a dual value is written into takes on a tangent, zero at first. Of a view, the base
// does.
void become_dual(const Tensor& self, int id, const Tensor& written) {
  if (!self->base) {
    std::map<int, int64_t> batches;
    add_batches(self, batches);
    add_batches(written, batches);
    Tensor tangent = zeros_laid_as(self, batches);
    self->level = new Level{LevelKind::dual, id, move_inside(self), tangent};
    return;
  }
  if (Tensor base(self->base); level_of(base.get()) < id) become_dual(base, id, written);
  follow_tangent(self);
}

}  // namespace

void follow_tangent(const Tensor& self) {
  Tensor base(self->base);
  const Level& level = *base->level;
  bool dual = level_of(self.get()) == level.id;
  if (level.kind != LevelKind::dual || !level.tangent.defined()) return;
  if (const Tensor* own = dual ? &self->level->tangent : nullptr;
      own && own->defined() && (*own)->storage.get() == level.tangent->storage.get())
    return;
  Layout part = self.layout();
  part.offset -= base->offset;
  int64_t end = part.offset, last = 0;  // of the view, and of the base
  for (int i = 0; i < self.dim(); ++i) end += (self.size(i) - 1) * self.stride(i);
  for (int i = 0; i < base.dim(); ++i) last += (base.size(i) - 1) * base.stride(i);
  bool inside = self.numel() == 0 || (part.offset >= 0 && end <= last);
  bool possible =
      inside && level.tangent.strides() == base.strides() && self.dtype() == base.dtype();
  if (dual) {  // an as_strided view may have a copy for its tangent
    if (possible) self->level->tangent = strided_part(level.tangent, part);
    return;
  }
  if (!possible)
    fail(ErrorKind::not_implemented, "a value with a tangent was written into a tensor that this (",
         self.sizes(), ", of dtype ", scalar_name_of(self.dtype()),
         ") is a view of, in a way that its own tangent cannot follow: write to the tensor itself, "
         "or use the out-of-place form");
  Tensor inner = move_inside(self);
  inner->base = level.value.ref();
  refresh_view(inner);
  self->level = new Level{LevelKind::dual, level.id, inner, strided_part(level.tangent, part)};
  self->base = base.ref();
}

void write_into_level(const Op& op, Value* values, const Tensor& self) {
  int id = level_of(self.get());
  int highest = 0;
  for_each_tensor(op, values,
                  [&](TensorImpl* t, int) { highest = std::max(highest, level_of(t)); });
  if (highest > id && live_level(highest).kind == LevelKind::batched)
    runtime_error("vmap: ", op.name,
                  "_ cannot write batched values into a tensor that is not "
                  "batched (one made outside of the mapped function, or by a factory inside it): "
                  "use the out-of-place form, or make the tensor with zeros_like of a batched one");
  // What backward reads of self must be kept from before the write.
  bool any_grad = false;
  for_each_tensor(op, values, [&](TensorImpl* t, int) { any_grad |= is_tracked(Tensor(t)); });
  Tensor before = any_grad && modes.grad && op.differentiable() ? ops::clone(self) : Tensor();
  int count = before.defined() ? static_cast<int>(op.schema.params.size()) : 0;
  for (int i = 0; i < count; ++i)
    if (values[i].tag == Tag::tensor && values[i].tensor == self.get())
      values[i].tensor = before.get();
  Outs outs = dispatch(op, values);
  Tensor result = outs[0];
  if (!(result.sizes() == self.sizes())) result = ops::expand(result, self.sizes());
  bool recorded = result.requires_grad() && modes.grad;
  if (recorded) check_writable(self, op.name, true);
  if (highest > id) {
    become_dual(self, highest, tangent_of(result, highest));
    id = highest;
  }
  Level& level = *self->level;
  if (level.kind == LevelKind::dual) {
    ops::copy.into(level.value, primal_of(result, id));
    Tensor t = tangent_of(result, id);
    if (t.defined() && level.tangent.defined()) {
      batch_tangent(self, t);
      ops::copy.into(level.tangent, t);
    } else if (t.defined()) level.tangent = ops::clone(t);
    else if (level.tangent.defined()) ops::zero.into(level.tangent);
  } else {
    Tensor value = level_of(result.get()) == id ? result->level->value : result;
    ops::copy.into(level.value, value);
  }
  if (recorded)
    if (NodeRef node = grad_fn(result)) rebase_history(self, node, result->history->output);
}

}  // namespace adj
