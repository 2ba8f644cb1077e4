#include "cpu/pool.h"

#include <type_traits>

#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

constexpr int64_t kGrain = 16384;  // elements per task

int64_t inputs_of(const WindowDim* d) { return d[0].n * d[1].n * d[2].n; }
int64_t outputs_of(const WindowDim* d) { return d[0].m * d[1].m * d[2].m; }

template <class T>
T* at(T* p, int64_t bytes) {
  if constexpr (std::is_const_v<T>) return static_cast<const char*>(p) + bytes;
  else return static_cast<char*>(p) + bytes;
}

}  // namespace

void max_pool(DType t, void* y, int32_t* where, const void* x, int64_t planes,
              const WindowDim* dims) {
  auto size = static_cast<int64_t>(itemsize(t));
  int64_t in = inputs_of(dims), out = outputs_of(dims);
  parallel_for(planes, kGrain / (in + out) + 1, [&](int64_t from, int64_t to) {
    kernels().pool.max[t == DType::f64](at(y, from * out * size), where + from * out,
                                        at(x, from * in * size), to - from, dims);
  });
}

void max_pool_backward(DType t, void* dx, const void* g, const int32_t* where, int64_t planes,
                       const WindowDim* dims) {
  auto size = static_cast<int64_t>(itemsize(t));
  int64_t in = inputs_of(dims), out = outputs_of(dims);
  parallel_for(planes, kGrain / (in + out) + 1, [&](int64_t from, int64_t to) {
    kernels().pool.max_backward[t == DType::f64](at(dx, from * in * size), at(g, from * out * size),
                                                 where + from * out, to - from, dims);
  });
}

}  // namespace adj
