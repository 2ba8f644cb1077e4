// Matrix products, and the functions of LAPACK. Row-major, leading dimensions in elements.
//
// Large products go to OpenBLAS (the scipy-openblas32 wheel), one thread of it for each of ours: C
// is cut into blocks by the shape alone. Small ones, and all where there is no library, are our
// own.
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace adj {

// Where libscipy_openblas is; it is loaded with the first large product. May be called once more
// after a failure.
void set_blas_path(const char* path);
bool blas_available();

// C[m, n] = alpha op(A) op(B) + beta C; op(A) is [m, k]. float32, float64, complex64, complex128,
// and integers (uint8 .. int64: alpha 1, beta 0 or 1). C is not read if beta is 0, and overlaps
// nothing.
void gemm(DType t, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
          double alpha, const void* a, int64_t lda, const void* b, int64_t ldb, double beta,
          void* c, int64_t ldc);

// `batch` products at fixed distances (in elements; 0: the same matrix for all of A or B).
void gemm_batched(DType t, bool transpose_a, bool transpose_b, int64_t batch, int64_t m, int64_t n,
                  int64_t k, double alpha, const void* a, int64_t lda, int64_t stride_a,
                  const void* b, int64_t ldb, int64_t stride_b, double beta, void* c, int64_t ldc,
                  int64_t stride_c);

// y = alpha op(A) x + beta y, A being [m, n]; float32 and float64.
void gemv(DType t, bool transpose_a, int64_t m, int64_t n, double alpha, const void* a, int64_t lda,
          const void* x, int64_t incx, double beta, void* y, int64_t incy);

// A function of LAPACK by its Fortran name ("dgesv_"): column-major, 32-bit integers, all arguments
// by reference. Null if there is no library, or it has no such function.
void* lapack(const char* name);

// Lets the library use its own threads while it lives; for LAPACK on large matrices.
struct BlasThreads {
  explicit BlasThreads(int n);
  ~BlasThreads();
  BlasThreads(const BlasThreads&) = delete;
};

}  // namespace adj
