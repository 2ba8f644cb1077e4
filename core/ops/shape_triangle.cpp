// Triangles and diagonals of matrices.
#include <cstring>

#include "cpu/cast.h"
#include "ops/shape.h"

namespace adj {

namespace {

// Sets what is above (or below) a diagonal to zero.
template <bool Lower>
void clear_triangle(const Tensor& x, int64_t diagonal) {
  if (x.numel() == 0) return;
  int64_t rows = x.size(-2), columns = x.size(-1), item = static_cast<int64_t>(itemsize(x.dtype()));
  int64_t column_step = x.stride(-1) * item;
  int outer = x.dim() - 2;
  Dims at(outer);
  for (auto& i : at) i = 0;
  const bool zero = false;
  while (true) {
    char* matrix = x.data();
    for (int d = 0; d < outer; ++d) matrix += at[d] * x.stride(d) * item;
    for (int64_t i = 0; i < rows; ++i) {
      int64_t from = Lower ? std::clamp<int64_t>(i + diagonal + 1, 0, columns) : 0;
      int64_t n = (Lower ? columns : std::clamp<int64_t>(i + diagonal, 0, columns)) - from;
      char* first = matrix + i * x.stride(-2) * item + from * column_step;
      if (column_step == item && n > 0)
        memset(first, 0, static_cast<size_t>(n * item));  // zero in all dtypes
      else if (n > 0) fill_strided(1, &n, first, &column_step, x.dtype(), &zero, DType::b8);
    }
    int d = outer - 1;
    while (d >= 0 && ++at[d] == x.size(d)) at[d--] = 0;
    if (d < 0) return;
  }
}

template <bool Lower>
struct Triangle : Linear {
  static constexpr bool in_place = true;
  static constexpr const char* name = Lower ? "tril" : "triu";
  static void check(int ndim) {
    if (ndim < 2) runtime_error(name, ": input tensor must have at least 2 dimensions, got ", ndim);
  }
  static Outs forward(const Args& a) {
    Tensor x = a[0].as_tensor();
    check(x.dim());
    Tensor out = a.into ? *a.into : ops::contiguous_copy(x);
    clear_triangle<Lower>(out, a[1].as_int());
    return as_outs(out);
  }
  static Tensor transpose(Tensor g, const TensorMeta&, int64_t diagonal) {
    return Lower ? ops::tril(g, diagonal) : ops::triu(g, diagonal);
  }
  static Outs batch(Batch& b) {
    check(b.logical_dim(0));
    return b.run();
  }
};
struct Tril : Triangle<true> {};
ADJ_OP(Tril, "tril(input: Tensor, diagonal: int = 0) -> Tensor", R"(
The lower triangle of each matrix, the rest zero. Elements [i, j] with j - i <= `diagonal` are kept.

>>> adjoint.tril(adjoint.ones(3, 3))
tensor([[1., 0., 0.],
        [1., 1., 0.],
        [1., 1., 1.]])
)");
struct Triu : Triangle<false> {};
ADJ_OP(Triu, "triu(input: Tensor, diagonal: int = 0) -> Tensor", R"(
The upper triangle of each matrix, the rest zero. Elements [i, j] with j - i >= `diagonal` are kept.

>>> adjoint.triu(adjoint.ones(3, 3), 1)
tensor([[0., 1., 1.],
        [0., 0., 1.],
        [0., 0., 0.]])
)");

Tensor triangle_indices(int64_t rows, int64_t columns, int64_t offset, std::optional<DType> dtype,
                        bool lower) {
  if (rows < 0) runtime_error("row must be non-negative, got ", rows);
  if (columns < 0) runtime_error("col must be non-negative, got ", columns);
  auto range = [&](int64_t i, int64_t& from, int64_t& to) {
    from = lower ? 0 : std::clamp<int64_t>(i + offset, 0, columns);
    to = lower ? std::clamp<int64_t>(i + offset + 1, 0, columns) : columns;
  };
  int64_t count = 0, from, to;
  for (int64_t i = 0; i < rows; ++i) {
    range(i, from, to);
    count += to - from;
  }
  Tensor out = empty(Dims{2, count}, DType::i64);
  int64_t *row = out.data<int64_t>(), *column = row + count;
  for (int64_t i = 0; i < rows; ++i) {
    range(i, from, to);
    for (int64_t j = from; j < to; ++j) {
      *row++ = i;
      *column++ = j;
    }
  }
  return in_dtype(out, dtype.value_or(DType::i64));
}

struct TrilIndices : Factory {
  static Tensor forward(int64_t row, int64_t col, int64_t offset, std::optional<DType> dtype) {
    return triangle_indices(row, col, offset, dtype, true);
  }
};
ADJ_OP(TrilIndices,
       "tril_indices(row: int, col: int, offset: int = 0, *, dtype: dtype? = None) -> Tensor", R"(
Rows and columns (as the two rows of the result) of the lower triangle of a `row` x `col` matrix.

>>> adjoint.tril_indices(2, 2)
tensor([[0, 1, 1],
        [0, 0, 1]])
)");
struct TriuIndices : Factory {
  static Tensor forward(int64_t row, int64_t col, int64_t offset, std::optional<DType> dtype) {
    return triangle_indices(row, col, offset, dtype, false);
  }
};
ADJ_OP(TriuIndices,
       "triu_indices(row: int, col: int, offset: int = 0, *, dtype: dtype? = None) -> Tensor", R"(
Rows and columns (as the two rows of the result) of the upper triangle of a `row` x `col` matrix.

>>> adjoint.triu_indices(2, 2)
tensor([[0, 0, 1],
        [0, 1, 1]])
)");

struct DiagEmbed : Linear {
  static Dims place(DimsView x, int64_t offset, int64_t& dim1, int64_t& dim2) {
    int n = x.size() + 1;
    dim1 = normalize_dim(dim1, n);
    dim2 = normalize_dim(dim2, n);
    if (dim1 == dim2) runtime_error("diagonal dimensions cannot be identical ", dim1, ", ", dim2);
    if (x.empty()) runtime_error("diag_embed expects at least a 1-dimensional tensor");
    Dims sizes = x.copy();
    sizes.pop_back();
    int64_t side = x.back() + (offset < 0 ? -offset : offset);
    sizes.insert(static_cast<int>(std::min(dim1, dim2)), side);
    sizes.insert(static_cast<int>(std::max(dim1, dim2)), side);
    return sizes;
  }
  static Tensor forward(Tensor x, int64_t offset, int64_t dim1, int64_t dim2) {
    Dims sizes = place(x.sizes(), offset, dim1, dim2);
    Tensor out = ops::zeros(sizes, x.dtype());
    write_into(ops::diagonal(out, offset, dim1, dim2), x);
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, int64_t offset, int64_t dim1, int64_t dim2) {
    return ops::diagonal(g, offset, dim1, dim2);
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0) + 1;
    if (n == 1) runtime_error("diag_embed expects at least a 1-dimensional tensor");
    return as_outs(ops::diag_embed(b.in(0), b.arg<int64_t>(1), from_right(b.arg<int64_t>(2), n),
                                   from_right(b.arg<int64_t>(3), n)));
  }
};
ADJ_OP(DiagEmbed,
       "diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor", R"(
Matrices (in the dims `dim1`, `dim2` of the result) with the last dim of `input` on a diagonal.

>>> adjoint.diag_embed(adjoint.tensor([1, 2]), 1)
tensor([[0, 1, 0],
        [0, 0, 2],
        [0, 0, 0]])
)");

struct Diag : Composite {
  static Tensor define(Tensor x, int64_t diagonal) {
    if (x.dim() == 1) return ops::diag_embed(x, diagonal);
    if (x.dim() != 2) runtime_error("diag(): Supports 1D or 2D tensors. Got ", x.dim(), "D");
    return ops::contiguous_copy(ops::diagonal(x, diagonal));
  }
};
ADJ_OP(Diag, "diag(input: Tensor, diagonal: int = 0) -> Tensor", R"(
A matrix with a vector on its diagonal, or a copy of the diagonal of a matrix.

>>> adjoint.diag(adjoint.tensor([1, 2]))
tensor([[1, 0],
        [0, 2]])
)");

struct Diagflat : Composite {
  static Tensor define(Tensor x, int64_t offset) {
    return ops::diag_embed(ops::flatten(x), offset);
  }
};
ADJ_OP(Diagflat, "diagflat(input: Tensor, offset: int = 0) -> Tensor", R"(
A matrix with all elements of `input` on its diagonal.

>>> adjoint.diagflat(adjoint.tensor([1, 2]))
tensor([[1, 0],
        [0, 2]])
)");

struct Trace : Composite {
  static Tensor define(Tensor x) {
    if (x.dim() != 2) runtime_error("trace: expected a matrix, but got tensor with dim ", x.dim());
    return ops::sum(ops::diagonal(x), Dims{0});
  }
};
ADJ_OP(Trace, "trace(input: Tensor) -> Tensor", R"(
The sum of the diagonal of a matrix.

>>> adjoint.trace(adjoint.tensor([[1., 2.], [3., 4.]]))
tensor(5.)
)");

}  // namespace
}  // namespace adj
