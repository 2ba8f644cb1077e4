// Largest and smallest values and their positions; any and all.
#include "ops/reduce.h"

namespace adj {

namespace {

// The share of each element in an extreme value: 1 for the only one, 1/k for each of k that tie.
Tensor shares(const Tensor& x, const Tensor& y, DimMask mask) {
  Tensor ties = ops::to_dtype(ops::eq(x, y), x.dtype());
  Dims dims;
  for (int i = 0; i < x.dim(); ++i)
    if (mask >> i & 1) dims.push_back(i);
  return dims.empty() ? ties : ops::div(ties, ops::sum(ties, dims, true));
}

void extreme_vjp(Vjp& c, DimMask mask, bool keepdim) {
  Tensor x = c.in(0), y = c.out();
  if (x.numel() == 0) return c.set(0, ops::zeros_like(x));
  Tensor gk = with_kept_dims(c.g(), x.sizes(), mask, keepdim);
  c.set(0, ops::mul(gk, shares(x, with_kept_dims(y, x.sizes(), mask, keepdim), mask)));
}

Outs extreme_jvp(Jvp& j, DimMask mask, bool keepdim) {
  Tensor x = j.in(0), t = j.t(0), y = with_kept_dims(j.outs[0], x.sizes(), mask, keepdim);
  Tensor parts = ops::mul(t, shares(x, y, mask));
  Dims dims;
  for (int i = 0; i < x.dim(); ++i)
    if (mask >> i & 1) dims.push_back(i);
  return as_outs(dims.empty() ? parts : ops::sum(parts, dims, keepdim));
}

Tensor extreme(Reduce op, const char* name, const Tensor& x, std::optional<DimsView> dim,
               bool keepdim) {
  DimMask mask = reduced_dims(dim, x.dim());
  check_not_empty(name, x, dim, mask);
  return cast(reduce_dims(op, x, mask, keepdim), x.dtype());
}

struct Amax : Rule {
  static constexpr uint32_t saves = input(0) | output(0);
  static Tensor forward(Tensor x, std::optional<DimsView> dim, bool keepdim) {
    return extreme(Reduce::amax, "amax", x, dim, keepdim);
  }
  static void vjp(Vjp& c) {
    extreme_vjp(c, reduced_dims(c.arg<std::optional<DimsView>>(1), c.like(0).sizes.size()),
                c.arg<bool>(2));
  }
  static Outs jvp(Jvp& j) {
    return extreme_jvp(j, reduced_dims(j.arg<std::optional<DimsView>>(1), j.in(0).dim()),
                       j.arg<bool>(2));
  }
  static Outs batch(Batch& b) { return batch_over_dims(b); }
};
ADJ_OP(Amax, "amax(input: Tensor, dim: int[]? = None, keepdim: bool = False) -> Tensor", R"(
The largest value over `dim` (one or several; none: all). Elements that tie share the gradient equally.
An IndexError for an empty dim.

>>> adjoint.amax(adjoint.tensor([[1., 5.], [3., 4.]]), dim=1)
tensor([5., 4.])
)");

struct Amin : Amax {
  static Tensor forward(Tensor x, std::optional<DimsView> dim, bool keepdim) {
    return extreme(Reduce::amin, "amin", x, dim, keepdim);
  }
};
ADJ_OP(Amin, "amin(input: Tensor, dim: int[]? = None, keepdim: bool = False) -> Tensor", R"(
The smallest value over `dim` (one or several; none: all). Elements that tie share the gradient equally.
An IndexError for an empty dim.

>>> adjoint.amin(adjoint.tensor([[1., 5.], [3., 4.]]), dim=1)
tensor([1., 3.])
)");

struct Max : Rule {
  static constexpr uint32_t saves = input(0) | output(0);
  static Tensor forward(Tensor x) { return extreme(Reduce::amax, "max", x, std::nullopt, false); }
  static void vjp(Vjp& c) { extreme_vjp(c, all_dims(c.like(0).sizes.size()), false); }
  static Outs jvp(Jvp& j) { return extreme_jvp(j, all_dims(j.in(0).dim()), false); }
  static Outs batch(Batch& b) { return as_outs(ops::amax(flat_batch(b), int64_t{1})); }
};
ADJ_OP(Max, "max:all/1(input: Tensor) -> Tensor", R"(
The largest of all elements. Those that tie share the gradient equally.

>>> adjoint.max(adjoint.tensor([1., 3., 2.]))
tensor(3.)
)");

struct Min : Max {
  static Tensor forward(Tensor x) { return extreme(Reduce::amin, "min", x, std::nullopt, false); }
  static Outs batch(Batch& b) { return as_outs(ops::amin(flat_batch(b), int64_t{1})); }
};
ADJ_OP(Min, "min:all/1(input: Tensor) -> Tensor", R"(
The smallest of all elements. Those that tie share the gradient equally.

>>> adjoint.min(adjoint.tensor([1., 3., 2.]))
tensor(1.)
)");

struct MaxOther : Composite {
  static Tensor define(Tensor x, Tensor other) { return ops::maximum(x, other); }
};
ADJ_OP(MaxOther, "max:other(input: Tensor, other: Tensor) -> Tensor", R"(
The larger of each pair of elements: `maximum`.

>>> adjoint.max(adjoint.tensor([1., 5.]), adjoint.tensor([2., 4.]))
tensor([2., 5.])
)");

struct MinOther : Composite {
  static Tensor define(Tensor x, Tensor other) { return ops::minimum(x, other); }
};
ADJ_OP(MinOther, "min:other(input: Tensor, other: Tensor) -> Tensor", R"(
The smaller of each pair of elements: `minimum`.

>>> adjoint.min(adjoint.tensor([1., 5.]), adjoint.tensor([2., 4.]))
tensor([1., 4.])
)");

// The first largest (or smallest) value along a dim of a plain tensor, and where it is.
Outs find_along(bool smallest, const char* name, const Tensor& given, int64_t dim, bool keepdim,
                bool want_values) {
  DimMask mask = reduced_dims(DimsView(&dim, 1), given.dim());
  check_not_empty(name, given, DimsView(&dim, 1), mask);
  if (is_complex(given.dtype()))
    fail(ErrorKind::not_implemented, name, " is not implemented for '",
         scalar_name_of(given.dtype()), "'");
  DType t = computed_in(given.dtype());
  Grouped x = grouped(cast(given, t), mask);
  Dims sizes = reduced_sizes(given.sizes(), mask, keepdim);
  Outs outs;
  Tensor positions = empty(sizes, DType::i64), values;
  if (want_values) values = empty(sizes, t);
  arg_reduce(smallest, t, want_values ? values.data() : nullptr, positions.data<int64_t>(),
             x.x.data(), x.outer, x.n, x.inner);
  if (want_values) outs.push_back(cast(values, given.dtype()));
  outs.push_back(positions);
  return outs;
}

// The gradient goes to the element whose position was returned.
struct MaxDim : Rule {
  static constexpr uint32_t saves = output(1);
  static Outs forward(Tensor x, int64_t dim, bool keepdim) {
    return find_along(false, "max", x, dim, keepdim, true);
  }
  static void vjp(Vjp& c) {
    if (!c.has_g(0)) return;
    auto dim = c.arg<int64_t>(1);
    bool keepdim = c.arg<bool>(2);
    const TensorMeta& x = c.like(0);
    Tensor g = c.g(), position = c.out(1);
    if (x.sizes.empty()) return c.set(0, g);
    if (!keepdim) {
      g = ops::unsqueeze(g, dim);
      position = ops::unsqueeze(position, dim);
    }
    c.set(0, ops::scatter_add(ops::zeros(x.sizes, x.dtype), dim, position, g));
  }
  static Outs jvp(Jvp& j) {
    auto dim = j.arg<int64_t>(1);
    bool keepdim = j.arg<bool>(2);
    Tensor t = j.t(0), position = j.outs[1];
    Outs outs;
    if (t.dim() == 0) outs.push_back(t);
    else if (keepdim) outs.push_back(ops::gather(t, dim, position));
    else outs.push_back(ops::squeeze(ops::gather(t, dim, ops::unsqueeze(position, dim)), dim));
    outs.push_back({});
    return outs;
  }
  static Outs batch(Batch& b) { return batch_over_dim(b); }
};
ADJ_OP(MaxDim,
       "max:dim(input: Tensor, dim: int, keepdim: bool = False) -> (Tensor values, Tensor indices)",
       R"(
The largest values along `dim` and the first positions of them. The gradient goes to that position.

>>> values, indices = adjoint.max(adjoint.tensor([[1., 5.], [3., 3.]]), dim=1)
>>> values, indices
(tensor([5., 3.]), tensor([1, 0]))
)");

struct MinDim : MaxDim {
  static Outs forward(Tensor x, int64_t dim, bool keepdim) {
    return find_along(true, "min", x, dim, keepdim, true);
  }
};
ADJ_OP(MinDim,
       "min:dim(input: Tensor, dim: int, keepdim: bool = False) -> (Tensor values, Tensor indices)",
       R"(
The smallest values along `dim` and the first positions of them. The gradient goes to that position.

>>> values, indices = adjoint.min(adjoint.tensor([[1., 5.], [3., 3.]]), dim=1)
>>> values, indices
(tensor([1., 3.]), tensor([0, 0]))
)");

Tensor arg_extreme(bool smallest, const char* name, const Tensor& x, std::optional<int64_t> dim,
                   bool keepdim) {
  if (dim) return find_along(smallest, name, x, *dim, keepdim, false)[0];
  if (x.numel() == 0)
    index_error(
        name,
        "(): Expected reduction dim to be specified for input.numel() == 0; the input has shape ",
        x.sizes());
  Tensor rows = dense(x);
  Tensor flat = view_of(rows, {{x.numel()}, {1}, rows->offset});
  Tensor at = find_along(smallest, name, flat, 0, false, false)[0];
  Dims ones;
  for (int i = 0; keepdim && i < x.dim(); ++i) ones.push_back(1);
  return view_of(at, {ones, ones, 0});
}

struct Argmax : Constant {
  static Tensor forward(Tensor x, std::optional<int64_t> dim, bool keepdim) {
    return arg_extreme(false, "argmax", x, dim, keepdim);
  }
  static Outs batch(Batch& b) { return batch_over_dim(b); }
};
ADJ_OP(Argmax, "argmax(input: Tensor, dim: int? = None, keepdim: bool = False) -> Tensor", R"(
The position of the first largest value along `dim` (None: in the flattened tensor): int64.

>>> adjoint.argmax(adjoint.tensor([[1., 5.], [3., 3.]]), dim=1)
tensor([1, 0])
)");

struct Argmin : Constant {
  static Tensor forward(Tensor x, std::optional<int64_t> dim, bool keepdim) {
    return arg_extreme(true, "argmin", x, dim, keepdim);
  }
  static Outs batch(Batch& b) { return batch_over_dim(b); }
};
ADJ_OP(Argmin, "argmin(input: Tensor, dim: int? = None, keepdim: bool = False) -> Tensor", R"(
The position of the first smallest value along `dim` (None: in the flattened tensor): int64.

>>> adjoint.argmin(adjoint.tensor([[1., 5.], [3., 3.]]), dim=1)
tensor([0, 0])
)");

struct Aminmax : Composite {
  static Outs define(Tensor x, std::optional<int64_t> dim, bool keepdim) {
    Dims dims;
    if (dim) dims.push_back(*dim);
    Outs outs;
    outs.push_back(ops::amin(x, dims, keepdim));
    outs.push_back(ops::amax(x, dims, keepdim));
    return outs;
  }
};
ADJ_OP(Aminmax,
       "aminmax(input: Tensor, *, dim: int? = None, keepdim: bool = False) -> (Tensor min, Tensor "
       "max)",
       R"(
The smallest and the largest values over `dim` (None: of all elements).

>>> low, high = adjoint.aminmax(adjoint.tensor([1., 3., 2.]))
>>> low, high
(tensor(1.), tensor(3.))
)");

// uint8 stays uint8, as in torch; all else gives bool.
Tensor truth(Reduce op, const Tensor& x, std::optional<DimsView> dim, bool keepdim) {
  Tensor out = reduce_dims(op, x, reduced_dims(dim, x.dim()), keepdim);
  return x.dtype() == DType::u8 ? cast(out, DType::u8) : out;
}

struct Any : Constant {
  static Tensor forward(Tensor x, std::optional<DimsView> dim, bool keepdim) {
    return truth(Reduce::any, x, dim, keepdim);
  }
  static Outs batch(Batch& b) { return batch_over_dims(b); }
};
ADJ_OP(Any, "any(input: Tensor, dim: int[]? = None, keepdim: bool = False) -> Tensor", R"(
Whether any element over `dim` (None: all) is not zero: bool.

>>> adjoint.any(adjoint.tensor([[0, 1], [0, 0]]), dim=1)
tensor([ True, False])
)");

struct All : Constant {
  static Tensor forward(Tensor x, std::optional<DimsView> dim, bool keepdim) {
    return truth(Reduce::all, x, dim, keepdim);
  }
  static Outs batch(Batch& b) { return batch_over_dims(b); }
};
ADJ_OP(All, "all(input: Tensor, dim: int[]? = None, keepdim: bool = False) -> Tensor", R"(
Whether every element over `dim` (None: all) is not zero: bool.

>>> adjoint.all(adjoint.tensor([[1, 1], [0, 1]]), dim=1)
tensor([ True, False])
)");

}  // namespace
}  // namespace adj
