#include "cpu/blas.h"
#include "cpu/cast.h"
#include "ops/matmul.h"
#include "ops/reduce.h"

namespace adj {

namespace {

// Whether the rows of m are contiguous and apart (m is what BLAS calls row-major).
bool has_rows(const Matrix& m) {
  return (m.columns <= 1 || m.column_stride == 1) &&
         (m.rows <= 1 || m.row_stride >= (m.columns > 1 ? m.columns : 1));
}

// m as BLAS takes it: memory, whether transposed, leading dimension.
struct Operand {
  const void* data;
  bool transposed;
  int64_t ld;
  Tensor held;

  Operand(const Matrix& m, DType t) : data(m.data), transposed(false), ld(m.row_stride) {
    if (has_rows(m)) return;
    transposed = has_rows(m.t());
    ld = m.column_stride;
    if (transposed) return;
    held = empty(Dims{m.rows, m.columns}, t);
    auto item = static_cast<int64_t>(itemsize(t));
    int64_t sizes[] = {m.rows, m.columns}, to[] = {m.columns * item, item};
    int64_t from[] = {m.row_stride * item, m.column_stride * item};
    copy_strided(2, sizes, held.data(), to, t, m.data, from, t);
    data = held.data();
    ld = m.columns;
  }
};

}  // namespace

Matrix flattened(Tensor& x) {
  int n = x.dim();
  if (n == 1) return row_of(x);
  if (n == 2) return matrix_of(x);
  int64_t columns = x.size(n - 1), rows = x.sizes().slice(0, n - 1).product();
  // The leading dims must step evenly.
  int64_t step = columns, expected = 0;
  bool even = true, found = false;
  for (int i = n - 2; i >= 0; --i) {
    if (x.size(i) == 1) continue;
    if (!found) step = expected = x.stride(i);  // 0 where it is expanded
    found = true;
    even = even && x.stride(i) == expected;
    expected *= x.size(i);
  }
  if (!even) {
    x = dense(x);
    return {x.data(), rows, columns, columns, 1};
  }
  return {x.data(), rows, columns, step, x.stride(n - 1)};
}

void multiply(DType t, Matrix a, Matrix b, void* c, int64_t ldc, double alpha, double beta) {
  if (a.rows == 0 || b.columns == 0) return;
  Operand x(a, t), y(b, t);
  bool real = t == DType::f32 || t == DType::f64;
  if (real && a.columns > 0 && b.columns == 1) {
    // a vector behind the matrix
    int64_t step = y.transposed ? 1 : y.ld;
    if (b.rows == 1) step = 1;
    return x.transposed
               ? gemv(t, true, a.columns, a.rows, alpha, x.data, x.ld, y.data, step, beta, c, ldc)
               : gemv(t, false, a.rows, a.columns, alpha, x.data, x.ld, y.data, step, beta, c, ldc);
  }
  if (real && a.columns > 0 && a.rows == 1) {
    // a vector before it
    int64_t step = x.transposed ? x.ld : 1;
    return y.transposed
               ? gemv(t, false, b.columns, b.rows, alpha, y.data, y.ld, x.data, step, beta, c, 1)
               : gemv(t, true, b.rows, b.columns, alpha, y.data, y.ld, x.data, step, beta, c, 1);
  }
  gemm(t, x.transposed, y.transposed, a.rows, b.columns, a.columns, alpha, x.data, x.ld, y.data,
       y.ld, beta, c, ldc);
}

void multiply_batched(const Tensor& given_x, const Tensor& given_y, const Tensor& c, double alpha,
                      double beta) {
  if (c.numel() == 0) return;
  auto readable = [](const Tensor& x) {
    Matrix m = matrix_of(x);
    return has_rows(m) || has_rows(m.t()) ? x : dense(x);
  };
  Tensor x = readable(given_x), y = readable(given_y);
  Matrix a = matrix_of(x), b = matrix_of(y);
  // The dims of the batch, with the strides of both operands; neighbours that step evenly are one.
  struct BatchDim {
    int64_t size, x, y;
  };
  SmallVec<BatchDim, 4> dims;
  int n = c.dim() - 2;
  for (int i = 0; i < n; ++i) {
    int ix = i - (c.dim() - x.dim()), iy = i - (c.dim() - y.dim());
    BatchDim d{c.size(i), ix >= 0 && x.size(ix) != 1 ? x.stride(ix) : 0,
               iy >= 0 && y.size(iy) != 1 ? y.stride(iy) : 0};
    if (d.size == 1) continue;
    if (!dims.empty() && dims.back().x == d.x * d.size && dims.back().y == d.y * d.size)
      dims.back() = {dims.back().size * d.size, d.x, d.y};
    else dims.push_back(d);
  }
  if (dims.empty()) dims.push_back({1, 0, 0});
  bool ta = !has_rows(a), tb = !has_rows(b);
  int64_t lda = ta ? a.column_stride : a.row_stride, ldb = tb ? b.column_stride : b.row_stride;
  int64_t size = a.rows * b.columns, inner = dims.back().size,
          item = static_cast<int64_t>(itemsize(c.dtype()));
  int64_t outer = c.numel() / (size * inner);
  Dims index(dims.size());
  for (int64_t at = 0; at < outer; ++at) {
    int64_t ox = 0, oy = 0;
    for (int i = 0; i + 1 < dims.size(); ++i) {
      ox += index[i] * dims[i].x;
      oy += index[i] * dims[i].y;
    }
    gemm_batched(c.dtype(), ta, tb, inner, a.rows, b.columns, a.columns, alpha, a.data + ox * item,
                 lda, dims.back().x, b.data + oy * item, ldb, dims.back().y, beta,
                 c.data() + at * inner * size * item, b.columns, size);
    for (int i = dims.size() - 2; i >= 0 && ++index[i] == dims[i].size; --i) index[i] = 0;
  }
}

DType product_dtype(const char* name, DType t) {
  if (t == DType::b8) fail(ErrorKind::not_implemented, name, " is not implemented for 'Bool'");
  return computed_in(t);
}

const char* c_name_of(DType t) {
  constexpr const char* names[kDTypes] = {
      "bool",  "unsigned char", "signed char",         "short",
      "int",   "long int",      "c10::Half",           "c10::BFloat16",
      "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  return names[static_cast<int>(t)];
}

void check_mm(const Tensor& x, const Tensor& y) {
  if (x.dim() != 2) runtime_error("self must be a matrix, but it has shape ", x.sizes());
  if (y.dim() != 2) runtime_error("mat2 must be a matrix, but it has shape ", y.sizes());
  if (x.dtype() != y.dtype())
    runtime_error("expected m1 and m2 to have the same dtype, but got: ", c_name_of(x.dtype()),
                  " != ", c_name_of(y.dtype()));
  if (x.size(1) != y.size(0))
    runtime_error("mat1 and mat2 shapes cannot be multiplied (", x.size(0), "x", x.size(1), " and ",
                  y.size(0), "x", y.size(1), ")");
}

}  // namespace adj
