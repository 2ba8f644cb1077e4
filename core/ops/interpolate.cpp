// Interpolation to another number of pixels: nearest, (bi-, tri-)linear, bicubic, antialiased.
#include <bit>

#include "ops/pool.h"
#include "ops/resample.h"

namespace adj {

namespace {

struct UpsampleNearest1dNode : Resample {};
ADJ_OP(UpsampleNearest1dNode,
       "_nodes.upsample_nearest1d:/UpsampleNearest1DBackward0(input: Tensor, maps: int[]) -> "
       "Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["upsample_nearest1d"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleNearest2dNode : Resample {};
ADJ_OP(UpsampleNearest2dNode,
       "_nodes.upsample_nearest2d:/UpsampleNearest2DBackward0(input: Tensor, maps: int[]) -> "
       "Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["upsample_nearest2d"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleNearest3dNode : Resample {};
ADJ_OP(UpsampleNearest3dNode,
       "_nodes.upsample_nearest3d:/UpsampleNearest3DBackward0(input: Tensor, maps: int[]) -> "
       "Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["upsample_nearest3d"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleNearestExact1dNode : Resample {};
ADJ_OP(UpsampleNearestExact1dNode,
       "_nodes._upsample_nearest_exact1d:/UpsampleNearestExact1DBackward0(input: Tensor, "
       "maps: int[]) -> Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["_upsample_nearest_exact1d"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleNearestExact2dNode : Resample {};
ADJ_OP(UpsampleNearestExact2dNode,
       "_nodes._upsample_nearest_exact2d:/UpsampleNearestExact2DBackward0(input: Tensor, "
       "maps: int[]) -> Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["_upsample_nearest_exact2d"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleNearestExact3dNode : Resample {};
ADJ_OP(UpsampleNearestExact3dNode,
       "_nodes._upsample_nearest_exact3d:/UpsampleNearestExact3DBackward0(input: Tensor, "
       "maps: int[]) -> Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["_upsample_nearest_exact3d"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleLinear1dNode : Resample {};
ADJ_OP(UpsampleLinear1dNode,
       "_nodes.upsample_linear1d:/UpsampleLinear1DBackward0(input: Tensor, maps: int[]) -> "
       "Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["upsample_linear1d"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleBilinear2dNode : Resample {};
ADJ_OP(UpsampleBilinear2dNode,
       "_nodes.upsample_bilinear2d:/UpsampleBilinear2DBackward0(input: Tensor, maps: int[]) "
       "-> Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["upsample_bilinear2d"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleTrilinear3dNode : Resample {};
ADJ_OP(UpsampleTrilinear3dNode,
       "_nodes.upsample_trilinear3d:/UpsampleTrilinear3DBackward0(input: Tensor, maps: "
       "int[]) -> Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["upsample_trilinear3d"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleBicubic2dNode : Resample {};
ADJ_OP(UpsampleBicubic2dNode,
       "_nodes.upsample_bicubic2d:/UpsampleBicubic2DBackward0(input: Tensor, maps: int[]) -> "
       "Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["upsample_bicubic2d"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleBilinear2dAaNode : Resample {};
ADJ_OP(UpsampleBilinear2dAaNode,
       "_nodes._upsample_bilinear2d_aa:/UpsampleBilinear2DAaBackward0(input: Tensor, maps: "
       "int[]) -> Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["_upsample_bilinear2d_aa"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

struct UpsampleBicubic2dAaNode : Resample {};
ADJ_OP(UpsampleBicubic2dAaNode,
       "_nodes._upsample_bicubic2d_aa:/UpsampleBicubic2DAaBackward0(input: Tensor, maps: "
       "int[]) -> Tensor",
       R"(
`_nodes.resample`.

>>> f = adjoint._core._namespaces["_nodes"]["_upsample_bicubic2d_aa"]
>>> f(adjoint.tensor([1., 3.]), [2, 4, 0, 0, 0, 0, 0])
tensor([1., 1., 3., 3.])
)");

const Fn nodes[] = {
    Fn{"_nodes.upsample_nearest1d"},        Fn{"_nodes.upsample_nearest2d"},
    Fn{"_nodes.upsample_nearest3d"},        Fn{"_nodes._upsample_nearest_exact1d"},
    Fn{"_nodes._upsample_nearest_exact2d"}, Fn{"_nodes._upsample_nearest_exact3d"},
    Fn{"_nodes.upsample_linear1d"},         Fn{"_nodes.upsample_bilinear2d"},
    Fn{"_nodes.upsample_trilinear3d"},      Fn{"_nodes.upsample_bicubic2d"},
    Fn{"_nodes._upsample_bilinear2d_aa"},   Fn{"_nodes._upsample_bicubic2d_aa"},
};

// Which node a mode has for so many dims, or null.
const Fn* node_of(Text mode, int nd, bool antialias) {
  if (mode == "nearest") return &nodes[nd - 1];
  if (mode == "nearest-exact") return &nodes[2 + nd];
  if (mode == "linear" && nd == 1) return &nodes[6];
  if (mode == "bilinear" && nd == 2) return &nodes[antialias ? 10 : 7];
  if (mode == "trilinear" && nd == 3) return &nodes[8];
  if (mode == "bicubic" && nd == 2) return &nodes[antialias ? 11 : 9];
  return nullptr;
}
MapKind kind_of(Text mode, bool antialias) {
  if (mode == "nearest") return MapKind::nearest;
  if (mode == "nearest-exact") return MapKind::nearest_exact;
  if (mode == "bicubic") return antialias ? MapKind::cubic_antialias : MapKind::cubic;
  return antialias ? MapKind::linear_antialias : MapKind::linear;
}

struct Interpolate : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, DimsView output_size, Text mode, bool align_corners,
                       bool antialias, std::optional<double> s0, std::optional<double> s1,
                       std::optional<double> s2) {
    int nd = x.dim() - 2;
    const Fn* node = nd >= 1 && nd <= 3 ? node_of(mode, nd, antialias) : nullptr;
    if (!node || output_size.size() != nd)
      fail(ErrorKind::not_implemented, "interpolate: mode '", mode, "' to size ", output_size,
           " is not for an input of shape ", x.sizes());
    const std::optional<double> scales[3] = {s0, s1, s2};
    Dims maps;
    for (int i = 0; i < nd; ++i) {
      if (x.size(i + 2) <= 0 || output_size[i] <= 0)
        runtime_error("Input and output sizes should be greater than 0, but got input (",
                      x.sizes().slice(2, nd), ") and output (", output_size, ")");
      for (int64_t v :
           {static_cast<int64_t>(kind_of(mode, antialias)), output_size[i],
            static_cast<int64_t>(align_corners), std::bit_cast<int64_t>(scales[i].value_or(0.0)),
            int64_t{0}, int64_t{0}, int64_t{0}})
        maps.push_back(v);
    }
    return (*node)(x, maps);
  }
};
ADJ_OP(Interpolate,
       "_nodes.interpolate(input: Tensor, output_size: int[], mode: str, align_corners: "
       "bool = False, antialias: bool = False, scale0: float? = None, scale1: float? = None, "
       "scale2: float? = None) -> Tensor",
       R"(
`nn.functional.interpolate` once the size of the result is known. Scales, where given, are used
instead of the quotients of the sizes. Bicubic: Keys, "Cubic convolution interpolation for digital
image processing", 1981, with a = -0.75 (-0.5 if antialiased).

>>> f = adjoint._core._namespaces["_nodes"]["interpolate"]
>>> f(adjoint.tensor([[[1., 3.]]]), [4], "linear", True)
tensor([[[1.0000, 1.6667, 2.3333, 3.0000]]])
)");

}  // namespace
}  // namespace adj
