#include "cpu/rnn.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu/allocator.h"
#include "cpu/blas.h"
#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/reduce.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

template <class T>
struct Scratch {
  explicit Scratch(int64_t n)
      : bytes(static_cast<size_t>(n) * sizeof(T)), data(static_cast<T*>(allocate(bytes))) {}
  ~Scratch() { deallocate(data, bytes); }
  Scratch(const Scratch&) = delete;
  size_t bytes;
  T* data;
};

template <class T>
void copy_rows(T* to, const T* from, int64_t count) {
  memcpy(to, from, static_cast<size_t>(count) * sizeof(T));
}

// A matrix [k, m] that many products have as their right side, cut into panels of columns so that
// each is read from contiguous memory.
template <class T>
class Packed {
 public:
  Packed(const T* w, int64_t k, int64_t m, int64_t k_step, int64_t m_step)
      : k_(k), m_(m), panels_((m + kWide - 1) / kWide), memory_(panels_ * k * kWide) {
    for (int64_t p = 0; p < panels_; ++p)
      for (int64_t i = 0; i < k; ++i)
        for (int64_t j = 0; j < std::min(kWide, m - p * kWide); ++j)
          memory_.data[(p * k + i) * kWide + j] = w[i * k_step + (p * kWide + j) * m_step];
  }
  // c = x this + beta c, where x is [rows, k]
  void multiply(int64_t rows, const T* x, int64_t x_row, T* c, int64_t c_row, double beta) const {
    for (int64_t p = 0; p < panels_; ++p)
      for (int64_t i = 0; i < k_; i += kDeep)
        kernels().gemm.small[sizeof(T) == 8](
            {rows, std::min(kWide, m_ - p * kWide), std::min(kDeep, k_ - i), 1, i ? 1.0 : beta,
             x + i, x_row, 1, memory_.data + (p * k_ + i) * kWide, kWide, 1, c + p * kWide, c_row});
  }

 private:
  static constexpr int64_t kWide = 32, kDeep = 256;
  int64_t k_, m_, panels_;
  Scratch<T> memory_;
};

// Elements of the batch do not meet: they are split over threads, each running through all steps.
int64_t grain_of(const RnnLayer& a) {
  int64_t work = a.rows * a.n * a.n * gates_of(a.kind);
  if (work < 100000) return a.batch;
  return a.batch <= 8 ? a.batch : a.batch <= 64 ? std::max<int64_t>(8, (a.batch + 1) / 2) : 32;
}

std::vector<int64_t> offsets_of(const RnnLayer& a) {
  std::vector<int64_t> offsets(static_cast<size_t>(a.steps) + 1);
  for (int64_t t = 0; t < a.steps; ++t)
    offsets[static_cast<size_t>(t) + 1] = offsets[static_cast<size_t>(t)] + a.batch_sizes[t];
  return offsets;
}

template <class T>
void forward(const RnnLayer& a, const T* x, T* h, T* hn, T* cn, T* gates, T* c) {
  constexpr bool d = sizeof(T) == 8;
  const RnnKernels& k = kernels().rnn;
  int64_t n = a.n, wide = gates_of(a.kind) * n, kept = kept_of(a.kind) * n;
  bool lstm = a.kind == RnnKind::lstm, gru = a.kind == RnnKind::gru;
  Packed<T> weight(static_cast<const T*>(a.weight), n, wide, 1, n);
  auto offsets = offsets_of(a);
  copy_rows(hn, static_cast<const T*>(a.h0), a.batch * n);
  if (lstm) copy_rows(cn, static_cast<const T*>(a.c0), a.batch * n);
  parallel_for(a.batch, grain_of(a), [&](int64_t from, int64_t to) {
    T *state = hn + from * n, *cell = lstm ? cn + from * n : nullptr;
    for (int64_t s = 0; s < a.steps; ++s) {
      int64_t t = a.reverse ? a.steps - 1 - s : s, count = std::min(to, a.batch_sizes[t]) - from;
      if (count <= 0) continue;
      int64_t row = offsets[static_cast<size_t>(t)] + from;
      const T* in = x + row * wide;
      T *out = h + row * n, *g = lstm || gru ? gates + row * kept : out;
      weight.multiply(count, state, n, g, lstm || gru ? kept : n, 0);
      if (lstm) {
        k.lstm[d](g, in, wide, cell, c + row * n, out, count, n);
        copy_rows(cell, c + row * n, count * n);
      } else if (gru) {
        k.gru[d](g, in, wide, a.bias, state, out, count, n);
      } else {
        k.plain[a.kind == RnnKind::relu][d](out, in, wide, count, n);
      }
      copy_rows(state, out, count * n);
    }
  });
}

// The state before each step: of `values`, the states after the steps, and `start`.
template <class T>
void states_before(const RnnLayer& a, const std::vector<int64_t>& offsets, T* out, const T* values,
                   const T* start) {
  for (int64_t t = 0; t < a.steps; ++t) {
    int64_t before = a.reverse ? t + 1 : t - 1, count = a.batch_sizes[t];
    int64_t known = before < 0 || before >= a.steps ? 0 : std::min(count, a.batch_sizes[before]);
    T* to = out + offsets[static_cast<size_t>(t)] * a.n;
    if (known) copy_rows(to, values + offsets[static_cast<size_t>(before)] * a.n, known * a.n);
    copy_rows(to + known * a.n, start + known * a.n, (count - known) * a.n);
  }
}

template <class T>
void backward(const RnnLayer& a, const T* dh, const T* dhn, const T* dcn, const T* h,
              const T* gates, const T* c, T* dx, T* dgates, T* dh0, T* dc0, T* dweight, T* dbias) {
  constexpr bool d = sizeof(T) == 8;
  const RnnKernels& k = kernels().rnn;
  int64_t n = a.n, wide = gates_of(a.kind) * n, kept = kept_of(a.kind) * n;
  bool lstm = a.kind == RnnKind::lstm, gru = a.kind == RnnKind::gru;
  if (!gru) dgates = dx;
  auto* w = static_cast<const T*>(a.weight);
  Packed<T> weight(w, wide, n, n, 1);
  auto offsets = offsets_of(a);
  Scratch<T> h_before(a.rows * n), c_before(lstm ? a.rows * n : 0);
  states_before(a, offsets, h_before.data, h, static_cast<const T*>(a.h0));
  if (lstm) states_before(a, offsets, c_before.data, c, static_cast<const T*>(a.c0));
  auto start = [&](T* to, const T* from) {
    if (from) copy_rows(to, from, a.batch * n);
    else memset(to, 0, static_cast<size_t>(a.batch * n) * sizeof(T));
  };
  start(dh0, dhn);
  if (lstm) start(dc0, dcn);
  parallel_for(a.batch, grain_of(a), [&](int64_t from, int64_t to) {
    T *state = dh0 + from * n, *cell = lstm ? dc0 + from * n : nullptr;
    for (int64_t s = a.steps - 1; s >= 0; --s) {
      int64_t t = a.reverse ? a.steps - 1 - s : s, count = std::min(to, a.batch_sizes[t]) - from;
      if (count <= 0) continue;
      int64_t row = offsets[static_cast<size_t>(t)] + from;
      if (dh) {
        const T* more = dh + row * n;
        for (int64_t j = 0; j < count * n; ++j) state[j] += more[j];
      }
      T* g = dgates + row * wide;
      if (lstm)
        k.lstm_backward[d](g, cell, state, gates + row * kept, c_before.data + row * n, c + row * n,
                           count, n);
      else if (gru)
        k.gru_backward[d](dx + row * wide, g, state, gates + row * kept, h_before.data + row * n,
                          count, n);
      else k.plain_backward[a.kind == RnnKind::relu][d](g, state, h + row * n, count, n);
      weight.multiply(count, g, wide, state, n, gru ? 1 : 0);
    }
  });
  if (dweight)
    gemm(a.dtype, true, false, wide, n, a.rows, 1, dgates, wide, h_before.data, n, 0, dweight, n);
  if (dbias) reduce(Reduce::sum, a.dtype, dbias, dgates, 1, a.rows, wide);
}

}  // namespace

void rnn_forward(const RnnLayer& a, const void* x, void* h, void* hn, void* cn, void* gates,
                 void* c) {
  auto run = [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forward(a, static_cast<const T*>(x), static_cast<T*>(h), static_cast<T*>(hn),
            static_cast<T*>(cn), static_cast<T*>(gates), static_cast<T*>(c));
  };
  if (a.dtype == DType::f64) run(static_cast<double*>(nullptr));
  else run(static_cast<float*>(nullptr));
}

void rnn_backward(const RnnLayer& a, const void* dh, const void* dhn, const void* dcn,
                  const void* h, const void* gates, const void* c, void* dx, void* dgates,
                  void* dh0, void* dc0, void* dweight, void* dbias) {
  auto run = [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    backward(a, static_cast<const T*>(dh), static_cast<const T*>(dhn), static_cast<const T*>(dcn),
             static_cast<const T*>(h), static_cast<const T*>(gates), static_cast<const T*>(c),
             static_cast<T*>(dx), static_cast<T*>(dgates), static_cast<T*>(dh0),
             static_cast<T*>(dc0), static_cast<T*>(dweight), static_cast<T*>(dbias));
  };
  if (a.dtype == DType::f64) run(static_cast<double*>(nullptr));
  else run(static_cast<float*>(nullptr));
}

}  // namespace adj
