// Positions and elements chosen by a mask.
#include "cpu/gather.h"
#include "ops/index.h"

namespace adj {

namespace {

// A mask as contiguous bytes of 0 and 1.
Tensor plain_mask(const Tensor& mask) {
  if (mask.dtype() == DType::b8 && mask.contiguous()) return mask;
  Tensor plain = empty(mask.sizes(), DType::b8);
  write_into(plain, mask);
  return plain;
}
const uint8_t* bytes_of(const Tensor& mask) { return mask.data<uint8_t>(); }

[[noreturn]] void fail_batched(const char* name) {
  runtime_error("vmap: ", name,
                " of a batched tensor gives different sizes for different elements of the batch; "
                "use where(mask, x, other) instead");
}

struct Nonzero : Constant {
  static Tensor forward(Tensor x) {
    Tensor mask = plain_mask(x);
    Tensor out = empty(Dims{count_true(bytes_of(mask), mask.numel()), x.dim()}, DType::i64);
    adj::nonzero(out.data<int64_t>(), bytes_of(mask), x.dim(), x.sizes().data());
    return out;
  }
  static Outs batch(Batch&) { fail_batched("nonzero"); }
};
ADJ_OP(Nonzero, "nonzero(input: Tensor) -> Tensor", R"(
The indices of all elements that are not zero, one row each, in row-major order. With
`as_tuple=True` one vector of indices for each dim instead.

>>> adjoint.nonzero(adjoint.tensor([[1, 0], [0, 2]]))
tensor([[0, 0],
        [1, 1]])
)");

struct Argwhere : Composite {
  static Tensor define(Tensor x) { return ops::nonzero(x); }
};
ADJ_OP(Argwhere, "argwhere(input: Tensor) -> Tensor", R"(
The same as `nonzero`.

>>> adjoint.argwhere(adjoint.tensor([0, 3, 4]))
tensor([[1],
        [2]])
)");

void check_mask(const char* name, const Tensor& mask) {
  if (mask.dtype() != DType::b8)
    runtime_error(name, ": expected BoolTensor for mask, got ", scalar_name_of(mask.dtype()),
                  "; a comparison gives one, or mask.bool()");
}

Tensor expanded_to(const Tensor& x, DimsView sizes) {
  return x.sizes() == sizes ? x : ops::expand(x, sizes);
}

struct MaskedSelect : Linear {
  static Tensor forward(Tensor x, Tensor mask) {
    check_mask("masked_select", mask);
    Dims sizes = broadcast_sizes(x.sizes(), mask.sizes());
    Tensor wide = expanded_to(x, sizes);
    if (!wide.contiguous()) wide = ops::contiguous_copy(wide);
    mask = plain_mask(expanded_to(mask, sizes));
    Tensor out = empty(Dims{count_true(bytes_of(mask), mask.numel())}, x.dtype());
    adj::masked_select(static_cast<int64_t>(itemsize(x.dtype())), out.data(), wide.data(),
                       bytes_of(mask), mask.numel(), out.numel());
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, Tensor mask) {
    Dims sizes = broadcast_sizes(x.sizes, mask.sizes());
    return sum_to(ops::masked_scatter(ops::zeros(sizes, g.dtype()), mask, g), x);
  }
  static Outs batch(Batch& b) {
    if (b.is_batched(1)) fail_batched("masked_select with a mask");
    Tensor mask = b.in(1), x = b.aligned(0, mask.dim());
    Dims sizes = broadcast_sizes(x.sizes().slice(1, x.dim() - 1), mask.sizes());
    TensorList index{Tensor(), expanded_to(mask, sizes)};
    if (sizes.empty()) {
      Tensor wide = ops::unsqueeze(x, 1);
      index[1] = ops::reshape(mask, Dims{1});
      return as_outs(ops::index(wide, index));
    }
    return as_outs(ops::index(ops::expand(x, with_batch(b, sizes)), index));
  }
};
ADJ_OP(MaskedSelect, "masked_select(input: Tensor, mask: Tensor) -> Tensor", R"(
The elements of `input` where `mask` (bool, broadcast) is true, as a vector.

>>> x = adjoint.tensor([3, 1, 2])
>>> adjoint.masked_select(x, x > 1)
tensor([3, 2])
)");

struct MaskedScatter : Linear {
  static constexpr uint32_t linear = input(0) | input(2);
  static constexpr bool in_place = true;
  static Outs forward(const Args& a) {
    Tensor self = a[0].as_tensor(), mask = a[1].as_tensor(), source = a[2].as_tensor();
    if (mask.dtype() != DType::b8)
      runtime_error("masked_scatter_ only supports boolean masks, but got mask with dtype ",
                    scalar_name_of(mask.dtype()));
    if (source.dtype() != self.dtype())
      runtime_error("masked_scatter: expected self and source to have same dtypes but got ",
                    scalar_name_of(self.dtype()), " and ", scalar_name_of(source.dtype()));
    Dims sizes = broadcast_sizes(self.sizes(), mask.sizes());
    if (a.into && !(self.sizes() == DimsView(sizes)))
      runtime_error("masked_scatter_: a mask of shape ", mask.sizes(),
                    " does not broadcast to a tensor of shape ", self.sizes());
    mask = plain_mask(expanded_to(mask, sizes));
    int64_t count = count_true(bytes_of(mask), mask.numel());
    if (count > source.numel())
      runtime_error("masked_scatter: expected the number of elements of source (", source.numel(),
                    ") to be at least that of true elements of mask (", count, ")");
    if (!source.contiguous() || source->storage.get() == self->storage.get())
      source = ops::contiguous_copy(source);
    Tensor out =
        a.into && self.contiguous() ? *a.into : ops::contiguous_copy(expanded_to(self, sizes));
    adj::masked_scatter(static_cast<int64_t>(itemsize(out.dtype())), out.data(), source.data(),
                        bytes_of(mask), mask.numel());
    return as_outs(out);
  }
  static void transpose(Vjp& c) {
    Tensor g = c.g(), mask = c.in(1);
    if (c.needs(0)) c.set(0, sum_to(ops::masked_fill(g, mask, 0), c.like(0)));
    if (c.needs(2)) c.set(2, ops::masked_take(g, mask, c.like(2).sizes));
  }
};
ADJ_OP(MaskedScatter, "masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor", R"(
`input` with the elements where `mask` (bool, broadcast) is true replaced by those of `source`, in
order. `source` must have at least as many.

>>> mask = adjoint.tensor([True, False, True])
>>> adjoint.zeros(3).masked_scatter(mask, adjoint.tensor([5., 6.]))
tensor([5., 0., 6.])
)");

// The gradient of masked_scatter's source: of a size that does not depend on the mask.
struct MaskedTake : Linear {
  static Tensor forward(Tensor x, Tensor mask, DimsView size) {
    Tensor out = ops::zeros(size, x.dtype()), picked = ops::masked_select(x, mask);
    write_into(view_of(out, {{picked.numel()}, {1}, 0}), picked);
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, Tensor mask, DimsView) {
    Dims sizes = broadcast_sizes(x.sizes, mask.sizes());
    return sum_to(ops::masked_scatter(ops::zeros(sizes, g.dtype()), mask, g), x);
  }
};
ADJ_OP(MaskedTake, "_nodes.masked_take(input: Tensor, mask: Tensor, size: int[]) -> Tensor", R"(
The elements of `input` where `mask` is true, as the first of a tensor of shape `size`; then zeros.

>>> from adjoint import _core
>>> mask = adjoint.tensor([True, False])
>>> _core._namespaces["_nodes"]["masked_take"](adjoint.ones(2), mask, (3,))
tensor([1., 0., 0.])
)");

}  // namespace
}  // namespace adj
