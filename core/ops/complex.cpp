// Complex tensors: their parts, conjugates and phases. The gradient of a real number L by a complex
// z = x + iy is dL/dx + i dL/dy (twice the derivative by the conjugate of z), as in torch.
#include "ops/elementwise/forwarding.h"
#include "ops/elementwise/var.h"
#include "ops/kinds/elementwise.h"
#include "ops/shape.h"

namespace adj {

void conjugated_vjp(Vjp& c) {
  if (c.needs(0)) c.set(0, ops::conj(c.g()));
}
Outs conjugated_jvp(Jvp& j) { return as_outs(ops::conj(j.t(0))); }

namespace {

constexpr double kPi = 3.14159265358979323846;
const Fn conj_node{"_nodes.conj"}, sgn_node{"_nodes.sgn"};

struct Conj : Composite {
  static Tensor define(Tensor x) { return is_complex(x.dtype()) ? conj_node(x) : x; }
};
ADJ_OP(Conj, "conj(input: Tensor) -> Tensor", R"(
The complex conjugate of each element; of a real tensor the tensor itself.

>>> adjoint.conj(adjoint.tensor([1 + 2j]))
tensor([1.-2.j])
)");

struct ConjPhysicalOp : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) {
    if (!is_complex(a[0].tensor->dtype)) return a[0].as_tensor();
    return forward_to(conj_node, a, {a[0]});
  }
};
ADJ_OP(ConjPhysicalOp, "conj_physical(input: Tensor) -> Tensor", R"(
The same as `conj`.

>>> adjoint.conj_physical(adjoint.tensor([1 + 2j]))
tensor([1.-2.j])
)");

struct ResolveConj : Composite {
  static Tensor define(Tensor x) { return x; }
};
ADJ_OP(ResolveConj, "resolve_conj(input: Tensor) -> Tensor", R"(
The tensor itself: conjugates are computed at once.

>>> adjoint.resolve_conj(adjoint.tensor([1 + 2j]).conj())
tensor([1.-2.j])
)");
struct ResolveNeg : ResolveConj {};
ADJ_OP(ResolveNeg, "resolve_neg(input: Tensor) -> Tensor", R"(
The tensor itself: negatives are computed at once.

>>> adjoint.resolve_neg(adjoint.tensor([1 + 2j]).conj().imag)
tensor([-2.])
)");

struct Adjoint : Composite {
  static Tensor define(Tensor x) {
    if (x.dim() < 2)
      runtime_error("tensor.adjoint() is only supported on matrices or batches of matrices. Got ",
                    x.dim(), "-D tensor.");
    return ops::conj(ops::transpose(x, int64_t{-2}, int64_t{-1}));
  }
};
ADJ_OP(Adjoint, "adjoint(input: Tensor) -> Tensor", R"(
The conjugate of the transpose of the last two dims.

>>> adjoint.adjoint(adjoint.tensor([[1j, 2.]]))
tensor([[0.-1.j],
        [2.-0.j]])
)");

struct ViewAsReal : View {
  static DType dtype(DType t) { return real_of(t); }
  static Layout layout(Tensor x) {
    if (!is_complex(x.dtype())) runtime_error("view_as_real is only supported for complex tensors");
    Layout out{x->sizes, x->strides, x->offset * 2};
    for (auto& s : out.strides) s *= 2;
    out.sizes.push_back(2);
    out.strides.push_back(1);
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&) {
    return ops::view_as_complex(ops::contiguous(g));
  }
  static Outs batch(Batch& b) { return b.run(); }
};
ADJ_OP(ViewAsReal, "view_as_real(input: Tensor) -> Tensor", R"(
A complex tensor seen as a real one, with one more dim of size 2 behind the others: the real and the
imaginary parts. A RuntimeError for real tensors.

>>> adjoint.view_as_real(adjoint.tensor([1 + 2j]))
tensor([[1., 2.]])
)");

struct ViewAsComplex : View {
  static DType dtype(DType t) { return t == DType::f32 ? DType::c64 : DType::c128; }
  static Layout layout(Tensor x) {
    if (x.dtype() != DType::f32 && x.dtype() != DType::f64)
      runtime_error(
          "view_as_complex is only supported for floating point tensors (float32 and float64), but "
          "got a tensor of scalar type: ",
          scalar_name_of(x.dtype()));
    if (x.dim() == 0) runtime_error("Input tensor must have one or more dimensions");
    if (x.size(-1) != 2) runtime_error("Tensor must have a last dimension of size 2");
    if (x.stride(-1) != 1) runtime_error("Tensor must have a last dimension with stride 1");
    if (x->offset % 2) runtime_error("Tensor must have a storage_offset divisible by 2");
    Layout out{x->sizes, x->strides, x->offset / 2};
    out.sizes.pop_back();
    out.strides.pop_back();
    for (int i = 0; i < out.strides.size(); ++i) {
      if (out.strides[i] % 2 && out.sizes[i] > 1)
        runtime_error("Tensor must have a stride divisible by 2 for all but last dimension");
      out.strides[i] /= 2;
    }
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&) { return ops::view_as_real(g); }
  static Outs jvp(Jvp& j) { return as_outs(ops::view_as_complex(ops::contiguous(j.t(0)))); }
  static Outs batch(Batch& b) { return b.run(); }
};
ADJ_OP(ViewAsComplex, "view_as_complex(input: Tensor) -> Tensor", R"(
A real tensor whose last dim has size 2 seen as a complex one. A RuntimeError for other shapes, other
dtypes than float32 and float64, and layouts that complex numbers cannot have.

>>> adjoint.view_as_complex(adjoint.tensor([[1., 2.]]))
tensor([1.+2.j])
)");

struct Real : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x) {
    return is_complex(x.dtype()) ? ops::select(ops::view_as_real(x), int64_t{-1}, int64_t{0}) : x;
  }
};
ADJ_OP(Real, "real(input: Tensor) -> Tensor", R"(
The real parts, a view; of a real tensor the tensor itself.

>>> adjoint.real(adjoint.tensor([1 + 2j]))
tensor([1.])
)");

struct Imag : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x) {
    if (!is_complex(x.dtype()))
      runtime_error("imag is not implemented for tensors with non-complex dtypes.");
    return ops::select(ops::view_as_real(x), int64_t{-1}, int64_t{1});
  }
};
ADJ_OP(Imag, "imag(input: Tensor) -> Tensor", R"(
The imaginary parts, a view. A RuntimeError for real tensors.

>>> adjoint.imag(adjoint.tensor([1 + 2j]))
tensor([2.])
)");

struct ComplexOp : Linear {
  static constexpr uint32_t linear = 3;
  static constexpr bool is_method = false;
  static Tensor forward(Tensor re, Tensor im) {
    DType t = re.dtype();
    if ((t != DType::f32 && t != DType::f64) ||
        (im.dtype() != DType::f32 && im.dtype() != DType::f64))
      runtime_error("Expected both inputs to be Float or Double tensors but got ",
                    scalar_name_of(t), " and ", scalar_name_of(im.dtype()));
    if (im.dtype() != t)
      runtime_error("Expected object of scalar type ", scalar_name_of(t), " but got scalar type ",
                    scalar_name_of(im.dtype()), " for second argument");
    Dims sizes = broadcast_sizes(re.sizes(), im.sizes(), "complex");
    Tensor z = empty(sizes, t == DType::f32 ? DType::c64 : DType::c128);
    for (int part = 0; part < 2; ++part) {
      Layout layout{sizes, z->strides, part};
      for (auto& s : layout.strides) s *= 2;
      write_into(view_of(z, std::move(layout), t), part ? im : re);
    }
    return z;
  }
  static void transpose(Vjp& c) {
    Tensor parts = ops::view_as_real(c.g());
    for (int k = 0; k < 2; ++k)
      if (c.needs(k)) c.set(k, sum_to(ops::select(parts, int64_t{-1}, int64_t{k}), c.like(k)));
  }
  static Outs jvp(Jvp& j) {
    Tensor parts[2];
    for (int k = 0; k < 2; ++k) parts[k] = j.t(k).defined() ? j.t(k) : ops::zeros_like(j.in(k));
    return as_outs(ops::complex(parts[0], parts[1]));
  }
  static Outs batch(Batch& b) {
    int ndim = std::max(b.logical_dim(0), b.logical_dim(1));
    return as_outs(ops::complex(b.aligned(0, ndim), b.aligned(1, ndim)));
  }
};
ADJ_OP(ComplexOp, "complex(real: Tensor, imag: Tensor) -> Tensor", R"(
The complex numbers `real + 1j * imag`, broadcast. A RuntimeError unless both are float32 or both
float64.

>>> adjoint.complex(adjoint.tensor([1.]), adjoint.tensor([2.]))
tensor([1.+2.j])
)");

struct Polar : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor r, Tensor angle) {
    return ops::complex(ops::mul(r, ops::cos(angle)), ops::mul(r, ops::sin(angle)));
  }
};
ADJ_OP(Polar, "polar(abs: Tensor, angle: Tensor) -> Tensor", R"(
The complex numbers of absolute value `abs` and phase `angle` (in radians).

>>> adjoint.polar(adjoint.tensor([2.]), adjoint.tensor([0.]))
tensor([2.+0.j])
)");

struct Angle : Composite {
  static Tensor define(Tensor x) {
    if (is_complex(x.dtype())) return ops::atan2(ops::imag(x), ops::real(x));
    if (!is_differentiable(x.dtype())) x = ops::to_dtype(x, default_dtype());
    // NaN stays; the gradient is 0
    Tensor flat = ops::mul(ops::masked_fill(x, ops::isfinite(x), 0.0), 0.0);
    flat = ops::masked_fill(flat, ops::isinf(x), 0.0);
    return ops::masked_fill(flat, ops::lt(x, 0.0), kPi);
  }
};
ADJ_OP(Angle, "angle(input: Tensor) -> Tensor", R"(
The phase of each element, in radians, in (-pi, pi]; of real numbers 0, or pi where they are negative.

>>> adjoint.angle(adjoint.tensor([1j, -1.]))
tensor([1.5708, 3.1416])
)");

struct IsReal : Composite {
  static constexpr bool is_method = true;
  static Tensor define(Tensor x) {
    if (is_complex(x.dtype())) return ops::eq(ops::imag(x), 0.0);
    return ops::ones_like(x, DType::b8);
  }
};
ADJ_OP(IsReal, "isreal(input: Tensor) -> Tensor", R"(
Where the imaginary part is 0.

>>> adjoint.isreal(adjoint.tensor([1 + 0j, 1j]))
tensor([ True, False])
)");

struct Sgn : Composite {
  static constexpr bool in_place = true;
  static Tensor define(const Args& a) {
    Tensor x = a[0].as_tensor();
    if (!is_complex(x.dtype())) return forward_to(sgn_node, a, {a[0]});
    if (a.into) x = ops::clone(x);
    Tensor r = ops::abs(x), zero = ops::eq(r, 0.0);
    return ops::masked_fill(ops::div(x, ops::masked_fill(r, zero, 1.0)), zero, 0.0);
  }
};
ADJ_OP(Sgn, "sgn(input: Tensor) -> Tensor", R"(
Complex elements divided by their absolute value (0 stays 0); of real ones their `sign`.

>>> adjoint.sgn(adjoint.tensor([3 + 4j, 0.]))
tensor([0.6000+0.8000j, 0.0000+0.0000j])
)");

}  // namespace
}  // namespace adj
