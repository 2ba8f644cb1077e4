// Copies and conversions of whole tensors.
#include "cpu/cast.h"
#include "ops/kinds/kinds.h"
#include "ops/vocabulary.h"

namespace adj {

namespace {

// Memory order kept where the tensor is dense, as torch's preserve_format does.
Tensor empty_in_order(const Tensor& x, DType dtype) {
  if (x.contiguous()) return empty(x.sizes(), dtype);
  int64_t span = 1;
  bool dense = true;
  for (int i = 0; i < x.dim(); ++i) {
    span += (x.size(i) - 1) * x.stride(i);
    dense = dense && x.stride(i) > 0;
  }
  return dense && span == x.numel() ? empty_strided(x.sizes(), x.strides(), dtype)
                                    : empty(x.sizes(), dtype);
}

// A batching rule for what acts on the first argument whatever its shape.
Outs batch_same(Batch& b) { return b.run(); }

Tensor back_to(const Tensor& g, const TensorMeta& like) {
  return g.dtype() == like.dtype ? g : ops::to_dtype(g, like.dtype);
}

struct Copy : Linear {
  static constexpr uint32_t linear = 2;
  static constexpr bool in_place = true;
  static Outs forward(const Args& args) {
    Tensor self = args[0].as_tensor(), source = args[1].as_tensor();
    Dims sizes = broadcast_sizes(self.sizes(), source.sizes());
    if (!(DimsView(sizes) == self.sizes()))
      runtime_error("The expanded size of the tensor must match: cannot copy a tensor of shape ",
                    source.sizes(), " into one of shape ", self.sizes());
    Tensor out = args.into ? *args.into : empty_in_order(self, self.dtype());
    bool shared = out->storage.get() == source->storage.get() && !(out->strides == source->strides);
    write_into(out, shared ? ops::contiguous_copy(source) : source);  // read before it is lost
    return as_outs(out);
  }
  static void transpose(Vjp& c) {
    if (c.slot(0) >= 0 && c.needs(0)) c.set(0, ops::zeros(c.like(0).sizes, c.like(0).dtype));
    if (c.needs(1)) c.set(1, sum_to(c.g(), c.like(1)));
  }
  static Outs batch(Batch& b) {
    int ndim = std::max(b.logical_dim(0), b.logical_dim(1));
    Tensor self = b.expanded(0), source = b.aligned(1, ndim);
    return as_outs(ops::copy(self, source));
  }
};
ADJ_OP(Copy, "copy(input: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor", R"(
The values of `src`, broadcast to the shape of `input` and converted to its dtype.

>>> adjoint.zeros(2).copy_(adjoint.tensor([1, 2]))
tensor([1., 2.])
)");

struct CopyNumber : Composite {
  static constexpr bool in_place = true;
  static Tensor define(Tensor x, Number src, bool) { return ops::fill(x, src); }
};
ADJ_OP(CopyNumber, "copy:number(input: Tensor, src: Number, non_blocking: bool = False) -> Tensor",
       R"(
A number in every element.

>>> adjoint.zeros(2).copy_(3)
tensor([3., 3.])
)");

struct Clone : Linear {
  static Tensor forward(Tensor x, Text) {
    Tensor y = empty_in_order(x, x.dtype());
    write_into(y, x);
    return y;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, Text) { return g; }
  static Outs batch(Batch& b) { return batch_same(b); }
};
ADJ_OP(Clone, "clone(input: Tensor, *, memory_format: str? = None) -> Tensor", R"(
A copy with memory of its own; gradients flow through it.

>>> adjoint.tensor([1., 2.]).clone()
tensor([1., 2.])
)");

struct ToDtype : Linear {
  static Tensor forward(Tensor x, DType dtype) {
    Tensor y = empty_in_order(x, dtype);
    write_into(y, x);
    return y;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, DType) { return back_to(g, x); }
  static Outs batch(Batch& b) { return batch_same(b); }
};
ADJ_OP(ToDtype, "to_dtype:/ToCopyBackward0(input: Tensor, dtype: dtype) -> Tensor", R"(
A copy of another dtype. `x.to(dtype)` is the usual spelling.

>>> adjoint.tensor([1.5, 2.5]).to(adjoint.int64)
tensor([1, 2])
)");

struct Contiguous : Composite {
  static Tensor define(Tensor x, Text) {
    if (x.contiguous() && !x.wrapped()) return x;
    return ops::contiguous_copy(x);
  }
};
ADJ_OP(Contiguous, "contiguous(input: Tensor, *, memory_format: str? = None) -> Tensor", R"(
The tensor itself if its elements lie in row-major order, else a copy that does.

>>> adjoint.eye(2).t().contiguous().stride()
(2, 1)
)");

struct ContiguousCopy : Linear {
  static Tensor forward(Tensor x) {
    Tensor y = empty(x.sizes(), x.dtype());
    write_into(y, x);
    return y;
  }
  static Tensor transpose(Tensor g, const TensorMeta&) { return g; }
  static Outs batch(Batch& b) { return batch_same(b); }
};
ADJ_OP(ContiguousCopy, "contiguous_copy(input: Tensor) -> Tensor", R"(
A copy in row-major order.

>>> adjoint.contiguous_copy(adjoint.eye(2).t())
tensor([[1., 0.],
        [0., 1.]])
)");

struct Zero : Linear {
  static constexpr bool in_place = true;
  static Outs forward(const Args& args) {
    Tensor x = args[0].as_tensor();
    Tensor out = args.into ? *args.into : empty_in_order(x, x.dtype());
    write_into(out, scalar_tensor(int64_t{0}, out.dtype()));
    return as_outs(out);
  }
  static Tensor transpose(Tensor, const TensorMeta& x) { return ops::zeros(x.sizes, x.dtype); }
  static Outs batch(Batch& b) { return batch_same(b); }
};
ADJ_OP(Zero, "zero(input: Tensor) -> Tensor", R"(
Zeros in the shape of `input`; `zero_` sets it to zero.

>>> adjoint.ones(2).zero_()
tensor([0., 0.])
)");

struct Fill : Linear {
  static constexpr bool in_place = true;
  static constexpr uint32_t linear = 3;
  static Outs forward(const Args& args) {
    Tensor x = args[0].as_tensor();
    Tensor out = args.into ? *args.into : empty_in_order(x, x.dtype());
    const Value& v = args[1];
    if (v.tag == Tag::tensor) {
      if (v.tensor->sizes.size() != 0)
        runtime_error("fill_ only supports 0-dimension value tensor but got tensor with ",
                      v.tensor->sizes.size(), " dimensions.");
      if (is_complex(v.tensor->dtype) && !is_complex(out.dtype()))
        runtime_error("value cannot be converted to type ", out.dtype(),
                      " without overflow: it is complex");
      write_into(out, v.as_tensor());
    } else {
      write_into(out, v.tag == Tag::real ? scalar_tensor(v.real, out.dtype())
                                         : scalar_tensor(v.as_int(), out.dtype()));
    }
    return as_outs(out);
  }
  static void transpose(Vjp& c) {
    if (c.needs(0)) c.set(0, ops::zeros(c.like(0).sizes, c.like(0).dtype));
    if (c.needs(1)) c.set(1, sum_to(c.g(), c.like(1)));
  }
  static Outs jvp(Jvp& j) {
    Outs outs;
    if (j.t(1).defined()) outs.push_back(ops::fill(j.in(0), j.t(1)));
    else outs.push_back(ops::zeros_like(j.in(0)));
    return outs;
  }
};
ADJ_OP(Fill, "fill(input: Tensor, value: Operand) -> Tensor", R"(
A tensor in the shape of `input`, every element `value`.

>>> adjoint.zeros(2).fill_(3)
tensor([3., 3.])
)");

}  // namespace
}  // namespace adj
