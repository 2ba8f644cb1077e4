// Norms of matrices, and condition numbers.
#include <cmath>

#include "ops/linalg.h"

namespace adj {

namespace {

// The dims of a matrix, counted from the left, and an error unless they are two.
Dims two_dims(const Tensor& x, DimsView dim, const char* name) {
  if (dim.size() != 2) runtime_error(name, ": dim must be a 2-tuple. Got ", dim);
  Dims dims{normalize_dim(dim[0], x.dim()), normalize_dim(dim[1], x.dim())};
  if (dims[0] == dims[1]) runtime_error(name, ": dims must be different. Got ", dim);
  return dims;
}

Tensor in_norm_dtype(const Tensor& x, std::optional<DType> dtype, const char* name) {
  DType t = dtype.value_or(x.dtype());
  if (!is_floating(t) && !is_complex(t))
    runtime_error(name, ": Expected a floating point or complex tensor as input. Got ",
                  scalar_name_of(t));
  return in_dtype(x, t);
}

// The matrices' dims at the end; what was reduced comes back as 1s where keepdim wants it.
Tensor singular_values(const Tensor& x, const Dims& dims, const char* name) {
  check_linalg_dtype(x, name);
  return ops::svd.all(ops::movedim(x, dims, Dims{-2, -1}), false, false, name)[1];
}
Tensor with_dims(const Tensor& y, const Dims& dims, bool keepdim) {
  if (!keepdim) return y;
  Tensor kept = ops::unsqueeze(y, std::min(dims[0], dims[1]));
  return ops::unsqueeze(kept, std::max(dims[0], dims[1]));
}

Tensor norm_of_order(const Tensor& given, double p, DimsView dim, bool keepdim,
                     std::optional<DType> dtype, const char* name) {
  Tensor x = in_norm_dtype(given, dtype, name);
  double size = std::fabs(p);
  if (size != 1 && size != 2 && !std::isinf(size))
    runtime_error(name, ": Order ", p, " not supported.");
  Dims dims = two_dims(x, dim, name);
  if (size == 2) {
    Tensor s = singular_values(x, dims, name);
    return with_dims(p > 0 ? ops::amax(s, int64_t{-1}) : ops::amin(s, int64_t{-1}), dims, keepdim);
  }
  int64_t first = dims[size == 1 ? 0 : 1], second = dims[size == 1 ? 1 : 0];
  Tensor sums = ops::vector_norm(x, int64_t{1}, first, true);
  Tensor y = p > 0 ? ops::amax(sums, second, true) : ops::amin(sums, second, true);
  return keepdim ? y : ops::squeeze(y, dims);
}

Tensor norm_by_name(const Tensor& given, Text p, DimsView dim, bool keepdim,
                    std::optional<DType> dtype, const char* name) {
  Tensor x = in_norm_dtype(given, dtype, name);
  if (p == "fro") return ops::vector_norm(x, int64_t{2}, two_dims(x, dim, name), keepdim);
  if (p != "nuc") runtime_error(name, ": Order ", p, " not supported.");
  Dims dims = two_dims(x, dim, name);
  return with_dims(ops::sum(singular_values(x, dims, name), int64_t{-1}), dims, keepdim);
}

struct MatrixNormText : Composite {
  static Tensor define(Tensor x, Text ord, DimsView dim, bool keepdim, std::optional<DType> dtype) {
    check_matrix(x, "linalg.matrix_norm");
    return norm_by_name(x, ord, dim, keepdim, dtype, "linalg.matrix_norm");
  }
};
ADJ_OP(
    MatrixNormText,
    "linalg.matrix_norm:text(A: Tensor, ord: str = 'fro', dim: int[] = [-2, -1], keepdim: bool = "
    "False, *, dtype: dtype? = None) -> Tensor",
    R"(
The norm of the matrices in the two dims of `dim`: 'fro', the root of the sum of squares, or 'nuc',
the sum of the singular values.

>>> adjoint.linalg.matrix_norm(adjoint.tensor([[3., 0.], [0., 4.]]), 'nuc')
tensor(7.)
)");

struct MatrixNorm : Composite {
  static Tensor define(Tensor x, Number ord, DimsView dim, bool keepdim,
                       std::optional<DType> dtype) {
    check_matrix(x, "linalg.matrix_norm");
    return norm_of_order(x, ord.real(), dim, keepdim, dtype, "linalg.matrix_norm");
  }
};
ADJ_OP(
    MatrixNorm,
    "linalg.matrix_norm(A: Tensor, ord: Number, dim: int[] = [-2, -1], keepdim: bool = False, *, "
    "dtype: dtype? = None) -> Tensor",
    R"(
`ord` 1, -1: the largest, smallest sum of magnitudes of a column; inf, -inf: of a row; 2, -2: the
largest, smallest singular value.

>>> adjoint.linalg.matrix_norm(adjoint.tensor([[3., 0.], [0., 4.]]), 2)
tensor(4.)
)");

struct LinalgNorm : Composite {
  static Tensor define(Tensor x, std::optional<Number> ord, std::optional<DimsView> dim,
                       bool keepdim, std::optional<DType> dtype) {
    if (!ord) return ops::vector_norm(x, int64_t{2}, dim, keepdim, dtype);
    if (dim && dim->size() != 1 && dim->size() != 2)
      runtime_error("linalg.norm: If dim is specified, it must be of length 1 or 2. Got ", *dim);
    if (dim ? dim->size() == 1 : x.dim() <= 1)
      return ops::vector_norm(x, *ord, dim, keepdim, dtype);
    if (!dim && x.dim() != 2)
      runtime_error(
          "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. "
          "Got ",
          x.dim(), "D.");
    return norm_of_order(x, ord->real(), dim ? *dim : DimsView({0, 1}), keepdim, dtype,
                         "linalg.norm");
  }
};
ADJ_OP(LinalgNorm,
       "linalg.norm(A: Tensor, ord: Number? = None, dim: int[]? = None, keepdim: bool = False, *, "
       "dtype: dtype? = None) -> Tensor",
       R"(
A norm of vectors (one dim) or matrices (two): without `ord` the 2-norm of all elements over `dim`;
see `linalg.vector_norm` and `linalg.matrix_norm`.

>>> adjoint.linalg.norm(adjoint.tensor([[1., -2.], [3., 4.]]), 1)
tensor(6.)
)");

struct LinalgNormText : Composite {
  static Tensor define(Tensor x, Text ord, std::optional<DimsView> dim, bool keepdim,
                       std::optional<DType> dtype) {
    if (!dim && x.dim() != 2)
      runtime_error(
          "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. "
          "Got ",
          x.dim(), "D.");
    return norm_by_name(x, ord, dim ? *dim : DimsView({0, 1}), keepdim, dtype, "linalg.norm");
  }
};
ADJ_OP(LinalgNormText,
       "linalg.norm:text(A: Tensor, ord: str, dim: int[]? = None, keepdim: bool = False, *, "
       "dtype: dtype? = None) -> Tensor",
       R"(
Of matrices: 'fro' or 'nuc', see `linalg.matrix_norm`.

>>> adjoint.linalg.norm(adjoint.tensor([[3., 4.]]), 'fro')
tensor(5.)
)");

struct NormText : Composite {
  static Tensor define(Tensor x, Text p, std::optional<DimsView> dim, bool keepdim,
                       std::optional<DType> dtype) {
    if (p == "fro")
      return ops::vector_norm(in_norm_dtype(x, dtype, "norm"), int64_t{2}, dim, keepdim);
    if (!dim && x.dim() != 2)
      runtime_error("norm: the order 'nuc' needs a matrix, or two dims in dim; got shape ",
                    x.sizes());
    return norm_by_name(x, p, dim ? *dim : DimsView({0, 1}), keepdim, dtype, "norm");
  }
};
ADJ_OP(NormText,
       "norm:text(input: Tensor, p: str, dim: int[]? = None, keepdim: bool = False, dtype: dtype? "
       "= None)"
       " -> Tensor",
       R"(
`p` 'fro' is the Frobenius norm: the root of the sum of squares; 'nuc' the nuclear norm of matrices:
the sum of the singular values.

>>> adjoint.norm(adjoint.tensor([[3., 4.]]), 'fro')
tensor(5.)
)");

struct NuclearNorm : Composite {
  static Tensor define(Tensor x, std::optional<DimsView> dim, bool keepdim) {
    if (!dim && x.dim() != 2)
      runtime_error("nuclear_norm: expected a tensor with 2 dimensions, but got ", x.dim());
    return norm_by_name(x, "nuc", dim ? *dim : DimsView({0, 1}), keepdim, {}, "nuclear_norm");
  }
};
ADJ_OP(NuclearNorm,
       "nuclear_norm(input: Tensor, dim: int[]? = None, keepdim: bool = False) -> Tensor", R"(
The sum of the singular values of matrices.

>>> adjoint.nuclear_norm(adjoint.tensor([[3., 0.], [0., 4.]]))
tensor(7.)
)");

struct FrobeniusNorm : Composite {
  static Tensor define(Tensor x, std::optional<DimsView> dim, bool keepdim) {
    if (dim && dim->size() > 2)
      runtime_error("frobenius_norm: expected at most 2 dims, got ", *dim);
    return ops::vector_norm(in_norm_dtype(x, {}, "frobenius_norm"), int64_t{2}, dim, keepdim);
  }
};
ADJ_OP(FrobeniusNorm,
       "frobenius_norm(input: Tensor, dim: int[]? = None, keepdim: bool = False) -> Tensor", R"(
The root of the sum of squares over `dim` (one or two; None: all).

>>> adjoint.frobenius_norm(adjoint.tensor([[3., 4.]]))
tensor(5.)
)");

struct Cond : Composite {
  static Tensor define(Tensor a, std::optional<Number> p) {
    check_linalg_dtype(a, "linalg.cond");
    check_matrix(a, "linalg.cond");
    double order = p ? p->real() : 2;
    if (std::fabs(order) == 2) {
      Tensor s = ops::svd.all(a, false, false, "linalg.cond")[1];
      if (a.numel() == 0) return ops::zeros(batch_sizes(a), s.dtype());
      Tensor most = ops::select(s, int64_t{-1}, int64_t{0}),
             least = ops::select(s, int64_t{-1}, int64_t{-1});
      return order > 0 ? ops::div(most, least) : ops::div(least, most);
    }
    if (std::fabs(order) != 1 && !std::isinf(order))
      runtime_error("linalg.cond got an invalid norm type: ", order);
    return by_inverse(a, [&](const Tensor& x) {
      return norm_of_order(x, order, DimsView({-2, -1}), false, {}, "linalg.cond");
    });
  }
  template <class F>
  static Tensor by_inverse(const Tensor& a, const F& norm) {
    check_square(a, "linalg.cond");
    if (a.numel() == 0) return ops::zeros(batch_sizes(a), real_of(a.dtype()));
    Outs inverse = ops::inverse_ex.all(a);
    Tensor y = ops::mul(norm(a), norm(inverse[0]));
    return ops::masked_fill(y, ops::ne(inverse[1], int64_t{0}), INFINITY);
  }
};
ADJ_OP(Cond, "linalg.cond(A: Tensor, p: Number? = None) -> Tensor", R"(
The condition numbers [...] of matrices [..., m, n]: `||A|| ||inv(A)||` in the norm `p` (see
`linalg.matrix_norm`; of square matrices), or, for None and 2, the largest singular value by the
smallest. inf for singular matrices.

>>> adjoint.linalg.cond(adjoint.tensor([[2., 0.], [0., 1.]]))
tensor(2.)
)");

struct CondText : Composite {
  static Tensor define(Tensor a, Text p) {
    check_linalg_dtype(a, "linalg.cond");
    check_matrix(a, "linalg.cond");
    if (p != "fro" && p != "nuc") runtime_error("linalg.cond got an invalid norm type: ", p);
    return Cond::by_inverse(a, [&](const Tensor& x) {
      return norm_by_name(x, p, DimsView({-2, -1}), false, {}, "linalg.cond");
    });
  }
};
ADJ_OP(CondText, "linalg.cond:text(A: Tensor, p: str) -> Tensor", R"(
In the norm 'fro' or 'nuc'.

>>> adjoint.linalg.cond(adjoint.eye(2), 'fro')
tensor(2.0000)
)");

}  // namespace
}  // namespace adj
