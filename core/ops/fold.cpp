// Windows of images as columns, and columns added up to images again.
#include "ops/pool.h"
#include "ops/shape.h"

namespace adj {

namespace {

struct Columns {
  Dims kernel, dilation, padding, stride, reach, count;

  Columns(const char* name, DimsView size, DimsView kernel_size, DimsView dilations,
          DimsView paddings, DimsView strides)
      : kernel(per_dim(name, "kernel_size", kernel_size, 2)),
        dilation(per_dim(name, "dilation", dilations, 2)),
        padding(per_dim(name, "padding", paddings, 2)),
        stride(per_dim(name, "stride", strides, 2)),
        reach(2),
        count(2) {
    for (int i = 0; i < 2; ++i) {
      if (kernel[i] <= 0 || dilation[i] <= 0 || stride[i] <= 0 || padding[i] < 0)
        runtime_error(name,
                      ": kernel_size, dilation and stride must be positive and padding not "
                      "negative, got ",
                      kernel, ", ", dilation, ", ", stride, " and ", padding);
      reach[i] = dilation[i] * (kernel[i] - 1) + 1;
      count[i] = (size[i] + 2 * padding[i] - reach[i]) / stride[i] + 1;
      if (size[i] + 2 * padding[i] < reach[i])
        runtime_error(name, ": given spatial size ", size, ", kernel_size ", kernel, ", dilation ",
                      dilation, ", padding ", padding, " and stride ", stride,
                      ", there is no window: its reach ", reach, " is too large");
    }
  }
  Dims edges() const { return {padding[1], padding[1], padding[0], padding[0]}; }
};

struct NnUnfold : Composite {
  static Tensor define(Tensor x, DimsView kernel, DimsView dilation, DimsView padding,
                       DimsView stride) {
    if (x.dim() != 3 && x.dim() != 4)
      runtime_error(
          "Expected 3D or 4D (batch mode) tensor for input with possibly 0 batch size and "
          "other non-zero dimensions for input, but got: ",
          x.sizes());
    Columns c("unfold", x.sizes().slice(x.dim() - 2, 2), kernel, dilation, padding, stride);
    Tensor in = x.dim() == 3 ? Tensor(ops::unsqueeze(x, int64_t{0})) : x;
    int64_t samples = in.size(0), channels = in.size(1);
    in = ops::constant_pad_nd(in, c.edges());
    for (int i = 0; i < 2; ++i) {
      in = ops::unfold(in, int64_t{2} + i, c.reach[i], c.stride[i]);
      if (c.dilation[i] > 1)
        in = ops::slice(in, int64_t{-1}, int64_t{0}, c.reach[i], c.dilation[i]);
    }
    // [N, C, rows, columns, KH, KW]
    in = ops::permute(in, Dims{0, 1, 4, 5, 2, 3});
    Tensor y = ops::reshape(
        in, Dims{samples, channels * c.kernel[0] * c.kernel[1], c.count[0] * c.count[1]});
    return x.dim() == 3 ? Tensor(ops::squeeze(y, int64_t{0})) : y;
  }
};
ADJ_OP(NnUnfold,
       "nn.functional.unfold(input: Tensor, kernel_size: int[], dilation: int[] = [1], padding: "
       "int[] = [0], stride: int[] = [1]) -> Tensor",
       R"(
The windows that a convolution sees, as columns: `input` [N, C, H, W] gives [N, C KH KW, L] for L
windows. `fold` adds them up again.

>>> adjoint.nn.functional.unfold(adjoint.arange(4.).view(1, 1, 2, 2), (1, 2))
tensor([[[0., 2.],
         [1., 3.]]])
)");

struct NnFold : Composite {
  static Tensor define(Tensor x, DimsView output_size, DimsView kernel, DimsView dilation,
                       DimsView padding, DimsView stride) {
    Dims size = per_dim("fold", "output_size", output_size, 2);
    Columns c("fold", size, kernel, dilation, padding, stride);
    if (x.dim() != 2 && x.dim() != 3)
      runtime_error(
          "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
          "non-zero dimensions for input, but got: ",
          x.sizes());
    Tensor in = x.dim() == 2 ? Tensor(ops::unsqueeze(x, int64_t{0})) : x;
    int64_t taps = c.kernel[0] * c.kernel[1], windows = c.count[0] * c.count[1];
    if (in.size(1) % taps)
      runtime_error(
          "Expected size of input's dimension 1 to be divisible by the product of "
          "kernel_size, but got input.size(1)=",
          in.size(1), " and kernel_size=", c.kernel);
    if (in.size(2) != windows)
      runtime_error("Given output_size=", size, ", kernel_size=", c.kernel,
                    ", dilation=", c.dilation, ", padding=", c.padding, ", stride=", c.stride,
                    ", expected size of input's dimension 2 to match the calculated number of "
                    "sliding blocks ",
                    c.count, ", but got input.size(2)=", in.size(2));
    int64_t samples = in.size(0), channels = in.size(1) / taps;
    in =
        ops::reshape(in, Dims{samples, channels, c.kernel[0], c.kernel[1], c.count[0], c.count[1]});
    in = ops::permute(in, Dims{0, 1, 4, 5, 2, 3});
    for (int i = 1; i >= 0; --i) {
      if (c.dilation[i] > 1) {  // zeros between the taps
        in = ops::constant_pad_nd(ops::unsqueeze(in, int64_t{-1}), Dims{0, c.dilation[i] - 1});
        in = ops::narrow(ops::flatten(in, int64_t{-2}, int64_t{-1}), int64_t{-1}, int64_t{0},
                         c.reach[i]);
      }
      Dims whole = in.sizes().slice(0, in.dim() - 1).copy();
      whole[2 + i] = size[i] + 2 * c.padding[i];
      in = ops::unfold_transpose(in, whole, int64_t{2} + i, c.reach[i], c.stride[i]);
    }
    in = ops::narrow(in, int64_t{2}, c.padding[0], size[0]);
    in = ops::contiguous(ops::narrow(in, int64_t{3}, c.padding[1], size[1]));
    return x.dim() == 2 ? Tensor(ops::squeeze(in, int64_t{0})) : in;
  }
};
ADJ_OP(
    NnFold,
    "nn.functional.fold(input: Tensor, output_size: int[], kernel_size: int[], dilation: int[] = "
    "[1], padding: int[] = [0], stride: int[] = [1]) -> Tensor",
    R"(
The columns of `unfold`, [N, C KH KW, L], added up where they overlap to images [N, C, *output_size].

>>> columns = adjoint.nn.functional.unfold(adjoint.ones(1, 1, 1, 3), (1, 2))
>>> adjoint.nn.functional.fold(columns, (1, 3), (1, 2))
tensor([[[[1., 2., 1.]]]])
)");

}  // namespace
}  // namespace adj
