// Elementwise operators that are defined by others.
#include <cmath>
#include <limits>

#include "ops/elementwise/forwarding.h"

namespace adj {

namespace {

const Fn internal_div{"_nodes.div"}, internal_clamp{"_nodes.clamp"}, internal_round{"_nodes.round"},
    internal_logit{"_nodes.logit"}, internal_nan_to_num{"_nodes.nan_to_num"},
    internal_polygamma{"_nodes.polygamma"}, internal_prelu{"_nodes.prelu_kernel"};

const Fn& division(const Value& mode) {
  if (mode.is_none()) return ops::div;
  Text text(mode.string);
  if (text == "floor") return ops::floor_divide;
  if (text == "trunc") return internal_div;
  runtime_error("div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '",
                text, "'");
}

struct DivRounding : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) { return forward_to(division(a[2]), a, {a[0], a[1]}); }
};
ADJ_OP(DivRounding,
       "div:rounding(input: Operand, other: Operand, *, rounding_mode: str?) -> Tensor", R"(
The quotient rounded down ("floor"), towards zero ("trunc") or not at all (None). Rounded quotients
have a gradient of zero.

>>> adjoint.div(adjoint.tensor([7., -7.]), 2, rounding_mode="floor")
tensor([ 3., -4.])
)");

struct DivideRounding : DivRounding {};
ADJ_OP(DivideRounding,
       "divide:rounding(input: Operand, other: Operand, *, rounding_mode: str?) -> Tensor",
       R"(
The same as `div` with a `rounding_mode`.

>>> adjoint.divide(adjoint.tensor([7., -7.]), 2, rounding_mode="trunc")
tensor([ 3., -3.])
)");

struct RoundDecimals : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) {
    auto decimals = static_cast<double>(a[1].as_int());
    double scale = std::pow(10.0, std::abs(decimals));
    return forward_to(internal_round, a,
                      {a[0], decimals > 0 ? scale : 1.0, decimals < 0 ? scale : 1.0});
  }
};
ADJ_OP(RoundDecimals, "round:decimals(input: Tensor, *, decimals: int) -> Tensor", R"(
Rounds to `decimals` places behind the point, or before it if negative. Its gradient is zero.

>>> adjoint.round(adjoint.tensor([1.234, 125.]), decimals=2)
tensor([  1.2300, 125.0000])
)");

struct FloatPower : Composite {
  static constexpr bool in_place = true;
  static bool complex(const Value& v) { return v.is_tensor() && is_complex(v.as_tensor().dtype()); }
  static Value in_double(const Value& v, DType t, Tensor& kept) {
    if (v.tag != Tag::tensor) return v.as_double();
    kept = v.as_tensor();
    if (kept.dtype() != t) kept = ops::to_dtype(kept, t);
    return kept;
  }
  static Tensor define(const Args& a) {
    Tensor x, y;
    DType t = complex(a[0]) || complex(a[1]) ? DType::c128 : DType::f64;
    Value base = in_double(a[0], t, x), exponent = in_double(a[1], t, y);
    return forward_to(ops::pow, a, {base, exponent});
  }
};
ADJ_OP(FloatPower, "float_power(input: Operand, exponent: Operand) -> Tensor", R"(
`input` to the power of `exponent`, in float64 (or complex128) whatever their dtypes are.

>>> adjoint.float_power(adjoint.tensor([1, 2]), -1)
tensor([1.0000, 0.5000], dtype=torch.float64)
)");

struct Clamp : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) {
    if (a[1].is_none() && a[2].is_none())
      runtime_error("clamp: at least one of 'min' or 'max' must not be None");
    if (a[2].is_none()) return forward_to(clamp_min, a, {a[0], a[1]});
    if (a[1].is_none()) return forward_to(clamp_max, a, {a[0], a[2]});
    return forward_to(internal_clamp, a, {a[0], a[1], a[2]});
  }
  static inline const Fn clamp_min{"clamp_min"}, clamp_max{"clamp_max"};
};
ADJ_OP(Clamp, "clamp(input: Tensor, min: Operand? = None, max: Operand? = None) -> Tensor", R"(
Elements below `min` become `min`, those above `max` become `max`; the bounds are numbers or
tensors. A RuntimeError if both are None. The gradient goes to `input` within the bounds, themselves
included.

>>> adjoint.clamp(adjoint.tensor([-1., 0.5, 2.]), 0, 1)
tensor([0.0000, 0.5000, 1.0000])
)");

struct Clip : Clamp {};
ADJ_OP(Clip, "clip(input: Tensor, min: Operand? = None, max: Operand? = None) -> Tensor", R"(
The same as `clamp`.

>>> adjoint.clip(adjoint.tensor([-1., 0.5, 2.]), max=1)
tensor([-1.0000,  0.5000,  1.0000])
)");

struct LogitOp : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) {
    return forward_to(internal_logit, a, {a[0], a[1].is_none() ? -1.0 : a[1].as_double()});
  }
};
ADJ_OP(LogitOp, "logit(input: Tensor, eps: float? = None) -> Tensor", R"(
`log(input / (1 - input))`, the inverse of `sigmoid`. Elements are first clamped to
`[eps, 1 - eps]` if `eps` is given; without it those outside [0, 1] give NaN.

>>> adjoint.logit(adjoint.tensor([0.5, 0.9]))
tensor([0.0000, 2.1972])
)");

struct NanToNumOp : Composite {
  static constexpr bool in_place = true;
  static double largest(DType t) {
    switch (t) {
      case DType::f16: return 65504;
      case DType::bf16: return 3.3895313892515355e38;
      case DType::f32: return std::numeric_limits<float>::max();
      default: return std::numeric_limits<double>::max();
    }
  }
  static Tensor define(const Args& a) {
    Tensor x = a[0].as_tensor();
    if (!is_differentiable(x.dtype())) return a.into ? x : ops::clone(x);
    auto given = [&](int i, double otherwise) {
      return a[i].is_none() ? otherwise : a[i].as_double();
    };
    double high = largest(real_of(x.dtype()));
    Value nan = given(1, 0.0), above = given(2, high), below = given(3, -high);
    if (!is_complex(x.dtype()))
      return forward_to(internal_nan_to_num, a, {a[0], nan, above, below});
    // Of complex numbers each part by itself.
    Tensor parts = ops::view_as_real(x);
    if (!a.into) return ops::view_as_complex(internal_nan_to_num(parts, nan, above, below));
    internal_nan_to_num.into(parts, nan, above, below);
    return x;
  }
};
ADJ_OP(NanToNumOp,
       "nan_to_num(input: Tensor, nan: float? = 0.0, posinf: float? = None, neginf: float? = None)"
       " -> Tensor",
       R"(
NaN, infinity and negative infinity replaced: by 0 and by the greatest and the least value of the
dtype where nothing else is said.

>>> adjoint.nan_to_num(adjoint.tensor([adjoint.nan, -adjoint.inf, 1.]), neginf=-2)
tensor([ 0., -2.,  1.])
)");

struct PolygammaOp : Composite {
  static Tensor define(int64_t n, Tensor x) {
    if (n < 0) runtime_error("polygamma(n, x) does not support negative n, got ", n);
    return n == 0 ? ops::digamma(x) : internal_polygamma(x, n);
  }
};
ADJ_OP(PolygammaOp, "polygamma(n: int, input: Tensor) -> Tensor", R"(
The n-th derivative of `digamma`.

>>> adjoint.polygamma(1, adjoint.tensor([1., 0.5]))
tensor([1.6449, 4.9348])
)");

struct Positive : Composite {
  static Tensor define(Tensor x) {
    if (x.dtype() == DType::b8)
      runtime_error("The `+` operator, on a bool tensor is not supported.");
    return x;
  }
};
ADJ_OP(Positive, "positive(input: Tensor) -> Tensor", R"(
The tensor itself. A RuntimeError for bools.

>>> adjoint.positive(adjoint.tensor([1., -2.]))
tensor([ 1., -2.])
)");

struct IsClose : Composite {
  static Tensor define(Tensor x, Tensor y, double rtol, double atol, bool equal_nan) {
    if (x.dtype() != y.dtype())
      runtime_error("isclose: ", scalar_name_of(x.dtype()), " did not match ",
                    scalar_name_of(y.dtype()));
    if (!(rtol >= 0)) runtime_error("rtol must be greater than or equal to zero, but got ", rtol);
    if (!(atol >= 0)) runtime_error("atol must be greater than or equal to zero, but got ", atol);
    Tensor close = ops::eq(x, y);
    if (equal_nan) close = ops::logical_or(close, ops::logical_and(ops::isnan(x), ops::isnan(y)));
    if (rtol == 0 && atol == 0) return close;
    if (!is_differentiable(x.dtype())) {
      x = ops::to_dtype(x, default_dtype());
      y = ops::to_dtype(y, default_dtype());
    }
    Tensor error = ops::abs(ops::sub(x, y)), allowed = ops::add(ops::abs(ops::mul(y, rtol)), atol);
    return ops::logical_or(close, ops::logical_and(ops::isfinite(error), ops::le(error, allowed)));
  }
};
ADJ_OP(IsClose,
       "isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, "
       "equal_nan: bool = False) -> Tensor",
       R"(
Where `abs(input - other) <= atol + rtol * abs(other)`; equal infinities are close, and NaNs if
`equal_nan`. A RuntimeError if the dtypes differ or a tolerance is negative.

>>> adjoint.isclose(adjoint.tensor([1., 2.]), adjoint.tensor([1.000001, 2.1]))
tensor([ True, False])
)");

struct MaskedFillOp : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) {
    DType dtype = a[0].tensor->dtype, mask = a[1].tensor->dtype;
    const Value& value = a[2];
    if (mask != DType::b8)
      runtime_error("masked_fill only supports boolean masks, but got mask with dtype ", mask);
    if (value.tag == Tag::tensor && !value.tensor->sizes.empty())
      runtime_error("masked_fill only supports a 0-dimensional value tensor, but got tensor with ",
                    value.tensor->sizes.size(), " dimension(s).");
    if (value.tag == Tag::real && is_integral(dtype) && !(std::abs(value.real) < 9.2e18))
      runtime_error("value cannot be converted to type ", dtype, " without overflow: ", value.real);
    if (value.tag == Tag::tensor && is_complex(value.tensor->dtype) && !is_complex(dtype))
      runtime_error("value cannot be converted to type ", dtype,
                    " without overflow: it is complex");
    return forward_to(masked_fill, a, {a[0], a[1], a[2]});
  }
  static inline const Fn masked_fill{"_nodes.masked_fill"};
};
ADJ_OP(MaskedFillOp, "masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor", R"(
`value`, a number or a tensor without dims, where `mask` (a bool tensor) is true, else `input`; the
result has the dtype of `input`. A RuntimeError for a mask of another dtype.

>>> adjoint.masked_fill(adjoint.tensor([1., 2.]), adjoint.tensor([True, False]), -1)
tensor([-1.,  2.])
)");

struct WhereIndices : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor condition) {
    return ops::unbind.all(ops::nonzero(condition), int64_t{1});
  }
};
ADJ_OP(WhereIndices, "where:indices(condition: Tensor) -> Tensor[]", R"(
The positions of elements that are not 0, as one tensor of indices per dim.

>>> adjoint.where(adjoint.tensor([0, 3, 4]))
(tensor([1, 2]),)
)");

struct Prelu : Composite {
  static Tensor define(Tensor x, Tensor weight) {
    if (weight.dim() > 1)
      runtime_error("prelu: expected a weight without dims or with one, got shape ",
                    weight.sizes());
    int64_t channels = x.dim() > 1 ? x.size(1) : 1;
    if (weight.numel() != 1 && weight.numel() != channels)
      runtime_error("prelu: the weight has ", weight.numel(), " elements, but input of shape ",
                    x.sizes(), " has ", channels, " channels");
    Dims sizes;
    for (int i = 0; i < x.dim(); ++i) sizes.push_back(1);
    if (x.dim() > 1) sizes[1] = weight.numel();
    else if (x.dim() == 1) sizes[0] = weight.numel();
    return internal_prelu(x, weight.dim() ? ops::reshape(weight, sizes) : weight);
  }
};
ADJ_OP(Prelu, "prelu(input: Tensor, weight: Tensor) -> Tensor", R"(
`input` above 0, `weight * input` below; the weight has one element, or one per channel (dim 1 of
`input`).

>>> adjoint.prelu(adjoint.tensor([[-1., -1.]]), adjoint.tensor([0.1, 0.2]))
tensor([[-0.1000, -0.2000]])
)");

struct FunctionalPrelu : Prelu {};
ADJ_OP(FunctionalPrelu, "nn.functional.prelu(input: Tensor, weight: Tensor) -> Tensor", R"(
The same as `prelu`.

>>> adjoint.nn.functional.prelu(adjoint.tensor([-1., 2.]), adjoint.tensor(0.5))
tensor([-0.5000,  2.0000])
)");

}  // namespace
}  // namespace adj
