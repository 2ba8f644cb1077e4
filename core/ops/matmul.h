// Matrix products of plain tensors: strides are handed to the kernels as they are wherever
// possible.
#pragma once
#include "ops/kinds/kinds.h"
#include "ops/vocabulary.h"

namespace adj {

// A bilinear operator with a backward of its own for plain tensors.
struct FastBilinear : Bilinear {
  template <class S>
  static void fill(Op& op) {
    Bilinear::fill<S>(op);
    op.fast_vjp = fast_conjugated<S>;
  }
};

// A matrix somewhere in memory; strides in elements.
struct Matrix {
  const char* data;
  int64_t rows, columns, row_stride, column_stride;
  Matrix t() const { return {data, columns, rows, column_stride, row_stride}; }
};
// The last two dims of x, at the first index of the others.
inline Matrix matrix_of(const Tensor& x) {
  int n = x.dim();
  return {x.data(), x.size(n - 2), x.size(n - 1), x.stride(n - 2), x.stride(n - 1)};
}
inline Matrix row_of(const Tensor& x) { return {x.data(), 1, x.size(0), x.size(0), x.stride(0)}; }
inline Matrix column_of(const Tensor& x) { return {x.data(), x.size(0), 1, x.stride(0), 1}; }
// All leading dims of x as rows, the last one as columns; x becomes a dense copy if they are no
// rows.
Matrix flattened(Tensor& x);

// C = alpha A B + beta C, where C [rows of A, columns of B] has contiguous rows, ldc apart.
void multiply(DType t, Matrix a, Matrix b, void* c, int64_t ldc, double alpha = 1, double beta = 0);
inline void multiply(const Matrix& a, const Matrix& b, const Tensor& c) {
  multiply(c.dtype(), a, b, c.data(), b.columns);
}
// c = alpha x y + beta c, contiguous [batch..., m, n], for every index of the batch; the other dims
// of x and y broadcast against it.
void multiply_batched(const Tensor& x, const Tensor& y, const Tensor& c, double alpha = 1,
                      double beta = 0);

// The dtype that products of t are computed in; a NotImplementedError for bool.
DType product_dtype(const char* name, DType t);
// "float", as torch names dtypes in the errors of matrix products.
const char* c_name_of(DType t);
// A RuntimeError unless x [m, k] and y [k, n] are matrices of one dtype.
void check_mm(const Tensor& x, const Tensor& y);

}  // namespace adj
