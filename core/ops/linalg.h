// What the operators of linear algebra share: batches of matrices, checks, failures.
#pragma once
#include <string>
#include <type_traits>

#include "cpu/lapack.h"
#include "cpu/thread_pool.h"
#include "ops/fused_rule.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace adj {

namespace ops {
// A^-1 B with A triangular: (A, B, upper, unitriangular).
ADJ_USE_AS(triangular, "_nodes.linalg_solve_triangular");
ADJ_USE_AS(inverse_ex, "_nodes.linalg_inv_ex");      // (A, caller)
ADJ_USE_AS(solve_ex, "_nodes.linalg_solve_ex");      // (A, B, caller)
ADJ_USE_AS(lu_factor_ex, "_nodes.linalg_lu_factor_ex");  // (A, caller)
ADJ_USE_AS(lu_solve, "_nodes.linalg_lu_solve");      // (LU, pivots, B, transpose)
ADJ_USE_AS(eigh, "_nodes.linalg_eigh");              // (A, upper, vectors, caller)
ADJ_USE_AS(svd, "_nodes.linalg_svd");                // (A, full_matrices, vectors, caller)
ADJ_USE_AS(qr, "_nodes.linalg_qr");                  // (A, mode)
ADJ_USE_AS(linalg_det, "_nodes.linalg_det");         // (A)
ADJ_USE_AS(vector_norm, "_nodes.linalg_vector_norm");
}  // namespace ops

// The last two dims swapped, and the conjugate of that. Of a holomorphic function the vjp is
// written with `mt`, as if for real numbers: its kind takes the conjugates (vjp_by_conjugates in
// kinds.h).
inline Tensor mt(const Tensor& x) { return ops::transpose(x, int64_t{-2}, int64_t{-1}); }
inline Tensor ht(const Tensor& x) { return conj_of(mt(x)); }
inline Tensor column(const Tensor& x) { return ops::unsqueeze(x, int64_t{-1}); }
inline Tensor row(const Tensor& x) { return ops::unsqueeze(x, int64_t{-2}); }
inline Tensor no_column(const Tensor& x) { return ops::squeeze(x, Dims{-1}); }
inline Tensor diagonal_of(const Tensor& x) {
  return ops::diagonal(x, int64_t{0}, int64_t{-2}, int64_t{-1});
}
inline Tensor diagonal_matrix(const Tensor& x) { return ops::diag_embed(x); }
inline Tensor identity(int64_t n, DType t) { return ops::eye(n, n, t); }
// True on the diagonal.
inline Tensor diagonal_mask(int64_t n) { return ops::eye(n, n, DType::b8); }
inline Tensor columns_until(const Tensor& x, int64_t n) {
  return x.size(-1) == n ? x : ops::narrow(x, int64_t{-1}, int64_t{0}, n);
}
inline Tensor rows_until(const Tensor& x, int64_t n) {
  return x.size(-2) == n ? x : ops::narrow(x, int64_t{-2}, int64_t{0}, n);
}
inline Tensor lower_part(const Tensor& x, int64_t k = 0) { return ops::tril(x, k); }
inline Tensor upper_part(const Tensor& x, int64_t k = 0) { return ops::triu(x, k); }
inline Tensor symmetric(const Tensor& x) { return ops::mul(ops::add(x, ht(x)), 0.5); }
// a + b where either may be undefined, which is zero.
inline Tensor plus(const Tensor& a, const Tensor& b) {
  return !a.defined() ? b : !b.defined() ? a : ops::add(a, b);
}
inline Tensor minus(const Tensor& a, const Tensor& b) {
  return !b.defined() ? a : !a.defined() ? ops::neg(b) : ops::sub(a, b);
}

// Errors, in torch's words. `name` is that of the function as users call it.
void check_matrix(const Tensor& x, const char* name, const char* argument = "A");
void check_square(const Tensor& x, const char* name, const char* argument = "A");
void check_linalg_dtype(const Tensor& x, const char* name, bool low_precision = false);
void check_same_dtype(const Tensor& a, const Tensor& b, const char* name);
// A LinAlgError with the reason if any of `info` (int32 [...]) is not 0; nothing without a caller.
enum class Failure { cholesky, inverse, solve, lu, ldl, eigh, svd, least_squares, eig };
void check_info(const Tensor& info, Text caller, Failure failure);

// An error if a loss depends on the phases of complex vectors V, of which `turn` = V^H gV tells.
void check_phases(const Tensor& turn, const char* name, const char* vectors);

// f(T{}) for the type of the elements.
template <class F>
auto with_type(DType t, F&& f) {
  if (t == DType::f32) return f(float{});
  if (t == DType::f64) return f(double{});
  if (t == DType::c64) return f(std::complex<float>{});
  if (t == DType::c128) return f(std::complex<double>{});
  fail(ErrorKind::not_implemented, "linear algebra is not implemented for '", scalar_name_of(t),
       "'");
}
template <class T>
constexpr DType dtype_for() {
  if constexpr (std::is_same_v<RealOf<T>, float>) return kIsComplex<T> ? DType::c64 : DType::f32;
  else return kIsComplex<T> ? DType::c128 : DType::f64;
}
template <class F>
auto with_real_type(DType t, F&& f) {
  return t == DType::f32 ? f(float{}) : f(double{});
}
// Work space of `n` real numbers for LAPACK's complex functions; none for the real ones.
template <class T>
Tensor real_work(int64_t n, DType t) {
  return kIsComplex<T> ? empty(Dims{n}, real_of(t)) : Tensor();
}
template <class T>
RealOf<T>* data_of(const Tensor& real_work) {
  return real_work.defined() ? real_work.data<RealOf<T>>() : nullptr;
}

inline Dims batch_sizes(const Tensor& x) { return x.sizes().slice(0, x.dim() - 2).copy(); }
inline Dims with_sizes(DimsView batch, std::initializer_list<int64_t> last) {
  Dims sizes = batch.copy();
  for (int64_t n : last) sizes.push_back(n);
  return sizes;
}
// Uninitialised [batch..., m, n], each matrix column-major.
Tensor empty_columns(DimsView batch, int64_t m, int64_t n, DType t);
// int32, zeros.
Tensor zero_info(DimsView batch);

// The matrices of a plain tensor, one after the other in the order of a batch that its own
// broadcasts to.
class Matrices {
 public:
  Matrices(const Tensor& x, DimsView batch);
  int64_t count() const { return count_; }
  template <class T>
  const T* at(int64_t i) const {
    return data_of<T>() + offset(i);
  }
  int64_t row_stride, column_stride, rows, columns;
  // Copies of matrix i, dense.
  template <class T>
  void to_rows(int64_t i, T* out) const {
    copy(at<T>(i), rows, columns, row_stride, column_stride, out);
  }
  template <class T>
  void to_columns(int64_t i, T* out) const {
    copy(at<T>(i), columns, rows, column_stride, row_stride, out);
  }

 private:
  template <class T>
  const T* data_of() const {
    return reinterpret_cast<const T*>(data_);
  }
  int64_t offset(int64_t i) const {
    if (dims_.size() == 1) return i * strides_[0];
    int64_t at = 0;
    for (int d = dims_.size() - 1; d >= 0; --d) {
      at += i % dims_[d] * strides_[d];
      i /= dims_[d];
    }
    return at;
  }
  template <class T>
  static void copy(const T* x, int64_t m, int64_t n, int64_t down, int64_t along, T* out) {
    // in tiles, so that a transpose reads whole cache lines
    constexpr int64_t kTile = 16;
    if (along == 1) {
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) out[i * n + j] = x[i * down + j];
      return;
    }
    if (m <= kTile && n <= kTile) {
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) out[i * n + j] = x[i * down + j * along];
      return;
    }
    for (int64_t i0 = 0; i0 < m; i0 += kTile)
      for (int64_t j0 = 0; j0 < n; j0 += kTile) {
        int64_t rows = std::min(m - i0, kTile), columns = std::min(n - j0, kTile);
        for (int64_t i = i0; i < i0 + rows; ++i) {
          const T* from = x + i * down + j0 * along;
          T* to = out + i * n + j0;
          for (int64_t j = 0; j < columns; ++j, from += along) to[j] = *from;
        }
      }
  }

  const char* data_;
  int64_t count_;
  Dims dims_, strides_;  // of the batch, neighbours that step evenly merged
};

// f(i) for each matrix; `work` is about the number of operations that one takes.
template <class F>
void for_each_matrix(int64_t count, int64_t work, const F& f) {
  if (count == 1) return f(int64_t{0});
  int64_t grain = 20000 / (work + 1) + 1;
  parallel_for(count, grain, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) f(i);
  });
}

// Batching rules. Operators whose arguments have their batch dims in front need nothing but the
// batch dim leftmost, with 1s behind it where they broadcast.
inline Outs batch_in_front(Batch& b) { return b.run(); }
Outs batch_of_two(Batch& b);

// Matrix sizes as LAPACK takes them.
inline int as_int(int64_t n) { return static_cast<int>(n); }

}  // namespace adj
