#include "cpu/gather_kernels.h"

#include "cpu/isa/vec.h"
#include "scalar/half.h"

namespace adj {
inline namespace ADJ_ISA {

// A: what is computed in; integers without a sign, because they wrap.
template <class T, class A>
void index_add(void* out, const void* source, const int64_t* index, const int64_t* order, int64_t m,
               int64_t inner, double alpha) {
  A a;
  if constexpr (A(0.5) == A(0)) a = static_cast<A>(static_cast<int64_t>(alpha));
  else a = static_cast<A>(alpha);
  int64_t lines = (inner * static_cast<int64_t>(sizeof(T)) + 63) / 64;
  if (lines > 8) lines = 8;
  for (int64_t k = 0; k < m; ++k) {
    int64_t j = order ? order[k] : k;
    T* __restrict o = static_cast<T*>(out) + index[j] * inner;
    const T* s = static_cast<const T*>(source) + j * inner;
    if (k + 8 < m) {  // the rows are anywhere: ask for them early
      int64_t next = order ? order[k + 8] : k + 8;
      auto* to = reinterpret_cast<const char*>(static_cast<T*>(out) + index[next] * inner);
      auto* from = reinterpret_cast<const char*>(static_cast<const T*>(source) + next * inner);
      for (int64_t i = 0; i < lines; ++i) {
        __builtin_prefetch(to + 64 * i, 1);
        if (order) __builtin_prefetch(from + 64 * i);
      }
    }
    for (int64_t i = 0; i < inner; ++i) o[i] = T(A(o[i]) + a * A(s[i]));
  }
}

// Whole vectors, the last of which may overlap the one before; a call of memcpy costs more for
// short rows.
void copy_rows(void* out, const void* x, const int64_t* index, int64_t m, int64_t bytes) {
  auto* o = static_cast<char*>(out);
  auto* p = static_cast<const char*>(x);
  for (int64_t j = 0; j < m; ++j, o += bytes) {
    const char* s = p + index[j] * bytes;
    if (j + 8 < m) {  // the rows are anywhere: ask for one of them early
      const char* later = p + index[j + 8] * bytes;
      for (int64_t i = 0; i < bytes && i < 512; i += 64) __builtin_prefetch(later + i);
    }
    if (bytes < kVecBytes || bytes > 1024) {
      memcpy(o, s, static_cast<size_t>(bytes));
      continue;
    }
    int64_t i = 0;
#pragma GCC unroll 4
    for (; i + kVecBytes <= bytes; i += kVecBytes) store(o + i, load(s + i));
    if (i < bytes) store(o + bytes - kVecBytes, load(s + bytes - kVecBytes));
  }
}

void fill(GatherKernels& k) {
  k.copy_rows = copy_rows;
  k.index_add[0] = index_add<bool, int>;  // or
  k.index_add[1] = index_add<uint8_t, uint8_t>;
  k.index_add[2] = index_add<int8_t, int8_t>;
  k.index_add[3] = index_add<int16_t, int16_t>;
  k.index_add[4] = index_add<uint32_t, uint32_t>;
  k.index_add[5] = index_add<uint64_t, uint64_t>;
  k.index_add[6] = index_add<Half, float>;
  k.index_add[7] = index_add<BFloat16, float>;
  k.index_add[8] = index_add<float, float>;
  k.index_add[9] = index_add<double, double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
