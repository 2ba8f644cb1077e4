// Tensors put together: cat, stack and what is made of them.
#include <cstring>

#include "ops/shape.h"

namespace adj {

namespace {

// torch skips empty vectors in `cat`, whatever the shape of the others.
bool skipped(DimsView sizes) { return sizes.size() == 1 && sizes[0] == 0; }

struct Cat : Linear {
  static Tensor forward(Tensors tensors, int64_t dim) {
    if (tensors.size() == 0) value_error("torch.cat(): expected a non-empty list of Tensors");
    const Tensor* first = nullptr;
    DType type = tensors[0].dtype();
    for (int i = 0; i < tensors.size(); ++i) {
      const Tensor& x = tensors[i];
      if (x.dim() == 0)
        runtime_error("zero-dimensional tensor (at position ", i, ") cannot be concatenated");
      type = promote(type, x.dtype());
      if (!first && !skipped(x.sizes())) first = &x;
    }
    if (!first) first = &tensors[0];
    int d = normalize_dim(dim, first->dim());
    int64_t total = 0;
    for (int i = 0; i < tensors.size(); ++i) {
      const Tensor& x = tensors[i];
      if (skipped(x.sizes())) continue;
      if (x.dim() != first->dim())
        runtime_error("Tensors must have same number of dimensions: got ", first->dim(), " and ",
                      x.dim());
      for (int k = 0; k < x.dim(); ++k)
        if (k != d && x.size(k) != first->size(k))
          runtime_error("Sizes of tensors must match except in dimension ", d, ". Expected size ",
                        first->size(k), " but got size ", x.size(k), " for tensor number ", i,
                        " in the list (its shape is ", x.sizes(), ")");
      total += x.size(d);
    }
    Tensor out = empty(sizes_with(first->sizes(), d, total), type);
    Layout part = out.layout();
    int64_t rows = DimsView(part.sizes).slice(0, d).product();
    auto item = static_cast<int64_t>(itemsize(type));
    for (const Tensor& x : tensors) {
      if (skipped(x.sizes())) continue;
      part.sizes[d] = x.size(d);
      if (rows == 1 && x.contiguous() && x.dtype() == type && x.numel() < 16384)
        memcpy(out.data() + part.offset * item, x.data(), static_cast<size_t>(x.numel() * item));
      else write_into(view_of(out, part), x);
      part.offset += x.size(d) * part.strides[d];
    }
    return out;
  }
  static void transpose(Vjp& c) {
    Tensor g = c.g();
    int d = normalize_dim(c.arg<int64_t>(1), g.dim());
    int64_t at = 0;
    for (int i = 0; i < c.count(0); ++i) {
      const TensorMeta& x = c.like(0, i);
      int64_t n = skipped(x.sizes) ? 0 : x.sizes[d];
      if (c.needs(0, i))
        c.set(0,
              skipped(x.sizes) ? ops::zeros(x.sizes, x.dtype)
                               : in_dtype(ops::slice(g, d, at, at + n, 1), x.dtype),
              i);
      at += n;
    }
  }
  static Outs batch(Batch& b) {
    TensorList all = expanded_list(b, 0), kept;
    for (auto& x : all)
      if (!skipped(x.sizes().slice(1, x.dim() - 1))) kept.push_back(x);
    if (kept.empty()) return as_outs(all[0]);
    return as_outs(ops::cat(kept, from_right(b.arg<int64_t>(1), kept[0].dim() - 1)));
  }
};
ADJ_OP(Cat, "cat(tensors: Tensor[], dim: int = 0) -> Tensor", R"(
The tensors one behind the other along `dim`; their other sizes must be equal. The dtype is the one
that all promote to. A RuntimeError if sizes differ or a tensor has no dims.

>>> adjoint.cat([adjoint.tensor([[1, 2]]), adjoint.tensor([[3, 4], [5, 6]])])
tensor([[1, 2],
        [3, 4],
        [5, 6]])
)");

struct CatAgain : Composite {
  static Tensor define(Tensors tensors, int64_t dim) { return ops::cat(tensors, dim); }
};
struct Concat : CatAgain {};
ADJ_OP(Concat, "concat(tensors: Tensor[], dim: int = 0) -> Tensor", R"(
The same as `cat`.

>>> adjoint.concat([adjoint.ones(1), adjoint.zeros(1)])
tensor([1., 0.])
)");
struct Concatenate : CatAgain {};
ADJ_OP(Concatenate, "concatenate(tensors: Tensor[], dim: int = 0) -> Tensor", R"(
The same as `cat`.

>>> adjoint.concatenate([adjoint.ones(1), adjoint.zeros(1)])
tensor([1., 0.])
)");

struct Stack : Linear {
  static Tensor forward(Tensors tensors, int64_t dim) {
    if (tensors.size() == 0) runtime_error("stack expects a non-empty TensorList");
    const Tensor& first = tensors[0];
    DType type = first.dtype();
    for (int i = 0; i < tensors.size(); ++i) {
      if (!(tensors[i].sizes() == first.sizes()))
        runtime_error("stack expects each tensor to be equal size, but got ", first.sizes(),
                      " at entry 0 and ", tensors[i].sizes(), " at entry ", i);
      type = promote(type, tensors[i].dtype());
    }
    int d = normalize_dim(dim, first.dim() + 1);
    Dims sizes = first.sizes().copy();
    sizes.insert(d, tensors.size());
    Tensor out = empty(sizes, type);
    Layout part = out.layout();
    int64_t step = part.strides[d];
    part.sizes.erase(d);
    part.strides.erase(d);
    for (const Tensor& x : tensors) {
      write_into(view_of(out, part), x);
      part.offset += step;
    }
    return out;
  }
  static void transpose(Vjp& c) {
    Tensor g = c.g();
    for (int i = 0; i < c.count(0); ++i)
      if (c.needs(0, i))
        c.set(0, in_dtype(ops::select(g, c.arg<int64_t>(1), i), c.like(0, i).dtype), i);
  }
  static Outs batch(Batch& b) {
    TensorList all = expanded_list(b, 0);
    return as_outs(ops::stack(all, from_right(b.arg<int64_t>(1), all[0].dim())));
  }
};
ADJ_OP(Stack, "stack(tensors: Tensor[], dim: int = 0) -> Tensor", R"(
Tensors of one shape, put side by side along a new dim. A RuntimeError if shapes differ.

>>> adjoint.stack([adjoint.tensor([1, 2]), adjoint.tensor([3, 4])], dim=1)
tensor([[1, 3],
        [2, 4]])
)");

// x with dims of size 1 added until it has n, where NumPy adds them.
Tensor with_dims(const Tensor& x, int n) {
  if (x.dim() >= n) return x;
  if (n == 1) return ops::reshape(x, Dims{1});
  if (n == 2) return x.dim() ? ops::unsqueeze(x, 0) : ops::reshape(x, Dims{1, 1});
  return x.dim() == 2   ? ops::unsqueeze(x, -1)
         : x.dim() == 1 ? ops::unsqueeze(ops::unsqueeze(x, 0), -1)
                        : ops::reshape(x, Dims{1, 1, 1});
}
TensorList with_dims(Tensors tensors, int n) {
  TensorList out;
  for (auto& x : tensors) out.push_back(with_dims(x, n));
  return out;
}

template <int N>
struct AtLeast : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x) { return with_dims(x, N); }
};
template <int N>
struct AtLeastAll : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensors tensors) {
    Outs out;
    for (auto& x : tensors) out.push_back(with_dims(x, N));
    return out;
  }
};
struct AtLeast1d : AtLeast<1> {};
ADJ_OP(AtLeast1d, "atleast_1d(input: Tensor) -> Tensor", R"(
`input`, or a 0-d tensor as one of a single element. Several tensors give a tuple.

>>> adjoint.atleast_1d(adjoint.tensor(5))
tensor([5])
)");
struct AtLeast1dAll : AtLeastAll<1> {};
ADJ_OP(AtLeast1dAll, "atleast_1d:all(tensors: Tensor[]) -> Tensor[]", R"(
Of each tensor.

>>> adjoint.atleast_1d(adjoint.tensor(5), adjoint.tensor([6]))
(tensor([5]), tensor([6]))
)");
struct AtLeast2d : AtLeast<2> {};
ADJ_OP(AtLeast2d, "atleast_2d(input: Tensor) -> Tensor", R"(
`input` with dims of size 1 in front until it has two.

>>> adjoint.atleast_2d(adjoint.tensor([1, 2]))
tensor([[1, 2]])
)");
struct AtLeast2dAll : AtLeastAll<2> {};
ADJ_OP(AtLeast2dAll, "atleast_2d:all(tensors: Tensor[]) -> Tensor[]", R"(
Of each tensor.

>>> adjoint.atleast_2d(adjoint.tensor(5), adjoint.tensor([6]))
(tensor([[5]]), tensor([[6]]))
)");
struct AtLeast3d : AtLeast<3> {};
ADJ_OP(AtLeast3d, "atleast_3d(input: Tensor) -> Tensor", R"(
`input` with dims of size 1 until it has three: a vector becomes 1 x n x 1, a matrix m x n x 1.

>>> adjoint.atleast_3d(adjoint.tensor([1, 2])).shape
torch.Size([1, 2, 1])
)");
struct AtLeast3dAll : AtLeastAll<3> {};
ADJ_OP(AtLeast3dAll, "atleast_3d:all(tensors: Tensor[]) -> Tensor[]", R"(
Of each tensor.

>>> adjoint.atleast_3d(adjoint.tensor(5), adjoint.tensor([6]))
(tensor([[[5]]]), tensor([[[6]]]))
)");

void require_some(Tensors tensors, const char* name) {
  if (tensors.size() == 0) runtime_error(name, " expects a non-empty TensorList");
}

struct HStack : Composite {
  static Tensor define(Tensors tensors) {
    require_some(tensors, "hstack");
    TensorList all = with_dims(tensors, 1);
    return ops::cat(all, all[0].dim() == 1 ? 0 : 1);
  }
};
ADJ_OP(HStack, "hstack(tensors: Tensor[]) -> Tensor", R"(
The tensors side by side: along dim 1, vectors along dim 0.

>>> adjoint.hstack([adjoint.tensor([1, 2]), adjoint.tensor([3])])
tensor([1, 2, 3])
)");

struct VStack : Composite {
  static Tensor define(Tensors tensors) {
    require_some(tensors, "vstack");
    return ops::cat(with_dims(tensors, 2), 0);
  }
};
ADJ_OP(VStack, "vstack(tensors: Tensor[]) -> Tensor", R"(
The tensors below each other; vectors are rows.

>>> adjoint.vstack([adjoint.tensor([1, 2]), adjoint.tensor([3, 4])])
tensor([[1, 2],
        [3, 4]])
)");
struct RowStack : VStack {};
ADJ_OP(RowStack, "row_stack(tensors: Tensor[]) -> Tensor", R"(
The same as `vstack`.

>>> adjoint.row_stack([adjoint.tensor([1, 2]), adjoint.tensor([3, 4])])
tensor([[1, 2],
        [3, 4]])
)");

struct DStack : Composite {
  static Tensor define(Tensors tensors) {
    require_some(tensors, "dstack");
    return ops::cat(with_dims(tensors, 3), 2);
  }
};
ADJ_OP(DStack, "dstack(tensors: Tensor[]) -> Tensor", R"(
The tensors behind each other, along dim 2 (see `atleast_3d`).

>>> adjoint.dstack([adjoint.tensor([1, 2]), adjoint.tensor([3, 4])])
tensor([[[1, 3],
         [2, 4]]])
)");

struct ColumnStack : Composite {
  static Tensor define(Tensors tensors) {
    require_some(tensors, "column_stack");
    TensorList all;
    for (auto& x : tensors) all.push_back(x.dim() > 1 ? x : ops::reshape(x, Dims{x.numel(), 1}));
    return ops::cat(all, 1);
  }
};
ADJ_OP(ColumnStack, "column_stack(tensors: Tensor[]) -> Tensor", R"(
The tensors side by side; vectors are columns.

>>> adjoint.column_stack([adjoint.tensor([1, 2]), adjoint.tensor([3, 4])])
tensor([[1, 3],
        [2, 4]])
)");

struct BlockDiag : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensors tensors) {
    int64_t columns = 0;
    TensorList blocks, rows;
    for (int i = 0; i < tensors.size(); ++i) {
      if (tensors[i].dim() > 2)
        runtime_error("torch.block_diag: Input tensors must have 2 or fewer dimensions. Input ", i,
                      " has ", tensors[i].dim(), " dimensions");
      blocks.push_back(with_dims(tensors[i], 2));
      columns += blocks.back().size(1);
    }
    if (blocks.empty()) return ops::zeros(Dims{1, 0});
    int64_t at = 0;
    for (auto& x : blocks) {
      int64_t n = x.size(1);
      rows.push_back(ops::constant_pad_nd(x, Dims{at, columns - at - n}));
      at += n;
    }
    return ops::cat(rows, 0);
  }
};
ADJ_OP(BlockDiag, "block_diag(tensors: Tensor[]) -> Tensor", R"(
A matrix with the given matrices along its diagonal, zero elsewhere. Vectors are rows.

>>> adjoint.block_diag(adjoint.tensor([[1, 2]]), adjoint.tensor([[3], [4]]))
tensor([[1, 2, 0],
        [0, 0, 3],
        [0, 0, 4]])
)");

struct BroadcastTensors : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensors tensors) {
    Dims sizes;
    for (auto& x : tensors) sizes = broadcast_sizes(sizes, x.sizes());
    Outs out;
    for (auto& x : tensors) out.push_back(x.sizes() == DimsView(sizes) ? x : ops::expand(x, sizes));
    return out;
  }
};
ADJ_OP(BroadcastTensors, "broadcast_tensors(tensors: Tensor[]) -> Tensor[]", R"(
Views of the tensors in the shape that all broadcast to.

>>> a, b = adjoint.broadcast_tensors(adjoint.zeros(3), adjoint.zeros(2, 1))
>>> b.shape
torch.Size([2, 3])
)");

struct Meshgrid : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensors tensors, std::optional<Text> indexing) {
    bool swap = indexing && *indexing == "xy";
    if (indexing && !swap && *indexing != "ij")
      runtime_error("torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: ",
                    *indexing);
    int n = tensors.size();
    if (n == 0) runtime_error("meshgrid expects a non-empty TensorList");
    swap = swap && n > 1;
    Dims sizes;
    for (int i = 0; i < n; ++i) {
      if (tensors[i].dim() > 1)
        runtime_error("torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got shape ",
                      tensors[i].sizes());
      if (tensors[i].dtype() != tensors[0].dtype())
        runtime_error("torch.meshgrid expects all tensors to have the same dtype: got ",
                      tensors[0].dtype(), " and ", tensors[i].dtype());
      sizes.push_back(tensors[i].numel());
    }
    if (swap) {
      sizes[0] = tensors[1].numel();
      sizes[1] = tensors[0].numel();
    }
    Outs out;
    for (int i = 0; i < n; ++i) {
      Dims column;
      for (int k = 0; k < n; ++k) column.push_back(1);
      column[swap && i < 2 ? 1 - i : i] = tensors[i].numel();
      out.push_back(ops::expand(ops::reshape(tensors[i], column), sizes));
    }
    return out;
  }
};
ADJ_OP(Meshgrid, "meshgrid(tensors: Tensor[], *, indexing: str? = None) -> Tensor[]", R"(
Grids of coordinates: result i has at [j0, j1, ...] the element ji of vector i. With `indexing="xy"`
the first two dims are swapped; the default is "ij".

>>> x, y = adjoint.meshgrid(adjoint.tensor([1, 2]), adjoint.tensor([3, 4, 5]), indexing="ij")
>>> y
tensor([[3, 4, 5],
        [3, 4, 5]])
)");

}  // namespace
}  // namespace adj
