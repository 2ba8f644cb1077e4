// Weighted sums of runs, along one dim after the other.
#include "cpu/resample_kernels.h"

#include <cstring>

namespace adj {
inline namespace ADJ_ISA {

namespace {

// Along the last dim, the same number of taps for every output.
template <int K, class T>
void taps_of_row(T* __restrict y, const T* __restrict x, const RunDim& d) {
  auto* __restrict w = static_cast<const T*>(d.across);
  const int32_t* __restrict start = d.start;
  auto m = static_cast<int32_t>(d.m);
#pragma GCC ivdep
  for (int32_t j = 0; j < m; ++j) {
    int32_t i = start[j];
    T sum = w[j] * x[i];
    for (int k = 1; k < K; ++k) sum += w[k * m + j] * x[i + k];
    y[j] = sum;
  }
}

template <class T>
void runs_of_row(T* __restrict y, const T* __restrict x, const RunDim& d) {
  switch (d.across ? d.taps : 0) {
    case 1: return taps_of_row<1>(y, x, d);
    case 2: return taps_of_row<2>(y, x, d);
    case 3: return taps_of_row<3>(y, x, d);
    case 4: return taps_of_row<4>(y, x, d);
    default: break;
  }
  auto* w = static_cast<const T*>(d.weight);
  for (int64_t j = 0; j < d.m; ++j) {
    const T *from = x + d.start[j], *weight = w + d.offset[j];
    T sum = 0;
    for (int32_t k = 0; k < d.count[j]; ++k) sum += weight[k] * from[k];
    y[j] = sum;
  }
}

// Along another dim: whole rows of `inner` elements are added up.
template <class T>
void runs_of_rows(T* __restrict y, const T* __restrict x, const RunDim& d, int64_t inner) {
  auto* weights = static_cast<const T*>(d.weight);
  for (int64_t j = 0; j < d.m; ++j, y += inner) {
    const T *from = x + d.start[j] * inner, *w = weights + d.offset[j];
    int32_t count = d.count[j], k;
    if (count == 0) {
      memset(y, 0, sizeof(T) * static_cast<size_t>(inner));
      continue;
    }
    if (count == 1) {
      for (int64_t i = 0; i < inner; ++i) y[i] = w[0] * from[i];
      continue;
    }
    for (int64_t i = 0; i < inner; ++i) y[i] = w[0] * from[i] + w[1] * from[inner + i];
    for (k = 2; k + 1 < count; k += 2) {
      const T* more = from + k * inner;
      for (int64_t i = 0; i < inner; ++i) y[i] += w[k] * more[i] + w[k + 1] * more[inner + i];
    }
    if (k < count) {
      const T* more = from + k * inner;
      for (int64_t i = 0; i < inner; ++i) y[i] += w[k] * more[i];
    }
  }
}

template <class T>
void resample_planes(void* y, const void* x, void* scratch, int64_t half, int64_t planes,
                     const RunDim* dims, const int* order) {
  int64_t in = dims[0].n * dims[1].n * dims[2].n, out = dims[0].m * dims[1].m * dims[2].m;
  int stages[3], count = 0;
  for (int i = 0; i < 3; ++i)
    if (!dims[order[i]].identity) stages[count++] = order[i];
  auto* buffers = static_cast<T*>(scratch);
  for (int64_t plane = 0; plane < planes; ++plane) {
    const T* from = static_cast<const T*>(x) + plane * in;
    T* result = static_cast<T*>(y) + plane * out;
    if (count == 0) memcpy(result, from, sizeof(T) * static_cast<size_t>(out));
    int64_t sizes[3] = {dims[0].n, dims[1].n, dims[2].n};
    for (int s = 0; s < count; ++s) {
      T* to = s + 1 == count ? result : buffers + (s % 2) * half;
      int d = stages[s];
      int64_t outer = 1, inner = 1;
      for (int i = 0; i < 3; ++i) {
        if (i < d) outer *= sizes[i];
        if (i > d) inner *= sizes[i];
      }
      const RunDim& r = dims[d];
      for (int64_t o = 0; o < outer; ++o) {
        if (inner == 1) runs_of_row(to + o * r.m, from + o * r.n, r);
        else runs_of_rows(to + o * r.m * inner, from + o * r.n * inner, r, inner);
      }
      sizes[d] = r.m;
      from = to;
    }
  }
}

template <class T>
void weighted_sums(void* y, const void* x, const int32_t* at, const void* weight, int64_t taps,
                   int64_t m) {
  auto* __restrict o = static_cast<T*>(y);
  auto* __restrict p = static_cast<const T*>(x);
  auto* __restrict w = static_cast<const T*>(weight);
  for (int64_t j = 0; j < m; ++j) o[j] = 0;
  for (int64_t t = 0; t < taps; ++t, at += m, w += m) {
#pragma GCC ivdep
    for (int64_t j = 0; j < m; ++j) {
      T v = p[at[j]];
      o[j] += w[j] != T(0) ? w[j] * v : T(0);
    }
  }
}

template <class T>
void sloped_sums(void* sums, const void* x, const int32_t* at, const void* slope, const void* g,
                 int64_t dims, int64_t taps, int64_t m) {
  auto* __restrict p = static_cast<const T*>(x);
  auto* __restrict gs = static_cast<const T*>(g);
  auto* all = static_cast<T*>(sums);
  auto* slopes = static_cast<const T*>(slope);
  for (int64_t t = 0; t < taps; ++t)
    for (int64_t d = 0; d < dims; ++d) {
      T* __restrict o = all + d * m;
      const T* __restrict s = slopes + (d * taps + t) * m;
      const int32_t* __restrict a = at + t * m;
#pragma GCC ivdep
      for (int64_t j = 0; j < m; ++j) {
        T v = p[a[j]] * gs[j];
        o[j] += s[j] != T(0) ? s[j] * v : T(0);
      }
    }
}

}  // namespace

void fill(ResampleKernels& k) {
  k.planes[0] = resample_planes<float>;
  k.planes[1] = resample_planes<double>;
  k.weighted[0] = weighted_sums<float>;
  k.weighted[1] = weighted_sums<double>;
  k.sloped[0] = sloped_sums<float>;
  k.sloped[1] = sloped_sums<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
