#include "ops/kinds/elementwise.h"

#include <cstring>

#include "cpu/cast.h"
#include "cpu/loop.h"
#include "ops/kinds/promotion.h"

namespace adj {

namespace {

DType promoted(const ElementwiseInfo& info, const Args& args) {
  Promotion all;
  for (int k = 0; k < info.arity; ++k) {
    if (info.unpromoted >> k & 1) continue;
    const Value& v = args[k];
    if (v.tag == Tag::tensor) all.add(*v.tensor);
    else if (v.is_number() && args.op.schema.params[static_cast<size_t>(k)].type == Type::operand)
      all.add_number(v.number_dtype());
  }
  return all.result();
}

// The type that the loops compute in: halves are computed in float32.
DType loop_type(DType t) { return t == DType::f16 || t == DType::bf16 ? DType::f32 : t; }

struct Number64 {  // a number in the type of the loop
  alignas(16) char bytes[16];
};

void put_number(Number64& to, const Value& v, DType t) {
  switch (t) {
    case DType::f32: {
      float x = static_cast<float>(v.as_double());
      memcpy(to.bytes, &x, 4);
      break;
    }
    case DType::f64: {
      double x = v.as_double();
      memcpy(to.bytes, &x, 8);
      break;
    }
    case DType::b8: to.bytes[0] = v.as_bool(); break;
    case DType::c64:
    case DType::c128: {
      double x = v.as_double();
      convert_run(to.bytes, t, &x, DType::f64, 1);
      break;
    }
    default: {
      int64_t x = v.as_int();
      convert_run(to.bytes, t, &x, DType::i64, 1);
    }
  }
}

LoopFn forward_kernel(const Op& op, DType t) {
  ElementwiseInfo& info = *op.elementwise;
  if (is_complex(t)) {
    if (!info.complex_kernels) info.complex_kernels = complex_elementwise_kernels(op.struct_name);
    if (info.complex_kernels) return info.complex_kernels->forward[static_cast<int>(t)];
    fail(ErrorKind::not_implemented, op.name, " is not implemented for '", scalar_name_of(t), "'");
  }
  if (!info.kernels) {
    info.kernels = elementwise_kernels(op.struct_name);
    if (!info.kernels) runtime_error("adjoint bug: no kernels of ", op.struct_name);
  }
  LoopFn fn = info.kernels->forward[static_cast<int>(t)];
  if (!fn)
    fail(ErrorKind::not_implemented, op.name, " is not implemented for '", scalar_name_of(t), "'");
  return fn;
}

void set_strides(LoopOperand& operand, DimsView strides, DimsView own, DimsView sizes,
                 int64_t* store) {
  int extra = sizes.size() - own.size();
  for (int i = 0; i < sizes.size(); ++i)
    store[i] = i < extra || (own[i - extra] == 1 && sizes[i] != 1) ? 0 : strides[i - extra];
  operand.strides = store;
}

// Runs a kernel over tensors and numbers (undefined tensors are never read).
void run(LoopFn fn, DType in_type, DType out_type, const Tensor& out, const Value* in, int count) {
  Number64 numbers[kMaxOperands];
  constexpr int64_t kSpread = 64;  // up to here a number is simply repeated for each element
  alignas(64) char spread[kMaxOperands][kSpread * 8];
  const void* direct[kMaxOperands];
  bool plain = out.contiguous() && out.dtype() == out_type && out.numel() <= 32768;
  for (int k = 0; k < count && plain; ++k) {
    const Value& v = in[k];
    if (v.tag == Tag::tensor) {
      plain = v.tensor->contiguous && v.tensor->dtype == in_type &&
              v.tensor->numel == out.numel() &&
              (v.tensor->sizes == out->sizes || v.tensor->numel == 1);
      direct[k] = v.tensor->data;
    } else if (v.tag == Tag::none) {
      direct[k] = out.data();
    } else {
      plain = out.numel() <= kSpread && itemsize(in_type) <= 8;
      if (!plain) break;
      put_number(numbers[k], v, in_type);
      direct[k] = numbers[k].bytes;
      if (out.numel() == 1) continue;
      load_run(spread[k], in_type, numbers[k].bytes, in_type, 0, out.numel());
      direct[k] = spread[k];
    }
  }
  if (plain) return fn(out.numel(), out.data(), direct);

  LoopOperand operands[kMaxOperands];
  int64_t strides[kMaxOperands][64];
  for (int k = 0; k < count; ++k) {
    const Value& v = in[k];
    if (v.tag == Tag::tensor) {
      operands[k] = {v.tensor->data, v.tensor->dtype, nullptr};
      set_strides(operands[k], v.tensor->strides, v.tensor->sizes, out.sizes(), strides[k]);
    } else {
      memset(numbers[k].bytes, 0, sizeof numbers[k].bytes);
      if (!v.is_none()) put_number(numbers[k], v, in_type);
      operands[k] = {numbers[k].bytes, in_type, nullptr};
    }
  }
  LoopOperand result{out.data(), out.dtype(), out->strides.data()};
  run_loop(fn, out.sizes(), result, out_type, operands, count, in_type);
}

// Whether the elements fill a block of memory without gaps.
bool dense(const TensorImpl& x) {
  int64_t span = 1;
  for (int i = 0; i < x.sizes.size(); ++i) {
    if (x.sizes[i] > 1 && x.strides[i] == 0) return false;
    span += (x.sizes[i] - 1) * x.strides[i];
  }
  return span == x.numel;
}

// Memory order of the result: that of the operands if they agree on a dense one, as in torch.
Tensor allocate_result(const Args& args, int arity, DimsView sizes, DType dtype) {
  for (int k = 0; k < arity; ++k) {
    const Value& v = args[k];
    if (v.tag != Tag::tensor || v.tensor->sizes.size() != sizes.size()) continue;
    if (v.tensor->contiguous || !(DimsView(v.tensor->sizes) == sizes)) break;
    int64_t span = 1;
    bool dense = true;
    for (int i = 0; i < sizes.size(); ++i) {
      span += (sizes[i] - 1) * v.tensor->strides[i];
      dense = dense && v.tensor->strides[i] > 0;
    }
    if (!dense || span != v.tensor->numel) break;
    return empty_strided(sizes, v.tensor->strides, dtype);
  }
  return empty(sizes, dtype);
}

}  // namespace

double var_constant(const Fn& f, double x) {
  Tensor t = scalar_tensor(x, DType::f64);
  return *f(t).data<double>();
}
double var_constant(const Fn& f, double x, double y) {
  Tensor a = scalar_tensor(x, DType::f64), b = scalar_tensor(y, DType::f64);
  return *f(a, b).data<double>();
}

Outs elementwise_forward(const Args& args) {
  const ElementwiseInfo& info = *args.op.elementwise;
  if (info.check) info.check(args);
  const Tensor* into = args.into;

  // Sizes: those of the only tensor, or of all broadcast together.
  const TensorImpl* first = nullptr;
  bool same = true;
  for (int k = 0; k < info.arity; ++k)
    if (args[k].tag == Tag::tensor) {
      if (!first) first = args[k].tensor;
      else same = same && args[k].tensor->sizes == first->sizes;
    }
  Dims broadcast;
  DimsView sizes;
  if (first && same) {
    sizes = first->sizes;
  } else if (first) {
    broadcast = first->sizes;
    for (int k = 0; k < info.arity; ++k)
      if (args[k].tag == Tag::tensor)
        broadcast = broadcast_sizes(broadcast, args[k].tensor->sizes, args.op.name);
    sizes = broadcast;
  }

  DType type = promoted(info, args);
  DType out_type;
  if (info.types == Types::floating) {
    if (!is_differentiable(type)) type = default_dtype();
    out_type = type;
  } else if (info.types == Types::compare) {
    out_type = DType::b8;
  } else if (info.types == Types::logical) {
    type = out_type = DType::b8;
  } else {
    if (info.types == Types::integral && is_differentiable(type))
      fail(ErrorKind::not_implemented, args.op.name, " is not implemented for '",
           scalar_name_of(type), "'");
    out_type = info.real_result ? real_of(type) : type;
  }
  DType in_loop = loop_type(type), out_loop = loop_type(out_type);
  LoopFn fn = forward_kernel(args.op, in_loop);

  Tensor out;
  if (into) {
    if (!(sizes == into->sizes()))
      runtime_error("output with shape ", into->sizes(), " doesn't match the broadcast shape ",
                    sizes);
    if (!can_cast(out_type, into->dtype()))
      runtime_error("result type ", scalar_name_of(out_type),
                    " can't be cast to the desired output type ", scalar_name_of(into->dtype()));
    out = *into;
    // An operand that overlaps the result must be the same elements; where the layouts are too
    // intricate to tell, it is read before it is lost.
    for (int k = 0; k < info.arity; ++k) {
      const Value& v = args[k];
      if (v.tag != Tag::tensor || v.tensor->storage.get() != out->storage.get()) continue;
      bool identical = v.tensor->offset == out->offset && v.tensor->sizes == out->sizes &&
                       v.tensor->strides == out->strides && v.tensor->dtype == out.dtype();
      if (identical) continue;
      if (dense(*v.tensor) && dense(*out.get())) {
        int64_t distance = v.tensor->data - out.data();
        bool apart = distance >= static_cast<int64_t>(itemsize(out.dtype())) * out.numel() ||
                     -distance >= static_cast<int64_t>(itemsize(v.tensor->dtype)) * v.tensor->numel;
        if (apart) continue;
        runtime_error(
            "unsupported operation: some elements of the input tensor and the written-to "
            "tensor refer to a single memory location. Please clone() the tensor before "
            "performing the operation.");
      }
      out = empty(sizes, out_type);
      break;
    }
  } else {
    out = allocate_result(args, info.arity, sizes, out_type);
  }
  run(fn, in_loop, out_loop, out, args.values, info.arity);
  return as_outs(std::move(out));
}

bool elementwise_fast_vjp(Vjp& c) {
  const Op& op = c.node.op;
  const ElementwiseInfo& info = *op.elementwise;
  const Tensor& g = c.cotangents[0];
  if (!g.defined()) return true;
  DType type = g.dtype();
  DType loop = loop_type(type);
  if (loop != DType::f32 && loop != DType::f64) return false;
  if (info.real_result && is_complex(c.like(0).dtype)) return false;
  for (int k = 0; k < info.gradients; ++k) {
    if (!c.needs(k)) continue;
    Tensor grad;
    if (info.unit[k]) {
      grad = g;
    } else {
      forward_kernel(op, loop);
      LoopFn fn = info.kernels->backward[k][loop == DType::f64];
      Value in[kMaxOperands];
      Tensor kept[kMaxOperands];
      in[0] = g;
      for (int i = 0; i < info.arity; ++i) {
        if (!(info.reads[k] >> i & 1)) continue;
        if (c.node.values[i].tag == Tag::tensor) {
          kept[i] = c.in(i);
          in[i + 1] = kept[i];
        } else {
          in[i + 1] = c.node.values[i];
        }
      }
      if (info.reads[k] >> info.arity & 1) {
        kept[info.arity] = c.out();
        in[info.arity + 1] = kept[info.arity];
      }
      grad = empty(g.sizes(), type);
      run(fn, loop, loop, grad, in, info.arity + 2);
    }
    c.set(k, sum_to(grad, c.like(k)));
  }
  return true;
}

// The operands (and the result) of a call as Vars; those that a derivative does not read stay
// empty.
static void vars_of(Vjp& c, Var* x) {
  const ElementwiseInfo& info = *c.node.op.elementwise;
  for (int i = 0; i < info.arity; ++i) {
    const Value& v = c.node.values[i];
    if (v.tag == Tag::tensor) {
      int slot = c.slot(i);
      if (c.node.slots[slot].saved.tensor.defined() || c.node.released)
        if (c.node.reads >> i & 1) x[i] = Var(c.in(i));
    } else {
      x[i] = Var(v.as_double());
    }
  }
  if (c.node.reads >> 16 & 1) x[info.arity] = Var(c.out());
}

void elementwise_vjp(Vjp& c) {
  const ElementwiseInfo& info = *c.node.op.elementwise;
  if (!c.has_g(0)) return;
  Var x[5];
  vars_of(c, x);
  Var g(c.g());
  for (int k = 0; k < info.gradients; ++k) {
    if (!c.needs(k)) continue;
    Var grad = g * conj(info.derivative[k](x, x[info.arity]));
    c.set(k, grad.constant() ? ops::zeros(c.like(k).sizes, c.like(k).dtype)
                             : sum_to(grad.t, c.like(k)));
  }
}

Outs elementwise_jvp(Jvp& j) {
  const ElementwiseInfo& info = *j.op.elementwise;
  Var x[5];
  for (int i = 0; i < info.arity; ++i) {
    const Value& v = j.primals[i];
    x[i] = v.tag == Tag::tensor ? Var(Tensor(v.tensor)) : Var(v.as_double());
  }
  x[info.arity] = Var(j.outs[0]);
  Var sum(0.0);
  for (int k = 0; k < info.gradients; ++k) {
    Tensor t = j.t(k);
    if (t.defined()) sum = sum + Var(t) * info.derivative[k](x, x[info.arity]);
  }
  Outs outs;
  if (sum.constant()) {
    outs.push_back(ops::zeros_like(j.outs[0]));
    return outs;
  }
  Tensor t = sum.t;
  for (auto& given : j.tangents)  // a write into the result must not reach the operand's tangent
    if (t.same(given)) t = ops::clone(t);
  if (!(t.sizes() == j.outs[0].sizes())) t = ops::expand(t, j.outs[0].sizes());
  if (t.dtype() != j.outs[0].dtype()) t = ops::to_dtype(t, j.outs[0].dtype());
  outs.push_back(t);
  return outs;
}

Outs elementwise_batch(Batch& b) {
  const ElementwiseInfo& info = *b.op.elementwise;
  int ndim = 0;
  for (int i = 0; i < info.arity; ++i)
    if (b.values[i].tag == Tag::tensor) ndim = std::max(ndim, b.logical_dim(i));
  Tensor kept[kMaxOperands];
  for (int i = 0; i < info.arity; ++i) {
    if (b.values[i].tag != Tag::tensor) continue;
    kept[i] = b.aligned(i, ndim);
    b.values[i].tensor = kept[i].get();
  }
  return b.run();
}

}  // namespace adj
