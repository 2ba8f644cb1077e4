#include "cpu/loop.h"

#include <cstring>

#include "cpu/cast.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

constexpr int64_t kChunk = 1024;    // elements per buffer: five of 8 bytes fit in the L1 cache
constexpr int64_t kGrain = 32768;   // elements per task of the thread pool

struct Axis {
  int64_t size;
  int64_t strides[kMaxOperands + 1];  // bytes; the result comes first
};

struct Loop {
  LoopFn fn;
  int count;  // operands, the result included
  char* data[kMaxOperands + 1];
  DType dtype[kMaxOperands + 1];
  DType in_type, out_type;
  Axis axes[64];
  int ndim = 0;

  int64_t chunk() const {  // complex128 has 16 bytes
    return in_type == DType::c128 || out_type == DType::c128 ? kChunk / 2 : kChunk;
  }

  // Merges neighbours that step as one, so that the innermost axis is as long as can be.
  void coalesce() {
    int kept = 0;
    for (int i = 1; i < ndim; ++i) {
      Axis& outer = axes[kept];
      const Axis& inner = axes[i];
      bool merge = true;
      for (int k = 0; k < count; ++k)
        merge = merge && outer.strides[k] == inner.strides[k] * inner.size;
      if (merge) {
        outer.size *= inner.size;
        for (int k = 0; k < count; ++k) outer.strides[k] = inner.strides[k];
      } else {
        axes[++kept] = inner;
      }
    }
    ndim = kept + 1;
  }

  // One run along the innermost axis: `n` elements at the given addresses.
  void run(char* const* at, int64_t n, char (*buffers)[kChunk * 8], const bool* constant) const {
    const Axis& inner = axes[ndim - 1];
    for (int64_t done = 0; done < n; done += chunk()) {
      int64_t m = n - done < chunk() ? n - done : chunk();
      const void* in[kMaxOperands];
      for (int k = 1; k < count; ++k) {
        char* p = at[k] + done * inner.strides[k];
        size_t size = itemsize(in_type);
        if (dtype[k] == in_type && inner.strides[k] == static_cast<int64_t>(size)) {
          in[k - 1] = p;
        } else {
          if (!constant[k]) load_run(buffers[k], in_type, p, dtype[k], inner.strides[k], m);
          in[k - 1] = buffers[k];
        }
      }
      char* out = at[0] + done * inner.strides[0];
      bool direct =
          dtype[0] == out_type && inner.strides[0] == static_cast<int64_t>(itemsize(out_type));
      fn(m, direct ? out : buffers[0], in);
      if (!direct) store_run(out, dtype[0], inner.strides[0], buffers[0], out_type, m);
    }
  }

  // Elements [from, to) of the loop in row-major order.
  void run_range(int64_t from, int64_t to) const {
    alignas(64) char buffers[kMaxOperands + 1][kChunk * 8];
    bool constant[kMaxOperands + 1] = {};
    int64_t inner = axes[ndim - 1].size;
    for (int k = 1; k < count; ++k) {
      bool all_zero = true;
      for (int i = 0; i < ndim; ++i) all_zero = all_zero && (axes[i].strides[k] == 0);
      if (!all_zero) continue;
      constant[k] = true;
      int64_t longest = inner < chunk() ? inner : chunk();
      if (to - from < longest) longest = to - from;
      load_run(buffers[k], in_type, data[k], dtype[k], 0, longest);
    }
    int64_t index[64];
    char* at[kMaxOperands + 1];
    for (int k = 0; k < count; ++k) at[k] = data[k];
    int64_t rest = from;
    for (int i = ndim - 1; i >= 0; --i) {
      index[i] = rest % axes[i].size;
      rest /= axes[i].size;
      for (int k = 0; k < count; ++k) at[k] += index[i] * axes[i].strides[k];
    }
    while (from < to) {
      int64_t n = inner - index[ndim - 1];
      if (n > to - from) n = to - from;
      run(at, n, buffers, constant);
      from += n;
      // on to the next run
      for (int k = 0; k < count; ++k) at[k] -= index[ndim - 1] * axes[ndim - 1].strides[k];
      index[ndim - 1] = 0;
      for (int i = ndim - 2; i >= 0; --i) {
        for (int k = 0; k < count; ++k) at[k] += axes[i].strides[k];
        if (++index[i] < axes[i].size) break;
        for (int k = 0; k < count; ++k) at[k] -= axes[i].size * axes[i].strides[k];
        index[i] = 0;
      }
    }
  }
};

}  // namespace

void run_loop(LoopFn fn, DimsView sizes, const LoopOperand& out, DType out_type,
              const LoopOperand* in, int count, DType in_type) {
  int64_t numel = sizes.product();
  if (numel == 0) return;
  Loop loop;
  loop.fn = fn;
  loop.count = count + 1;
  loop.in_type = in_type;
  loop.out_type = out_type;
  auto operand = [&](int k) -> const LoopOperand& { return k == 0 ? out : in[k - 1]; };
  for (int k = 0; k <= count; ++k) {
    loop.data[k] = operand(k).data;
    loop.dtype[k] = operand(k).dtype;
  }
  for (int i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 1) continue;
    Axis& axis = loop.axes[loop.ndim++];
    axis.size = sizes[i];
    for (int k = 0; k <= count; ++k) {
      const LoopOperand& x = operand(k);
      axis.strides[k] = x.strides ? x.strides[i] * static_cast<int64_t>(itemsize(x.dtype)) : 0;
    }
  }
  if (loop.ndim == 0) {
    loop.axes[0].size = 1;
    for (int k = 0; k <= count; ++k)
      loop.axes[0].strides[k] = static_cast<int64_t>(itemsize(operand(k).dtype));
    loop.ndim = 1;
  }
  // The result's smallest step goes innermost, so that transposed operands of one layout run fast.
  for (int i = 1; i < loop.ndim; ++i)
    for (int j = i; j > 0 && loop.axes[j - 1].strides[0] < loop.axes[j].strides[0]; --j)
      std::swap(loop.axes[j - 1], loop.axes[j]);
  loop.coalesce();
  parallel_for(numel, kGrain, [&](int64_t from, int64_t to) { loop.run_range(from, to); });
}

}  // namespace adj
