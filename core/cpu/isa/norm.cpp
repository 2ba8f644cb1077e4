// Softmax and layer norm: rows that stay in the cache are read once for each pass.
#include "cpu/isa/vec.h"
#include "cpu/norm_kernels.h"
#include "scalar/math.h"

namespace adj {
inline namespace ADJ_ISA {

// out = exp(x - shift), of which the sum is returned. In pieces, so that the sum finds it in the
// cache.
template <class T>
T exp_and_sum(T* out, const T* x, int64_t n, T shift, bool keep) {
  constexpr int64_t kPiece = 1024;
  alignas(64) T buffer[kPiece];
  T sum = 0;
  for (int64_t i = 0; i < n; i += kPiece) {
    int64_t m = n - i < kPiece ? n - i : kPiece;
    T* e = keep ? out + i : buffer;
    const T* p = x + i;
#pragma GCC ivdep
    for (int64_t k = 0; k < m; ++k) e[k] = exp(p[k] - shift);
    sum += sum_of(e, m);
  }
  return sum;
}

// Short rows side by side, so that exp runs over full vectors.
template <bool log_of, class T>
void softmax_short_rows(T* y, const T* x, int64_t rows, int64_t n) {
  constexpr int64_t kElements = 1024;
  alignas(64) T e[kElements], sums[kElements];
  int64_t group = kElements / n;
  for (int64_t from = 0; from < rows; from += group) {
    int64_t count = rows - from < group ? rows - from : group;
    const T* p = x + from * n;
    T* o = y + from * n;
    for (int64_t r = 0; r < count; ++r) {
      T top = p[r * n];
      for (int64_t i = 1; i < n; ++i) top = MaxOp::combine(top, p[r * n + i]);
      for (int64_t i = 0; i < n; ++i) o[r * n + i] = p[r * n + i] - top;
    }
    for (int64_t i = 0; i < count * n; ++i) e[i] = exp(o[i]);
    for (int64_t r = 0; r < count; ++r) {
      T sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += e[r * n + i];
      sums[r] = sum;
    }
    for (int64_t r = 0; r < count; ++r) sums[r] = log_of ? log(sums[r]) : T(1) / sums[r];
    for (int64_t r = 0; r < count; ++r)
      for (int64_t i = r * n; i < (r + 1) * n; ++i) o[i] = log_of ? o[i] - sums[r] : e[i] * sums[r];
  }
}

template <bool log_of, class T>
void softmax_rows(void* y, const void* x, int64_t rows, int64_t n) {
  if (n <= 32)
    return softmax_short_rows<log_of>(static_cast<T*>(y), static_cast<const T*>(x), rows, n);
  for (int64_t r = 0; r < rows; ++r) {
    const T* p = static_cast<const T*>(x) + r * n;
    T* o = static_cast<T*>(y) + r * n;
    T top = max_of(p, n);
    T sum = exp_and_sum(o, p, n, top, !log_of);
    if constexpr (log_of) {
      T shift = log(sum);
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = p[i] - top - shift;
    } else {
      T scale = T(1) / sum;
      for (int64_t i = 0; i < n; ++i) o[i] *= scale;
    }
  }
}

constexpr int64_t kColumns = 256;  // the most columns of a block

template <bool log_of, class T>
void softmax_columns(void* y, const void* x, int64_t n, int64_t m, int64_t stride) {
  auto* p = static_cast<const T*>(x);
  auto* o = static_cast<T*>(y);
  alignas(64) T top[kColumns], sum[kColumns];
  for (int64_t j = 0; j < m; ++j) top[j] = p[j], sum[j] = 0;
  for (int64_t k = 1; k < n; ++k)
    for (int64_t j = 0; j < m; ++j) {
      T v = p[k * stride + j];
      top[j] = (v > top[j]) | (v != v) ? v : top[j];
    }
  for (int64_t k = 0; k < n; ++k) {
    const T* in = p + k * stride;
    T* out = o + k * stride;
    if constexpr (log_of) {
      for (int64_t j = 0; j < m; ++j) sum[j] += exp(in[j] - top[j]);
    } else {
#pragma GCC ivdep
      for (int64_t j = 0; j < m; ++j) {
        T e = exp(in[j] - top[j]);
        out[j] = e;
        sum[j] += e;
      }
    }
  }
  for (int64_t j = 0; j < m; ++j) sum[j] = log_of ? log(sum[j]) : T(1) / sum[j];
  for (int64_t k = 0; k < n; ++k) {
    const T* in = p + k * stride;
    T* out = o + k * stride;
#pragma GCC ivdep
    for (int64_t j = 0; j < m; ++j) out[j] = log_of ? in[j] - top[j] - sum[j] : out[j] * sum[j];
  }
}

template <bool log_of, class T>
void softmax_backward_rows(void* dx, const void* g, const void* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) {
    const T *gs = static_cast<const T*>(g) + r * n, *ys = static_cast<const T*>(y) + r * n;
    T* o = static_cast<T*>(dx) + r * n;
    if constexpr (log_of) {
      T sum = sum_of(gs, n);
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = gs[i] - exp(ys[i]) * sum;
    } else {
      T sum = reduce_pairwise<SumOp, T>(
          n, [&](int64_t i) { return load(gs + i) * load(ys + i); },
          [&](int64_t i) { return gs[i] * ys[i]; });
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = (gs[i] - sum) * ys[i];
    }
  }
}

template <bool log_of, class T>
void softmax_backward_columns(void* dx, const void* g, const void* y, int64_t n, int64_t m,
                              int64_t stride) {
  alignas(64) T sum[kColumns];
  for (int64_t j = 0; j < m; ++j) sum[j] = 0;
  for (int64_t k = 0; k < n; ++k) {
    const T *gs = static_cast<const T*>(g) + k * stride,
            *ys = static_cast<const T*>(y) + k * stride;
    for (int64_t j = 0; j < m; ++j) sum[j] += log_of ? gs[j] : gs[j] * ys[j];
  }
  for (int64_t k = 0; k < n; ++k) {
    const T *gs = static_cast<const T*>(g) + k * stride,
            *ys = static_cast<const T*>(y) + k * stride;
    T* o = static_cast<T*>(dx) + k * stride;
#pragma GCC ivdep
    for (int64_t j = 0; j < m; ++j)
      o[j] = log_of ? gs[j] - exp(ys[j]) * sum[j] : (gs[j] - sum[j]) * ys[j];
  }
}

template <class T>
void layer_norm(void* y, void* mean, void* rstd, const void* x, const void* weight,
                const void* bias, int64_t rows, int64_t n, double eps) {
  auto *w = static_cast<const T*>(weight), *b = static_cast<const T*>(bias);
  for (int64_t r = 0; r < rows; ++r) {
    const T* p = static_cast<const T*>(x) + r * n;
    T* o = static_cast<T*>(y) + r * n;
    T centre = mean ? sum_of(p, n) / T(n) : T(0);
    Vec<T> centres = splat(centre);
    T squares = reduce_pairwise<SumOp, T>(
        n,
        [&](int64_t i) {
          Vec<T> d = load(p + i) - centres;
          return d * d;
        },
        [&](int64_t i) { return (p[i] - centre) * (p[i] - centre); });
    T scale = T(1) / sqrt(squares / T(n) + T(eps));
    if (mean) static_cast<T*>(mean)[r] = centre;
    if (rstd) static_cast<T*>(rstd)[r] = scale;
    if (w && b) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = (p[i] - centre) * scale * w[i] + b[i];
    } else if (w) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = (p[i] - centre) * scale * w[i];
    } else {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = (p[i] - centre) * scale + (b ? b[i] : T(0));
    }
  }
}

template <class T>
struct TwoSums {
  T a, b;
};

// With xh = (x - mean) rstd and h = g weight: the sums of h and of h xh, while dw += g xh, db += g.
template <bool weighted, bool parameters, class T>
TwoSums<T> layer_norm_sums(const T* g, const T* x, const T* w, T* dw, T* db, T centre, T scale,
                           int64_t n) {
  constexpr int W = kWidth<T>, K = kLanes<T> / W;
  Vec<T> centres = splat(centre), scales = splat(scale);
  Vec<T> a[K], b[K];
  for (int k = 0; k < K; ++k) a[k] = b[k] = splat(T(0));
  int64_t i = 0;
  for (; i + K * W <= n; i += K * W)
    for (int k = 0; k < K; ++k) {
      int64_t j = i + k * W;
      Vec<T> gs = load(g + j), xh = (load(x + j) - centres) * scales, gx = gs * xh;
      if constexpr (parameters) {
        store(dw + j, load(dw + j) + gx);
        store(db + j, load(db + j) + gs);
      }
      if constexpr (weighted) {
        a[k] += gs * load(w + j);
        b[k] += gx * load(w + j);
      } else {
        a[k] += gs;
        b[k] += gx;
      }
    }
  for (int width = K / 2; width > 0; width /= 2)
    for (int k = 0; k < width; ++k) a[k] += a[k + width], b[k] += b[k + width];
  TwoSums<T> sums{0, 0};
  for (int j = 0; j < W; ++j) sums.a += a[0][j], sums.b += b[0][j];
  for (; i < n; ++i) {
    T xh = (x[i] - centre) * scale, h = weighted ? g[i] * w[i] : g[i];
    if constexpr (parameters) {
      dw[i] += g[i] * xh;
      db[i] += g[i];
    }
    sums.a += h;
    sums.b += h * xh;
  }
  return sums;
}

// dx = rstd (h - mean(h) - xh mean(h xh))
template <bool weighted, class T>
void layer_norm_rows(T* dx, T* dw, T* db, const T* g, const T* x, const T* mean, const T* rstd,
                     const T* w, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, g += n, x += n) {
    T centre = mean ? mean[r] : T(0), scale = rstd[r];
    TwoSums<T> s = dw ? layer_norm_sums<weighted, true>(g, x, w, dw, db, centre, scale, n)
                      : layer_norm_sums<weighted, false>(g, x, w, dw, db, centre, scale, n);
    if (!dx) continue;
    T a = mean ? s.a / T(n) : T(0), b = s.b / T(n) * scale;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i)
      dx[i] = scale * ((weighted ? g[i] * w[i] : g[i]) - a - (x[i] - centre) * b);
    dx += n;
  }
}

template <class T>
void layer_norm_backward(void* dx, void* dweight, void* dbias, const void* g, const void* x,
                         const void* mean, const void* rstd, const void* weight, int64_t rows,
                         int64_t n) {
  auto* w = static_cast<const T*>(weight);
  auto* f = w ? layer_norm_rows<true, T> : layer_norm_rows<false, T>;
  f(static_cast<T*>(dx), static_cast<T*>(dweight), static_cast<T*>(dbias), static_cast<const T*>(g),
    static_cast<const T*>(x), static_cast<const T*>(mean), static_cast<const T*>(rstd), w, rows, n);
}

template <class T>
void set_norm(NormKernels& k, int is_double) {
  k.softmax_rows[0][is_double] = softmax_rows<false, T>;
  k.softmax_rows[1][is_double] = softmax_rows<true, T>;
  k.softmax_columns[0][is_double] = softmax_columns<false, T>;
  k.softmax_columns[1][is_double] = softmax_columns<true, T>;
  k.softmax_backward_rows[0][is_double] = softmax_backward_rows<false, T>;
  k.softmax_backward_rows[1][is_double] = softmax_backward_rows<true, T>;
  k.softmax_backward_columns[0][is_double] = softmax_backward_columns<false, T>;
  k.softmax_backward_columns[1][is_double] = softmax_backward_columns<true, T>;
  k.layer_norm[is_double] = layer_norm<T>;
  k.layer_norm_backward[is_double] = layer_norm_backward<T>;
}

void fill_scan(NormKernels& k);

void fill(NormKernels& k) {
  set_norm<float>(k, 0);
  set_norm<double>(k, 1);
  fill_scan(k);
}

}  // namespace ADJ_ISA
}  // namespace adj
