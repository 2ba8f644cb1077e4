#include "cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "cpu/allocator.h"
#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

constexpr int64_t kRows = 48, kColumns = 128;  // of a block of scores: tiles of the kernels fit

// Numbers that dropout uses up for a row of a block.
uint64_t block_span(DType t) {
  RandomState state;
  double values[kColumns];
  random_bernoulli(t, values, kColumns, state, 0.5, 1);
  return state.position;
}

int64_t blocks_of(int64_t n, int64_t size) { return (n + size - 1) / size; }

template <class T>
T* at(const HeadMatrices& m, int64_t pair, int64_t row) {
  return static_cast<T*>(m.data) + m.offsets[pair] + row * m.row;
}

template <class T>
class Blocks {
 public:
  explicit Blocks(const Attention& a)
      : a(a),
        gemm_(kernels().gemm.small[kDouble]),
        span_(a.dropout > 0 ? block_span(a.dtype) : 0) {}

  // Keys that queries i, ..., i + m - 1 look at.
  int64_t columns_for(int64_t i, int64_t m) const {
    return a.causal ? std::min(a.columns, i + m) : a.columns;
  }
  ScoreBlock block(int64_t pair, int64_t i, int64_t m, int64_t j, int64_t n, T* dropout) const {
    ScoreBlock b{m,       n,          kColumns,      i,      j, a.causal, a.bool_mask,
                 nullptr, a.mask.row, a.mask_column, nullptr};
    if (a.mask.data) {
      int64_t offset = a.mask.offsets[pair] + i * a.mask.row + j * a.mask_column;
      b.mask = static_cast<const char*>(a.mask.data) +
               offset * (a.bool_mask ? 1 : static_cast<int64_t>(sizeof(T)));
    }
    if (a.dropout > 0) {
      for (int64_t r = 0; r < m; ++r) draw(dropout + r * kColumns, pair, i + r, j, n);
      b.dropout = dropout;
    }
    return b;
  }
  void draw(T* out, int64_t pair, int64_t row, int64_t j, int64_t n) const {
    RandomState state = a.random;
    uint64_t row_number = static_cast<uint64_t>(pair * a.rows + row);
    uint64_t blocks = static_cast<uint64_t>(blocks_of(a.columns, kColumns));
    state.position += (row_number * blocks + static_cast<uint64_t>(j / kColumns)) * span_;
    random_bernoulli(a.dtype, out, n, state, 1 - a.dropout, 1 / (1 - a.dropout));
  }
  // c = alpha a b + beta c, where b is [k, n] or, transposed, [n, k] with rows b_row apart.
  void product(int64_t m, int64_t n, int64_t k, double alpha, const T* x, int64_t x_row,
               int64_t x_column, const T* y, int64_t y_row, bool transposed, double beta, T* c,
               int64_t c_row) const {
    gemm_({m, n, k, alpha, beta, x, x_row, x_column, y, transposed ? 1 : y_row,
           transposed ? y_row : 1, c, c_row});
  }
  void scores(T* s, int64_t pair, int64_t i, int64_t m, int64_t j, int64_t n) const {
    product(m, n, a.width, a.scale, at<T>(a.q, pair, i), a.q.row, 1, at<T>(a.k, pair, j), a.k.row,
            true, 0, s, kColumns);
  }

  void forward(int64_t pair, int64_t i, const HeadMatrices& out, T* logsumexp, T* s,
               T* dropout) const {
    int64_t m = std::min(kRows, a.rows - i), end = columns_for(i, m);
    T top[kRows], total[kRows], factor[kRows];
    std::fill(top, top + m, -std::numeric_limits<T>::infinity());
    std::fill(total, total + m, T(0));
    T* o = at<T>(out, pair, i);
    const AttentionKernels& k = kernels().attention;
    for (int64_t j = 0; j < end; j += kColumns) {
      int64_t n = std::min(kColumns, end - j);
      scores(s, pair, i, m, j, n);
      k.softmax[kDouble](block(pair, i, m, j, n, dropout), s, top, total, factor);
      if (j > 0) k.scale_rows[kDouble](o, out.row, factor, m, a.value_width);
      product(m, a.value_width, n, 1, s, kColumns, 1, at<T>(a.v, pair, j), a.v.row, false, j > 0, o,
              out.row);
    }
    for (int64_t r = 0; r < m; ++r) {
      logsumexp[r] = top[r] + std::log(total[r]);
      factor[r] = total[r] == T(0) ? T(0) : T(1) / total[r];
      if (end <= 0) memset(o + r * out.row, 0, static_cast<size_t>(a.value_width) * sizeof(T));
    }
    k.scale_rows[kDouble](o, out.row, factor, m, a.value_width);
  }

  // Adds what queries [i, i + m) and keys [j, j + n) give to the gradients that are not null.
  void backward(int64_t pair, int64_t i, int64_t m, int64_t j, int64_t n, const HeadMatrices& g,
                const T* logsumexp, const T* delta, T* dq, int64_t dq_row, T* dk, int64_t dk_row,
                T* dv, int64_t dv_row, T* s) const {
    T *ds = s + kRows * kColumns, *dropout = ds + kRows * kColumns;
    const T *go = at<T>(g, pair, i), *q = at<T>(a.q, pair, i), *k = at<T>(a.k, pair, j);
    scores(s, pair, i, m, j, n);
    product(m, n, a.value_width, 1, go, g.row, 1, at<T>(a.v, pair, j), a.v.row, true, 0, ds,
            kColumns);
    kernels().attention.backward[kDouble](block(pair, i, m, j, n, dropout), s, ds, logsumexp, delta,
                                          a.scale);
    if (dv) product(n, a.value_width, m, 1, s, 1, kColumns, go, g.row, false, 1, dv, dv_row);
    if (dk) product(n, a.width, m, 1, ds, 1, kColumns, q, a.q.row, false, 1, dk, dk_row);
    if (dq) product(m, a.width, n, 1, ds, kColumns, 1, k, a.k.row, false, 1, dq, dq_row);
  }

  const Attention& a;

 private:
  static constexpr bool kDouble = sizeof(T) == 8;
  void (*gemm_)(const GemmArgs&);
  uint64_t span_;
};

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
void zero_rows(T* x, int64_t row, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) memset(x + r * row, 0, static_cast<size_t>(n) * sizeof(T));
}

template <class T>
void forward(const Attention& a, const HeadMatrices& out, T* logsumexp) {
  Blocks<T> blocks(a);
  int64_t per_pair = blocks_of(a.rows, kRows), work = kRows * a.columns * (a.width + 8);
  parallel_for(a.pairs * per_pair, 200000 / (work + 1) + 1, [&](int64_t from, int64_t to) {
    Scratch<T> s((a.dropout > 0 ? 2 : 1) * kRows * kColumns);
    for (int64_t t = from; t < to; ++t) {
      int64_t pair = t / per_pair, i = t % per_pair * kRows;
      blocks.forward(pair, i, out, logsumexp + pair * a.rows + i, s.data,
                     s.data + kRows * kColumns);
    }
  });
}

template <class T>
void backward(const Attention& a, const HeadMatrices& g, const HeadMatrices& out,
              const T* logsumexp, const HeadMatrices& dq, const HeadMatrices& dk,
              const HeadMatrices& dv) {
  Blocks<T> blocks(a);
  int64_t groups = a.pairs / a.group, work = a.group * a.rows * a.columns * (2 * a.width + 16);
  Scratch<T> delta(a.pairs * a.rows);
  parallel_for(a.pairs, 32768 / (a.rows * a.value_width + 1) + 1, [&](int64_t from, int64_t to) {
    for (int64_t p = from; p < to; ++p)
      kernels().attention.dot_rows[sizeof(T) == 8](delta.data + p * a.rows, at<T>(g, p, 0), g.row,
                                                   at<T>(out, p, 0), out.row, a.rows,
                                                   a.value_width);
  });
  // Everything that queries [i0, i1) of a pair and keys [j0, j1) have to do with each other.
  auto part = [&](int64_t pair, int64_t i0, int64_t i1, int64_t j0, int64_t j1, bool q, bool kv,
                  T* s) {
    for (int64_t j = j0; j < j1; j += kColumns)
      for (int64_t i = i0; i < i1; i += kRows) {
        int64_t m = std::min(kRows, i1 - i);
        int64_t n = std::min({kColumns, j1 - j, blocks.columns_for(i, m) - j});
        if (n <= 0) continue;
        int64_t row = pair * a.rows + i, group = pair / a.group;
        blocks.backward(pair, i, m, j, n, g, logsumexp + row, delta.data + row,
                        q ? at<T>(dq, pair, i) : nullptr, dq.row,
                        kv ? at<T>(dk, group, j) : nullptr, dk.row,
                        kv ? at<T>(dv, group, j) : nullptr, dv.row, s);
      }
  };
  int64_t size = 3 * kRows * kColumns;
  bool apart = groups < 4 && work > (1 << 22);  // too few heads to keep threads busy
  parallel_for(groups, apart ? groups : 200000 / (work + 1) + 1, [&](int64_t from, int64_t to) {
    Scratch<T> s(apart ? 0 : size);
    for (int64_t group = from; group < to; ++group) {
      zero_rows(at<T>(dk, group, 0), dk.row, a.columns, a.width);
      zero_rows(at<T>(dv, group, 0), dv.row, a.columns, a.value_width);
      for (int64_t p = group * a.group; p < (group + 1) * a.group; ++p) {
        zero_rows(at<T>(dq, p, 0), dq.row, a.rows, a.width);
        if (!apart) part(p, 0, a.rows, 0, a.columns, true, true, s.data);
      }
    }
  });
  if (!apart) return;
  int64_t down = blocks_of(a.rows, kRows), along = blocks_of(a.columns, kColumns);
  parallel_for(a.pairs * down, 1, [&](int64_t from, int64_t to) {
    Scratch<T> s(size);
    for (int64_t t = from; t < to; ++t) {
      int64_t i = t % down * kRows;
      part(t / down, i, std::min(a.rows, i + kRows), 0, a.columns, true, false, s.data);
    }
  });
  parallel_for(groups * along, 1, [&](int64_t from, int64_t to) {
    Scratch<T> s(size);
    for (int64_t t = from; t < to; ++t) {
      int64_t group = t / along, j = t % along * kColumns, end = std::min(a.columns, j + kColumns);
      for (int64_t p = group * a.group; p < (group + 1) * a.group; ++p)
        part(p, 0, a.rows, j, end, false, true, s.data);
    }
  });
}

template <class T>
void dropout_factors(T* out, const Attention& a) {
  Blocks<T> blocks(a);
  for (int64_t p = 0; p < a.pairs; ++p)
    for (int64_t i = 0; i < a.rows; ++i)
      for (int64_t j = 0; j < a.columns; j += kColumns)
        blocks.draw(out + (p * a.rows + i) * a.columns + j, p, i, j,
                    std::min(kColumns, a.columns - j));
}

}  // namespace

void attention(const Attention& a, const HeadMatrices& out, void* logsumexp) {
  if (a.pairs * a.rows == 0) return;
  if (a.dtype == DType::f64) forward(a, out, static_cast<double*>(logsumexp));
  else forward(a, out, static_cast<float*>(logsumexp));
}

void attention_backward(const Attention& a, const HeadMatrices& g, const HeadMatrices& out,
                        const void* logsumexp, const HeadMatrices& dq, const HeadMatrices& dk,
                        const HeadMatrices& dv) {
  if (a.pairs == 0) return;
  if (a.dtype == DType::f64) backward(a, g, out, static_cast<const double*>(logsumexp), dq, dk, dv);
  else backward(a, g, out, static_cast<const float*>(logsumexp), dq, dk, dv);
}

void attention_dropout(DType t, void* out, int64_t pairs, int64_t rows, int64_t columns, double p,
                       RandomState state) {
  Attention a{};
  a.dtype = t;
  a.pairs = pairs;
  a.rows = rows;
  a.columns = columns;
  a.dropout = p;
  a.random = state;
  if (t == DType::f64) dropout_factors(static_cast<double*>(out), a);
  else dropout_factors(static_cast<float*>(out), a);
}

uint64_t attention_dropout_span(DType t, int64_t pairs, int64_t rows, int64_t columns) {
  return block_span(t) * static_cast<uint64_t>(pairs * rows * blocks_of(columns, kColumns));
}

}  // namespace adj
