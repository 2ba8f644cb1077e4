// Sorting, and what is chosen by rank. NaN counts as the largest value.
#include <cmath>

#include "cpu/sort.h"
#include "ops/picks.h"

namespace adj {

namespace {

struct Sort : Picks<1> {
  static Outs forward(Tensor x, int64_t dim, bool descending, bool) {
    Along a("sort", x, dim);
    Outs outs{empty(x.sizes(), x.dtype()), empty(x.sizes(), DType::i64)};
    adj::sort(x.dtype(), descending, outs[0].data(), outs[1].data<int64_t>(), a.x.data(), a.outer,
              a.n, a.inner);
    return outs;
  }
};
ADJ_OP(Sort,
       "sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False)"
       " -> (Tensor values, Tensor indices)",
       R"(
The elements in order along `dim`, and where each was. Equal elements keep their order (`stable` is
accepted: it always is); NaN counts as larger than any number.

>>> values, indices = adjoint.sort(adjoint.tensor([3., 1., 2.]))
>>> indices
tensor([1, 2, 0])
)");

struct Argsort : Constant {
  static Tensor forward(Tensor x, int64_t dim, bool descending, bool) {
    Along a("argsort", x, dim);
    Tensor out = empty(x.sizes(), DType::i64);
    adj::sort(x.dtype(), descending, nullptr, out.data<int64_t>(), a.x.data(), a.outer, a.n,
              a.inner);
    return out;
  }
  static Outs batch(Batch& b) {
    if (b.logical_dim(0) == 0) return as_outs(ops::zeros(Dims{b.size}, DType::i64));
    b.values[1] = from_right(b.arg<int64_t>(1), b.logical_dim(0));
    return b.run();
  }
};
ADJ_OP(Argsort,
       "argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) "
       "-> Tensor",
       R"(
The indices that sort `input` along `dim` (see `sort`).

>>> adjoint.argsort(adjoint.tensor([3., 1., 2.]))
tensor([1, 2, 0])
)");

struct Msort : Composite {
  static Tensor define(Tensor x) { return ops::sort(x, 0); }
};
ADJ_OP(Msort, "msort(input: Tensor) -> Tensor", R"(
The elements in order along dim 0.

>>> adjoint.msort(adjoint.tensor([[3, 1], [2, 4]]))
tensor([[2, 1],
        [3, 4]])
)");

struct Topk : Picks<2> {
  static Outs forward(Tensor x, int64_t k, int64_t dim, bool largest, bool) {
    Along a("topk", x, dim);
    if (k < 0 || k > a.n)
      runtime_error("selected index k out of range: k = ", k, " of ", a.n, " elements");
    Dims sizes = a.sizes(k);
    Outs outs{empty(sizes, x.dtype()), empty(sizes, DType::i64)};
    adj::topk(x.dtype(), largest, x.dim() ? k : 1, outs[0].data(), outs[1].data<int64_t>(),
              a.x.data(), a.outer, a.n, a.inner);
    return outs;
  }
};
ADJ_OP(Topk,
       "topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True)"
       " -> (Tensor values, Tensor indices)",
       R"(
The `k` largest (or smallest) elements along `dim` in order, and where they are. A RuntimeError if
there are fewer. (They are sorted whatever `sorted` says.)

>>> adjoint.topk(adjoint.tensor([3., 1., 2.]), 2).values
tensor([3., 2.])
)");

struct Kthvalue : PicksOne<2> {
  static Outs forward(Tensor x, int64_t k, int64_t dim, bool keepdim) {
    Along a("kthvalue", x, dim);
    if (k < 1 || k > a.n)
      runtime_error("kthvalue(): selected number k out of range for dimension ", a.dim, ": k = ", k,
                    " of ", a.n, " elements");
    return pick_rank(a, keepdim, [k](const Line&) { return k - 1; });
  }
};
ADJ_OP(Kthvalue,
       "kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> (Tensor values, "
       "Tensor indices)",
       R"(
The `k`-th smallest element along `dim` (k = 1 is the smallest), and where it is.

>>> adjoint.kthvalue(adjoint.tensor([3., 1., 2.]), 2).values
tensor(2.)
)");

// Of an even number of elements the lower one.
template <bool SkipNan>
struct MedianAlong : PicksOne<1> {
  static Outs forward(Tensor x, int64_t dim, bool keepdim) {
    Along a("median", x, dim);
    if (a.n == 0)
      index_error("median(): Expected reduction dim ", a.dim, " to have non-zero size.");
    return pick_rank(a, keepdim, [](const Line& line) {
      if (SkipNan) return line.numbers ? (line.numbers - 1) / 2 : 0;
      return line.numbers < line.n ? line.numbers : (line.n - 1) / 2;
    });
  }
};
struct MedianDim : MedianAlong<false> {};
ADJ_OP(
    MedianDim,
    "median:dim(input: Tensor, dim: int, keepdim: bool = False) -> (Tensor values, Tensor indices)",
    R"(
The median along `dim`, and where it is.

>>> adjoint.median(adjoint.tensor([[1., 5., 2.]]), 1).values
tensor([2.])
)");
struct NanmedianDim : MedianAlong<true> {};
ADJ_OP(NanmedianDim,
       "nanmedian:dim(input: Tensor, dim: int, keepdim: bool = False) -> (Tensor values, Tensor "
       "indices)",
       R"(
The median along `dim` of what is not NaN.

>>> adjoint.nanmedian(adjoint.tensor([[1., float("nan"), 2.]]), 1).values
tensor([1.])
)");
struct Median : Composite {
  static Tensor define(Tensor x) {
    if (x.numel() == 0) return ops::full(Dims{}, NAN, x.dtype());
    return ops::median_dim(ops::flatten(x), 0);
  }
};
ADJ_OP(Median, "median(input: Tensor) -> Tensor", R"(
The median of all elements: the lower of the two in the middle if there are two. NaN if one is.

>>> adjoint.median(adjoint.tensor([4., 1., 3., 2.]))
tensor(2.)
)");
struct Nanmedian : Composite {
  static Tensor define(Tensor x) {
    if (x.numel() == 0) return ops::full(Dims{}, NAN, x.dtype());
    return ops::nanmedian_dim(ops::flatten(x), 0);
  }
};
ADJ_OP(Nanmedian, "nanmedian(input: Tensor) -> Tensor", R"(
The median of all elements that are not NaN.

>>> adjoint.nanmedian(adjoint.tensor([4., float("nan"), 3., 2.]))
tensor(3.)
)");

}  // namespace
}  // namespace adj
