// Max pooling: over regular and over adaptive windows.
#include "ops/fused_rule.h"
#include "ops/pool.h"

namespace adj {

namespace {

// Values, and where in the plane they are (int32): the maximum of each window.
struct MaxPool : FastRule {
  static constexpr uint32_t saves = output(1);

  static Outs forward(Tensor x, DimsView numbers) {
    if (x.dtype() == DType::b8 || is_complex(x.dtype()))
      fail(ErrorKind::not_implemented, "max pooling is not implemented for '",
           scalar_name_of(x.dtype()), "'");
    Windows w(x.sizes(), numbers);
    DType t = is_floating(x.dtype()) ? computed_in(x.dtype()) : DType::f64;
    Tensor in = cast(x, t);
    Dims sizes = w.result_sizes(x.sizes());
    Tensor y = empty(sizes, t), where = empty(sizes, DType::i32);
    max_pool(t, y.data(), where.data<int32_t>(), in.data(), w.planes(x.sizes()), w.dims());
    Outs outs = as_outs(cast(y, x.dtype()));
    outs.push_back(where);
    return outs;
  }
  static void vjp(Vjp& c) { put_at_maxima(c, c.arg<DimsView>(1).size() / kWindowNumbers); }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g(), where = c.out(1);
    DType t = g.dtype();
    if (computed_in(t) != t || c.like(0).dtype != t) return false;
    Windows w(c.like(0).sizes, c.arg<DimsView>(1));
    Tensor dx = empty(c.like(0).sizes, t);
    max_pool_backward(t, dx.data(), dense(g).data(), where.data<int32_t>(), w.planes(dx.sizes()),
                      w.dims());
    c.set(0, dx);
    return true;
  }
  static Outs jvp(Jvp& j) { return take_at_maxima(j, j.arg<DimsView>(1).size() / kWindowNumbers); }
  static Outs batch(Batch& b) { return b.run(); }
};

struct MaxPool2d : MaxPool {};
ADJ_OP(MaxPool2d,
       "_nodes.max_pool2d_with_indices:/MaxPool2DWithIndicesBackward0(input: Tensor, windows: "
       "int[]) -> Tensor[]",
       R"(
The largest value of each window and its position in the plane (int32), over the last dims.
`windows` holds six numbers for each of these: 0, how many windows, kernel, stride, padding,
dilation; or 1, how many, 0, 0, 0, 1 for adaptive ones.

>>> x = adjoint.tensor([[[1., 5., 2., 4.]]])
>>> adjoint._core._namespaces["_nodes"]["max_pool2d_with_indices"](x, [0, 2, 2, 2, 0, 1])[0]
tensor([[[5., 4.]]])
)");
struct MaxPool3d : MaxPool {};
ADJ_OP(MaxPool3d,
       "_nodes.max_pool3d_with_indices:/MaxPool3DWithIndicesBackward0(input: Tensor, windows: "
       "int[]) -> Tensor[]",
       R"(
As `max_pool2d_with_indices`.

>>> x = adjoint.tensor([[[1., 5., 2., 4.]]])
>>> adjoint._core._namespaces["_nodes"]["max_pool3d_with_indices"](x, [0, 2, 2, 2, 0, 1])[1]
tensor([[[1, 3]]], dtype=torch.int32)
)");
struct AdaptiveMaxPool2d : MaxPool {};
ADJ_OP(AdaptiveMaxPool2d,
       "_nodes.adaptive_max_pool2d:/AdaptiveMaxPool2DBackward0(input: Tensor, windows: int[]) -> "
       "Tensor[]",
       R"(
As `max_pool2d_with_indices`.

>>> x = adjoint.tensor([[[1., 5., 2., 4.]]])
>>> adjoint._core._namespaces["_nodes"]["adaptive_max_pool2d"](x, [1, 2, 0, 0, 0, 1])[0]
tensor([[[5., 4.]]])
)");
struct AdaptiveMaxPool3d : MaxPool {};
ADJ_OP(AdaptiveMaxPool3d,
       "_nodes.adaptive_max_pool3d:/AdaptiveMaxPool3DBackward0(input: Tensor, windows: int[]) -> "
       "Tensor[]",
       R"(
As `max_pool2d_with_indices`.

>>> x = adjoint.tensor([[[1., 5., 2., 4.]]])
>>> adjoint._core._namespaces["_nodes"]["adaptive_max_pool3d"](x, [1, 1, 0, 0, 0, 1])[0]
tensor([[[5.]]])
)");

const Fn max_pool2d_node{"_nodes.max_pool2d_with_indices"};
const Fn max_pool3d_node{"_nodes.max_pool3d_with_indices"};
const Fn adaptive_max_pool2d_node{"_nodes.adaptive_max_pool2d"};
const Fn adaptive_max_pool3d_node{"_nodes.adaptive_max_pool3d"};

Outs with_indices(Outs outs, bool wanted) {
  if (wanted) outs[1] = ops::to_dtype(outs[1], DType::i64);
  else outs.pop_back();
  return outs;
}

template <int nd>
constexpr const char* kMaxPool = nd == 1   ? "max_pool1d"
                                 : nd == 2 ? "max_pool2d"
                                           : "max_pool3d";

template <int nd>
Outs max_pooled(const Tensor& x, DimsView kernel, DimsView stride, DimsView padding,
                DimsView dilation, bool ceil_mode, bool return_indices) {
  PoolArgs a = pool_args(kMaxPool<nd>, x, nd, kernel, stride, padding, dilation, ceil_mode);
  const Fn& node = nd == 3 ? max_pool3d_node : max_pool2d_node;
  return with_indices(node.all(x, regular_windows(x, a)), return_indices);
}

template <int nd>
struct MaxPoolFunction : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, DimsView kernel, DimsView stride, DimsView padding,
                     DimsView dilation, bool ceil_mode, bool return_indices) {
    return max_pooled<nd>(x, kernel, stride, padding, dilation, ceil_mode, return_indices);
  }
};
template <int nd>
struct MaxPoolWithIndices : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, DimsView kernel, DimsView stride, DimsView padding,
                     DimsView dilation, bool ceil_mode, bool) {
    return max_pooled<nd>(x, kernel, stride, padding, dilation, ceil_mode, true);
  }
};
template <int nd>
struct MaxPoolPlain : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, DimsView kernel, DimsView stride, DimsView padding,
                     DimsView dilation, bool ceil_mode) {
    return max_pooled<nd>(x, kernel, stride, padding, dilation, ceil_mode, false);
  }
};

struct MaxPool1dFunction : MaxPoolFunction<1> {};
ADJ_OP(MaxPool1dFunction,
       "nn.functional.max_pool1d(input: Tensor, kernel_size: int[], stride: int[]? = None, "
       "padding: int[] = [0], dilation: int[] = [1], ceil_mode: bool = False, "
       "return_indices: bool = False) -> Tensor",
       R"(
The largest value in each window of an input [N, C, L] or [C, L]. Windows hold `kernel_size`
positions `dilation` apart and begin `stride` (by default `kernel_size`) apart; `padding` adds -inf
at both ends, at most half of a window. `ceil_mode` lets the last window reach beyond the end. With
`return_indices` also the position of each maximum in its plane, int64. A RuntimeError for
arguments that do not fit.

>>> adjoint.nn.functional.max_pool1d(adjoint.tensor([[1., 5., 2., 4.]]), 2)
tensor([[5., 4.]])
)");
struct MaxPool1dWithIndices : MaxPoolWithIndices<1> {};
ADJ_OP(MaxPool1dWithIndices,
       "nn.functional.max_pool1d_with_indices(input: Tensor, kernel_size: int[], stride: "
       "int[]? = None, padding: int[] = [0], dilation: int[] = [1], ceil_mode: bool = False, "
       "return_indices: bool = False) -> Tensor[]",
       R"(
`max_pool1d` with `return_indices=True`.

>>> adjoint.nn.functional.max_pool1d_with_indices(adjoint.tensor([[1., 5., 2., 4.]]), 2)[1]
tensor([[1, 3]])
)");
struct MaxPool1dPlain : MaxPoolPlain<1> {};
ADJ_OP(MaxPool1dPlain,
       "max_pool1d(input: Tensor, kernel_size: int[], stride: int[] = [], padding: int[] = "
       "[0], dilation: int[] = [1], ceil_mode: bool = False) -> Tensor",
       R"(
`nn.functional.max_pool1d`.

>>> adjoint.max_pool1d(adjoint.tensor([[1., 5., 2., 4.]]), 2)
tensor([[5., 4.]])
)");

struct MaxPool2dFunction : MaxPoolFunction<2> {};
ADJ_OP(MaxPool2dFunction,
       "nn.functional.max_pool2d(input: Tensor, kernel_size: int[], stride: int[]? = None, "
       "padding: int[] = [0], dilation: int[] = [1], ceil_mode: bool = False, "
       "return_indices: bool = False) -> Tensor",
       R"(
The largest value in each window of an input [N, C, H, W] or [C, H, W]. Windows hold `kernel_size`
positions `dilation` apart and begin `stride` (by default `kernel_size`) apart; `padding` adds -inf
at both ends, at most half of a window. `ceil_mode` lets the last window reach beyond the end. With
`return_indices` also the position of each maximum in its plane, int64. A RuntimeError for
arguments that do not fit.

>>> adjoint.nn.functional.max_pool2d(adjoint.arange(16.).view(1, 4, 4), 2)
tensor([[[ 5.,  7.],
         [13., 15.]]])
)");
struct MaxPool2dWithIndices : MaxPoolWithIndices<2> {};
ADJ_OP(MaxPool2dWithIndices,
       "nn.functional.max_pool2d_with_indices(input: Tensor, kernel_size: int[], stride: "
       "int[]? = None, padding: int[] = [0], dilation: int[] = [1], ceil_mode: bool = False, "
       "return_indices: bool = False) -> Tensor[]",
       R"(
`max_pool2d` with `return_indices=True`.

>>> adjoint.nn.functional.max_pool2d_with_indices(adjoint.arange(16.).view(1, 4, 4), 2)[1]
tensor([[[ 5,  7],
         [13, 15]]])
)");
struct MaxPool2dPlain : MaxPoolPlain<2> {};
ADJ_OP(MaxPool2dPlain,
       "max_pool2d(input: Tensor, kernel_size: int[], stride: int[] = [], padding: int[] = "
       "[0], dilation: int[] = [1], ceil_mode: bool = False) -> Tensor",
       R"(
`nn.functional.max_pool2d`.

>>> adjoint.max_pool2d(adjoint.arange(16.).view(1, 4, 4), 2)
tensor([[[ 5.,  7.],
         [13., 15.]]])
)");

struct MaxPool3dFunction : MaxPoolFunction<3> {};
ADJ_OP(MaxPool3dFunction,
       "nn.functional.max_pool3d(input: Tensor, kernel_size: int[], stride: int[]? = None, "
       "padding: int[] = [0], dilation: int[] = [1], ceil_mode: bool = False, "
       "return_indices: bool = False) -> Tensor",
       R"(
The largest value in each window of an input [N, C, D, H, W] or [C, D, H, W]. Windows hold
`kernel_size` positions `dilation` apart and begin `stride` (by default `kernel_size`) apart;
`padding` adds -inf at both ends, at most half of a window. `ceil_mode` lets the last window reach
beyond the end. With `return_indices` also the position of each maximum in its plane, int64. A
RuntimeError for arguments that do not fit.

>>> adjoint.nn.functional.max_pool3d(adjoint.arange(8.).view(1, 2, 2, 2), 2)
tensor([[[[7.]]]])
)");
struct MaxPool3dWithIndices : MaxPoolWithIndices<3> {};
ADJ_OP(MaxPool3dWithIndices,
       "nn.functional.max_pool3d_with_indices(input: Tensor, kernel_size: int[], stride: "
       "int[]? = None, padding: int[] = [0], dilation: int[] = [1], ceil_mode: bool = False, "
       "return_indices: bool = False) -> Tensor[]",
       R"(
`max_pool3d` with `return_indices=True`.

>>> adjoint.nn.functional.max_pool3d_with_indices(adjoint.arange(8.).view(1, 2, 2, 2), 2)[1]
tensor([[[[7]]]])
)");
struct MaxPool3dPlain : MaxPoolPlain<3> {};
ADJ_OP(MaxPool3dPlain,
       "max_pool3d(input: Tensor, kernel_size: int[], stride: int[] = [], padding: int[] = "
       "[0], dilation: int[] = [1], ceil_mode: bool = False) -> Tensor",
       R"(
`nn.functional.max_pool3d`.

>>> adjoint.max_pool3d(adjoint.arange(8.).view(1, 2, 2, 2), 2)
tensor([[[[7.]]]])
)");

struct MaxPool1dPlainWithIndices : MaxPoolWithIndices<1> {
  static Outs define(Tensor x, DimsView kernel, DimsView stride, DimsView padding,
                     DimsView dilation, bool ceil_mode) {
    return max_pooled<1>(x, kernel, stride, padding, dilation, ceil_mode, true);
  }
};
ADJ_OP(MaxPool1dPlainWithIndices,
       "max_pool1d_with_indices(input: Tensor, kernel_size: int[], stride: int[] = [], "
       "padding: int[] = [0], dilation: int[] = [1], ceil_mode: bool = False) -> Tensor[]",
       R"(
`nn.functional.max_pool1d_with_indices`.

>>> adjoint.max_pool1d_with_indices(adjoint.tensor([[1., 5., 2., 4.]]), 2)[1]
tensor([[1, 3]])
)");
template <int nd>
constexpr const char* kAdaptive = nd == 1   ? "adaptive_max_pool1d"
                                  : nd == 2 ? "adaptive_max_pool2d"
                                            : "adaptive_max_pool3d";
// One number for all dims, or one each. (None for the size of the input: in Python.)
template <int nd>
Outs adaptive_max_pooled(const Tensor& x, DimsView output_size, bool return_indices) {
  check_pool_input(kAdaptive<nd>, x, nd);
  Dims sizes = per_dim(kAdaptive<nd>, "output_size", output_size, nd);
  for (int64_t m : sizes)
    if (m < 0)
      runtime_error(kAdaptive<nd>, ": elements of output_size must not be negative, but got ",
                    DimsView(sizes));
  const Fn& node = nd == 3 ? adaptive_max_pool3d_node : adaptive_max_pool2d_node;
  return with_indices(node.all(x, adaptive_windows(sizes)), return_indices);
}
template <int nd>
struct AdaptiveMax : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, DimsView output_size, bool return_indices) {
    return adaptive_max_pooled<nd>(x, output_size, return_indices);
  }
};
template <int nd>
struct AdaptiveMaxWithIndices : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, DimsView output_size, bool) {
    return adaptive_max_pooled<nd>(x, output_size, true);
  }
};

struct AdaptiveMax1d : AdaptiveMax<1> {};
ADJ_OP(AdaptiveMax1d,
       "nn.functional.adaptive_max_pool1d(input: Tensor, output_size: int[], return_indices: "
       "bool = False) -> Tensor",
       R"(
The largest value in each of `output_size` windows that cover an input [N, C, L] or [C, L]
evenly: of n positions, window i of m has those from floor(i n / m) to ceil((i + 1) n / m). With
`return_indices` also the positions of the maxima in their planes, int64.

>>> adjoint.nn.functional.adaptive_max_pool1d(adjoint.tensor([[1., 5., 2., 4.]]), 2)
tensor([[5., 4.]])
)");
struct AdaptiveMax1dWithIndices : AdaptiveMaxWithIndices<1> {};
ADJ_OP(AdaptiveMax1dWithIndices,
       "nn.functional.adaptive_max_pool1d_with_indices(input: Tensor, output_size: int[], "
       "return_indices: bool = False) -> Tensor[]",
       R"(
`adaptive_max_pool1d` with `return_indices=True`.

>>> adjoint.nn.functional.adaptive_max_pool1d_with_indices(adjoint.tensor([[1., 5., 2., 4.]]), 2)[1]
tensor([[1, 3]])
)");

struct AdaptiveMax2d : AdaptiveMax<2> {};
ADJ_OP(AdaptiveMax2d,
       "nn.functional.adaptive_max_pool2d(input: Tensor, output_size: int[], return_indices: "
       "bool = False) -> Tensor",
       R"(
The largest value in each of `output_size` windows that cover an input [N, C, H, W] or [C, H, W]
evenly: of n positions, window i of m has those from floor(i n / m) to ceil((i + 1) n / m). With
`return_indices` also the positions of the maxima in their planes, int64.

>>> adjoint.nn.functional.adaptive_max_pool2d(adjoint.arange(16.).view(1, 4, 4), 1)
tensor([[[15.]]])
)");
struct AdaptiveMax2dWithIndices : AdaptiveMaxWithIndices<2> {};
ADJ_OP(AdaptiveMax2dWithIndices,
       "nn.functional.adaptive_max_pool2d_with_indices(input: Tensor, output_size: int[], "
       "return_indices: bool = False) -> Tensor[]",
       R"(
`adaptive_max_pool2d` with `return_indices=True`.

>>> adjoint.nn.functional.adaptive_max_pool2d_with_indices(adjoint.arange(16.).view(1, 4, 4), 1)[1]
tensor([[[15]]])
)");

struct AdaptiveMax3d : AdaptiveMax<3> {};
ADJ_OP(AdaptiveMax3d,
       "nn.functional.adaptive_max_pool3d(input: Tensor, output_size: int[], return_indices: "
       "bool = False) -> Tensor",
       R"(
The largest value in each of `output_size` windows that cover an input [N, C, D, H, W] or [C, D, H,
W] evenly: of n positions, window i of m has those from floor(i n / m) to ceil((i + 1) n / m). With
`return_indices` also the positions of the maxima in their planes, int64.

>>> adjoint.nn.functional.adaptive_max_pool3d(adjoint.arange(8.).view(1, 2, 2, 2), 1)
tensor([[[[7.]]]])
)");
struct AdaptiveMax3dWithIndices : AdaptiveMaxWithIndices<3> {};
ADJ_OP(AdaptiveMax3dWithIndices,
       "nn.functional.adaptive_max_pool3d_with_indices(input: Tensor, output_size: int[], "
       "return_indices: bool = False) -> Tensor[]",
       R"(
`adaptive_max_pool3d` with `return_indices=True`.

>>> x = adjoint.arange(8.).view(1, 2, 2, 2)
>>> adjoint.nn.functional.adaptive_max_pool3d_with_indices(x, 1)[1]
tensor([[[[7]]]])
)");

struct AdaptiveMax1dPlain : Composite {
  static constexpr bool is_method = false;
  static Outs define(Tensor x, DimsView output_size) {
    return adaptive_max_pooled<1>(x, output_size, true);
  }
};
ADJ_OP(AdaptiveMax1dPlain, "adaptive_max_pool1d(input: Tensor, output_size: int[]) -> Tensor[]", R"(
`nn.functional.adaptive_max_pool1d` with its indices.

>>> adjoint.adaptive_max_pool1d(adjoint.tensor([[1., 5., 2., 4.]]), 2)[1]
tensor([[1, 3]])
)");
}  // namespace
}  // namespace adj
