#include "ops/kinds/kinds.h"

#include "autograd/engine.h"
#include "ops/vocabulary.h"

namespace adj {

SmallVec<Value, 8> restored_values(const Vjp& c) {
  SmallVec<Value, 8> values;
  values.append(c.node.values.begin(), c.node.values.end());
  for (auto& slot : c.node.slots) {
    Value& v = values[slot.argument];
    if (v.tag == Tag::tensor && slot.saved.tensor.defined())
      v.tensor = c.node.unpack(slot.saved, "argument").get();
  }
  return values;
}

uint32_t other_tensors(const Op& op, uint32_t linear) {
  uint32_t mask = 0;
  for (size_t i = 0; i < op.schema.params.size(); ++i) {
    Type t = op.schema.params[i].type;
    if (t == Type::tensor || t == Type::tensors || t == Type::operand) mask |= 1u << i;
  }
  return mask & ~linear;
}

Outs jvp_of_linear(Jvp& j) {
  int n = static_cast<int>(j.op.schema.params.size());
  SmallVec<Value, 8> values;
  TensorList kept;
  std::vector<TensorList> lists;
  lists.reserve(static_cast<size_t>(n));
  kept.reserve(j.tangents.size());
  int slot = 0;
  auto tangent_or_zero = [&](const Tensor& primal) {
    const Tensor& t = j.tangents[slot++];
    return t.defined() || !primal.defined() ? t : ops::zeros_like(primal);
  };
  for (int i = 0; i < n; ++i) {
    Value v = j.primals[i];
    bool linear = j.op.linear >> i & 1;
    if (v.tag == Tag::tensor) {
      if (linear) {
        kept.push_back(tangent_or_zero(Tensor(v.tensor)));
        v.tensor = kept.back().get();
      } else {
        ++slot;
      }
    } else if (v.tag == Tag::tensors) {
      TensorList list;
      for (uint32_t k = 0; k < v.length; ++k)
        list.push_back(linear ? tangent_or_zero(v.tensors[k]) : (++slot, v.tensors[k]));
      lists.push_back(std::move(list));
      v.tensors = lists.back().data();
    }
    values.push_back(v);
  }
  return dispatch(j.op, values.data());
}

Outs jvp_of_bilinear(Jvp& j) {
  Tensor sum;
  for (int k = 0; k < 2; ++k) {
    Tensor t = j.t(k);
    if (!t.defined()) continue;
    SmallVec<Value, 8> values;
    values.append(j.primals, j.primals + j.op.schema.params.size());
    values[k].tensor = t.get();
    Tensor term = dispatch(j.op, values.data())[0];
    sum = sum.defined() ? ops::add(sum, term) : term;
  }
  Outs outs;
  outs.push_back(sum);
  return outs;
}

Tensor conj_of(const Tensor& x) { return x.defined() && is_complex(x.dtype()) ? ops::conj(x) : x; }

namespace {
template <class R>
R by_conjugates(Vjp& c, R (*rule)(Vjp&)) {
  bool any = false;
  for (auto& g : c.cotangents) any = any || (g.defined() && is_complex(g.dtype()));
  if (!any) return rule(c);
  TensorList cotangents;
  for (auto& g : c.cotangents) cotangents.push_back(conj_of(g));
  Vjp inner{c.node, cotangents, c.wanted, c.create_graph, c.grads};
  if constexpr (std::is_same_v<R, bool>) {
    if (!rule(inner)) return false;
    for (auto& g : c.grads) g = conj_of(g);
    return true;
  } else {
    rule(inner);
    for (auto& g : c.grads) g = conj_of(g);
  }
}
}  // namespace

void vjp_by_conjugates(Vjp& c, void (*rule)(Vjp&)) { by_conjugates(c, rule); }
bool vjp_by_conjugates(Vjp& c, bool (*rule)(Vjp&)) { return by_conjugates(c, rule); }

void vjp_of_define(Vjp& c) {
  auto values = restored_values(c);
  GradMode recording(true);
  // Fresh variables, connected to the real arguments so that the result can be differentiated
  // again.
  TensorList variables, inputs;
  SmallVec<int, 4> slots;
  variables.reserve(c.node.slots.size());
  std::vector<TensorList> lists;
  lists.reserve(static_cast<size_t>(values.size()));
  auto variable = [&](int slot) {
    const auto& s = c.node.slots[slot];
    if (!s.saved.tensor.defined()) return Tensor();
    Tensor x = c.node.unpack(s.saved, "argument");
    if (!c.wanted[slot]) return x;
    x = c.create_graph ? alias(x) : detach(x);
    if (!x.requires_grad()) set_requires_grad(x, true);
    inputs.push_back(x);
    slots.push_back(slot);
    return x;
  };
  for (int i = 0, slot = 0; i < values.size(); ++i) {
    Value& v = values[i];
    if (v.tag == Tag::tensor) {
      variables.push_back(variable(slot++));
      v.tensor = variables.back().get();
    } else if (v.tag == Tag::tensors) {
      TensorList list;
      for (uint32_t k = 0; k < v.length; ++k) list.push_back(variable(slot++));
      lists.push_back(std::move(list));
      v.tensors = lists.back().data();
    }
  }
  Outs outs = c.node.op.define(Args{c.node.op, values.data()});
  TensorList outputs, starts;
  for (int i = 0; i < outs.size(); ++i)
    if (c.has_g(i) && outs[i].requires_grad()) {
      outputs.push_back(outs[i]);
      starts.push_back(c.g(i));
    }
  if (outputs.empty()) return;
  TensorList grads =
      run_backward(outputs, starts, inputs, {c.create_graph, c.create_graph, false, true});
  for (int i = 0; i < grads.size(); ++i) c.grads[slots[i]] = grads[i];
}

Tensor sum_to(const Tensor& g, const TensorMeta& like) {
  Tensor x = g;
  DimsView want = like.sizes;
  if (!(x.sizes() == want)) {
    Dims dims;
    int extra = x.dim() - want.size();
    for (int i = 0; i < extra; ++i) dims.push_back(i);
    for (int i = 0; i < want.size(); ++i)
      if (want[i] == 1 && x.size(i + extra) != 1) dims.push_back(i + extra);
    if (!dims.empty()) x = ops::sum(x, dims, true);
    if (extra) x = ops::reshape(x, want);
  }
  return x.dtype() == like.dtype ? x : ops::to_dtype(x, like.dtype);
}

}  // namespace adj
