// Tensors from sizes and numbers.
#include <cmath>
#include <cstring>

#include "cpu/cast.h"
#include "ops/kinds/kinds.h"
#include "ops/vocabulary.h"

namespace adj {

namespace {

void put_number(const Tensor& x, const Value& value) {
  DType dtype = x.dtype();
  if (value.tag == Tag::complex && is_complex(dtype)) {
    Tensor one = empty({}, DType::c128);
    memcpy(one.data(), value.ints, 2 * sizeof(double));
    return write_into(x, one);
  }
  write_into(x, value.tag == Tag::real ? scalar_tensor(value.real, dtype)
                                       : scalar_tensor(value.as_int(), dtype));
}

Tensor filled(DimsView size, const Value& value, DType dtype) {
  Tensor x = empty(size, dtype);
  put_number(x, value);
  return x;
}

struct Empty : Factory {
  static Tensor forward(DimsView size, std::optional<DType> dtype) {
    return empty(size, dtype.value_or(default_dtype()));
  }
};
ADJ_OP(Empty, "empty(size: int[], *, dtype: dtype? = None) -> Tensor", R"(
A tensor of shape `size` whose values are whatever its memory holds.

>>> adjoint.empty(2, 3).shape
torch.Size([2, 3])
)");

struct Zeros : Factory {
  static Tensor forward(DimsView size, std::optional<DType> dtype) {
    Tensor x = empty(size, dtype.value_or(default_dtype()));
    memset(x.data(), 0, static_cast<size_t>(x.numel()) * itemsize(x.dtype()));
    return x;
  }
};
ADJ_OP(Zeros, "zeros(size: int[], *, dtype: dtype? = None) -> Tensor", R"(
A tensor of zeros of shape `size`.

>>> adjoint.zeros(2)
tensor([0., 0.])
)");

struct Ones : Factory {
  static Tensor forward(DimsView size, std::optional<DType> dtype) {
    return filled(size, int64_t{1}, dtype.value_or(default_dtype()));
  }
};
ADJ_OP(Ones, "ones(size: int[], *, dtype: dtype? = None) -> Tensor", R"(
A tensor of ones of shape `size`.

>>> adjoint.ones(2)
tensor([1., 1.])
)");

struct Full : Factory {
  static Tensor forward(DimsView size, Number value, std::optional<DType> dtype) {
    return filled(size, value.value, dtype.value_or(value.value.number_dtype()));
  }
};
ADJ_OP(Full, "full(size: int[], fill_value: Number, *, dtype: dtype? = None) -> Tensor", R"(
A tensor of shape `size`, every element `fill_value`, whose Python type sets the dtype.

>>> adjoint.full((2,), 7)
tensor([7, 7])
)");

// The *_like functions keep the memory order of a dense input.
Tensor like(const Tensor& x, DType dtype) {
  if (x.contiguous()) return empty(x.sizes(), dtype);
  int64_t span = 1;
  bool dense = true;
  for (int i = 0; i < x.dim(); ++i) {
    span += (x.size(i) - 1) * x.stride(i);
    dense = dense && x.stride(i) > 0;
  }
  return dense && span == x.numel() ? empty_strided(x.sizes(), x.strides(), dtype)
                                    : empty(x.sizes(), dtype);
}

struct LikeConstant : Constant {
  static Outs batch(Batch& b) { return b.run(); }
};

struct EmptyLike : LikeConstant {
  static constexpr bool is_method = false;
  static Tensor forward(Tensor x, std::optional<DType> dtype) {
    return like(x, dtype.value_or(x.dtype()));
  }
};
ADJ_OP(EmptyLike, "empty_like(input: Tensor, *, dtype: dtype? = None) -> Tensor", R"(
`empty` in the shape and dtype of `input`.

>>> adjoint.empty_like(adjoint.zeros(2, 3)).shape
torch.Size([2, 3])
)");

struct ZerosLike : LikeConstant {
  static constexpr bool is_method = false;
  static Tensor forward(Tensor x, std::optional<DType> dtype) {
    Tensor y = like(x, dtype.value_or(x.dtype()));
    memset(y.data(), 0, static_cast<size_t>(y.numel()) * itemsize(y.dtype()));
    return y;
  }
};
ADJ_OP(ZerosLike, "zeros_like(input: Tensor, *, dtype: dtype? = None) -> Tensor", R"(
Zeros in the shape and dtype of `input`.

>>> adjoint.zeros_like(adjoint.tensor([1, 2]))
tensor([0, 0])
)");

struct OnesLike : LikeConstant {
  static constexpr bool is_method = false;
  static Tensor forward(Tensor x, std::optional<DType> dtype) {
    Tensor y = like(x, dtype.value_or(x.dtype()));
    write_into(y, scalar_tensor(int64_t{1}, y.dtype()));
    return y;
  }
};
ADJ_OP(OnesLike, "ones_like(input: Tensor, *, dtype: dtype? = None) -> Tensor", R"(
Ones in the shape and dtype of `input`.

>>> adjoint.ones_like(adjoint.tensor([5., 6.]))
tensor([1., 1.])
)");

struct FullLike : LikeConstant {
  static constexpr bool is_method = false;
  static Tensor forward(Tensor x, Number value, std::optional<DType> dtype) {
    Tensor y = like(x, dtype.value_or(x.dtype()));
    put_number(y, value.value);
    return y;
  }
};
ADJ_OP(FullLike, "full_like(input: Tensor, fill_value: Number, *, dtype: dtype? = None) -> Tensor",
       R"(
A tensor in the shape and dtype of `input`, every element `fill_value`.

>>> adjoint.full_like(adjoint.zeros(2), 3)
tensor([3., 3.])
)");

template <class T>
void count_up(T* out, int64_t n, double start, double step) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(start + step * static_cast<double>(i));
}

Tensor arange(Number start, Number end, Number step, std::optional<DType> dtype) {
  bool real =
      start.value.tag == Tag::real || end.value.tag == Tag::real || step.value.tag == Tag::real;
  DType type = dtype.value_or(real ? default_dtype() : DType::i64);
  double a = start.real(), b = end.real(), s = step.real();
  if (s == 0) runtime_error("step must be nonzero");
  if (!std::isfinite(a) || !std::isfinite(b)) runtime_error("unsupported range: ", a, " -> ", b);
  if ((b - a) * s < 0)
    runtime_error("upper bound and lower bound inconsistent with step sign: from ", a, " to ", b,
                  " by ", s);
  if (!real) {
    int64_t from = start.integer(), by = step.integer(), to = end.integer();
    int64_t n = by > 0 ? (to - from + by - 1) / by : (from - to - by - 1) / -by;
    Tensor x = empty({n}, DType::i64);
    for (int64_t i = 0; i < n; ++i) x.data<int64_t>()[i] = from + i * by;
    return type == DType::i64 ? x : ops::to_dtype(x, type);
  }
  if (is_integral(type)) {
    double step_as_given = s, length = b - a;
    a = std::trunc(a), s = std::trunc(s);
    if (s == 0) runtime_error("step must be nonzero: ", step_as_given, " is 0 as an integer");
    // Only int64 rounds the end, too.
    if (type == DType::i64) length = std::trunc(b) - a, step_as_given = s;
    Tensor x =
        empty({std::max<int64_t>(static_cast<int64_t>(std::ceil(length / step_as_given)), 0)},
              DType::f64);
    count_up(x.data<double>(), x.numel(), a, s);
    return ops::to_dtype(x, type);
  }
  auto n = static_cast<int64_t>(std::ceil((b - a) / s));
  Tensor x = empty({n}, DType::f64);
  count_up(x.data<double>(), n, a, s);
  return type == DType::f64 ? x : ops::to_dtype(x, type);
}

struct ArangeEnd : Factory {
  static Tensor forward(Number end, std::optional<DType> dtype) {
    return arange({int64_t{0}}, end, {int64_t{1}}, dtype);
  }
};
ADJ_OP(ArangeEnd, "arange:end(end: Number, *, dtype: dtype? = None) -> Tensor", R"(
The numbers 0, 1, ... below `end`.

>>> adjoint.arange(3)
tensor([0, 1, 2])
)");

struct Arange : Factory {
  static Tensor forward(Number start, Number end, Number step, std::optional<DType> dtype) {
    return arange(start, end, step, dtype);
  }
};
ADJ_OP(Arange,
       "arange(start: Number, end: Number, step: Number = 1, *, dtype: dtype? = None) -> Tensor",
       R"(
The numbers `start`, `start + step`, ... before `end`.

>>> adjoint.arange(1, 2.5, 0.5)
tensor([1.0000, 1.5000, 2.0000])
)");

struct Linspace : Factory {
  static Tensor forward(Number start, Number end, int64_t steps, std::optional<DType> dtype) {
    if (steps < 0) runtime_error("number of steps must be non-negative, got ", steps);
    DType type = dtype.value_or(default_dtype());
    Tensor x = empty({steps}, DType::f64);
    double a = start.real(), b = end.real();
    if (is_integral(type)) a = std::trunc(a), b = std::trunc(b);
    double by = steps > 1 ? (b - a) / static_cast<double>(steps - 1) : 0;
    for (int64_t i = 0; i < steps; ++i)  // from both ends, so that the last is exact
      x.data<double>()[i] = i < steps / 2 || steps == 1
                                ? a + by * static_cast<double>(i)
                                : b - by * static_cast<double>(steps - 1 - i);
    return type == DType::f64 ? x : ops::to_dtype(x, type);
  }
};
ADJ_OP(Linspace,
       "linspace(start: Number, end: Number, steps: int, *, dtype: dtype? = None) -> Tensor", R"(
`steps` numbers evenly spaced from `start` to `end`, both included.

>>> adjoint.linspace(0, 1, 5)
tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
)");

struct Eye : Factory {
  static Tensor forward(int64_t n, std::optional<int64_t> m, std::optional<DType> dtype) {
    int64_t columns = m.value_or(n);
    if (n < 0) runtime_error("n must be greater or equal to 0, got ", n);
    if (columns < 0) runtime_error("m must be greater or equal to 0, got ", columns);
    Tensor x = ops::zeros(Dims{n, columns}, dtype.value_or(default_dtype()));
    Tensor diagonal = view_of(x, {{std::min(n, columns)}, {columns + 1}, 0});
    write_into(diagonal, scalar_tensor(int64_t{1}, x.dtype()));
    return x;
  }
};
ADJ_OP(Eye, "eye(n: int, m: int? = None, *, dtype: dtype? = None) -> Tensor", R"(
The identity matrix: ones on the diagonal of `n` rows and `m` (or `n`) columns.

>>> adjoint.eye(2)
tensor([[1., 0.],
        [0., 1.]])
)");

}  // namespace
}  // namespace adj
