// Batch norm. Long runs of a channel are reduced one by one; short ones, [n, c] among them, side by
// side, so that vectors are full. Partial sums meet in double precision.
#include "cpu/batch_norm_kernels.h"
#include "cpu/isa/two_sums.h"

namespace adj {
inline namespace ADJ_ISA {

namespace {

template <class T>
struct View3 {  // the data of a call, typed
  const T *g, *x, *weight, *bias;
  T *y, *mean, *variance, *dweight, *dbias;
};

// Sums over all runs of channel c.
template <class T, class Terms>
Pair over_runs(const Channels& a, int64_t c, const Terms& terms_of) {
  Pair sums;
  for (int64_t i = 0; i < a.n; ++i) {
    Pair p = two_sums<T>(a.s, terms_of((i * a.c + c) * a.s));
    sums.a += p.a;
    sums.b += p.b;
  }
  return sums;
}

template <class T>
void forward_runs(const Channels& a, const View3<T>& v, int64_t from, int64_t to) {
  double count = static_cast<double>(a.n * a.s);
  for (int64_t c = from; c < to; ++c) {
    if (a.training) {
      double sum = 0;
      for (int64_t i = 0; i < a.n; ++i) sum += double(sum_of(v.x + (i * a.c + c) * a.s, a.s));
      T mean = static_cast<T>(sum / count);
      Pair p = over_runs<T>(a, c, [&](int64_t at) { return Moments<T>{v.x + at, mean}; });
      v.mean[c] = static_cast<T>(mean + p.a / count);
      double squares = p.b / count - p.a / count * (p.a / count);
      v.variance[c] = static_cast<T>(squares > 0 || squares != squares ? squares : 0);
    }
    T mean = v.mean[c], bias = v.bias ? v.bias[c] : T(0);
    T scale = static_cast<T>(1 / __builtin_sqrt(double(v.variance[c]) + a.eps));
    if (v.weight) scale *= v.weight[c];
    for (int64_t i = 0; i < a.n; ++i) {
      const T* p = v.x + (i * a.c + c) * a.s;
      T* o = v.y + (i * a.c + c) * a.s;
#pragma GCC ivdep
      for (int64_t k = 0; k < a.s; ++k) o[k] = (p[k] - mean) * scale + bias;
    }
  }
}

template <class T>
void backward_runs(const Channels& a, const View3<T>& v, int64_t from, int64_t to) {
  double count = static_cast<double>(a.n * a.s);
  for (int64_t c = from; c < to; ++c) {
    T mean = v.mean[c];
    double rstd = 1 / __builtin_sqrt(double(v.variance[c]) + a.eps);
    Pair p = over_runs<T>(a, c, [&](int64_t at) { return Products<T>{v.g + at, v.x + at, mean}; });
    v.dbias[c] = static_cast<T>(p.a);
    v.dweight[c] = static_cast<T>(p.b * rstd);
    if (!v.y) continue;
    T scale = static_cast<T>(rstd * (v.weight ? double(v.weight[c]) : 1.0));
    T less = a.training ? static_cast<T>(p.a / count) : T(0);
    T along = a.training ? static_cast<T>(p.b * rstd * rstd / count) : T(0);
    for (int64_t i = 0; i < a.n; ++i) {
      int64_t at = (i * a.c + c) * a.s;
      const T *g = v.g + at, *x = v.x + at;
      T* o = v.y + at;
#pragma GCC ivdep
      for (int64_t k = 0; k < a.s; ++k) o[k] = (g[k] - less - (x[k] - mean) * along) * scale;
    }
  }
}

constexpr int64_t kWide = 512;  // the most columns of a block
constexpr int64_t kDeep = 64;  // rows that are summed in T

// Channels c, ..., c + m - 1 as `width` columns of a matrix of n rows.
struct Columns {
  int64_t c, m, width, offset, stride;
  Columns(const Channels& a, int64_t from, int64_t to)
      : c(from), m(kWide / a.s), offset(from * a.s), stride(a.c * a.s) {
    if (m > to - from) m = to - from;
    width = m * a.s;
  }
  // The sums of the columns of a channel are the sum of the channel.
  void fold(double* sums, int64_t s) const {
    for (int64_t i = 0; i < m; ++i) {
      double sum = 0;
      for (int64_t k = 0; k < s; ++k) sum += sums[i * s + k];
      sums[i] = sum;
    }
  }
  // One value per channel to one per column.
  template <class T>
  void repeat(T* out, const T* values, int64_t s) const {
    for (int64_t i = 0; i < m; ++i)
      for (int64_t k = 0; k < s; ++k) out[i * s + k] = values[i];
  }
};

// first[j] and second[j], over rows: terms(offset of the row, j) gives a pair.
template <class T, class Terms>
void column_sums(const Channels& a, const Columns& q, double* first, double* second,
                 const Terms& terms) {
  for (int64_t j = 0; j < q.width; ++j) first[j] = second[j] = 0;
  alignas(64) T f[kWide], s[kWide];
  for (int64_t from = 0; from < a.n; from += kDeep) {
    int64_t to = a.n - from < kDeep ? a.n : from + kDeep;
    for (int64_t j = 0; j < q.width; ++j) f[j] = s[j] = 0;
    for (int64_t i = from; i < to; ++i) {
      int64_t row = q.offset + i * q.stride;
      for (int64_t j = 0; j < q.width; ++j) terms(row, j, f[j], s[j]);
    }
    for (int64_t j = 0; j < q.width; ++j) first[j] += double(f[j]), second[j] += double(s[j]);
  }
  q.fold(first, a.s);
  q.fold(second, a.s);
}

template <class T>
void forward_columns(const Channels& a, const View3<T>& v, int64_t from, int64_t to) {
  double count = static_cast<double>(a.n * a.s), first[kWide], second[kWide];
  alignas(64) T mean[kWide], scale[kWide], bias[kWide], values[kWide];
  while (from < to) {
    Columns q(a, from, to);
    if (a.training) {
      column_sums<T>(a, q, first, second,
                     [&](int64_t row, int64_t j, T& f, T&) { f += v.x[row + j]; });
      for (int64_t i = 0; i < q.m; ++i) v.mean[q.c + i] = static_cast<T>(first[i] / count);
      q.repeat(mean, v.mean + q.c, a.s);
      column_sums<T>(a, q, first, second, [&](int64_t row, int64_t j, T& f, T& s) {
        T d = v.x[row + j] - mean[j];
        f += d;
        s += d * d;
      });
      for (int64_t i = 0; i < q.m; ++i) {
        double rest = first[i] / count, squares = second[i] / count - rest * rest;
        v.mean[q.c + i] = static_cast<T>(v.mean[q.c + i] + rest);
        v.variance[q.c + i] = static_cast<T>(squares > 0 || squares != squares ? squares : 0);
      }
    }
    q.repeat(mean, v.mean + q.c, a.s);
    for (int64_t i = 0; i < q.m; ++i) {
      double rstd = 1 / __builtin_sqrt(double(v.variance[q.c + i]) + a.eps);
      values[i] = static_cast<T>(rstd) * (v.weight ? v.weight[q.c + i] : T(1));
    }
    q.repeat(scale, values, a.s);
    for (int64_t i = 0; i < q.m; ++i) values[i] = v.bias ? v.bias[q.c + i] : T(0);
    q.repeat(bias, values, a.s);
    for (int64_t i = 0; i < a.n; ++i) {
      const T* p = v.x + q.offset + i * q.stride;
      T* o = v.y + q.offset + i * q.stride;
#pragma GCC ivdep
      for (int64_t j = 0; j < q.width; ++j) o[j] = (p[j] - mean[j]) * scale[j] + bias[j];
    }
    from += q.m;
  }
}

template <class T>
void backward_columns(const Channels& a, const View3<T>& v, int64_t from, int64_t to) {
  double count = static_cast<double>(a.n * a.s), first[kWide], second[kWide];
  alignas(64) T mean[kWide], scale[kWide], less[kWide], along[kWide], values[3][kWide];
  while (from < to) {
    Columns q(a, from, to);
    q.repeat(mean, v.mean + q.c, a.s);
    column_sums<T>(a, q, first, second, [&](int64_t row, int64_t j, T& f, T& s) {
      f += v.g[row + j];
      s += v.g[row + j] * (v.x[row + j] - mean[j]);
    });
    for (int64_t i = 0; i < q.m; ++i) {
      int64_t c = q.c + i;
      double rstd = 1 / __builtin_sqrt(double(v.variance[c]) + a.eps);
      v.dbias[c] = static_cast<T>(first[i]);
      v.dweight[c] = static_cast<T>(second[i] * rstd);
      values[0][i] = static_cast<T>(rstd * (v.weight ? double(v.weight[c]) : 1.0));
      values[1][i] = a.training ? static_cast<T>(first[i] / count) : T(0);
      values[2][i] = a.training ? static_cast<T>(second[i] * rstd * rstd / count) : T(0);
    }
    q.repeat(scale, values[0], a.s);
    q.repeat(less, values[1], a.s);
    q.repeat(along, values[2], a.s);
    for (int64_t i = 0; v.y && i < a.n; ++i) {
      int64_t at = q.offset + i * q.stride;
      const T *g = v.g + at, *x = v.x + at;
      T* o = v.y + at;
#pragma GCC ivdep
      for (int64_t j = 0; j < q.width; ++j)
        o[j] = (g[j] - less[j] - (x[j] - mean[j]) * along[j]) * scale[j];
    }
    from += q.m;
  }
}

template <class T>
View3<T> typed(const Channels& a, void* y, const void* g, const void* x, void* dw, void* db) {
  return {static_cast<const T*>(g),      static_cast<const T*>(x), static_cast<const T*>(a.weight),
          static_cast<const T*>(a.bias), static_cast<T*>(y),       static_cast<T*>(a.mean),
          static_cast<T*>(a.variance),   static_cast<T*>(dw),      static_cast<T*>(db)};
}

template <class T>
void batch_norm_forward(const Channels& a, void* y, const void* x, int64_t from, int64_t to) {
  auto v = typed<T>(a, y, nullptr, x, nullptr, nullptr);
  (a.s < 64 ? forward_columns<T> : forward_runs<T>)(a, v, from, to);
}
template <class T>
void batch_norm_backward(const Channels& a, void* dx, void* dweight, void* dbias, const void* g,
                         const void* x, int64_t from, int64_t to) {
  auto v = typed<T>(a, dx, g, x, dweight, dbias);
  (a.s < 64 ? backward_columns<T> : backward_runs<T>)(a, v, from, to);
}

}  // namespace

void fill_group_norm(BatchNormKernels& k);

void fill(BatchNormKernels& k) {
  fill_group_norm(k);
  k.forward[0] = batch_norm_forward<float>;
  k.forward[1] = batch_norm_forward<double>;
  k.backward[0] = batch_norm_backward<float>;
  k.backward[1] = batch_norm_backward<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
