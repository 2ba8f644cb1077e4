#include "cpu/blas.h"

#include <dlfcn.h>

#include <atomic>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "cpu/allocator.h"
#include "cpu/cast.h"
#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

constexpr int kRowMajor = 101, kNoTranspose = 111, kTranspose = 112;

using Gemm32 = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int,
                        float, float*, int);
using Gemm64 = void (*)(int, int, int, int, int, int, double, const double*, int, const double*,
                        int, double, double*, int);
using GemmComplex = void (*)(int, int, int, int, int, int, const void*, const void*, int,
                             const void*, int, const void*, void*, int);

struct Library {
  void* handle = nullptr;
  Gemm32 sgemm = nullptr;
  Gemm64 dgemm = nullptr;
  GemmComplex cgemm = nullptr, zgemm = nullptr;
  void (*set_threads)(int) = nullptr;
};

std::mutex mutex;
std::string path;
Library* loaded = nullptr;
bool tried = false;

// Sets a variable for as long as the library is being loaded, unless the user has set it.
struct Environment {
  Environment(const char* name, const char* value) : name(name), mine(value && !std::getenv(name)) {
    if (mine) setenv(name, value, 1);
  }
  ~Environment() {
    if (mine) unsetenv(name);
  }
  const char* name;
  bool mine;
};

// OpenBLAS takes AVX2 kernels on AMD chips with AVX-512 that it does not know.
const char* core_type() {
#if defined(__x86_64__)
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512cd");
  if (avx512 && __builtin_cpu_is("amd")) return "SkylakeX";
#endif
  return nullptr;
}

Library* library() {
  std::lock_guard lock(mutex);
  if (tried || path.empty()) return loaded;
  tried = true;
  Environment core("OPENBLAS_CORETYPE", core_type());
  Environment threads("OPENBLAS_NUM_THREADS", "1");  // we bring our own
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return nullptr;
  auto find = [&](const char* name) {
    return dlsym(handle, (std::string("scipy_") + name).c_str());
  };
  auto* lib = new Library{handle,
                          reinterpret_cast<Gemm32>(find("cblas_sgemm")),
                          reinterpret_cast<Gemm64>(find("cblas_dgemm")),
                          reinterpret_cast<GemmComplex>(find("cblas_cgemm")),
                          reinterpret_cast<GemmComplex>(find("cblas_zgemm")),
                          reinterpret_cast<void (*)(int)>(find("openblas_set_num_threads"))};
  if (!lib->sgemm || !lib->dgemm || !lib->cgemm || !lib->zgemm || !lib->set_threads) {
    delete lib;
    dlclose(handle);
    return nullptr;
  }
  lib->set_threads(1);
  loaded = lib;
  return loaded;
}

// The library if it is needed and there; looked up without the lock once it is loaded.
Library* ready_library() {
  static std::atomic<Library*> known{nullptr};
  Library* lib = known.load(std::memory_order_acquire);
  if (!lib) known.store(lib = library(), std::memory_order_release);
  return lib;
}

struct Product {
  DType t;
  bool ta, tb;
  int64_t m, n, k;
  double alpha;
  const char* a;
  int64_t lda;
  const char* b;
  int64_t ldb;
  double beta;
  char* c;
  int64_t ldc;

  int64_t item() const { return static_cast<int64_t>(itemsize(t)); }
  bool fits_int() const {
    auto fits = [](int64_t x) { return x <= INT_MAX; };
    return fits(m) && fits(n) && fits(k) && fits(lda) && fits(ldb) && fits(ldc);
  }
  GemmArgs args() const {
    return {m, n,  k, alpha, beta, a, ta ? 1 : lda, ta ? lda : 1, b, tb ? 1 : ldb, tb ? ldb : 1,
            c, ldc};
  }
  // Rows [i, i + rows) and columns [j, j + columns) of C.
  Product block(int64_t i, int64_t rows, int64_t j, int64_t columns) const {
    Product p = *this;
    p.m = rows;
    p.n = columns;
    p.a += i * (ta ? 1 : lda) * item();
    p.b += j * (tb ? ldb : 1) * item();
    p.c += (i * ldc + j) * item();
    return p;
  }
};

template <class T>
void complex_loops(const Product& p) {
  struct C {
    T re, im;
  };
  GemmArgs g = p.args();
  auto *a = static_cast<const C*>(g.a), *b = static_cast<const C*>(g.b);
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) {
      double re = 0, im = 0;
      for (int64_t l = 0; l < p.k; ++l) {
        C x = a[i * g.a_row + l * g.a_column], y = b[l * g.b_row + j * g.b_column];
        re += double(x.re) * y.re - double(x.im) * y.im;
        im += double(x.re) * y.im + double(x.im) * y.re;
      }
      C* o = static_cast<C*>(g.c) + i * g.c_row + j;
      *o = {static_cast<T>(p.alpha * re + (p.beta != 0 ? p.beta * o->re : 0)),
            static_cast<T>(p.alpha * im + (p.beta != 0 ? p.beta * o->im : 0))};
    }
}

// Up to this many multiplications our own kernels are as fast as the library or faster: without
// packing A, then in blocks.
constexpr int64_t kSmall = 64 * 64 * 64, kOwn = 160 * 160 * 160;

void run(const Product& p, Library* lib) {
  bool floating = p.t == DType::f32 || p.t == DType::f64;
  int64_t work = p.m * p.n * p.k;
  const GemmKernels& own = kernels().gemm;
  if (floating && work <= kSmall) return own.small[p.t == DType::f64](p.args());
  if (floating && work <= kOwn) return own.blocked[p.t == DType::f64](p.args());
  if (is_integral(p.t)) return own.integer[static_cast<int>(p.t)](p.args());
  if (!lib || !p.fits_int()) {
    if (p.t == DType::c64) return complex_loops<float>(p);
    if (p.t == DType::c128) return complex_loops<double>(p);
    return own.blocked[p.t == DType::f64](p.args());
  }
  int ta = p.ta ? kTranspose : kNoTranspose, tb = p.tb ? kTranspose : kNoTranspose;
  auto m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
  auto lda = static_cast<int>(p.lda), ldb = static_cast<int>(p.ldb), ldc = static_cast<int>(p.ldc);
  switch (p.t) {
    case DType::f32:
      return lib->sgemm(kRowMajor, ta, tb, m, n, k, static_cast<float>(p.alpha),
                        reinterpret_cast<const float*>(p.a), lda,
                        reinterpret_cast<const float*>(p.b), ldb, static_cast<float>(p.beta),
                        reinterpret_cast<float*>(p.c), ldc);
    case DType::f64:
      return lib->dgemm(kRowMajor, ta, tb, m, n, k, p.alpha, reinterpret_cast<const double*>(p.a),
                        lda, reinterpret_cast<const double*>(p.b), ldb, p.beta,
                        reinterpret_cast<double*>(p.c), ldc);
    case DType::c64: {
      float alpha[2] = {static_cast<float>(p.alpha), 0}, beta[2] = {static_cast<float>(p.beta), 0};
      return lib->cgemm(kRowMajor, ta, tb, m, n, k, alpha, p.a, lda, p.b, ldb, beta, p.c, ldc);
    }
    default: {
      double alpha[2] = {p.alpha, 0}, beta[2] = {p.beta, 0};
      return lib->zgemm(kRowMajor, ta, tb, m, n, k, alpha, p.a, lda, p.b, ldb, beta, p.c, ldc);
    }
  }
}

// A leading dimension of a matrix that has at most one row says nothing, but BLAS checks it.
int64_t leading(int64_t ld, int64_t columns) { return ld < columns ? columns : ld < 1 ? 1 : ld; }

// With k = 0 there is only beta C left.
void scale_only(const Product& p) {
  for (int64_t i = 0; i < p.m; ++i) {
    char* row = p.c + i * p.ldc * p.item();
    if (p.beta == 0) {
      memset(row, 0, static_cast<size_t>(p.n * p.item()));
    } else if (p.beta != 1) {
      int64_t n = is_complex(p.t) ? 2 * p.n : p.n;
      for (int64_t j = 0; j < n; ++j) {
        if (p.t == DType::f32 || p.t == DType::c64)
          reinterpret_cast<float*>(row)[j] *= static_cast<float>(p.beta);
        else if (is_floating(p.t) || is_complex(p.t)) reinterpret_cast<double*>(row)[j] *= p.beta;
      }
    }
  }
}

// Into how many blocks C is cut: by the work alone, so that results do not depend on threads.
int block_count(int64_t work) {
  int64_t million = work >> 20;
  return million < 1 ? 1 : million < 8 ? 2 : million < 64 ? 4 : million < 512 ? 8 : 16;
}

void run_parallel(const Product& p) {
  int64_t work = p.m * p.n * p.k;
  Library* lib = work > kOwn || is_complex(p.t) ? ready_library() : nullptr;
  int64_t rows = p.m, columns = p.n;
  for (int blocks = block_count(work); blocks > 1; blocks /= 2) {
    if (rows >= columns) rows = (rows + 1) / 2;
    else columns = (columns + 1) / 2;
  }
  // whole tiles of the kernels, if there are some
  if (rows < p.m) rows = rows > 96 ? (rows + 23) / 24 * 24 : (rows + 5) / 6 * 6;
  if (columns < p.n) columns = (columns + 31) / 32 * 32;
  int64_t down = (p.m + rows - 1) / rows, along = (p.n + columns - 1) / columns;
  if (down * along == 1) return run(p, lib);
  parallel_for(down * along, 1, [&](int64_t from, int64_t to) {
    for (int64_t t = from; t < to; ++t) {
      int64_t i = t / along * rows, j = t % along * columns;
      run(p.block(i, p.m - i < rows ? p.m - i : rows, j, p.n - j < columns ? p.n - j : columns),
          lib);
    }
  });
}

// A vector with its elements side by side: a copy if they are not.
struct Contiguous {
  Contiguous(DType t, const void* x, int64_t n, int64_t step)
      : bytes(step == 1 ? 0 : static_cast<size_t>(n) * itemsize(t)), data(const_cast<void*>(x)) {
    if (step == 1) return;
    data = allocate(bytes);
    load_run(data, t, x, t, step * static_cast<int64_t>(itemsize(t)), n);
  }
  ~Contiguous() {
    if (bytes) deallocate(data, bytes);
  }
  Contiguous(const Contiguous&) = delete;
  size_t bytes;
  void* data;
};

}  // namespace

void set_blas_path(const char* p) {
  std::lock_guard lock(mutex);
  path = p ? p : "";
  if (!loaded) tried = false;
}

bool blas_available() { return ready_library() != nullptr; }

void* lapack(const char* name) {
  Library* lib = ready_library();
  return lib ? dlsym(lib->handle, (std::string("scipy_") + name).c_str()) : nullptr;
}

BlasThreads::BlasThreads(int n) {
  if (Library* lib = ready_library()) lib->set_threads(n);
}
BlasThreads::~BlasThreads() {
  if (Library* lib = ready_library()) lib->set_threads(1);
}

void gemm(DType t, bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const void* a,
          int64_t lda, const void* b, int64_t ldb, double beta, void* c, int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  lda = leading(lda, ta ? m : k);
  ldb = leading(ldb, tb ? k : n);
  ldc = leading(ldc, n);
  Product p{t,
            ta,
            tb,
            m,
            n,
            k,
            alpha,
            static_cast<const char*>(a),
            lda,
            static_cast<const char*>(b),
            ldb,
            beta,
            static_cast<char*>(c),
            ldc};
  if (k <= 0) return scale_only(p);
  bool floating = t == DType::f32 || t == DType::f64;
  if (floating && m == 1)
    return gemv(t, !tb, tb ? n : k, tb ? k : n, alpha, b, ldb, a, ta ? lda : 1, beta, c, 1);
  if (floating && n == 1)
    return gemv(t, ta, ta ? k : m, ta ? m : k, alpha, a, lda, b, tb ? 1 : ldb, beta, c, ldc);
  run_parallel(p);
}

void gemm_batched(DType t, bool ta, bool tb, int64_t batch, int64_t m, int64_t n, int64_t k,
                  double alpha, const void* a, int64_t lda, int64_t stride_a, const void* b,
                  int64_t ldb, int64_t stride_b, double beta, void* c, int64_t ldc,
                  int64_t stride_c) {
  if (m <= 0 || n <= 0) return;
  auto item = static_cast<int64_t>(itemsize(t));
  auto one = [&](int64_t i) {
    return Product{t,
                   ta,
                   tb,
                   m,
                   n,
                   k,
                   alpha,
                   static_cast<const char*>(a) + i * stride_a * item,
                   leading(lda, ta ? m : k),
                   static_cast<const char*>(b) + i * stride_b * item,
                   leading(ldb, tb ? k : n),
                   beta,
                   static_cast<char*>(c) + i * stride_c * item,
                   leading(ldc, n)};
  };
  int64_t work = m * n * k;
  if (k <= 0) {
    for (int64_t i = 0; i < batch; ++i) scale_only(one(i));
  } else if (batch >= 16 || block_count(work) == 1) {
    Library* lib = work > kOwn || is_complex(t) ? ready_library() : nullptr;
    parallel_for(batch, (1 << 18) / work + 1, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i) run(one(i), lib);
    });
  } else {
    for (int64_t i = 0; i < batch; ++i) run_parallel(one(i));
  }
}

void gemv(DType t, bool ta, int64_t m, int64_t n, double alpha, const void* a, int64_t lda,
          const void* x, int64_t incx, double beta, void* y, int64_t incy) {
  bool is_double = t == DType::f64;
  auto item = static_cast<int64_t>(itemsize(t));
  auto* as = static_cast<const char*>(a);
  const GemmKernels& k = kernels().gemm;
  constexpr int64_t kGrain = 65536;
  if (!ta) {
    Contiguous v(t, x, n, incx);
    auto* ys = static_cast<char*>(y);
    parallel_for(m, kGrain / (n + 1) + 1, [&](int64_t from, int64_t to) {
      k.dot_rows[is_double](as + from * lda * item, lda, v.data, ys + from * incy * item, incy,
                            to - from, n, alpha, beta);
    });
    return;
  }
  Contiguous result(t, y, n, incy);
  auto* ys = static_cast<char*>(result.data);
  // columns in whole cache lines
  parallel_for(n, kGrain / (m + 1) / 64 * 64 + 64, [&](int64_t from, int64_t to) {
    k.sum_rows[is_double](as + from * item, lda, x, incx, ys + from * item, m, to - from, alpha,
                          beta);
  });
  if (incy != 1) store_run(y, t, incy * item, ys, t, n);
}

}  // namespace adj
