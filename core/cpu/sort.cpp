#include "cpu/sort.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "cpu/allocator.h"
#include "cpu/thread_pool.h"
#include "scalar/half.h"

namespace adj {

namespace {

// An unsigned number whose order is that of x; one for both zeros, the largest for NaN.
uint32_t key_of(uint8_t x) { return x; }
uint32_t key_of(int8_t x) { return static_cast<uint32_t>(x) ^ 0x80000000u; }
uint32_t key_of(int16_t x) { return static_cast<uint32_t>(x) ^ 0x80000000u; }
uint32_t key_of(int32_t x) { return static_cast<uint32_t>(x) ^ 0x80000000u; }
uint64_t key_of(int64_t x) { return static_cast<uint64_t>(x) ^ (uint64_t(1) << 63); }
uint32_t key_of(float x) {
  if (x != x) return ~0u;
  auto u = std::bit_cast<uint32_t>(x == 0 ? 0.0f : x);
  return u & 0x80000000u ? ~u : u | 0x80000000u;
}
uint64_t key_of(double x) {
  if (x != x) return ~uint64_t(0);
  auto u = std::bit_cast<uint64_t>(x == 0 ? 0.0 : x);
  return u >> 63 ? ~u : u | uint64_t(1) << 63;
}
uint32_t key_of(Half x) { return key_of(static_cast<float>(x)); }
uint32_t key_of(BFloat16 x) { return key_of(static_cast<float>(x)); }

// What is sorted: a key and where it was, which makes any sort stable.
struct Entry32 {
  uint64_t both;  // the key above the position
  Entry32() = default;
  Entry32(uint32_t key, int64_t i) : both(uint64_t(key) << 32 | static_cast<uint32_t>(i)) {}
  int64_t position() const { return static_cast<int64_t>(both & 0xffffffffu); }
  uint32_t key() const { return static_cast<uint32_t>(both >> 32); }
  bool operator<(const Entry32& o) const { return both < o.both; }
};
struct Entry64 {
  uint64_t bits;
  int64_t place;
  Entry64() = default;
  Entry64(uint64_t key, int64_t i) : bits(key), place(i) {}
  int64_t position() const { return place; }
  uint64_t key() const { return bits; }
  bool operator<(const Entry64& o) const {
    return bits != o.bits ? bits < o.bits : place < o.place;
  }
};

// By bytes of the key, the lowest first; a byte that is the same everywhere is skipped.
template <class Entry>
struct Radix {
  using Key = decltype(Entry().key());
  static constexpr int kDigits = sizeof(Key);

  // Sorts `a`, with `b` for room; returns whichever holds the result.
  static Entry* sort(Entry* a, Entry* b, int64_t n) {
    uint32_t counts[kDigits][256];
    memset(counts, 0, sizeof counts);
    for (int64_t i = 0; i < n; ++i) {
      Key key = a[i].key();
      for (int d = 0; d < kDigits; ++d) ++counts[d][key >> (8 * d) & 255];
    }
    for (int d = 0; d < kDigits; ++d) {
      uint32_t* count = counts[d];
      if (count[a[0].key() >> (8 * d) & 255] == n) continue;
      uint32_t at = 0;
      for (int v = 0; v < 256; ++v) {
        uint32_t c = count[v];
        count[v] = at;
        at += c;
      }
      for (int64_t i = 0; i < n; ++i) b[count[a[i].key() >> (8 * d) & 255]++] = a[i];
      std::swap(a, b);
    }
    return a;
  }
};

constexpr int64_t kRadix = 512;  // from here on sorting by digits is faster

template <class T>
struct Sorter {
  using Key = decltype(key_of(T()));
  using Entry = std::conditional_t<sizeof(Key) == 4, Entry32, Entry64>;

  bool descending;
  int64_t k;  // how many to keep
  T* values;
  int64_t* positions;
  const T* x;
  int64_t n, inner;

  // The first k in order, by insertion: most elements fail the first comparison.
  template <class F>
  void keep_best(Entry* a, const F& entry) const {
    for (int64_t j = 0; j < n; ++j) {
      Entry e = entry(j);
      int64_t at = j < k ? j : k - 1;
      if (j >= k && !(e < a[at])) continue;
      for (; at > 0 && e < a[at - 1]; --at) a[at] = a[at - 1];
      a[at] = e;
    }
  }

  void row(int64_t r, Entry* a, Entry* b) const {
    int64_t o = r / inner, i = r % inner;
    const T* from = x + o * n * inner + i;
    auto entry = [&](int64_t j) {
      Key key = key_of(from[j * inner]);
      return Entry(descending ? static_cast<Key>(~key) : key, j);
    };
    if (k < n && k <= 32) {
      keep_best(a, entry);
    } else {
      for (int64_t j = 0; j < n; ++j) a[j] = entry(j);
      if (k < n) {
        std::nth_element(a, a + k, a + n);
        std::sort(a, a + k);
      } else if (n < kRadix || n > UINT32_MAX) {
        std::sort(a, a + n);
      } else {
        a = Radix<Entry>::sort(a, b, n);
      }
    }
    for (int64_t j = 0; j < k; ++j) {
      int64_t to = (o * k + j) * inner + i;
      if (values) values[to] = from[a[j].position() * inner];
      if (positions) positions[to] = a[j].position();
    }
  }
};

template <class T>
void run(bool descending, int64_t k, void* values, int64_t* positions, const void* x, int64_t outer,
         int64_t n, int64_t inner) {
  using Entry = typename Sorter<T>::Entry;
  Sorter<T> s{descending, k,    static_cast<T*>(values), positions, static_cast<const T*>(x),
              n,          inner};
  parallel_for(outer * inner, 2048 / n + 1, [&](int64_t from, int64_t to) {
    size_t bytes = 2 * static_cast<size_t>(n) * sizeof(Entry);
    auto* room = static_cast<Entry*>(allocate(bytes));
    for (int64_t r = from; r < to; ++r) s.row(r, room, room + n);
    deallocate(room, bytes);
  });
}

void select(DType t, bool descending, int64_t k, void* values, int64_t* positions, const void* x,
            int64_t outer, int64_t n, int64_t inner) {
  if (outer * inner * k == 0) return;
  auto go = [&]<class T>(T) { run<T>(descending, k, values, positions, x, outer, n, inner); };
  switch (t) {
    case DType::b8:
    case DType::u8: return go(uint8_t());
    case DType::i8: return go(int8_t());
    case DType::i16: return go(int16_t());
    case DType::i32: return go(int32_t());
    case DType::i64: return go(int64_t());
    case DType::f16: return go(Half());
    case DType::bf16: return go(BFloat16());
    case DType::f32: return go(float());
    default: return go(double());
  }
}

}  // namespace

void sort(DType t, bool descending, void* values, int64_t* positions, const void* x, int64_t outer,
          int64_t n, int64_t inner) {
  select(t, descending, n, values, positions, x, outer, n, inner);
}

void topk(DType t, bool largest, int64_t k, void* values, int64_t* positions, const void* x,
          int64_t outer, int64_t n, int64_t inner) {
  select(t, largest, k, values, positions, x, outer, n, inner);
}

}  // namespace adj
