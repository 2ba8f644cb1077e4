#include "ops/linalg.h"

#include <cmath>

namespace adj {

void check_matrix(const Tensor& x, const char* name, const char* argument) {
  if (x.dim() < 2)
    runtime_error(name, ": The input tensor ", argument, " must have at least 2 dimensions, got ",
                  x.dim());
}

void check_square(const Tensor& x, const char* name, const char* argument) {
  check_matrix(x, name, argument);
  if (x.size(-1) != x.size(-2))
    runtime_error(name, ": ", argument, " must be batches of square matrices, but they are ",
                  x.size(-2), " by ", x.size(-1), " matrices");
}

void check_linalg_dtype(const Tensor& x, const char* name, bool low_precision) {
  DType t = x.dtype();
  if (!is_floating(t) && !is_complex(t))
    runtime_error(name, ": Expected a floating point or complex tensor as input. Got ",
                  scalar_name_of(t));
  if (!low_precision && (t == DType::f16 || t == DType::bf16))
    runtime_error(name, ": Low precision dtypes not supported. Got ", scalar_name_of(t));
}

void check_same_dtype(const Tensor& a, const Tensor& b, const char* name) {
  if (a.dtype() != b.dtype())
    runtime_error(name, ": Expected A and B to have the same dtype, but found A of type ",
                  scalar_name_of(a.dtype()), " and B of type ", scalar_name_of(b.dtype()),
                  " instead");
}

void check_info(const Tensor& info, Text caller, Failure failure) {
  if (caller.empty()) return;
  const int* values = info.data<int>();
  int64_t at = 0, n = info.numel();
  while (at < n && values[at] == 0) ++at;
  if (at == n) return;
  int k = values[at];
  std::string start(caller);
  if (info.dim() > 0) start += cat(": (Batch element ", at, ")");
  auto linalg_error = [&](auto... parts) { fail(ErrorKind::linalg, start, parts...); };
  switch (failure) {
    case Failure::cholesky:
      return linalg_error(
          ": The factorization could not be completed because the input is not "
          "positive-definite (the leading minor of order ",
          k, " is not positive-definite).");
    case Failure::inverse:
      return linalg_error(": The diagonal element ", k,
                          " is zero, the inversion could not be completed "
                          "because the input matrix is singular.");
    case Failure::solve:
      return linalg_error(": The solver failed because the input matrix is singular.");
    case Failure::lu:
      return linalg_error(
          ": U[", k, ",", k,
          "] is zero and using it on lu_solve would result in a "
          "division by zero. If you still want to perform the factorization, consider "
          "calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)");
    case Failure::ldl:
      return linalg_error(
          ": The factorization could not be completed because the input is singular "
          "(D[",
          k, ",", k, "] is zero).");
    case Failure::svd:
      return linalg_error(
          ": The algorithm failed to converge because the input matrix is "
          "ill-conditioned, holds NaN or infinity, or has too many repeated singular "
          "values (error code: ",
          k, ").");
    case Failure::least_squares:
      return linalg_error(
          ": The least squares solution could not be computed because the input matrix "
          "does not have full rank (error code: ",
          k, ").");
    case Failure::eigh:
    case Failure::eig:
      return linalg_error(
          ": The algorithm failed to converge because the input matrix is "
          "ill-conditioned, holds NaN or infinity, or has too many repeated eigenvalues "
          "(error code: ",
          k, ").");
  }
}

void check_phases(const Tensor& turn, const char* name, const char* vectors) {
  // under a transform there are no numbers to look at
  if (!turn.defined() || !is_complex(turn.dtype()) || turn.wrapped()) return;
  GradMode recording(false);
  Tensor along = dense(cast(ops::imag(diagonal_of(turn)), DType::f64));
  for (int64_t i = 0; i < along.numel(); ++i)
    if (std::fabs(along.data<double>()[i]) > 1e-2)
      runtime_error(name, ": the ", vectors,
                    " in the complex case are specified up to multiplication by e^{i phi}. The "
                    "loss depends on phi, so it is ill-defined");
}

Tensor empty_columns(DimsView batch, int64_t m, int64_t n, DType t) {
  Dims sizes = with_sizes(batch, {m, n}), strides = contiguous_strides(sizes);
  int d = sizes.size();
  strides[d - 2] = 1;
  strides[d - 1] = m > 1 ? m : 1;
  return empty_strided(sizes, strides, t);
}

Tensor zero_info(DimsView batch) {
  Tensor info = empty(batch, DType::i32);
  for (int64_t i = 0; i < info.numel(); ++i) info.data<int>()[i] = 0;
  return info;
}

Matrices::Matrices(const Tensor& x, DimsView batch)
    : row_stride(x.stride(-2)),
      column_stride(x.stride(-1)),
      rows(x.size(-2)),
      columns(x.size(-1)),
      data_(x.data()),
      count_(batch.product()) {
  int extra = batch.size() - (x.dim() - 2);
  for (int i = 0; i < batch.size(); ++i) {
    if (batch[i] == 1) continue;
    int64_t stride = i >= extra && x.size(i - extra) != 1 ? x.stride(i - extra) : 0;
    if (!dims_.empty() && strides_.back() == stride * batch[i]) {
      dims_.back() *= batch[i];
      strides_.back() = stride;
    } else {
      dims_.push_back(batch[i]);
      strides_.push_back(stride);
    }
  }
}

Outs batch_of_two(Batch& b) {
  int ndim = std::max(b.logical_dim(0), b.logical_dim(1));
  Tensor x = b.aligned(0, ndim), y = b.aligned(1, ndim);
  SmallVec<Value, 8> values;
  values.append(b.values, b.values + b.op.schema.params.size());
  values[0] = Value(x);
  values[1] = Value(y);
  return dispatch(b.op, values.data());
}

}  // namespace adj
