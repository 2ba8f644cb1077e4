// Views: the same memory seen through another layout.
#include "ops/shape.h"

namespace adj {

namespace {

struct Alias : View {
  static Layout layout(Tensor x) { return x.layout(); }
  static Tensor transpose(Tensor g, const TensorMeta&) { return g; }
  static Outs batch(Batch& b) { return b.run(); }
};
ADJ_OP(Alias, "alias(input: Tensor) -> Tensor", R"(
A new tensor on the same memory, with the same values and gradients.

>>> x = adjoint.ones(2)
>>> adjoint.alias(x).data_ptr() == x.data_ptr()
True
)");

// Sizes with one -1 filled in so that there are `numel` elements.
Dims infer_sizes(DimsView sizes, int64_t numel) {
  Dims out = sizes.copy();
  int64_t known = 1;
  int unknown = -1;
  for (int i = 0; i < out.size(); ++i) {
    if (out[i] == -1) {
      if (unknown >= 0) runtime_error("only one dimension can be inferred, got sizes ", sizes);
      unknown = i;
    } else if (out[i] < 0) {
      runtime_error("invalid shape dimension ", out[i], " in ", sizes);
    } else {
      known *= out[i];
    }
  }
  if (unknown >= 0) {
    if (known == 0)
      runtime_error("cannot reshape tensor of ", numel, " elements into shape ", sizes,
                    " because the unspecified dimension size -1 can be any value and is ambiguous");
    out[unknown] = numel / known;
    known *= out[unknown];
  }
  if (known != numel) runtime_error("shape '", sizes, "' is invalid for input of size ", numel);
  return out;
}

// Strides that make a view of these sizes; false if the elements are not laid out for one.
bool view_strides(const Tensor& x, const Dims& sizes, Dims& strides) {
  strides.resize(sizes.size());
  if (x.numel() == 0) {
    strides = contiguous_strides(sizes);
    return true;
  }
  // Both shapes are cut, from the right, into groups of equal element count; within a group the old
  // dims must be contiguous to each other.
  int v = sizes.size() - 1;
  int64_t base = x.dim() ? x.stride(-1) : 1, old_count = 1, new_count = 1;
  for (int d = x.dim() - 1; d >= 0; --d) {
    old_count *= x.size(d);
    bool ends = d == 0 || (x.size(d - 1) != 1 && x.stride(d - 1) != old_count * base);
    if (!ends) continue;
    while (v >= 0 && (new_count < old_count || sizes[v] == 1)) {
      strides[v] = new_count * base;
      new_count *= sizes[v];
      --v;
    }
    if (new_count != old_count) return false;
    if (d > 0) {
      base = x.stride(d - 1);
      old_count = new_count = 1;
    }
  }
  for (; v >= 0; --v) strides[v] = 1;
  return true;
}

struct ViewOp : View {
  static Layout layout(Tensor x, DimsView size) {
    Layout out{infer_sizes(size, x.numel()), {}, x->offset};
    if (!view_strides(x, out.sizes, out.strides))
      runtime_error("view size ", size, " is not compatible with input tensor's size ", x.sizes(),
                    " and stride ", x.strides(),
                    " (at least one dimension spans across two "
                    "contiguous subspaces). Use .reshape(...) instead.");
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, DimsView) {
    return ops::reshape(g, x.sizes);
  }
  static Outs batch(Batch& b) {
    // -1 is resolved by the logical sizes
    Tensor x = b.in(0);
    Dims sizes = infer_sizes(b.arg<DimsView>(1), b.size ? x.numel() / b.size : 0);
    return as_outs(ops::reshape(x, with_batch(b, sizes)));
  }
  // A tangent may lie in memory otherwise than its primal.
  static Outs jvp(Jvp& j) { return as_outs(ops::reshape(j.t(0), j.outs[0].sizes())); }
};
ADJ_OP(ViewOp, "view(input: Tensor, size: int[]) -> Tensor", R"(
The same elements under another shape, sharing memory; one size may be -1. A RuntimeError if the
layout does not allow it without a copy (see `reshape`).

>>> adjoint.arange(6).view(2, 3)
tensor([[0, 1, 2],
        [3, 4, 5]])
)");

// The memory of x as elements of another size: the last dim grows or shrinks.
struct ViewAsDtype : Constant {
  static Tensor forward(Tensor x, DType dtype) {
    auto from = static_cast<int64_t>(itemsize(x.dtype())),
         to = static_cast<int64_t>(itemsize(dtype));
    Layout out{x->sizes, x->strides, x->offset};
    if (dtype == DType::b8 && x.dtype() != DType::b8)
      runtime_error("view(dtype): the bytes of ", scalar_name_of(x.dtype()),
                    " may be no bools; use x != 0");
    if (from != to) {
      if (x.dim() == 0)
        runtime_error("self.dim() cannot be 0 to view ", scalar_name_of(x.dtype()), " as ",
                      scalar_name_of(dtype), " (different element sizes)");
      if (x.stride(-1) != 1)
        runtime_error("self.stride(-1) must be 1 to view ", scalar_name_of(x.dtype()), " as ",
                      scalar_name_of(dtype), " (different element sizes), but got ", x.stride(-1));
      int last = x.dim() - 1;
      auto scaled = [&](int64_t n, const char* what) {
        if (n * from % to)
          runtime_error(what, " must be divisible by ", to / from, " to view ",
                        scalar_name_of(x.dtype()), " as ", scalar_name_of(dtype),
                        " (different element sizes), but got ", n);
        return n * from / to;
      };
      out.sizes[last] = scaled(out.sizes[last], "self.size(-1)");
      out.offset = scaled(out.offset, "self.storage_offset()");
      for (int i = 0; i < last; ++i) out.strides[i] = scaled(out.strides[i], "self.stride");
    }
    return view_of(x, std::move(out), dtype);
  }
};
ADJ_OP(ViewAsDtype, "view:dtype(input: Tensor, dtype: dtype) -> Tensor", R"(
The same memory seen as elements of another dtype; the last dim grows or shrinks with their size. It
has no derivative. A RuntimeError where the layout does not allow it.

>>> adjoint.tensor([1.]).view(adjoint.int32)
tensor([1065353216], dtype=torch.int32)
)");

struct Reshape : Composite {
  static Tensor define(Tensor x, DimsView shape) {
    Dims sizes = infer_sizes(shape, x.numel());
    if (x.sizes() == DimsView(sizes)) return ops::alias(x);
    Dims strides;
    bool batched = x->level && x->level->kind == LevelKind::batched;  // decided with the batch dim
    if (batched || view_strides(x, sizes, strides)) return ops::view(x, sizes);
    return ops::view(ops::contiguous_copy(x), sizes);
  }
};
ADJ_OP(Reshape, "reshape(input: Tensor, shape: int[]) -> Tensor", R"(
The same elements under another shape: a view where the layout allows it, else a copy.

>>> adjoint.arange(4).reshape(2, -1)
tensor([[0, 1],
        [2, 3]])
)");

struct Expand : View {
  static Layout layout(Tensor x, DimsView size, bool) {
    int extra = size.size() - x.dim();
    if (extra < 0)
      runtime_error("expand: the number of sizes provided (", size.size(),
                    ") must be greater or equal to the number of dimensions in the tensor (",
                    x.dim(), "): got sizes ", size, " for a tensor of shape ", x.sizes());
    Layout out{size.copy(), Dims(size.size()), x->offset};
    int64_t count = 1;
    for (int i = 0; i < size.size(); ++i) {
      int64_t have = i < extra ? 1 : x.size(i - extra);
      if (out.sizes[i] == -1) {
        if (i < extra)
          runtime_error(
              "The expanded size of the tensor (-1) isn't allowed in a leading, "
              "non-existing dimension ",
              i);
        out.sizes[i] = have;
      }
      if (out.sizes[i] < 0) runtime_error("expand: negative size in ", size);
      if (have != 1 && have != out.sizes[i])
        runtime_error("The expanded size of the tensor (", out.sizes[i],
                      ") must match the existing "
                      "size (",
                      have, ") at non-singleton dimension ", i, ".  Target sizes: ", size,
                      ".  Tensor sizes: ", x.sizes());
      out.strides[i] = i >= extra && have == out.sizes[i] ? x.stride(i - extra) : 0;
      if (__builtin_mul_overflow(count, std::max<int64_t>(out.sizes[i], 1), &count))
        runtime_error("expand: a tensor of sizes ", size, " has too many elements to count");
    }
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, DimsView, bool) { return sum_to(g, x); }
  static Outs batch(Batch& b) {
    DimsView size = b.arg<DimsView>(1);
    return as_outs(ops::expand(b.aligned(0, size.size()), with_batch(b, size)));
  }
};
ADJ_OP(Expand, "expand(input: Tensor, size: int[], *, implicit: bool = False) -> Tensor", R"(
Repeats dims of size 1 without copying: their stride becomes 0. -1 keeps a size.

>>> adjoint.tensor([[1], [2]]).expand(2, 3)
tensor([[1, 1, 1],
        [2, 2, 2]])
)");

struct Permute : View {
  static Layout layout(Tensor x, DimsView dims) {
    if (dims.size() != x.dim())
      runtime_error(
          "permute(dims): number of dimensions in the tensor input does not match the "
          "length of the desired ordering of dimensions i.e. input.dim() = ",
          x.dim(), " is not equal to len(dims) = ", dims.size());
    Layout out{Dims(x.dim()), Dims(x.dim()), x->offset};
    uint64_t seen = 0;
    for (int i = 0; i < x.dim(); ++i) {
      int d = normalize_dim(dims[i], x.dim());
      if (seen >> d & 1) runtime_error("permute(dims): duplicate dims are not allowed: ", dims);
      seen |= uint64_t{1} << d;
      out.sizes[i] = x.size(d);
      out.strides[i] = x.stride(d);
    }
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, DimsView dims) {
    Dims inverse(dims.size());
    for (int i = 0; i < dims.size(); ++i) inverse[normalize_dim(dims[i], dims.size())] = i;
    return ops::permute(g, inverse);
  }
  static Outs batch(Batch& b) {
    DimsView dims = b.arg<DimsView>(1);
    int n = b.logical_dim(0);
    if (dims.size() != n) layout(ops::select(b.in(0), int64_t{0}, int64_t{0}), dims);
    Dims all{0};
    for (int64_t d : dims) all.push_back(normalize_dim(d, n) + 1);
    return as_outs(ops::permute(b.in(0), all));
  }
};
ADJ_OP(Permute, "permute(input: Tensor, dims: int[]) -> Tensor", R"(
A view with the dims in another order.

>>> adjoint.zeros(2, 3, 4).permute(2, 0, 1).shape
torch.Size([4, 2, 3])
)");

struct Transpose : View {
  static Layout layout(Tensor x, int64_t dim0, int64_t dim1) {
    int a = normalize_dim(dim0, x.dim()), b = normalize_dim(dim1, x.dim());
    Layout out = x.layout();
    if (x.dim()) {
      std::swap(out.sizes[a], out.sizes[b]);
      std::swap(out.strides[a], out.strides[b]);
    }
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, int64_t dim0, int64_t dim1) {
    return ops::transpose(g, dim0, dim1);
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    int64_t a = from_right(b.arg<int64_t>(1), n), c = from_right(b.arg<int64_t>(2), n);
    return as_outs(n ? ops::transpose(b.in(0), a, c) : ops::alias(b.in(0)));
  }
};
ADJ_OP(Transpose, "transpose(input: Tensor, dim0: int, dim1: int) -> Tensor", R"(
A view with two dims swapped.

>>> adjoint.zeros(2, 3).transpose(0, 1).shape
torch.Size([3, 2])
)");

struct Unsqueeze : View {
  static Layout layout(Tensor x, int64_t dim) {
    int d = normalize_dim(dim, x.dim() + 1);
    Layout out = x.layout();
    int64_t stride = d < x.dim() ? x.size(d) * x.stride(d) : 1;
    out.sizes.insert(d, 1);
    out.strides.insert(d, stride);
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, int64_t dim) {
    return ops::squeeze(g, Dims{normalize_dim(dim, x.sizes.size() + 1)});
  }
  static Outs batch(Batch& b) {
    return as_outs(ops::unsqueeze(b.in(0), from_right(b.arg<int64_t>(1), b.logical_dim(0) + 1)));
  }
};
ADJ_OP(Unsqueeze, "unsqueeze(input: Tensor, dim: int) -> Tensor", R"(
A view with a dim of size 1 put in at `dim`.

>>> adjoint.zeros(3).unsqueeze(0).shape
torch.Size([1, 3])
)");

struct Squeeze : View {
  static Layout layout(Tensor x, std::optional<DimsView> dim) {
    Layout out{{}, {}, x->offset};
    uint64_t chosen = dim ? 0 : ~uint64_t{0};
    if (dim)
      for (int64_t d : *dim) {
        uint64_t bit = uint64_t{1} << normalize_dim(d, x.dim());
        if (chosen & bit)
          runtime_error("dim ", d, " appears multiple times in the list of dims ", *dim);
        chosen |= bit;
      }
    for (int i = 0; i < x.dim(); ++i) {
      if (x.size(i) == 1 && (chosen >> i & 1)) continue;
      out.sizes.push_back(x.size(i));
      out.strides.push_back(x.stride(i));
    }
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, std::optional<DimsView>) {
    return ops::reshape(g, x.sizes);
  }
  static Outs batch(Batch& b) {
    Tensor x = b.in(0);
    int n = b.logical_dim(0);
    Dims dims;
    if (auto given = b.arg<std::optional<DimsView>>(1)) {
      if (n)
        for (int64_t d : *given) dims.push_back(from_right(d, n));
    } else {
      for (int i = 1; i < x.dim(); ++i) dims.push_back(i);
    }
    return as_outs(ops::squeeze(x, dims));
  }
};
ADJ_OP(Squeeze, "squeeze(input: Tensor, dim: int[]? = None) -> Tensor", R"(
A view without dims of size 1: all of them, or those of `dim` that have size 1.

>>> adjoint.zeros(1, 3, 1).squeeze().shape
torch.Size([3])
)");

}  // namespace
}  // namespace adj
