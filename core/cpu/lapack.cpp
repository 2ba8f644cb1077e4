#include "cpu/lapack.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "cpu/allocator.h"
#include "cpu/blas.h"
#include "tensor/error.h"

namespace adj {

namespace {

template <class F>
void find(F& f, char prefix, const char* name) {
  std::string full = std::string(1, prefix) + name + "_";
  f = reinterpret_cast<F>(lapack(full.c_str()));
  if (!f)
    runtime_error("linear algebra needs LAPACK, and ", full, " was not found: install the package ",
                  "scipy-openblas32");
}

// Drops the argument that the complex form has and the real one, behind `raw`, has not.
template <class T, bool complex = kIsComplex<T>>
struct Adapted;
template <class T>
struct Adapted<T, true> {
  static void load(Lapack<T>& l, char p) {
    find(l.orgqr, p, "ungqr");
    find(l.syevd, p, "heevd");
    find(l.gesdd, p, "gesdd");
    find(l.hetrf, p, "hetrf");
    find(l.hetrs, p, "hetrs");
    find(l.gelsy, p, "gelsy");
    find(l.gelsd, p, "gelsd");
    find(l.gelss, p, "gelss");
    static void (*geev)(const char*, const char*, const int*, T*, const int*, T*, T*, const int*,
                        T*, const int*, T*, const int*, RealOf<T>*, int*, size_t, size_t);
    find(geev, p, "geev");
    l.geev = [](auto left, auto right, auto n, auto a, auto lda, auto w, auto, auto vl, auto ldvl,
                auto vr, auto ldvr, auto work, auto lwork, auto rwork, auto info, auto, auto) {
      geev(left, right, n, a, lda, w, vl, ldvl, vr, ldvr, work, lwork, rwork, info, 1, 1);
    };
  }
};
template <class T>
struct Adapted<T, false> {
  static void load(Lapack<T>& l, char p) {
    using In = const int*;
    using Text = const char*;
    find(l.orgqr, p, "orgqr");
    l.hetrf = l.sytrf;
    l.hetrs = l.sytrs;
    static void (*syevd)(Text, Text, In, T*, In, T*, T*, In, int*, In, int*, size_t, size_t);
    find(syevd, p, "syevd");
    l.syevd = [](auto job, auto uplo, auto n, auto a, auto lda, auto w, auto work, auto lwork, auto,
                 auto, auto iwork, auto liwork, auto info, auto,
                 auto) { syevd(job, uplo, n, a, lda, w, work, lwork, iwork, liwork, info, 1, 1); };
    static void (*gesdd)(Text, In, In, T*, In, T*, T*, In, T*, In, T*, In, int*, int*, size_t);
    find(gesdd, p, "gesdd");
    l.gesdd = [](auto job, auto m, auto n, auto a, auto lda, auto s, auto u, auto ldu, auto vt,
                 auto ldvt, auto work, auto lwork, auto, auto iwork, auto info, auto) {
      gesdd(job, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, iwork, info, 1);
    };
    static void (*geev)(Text, Text, In, T*, In, T*, T*, T*, In, T*, In, T*, In, int*, size_t,
                        size_t);
    find(geev, p, "geev");
    l.geev = [](auto left, auto right, auto n, auto a, auto lda, auto re, auto im, auto vl,
                auto ldvl, auto vr, auto ldvr, auto work, auto lwork, auto, auto info, auto, auto) {
      geev(left, right, n, a, lda, re, im, vl, ldvl, vr, ldvr, work, lwork, info, 1, 1);
    };
    static void (*gelsy)(In, In, In, T*, In, T*, In, int*, const T*, int*, T*, In, int*);
    find(gelsy, p, "gelsy");
    l.gelsy = [](auto m, auto n, auto k, auto a, auto lda, auto b, auto ldb, auto columns,
                 auto rcond, auto rank, auto work, auto lwork, auto, auto info) {
      gelsy(m, n, k, a, lda, b, ldb, columns, rcond, rank, work, lwork, info);
    };
    static void (*gelsd)(In, In, In, T*, In, T*, In, T*, const T*, int*, T*, In, int*, int*);
    find(gelsd, p, "gelsd");
    l.gelsd = [](auto m, auto n, auto k, auto a, auto lda, auto b, auto ldb, auto s, auto rcond,
                 auto rank, auto work, auto lwork, auto, auto iwork, auto info) {
      gelsd(m, n, k, a, lda, b, ldb, s, rcond, rank, work, lwork, iwork, info);
    };
    static void (*gelss)(In, In, In, T*, In, T*, In, T*, const T*, int*, T*, In, int*);
    find(gelss, p, "gelss");
    l.gelss = [](auto m, auto n, auto k, auto a, auto lda, auto b, auto ldb, auto s, auto rcond,
                 auto rank, auto work, auto lwork, auto,
                 auto info) { gelss(m, n, k, a, lda, b, ldb, s, rcond, rank, work, lwork, info); };
  }
};

template <class T>
Lapack<T> load() {
  constexpr bool single = std::is_same_v<RealOf<T>, float>;
  constexpr char p = kIsComplex<T> ? (single ? 'c' : 'z') : (single ? 's' : 'd');
  Lapack<T> l;
  find(l.potrf, p, "potrf");
  find(l.getrf, p, "getrf");
  find(l.getri, p, "getri");
  find(l.getrs, p, "getrs");
  find(l.trsm, p, "trsm");
  find(l.geqrf, p, "geqrf");
  find(l.gels, p, "gels");
  find(l.sytrf, p, "sytrf");
  find(l.sytrs, p, "sytrs");
  Adapted<T>::load(l, p);
  return l;
}

// Up to this many rows our own loops beat the library, whose calls cost a fraction of a microsecond
// each and whose kernels are made for larger blocks (measured).
constexpr int kSmallCholesky = 24, kSmallLu = 40, kSmallInverse = 48, kSmallSolve = 64;
constexpr int kSmallTriangle = 24;

struct Buffer {
  explicit Buffer(size_t bytes) : bytes(bytes), data(allocate(bytes)) {}
  ~Buffer() { deallocate(data, bytes); }
  Buffer(const Buffer&) = delete;
  size_t bytes;
  void* data;
};

// a * b by the plain formula (std::complex checks each product for infinities).
template <class T>
inline T times(T a, T b) {
  if constexpr (kIsComplex<T>)
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  else return a * b;
}
// What pivots are compared by, as in LAPACK.
template <class T>
inline RealOf<T> magnitude(T x) {
  if constexpr (kIsComplex<T>) return std::fabs(x.real()) + std::fabs(x.imag());
  else return std::fabs(x);
}

}  // namespace

template <class T>
const Lapack<T>& lapack_of() {
  static const Lapack<T> functions = load<T>();
  return functions;
}

template <class T>
int cholesky(int n, T* a) {
  int info = 0;
  if (n > kSmallCholesky) {
    lapack_of<T>().potrf("L", &n, a, &n, &info, 1);
  } else {
    for (int k = 0; k < n; ++k) {
      T* column = a + k * n;
      if (!(std::real(column[k]) > 0)) {  // NaN included
        info = k + 1;
        break;
      }
      RealOf<T> root = std::sqrt(std::real(column[k])), scale = 1 / root;
      column[k] = root;
      for (int i = k + 1; i < n; ++i) column[i] *= scale;
      for (int j = k + 1; j < n; ++j) {
        T* other = a + j * n;
        T factor = conjugate(column[j]);
        for (int i = j; i < n; ++i) other[i] -= times(factor, column[i]);
      }
    }
  }
  for (int j = 1; j < n; ++j) std::fill_n(a + int64_t{j} * n, j, T(0));
  return info;
}

template <class T>
int lu_factor(int m, int n, T* a, int* pivots) {
  int info = 0;
  if (m == 0 || n == 0) return 0;
  if (m > kSmallLu || n > kSmallLu) {
    lapack_of<T>().getrf(&m, &n, a, &m, pivots, &info);
    return info;
  }
  for (int k = 0; k < (m < n ? m : n); ++k) {
    T* column = a + k * m;
    int p = k;
    for (int i = k + 1; i < m; ++i)
      if (magnitude(column[i]) > magnitude(column[p])) p = i;
    pivots[k] = p + 1;
    if (column[p] == T(0)) {
      if (!info) info = k + 1;
      continue;
    }
    if (p != k)
      for (int j = 0; j < n; ++j) std::swap(a[j * m + k], a[j * m + p]);
    T scale = T(1) / column[k];
    for (int i = k + 1; i < m; ++i) column[i] *= scale;
    for (int j = k + 1; j < n; ++j) {
      T* other = a + j * m;
      T factor = other[k];
      for (int i = k + 1; i < m; ++i) other[i] -= times(factor, column[i]);
    }
  }
  return info;
}

template <class T>
void lu_solve(bool transposed, int n, int k, const T* lu, const int* pivots, T* b) {
  if (n == 0 || k == 0) return;
  if (n > kSmallSolve) {
    int info = 0;
    lapack_of<T>().getrs(transposed ? "T" : "N", &n, &k, lu, &n, pivots, b, &n, &info, 1);
    return;
  }
  for (int c = 0; c < k; ++c) {
    T* x = b + c * n;
    if (!transposed) {
      for (int i = 0; i < n; ++i) std::swap(x[i], x[pivots[i] - 1]);
      for (int j = 0; j < n; ++j)
        for (int i = j + 1; i < n; ++i) x[i] -= times(lu[j * n + i], x[j]);
      for (int j = n - 1; j >= 0; --j) {
        x[j] /= lu[j * n + j];
        for (int i = 0; i < j; ++i) x[i] -= times(lu[j * n + i], x[j]);
      }
    } else {
      for (int j = 0; j < n; ++j) {
        for (int i = 0; i < j; ++i) x[j] -= times(lu[j * n + i], x[i]);
        x[j] /= lu[j * n + j];
      }
      for (int j = n - 1; j >= 0; --j)
        for (int i = j + 1; i < n; ++i) x[j] -= times(lu[j * n + i], x[i]);
      for (int i = n - 1; i >= 0; --i) std::swap(x[i], x[pivots[i] - 1]);
    }
  }
}

template <class T>
int inverse(int n, T* a) {
  if (n == 0) return 0;
  int small_pivots[kSmallInverse];
  if (n > kSmallInverse) {
    const Lapack<T>& l = lapack_of<T>();
    Buffer pivots(sizeof(int) * static_cast<size_t>(n));
    int *p = static_cast<int*>(pivots.data), info = 0, lwork = 64 * n;
    l.getrf(&n, &n, a, &n, p, &info);
    if (info) return info;
    Buffer work(sizeof(T) * 64 * static_cast<size_t>(n));
    l.getri(&n, a, &n, p, static_cast<T*>(work.data), &lwork, &info);
    return info;
  }
  // Gauss and Jordan's elimination, by columns
  for (int k = 0; k < n; ++k) {
    T* column = a + k * n;
    int p = k;
    for (int i = k + 1; i < n; ++i)
      if (magnitude(column[i]) > magnitude(column[p])) p = i;
    small_pivots[k] = p;
    if (column[p] == T(0)) return k + 1;
    if (p != k)
      for (int j = 0; j < n; ++j) std::swap(a[j * n + k], a[j * n + p]);
    T scale = T(1) / column[k];
    for (int j = 0; j < n; ++j) {
      if (j == k) continue;
      T* other = a + j * n;
      T factor = other[k] * scale;
      for (int i = 0; i < n; ++i) other[i] -= times(factor, column[i]);
      other[k] = factor;
    }
    for (int i = 0; i < n; ++i) column[i] *= -scale;
    column[k] = scale;
  }
  for (int k = n - 1; k >= 0; --k)
    if (small_pivots[k] != k)
      for (int i = 0; i < n; ++i) std::swap(a[k * n + i], a[small_pivots[k] * n + i]);
  return 0;
}

template <class T>
void solve_triangular(int n, int k, Triangle<T> a, T* x) {
  if (n == 0 || k == 0) return;
  bool columns = (n == 1 || a.row_stride == 1) && a.column_stride >= n;
  bool rows = (n == 1 || a.column_stride == 1) && a.row_stride >= n;
  if (n > kSmallTriangle && (rows || columns)) {
    // Column-major, X is [k, n] and X^T A^T = B^T.
    int lda = static_cast<int>(columns ? a.column_stride : a.row_stride);
    T one = 1;
    lapack_of<T>().trsm("R", columns == a.upper ? "U" : "L", columns ? "T" : "N",
                        a.unit ? "U" : "N", &k, &n, &one, a.data, &lda, x, &k, 1, 1, 1, 1);
    return;
  }
  for (int step = 0; step < n; ++step) {
    int i = a.upper ? n - 1 - step : step;
    const T* row = a.data + i * a.row_stride;
    T* out = x + int64_t{i} * k;
    for (int j = a.upper ? i + 1 : 0, end = a.upper ? n : i; j < end; ++j) {
      T factor = row[j * a.column_stride];
      const T* other = x + int64_t{j} * k;
      for (int c = 0; c < k; ++c) out[c] -= times(factor, other[c]);
    }
    if (!a.unit) {
      T pivot = row[i * a.column_stride];
      for (int c = 0; c < k; ++c) out[c] /= pivot;
    }
  }
}

#define ADJ_LAPACK(T)                                                  \
  template const Lapack<T>& lapack_of<T>();                            \
  template int cholesky<T>(int, T*);                                   \
  template int lu_factor<T>(int, int, T*, int*);                       \
  template void lu_solve<T>(bool, int, int, const T*, const int*, T*); \
  template int inverse<T>(int, T*);                                    \
  template void solve_triangular<T>(int, int, Triangle<T>, T*);

ADJ_LAPACK(float)
ADJ_LAPACK(double)
ADJ_LAPACK(std::complex<float>)
ADJ_LAPACK(std::complex<double>)

}  // namespace adj
