// Padding, and the rearrangements of channels that networks use.
#include "ops/shape.h"

namespace adj {

namespace {

// Adds a constant: affine, not linear, so tangents are padded with zeros.
struct ConstantPadNd : Linear {
  static Tensor forward(Tensor x, DimsView pad, Number value) {
    int pairs = pad.size() / 2;
    if (pad.size() % 2)
      runtime_error("Length of pad must be even but instead it equals ", pad.size());
    if (pairs > x.dim())
      runtime_error(
          "Length of pad should be no more than twice the number of dimensions of the input. Pad "
          "length is ",
          pad.size(), " while the input has ", x.dim(), " dimensions.");
    Layout from = x.layout();
    Dims sizes = x.sizes().copy(), before(x.dim());
    for (auto& n : before) n = 0;
    for (int i = 0; i < pairs; ++i) {
      int d = x.dim() - 1 - i;
      int64_t low = pad[2 * i], high = pad[2 * i + 1];
      sizes[d] += low + high;
      if (sizes[d] < 0)
        runtime_error("The input size ", x.size(d), ", plus negative padding ", low, " and ", high,
                      ", resulted in a negative output size, which is invalid. Check dimension ", d,
                      " of your input.");
      before[d] = low;
      if (low < 0) from.offset -= low * from.strides[d];
      from.sizes[d] += std::min<int64_t>(low, 0) + std::min<int64_t>(high, 0);
      from.sizes[d] = std::max<int64_t>(from.sizes[d], 0);
    }
    bool zero = value.value.tag != Tag::complex && value.real() == 0;
    Tensor out = zero ? ops::zeros(sizes, x.dtype()) : ops::full(sizes, value, x.dtype());
    Layout to{from.sizes, out->strides, 0};
    for (int d = 0; d < x.dim(); ++d) to.offset += std::max<int64_t>(before[d], 0) * to.strides[d];
    write_into(view_of(out, std::move(to)), view_of(x, std::move(from)));
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, DimsView pad, Number) {
    Dims back = pad.copy();
    for (auto& n : back) n = -n;
    return ops::constant_pad_nd(g, back);
  }
  static Outs jvp(Jvp& j) { return as_outs(ops::constant_pad_nd(j.t(0), j.arg<DimsView>(1))); }
  static Outs batch(Batch& b) {
    if (b.arg<DimsView>(1).size() / 2 > b.logical_dim(0))
      runtime_error(
          "Length of pad should be no more than twice the number of dimensions of the input. Pad "
          "length is ",
          b.arg<DimsView>(1).size(), " while the input has ", b.logical_dim(0), " dimensions.");
    return b.run();
  }
};
ADJ_OP(ConstantPadNd, "constant_pad_nd(input: Tensor, pad: int[], value: Number = 0) -> Tensor", R"(
Padding with a constant. `pad` holds how many positions to add before and behind the last dim, then
the one before it, and so on; negative ones take positions away.

>>> adjoint.constant_pad_nd(adjoint.tensor([1, 2]), (1, 2))
tensor([0, 1, 2, 0, 0])
)");

void check_edges(int64_t n, int64_t low, int64_t high, Text mode, int d) {
  int64_t most = mode == "reflect" ? n - 1 : mode == "circular" ? n : std::max(low, high);
  if (low > most || high > most || n == 0)
    runtime_error(mode, " padding (", low, ", ", high, ") of dimension ", d, " of size ", n,
                  mode == "reflect"
                      ? ": Padding size should be less than the corresponding input dimension"
                      : ": Padding value causes wrapping around more than once");
  if (n + low + high < 0)
    runtime_error("padding (", low, ", ", high, ") leaves nothing of dimension ", d, " of size ",
                  n);
}

const Fn pad_edges{"_nodes.pad_edges"};
const Fn reflection_pad[] = {Fn{"_nodes.reflection_pad1d"}, Fn{"_nodes.reflection_pad2d"},
                             Fn{"_nodes.reflection_pad3d"}};
const Fn replication_pad[] = {Fn{"_nodes.replication_pad1d"}, Fn{"_nodes.replication_pad2d"},
                              Fn{"_nodes.replication_pad3d"}};

struct Pad : Composite {
  static Tensor define(Tensor x, DimsView pad, Text mode, std::optional<Number> value) {
    if (mode == "constant") return ops::constant_pad_nd(x, pad, value ? Value(*value) : Value(0));
    if (mode != "reflect" && mode != "replicate" && mode != "circular")
      fail(ErrorKind::not_implemented, "Unrecognised padding mode ", mode);
    if (value && value->real() != 0)
      runtime_error("Padding mode \"", mode, "\" doesn't take in value argument");
    if (pad.size() % 2 || pad.size() / 2 > x.dim())
      runtime_error("padding length must be even, and at most twice the number of dimensions: got ",
                    pad, " for a tensor of shape ", x.sizes());
    if (mode == "circular" &&
        std::any_of(pad.begin(), pad.end(), [](int64_t p) { return p < 0; })) {
      Dims cut, added;  // what is repeated is what the negative ones leave
      for (int64_t p : pad) {
        cut.push_back(std::min<int64_t>(p, 0));
        added.push_back(std::max<int64_t>(p, 0));
      }
      return define(ops::constant_pad_nd(x, cut), added, mode, {});
    }
    Tensor y = x;
    int nd = pad.size() / 2;
    for (int i = 0; i < nd; ++i)
      if (pad[2 * i] || pad[2 * i + 1])
        check_edges(x.size(-1 - i), pad[2 * i], pad[2 * i + 1], mode, x.dim() - 1 - i);
    int near = std::min(nd, 3);  // in one go
    for (int i = near; i < nd; ++i)
      y = ops::movedim(
          pad_edges(ops::movedim(y, Dims{-1 - i}, Dims{-1}), pad.slice(2 * i, 2), mode.data()),
          Dims{-1}, Dims{-1 - i});
    if (near)
      y = (mode == "circular"  ? pad_edges
           : mode == "reflect" ? reflection_pad[near - 1]
                               : replication_pad[near - 1])(y, pad.slice(0, 2 * near), mode.data());
    return y.same(x) ? ops::clone(x) : y;
  }
};
ADJ_OP(Pad,
       "nn.functional.pad(input: Tensor, pad: int[], mode: str = 'constant', value: Number? = "
       "None) -> Tensor",
       R"(
Padding of the last dims: `pad` holds how many positions to add before and behind the last dim, then
the one before it, and so on. Modes: "constant" (with `value`, 0 by default; negative pads crop),
"reflect", "replicate", "circular".

>>> adjoint.nn.functional.pad(adjoint.tensor([1, 2, 3]), (2, 1), mode="reflect")
tensor([3, 2, 1, 2, 3, 2])
)");

struct Glu : Composite {
  static Tensor define(Tensor x, int64_t dim) {
    if (x.dim() == 0) runtime_error("glu does not support 0-dimensional tensors");
    int d = normalize_dim(dim, x.dim());
    int64_t n = x.size(d);
    if (n % 2) runtime_error("Halving dimension must be even, but dimension ", d, " is size ", n);
    return ops::mul(ops::slice(x, d, 0, n / 2, 1), ops::sigmoid(ops::slice(x, d, n / 2, n, 1)));
  }
};
ADJ_OP(Glu, "nn.functional.glu(input: Tensor, dim: int = -1) -> Tensor", R"(
Gated linear unit: the first half of `dim` times the sigmoid of the second. (Dauphin et al.,
"Language modeling with gated convolutional networks", 2017.)

>>> adjoint.nn.functional.glu(adjoint.tensor([2., 0.]))
tensor([1.])
)");

// [..., c, h, w] with c = channels * r * r as [..., channels, r, r, h, w]
struct PixelShuffle : Composite {
  static Tensor define(Tensor x, int64_t r) {
    if (x.dim() < 3)
      runtime_error(
          "pixel_shuffle expects input to have at least 3 dimensions, but got input with ", x.dim(),
          " dimension(s)");
    if (r <= 0) runtime_error("pixel_shuffle expects a positive upscale_factor, but got ", r);
    int64_t c = x.size(-3), h = x.size(-2), w = x.size(-1);
    if (c % (r * r))
      runtime_error(
          "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
          "upscale_factor, but input.size(-3)=",
          c, " is not divisible by ", r * r);
    int n = x.dim() - 3;
    Dims front;
    front.append(x.sizes().begin(), x.sizes().begin() + n);
    Dims apart = front, together = front, order;
    for (int64_t s : {c / (r * r), r, r, h, w}) apart.push_back(s);
    for (int64_t s : {c / (r * r), h * r, w * r}) together.push_back(s);
    for (int i = 0; i < n; ++i) order.push_back(i);
    for (int i : {0, 3, 1, 4, 2}) order.push_back(n + i);
    return ops::reshape(ops::permute(ops::reshape(x, apart), order), together);
  }
};
ADJ_OP(PixelShuffle, "pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor", R"(
Images [..., c r^2, h, w] as [..., c, h r, w r]: groups of r^2 channels become squares of r x r
pixels. (Shi et al., "Real-time single image and video super-resolution", 2016.)

>>> adjoint.pixel_shuffle(adjoint.arange(4).view(4, 1, 1), 2)
tensor([[[0, 1],
         [2, 3]]])
)");

struct PixelUnshuffle : Composite {
  static Tensor define(Tensor x, int64_t r) {
    if (x.dim() < 3)
      runtime_error(
          "pixel_unshuffle expects input to have at least 3 dimensions, but got input with ",
          x.dim(), " dimension(s)");
    if (r <= 0) runtime_error("pixel_unshuffle expects a positive downscale_factor, but got ", r);
    int64_t c = x.size(-3), h = x.size(-2), w = x.size(-1);
    if (h % r || w % r)
      runtime_error(
          "pixel_unshuffle expects height and width to be divisible by downscale_factor, but ", h,
          " x ", w, " is not divisible by ", r);
    int n = x.dim() - 3;
    Dims front;
    front.append(x.sizes().begin(), x.sizes().begin() + n);
    Dims apart = front, together = front, order;
    for (int64_t s : {c, h / r, r, w / r, r}) apart.push_back(s);
    for (int64_t s : {c * r * r, h / r, w / r}) together.push_back(s);
    for (int i = 0; i < n; ++i) order.push_back(i);
    for (int i : {0, 2, 4, 1, 3}) order.push_back(n + i);
    return ops::reshape(ops::permute(ops::reshape(x, apart), order), together);
  }
};
ADJ_OP(PixelUnshuffle, "pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor", R"(
The inverse of `pixel_shuffle`: squares of r x r pixels become r^2 channels.

>>> adjoint.pixel_unshuffle(adjoint.arange(4).view(1, 2, 2), 2).flatten()
tensor([0, 1, 2, 3])
)");

struct PixelShuffleLayer : PixelShuffle {};
ADJ_OP(PixelShuffleLayer,
       "nn.functional.pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor", R"(
See `adjoint.pixel_shuffle`.

>>> adjoint.nn.functional.pixel_shuffle(adjoint.zeros(4, 1, 1), 2).shape
torch.Size([1, 2, 2])
)");
struct PixelUnshuffleLayer : PixelUnshuffle {};
ADJ_OP(PixelUnshuffleLayer,
       "nn.functional.pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor", R"(
See `adjoint.pixel_unshuffle`.

>>> adjoint.nn.functional.pixel_unshuffle(adjoint.zeros(1, 2, 2), 2).shape
torch.Size([4, 1, 1])
)");

struct LinalgCross : Composite {
  static Tensor define(Tensor x, Tensor y, int64_t dim) {
    if (x.dim() != y.dim())
      runtime_error("linalg.cross: inputs must have the same number of dimensions, got ", x.dim(),
                    " and ", y.dim());
    int d = normalize_dim(dim, x.dim());
    if (x.dim() == 0 || x.size(d) != 3 || y.size(d) != 3)
      runtime_error("linalg.cross: inputs dimension ", dim, " must have length 3. Got shapes ",
                    x.sizes(), " and ", y.sizes());
    auto turned = [d](const Tensor& v, int64_t by) {
      return ops::roll(v, DimsView(&by, 1), Dims{d});
    };
    return ops::sub(ops::mul(turned(x, 2), turned(y, 1)), ops::mul(turned(x, 1), turned(y, 2)));
  }
};
ADJ_OP(LinalgCross, "linalg.cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor", R"(
Cross product of vectors of three components along `dim`; other dims broadcast.

>>> adjoint.linalg.cross(adjoint.tensor([1, 0, 0]), adjoint.tensor([0, 1, 0]))
tensor([0, 0, 1])
)");
struct Cross : Composite {
  static Tensor define(Tensor x, Tensor y, std::optional<int64_t> dim) {
    int d = -1;
    if (dim) d = static_cast<int>(*dim);
    else
      for (d = 0; d < x.dim() && x.size(d) != 3;) ++d;
    if (!dim && d == x.dim())
      runtime_error("no dimension of size 3 in input, whose shape is ", x.sizes());
    return LinalgCross::define(x, y, d);
  }
};
ADJ_OP(Cross, "cross(input: Tensor, other: Tensor, dim: int? = None) -> Tensor", R"(
Cross product of vectors of three components along `dim`, by default the first dim of size 3.

>>> adjoint.cross(adjoint.tensor([1, 0, 0]), adjoint.tensor([0, 1, 0]))
tensor([0, 0, 1])
)");

}  // namespace
}  // namespace adj
