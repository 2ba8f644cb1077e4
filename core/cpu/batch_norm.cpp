#include "cpu/batch_norm.h"

#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

// Whole channels go to a task, so that no sum is shared.
template <class F>
void over_channels(const Channels& a, const F& f) {
  int64_t grain = 16384 / (a.n * a.s + 1) + 1;
  // short runs of a channel are worked on side by side
  if (a.s < 64 && grain * a.s < 64) grain = (64 + a.s - 1) / (a.s ? a.s : 1);
  parallel_for(a.c, grain, f);
}

}  // namespace

void batch_norm(DType t, const Channels& a, void* y, const void* x) {
  over_channels(a, [&](int64_t from, int64_t to) {
    kernels().batch_norm.forward[t == DType::f64](a, y, x, from, to);
  });
}

void batch_norm_backward(DType t, const Channels& a, void* dx, void* dweight, void* dbias,
                         const void* g, const void* x) {
  over_channels(a, [&](int64_t from, int64_t to) {
    kernels().batch_norm.backward[t == DType::f64](a, dx, dweight, dbias, g, x, from, to);
  });
}

void group_norm(DType t, const Groups& a, void* y, const void* x) {
  parallel_for(a.rows, 16384 / (a.c * a.s + 1) + 1, [&](int64_t from, int64_t to) {
    kernels().batch_norm.group_forward[t == DType::f64](a, y, x, from, to);
  });
}

void group_norm_backward(DType t, const Groups& a, void* dx, void* dweight, void* dbias,
                         const void* g, const void* x) {
  parallel_for(a.rows, 16384 / (a.c * a.s + 1) + 1, [&](int64_t from, int64_t to) {
    kernels().batch_norm.group_backward[t == DType::f64](a, dx, dweight, dbias, g, x, from, to);
  });
}

}  // namespace adj
