// Values looked up among others: positions in a sorted sequence, membership, counts.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "cpu/sort.h"
#include "ops/index.h"

namespace adj {

namespace {

// Integers and floats are compared as the widest of their kind, which holds all values exactly.
DType exact_type(DType a, DType b) {
  DType t = promote(a, b);
  if (is_complex(t))
    fail(ErrorKind::not_implemented, "complex numbers have no order: got '", scalar_name_of(t),
         "'");
  return is_floating(t) ? DType::f64 : DType::i64;
}
Tensor exactly(const Tensor& x, DType t) {
  return x.dtype() == t && x.contiguous() ? x : Tensor(ops::contiguous(ops::to_dtype(x, t)));
}
template <class F>
void by_exact_type(DType t, const F& f) {
  if (t == DType::f64) f(double());
  else f(int64_t());
}

Tensor as_tensor(const Value& v) {
  if (v.is_tensor()) return v.as_tensor();
  return number_as(
      v, v.number_dtype() == DType::b8 || v.tag == Tag::integer ? DType::i64 : DType::f64);
}

struct Searchsorted : Constant {
  static constexpr bool is_method = false;
  static Tensor forward(Tensor sequence, Value input, bool out_int32, bool right,
                        std::optional<Text> side, Tensor sorter) {
    Tensor values = as_tensor(input);
    if (side && *side != "left" && *side != "right")
      runtime_error("torch.searchsorted(): side can only be 'left' or 'right' but got ", *side);
    if (side && *side == "left" && right)
      runtime_error(
          "torch.searchsorted(): side and right can't be set to opposites, got side of left while "
          "right was "
          "True");
    right = right || (side && *side == "right");
    if (sequence.dim() == 0)
      runtime_error(
          "torch.searchsorted(): boundaries tensor should have positive dimension, got a 0-d "
          "tensor");
    if (sequence.dim() > 1) {
      bool fits = values.dim() == sequence.dim();
      for (int i = 0; fits && i + 1 < values.dim(); ++i) fits = values.size(i) == sequence.size(i);
      if (!fits)
        runtime_error(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            "dimensions of "
            "boundaries tensor and input value tensor must match, but we got boundaries tensor ",
            sequence.sizes(), " and input value tensor ", values.sizes());
    }
    if (sorter.defined()) {
      if (!(sorter.sizes() == sequence.sizes()))
        runtime_error(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary "
            "tensor ",
            sequence.sizes(), " and got sorter tensor ", sorter.sizes());
      if (sorter.dtype() != DType::i64)
        runtime_error("torch.searchsorted(): sorter must be a tensor of long dtype but got dtype ",
                      sorter.dtype());
      sequence = ops::gather(sequence, -1, sorter);
    }
    DType t = exact_type(sequence.dtype(), values.dtype());
    sequence = exactly(sequence, t);
    values = exactly(values, t);
    Tensor out = empty(values.sizes(), DType::i64);
    int64_t n = sequence.size(-1);
    int64_t line = sequence.dim() > 1 ? values.size(-1) : values.numel();
    by_exact_type(t, [&]<class T>(T) {
      for (int64_t i = 0; i < values.numel(); ++i) {
        const T* first = sequence.data<T>() + (line ? i / line : 0) * (sequence.dim() > 1 ? n : 0);
        T v = values.data<T>()[i];
        // Written so that NaN goes behind all numbers.
        const T* at = std::partition_point(first, first + n,
                                           [&](T x) { return right ? !(x > v) : !(x >= v); });
        out.data<int64_t>()[i] = at - first;
      }
    });
    return out_int32 ? Tensor(ops::to_dtype(out, DType::i32)) : out;
  }
  static Outs batch(Batch& b) {
    if (b.values[5].is_tensor() || !b.values[1].is_tensor()) return batch_by_loop(b);
    Tensor sequence = b.expanded(0), values = b.expanded(1);
    Dims sizes = values.sizes().copy();
    if (sequence.dim() == 2) {
      values =
          ops::reshape(values, Dims{b.size, DimsView(sizes).slice(1, sizes.size() - 1).product()});
    }
    Tensor out = ops::searchsorted(sequence, values, b.values[2], b.values[3], b.values[4]);
    return as_outs(ops::reshape(out, sizes));
  }
};
ADJ_OP(Searchsorted,
       "searchsorted(sorted_sequence: Tensor, input: Operand, *, out_int32: bool = False, right: "
       "bool = False, "
       "side: str? = None, sorter: Tensor? = None) -> Tensor",
       R"(
Where each value of `input` has to be put into the innermost dim of `sorted_sequence` to keep it
sorted: before equal elements, or behind them with `right`. A sequence of several dims is searched
row by row. With `sorter` the sequence is sequence[sorter].

>>> adjoint.searchsorted(adjoint.tensor([1, 3, 5]), adjoint.tensor([3, 6]))
tensor([1, 3])
)");

struct Bucketize : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Value input, Tensor boundaries, bool out_int32, bool right) {
    if (boundaries.dim() != 1)
      runtime_error("bucketize(): boundaries tensor must be 1 dimension, but got dim(",
                    boundaries.dim(), ")");
    return ops::searchsorted(boundaries, input, out_int32, right);
  }
};
ADJ_OP(Bucketize,
       "bucketize(input: Operand, boundaries: Tensor, *, out_int32: bool = False, right: bool = "
       "False) -> Tensor",
       R"(
In which of the intervals between the sorted `boundaries` each value lies; see `searchsorted`.

>>> adjoint.bucketize(adjoint.tensor([0, 3, 9]), adjoint.tensor([1, 3, 5]))
tensor([0, 1, 3])
)");

struct Isin : Constant {
  static constexpr bool is_method = false;
  static Tensor forward(Value elements, Value tests, bool, bool invert) {
    if (!elements.is_tensor() && !tests.is_tensor())
      type_error("isin(): elements or test_elements must be a tensor");
    Tensor x = as_tensor(elements), y = as_tensor(tests);
    DType t = exact_type(x.dtype(), y.dtype());
    x = exactly(x, t);
    y = exactly(y, t);
    Tensor out = empty(x.sizes(), DType::b8);
    by_exact_type(t, [&]<class T>(T) {
      // NaN equals nothing and would spoil the order.
      std::vector<T> sorted;
      for (int64_t i = 0; i < y.numel(); ++i)
        if (T v = y.data<T>()[i]; v == v) sorted.push_back(v);
      std::sort(sorted.begin(), sorted.end());
      for (int64_t i = 0; i < x.numel(); ++i) {
        T v = x.data<T>()[i];
        out.data<bool>()[i] =
            (v == v && std::binary_search(sorted.begin(), sorted.end(), v)) != invert;
      }
    });
    return out;
  }
};
ADJ_OP(Isin,
       "isin(elements: Operand, test_elements: Operand, *, assume_unique: bool = False, invert: "
       "bool = False)"
       " -> Tensor",
       R"(
Which of `elements` are among `test_elements` (are not, with `invert`).

>>> adjoint.isin(adjoint.tensor([1, 2, 3]), adjoint.tensor([3, 1]))
tensor([ True, False,  True])
)");

struct Bincount : Constant {
  static Tensor forward(Tensor x, Tensor weights, int64_t minlength) {
    if (x.dim() != 1 || !(is_integral(x.dtype())))
      runtime_error("bincount only supports 1-d non-negative integral inputs, got ", x.dtype(),
                    " of shape ", x.sizes());
    if (minlength < 0) runtime_error("minlength should be >= 0, got ", minlength);
    if (weights.defined() && !(weights.sizes() == x.sizes()))
      runtime_error("weights should be 1-d and have the same length as input: got ",
                    weights.sizes(), " for ", x.sizes());
    Tensor plain = plain_indices(x);
    int64_t most = -1;
    for (int64_t i = 0; i < plain.numel(); ++i) {
      int64_t k = plain.data<int64_t>()[i];
      if (k < 0) runtime_error("bincount only supports 1-d non-negative integral inputs, got ", k);
      most = std::max(most, k);
    }
    int64_t n = std::max(most + 1, minlength);
    if (!weights.defined()) {
      Tensor out = ops::zeros(Dims{n}, DType::i64);
      for (int64_t i = 0; i < plain.numel(); ++i) ++out.data<int64_t>()[plain.data<int64_t>()[i]];
      return out;
    }
    Tensor exact = exactly(weights, DType::f64), out = ops::zeros(Dims{n}, DType::f64);
    for (int64_t i = 0; i < plain.numel(); ++i)
      out.data<double>()[plain.data<int64_t>()[i]] += exact.data<double>()[i];
    return in_dtype(out, weights.dtype() == DType::f32 ? DType::f32 : DType::f64);
  }
  static Outs batch(Batch& b) {
    if (b.is_batched(0))
      runtime_error(
          "vmap: bincount of a batched tensor gives different sizes for different elements of the "
          "batch");
    return batch_by_loop(b);
  }
};
ADJ_OP(Bincount, "bincount(input: Tensor, weights: Tensor? = None, minlength: int = 0) -> Tensor",
       R"(
How often each of 0, 1, ... occurs in a vector of non-negative integers; with `weights` the sum of
those of its occurrences. At least `minlength` long.

>>> adjoint.bincount(adjoint.tensor([0, 2, 2]))
tensor([1, 0, 2])
)");

// Distinct elements in order, where each element of the input went, how often each occurs. Of the
// whole tensor, or of its slices along a dim; or of runs of equal ones alone, in their order.
struct Unique : Constant {
  static Outs forward(Tensor x, std::optional<int64_t> dim, bool consecutive) {
    Tensor rows;  // [n, elements of a slice]
    int d = dim ? normalize_dim(*dim, x.dim()) : 0;
    if (dim && x.dim() == 0) rows = ops::reshape(x, Dims{1, 1});
    else if (dim)
      rows = ops::reshape(ops::movedim(x, Dims{d}, Dims{0}),
                          Dims{x.size(d), x.size(d) ? x.numel() / x.size(d) : 0});
    else rows = ops::reshape(x, Dims{x.numel(), 1});
    rows = exactly(rows, exact_type(x.dtype(), x.dtype()));
    int64_t n = rows.size(0), width = rows.size(1);
    Tensor order = ops::arange(int64_t{0}, n, int64_t{1}, DType::i64);
    int64_t* place = order.data<int64_t>();
    Tensor inverse = empty({n}, DType::i64);
    std::vector<int64_t> firsts, counts;
    by_exact_type(rows.dtype(), [&]<class T>(T) {
      const T* p = rows.data<T>();
      auto less = [](T a, T b) {  // NaN last
        if constexpr (std::is_floating_point_v<T>)
          return !std::isnan(a) && (std::isnan(b) || a < b);
        else return a < b;
      };
      if (!consecutive)
        std::stable_sort(place, place + n, [&](int64_t a, int64_t b) {
          return std::lexicographical_compare(p + a * width, p + (a + 1) * width, p + b * width,
                                              p + (b + 1) * width, less);
        });
      for (int64_t i = 0; i < n; ++i) {
        bool same = i && std::equal(p + place[i] * width, p + (place[i] + 1) * width,
                                    p + place[i - 1] * width);
        if (!same) {
          firsts.push_back(place[i]);
          counts.push_back(0);
        }
        ++counts.back();
        inverse.data<int64_t>()[place[i]] = static_cast<int64_t>(firsts.size()) - 1;
      }
    });
    auto as_tensor = [](const std::vector<int64_t>& v) {
      Tensor t = empty({static_cast<int64_t>(v.size())}, DType::i64);
      std::copy(v.begin(), v.end(), t.data<int64_t>());
      return t;
    };
    Tensor first = as_tensor(firsts);
    Tensor output = dim && x.dim() ? ops::index_select(x, d, first)
                                   : ops::index_select(ops::flatten(x), 0, first);
    if (!dim) inverse = ops::reshape(inverse, x.sizes());
    return {output, inverse, as_tensor(counts)};
  }
  static Outs batch(Batch&) {
    runtime_error(
        "vmap: unique of a batched tensor gives different sizes for different elements of the "
        "batch");
  }
};
ADJ_OP(Unique,
       "_nodes.unique(input: Tensor, dim: int? = None, consecutive: bool = False)"
       " -> (Tensor output, Tensor inverse, Tensor counts)",
       R"(
Distinct elements, or slices along `dim`; the result's index of each element; how often each occurs.

>>> from adjoint import _core
>>> _core._namespaces["_nodes"]["unique"](adjoint.tensor([2, 1, 2]))[0]
tensor([1, 2])
)");

}  // namespace
}  // namespace adj
