// Elements in another order or more than once: flip, roll, repeat.
#include "cpu/cast.h"
#include "ops/shape.h"

namespace adj {

namespace {

struct Flip : Linear {
  static Tensor forward(Tensor x, DimsView dims) {
    uint64_t chosen = 0;
    for (int64_t dim : dims) {
      int d = normalize_dim(dim, x.dim());
      if (chosen >> d & 1)
        runtime_error("dim ", d, " appears multiple times in the list of dims ", dims);
      chosen |= uint64_t{1} << d;
    }
    Tensor out = empty(x.sizes(), x.dtype());
    if (x.numel() == 0) return out;
    int64_t item = static_cast<int64_t>(itemsize(x.dtype())), from[64], to[64];
    char* first = x.data();
    for (int i = 0; i < x.dim(); ++i) {
      from[i] = x.stride(i) * item;
      to[i] = out.stride(i) * item;
      if (!(chosen >> i & 1)) continue;
      first += (x.size(i) - 1) * from[i];
      from[i] = -from[i];
    }
    copy_strided(x.dim(), x.sizes().data(), out.data(), to, x.dtype(), first, from, x.dtype());
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, DimsView dims) { return ops::flip(g, dims); }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    Dims dims;
    for (int64_t d : b.arg<DimsView>(1)) {
      int64_t right = from_right(d, n);
      if (n) dims.push_back(right);
    }
    return as_outs(ops::flip(b.in(0), dims));
  }
};
ADJ_OP(Flip, "flip(input: Tensor, dims: int[]) -> Tensor", R"(
A copy with the order along `dims` reversed.

>>> adjoint.flip(adjoint.tensor([[1, 2], [3, 4]]), (1,))
tensor([[2, 1],
        [4, 3]])
)");

struct FlipLR : Composite {
  static Tensor define(Tensor x) {
    if (x.dim() < 2) runtime_error("Input must be >= 2-d, got ", x.dim(), "-d");
    return ops::flip(x, Dims{1});
  }
};
ADJ_OP(FlipLR, "fliplr(input: Tensor) -> Tensor", R"(
`flip` of dim 1: columns in reverse order.

>>> adjoint.fliplr(adjoint.tensor([[1, 2], [3, 4]]))
tensor([[2, 1],
        [4, 3]])
)");
struct FlipUD : Composite {
  static Tensor define(Tensor x) {
    if (x.dim() < 1) runtime_error("Input must be >= 1-d, got a 0-d tensor");
    return ops::flip(x, Dims{0});
  }
};
ADJ_OP(FlipUD, "flipud(input: Tensor) -> Tensor", R"(
`flip` of dim 0: rows in reverse order.

>>> adjoint.flipud(adjoint.tensor([[1, 2], [3, 4]]))
tensor([[3, 4],
        [1, 2]])
)");

struct Roll : Linear {
  static Tensor forward(Tensor x, DimsView shifts, DimsView dims) {
    if (shifts.empty()) runtime_error("`shifts` required");
    if (shifts.size() != dims.size())
      runtime_error("shifts and dimensions must align. shifts: ", shifts, ", dims: ", dims);
    Dims by(x.dim());
    for (auto& s : by) s = 0;
    for (int i = 0; i < dims.size(); ++i) {
      int d = normalize_dim(dims[i], x.dim());
      if (x.numel() && x.dim()) by[d] = ((by[d] + shifts[i]) % x.size(d) + x.size(d)) % x.size(d);
    }
    Tensor out = empty(x.sizes(), x.dtype());
    if (x.numel()) move(x.layout(), out.layout(), x, out, by, 0);
    return out;
  }
  // Each dim falls into two parts that change places.
  static void move(Layout from, Layout to, const Tensor& x, const Tensor& out, const Dims& by,
                   int d) {
    while (d < by.size() && by[d] == 0) ++d;
    if (d == by.size()) {
      write_into(view_of(out, std::move(to)), view_of(x, std::move(from)));
      return;
    }
    int64_t n = x.size(d), s = by[d];
    for (bool wrapped : {false, true}) {
      Layout a = from, z = to;
      a.sizes[d] = z.sizes[d] = wrapped ? s : n - s;
      a.offset += (wrapped ? n - s : 0) * a.strides[d];
      z.offset += (wrapped ? 0 : s) * z.strides[d];
      move(std::move(a), std::move(z), x, out, by, d + 1);
    }
  }
  static Tensor transpose(Tensor g, const TensorMeta&, DimsView shifts, DimsView dims) {
    Dims back = shifts.copy();
    for (auto& s : back) s = -s;
    return ops::roll(g, back, dims);
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    if (n == 0) return as_outs(ops::clone(b.in(0)));
    Dims dims;
    for (int64_t d : b.arg<DimsView>(2)) dims.push_back(from_right(d, n));
    return as_outs(ops::roll(b.in(0), b.arg<DimsView>(1), dims));
  }
};
// Without dims the elements are rolled as one vector.
struct RollFlat : Composite {
  static Tensor define(Tensor x, DimsView shifts, std::optional<DimsView> dims) {
    if (dims && !dims->empty()) return ops::roll(x, shifts, *dims);
    if (shifts.size() != 1)
      runtime_error("shifts and dimensions must align. shifts: ", shifts, ", dims: []");
    return ops::reshape(ops::roll(ops::flatten(x), shifts, Dims{0}), x.sizes());
  }
};
struct RollOne : Composite {
  static Tensor define(Tensor x, int64_t shift, int64_t dim) {
    return ops::roll(x, DimsView(&shift, 1), DimsView(&dim, 1));
  }
};
ADJ_OP(RollOne, "roll:one(input: Tensor, shifts: int, dims: int) -> Tensor", R"(
A copy moved by `shifts` along one dim; what leaves at the end comes in at the start.

>>> adjoint.roll(adjoint.tensor([1, 2, 3, 4]), 1, 0)
tensor([4, 1, 2, 3])
)");
ADJ_OP(Roll, "roll:dims(input: Tensor, shifts: int[], dims: int[]) -> Tensor", R"(
The same along several dims.

>>> adjoint.roll(adjoint.tensor([[1, 2], [3, 4]]), (1, 1), (0, 1))
tensor([[4, 3],
        [2, 1]])
)");
ADJ_OP(RollFlat, "roll(input: Tensor, shifts: int[], dims: int[]? = None) -> Tensor", R"(
Without `dims` the elements are rolled as one vector.

>>> adjoint.roll(adjoint.tensor([[1, 2], [3, 4]]), 1)
tensor([[4, 1],
        [2, 3]])
)");

struct Rot90 : Composite {
  static Tensor define(Tensor x, int64_t k, DimsView dims) {
    if (dims.size() != 2) runtime_error("expected total rotation dims == 2, but got dims = ", dims);
    if (x.dim() < 2) runtime_error("expected total dims >= 2, but got total dims = ", x.dim());
    int a = normalize_dim(dims[0], x.dim()), b = normalize_dim(dims[1], x.dim());
    if (a == b)
      runtime_error("expected rotation dims to be different, but got dim0 = ", dims[0],
                    " and dim1 = ", dims[1]);
    switch ((k % 4 + 4) % 4) {
      case 1: return ops::transpose(ops::flip(x, Dims{b}), a, b);
      case 2: return ops::flip(x, Dims{a, b});
      case 3: return ops::transpose(ops::flip(x, Dims{a}), a, b);
      default: return ops::clone(x);
    }
  }
};
ADJ_OP(Rot90, "rot90(input: Tensor, k: int = 1, dims: int[] = [0, 1]) -> Tensor", R"(
Rotated `k` times by 90 degrees in the plane of two dims, from the first towards the second.

>>> adjoint.rot90(adjoint.tensor([[1, 2], [3, 4]]))
tensor([[2, 4],
        [1, 3]])
)");

struct Repeat : Linear {
  static Tensor forward(Tensor x, DimsView repeats) {
    int extra = repeats.size() - x.dim();
    if (extra < 0)
      runtime_error(
          "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
          "tensor: got repeats ",
          repeats, " for a tensor of shape ", x.sizes());
    Dims sizes, shape, place;  // result; [repeats, size] of each dim; x in that
    for (int i = 0; i < repeats.size(); ++i) {
      if (repeats[i] < 0) runtime_error("repeat: negative number of repeats in ", repeats);
      int64_t n = i < extra ? 1 : x.size(i - extra);
      sizes.push_back(repeats[i] * n);
      shape.push_back(repeats[i]);
      shape.push_back(n);
    }
    Tensor out = empty(sizes, x.dtype());
    Layout from{{}, {}, x->offset};
    for (int i = 0; i < repeats.size(); ++i) {
      from.sizes.push_back(1);
      from.strides.push_back(0);
      from.sizes.push_back(shape[2 * i + 1]);
      from.strides.push_back(i < extra ? 0 : x.stride(i - extra));
    }
    write_into(view_of(out, {shape, contiguous_strides(shape), 0}), view_of(x, std::move(from)));
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, DimsView repeats) {
    int extra = repeats.size() - x.sizes.size();
    Dims shape, summed;
    for (int i = 0; i < repeats.size(); ++i) {
      summed.push_back(shape.size());
      shape.push_back(repeats[i]);
      shape.push_back(i < extra ? 1 : x.sizes[i - extra]);
    }
    if (summed.empty()) return g;
    return ops::reshape(ops::sum(ops::reshape(g, shape), summed), x.sizes);
  }
  static Outs batch(Batch& b) {
    DimsView repeats = b.arg<DimsView>(1);
    Dims all{1};
    all.append(repeats.begin(), repeats.end());
    return as_outs(ops::repeat(b.aligned(0, repeats.size()), all));
  }
};
ADJ_OP(Repeat, "repeat(input: Tensor, repeats: int[]) -> Tensor", R"(
Copies of the tensor put side by side, `repeats` of them in each dim; further dims come in front.

>>> adjoint.tensor([1, 2]).repeat(2, 2)
tensor([[1, 2, 1, 2],
        [1, 2, 1, 2]])
)");

struct Tile : Composite {
  static Tensor define(Tensor x, DimsView dims) {
    Dims all;
    for (int i = dims.size(); i < x.dim(); ++i) all.push_back(1);
    all.append(dims.begin(), dims.end());
    return ops::repeat(x, all);
  }
};
ADJ_OP(Tile, "tile(input: Tensor, dims: int[]) -> Tensor", R"(
`repeat` with ones in front where `dims` are fewer than the tensor has.

>>> adjoint.tile(adjoint.tensor([[1], [2]]), (2,))
tensor([[1, 1],
        [2, 2]])
)");

struct RepeatInterleave : Composite {
  static Tensor define(Tensor x, int64_t repeats, std::optional<int64_t> dim,
                       std::optional<int64_t> output_size) {
    if (repeats < 0) runtime_error("Repeats must be non-negative, got ", repeats);
    Tensor y = dim ? at_least_1d(x) : ops::flatten(x);
    int d = normalize_dim(dim.value_or(0), y.dim());
    Dims wide = y.sizes().copy();
    wide.insert(d + 1, repeats);
    Dims sizes = sizes_with(y.sizes(), d, y.size(d) * repeats);
    if (output_size && *output_size != sizes[d])
      runtime_error("repeat_interleave: Invalid output_size, expected ", sizes[d], " but got ",
                    *output_size);
    return ops::reshape(ops::expand(ops::unsqueeze(y, d + 1), wide), sizes);
  }
};
ADJ_OP(RepeatInterleave,
       "repeat_interleave(input: Tensor, repeats: int, dim: int? = None, *, output_size: int? = "
       "None) -> Tensor",
       R"(
Each position along `dim` (each element, without it) `repeats` times, side by side. A tensor of
repeats says how often for each position.

>>> adjoint.repeat_interleave(adjoint.tensor([1, 2]), 2)
tensor([1, 1, 2, 2])
)");

Tensor interleaved_positions(const Tensor& repeats, std::optional<int64_t> output_size) {
  if (repeats.wrapped())
    runtime_error(
        "repeat_interleave: under a transform (vmap, jvp) `repeats` must be plain: the size of the "
        "result depends on its values");
  if (repeats.dim() > 1)
    runtime_error("repeat_interleave only accept 1D vector as repeat, got shape ", repeats.sizes());
  if (!is_integral(repeats.dtype()))
    runtime_error("repeats has to be Long or Int tensor, got ", repeats.dtype());
  Tensor counts = ops::to_dtype(ops::contiguous(repeats), DType::i64);
  int64_t total = 0;
  for (int64_t i = 0; i < counts.numel(); ++i) {
    int64_t n = counts.data<int64_t>()[i];
    if (n < 0) runtime_error("repeats can not be negative: element ", i, " is ", n);
    total += n;
  }
  if (output_size && *output_size != total)
    runtime_error("repeat_interleave: Invalid output_size, expected ", total, " but got ",
                  *output_size);
  Tensor positions = empty({total}, DType::i64);
  int64_t* to = positions.data<int64_t>();
  for (int64_t i = 0; i < counts.numel(); ++i)
    for (int64_t n = counts.data<int64_t>()[i]; n > 0; --n) *to++ = i;
  return positions;
}

struct RepeatInterleaveBy : Composite {
  static Tensor define(Tensor x, Tensor repeats, std::optional<int64_t> dim,
                       std::optional<int64_t> output_size) {
    Tensor y = dim ? at_least_1d(x) : ops::flatten(x);
    int d = normalize_dim(dim.value_or(0), y.dim());
    if (repeats.numel() == 1 && y.size(d) != 1)
      repeats = ops::expand(ops::reshape(repeats, Dims{1}), Dims{y.size(d)});
    if (at_least_1d(repeats).size(0) != y.size(d))
      runtime_error(
          "repeats must have the same size as input along dim, but got repeats.size(0) = ",
          repeats.numel(), " and input.size(", d, ") = ", y.size(d));
    return ops::index_select(y, d, interleaved_positions(repeats, output_size));
  }
};
ADJ_OP(RepeatInterleaveBy,
       "repeat_interleave:by(input: Tensor, repeats: Tensor, dim: int? = None, *, output_size: "
       "int? = None)"
       " -> Tensor",
       R"(
Position i of `dim` repeats[i] times.

>>> adjoint.repeat_interleave(adjoint.tensor([5, 6]), adjoint.tensor([1, 3]))
tensor([5, 6, 6, 6])
)");

struct RepeatInterleaveCounts : Constant {
  static Tensor forward(Tensor repeats, std::optional<int64_t> output_size) {
    return interleaved_positions(repeats, output_size);
  }
};
ADJ_OP(RepeatInterleaveCounts,
       "repeat_interleave:counts(repeats: Tensor, *, output_size: int? = None) -> Tensor",
       R"(
The numbers 0, 1, ... each repeats[i] times.

>>> adjoint.repeat_interleave(adjoint.tensor([1, 0, 2]))
tensor([0, 2, 2])
)");

}  // namespace
}  // namespace adj
