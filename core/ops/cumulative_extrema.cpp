// The largest and smallest element so far, and the most frequent one.
#include "cpu/thread_pool.h"
#include "ops/picks.h"

namespace adj {

namespace {

template <class T>
bool is_nan(T x) {
  return x != x;
}

// NaN stays once it is met; of equal elements the last one counts.
template <bool largest, class T>
void scan_extrema(const Along& a, T* values, int64_t* indices) {
  const T* x = a.x.data<T>();
  parallel_for(a.outer, 16384 / (a.n * a.inner + 1) + 1, [&](int64_t from, int64_t to) {
    for (int64_t o = from; o < to; ++o)
      for (int64_t k = 0; k < a.n; ++k) {
        int64_t row = (o * a.n + k) * a.inner;
        for (int64_t i = row; i < row + a.inner; ++i) {
          int64_t before = i - a.inner;
          bool next = k == 0 || is_nan(x[i]) ||
                      (!is_nan(values[before]) &&
                       (largest ? x[i] >= values[before] : x[i] <= values[before]));
          values[i] = next ? x[i] : values[before];
          indices[i] = next ? k : indices[before];
        }
      }
  });
}

template <bool largest>
struct CumulativeExtremum : Picks<1> {
  static Outs forward(Tensor x, int64_t dim) {
    DType t = x.dtype();
    if (t == DType::f16 || t == DType::bf16) {
      Outs outs = forward(cast(x, DType::f32), dim);
      return {cast(outs[0], t), outs[1]};
    }
    Along a(largest ? "cummax" : "cummin", x, dim);
    Outs outs{empty(x.sizes(), t), empty(x.sizes(), DType::i64)};
    with_real_type(t, [&]<class T>(T) {
      scan_extrema<largest, T>(a, outs[0].data<T>(), outs[1].data<int64_t>());
    });
    return outs;
  }
};
struct Cummax : CumulativeExtremum<true> {};
ADJ_OP(Cummax, "cummax(input: Tensor, dim: int) -> (Tensor values, Tensor indices)", R"(
The largest of the elements up to each one along `dim`, and where it is (of equal ones the last).

>>> adjoint.cummax(adjoint.tensor([1., 3., 2.]), 0).values
tensor([1., 3., 3.])
)");
struct Cummin : CumulativeExtremum<false> {};
ADJ_OP(Cummin, "cummin(input: Tensor, dim: int) -> (Tensor values, Tensor indices)", R"(
The smallest of the elements up to each one along `dim`, and where it is (of equal ones the last).

>>> adjoint.cummin(adjoint.tensor([2., 3., 1.]), 0).indices
tensor([0, 0, 2])
)");

struct Mode : PicksOne<1> {
  static Outs forward(Tensor x, int64_t dim, bool keepdim) {
    if (DType t = x.dtype(); t == DType::f16 || t == DType::bf16) {
      Outs outs = forward(cast(x, DType::f32), dim, keepdim);
      return {cast(outs[0], t), outs[1]};
    }
    Along a("mode", x, dim);
    if (a.n == 0) index_error("mode(): Expected reduction dim ", a.dim, " to have non-zero size.");
    return pick_rank(a, keepdim, [](const Line& line) {
      int64_t best = 0, most = 0;
      with_real_type(line.sorted.dtype(), [&]<class T>(T) {
        const T* v = line.sorted.data<T>() + line.first;
        for (int64_t k = 0, run = 0; k < line.n; ++k) {
          run = k && v[k * line.step] == v[(k - 1) * line.step] ? run + 1 : 1;
          if (run >= most + (v[best * line.step] != v[k * line.step])) most = run, best = k;
        }
      });
      return best;
    });
  }
};
ADJ_OP(Mode,
       "mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> (Tensor values, Tensor "
       "indices)",
       R"(
The most frequent element along `dim`, of several the smallest, and where it is last.

>>> values, indices = adjoint.mode(adjoint.tensor([3, 1, 1, 2]))
>>> values, indices
(tensor(1), tensor(2))
)");

}  // namespace
}  // namespace adj
