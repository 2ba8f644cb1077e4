// Reductions over consecutive runs of one dim, told by their lengths.
#include "autograd/history.h"
#include "op.h"
#include "ops/shape.h"
#include "ops/vocabulary.h"

namespace adj {

namespace {

constexpr double kInfinity = __builtin_inf();

// That the lengths, [..., segments], are whole and cover n elements: read where they can be.
void check_lengths(const Tensor& lengths, int64_t n, const Dims& shape) {
  if (lengths.wrapped() || lengths.numel() == 0) return;
  Tensor plain = ops::contiguous(ops::to_dtype(lengths, DType::i64));
  const int64_t* at = plain.data<int64_t>();
  int64_t segments = lengths.size(lengths.dim() - 1);
  for (int64_t row = 0; row < plain.numel() / segments; ++row) {
    int64_t sum = 0;
    for (int64_t i = 0; i < segments; ++i, ++at) {
      if (*at < 0) runtime_error("segment_reduce: lengths must not be negative, got ", *at);
      sum += *at;
    }
    if (sum != n)
      runtime_error("segment_reduce: Expected all rows of lengths along axis to sum to ", n,
                    ", the size of data (shape ", shape, ") along axis, but got ", sum);
  }
}

struct SegmentReduce : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor data, Text reduce, Tensor lengths, Tensor indices, Tensor offsets,
                       int64_t axis, bool unsafe, std::optional<double> initial) {
    bool mean = reduce == "mean", sum = reduce == "sum";
    if (!mean && !sum && reduce != "max" && reduce != "min" && reduce != "prod")
      runtime_error("segment_reduce: reduce has to be max, mean, min, sum or prod, got ", reduce);
    if (data.numel() == 0) runtime_error("segment_reduce: data is empty, of shape ", data.sizes());
    if (indices.defined())
      fail(ErrorKind::not_implemented, "segment_reduce: indices are not supported; give lengths");
    if (lengths.defined() == offsets.defined())
      runtime_error("segment_reduce: give either lengths or offsets");
    axis = normalize_dim(axis, data.dim());
    int64_t n = data.size(static_cast<int>(axis));
    const Tensor& given = lengths.defined() ? lengths : offsets;
    if (given.dim() != axis + 1)
      runtime_error("segment_reduce: ", lengths.defined() ? "lengths" : "offsets", " need ",
                    axis + 1, " dims, those of data up to axis, got shape ", given.sizes());
    int64_t outer = 1;
    for (int i = 0; i < axis; ++i) {
      if (given.size(i) != data.size(i))
        runtime_error("segment_reduce: the leading sizes of ", given.sizes(), " and of data, ",
                      data.sizes(), ", differ");
      outer *= data.size(i);
    }
    int64_t last = axis;
    if (offsets.defined()) {
      int64_t count = offsets.size(static_cast<int>(last)) - 1;
      lengths = ops::sub(ops::narrow(offsets, last, int64_t{1}, count),
                         ops::narrow(offsets, last, int64_t{0}, count));
    } else if (!unsafe) {
      check_lengths(lengths, n, data.sizes().copy());
    }
    int64_t segments = lengths.size(static_cast<int>(last));
    lengths = ops::reshape(lengths, Dims{outer, segments});
    int64_t inner = data.numel() / (outer * n);

    // The segment of each element: the number of segments that end at or before its place.
    Tensor ends = ops::cumsum(ops::to_dtype(lengths, DType::i64), int64_t{1});  // [outer, segments]
    Tensor places = ops::expand(ops::arange(int64_t{0}, n), Dims{outer, n});
    Tensor segment = ops::searchsorted(ends, ops::contiguous(places), false,
                                       true);  // [outer, n]
    Tensor index = ops::expand(ops::unsqueeze(segment, int64_t{2}), Dims{outer, n, inner});
    Tensor source = ops::reshape(data, Dims{outer, n, inner});

    double start = initial            ? *initial
                   : sum || mean      ? 0
                   : reduce == "prod" ? 1
                   : reduce == "max"  ? -kInfinity
                                      : kInfinity;
    Dims room{outer, segments, inner};
    Tensor out = ops::full(room, start, data.dtype());
    const char* how = mean || sum       ? "sum"
                      : reduce == "max" ? "amax"
                      : reduce == "min" ? "amin"
                                        : "prod";
    out = ops::scatter_reduce(out, int64_t{1}, index, source, how, true);
    if (mean) {
      Tensor counts = ops::unsqueeze(ops::to_dtype(lengths, data.dtype()), int64_t{2});
      Tensor none = ops::eq(counts, 0.0);
      out = ops::div(out, ops::masked_fill(counts, none, 1.0));
      if (!initial) out = ops::masked_fill(out, none, __builtin_nan(""));
    }
    Dims shape = data.sizes().copy();
    shape[static_cast<int>(axis)] = segments;
    return ops::reshape(out, shape);
  }
};
ADJ_OP(
    SegmentReduce,
    "segment_reduce(data: Tensor, reduce: str, *, lengths: Tensor? = None, indices: Tensor? = "
    "None, offsets: Tensor? = None, axis: int = 0, unsafe: bool = False, initial: float? = None) "
    "-> Tensor",
    R"(
Runs of consecutive elements along `axis`, each reduced by "sum", "mean", "max", "min" or "prod".

The runs are told by their `lengths` [..., segments], whose leading dims are those of `data` before
`axis`, or by `offsets` [..., segments + 1], where they begin and the last ends. The result has a size
of `segments` at `axis`. Each reduction begins with `initial`; without it an empty run gives 0, nan,
-inf, inf or 1. `unsafe` leaves out the check that lengths sum to the size at `axis`. Gradients of
max and min are shared evenly among equal elements.

>>> x = adjoint.tensor([1., 2., 3., 4.])
>>> adjoint.segment_reduce(x, "sum", lengths=adjoint.tensor([3, 1]))
tensor([6., 4.])
)");

}  // namespace
}  // namespace adj
