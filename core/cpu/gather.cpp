#include "cpu/gather.h"

#include <cstring>

#include "cpu/allocator.h"
#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"
#include "scalar/half.h"

namespace adj {

namespace {

constexpr int64_t kGrain = 16384;  // bytes per task, roughly

struct Item16 {
  uint64_t word[2];
};

// f(T()) with an unsigned T of the size.
template <class F>
void by_size(int64_t itemsize, const F& f) {
  switch (itemsize) {
    case 1: return f(uint8_t());
    case 2: return f(uint16_t());
    case 4: return f(uint32_t());
    case 8: return f(uint64_t());
    default: return f(Item16());
  }
}

// Rows of common lengths without a call of memcpy.
inline void copy_row(char* d, const char* s, int64_t bytes) {
  if (bytes > 512) {
    memcpy(d, s, static_cast<size_t>(bytes));
    return;
  }
  int64_t k = 0;
  for (; k + 16 <= bytes; k += 16) memcpy(d + k, s + k, 16);
  if (bytes & 8) memcpy(d + k, s + k, 8), k += 8;
  if (bytes & 4) memcpy(d + k, s + k, 4), k += 4;
  for (; k < bytes; ++k) d[k] = s[k];
}

// Splits the columns of rows into as many parts as there are threads, in whole cache lines: each
// part is done in order by one thread, so that what goes to one place is added in order.
template <class F>
void over_columns(int64_t outer, int64_t m, int64_t inner, int64_t itemsize, const F& f) {
  int64_t bytes = inner * itemsize, lines = (bytes + 63) / 64;
  int64_t parts = outer >= get_num_threads() || m * bytes < 65536 ? 1 : get_num_threads();
  if (parts > lines) parts = lines;
  int64_t width = (lines + parts - 1) / parts * 64 / itemsize;
  parts = (inner + width - 1) / width;
  parallel_for(outer * parts, kGrain / (m * width * itemsize + 1) + 1,
               [&](int64_t begin, int64_t end) {
                 for (int64_t t = begin; t < end; ++t) {
                   int64_t from = t % parts * width;
                   f(t / parts, from, inner - from < width ? inner - from : width);
                 }
               });
}

}  // namespace

int64_t check_indices(const int64_t* index, int64_t count, int64_t n, bool wrap) {
  int64_t lowest = wrap ? -n : 0;
  for (int64_t i = 0; i < count;) {
    int64_t end = count - i < 256 ? count : i + 256;
    int bad = 0;
    for (int64_t k = i; k < end; ++k) bad |= (index[k] < lowest) | (index[k] >= n);
    if (bad)
      for (; i < end; ++i)
        if (index[i] < lowest || index[i] >= n) return i;
    i = end;
  }
  return -1;
}

void wrap_indices(int64_t* out, const int64_t* index, int64_t count, int64_t n) {
  for (int64_t i = 0; i < count; ++i) out[i] = index[i] < 0 ? index[i] + n : index[i];
}

void index_select(int64_t itemsize, void* out, const void* x, const int64_t* index, int64_t outer,
                  int64_t n, int64_t m, int64_t inner) {
  int64_t row = inner * itemsize;
  parallel_for(outer * m, kGrain / (row + 8) + 1, [&](int64_t begin, int64_t end) {
    if (inner == 1) {
      by_size(itemsize, [&]<class T>(T) {
        for (int64_t t = begin; t < end;) {
          int64_t o = t / m, j = t % m, count = m - j < end - t ? m - j : end - t;
          const T* from = static_cast<const T*>(x) + o * n;
          T* to = static_cast<T*>(out) + t;
          for (int64_t i = 0; i < count; ++i) to[i] = from[index[j + i]];
          t += count;
        }
      });
      return;
    }
    for (int64_t t = begin; t < end;) {
      int64_t o = t / m, j = t % m, count = m - j < end - t ? m - j : end - t;
      kernels().gather.copy_rows(static_cast<char*>(out) + t * row,
                                 static_cast<const char*>(x) + o * n * row, index + j, count, row);
      t += count;
    }
  });
}

void index_copy(int64_t itemsize, void* out, const void* source, const int64_t* index,
                int64_t outer, int64_t n, int64_t m, int64_t inner) {
  int64_t row = inner * itemsize;
  over_columns(outer, m, inner, itemsize, [&](int64_t o, int64_t from, int64_t width) {
    for (int64_t j = 0; j < m; ++j)
      copy_row(static_cast<char*>(out) + (o * n + index[j]) * row + from * itemsize,
               static_cast<const char*>(source) + (o * m + j) * row + from * itemsize,
               width * itemsize);
  });
}

void index_add(DType t, void* out, const void* source, const int64_t* index, int64_t outer,
               int64_t n, int64_t m, int64_t inner, double alpha) {
  if (is_complex(t)) {
    t = t == DType::c64 ? DType::f32 : DType::f64;
    inner *= 2;
  }
  int64_t row = inner * static_cast<int64_t>(itemsize(t));
  auto* add = kernels().gather.index_add[static_cast<int>(t)];
  // Each part has a range of rows of `out`, and goes through the sources in order, so what goes to
  // one place is added in order.
  int64_t parts = outer >= get_num_threads() || m * row < 65536 || row < 64 ? 1 : get_num_threads();
  if (parts > n) parts = n;
  parallel_for(outer * parts, kGrain / (m * row + 1) + 1, [&](int64_t begin, int64_t end) {
    size_t bytes = parts == 1 ? 0 : static_cast<size_t>(m) * sizeof(int64_t);
    auto* order = bytes ? static_cast<int64_t*>(allocate(bytes)) : nullptr;
    for (int64_t t = begin; t < end; ++t) {
      int64_t o = t / parts, part = t % parts, count = m;
      if (order) {
        int64_t low = n * part / parts, high = n * (part + 1) / parts;
        count = 0;
        for (int64_t j = 0; j < m; ++j) {
          order[count] = j;
          count += (index[j] >= low) & (index[j] < high);
        }
      }
      add(static_cast<char*>(out) + o * n * row, static_cast<const char*>(source) + o * m * row,
          index, order, count, inner, alpha);
    }
    if (bytes) deallocate(order, bytes);
  });
}

void gather(int64_t itemsize, void* out, const void* x, const int64_t* index, int64_t outer,
            int64_t n, int64_t m, int64_t inner) {
  by_size(itemsize, [&]<class T>(T) {
    parallel_for(outer * m, kGrain / (inner * (itemsize + 8)) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const T* from = static_cast<const T*>(x) + t / m * n * inner;
        const int64_t* at = index + t * inner;
        T* to = static_cast<T*>(out) + t * inner;
        for (int64_t i = 0; i < inner; ++i) to[i] = from[at[i] * inner + i];
      }
    });
  });
}

namespace {

// put(where in out, value) for each element, those of one place in order.
template <class T, class Put>
void scatter_with(void* out, const void* source, const int64_t* index, int64_t outer, int64_t n,
                  int64_t m, int64_t inner, const Put& put) {
  over_columns(outer, m, inner, sizeof(T), [&](int64_t o, int64_t from, int64_t width) {
    T* to = static_cast<T*>(out) + o * n * inner + from;
    if (inner == 1) {
      const T* s = static_cast<const T*>(source) + o * m;
      for (int64_t j = 0; j < m; ++j) put(to[index[o * m + j]], s[j]);
      return;
    }
    for (int64_t j = 0; j < m; ++j) {
      int64_t row = (o * m + j) * inner + from;
      const T* s = static_cast<const T*>(source) + row;
      for (int64_t i = 0; i < width; ++i) put(to[index[row + i] * inner + i], s[i]);
    }
  });
}

template <class T>
struct Complex {
  T re, im;
};

}  // namespace

void scatter(int64_t itemsize, void* out, const void* source, const int64_t* index, int64_t outer,
             int64_t n, int64_t m, int64_t inner) {
  by_size(itemsize, [&]<class T>(T) {
    scatter_with<T>(out, source, index, outer, n, m, inner,
                    [](T& to, const T& from) { to = from; });
  });
}

void scatter_add(DType t, void* out, const void* source, const int64_t* index, int64_t outer,
                 int64_t n, int64_t m, int64_t inner) {
  auto go = [&]<class T>(T) {
    scatter_with<T>(out, source, index, outer, n, m, inner, [](T& to, const T& from) {
      if constexpr (requires { to.re; }) to.re += from.re, to.im += from.im;
      else to = static_cast<T>(to + from);
    });
  };
  switch (t) {
    case DType::b8: return go(bool());
    case DType::u8: return go(uint8_t());
    case DType::i8: return go(int8_t());
    case DType::i16: return go(int16_t());
    case DType::i32: return go(uint32_t());  // wraps
    case DType::i64: return go(uint64_t());
    case DType::f16: return go(Half());
    case DType::bf16: return go(BFloat16());
    case DType::f32: return go(float());
    case DType::f64: return go(double());
    case DType::c64: return go(Complex<float>());
    default: return go(Complex<double>());
  }
}

int64_t count_true(const uint8_t* mask, int64_t n) {
  int64_t count = 0;
  kernels().reduce.rows[static_cast<int>(Reduce::count_nonzero)][0](&count, mask, 1, n, n);
  return count;
}

// Without a branch: every element is written, but only those of the mask move on.
void masked_select(int64_t itemsize, void* out, const void* x, const uint8_t* mask, int64_t n,
                   int64_t count) {
  by_size(itemsize, [&]<class T>(T) {
    T *to = static_cast<T*>(out), *end = to + count;
    for (int64_t i = 0; i < n && to < end; ++i) {
      *to = static_cast<const T*>(x)[i];
      to += mask[i] != 0;
    }
  });
}

void masked_scatter(int64_t itemsize, void* x, const void* source, const uint8_t* mask, int64_t n) {
  by_size(itemsize, [&]<class T>(T) {
    auto* from = static_cast<const T*>(source);
    for (int64_t i = 0; i < n; ++i)
      if (mask[i]) static_cast<T*>(x)[i] = *from++;
  });
}

void nonzero(int64_t* out, const uint8_t* mask, int ndim, const int64_t* sizes) {
  int64_t n = 1;
  for (int d = 0; d < ndim; ++d) n *= sizes[d];
  if (n == 0) return;
  int64_t coordinate[64] = {};
  int64_t inner = ndim > 0 ? sizes[ndim - 1] : 1;
  constexpr int64_t kPiece = 512;
  int64_t places[kPiece];
  for (int64_t row = 0; row < n; row += inner) {
    for (int64_t from = 0; from < inner; from += kPiece) {
      int64_t end = inner - from < kPiece ? inner : from + kPiece;
      int64_t found = 0;
      for (int64_t i = from; i < end; ++i) {
        places[found] = i;
        found += mask[row + i] != 0;
      }
      for (int64_t i = 0; i < found && ndim > 0; ++i) {
        for (int d = 0; d < ndim - 1; ++d) *out++ = coordinate[d];
        *out++ = places[i];
      }
    }
    for (int d = ndim - 2; d >= 0 && ++coordinate[d] == sizes[d]; --d) coordinate[d] = 0;
  }
}

}  // namespace adj
