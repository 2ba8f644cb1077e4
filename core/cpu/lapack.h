// LAPACK and small factorisations of our own.
//
// The functions of LAPACK come from the library behind core/cpu/blas.h, found at first use. They
// take column-major matrices: a dense row-major matrix is the transpose of one.
#pragma once
#include <complex>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace adj {

template <class T>
struct RealPart {
  using type = T;
};
template <class T>
struct RealPart<std::complex<T>> {
  using type = T;
};
template <class T>
using RealOf = typename RealPart<T>::type;
template <class T>
constexpr bool kIsComplex = !std::is_same_v<T, RealOf<T>>;

template <class T>
T conjugate(T x) {
  if constexpr (kIsComplex<T>) return std::conj(x);
  else return x;
}

// Fortran: every argument by reference, and behind all the length of each text. The names are those
// of real numbers: orgqr of complex ones is ungqr, syevd heevd. All have the arguments of the
// complex forms; of real numbers `rwork` is not touched.
template <class T>
struct Lapack {
  using Len = size_t;
  using R = RealOf<T>;
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
  void (*syevd)(const char* job, const char* uplo, const int* n, T* a, const int* lda, R* w,
                T* work, const int* lwork, R* rwork, const int* lrwork, int* iwork,
                const int* liwork, int* info, Len, Len);
  void (*gesdd)(const char* job, const int* m, const int* n, T* a, const int* lda, R* s, T* u,
                const int* ldu, T* vt, const int* ldvt, T* work, const int* lwork, R* rwork,
                int* iwork, int* info, Len);
  // Eigenvalues re + i im of a real matrix, re of a complex one.
  void (*geev)(const char* left, const char* right, const int* n, T* a, const int* lda, T* re,
               T* im, T* vl, const int* ldvl, T* vr, const int* ldvr, T* work, const int* lwork,
               R* rwork, int* info, Len, Len);
  void (*gels)(const char* trans, const int* m, const int* n, const int* nrhs, T* a, const int* lda,
               T* b, const int* ldb, T* work, const int* lwork, int* info, Len);
  void (*gelsy)(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b,
                const int* ldb, int* columns, const R* rcond, int* rank, T* work, const int* lwork,
                R* rwork, int* info);
  void (*gelsd)(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b,
                const int* ldb, R* s, const R* rcond, int* rank, T* work, const int* lwork,
                R* rwork, int* iwork, int* info);
  void (*gelss)(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b,
                const int* ldb, R* s, const R* rcond, int* rank, T* work, const int* lwork,
                R* rwork, int* info);
  // Of symmetric matrices, complex ones too; he...: of Hermitian ones.
  using Ldl = void (*)(const char* uplo, const int* n, T* a, const int* lda, int* pivots, T* work,
                       const int* lwork, int* info, Len);
  using LdlSolve = void (*)(const char* uplo, const int* n, const int* nrhs, const T* a,
                            const int* lda, const int* pivots, T* b, const int* ldb, int* info,
                            Len);
  Ldl sytrf, hetrf;
  LdlSolve sytrs, hetrs;
};

// For float, double and complex numbers of them. A RuntimeError if there is no library.
template <class T>
const Lapack<T>& lapack_of();

// The functions below are for matrices of any size, LAPACK's above a few dozen rows. `info` is 0,
// or the (one-based) number of the first pivot that is zero or, of Cholesky's, not positive.

// Column-major [n, n], in place, from its lower triangle; the upper one is set to zero. (Of a
// Hermitian one: A = L L^H.)
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
