// Tensors taken apart: several views of one, along a dim.
#include "ops/shape.h"

namespace adj {

namespace {

// Parts one behind the other along a dim; `sizes` are theirs.
Outs parts(const Tensor& x, int d, DimsView sizes) {
  Outs out;
  out.reserve(sizes.size());
  Layout part = x.layout();
  for (int64_t n : sizes) {
    part.sizes[d] = n;
    out.push_back(tracked_view(x, part));
    part.offset += n * part.strides[d];
  }
  return out;
}

// The cotangents of all parts put together, zeros for those that nothing flowed to.
Tensor joined(Vjp& c, int d) {
  TensorList all;
  int n = c.node.outputs.size();
  all.reserve(n);
  for (int i = 0; i < n; ++i) all.push_back(c.g(i));
  return ops::cat(all, d);
}

struct Unbind : Linear {
  static Outs forward(Tensor x, int64_t dim) {
    if (x.dim() == 0) index_error("Dimension specified as ", dim, " but tensor has no dimensions");
    int d = normalize_dim(dim, x.dim());
    Layout part = x.layout();
    int64_t n = part.sizes[d], step = part.strides[d];
    part.sizes.erase(d);
    part.strides.erase(d);
    Outs out;
    out.reserve(static_cast<int>(n));
    for (int64_t i = 0; i < n; ++i, part.offset += step) out.push_back(tracked_view(x, part));
    return out;
  }
  static void transpose(Vjp& c) {
    TensorList all;
    int n = c.node.outputs.size();
    all.reserve(n);
    for (int i = 0; i < n; ++i) all.push_back(c.g(i));
    c.set(0, ops::stack(all, c.arg<int64_t>(1)));
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    if (n == 0)
      runtime_error("Dimension specified as ", b.arg<int64_t>(1), " but tensor has no dimensions");
    return ops::unbind.all(b.in(0), from_right(b.arg<int64_t>(1), n));
  }
};
ADJ_OP(Unbind, "unbind(input: Tensor, dim: int = 0) -> Tensor[]", R"(
Views of all positions along `dim`, which goes.

>>> adjoint.unbind(adjoint.tensor([[1, 2], [3, 4]]))
(tensor([1, 2]), tensor([3, 4]))
)");

// Sizes of parts of `size` each; the last may be smaller.
Dims even_sizes(int64_t n, int64_t size) {
  if (size < 0)
    runtime_error("split expects split_size be non-negative, but got split_size=", size);
  if (size == 0 && n != 0)
    runtime_error("split_size can only be 0 if dimension size is 0, but got dimension size of ", n);
  Dims sizes;
  for (int64_t at = 0; at < n; at += size) sizes.push_back(std::min(size, n - at));
  if (n == 0) sizes.push_back(0);
  return sizes;
}

struct Split : Linear {
  static Outs forward(Tensor x, int64_t size, int64_t dim) {
    if (x.dim() == 0) runtime_error("split expects at least a 1-dimensional tensor");
    int d = normalize_dim(dim, x.dim());
    return parts(x, d, even_sizes(x.size(d), size));
  }
  static void transpose(Vjp& c) {
    c.set(0, joined(c, normalize_dim(c.arg<int64_t>(2), c.like(0).sizes.size())));
  }
  static Outs batch(Batch& b) {
    if (b.logical_dim(0) == 0) runtime_error("split expects at least a 1-dimensional tensor");
    return ops::split.all(b.in(0), b.arg<int64_t>(1),
                          from_right(b.arg<int64_t>(2), b.logical_dim(0)));
  }
};
ADJ_OP(Split, "split(input: Tensor, split_size: int, dim: int = 0) -> Tensor[]", R"(
Views of `split_size` positions each along `dim`; the last may have fewer. A list of sizes gives
parts of these sizes (see `split_with_sizes`).

>>> adjoint.split(adjoint.arange(5), 2)
(tensor([0, 1]), tensor([2, 3]), tensor([4]))
)");

struct SplitWithSizes : Linear {
  static Outs forward(Tensor x, DimsView sizes, int64_t dim) {
    if (x.dim() == 0) runtime_error("split_with_sizes expects at least a 1-dimensional tensor");
    int d = normalize_dim(dim, x.dim());
    int64_t total = 0;
    for (int64_t n : sizes) {
      if (n < 0)
        runtime_error(
            "split_with_sizes expects split_sizes have only non-negative entries, but got ", sizes);
      total += n;
    }
    if (total != x.size(d))
      runtime_error("split_with_sizes expects split_sizes to sum exactly to ", x.size(d),
                    " (input tensor's size at dimension ", d, "), but got split_sizes=", sizes);
    return parts(x, d, sizes);
  }
  static void transpose(Vjp& c) {
    if (c.node.outputs.empty()) c.set(0, ops::zeros(c.like(0).sizes, c.like(0).dtype));
    else c.set(0, joined(c, normalize_dim(c.arg<int64_t>(2), c.like(0).sizes.size())));
  }
  static Outs batch(Batch& b) {
    if (b.logical_dim(0) == 0)
      runtime_error("split_with_sizes expects at least a 1-dimensional tensor");
    return ops::split_with_sizes.all(b.in(0), b.arg<DimsView>(1),
                                     from_right(b.arg<int64_t>(2), b.logical_dim(0)));
  }
};
ADJ_OP(SplitWithSizes,
       "split_with_sizes(input: Tensor, split_sizes: int[], dim: int = 0) -> Tensor[]", R"(
Views of the given sizes along `dim`, one behind the other. A RuntimeError if they do not add up to
the size of `dim`.

>>> adjoint.split_with_sizes(adjoint.arange(4), [1, 3])
(tensor([0]), tensor([1, 2, 3]))
)");

struct SplitSizes : Composite {
  static Outs define(Tensor x, DimsView sizes, int64_t dim) {
    return ops::split_with_sizes.all(x, sizes, dim);
  }
};
ADJ_OP(SplitSizes, "split:sizes(input: Tensor, split_size: int[], dim: int = 0) -> Tensor[]", R"(
Parts of the given sizes.

>>> adjoint.arange(4).split([1, 3])
(tensor([0]), tensor([1, 2, 3]))
)");
// The function's own names for the arguments.
struct SplitNamed : Composite {
  static Outs define(Tensor x, int64_t size, int64_t dim) { return ops::split.all(x, size, dim); }
};
ADJ_OP(
    SplitNamed,
    "split:size_or_sections(tensor: Tensor, split_size_or_sections: int, dim: int = 0) -> Tensor[]",
    R"(
The same by other names.

>>> adjoint.split(adjoint.arange(3), split_size_or_sections=2)
(tensor([0, 1]), tensor([2]))
)");
struct SplitSizesNamed : SplitSizes {};
ADJ_OP(SplitSizesNamed,
       "split:list_or_sections(tensor: Tensor, split_size_or_sections: int[], dim: int = 0) -> "
       "Tensor[]",
       R"(
The same by other names.

>>> adjoint.split(adjoint.arange(3), split_size_or_sections=[1, 2])
(tensor([0]), tensor([1, 2]))
)");

struct Chunk : Composite {
  static Outs define(Tensor x, int64_t chunks, int64_t dim) {
    if (x.dim() == 0) runtime_error("chunk expects at least a 1-dimensional tensor");
    if (chunks <= 0) runtime_error("chunk expects `chunks` to be greater than 0, got: ", chunks);
    int64_t n = x.size(normalize_dim(dim, x.dim()));
    if (n == 0) {
      Dims none(static_cast<int>(chunks));
      for (auto& s : none) s = 0;
      return ops::split_with_sizes.all(x, none, dim);
    }
    return ops::split.all(x, (n + chunks - 1) / chunks, dim);
  }
};
ADJ_OP(Chunk, "chunk(input: Tensor, chunks: int, dim: int = 0) -> Tensor[]", R"(
Views of equal size along `dim`, at most `chunks` of them; the last may be smaller.

>>> adjoint.chunk(adjoint.arange(5), 2)
(tensor([0, 1, 2]), tensor([3, 4]))
)");

// Parts that end at `ends`.
Outs cut(const Tensor& x, int64_t dim, DimsView ends) {
  Outs out;
  int64_t at = 0;
  for (int i = 0; i <= ends.size(); ++i) {
    out.push_back(ops::slice(x, dim, at, i < ends.size() ? Value(ends[i]) : Value(), 1));
    if (i < ends.size()) at = ends[i];
  }
  return out;
}

Outs cut_evenly(const Tensor& x, int64_t dim, int64_t sections) {
  if (sections <= 0) runtime_error("number of sections must be larger than 0, got ", sections);
  int64_t n = x.size(normalize_dim(dim, x.dim())), at = 0;
  Dims ends;
  for (int64_t i = 0; i + 1 < sections; ++i)
    ends.push_back(at += n / sections + (i < n % sections));
  return cut(x, dim, ends);
}

void require_dims(const Tensor& x, int n, const char* name) {
  if (x.dim() < n)
    runtime_error("torch.", name, " requires a tensor with at least ", n,
                  " dimension(s), but got a tensor with ", x.dim(), " dimensions!");
}

// Tried before the number of sections, for which a tensor of one element would do.
struct TensorSplitBy : Composite {
  static Outs define(Tensor x, Tensor by, int64_t dim) {
    require_dims(x, 1, "tensor_split");
    if (by.dtype() != DType::i64 || by.dim() > 1)
      runtime_error(
          "tensor_split expected tensor_indices_or_sections to be an int64 tensor of zero or one "
          "dimensions, but got ",
          scalar_name_of(by.dtype()), " of shape ", by.sizes());
    if (by.wrapped()) runtime_error("tensor_split: the parts cannot differ along a vmapped dim");
    Dims indices;
    for (int64_t i = 0, step = by.dim() ? by.stride(0) : 1; i < by.numel(); ++i)
      indices.push_back(by.data<int64_t>()[i * step]);
    return by.dim() ? cut(x, dim, indices) : cut_evenly(x, dim, indices[0]);
  }
};
ADJ_OP(TensorSplitBy,
       "tensor_split:tensor(input: Tensor, tensor_indices_or_sections: Tensor, dim: int = 0) -> "
       "Tensor[]",
       R"(
Sections or indices from a tensor of no or one dim.

>>> adjoint.tensor_split(adjoint.arange(5), adjoint.tensor([1, 3]))
(tensor([0]), tensor([1, 2]), tensor([3, 4]))
)");

struct TensorSplit : Composite {
  static Outs define(Tensor x, int64_t sections, int64_t dim) {
    require_dims(x, 1, "tensor_split");
    return cut_evenly(x, dim, sections);
  }
};
ADJ_OP(TensorSplit, "tensor_split(input: Tensor, sections: int, dim: int = 0) -> Tensor[]", R"(
`sections` views along `dim`, of sizes that differ by one at the most; or, given a list of indices,
the parts between them.

>>> adjoint.tensor_split(adjoint.arange(5), 3)
(tensor([0, 1]), tensor([2, 3]), tensor([4]))
)");
struct TensorSplitAt : Composite {
  static Outs define(Tensor x, DimsView indices, int64_t dim) {
    require_dims(x, 1, "tensor_split");
    return cut(x, dim, indices);
  }
};
ADJ_OP(TensorSplitAt,
       "tensor_split:indices(input: Tensor, indices: int[], dim: int = 0) -> Tensor[]", R"(
The parts before, between and behind `indices`.

>>> adjoint.tensor_split(adjoint.arange(5), (1, 3))
(tensor([0]), tensor([1, 2]), tensor([3, 4]))
)");

// hsplit, vsplit, dsplit: along dim 1 (0 of a vector), 0, 2.
template <int Dim>
struct SplitAlong : Composite {
  static constexpr const char* names[] = {"vsplit", "hsplit", "dsplit"};
  static int dim_of(const Tensor& x) {
    require_dims(x, Dim == 1 ? 1 : Dim == 0 ? 2 : 3, names[Dim]);
    return Dim == 1 && x.dim() == 1 ? 0 : Dim;
  }
  static Outs define(Tensor x, int64_t sections) {
    int d = dim_of(x);
    if (sections <= 0 || x.size(d) % sections)
      runtime_error("torch.", names[Dim], " attempted to split along dimension ", d,
                    ", but the size of the dimension ", x.size(d),
                    " is not divisible by the split_size ", sections, "!");
    return cut_evenly(x, d, sections);
  }
};
template <int Dim>
struct SplitAlongAt : Composite {
  static Outs define(Tensor x, DimsView indices) {
    return cut(x, SplitAlong<Dim>::dim_of(x), indices);
  }
};
struct HSplit : SplitAlong<1> {};
ADJ_OP(HSplit, "hsplit(input: Tensor, sections: int) -> Tensor[]", R"(
Equal parts along dim 1, of a vector along dim 0; or the parts between a list of indices.

>>> adjoint.hsplit(adjoint.arange(4), 2)
(tensor([0, 1]), tensor([2, 3]))
)");
struct HSplitAt : SplitAlongAt<1> {};
ADJ_OP(HSplitAt, "hsplit:indices(input: Tensor, indices: int[]) -> Tensor[]", R"(
The parts before, between and behind `indices`.

>>> adjoint.hsplit(adjoint.arange(4), [1])
(tensor([0]), tensor([1, 2, 3]))
)");
struct VSplit : SplitAlong<0> {};
ADJ_OP(VSplit, "vsplit(input: Tensor, sections: int) -> Tensor[]", R"(
Equal parts along dim 0; or the parts between a list of indices.

>>> adjoint.vsplit(adjoint.arange(4).view(2, 2), 2)
(tensor([[0, 1]]), tensor([[2, 3]]))
)");
struct VSplitAt : SplitAlongAt<0> {};
ADJ_OP(VSplitAt, "vsplit:indices(input: Tensor, indices: int[]) -> Tensor[]", R"(
The parts before, between and behind `indices`.

>>> adjoint.vsplit(adjoint.arange(4).view(4, 1), [3])[1]
tensor([[3]])
)");
struct DSplit : SplitAlong<2> {};
ADJ_OP(DSplit, "dsplit(input: Tensor, sections: int) -> Tensor[]", R"(
Equal parts along dim 2; or the parts between a list of indices.

>>> adjoint.dsplit(adjoint.arange(2).view(1, 1, 2), 2)
(tensor([[[0]]]), tensor([[[1]]]))
)");
struct DSplitAt : SplitAlongAt<2> {};
ADJ_OP(DSplitAt, "dsplit:indices(input: Tensor, indices: int[]) -> Tensor[]", R"(
The parts before, between and behind `indices`.

>>> adjoint.dsplit(adjoint.arange(2).view(1, 1, 2), [1])[0]
tensor([[[0]]])
)");

}  // namespace
}  // namespace adj
