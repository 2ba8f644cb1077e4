#include "transform/level.h"

#include <vector>

#include "autograd/engine.h"
#include "autograd/history.h"
#include "ops/vocabulary.h"

namespace adj {

namespace {
thread_local std::vector<LiveLevel> levels;

Tensor wrap(Level&& level, Dims sizes) {
  const Tensor& v = level.value;
  Layout layout{std::move(sizes), {}, v->offset};
  int hidden = level.kind == LevelKind::batched ? 1 : 0;
  for (int i = hidden; i < v.dim(); ++i) layout.strides.push_back(v.stride(i));
  Tensor x(TensorRef::adopt(new TensorImpl(v->storage, std::move(layout), v.dtype())));
  x->flags = kWrapped;
  x->level = new Level(std::move(level));
  return x;
}
}  // namespace

int push_level(LevelKind kind, int64_t batch_size, const char* randomness) {
  levels.push_back({kind, batch_size, randomness});
  return static_cast<int>(levels.size());
}
void pop_level() {
  if (levels.empty()) runtime_error("no transform is active");
  levels.pop_back();
}
int live_levels() { return static_cast<int>(levels.size()); }
const LiveLevel& live_level(int id) {
  if (id < 1 || id > live_levels())
    runtime_error(
        "a tensor of a transform that has ended was used: it escaped from the function "
        "given to vmap, jvp or jacfwd by a side effect; return it instead");
  return levels[static_cast<size_t>(id - 1)];
}

Tensor make_dual(const Tensor& primal, const Tensor& tangent, int id) {
  if (tangent.defined() && !(primal.sizes() == tangent.sizes()))
    runtime_error("a tangent must have the shape of its primal: got ", tangent.sizes(), " for ",
                  primal.sizes());
  return wrap({LevelKind::dual, id, primal, tangent}, primal->sizes);
}
Tensor primal_of(const Tensor& x, int id) { return level_of(x.get()) == id ? x->level->value : x; }
Tensor tangent_of(const Tensor& x, int id) {
  return level_of(x.get()) == id ? x->level->tangent : Tensor();
}

Tensor without_tangents(const Tensor& x) {
  if (!x->level) return detach(x);
  Tensor value = without_tangents(x->level->value);
  return x->level->kind == LevelKind::dual ? value : make_batched(value, x->level->id);
}

Tensor make_batched(const Tensor& value, int id) {
  Dims sizes;
  sizes.append(value.sizes().begin() + 1, value.sizes().end());
  return wrap({LevelKind::batched, id, value, {}}, std::move(sizes));
}

Tensor add_batch_dim(const Tensor& x, int64_t dim, int id) {
  int d = normalize_dim(dim, x.dim());
  return make_batched(d == 0 ? x : ops::movedim(x, Dims{d}, Dims{0}), id);
}

Tensor remove_batch_dim(const Tensor& x, int id, int64_t batch_size, int64_t out_dim) {
  Tensor value;
  if (level_of(x.get()) == id) {
    value = x->level->value;
  } else {
    Dims sizes{batch_size};
    sizes.append(x.sizes().begin(), x.sizes().end());
    value = ops::expand(x, sizes);
  }
  int d = normalize_dim(out_dim, value.dim());
  return d == 0 ? value : ops::movedim(value, Dims{0}, Dims{d});
}

Tensor Batch::expanded(int argument) const {
  Tensor x = in(argument);
  if (is_batched(argument)) return x;
  Dims sizes{size};
  sizes.append(x.sizes().begin(), x.sizes().end());
  return ops::expand(x, sizes);
}

Tensor Batch::aligned(int argument, int ndim) const {
  Tensor x = in(argument);
  int have = logical_dim(argument);
  if (!is_batched(argument) || have >= ndim) return x;
  Dims sizes{x.size(0)};
  for (int i = have; i < ndim; ++i) sizes.push_back(1);
  sizes.append(x.sizes().begin() + 1, x.sizes().end());
  return ops::reshape(x, sizes);
}

namespace {

// A call with the highest level peeled off its arguments.
struct Peeled {
  SmallVec<Value, 8> values;
  std::vector<TensorList> lists;
  TensorList kept;                   // keeps the peeled tensors alive
  TensorList tangents;               // per tensor
  SmallVec<bool, 4> batched;         // per tensor
  SmallVec<uint8_t, 4> argument_of;  // per tensor
  int id = 0;

  Peeled(const Op& op, const Value* given) {
    for_each_tensor(op, given, [&](TensorImpl* t, int) { id = std::max(id, level_of(t)); });
    int n = static_cast<int>(op.schema.params.size());
    lists.reserve(static_cast<size_t>(n));
    for (int i = 0; i < n; ++i) {
      Value v = given[i];
      if (v.tag == Tag::tensor) {
        kept.push_back(peel(Tensor(v.tensor), i));
        v.tensor = kept.back().get();
      } else if (v.tag == Tag::tensors) {
        TensorList list;
        for (uint32_t k = 0; k < v.length; ++k) list.push_back(peel(v.tensors[k], i));
        lists.push_back(std::move(list));
        v.tensors = lists.back().data();
      }
      values.push_back(v);
    }
  }

  Tensor peel(const Tensor& x, int argument) {
    bool here = x.defined() && level_of(x.get()) == id;
    argument_of.push_back(static_cast<uint8_t>(argument));
    batched.push_back(here);
    tangents.push_back(here ? x->level->tangent : Tensor());
    return here ? x->level->value : x;
  }
};

Outs dispatch_dual(const Op& op, Peeled& p) {
  Outs primals = dispatch(op, p.values.data());
  bool any = false;
  for (auto& t : p.tangents) any |= t.defined();
  if (!any || !op.differentiable()) return primals;
  Jvp j{op, p.values.data(), p.tangents, p.argument_of, primals};
  Outs tangents = op.jvp ? op.jvp(j) : jvp_from_vjp(j);
  Outs outs;
  for (int i = 0; i < primals.size(); ++i) {
    bool has =
        i < tangents.size() && tangents[i].defined() && is_differentiable(primals[i].dtype());
    outs.push_back(has ? make_dual(primals[i], tangents[i], p.id) : primals[i]);
  }
  return outs;
}

Outs dispatch_batched(const Op& op, Peeled& p) {
  Batch b{op, p.values.data(), p.batched, p.argument_of, live_level(p.id).batch_size, p.id};
  Outs results = op.batch ? op.batch(b) : batch_by_loop(b);
  for (auto& r : results) r = make_batched(r, p.id);
  return results;
}

}  // namespace

Outs dispatch_level(const Op& op, Value* values) {
  Peeled p(op, values);
  return live_level(p.id).kind == LevelKind::dual ? dispatch_dual(op, p) : dispatch_batched(op, p);
}

Outs batch_by_loop(Batch& b) {
  SmallVec<Outs, 8> each;
  int n = static_cast<int>(b.op.schema.params.size());
  for (int64_t at = 0; at < b.size; ++at) {
    SmallVec<Value, 8> values;
    TensorList kept;
    kept.reserve(b.batched.size());
    std::vector<TensorList> lists;
    lists.reserve(static_cast<size_t>(n));
    int slot = 0;
    auto pick = [&](const Tensor& x) {
      return b.batched[slot++] ? ops::select(x, int64_t{0}, at) : x;
    };
    for (int i = 0; i < n; ++i) {
      Value v = b.values[i];
      if (v.tag == Tag::tensor) {
        kept.push_back(pick(Tensor(v.tensor)));
        v.tensor = kept.back().get();
      } else if (v.tag == Tag::tensors) {
        TensorList list;
        for (uint32_t k = 0; k < v.length; ++k) list.push_back(pick(v.tensors[k]));
        lists.push_back(std::move(list));
        v.tensors = lists.back().data();
      }
      values.push_back(v);
    }
    each.push_back(dispatch(b.op, values.data()));
  }
  Outs stacked;
  for (int i = 0; b.size > 0 && i < each[0].size(); ++i) {
    TensorList column;
    for (auto& outs : each) {
      if (!(outs[i].sizes() == each[0][i].sizes()))
        runtime_error("vmap: ", b.op.name,
                      " gives results of different shapes for different "
                      "elements of the batch (",
                      each[0][i].sizes(), " and ", outs[i].sizes(), "), which cannot be batched");
      column.push_back(outs[i]);
    }
    stacked.push_back(ops::stack(column, int64_t{0}));
  }
  return stacked;
}

Outs jvp_from_vjp(Jvp& j) {
  GradMode recording(true);
  // The vjp as a function of the cotangents alone, which are fresh variables.
  Ref<OpNode> node = make_node<OpNode>(j.op);
  SmallVec<bool, 4> wanted;
  for (auto& t : j.tangents) wanted.push_back(t.defined());
  node->next.resize(wanted.size());
  node->save_arguments(j.primals, wanted);
  TensorList cotangents;
  for (auto& y : j.outs) {
    TensorMeta meta;
    meta.sizes = y->sizes;
    meta.dtype = y.dtype();
    node->outputs.push_back(std::move(meta));
    Tensor g;
    if (is_differentiable(y.dtype())) {
      g = ops::zeros_like(y);
      set_requires_grad(g, true);
    }
    cotangents.push_back(g);
  }
  for (int i = 0; i < j.outs.size(); ++i) {
    Saved& saved = node->outs.emplace_back();
    if (!(node->reads >> (16 + i) & 1)) continue;
    saved.tensor = j.outs[i];
    saved.version = version_of(j.outs[i]);
  }
  node->recorded = false;
  TensorList grads(node->slots.size());
  Vjp c{*node, cotangents, wanted, true, grads};
  j.op.vjp(c);

  TensorList outputs, starts, inputs;
  for (int i = 0; i < grads.size(); ++i) {
    if (!wanted[i] || !grads[i].defined() || !grads[i].requires_grad()) continue;
    outputs.push_back(grads[i]);
    starts.push_back(j.tangents[i]);
  }
  Outs tangents(j.outs.size());
  SmallVec<int, 2> which;
  for (int i = 0; i < cotangents.size(); ++i)
    if (cotangents[i].defined()) {
      inputs.push_back(cotangents[i]);
      which.push_back(i);
    }
  if (outputs.empty() || inputs.empty()) return tangents;
  TensorList found = run_backward(outputs, starts, inputs, {true, true, false, true});
  for (int i = 0; i < found.size(); ++i) tangents[which[i]] = found[i];
  return tangents;
}

}  // namespace adj
