#include "cpu/rnn_kernels.h"
#include "scalar/math.h"

namespace adj {
inline namespace ADJ_ISA {

template <class T>
inline T squash(T x) {
  return T(1) / (T(1) + exp(-x));
}

template <class T>
void lstm(void* gates, const void* x, int64_t x_row, const void* c_before, void* c, void* h,
          int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) {
    auto* s = static_cast<T*>(gates) + r * 4 * n;
    auto *p = static_cast<const T*>(x) + r * x_row, *b = static_cast<const T*>(c_before) + r * n;
    T *cs = static_cast<T*>(c) + r * n, *hs = static_cast<T*>(h) + r * n;
#pragma GCC ivdep
    for (int64_t j = 0; j < 2 * n; ++j) s[j] = squash(s[j] + p[j]);
#pragma GCC ivdep
    for (int64_t j = 2 * n; j < 3 * n; ++j) s[j] = tanh(s[j] + p[j]);
#pragma GCC ivdep
    for (int64_t j = 3 * n; j < 4 * n; ++j) s[j] = squash(s[j] + p[j]);
#pragma GCC ivdep
    for (int64_t j = 0; j < n; ++j) {
      T v = s[n + j] * b[j] + s[j] * s[2 * n + j];
      cs[j] = v;
      hs[j] = s[3 * n + j] * tanh(v);
    }
  }
}

template <class T>
void lstm_backward(void* dgates, void* dc, const void* dh, const void* gates, const void* c_before,
                   const void* c, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) {
    auto* s = static_cast<const T*>(gates) + r * 4 * n;
    T *d = static_cast<T*>(dgates) + r * 4 * n, *dcs = static_cast<T*>(dc) + r * n;
    auto *dhs = static_cast<const T*>(dh) + r * n, *cs = static_cast<const T*>(c) + r * n,
         *b = static_cast<const T*>(c_before) + r * n;
#pragma GCC ivdep
    for (int64_t j = 0; j < n; ++j) {
      T i = s[j], f = s[n + j], g = s[2 * n + j], o = s[3 * n + j], t = tanh(cs[j]);
      T v = dcs[j] + dhs[j] * o * (T(1) - t * t);
      d[j] = v * g * i * (T(1) - i);
      d[n + j] = v * b[j] * f * (T(1) - f);
      d[2 * n + j] = v * i * (T(1) - g * g);
      d[3 * n + j] = dhs[j] * t * o * (T(1) - o);
      dcs[j] = v * f;
    }
  }
}

template <class T>
void gru(void* gates, const void* x, int64_t x_row, const void* bias, const void* h_before, void* h,
         int64_t rows, int64_t n) {
  auto* w = static_cast<const T*>(bias);
  for (int64_t r = 0; r < rows; ++r) {
    auto* s = static_cast<T*>(gates) + r * 4 * n;
    auto *p = static_cast<const T*>(x) + r * x_row, *b = static_cast<const T*>(h_before) + r * n;
    T* hs = static_cast<T*>(h) + r * n;
#pragma GCC ivdep
    for (int64_t j = 0; j < 2 * n; ++j) s[j] = squash(s[j] + p[j] + (w ? w[j] : T(0)));
#pragma GCC ivdep
    for (int64_t j = 0; j < n; ++j) {
      T v = s[2 * n + j] + (w ? w[2 * n + j] : T(0));
      T candidate = tanh(p[2 * n + j] + s[j] * v);
      s[2 * n + j] = candidate;
      s[3 * n + j] = v;
      hs[j] = candidate + s[n + j] * (b[j] - candidate);
    }
  }
}

template <class T>
void gru_backward(void* dx, void* dgates, void* dh, const void* gates, const void* h_before,
                  int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row) {
    auto* s = static_cast<const T*>(gates) + row * 4 * n;
    T *d = static_cast<T*>(dgates) + row * 3 * n, *dxs = static_cast<T*>(dx) + row * 3 * n;
    T* dhs = static_cast<T*>(dh) + row * n;
    auto* b = static_cast<const T*>(h_before) + row * n;
#pragma GCC ivdep
    for (int64_t j = 0; j < n; ++j) {
      T r = s[j], z = s[n + j], c = s[2 * n + j], v = s[3 * n + j];
      T dn = dhs[j] * (T(1) - z) * (T(1) - c * c), dr = dn * v * r * (T(1) - r);
      T dz = dhs[j] * (b[j] - c) * z * (T(1) - z);
      d[j] = dr;
      dxs[j] = dr;
      d[n + j] = dz;
      dxs[n + j] = dz;
      dxs[2 * n + j] = dn;
      d[2 * n + j] = dn * r;
      dhs[j] *= z;
    }
  }
}

template <bool kRelu, class T>
void plain(void* h, const void* x, int64_t x_row, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) {
    T* o = static_cast<T*>(h) + r * n;
    auto* p = static_cast<const T*>(x) + r * x_row;
#pragma GCC ivdep
    for (int64_t j = 0; j < n; ++j) {
      T v = o[j] + p[j];
      if constexpr (kRelu) o[j] = v <= T(0) ? T(0) : v;
      else o[j] = tanh(v);
    }
  }
}

template <bool kRelu, class T>
void plain_backward(void* dx, const void* dh, const void* h, int64_t rows, int64_t n) {
  auto *d = static_cast<const T*>(dh), *y = static_cast<const T*>(h);
  auto* o = static_cast<T*>(dx);
#pragma GCC ivdep
  for (int64_t j = 0; j < rows * n; ++j)
    o[j] = kRelu ? (y[j] > T(0) ? d[j] : T(0)) : d[j] * (T(1) - y[j] * y[j]);
}

template <class T>
void fill_for(RnnKernels& k) {
  constexpr bool d = sizeof(T) == 8;
  k.lstm[d] = lstm<T>;
  k.lstm_backward[d] = lstm_backward<T>;
  k.gru[d] = gru<T>;
  k.gru_backward[d] = gru_backward<T>;
  k.plain[0][d] = plain<false, T>;
  k.plain[1][d] = plain<true, T>;
  k.plain_backward[0][d] = plain_backward<false, T>;
  k.plain_backward[1][d] = plain_backward<true, T>;
}

void fill(RnnKernels& k) {
  fill_for<float>(k);
  fill_for<double>(k);
}

}  // namespace ADJ_ISA
}  // namespace adj
