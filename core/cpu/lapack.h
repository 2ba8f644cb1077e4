// LAPACK and small factorisations of our own.
//
// The functions of LAPACK come from the library behind core/cpu/blas.h, found at first use. They
// take column-major matrices: a dense row-major matrix is the transpose of one.
#pragma once
#include <cstddef>
#include <cstdint>

namespace adj {

// Fortran: every argument by reference, and behind all the length of each text.
template <class T>
struct Lapack {
  using Len = size_t;
  void (*potrf)(const char* uplo, const int* n, T* a, const int* lda, int* info, Len);
  void (*getrf)(const int* m, const int* n, T* a, const int* lda, int* pivots, int* info);
  void (*getri)(const int* n, T* a, const int* lda, const int* pivots, T* work, const int* lwork,
                int* info);
  void (*getrs)(const char* trans, const int* n, const int* nrhs, const T* a, const int* lda,
                const int* pivots, T* b, const int* ldb, int* info, Len);
  void (*trsm)(const char* side, const char* uplo, const char* trans, const char* diag,
               const int* m, const int* n, const T* alpha, const T* a, const int* lda, T* b,
               const int* ldb, Len, Len, Len, Len);
  void (*geqrf)(const int* m, const int* n, T* a, const int* lda, T* tau, T* work, const int* lwork,
                int* info);
  void (*orgqr)(const int* m, const int* n, const int* k, T* a, const int* lda, const T* tau,
                T* work, const int* lwork, int* info);
  void (*syevd)(const char* job, const char* uplo, const int* n, T* a, const int* lda, T* w,
                T* work, const int* lwork, int* iwork, const int* liwork, int* info, Len, Len);
  void (*gesdd)(const char* job, const int* m, const int* n, T* a, const int* lda, T* s, T* u,
                const int* ldu, T* vt, const int* ldvt, T* work, const int* lwork, int* iwork,
                int* info, Len);
  void (*geev)(const char* left, const char* right, const int* n, T* a, const int* lda, T* re,
               T* im, T* vl, const int* ldvl, T* vr, const int* ldvr, T* work, const int* lwork,
               int* info, Len, Len);
  void (*gels)(const char* trans, const int* m, const int* n, const int* nrhs, T* a, const int* lda,
               T* b, const int* ldb, T* work, const int* lwork, int* info, Len);
  void (*gelsy)(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b,
                const int* ldb, int* columns, const T* rcond, int* rank, T* work, const int* lwork,
                int* info);
  void (*gelsd)(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b,
                const int* ldb, T* s, const T* rcond, int* rank, T* work, const int* lwork,
                int* iwork, int* info);
  void (*gelss)(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b,
                const int* ldb, T* s, const T* rcond, int* rank, T* work, const int* lwork,
                int* info);
  void (*sytrf)(const char* uplo, const int* n, T* a, const int* lda, int* pivots, T* work,
                const int* lwork, int* info, Len);
  void (*sytrs)(const char* uplo, const int* n, const int* nrhs, const T* a, const int* lda,
                const int* pivots, T* b, const int* ldb, int* info, Len);
};

// For float and double. A RuntimeError if there is no library.
template <class T>
const Lapack<T>& lapack_of();

// The functions below are for matrices of any size, LAPACK's above a few dozen rows. `info` is 0,
// or the (one-based) number of the first pivot that is zero or, of Cholesky's, not positive.

// Column-major [n, n], in place, from its lower triangle; the upper one is set to zero.
template <class T>
int cholesky(int n, T* a);
// Column-major [m, n], in place: P L U with one-based pivots, as getrf leaves them.
template <class T>
int lu_factor(int m, int n, T* a, int* pivots);
// Column-major B [n, k], in place: the solution of A X = B or A^T X = B.
template <class T>
void lu_solve(bool transposed, int n, int k, const T* lu, const int* pivots, T* b);
// Column-major [n, n], in place.
template <class T>
int inverse(int n, T* a);

// A triangular matrix with any strides.
template <class T>
struct Triangle {
  const T* data;
  int64_t row_stride, column_stride;
  bool upper, unit;
};
// Row-major X [n, k], in place: the solution of A X = B.
template <class T>
void solve_triangular(int n, int k, Triangle<T> a, T* x);

}  // namespace adj
