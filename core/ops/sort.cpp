// Sorting, and what is chosen by rank. NaN counts as the largest value.
#include "cpu/sort.h"

#include <cmath>

#include "ops/index.h"

namespace adj {

namespace {

// A tensor as [outer, n, inner] around one dim, contiguous.
struct Along {
  Tensor x;
  int dim;
  int64_t outer = 1, n = 1, inner = 1;

  Along(const char* name, const Tensor& given, int64_t dim_given)
      : x(given.contiguous() ? given : Tensor(ops::contiguous_copy(given))),
        dim(normalize_dim(dim_given, given.dim())) {
    if (is_complex(x.dtype()))
      fail(ErrorKind::not_implemented, name, " is not implemented for '", scalar_name_of(x.dtype()),
           "'");
    for (int i = 0; i < x.dim(); ++i) (i < dim ? outer : i == dim ? n : inner) *= x.size(i);
  }
  Dims sizes(int64_t k) const { return x.dim() ? sizes_with(x.sizes(), dim, k) : Dims(); }
};

// What is the same for all that pick elements along a dim, which is argument number D.
template <int D>
struct Picks : Rule {
  static constexpr uint32_t saves = output(1);
  static void vjp(Vjp& c) { c.set(0, put_back(c, c.g(0), c.arg<int64_t>(D), saved_indices(c, 1))); }
  static Outs jvp(Jvp& j) {
    Outs outs = as_outs(ops::gather(j.t(0), j.arg<int64_t>(D), j.outs[1]));
    outs.push_back({});
    return outs;
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    Tensor x = with_one_dim(b.in(0));
    b.values[0].tensor = x.get();
    b.values[D] = from_right(b.arg<int64_t>(D), std::max(n, 1));
    Outs outs = b.run();
    if (n == 0)
      for (auto& y : outs) y = ops::squeeze(y, Dims{1});
    return outs;
  }
};

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

// The element of each line whose rank `rank(sorted line, n)` gives, with the dim kept.
template <class F>
Outs pick_rank(const Along& a, bool keepdim, const F& rank) {
  int64_t total = a.outer * a.n * a.inner;
  Tensor positions = empty({total}, DType::i64), sorted = empty({total}, a.x.dtype());
  adj::sort(a.x.dtype(), false, sorted.data(), positions.data<int64_t>(), a.x.data(), a.outer, a.n,
            a.inner);
  Tensor exact = is_floating(a.x.dtype()) ? Tensor(ops::to_dtype(sorted, DType::f64)) : Tensor();
  Dims kept = a.sizes(1);
  Tensor chosen = empty(kept, DType::i64), at = empty(kept, DType::i64);
  for (int64_t o = 0; o < a.outer; ++o)
    for (int64_t i = 0; i < a.inner; ++i) {
      int64_t first = o * a.n * a.inner + i, numbers = a.n;
      if (exact.defined())
        while (numbers && std::isnan(exact.data<double>()[first + (numbers - 1) * a.inner]))
          --numbers;
      int64_t place = first + rank(a.n, numbers) * a.inner;
      at.data<int64_t>()[o * a.inner + i] = place;
      chosen.data<int64_t>()[o * a.inner + i] = positions.data<int64_t>()[place];
    }
  Outs outs{take_elements(sorted, at, kept), chosen};
  if (!keepdim && a.x.dim())
    for (auto& y : outs)
      y = view_of(y,
                  {sizes_without(kept, a.dim), contiguous_strides(sizes_without(kept, a.dim)), 0});
  return outs;
}

// Of one element a line: the dim is put back in for the gradient. keepdim is argument D + 1.
template <int D>
struct PicksOne : Picks<D> {
  static void vjp(Vjp& c) {
    Tensor g = c.g(0), index = saved_indices(c, 1);
    bool gone = !c.template arg<bool>(D + 1) && c.like(0).sizes.size();
    int64_t dim = c.template arg<int64_t>(D);
    if (gone) {
      int d = normalize_dim(dim, c.like(0).sizes.size());
      g = ops::unsqueeze(g, d);
      index = ops::unsqueeze(index, d);
    }
    c.set(0, put_back(c, g, dim, index));
  }
  static Outs jvp(Jvp& j) {
    Tensor t = j.t(0), index = j.outs[1];
    int d = normalize_dim(j.template arg<int64_t>(D), t.dim());
    bool gone = !j.template arg<bool>(D + 1) && t.dim();
    Tensor y = ops::gather(t, d, gone ? Tensor(ops::unsqueeze(index, d)) : index);
    Outs outs = as_outs(gone ? Tensor(ops::squeeze(y, Dims{d})) : y);
    outs.push_back({});
    return outs;
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    if (n == 0) return batch_by_loop(b);
    b.values[D] = from_right(b.template arg<int64_t>(D), n);
    return b.run();
  }
};

struct Kthvalue : PicksOne<2> {
  static Outs forward(Tensor x, int64_t k, int64_t dim, bool keepdim) {
    Along a("kthvalue", x, dim);
    if (k < 1 || k > a.n)
      runtime_error("kthvalue(): selected number k out of range for dimension ", a.dim, ": k = ", k,
                    " of ", a.n, " elements");
    return pick_rank(a, keepdim, [k](int64_t, int64_t) { return k - 1; });
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
    return pick_rank(a, keepdim, [](int64_t n, int64_t numbers) {
      if (SkipNan) return numbers ? (numbers - 1) / 2 : 0;
      return numbers < n ? numbers : (n - 1) / 2;
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
