#include "cpu/cast.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

constexpr int64_t kGrain = 32768;      // elements per task
constexpr int64_t kBufferBytes = 8192;
constexpr int64_t kTileColumns = 128;  // of a transposed copy; its tiles are a cache line high
constexpr int64_t kStream = 8 << 20;  // bytes from which on a transposed result bypasses the caches

template <class T>
void move_run(char* dst, int64_t dst_stride, const char* src, int64_t src_stride, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    T x;
    memcpy(&x, src + i * src_stride, sizeof(T));
    memcpy(dst + i * dst_stride, &x, sizeof(T));
  }
}

struct Item16 {
  uint64_t word[2];
};

// Any stride to any stride, items of one size.
void move_items(char* dst, int64_t dst_stride, const char* src, int64_t src_stride, int64_t n,
                size_t size) {
  switch (size) {
    case 1: return move_run<uint8_t>(dst, dst_stride, src, src_stride, n);
    case 2: return move_run<uint16_t>(dst, dst_stride, src, src_stride, n);
    case 4: return move_run<uint32_t>(dst, dst_stride, src, src_stride, n);
    case 8: return move_run<uint64_t>(dst, dst_stride, src, src_stride, n);
    default: return move_run<Item16>(dst, dst_stride, src, src_stride, n);
  }
}

void convert(void* dst, DType dst_t, const void* src, DType src_t, int64_t n) {
  kernels().cast.convert[static_cast<int>(dst_t)][static_cast<int>(src_t)](dst, src, n);
}

int64_t size_of(DType t) { return static_cast<int64_t>(itemsize(t)); }

}  // namespace

void convert_run(void* dst, DType dst_t, const void* src, DType src_t, int64_t n) {
  if (dst_t == src_t) memcpy(dst, src, static_cast<size_t>(n) * itemsize(src_t));
  else convert(dst, dst_t, src, src_t, n);
}

void load_run(void* dst, DType dst_t, const void* src, DType src_t, int64_t src_stride, int64_t n) {
  int64_t s = size_of(src_t), d = size_of(dst_t);
  auto* out = static_cast<char*>(dst);
  auto* in = static_cast<const char*>(src);
  if (n <= 0) return;
  if (src_stride == s) return convert_run(dst, dst_t, src, src_t, n);
  if (src_stride == 0) {
    alignas(16) char value[16];
    convert_run(value, dst_t, src, src_t, 1);
    return move_items(out, d, value, 0, n, static_cast<size_t>(d));
  }
  if (dst_t == src_t) return move_items(out, d, in, src_stride, n, static_cast<size_t>(d));
  alignas(64) char buffer[kBufferBytes];
  int64_t step = kBufferBytes / s;
  for (int64_t i = 0; i < n; i += step) {
    int64_t m = n - i < step ? n - i : step;
    move_items(buffer, s, in + i * src_stride, src_stride, m, static_cast<size_t>(s));
    convert(out + i * d, dst_t, buffer, src_t, m);
  }
}

void store_run(void* dst, DType dst_t, int64_t dst_stride, const void* src, DType src_t,
               int64_t n) {
  int64_t s = size_of(src_t), d = size_of(dst_t);
  auto* out = static_cast<char*>(dst);
  auto* in = static_cast<const char*>(src);
  if (n <= 0) return;
  if (dst_stride == d) return convert_run(dst, dst_t, src, src_t, n);
  if (dst_t == src_t) return move_items(out, dst_stride, in, s, n, static_cast<size_t>(d));
  alignas(64) char buffer[kBufferBytes];
  int64_t step = kBufferBytes / d;
  for (int64_t i = 0; i < n; i += step) {
    int64_t m = n - i < step ? n - i : step;
    convert(buffer, dst_t, in + i * s, src_t, m);
    move_items(out + i * dst_stride, dst_stride, buffer, d, m, static_cast<size_t>(d));
  }
}

namespace {

struct Axis {
  int64_t size, dst, src;  // strides in bytes
};

struct Copy {
  char* dst;
  const char* src;
  DType dst_t, src_t;
  Axis axes[64];
  int ndim = 0;

  void run(char* d, const char* s, int64_t n) const {
    const Axis& inner = axes[ndim - 1];
    if (inner.dst == size_of(dst_t)) return load_run(d, dst_t, s, src_t, inner.src, n);
    if (inner.src == size_of(src_t)) return store_run(d, dst_t, inner.dst, s, src_t, n);
    if (dst_t == src_t) return move_items(d, inner.dst, s, inner.src, n, itemsize(dst_t));
    alignas(64) char buffer[kBufferBytes];
    int64_t step = kBufferBytes / size_of(dst_t);
    for (int64_t i = 0; i < n; i += step) {
      int64_t m = n - i < step ? n - i : step;
      load_run(buffer, dst_t, s + i * inner.src, src_t, inner.src, m);
      store_run(d + i * inner.dst, dst_t, inner.dst, buffer, dst_t, m);
    }
  }

  // Short rows, contiguous on both sides: the call of memcpy would cost more than the copy.
  void copy_rows(char* d, const char* s, const Axis& rows, int64_t n, int64_t bytes) const {
    for (int64_t i = 0; i < n; ++i, d += rows.dst, s += rows.src) {
      int64_t k = 0;
      for (; k + 16 <= bytes; k += 16) memcpy(d + k, s + k, 16);
      if (bytes & 8) memcpy(d + k, s + k, 8), k += 8;
      if (bytes & 4) memcpy(d + k, s + k, 4), k += 4;
      if (bytes & 2) memcpy(d + k, s + k, 2), k += 2;
      if (bytes & 1) d[k] = s[k];
    }
  }

  // Rows [from, to) of the innermost axis, by copy_rows.
  void copy_all_rows(int64_t from, int64_t to, int64_t bytes) const {
    while (from < to) {
      const Axis& rows = axes[ndim - 2];
      int64_t at = from % rows.size, rest = from / rows.size;
      char* d = dst + at * rows.dst;
      const char* s = src + at * rows.src;
      for (int i = ndim - 3; i >= 0; --i) {
        int64_t k = rest % axes[i].size;
        rest /= axes[i].size;
        d += k * axes[i].dst;
        s += k * axes[i].src;
      }
      int64_t n = rows.size - at < to - from ? rows.size - at : to - from;
      copy_rows(d, s, rows, n, bytes);
      from += n;
    }
  }

  // Whether copy_all_rows does it, and the bytes of a row.
  bool has_short_rows(int64_t& bytes) const {
    const Axis& inner = axes[ndim - 1];
    bytes = inner.size * size_of(dst_t);
    return ndim > 1 && dst_t == src_t && inner.dst == size_of(dst_t) && inner.src == inner.dst &&
           bytes <= 512;
  }

  // Elements [from, to) in row-major order.
  void run_range(int64_t from, int64_t to) const {
    int64_t index[64];
    char* d = dst;
    const char* s = src;
    int64_t rest = from;
    for (int i = ndim - 1; i >= 0; --i) {
      index[i] = rest % axes[i].size;
      rest /= axes[i].size;
      d += index[i] * axes[i].dst;
      s += index[i] * axes[i].src;
    }
    const Axis& inner = axes[ndim - 1];
    while (from < to) {
      int64_t n = inner.size - index[ndim - 1];
      if (n > to - from) n = to - from;
      run(d, s, n);
      from += n;
      d -= index[ndim - 1] * inner.dst;
      s -= index[ndim - 1] * inner.src;
      index[ndim - 1] = 0;
      for (int i = ndim - 2; i >= 0; --i) {
        d += axes[i].dst;
        s += axes[i].src;
        if (++index[i] < axes[i].size) break;
        d -= axes[i].size * axes[i].dst;
        s -= axes[i].size * axes[i].src;
        index[i] = 0;
      }
    }
  }

  // The axis along which src is contiguous, if it is not the one along which dst is; else -1.
  int transposed_axis() const {
    const Axis& inner = axes[ndim - 1];
    if (inner.dst != size_of(dst_t) || inner.src == size_of(src_t) || inner.size < 4) return -1;
    for (int i = 0; i < ndim - 1; ++i)
      if (axes[i].src == size_of(src_t) && axes[i].size >= 4) return i;
    return -1;
  }

  // Tiles are transposed in the L1 cache and converted on their way out. They follow each other
  // along the contiguous dim of src, which the hardware foresees.
  void run_transposed(int across) const {
    const Axis a = axes[across], inner = axes[ndim - 1];
    Axis outer[64];
    int outer_ndim = 0;
    int64_t outer_size = 1;
    for (int i = 0; i < ndim - 1; ++i)
      if (i != across) {
        outer[outer_ndim++] = axes[i];
        outer_size *= axes[i].size;
      }
    const CastKernels& k = kernels().cast;
    auto* transpose = k.transpose[std::countr_zero(itemsize(src_t))];
    int64_t s_size = size_of(src_t), d_size = size_of(dst_t), height = 64 / s_size;
    int64_t down = (a.size + height - 1) / height;
    int64_t along = (inner.size + kTileColumns - 1) / kTileColumns;
    bool streamed = dst_t == src_t && outer_size * a.size * inner.size * d_size >= kStream;
    int64_t width = inner.size < kTileColumns ? inner.size : kTileColumns;
    parallel_for(outer_size * along * down, kGrain / (height * width) + 1,
                 [&](int64_t from, int64_t to) {
                   alignas(64) char tile[64 * kTileColumns];
                   for (int64_t t = from; t < to; ++t) {
                     int64_t row = t % down * height, column = t / down % along * kTileColumns;
                     int64_t rest = t / down / along;
                     char* d = dst + row * a.dst + column * inner.dst;
                     const char* s = src + row * a.src + column * inner.src;
                     for (int i = outer_ndim - 1; i >= 0; --i) {
                       int64_t at = rest % outer[i].size;
                       rest /= outer[i].size;
                       d += at * outer[i].dst;
                       s += at * outer[i].src;
                     }
                     int64_t rows = a.size - row < height ? a.size - row : height;
                     int64_t columns =
                         inner.size - column < kTileColumns ? inner.size - column : kTileColumns;
                     // of src: `columns` rows of `rows` items that lie side by side
                     transpose(tile, kTileColumns * s_size, s, inner.src, columns, rows);
                     for (int64_t i = 0; i < rows; ++i, d += a.dst) {
                       const char* line = tile + i * kTileColumns * s_size;
                       if (streamed) k.stream(d, line, columns * d_size);
                       else convert_run(d, dst_t, line, src_t, columns);
                     }
                   }
#if defined(__x86_64__)
                   if (streamed) __builtin_ia32_sfence();
#endif
                 });
  }
};

// Larger steps of dst outside; neighbours that step as one merged.
void arrange(Copy& c) {
  for (int i = 1; i < c.ndim; ++i)
    for (int j = i; j > 0; --j) {
      Axis &outer = c.axes[j - 1], &inner = c.axes[j];
      int64_t d = std::llabs(outer.dst) - std::llabs(inner.dst);
      if (d > 0 || (d == 0 && std::llabs(outer.src) >= std::llabs(inner.src))) break;
      std::swap(outer, inner);
    }
  int kept = 0;
  for (int i = 1; i < c.ndim; ++i) {
    Axis& outer = c.axes[kept];
    const Axis& inner = c.axes[i];
    if (outer.dst == inner.dst * inner.size && outer.src == inner.src * inner.size)
      outer = {outer.size * inner.size, inner.dst, inner.src};
    else c.axes[++kept] = inner;
  }
  c.ndim = kept + 1;
}

}  // namespace

void copy_strided(int ndim, const int64_t* sizes, void* dst, const int64_t* dst_strides,
                  DType dst_t, const void* src, const int64_t* src_strides, DType src_t) {
  Copy c{static_cast<char*>(dst), static_cast<const char*>(src), dst_t, src_t, {}, 0};
  int64_t numel = 1;
  for (int i = 0; i < ndim; ++i) {
    numel *= sizes[i];
    if (sizes[i] != 1) c.axes[c.ndim++] = {sizes[i], dst_strides[i], src_strides[i]};
  }
  if (numel == 0) return;
  if (numel == 1) return convert_run(dst, dst_t, src, src_t, 1);
  arrange(c);
  int across = c.transposed_axis();
  int64_t bytes;
  if (across >= 0) return c.run_transposed(across);
  if (c.has_short_rows(bytes)) {
    int64_t inner = c.axes[c.ndim - 1].size;
    parallel_for(numel / inner, kGrain / inner,
                 [&](int64_t from, int64_t to) { c.copy_all_rows(from, to, bytes); });
    return;
  }
  parallel_for(numel, kGrain, [&](int64_t from, int64_t to) { c.run_range(from, to); });
}

void fill_strided(int ndim, const int64_t* sizes, void* dst, const int64_t* dst_strides,
                  DType dst_t, const void* value, DType value_t) {
  alignas(16) char converted[16];
  convert_run(converted, dst_t, value, value_t, 1);
  constexpr int64_t zeros[64] = {};
  copy_strided(ndim, sizes, dst, dst_strides, dst_t, converted, zeros, dst_t);
}

}  // namespace adj
