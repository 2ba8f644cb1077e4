// Views given by strides, and the writes through views that autograd replays with them.
#include <algorithm>

#include "ops/kinds/kinds.h"
#include "ops/vocabulary.h"

namespace adj {

namespace {

// Strided views of a storage. `base_stride` and `base_offset` are the layout of the input in that
// storage: a gradient lies elsewhere, and is read as if it lay there.
struct Strided {
  DimsView size, stride;
  int64_t offset;
  Layout layout(int64_t shift = 0) const { return {size.copy(), stride.copy(), offset - shift}; }
  void extend(int64_t& first, int64_t& last) const {
    int64_t end = offset;
    for (int i = 0; i < size.size(); ++i) end += (size[i] ? size[i] - 1 : 0) * stride[i];
    first = std::min(first, offset);
    last = std::max(last, end);
  }
};

// x at the place of `base` in memory of its own that spans both layouts; the rest is zero.
Tensor spread(const Tensor& x, const Strided& base, const Strided& part, int64_t& first) {
  int64_t last = base.offset;
  first = base.offset;
  base.extend(first, last);
  part.extend(first, last);
  Tensor flat = ops::zeros(Dims{last - first + 1}, x.dtype());
  if (x.defined()) write_into(view_of(flat, base.layout(first)), x);
  return flat;
}

Dims with_first(int64_t first, DimsView rest) {
  Dims dims{first};
  dims.append(rest.begin(), rest.end());
  return dims;
}

// For vmap: the elements of a batch are thought to lie apart, further than both layouts reach.
int64_t batch_step(const Strided& base, const Strided& part) {
  int64_t first = base.offset, last = base.offset;
  base.extend(first, last);
  part.extend(first, last);
  return last - first + 1;
}

Layout strided_layout(const Tensor& x, DimsView size, DimsView stride, int64_t offset) {
  if (size.size() != stride.size())
    runtime_error("mismatch in length of strides and shape: ", size, " and ", stride);
  int64_t last = offset, count = 1;
  bool empty = false, countable = true;
  for (int i = 0; i < size.size(); ++i) {
    if (stride[i] < 0)
      runtime_error("as_strided: negative strides are not supported, got ", stride);
    if (size[i] < 0) runtime_error("as_strided: negative size in ", size);
    int64_t step = 0;
    countable &= !__builtin_mul_overflow(std::max<int64_t>(size[i] - 1, 0), stride[i], &step) &&
                 !__builtin_add_overflow(last, step, &last) &&
                 !__builtin_mul_overflow(count, std::max<int64_t>(size[i], 1), &count);
    empty |= size[i] == 0;
  }
  if (!countable)
    runtime_error("as_strided: sizes ", size, ", strides ", stride, " and storage offset ", offset,
                  " are too large to count the elements");
  int64_t have = static_cast<int64_t>(x->storage->nbytes / itemsize(x.dtype()));
  if (offset < 0 || (!empty && last >= have))
    runtime_error("as_strided: sizes ", size, ", strides ", stride, " and storage offset ", offset,
                  " reach element ", last, ", which is out of bounds for storage of ", have,
                  " elements");
  return {size.copy(), stride.copy(), offset};
}

struct AsStrided : Composite {
  static Tensor define(Tensor x, DimsView size, DimsView stride, std::optional<int64_t> offset) {
    return ops::as_strided_view(x, size, stride, offset.value_or(x->offset), x.strides(),
                                x->offset);
  }
};
ADJ_OP(
    AsStrided,
    "as_strided(input: Tensor, size: int[], stride: int[], storage_offset: int? = None) -> Tensor",
    R"(
A view with the given sizes, strides and offset (in elements) of the storage.

>>> adjoint.arange(6).as_strided((2, 2), (2, 1), 1)
tensor([[1, 2],
        [3, 4]])
)");

struct AsStridedView : View {
  static Layout layout(Tensor x, DimsView size, DimsView stride, int64_t offset, DimsView,
                       int64_t) {
    return strided_layout(x, size, stride, offset);
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, DimsView size, DimsView stride,
                          int64_t offset, DimsView base_stride, int64_t base_offset) {
    return ops::as_strided_put(g, x.sizes, size, stride, offset, base_stride, base_offset);
  }
  static Outs jvp(Jvp& j) {
    return as_outs(ops::as_strided_take(j.t(0), j.arg<DimsView>(1), j.arg<DimsView>(2),
                                        j.arg<int64_t>(3), j.arg<DimsView>(4), j.arg<int64_t>(5)));
  }
  static Outs batch(Batch& b) {
    Tensor x = b.in(0);
    auto both = [&](int i) { return with_first(x.stride(0), b.arg<DimsView>(i)); };
    return as_outs(ops::as_strided_view(x, with_first(x.size(0), b.arg<DimsView>(1)), both(2),
                                        b.arg<int64_t>(3), both(4), b.arg<int64_t>(5)));
  }
};
ADJ_OP(AsStridedView,
       "as_strided:view(input: Tensor, size: int[], stride: int[], storage_offset: int, "
       "base_stride: int[], base_offset: int) -> Tensor",
       R"(
`as_strided` of an input that lies at `base_stride` and `base_offset`.

>>> adjoint.arange(4).as_strided((2,), (2,), 0, (1,), 0)
tensor([0, 2])
)");

struct AsStridedTake : Linear {
  static Tensor forward(Tensor x, DimsView size, DimsView stride, int64_t offset,
                        DimsView base_stride, int64_t base_offset) {
    int64_t first;
    Strided part{size, stride, offset};
    Tensor flat = spread(x, {x.sizes(), base_stride, base_offset}, part, first);
    return ops::contiguous_copy(view_of(flat, part.layout(first)));
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, DimsView size, DimsView stride,
                          int64_t offset, DimsView base_stride, int64_t base_offset) {
    return ops::as_strided_put(g, x.sizes, size, stride, offset, base_stride, base_offset);
  }
  static Outs batch(Batch& b) {
    Tensor x = b.in(0);
    Strided part{b.arg<DimsView>(1), b.arg<DimsView>(2), b.arg<int64_t>(3)};
    Strided base{DimsView(x.sizes()).slice(1, x.dim() - 1), b.arg<DimsView>(4), b.arg<int64_t>(5)};
    int64_t step = batch_step(base, part);
    return as_outs(ops::as_strided_take(x, with_first(b.size, part.size),
                                        with_first(step, part.stride), part.offset,
                                        with_first(step, base.stride), base.offset));
  }
};
ADJ_OP(AsStridedTake,
       "_nodes.as_strided_take(input: Tensor, size: int[], stride: int[], storage_offset: int, "
       "base_stride: int[], base_offset: int) -> Tensor",
       R"(
A copy of what `as_strided` would show if `input` lay in memory at `base_stride` and `base_offset`.

>>> f = adjoint._core._namespaces["_nodes"]["as_strided_take"]
>>> f(adjoint.arange(4), (2,), (2,), 0, (1,), 0)
tensor([0, 2])
)");

struct AsStridedPut : Linear {
  static Tensor forward(Tensor g, DimsView base_size, DimsView size, DimsView stride,
                        int64_t offset, DimsView base_stride, int64_t base_offset) {
    int64_t first;
    Strided base{base_size, base_stride, base_offset}, part{size, stride, offset};
    Tensor flat = spread(
        view_of(ops::zeros(Dims{1}, g.dtype()), {base_size.copy(), Dims(base_size.size()), 0}),
        base, part, first);
    // A part that overlaps itself (an expanded view) adds up.
    if (overlaps_itself(size, stride) || !view_is_injective(size, stride)) {
      Tensor index = ops::arange(int64_t{0}, flat.numel(), int64_t{1}, DType::i64);
      index = ops::contiguous_copy(view_of(index, part.layout(first)));
      flat = ops::index_add(flat, int64_t{0}, ops::reshape(index, Dims{-1}),
                            ops::reshape(g, Dims{-1}));
    } else {
      write_into(view_of(flat, part.layout(first)), g);
    }
    return ops::contiguous_copy(view_of(flat, base.layout(first)));
  }
  static bool view_is_injective(DimsView size, DimsView stride) {
    // Sorted by stride, each dim steps beyond all that the smaller ones span.
    SmallVec<std::pair<int64_t, int64_t>, 6> dims;
    for (int i = 0; i < size.size(); ++i)
      if (size[i] > 1) dims.push_back({stride[i], size[i]});
    std::sort(dims.begin(), dims.end());
    int64_t reach = 0;
    for (auto& [step, n] : dims) {
      if (step <= reach) return false;
      reach += step * (n - 1);
    }
    return true;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, DimsView, DimsView size, DimsView stride,
                          int64_t offset, DimsView base_stride, int64_t base_offset) {
    return ops::as_strided_take(g, size, stride, offset, base_stride, base_offset);
  }
  static Outs batch(Batch& b) {
    Strided base{b.arg<DimsView>(1), b.arg<DimsView>(5), b.arg<int64_t>(6)};
    Strided part{b.arg<DimsView>(2), b.arg<DimsView>(3), b.arg<int64_t>(4)};
    int64_t step = batch_step(base, part);
    return as_outs(ops::as_strided_put(b.in(0), with_first(b.size, base.size),
                                       with_first(b.size, part.size), with_first(step, part.stride),
                                       part.offset, with_first(step, base.stride), base.offset));
  }
};
ADJ_OP(AsStridedPut,
       "_nodes.as_strided_put(input: Tensor, base_size: int[], size: int[], stride: int[], "
       "storage_offset: int, base_stride: int[], base_offset: int) -> Tensor",
       R"(
Zeros in the layout of a base with `input` added where the strided view is: the transpose of
`as_strided_take`.

>>> f = adjoint._core._namespaces["_nodes"]["as_strided_put"]
>>> f(adjoint.ones(2), (4,), (2,), (2,), 0, (1,), 0)
tensor([1., 0., 1., 0.])
)");

// What an in-place write through a view does to the history of its base.
struct WriteThroughView : Linear {
  static constexpr uint32_t linear = 3;
  static Tensor forward(Tensor x, Tensor src, DimsView size, DimsView stride, int64_t offset,
                        DimsView base_stride, int64_t base_offset) {
    int64_t first;
    Strided base{x.sizes(), base_stride, base_offset}, part{size, stride, offset};
    Tensor flat = spread(x, base, part, first);
    write_into(view_of(flat, part.layout(first)), src);
    return ops::contiguous_copy(view_of(flat, base.layout(first)));
  }
  static void transpose(Vjp& c) {
    auto size = c.arg<DimsView>(2), stride = c.arg<DimsView>(3), base_stride = c.arg<DimsView>(5);
    auto offset = c.arg<int64_t>(4), base_offset = c.arg<int64_t>(6);
    if (c.needs(0))
      c.set(0, ops::write_through_view(c.g(), ops::zeros(size, c.g().dtype()), size, stride, offset,
                                       base_stride, base_offset));
    if (c.needs(1)) {
      Tensor g = ops::as_strided_take(c.g(), size, stride, offset, base_stride, base_offset);
      c.set(1, g.dtype() == c.like(1).dtype ? g : ops::to_dtype(g, c.like(1).dtype));
    }
  }
  static Outs batch(Batch& b) {
    Tensor x = b.expanded(0);
    Strided part{b.arg<DimsView>(2), b.arg<DimsView>(3), b.arg<int64_t>(4)};
    Strided base{DimsView(x.sizes()).slice(1, x.dim() - 1), b.arg<DimsView>(5), b.arg<int64_t>(6)};
    int64_t step = batch_step(base, part);
    return as_outs(ops::write_through_view(x, b.expanded(1), with_first(b.size, part.size),
                                           with_first(step, part.stride), part.offset,
                                           with_first(step, base.stride), base.offset));
  }
};
ADJ_OP(
    WriteThroughView,
    "_nodes.write_through_view:/CopySlices(input: Tensor, src: Tensor, size: int[], stride: int[], "
    "storage_offset: int, base_stride: int[], base_offset: int) -> Tensor",
    R"(
`input` with the strided view (see `as_strided_take`) replaced by `src`.

>>> f = adjoint._core._namespaces["_nodes"]["write_through_view"]
>>> f(adjoint.zeros(4), adjoint.ones(2), (2,), (2,), 0, (1,), 0)
tensor([1., 0., 1., 0.])
)");

struct AsStridedScatter : Composite {
  static Tensor define(Tensor x, Tensor src, DimsView size, DimsView stride,
                       std::optional<int64_t> offset) {
    if (!(DimsView(src.sizes()) == size))
      runtime_error("expected src to have the size of the view, ", size, ", but got ", src.sizes());
    int64_t first = offset.value_or(x->offset);
    strided_layout(x, size, stride, first);  // that it lies in the storage
    return ops::write_through_view(x, src, size, stride, first, x.strides(), x->offset);
  }
};
ADJ_OP(AsStridedScatter,
       "as_strided_scatter(input: Tensor, src: Tensor, size: int[], stride: int[], "
       "storage_offset: int? = None) -> Tensor",
       R"(
A copy of `input` in which `src` stands where `input.as_strided(size, stride, storage_offset)` is.

>>> adjoint.as_strided_scatter(adjoint.zeros(4), adjoint.ones(2), (2,), (2,), 0)
tensor([1., 0., 1., 0.])
)");

}  // namespace
}  // namespace adj
