// Views of a part: one position, a slice, a diagonal; and their transposes, which put it back.
#include "ops/shape.h"

namespace adj {

namespace {

struct Select : View {
  static Layout layout(Tensor x, int64_t dim, int64_t index) {
    if (x.dim() == 0) index_error("select() cannot be applied to a 0-dim tensor.");
    int d = normalize_dim(dim, x.dim());
    int64_t n = x.size(d);
    if (index < -n || index >= n)
      index_error("index ", index, " is out of bounds for dimension ", d, " with size ", n);
    Layout out = x.layout();
    out.offset += (index < 0 ? index + n : index) * x.stride(d);
    out.sizes.erase(d);
    out.strides.erase(d);
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, int64_t dim, int64_t index) {
    return ops::select_transpose(g, x.sizes, dim, index);
  }
  static Outs batch(Batch& b) {
    return as_outs(
        ops::select(b.in(0), from_right(b.arg<int64_t>(1), b.logical_dim(0)), b.arg<int64_t>(2)));
  }
};
ADJ_OP(Select, "select(input: Tensor, dim: int, index: int) -> Tensor", R"(
A view of one position along `dim`, which goes.

>>> adjoint.arange(6).view(2, 3).select(1, 2)
tensor([2, 5])
)");

// Zeros but for the selected position. The transposes of views that pick part of a tensor.
struct SelectTranspose : Linear {
  static Tensor forward(Tensor g, DimsView size, int64_t dim, int64_t index) {
    Tensor out = ops::zeros(size, g.dtype());
    write_into(view_of(out, Select::layout(out, dim, index)), g);
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, DimsView, int64_t dim, int64_t index) {
    return ops::select(g, dim, index);
  }
  static Outs batch(Batch& b) {
    DimsView size = b.arg<DimsView>(1);
    return as_outs(ops::select_transpose(b.in(0), with_batch(b, size),
                                         from_right(b.arg<int64_t>(2), size.size()),
                                         b.arg<int64_t>(3)));
  }
};
ADJ_OP(SelectTranspose,
       "select_transpose(input: Tensor, size: int[], dim: int, index: int) -> Tensor", R"(
Zeros of shape `size`, with `input` at position `index` of `dim`: the transpose of `select`.

>>> adjoint.select_transpose(adjoint.ones(2), (2, 3), 1, 0)
tensor([[1., 0., 0.],
        [1., 0., 0.]])
)");

struct Slice : View {
  static Layout layout(Tensor x, int64_t dim, std::optional<int64_t> start,
                       std::optional<int64_t> end, int64_t step) {
    if (x.dim() == 0) index_error("slice() cannot be applied to a 0-dim tensor.");
    if (step <= 0) value_error("step must be greater than zero, got ", step);
    int d = normalize_dim(dim, x.dim());
    int64_t n = x.size(d);
    auto clip = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
    int64_t from = clip(start.value_or(0)), to = clip(end.value_or(n));
    Layout out = x.layout();
    out.offset += from * x.stride(d);
    out.sizes[d] = to > from ? (to - from + step - 1) / step : 0;
    out.strides[d] *= step;
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, int64_t dim, std::optional<int64_t> start,
                          std::optional<int64_t> end, int64_t step) {
    return ops::slice_transpose(g, x.sizes, dim, start, end, step);
  }
  static Outs batch(Batch& b) {
    return as_outs(ops::slice(b.in(0), from_right(b.arg<int64_t>(1), b.logical_dim(0)), b.values[2],
                              b.values[3], b.values[4]));
  }
};
ADJ_OP(Slice,
       "slice(input: Tensor, dim: int = 0, start: int? = None, end: int? = None, step: int = 1) -> "
       "Tensor",
       R"(
A view of the positions `start:end:step` along `dim`, clipped as Python's slices are.

>>> adjoint.arange(6).slice(0, 1, 5, 2)
tensor([1, 3])
)");

struct SliceTranspose : Linear {
  static Tensor forward(Tensor g, DimsView size, int64_t dim, std::optional<int64_t> start,
                        std::optional<int64_t> end, int64_t step) {
    Tensor out = ops::zeros(size, g.dtype());
    write_into(view_of(out, Slice::layout(out, dim, start, end, step)), g);
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, DimsView, int64_t dim,
                          std::optional<int64_t> start, std::optional<int64_t> end, int64_t step) {
    return ops::slice(g, dim, start, end, step);
  }
  static Outs batch(Batch& b) {
    DimsView size = b.arg<DimsView>(1);
    return as_outs(ops::slice_transpose(b.in(0), with_batch(b, size),
                                        from_right(b.arg<int64_t>(2), size.size()), b.values[3],
                                        b.values[4], b.values[5]));
  }
};
ADJ_OP(SliceTranspose,
       "slice_transpose(input: Tensor, size: int[], dim: int = 0, start: int? = None, end: int? = "
       "None, "
       "step: int = 1) -> Tensor",
       R"(
Zeros of shape `size`, with `input` at the positions `start:end:step` of `dim`: the transpose of
`slice`.

>>> adjoint.slice_transpose(adjoint.ones(2), (4,), 0, 0, 4, 2)
tensor([1., 0., 1., 0.])
)");

struct Diagonal : View {
  static Layout layout(Tensor x, int64_t offset, int64_t dim1, int64_t dim2) {
    int a = normalize_dim(dim1, x.dim()), b = normalize_dim(dim2, x.dim());
    if (a == b) runtime_error("diagonal dimensions cannot be identical ", dim1, ", ", dim2);
    int64_t n = offset >= 0 ? std::min(x.size(a), x.size(b) - offset)
                            : std::min(x.size(a) + offset, x.size(b));
    Layout out{{}, {}, x->offset};
    for (int i = 0; i < x.dim(); ++i) {
      if (i == a || i == b) continue;
      out.sizes.push_back(x.size(i));
      out.strides.push_back(x.stride(i));
    }
    if (n > 0) out.offset += offset >= 0 ? offset * x.stride(b) : -offset * x.stride(a);
    out.sizes.push_back(std::max<int64_t>(n, 0));
    out.strides.push_back(x.stride(a) + x.stride(b));
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, int64_t offset, int64_t dim1,
                          int64_t dim2) {
    return ops::diagonal_transpose(g, x.sizes, offset, dim1, dim2);
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    return as_outs(ops::diagonal(b.in(0), b.arg<int64_t>(1), from_right(b.arg<int64_t>(2), n),
                                 from_right(b.arg<int64_t>(3), n)));
  }
};
ADJ_OP(Diagonal, "diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor",
       R"(
A view of the diagonal of two dims, which become one at the end.

>>> adjoint.arange(9).view(3, 3).diagonal(1)
tensor([1, 5])
)");

struct DiagonalTranspose : Linear {
  static Tensor forward(Tensor g, DimsView size, int64_t offset, int64_t dim1, int64_t dim2) {
    Tensor out = ops::zeros(size, g.dtype());
    write_into(view_of(out, Diagonal::layout(out, offset, dim1, dim2)), g);
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, DimsView, int64_t offset, int64_t dim1,
                          int64_t dim2) {
    return ops::diagonal(g, offset, dim1, dim2);
  }
  static Outs batch(Batch& b) {
    DimsView size = b.arg<DimsView>(1);
    return as_outs(ops::diagonal_transpose(b.in(0), with_batch(b, size), b.arg<int64_t>(2),
                                           from_right(b.arg<int64_t>(3), size.size()),
                                           from_right(b.arg<int64_t>(4), size.size())));
  }
};
ADJ_OP(
    DiagonalTranspose,
    "diagonal_transpose(input: Tensor, size: int[], offset: int = 0, dim1: int = 0, dim2: int = 1)"
    " -> Tensor",
    R"(
Zeros of shape `size`, with `input` on a diagonal: the transpose of `diagonal`.

>>> adjoint.diagonal_transpose(adjoint.ones(2), (2, 2))
tensor([[1., 0.],
        [0., 1.]])
)");

}  // namespace
}  // namespace adj
