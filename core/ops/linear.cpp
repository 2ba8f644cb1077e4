// The layers that are one matrix product: linear and bilinear.
#include <cstring>

#include "ops/fused_rule.h"
#include "ops/matmul.h"
#include "ops/reduce.h"

namespace adj {

namespace {

Tensor t(const Tensor& x) { return ops::transpose(x, int64_t{-2}, int64_t{-1}); }

int64_t rows_of(DimsView sizes) { return sizes.slice(0, sizes.size() - 1).product(); }
Tensor as_rows(const Tensor& x) { return ops::reshape(x, Dims{rows_of(x.sizes()), x.size(-1)}); }

// x [..., in] times weight [out, in] transposed, plus bias [out].
struct LinearNode : FusedRule {
  static constexpr uint32_t reads[] = {input(1), input(0), 0};

  static void check_operands(const TensorImpl* x, const TensorImpl* w, const TensorImpl* b) {
    if (x->dtype != w->dtype || (b && b->dtype != w->dtype))
      runtime_error("expected m1 and m2 to have the same dtype, but got: ", c_name_of(x->dtype),
                    " != ", c_name_of(x->dtype != w->dtype ? w->dtype : b->dtype),
                    ": linear takes an input, a weight "
                    "and a bias of one dtype");
    int64_t in = x->sizes.empty() ? 0 : x->sizes.back();
    if (x->sizes.empty() || in != w->sizes[1])
      runtime_error("mat1 and mat2 shapes cannot be multiplied (",
                    x->sizes.empty() ? 1 : rows_of(x->sizes), "x", in, " and ", w->sizes[1], "x",
                    w->sizes[0], "): linear got an input of shape ", x->sizes,
                    " and a weight of shape ", w->sizes);
  }
  static Tensor forward(const Args& args) {
    Tensor x = args[0].as_tensor(), w = args[1].as_tensor();
    TensorImpl* b = args[2].is_tensor() ? args[2].tensor : nullptr;
    check_operands(x.get(), w.get(), b);
    DType type = product_dtype("linear", x.dtype());
    bool halved = type != x.dtype();
    if (halved) {
      x = cast(x, type);
      w = cast(w, type);
    }
    int64_t out = w.size(0);
    Dims sizes = x->sizes;
    sizes[sizes.size() - 1] = out;
    Tensor y = empty(sizes, type);
    if (b) put_bias(y, Tensor(b));
    multiply(type, flattened(x), matrix_of(w).t(), y.data(), out, 1, b ? 1 : 0);
    return halved ? cast(y, args[0].tensor->dtype) : y;
  }
  static void put_bias(const Tensor& y, const Tensor& b) {
    if (b.dim() == 1 && b.size(0) == y.size(-1) && b.contiguous() && b.dtype() == y.dtype()) {
      size_t bytes = static_cast<size_t>(b.numel()) * itemsize(b.dtype());
      if (bytes == 0) return;
      size_t rows = static_cast<size_t>(y.numel() / b.numel());
      for (size_t i = 0; i < rows; ++i) memcpy(y.data() + i * bytes, b.data(), bytes);
      return;
    }
    if (!(DimsView(broadcast_sizes(b.sizes(), y.sizes())) == y.sizes()))
      runtime_error(
          "The expanded size of the tensor must match the existing size: a bias of shape ",
          b.sizes(), " cannot be added to ", y.sizes());
    write_into(y, b);
  }
  static Tensor define(Tensor x, Tensor w, Tensor b) {
    check_operands(x.get(), w.get(), b.get());
    Tensor y = ops::matmul(x, t(w));
    return b.defined() ? ops::add(y, b) : y;
  }
  static void vjp(Vjp& c) {
    Tensor g = c.g();
    if (c.needs(0)) c.set(0, ops::matmul(g, c.in(1)));
    if (c.needs(1)) {
      Tensor x = c.in(0);
      c.set(1, x.dim() == 1 ? ops::outer(g, x) : ops::mm(t(as_rows(g)), as_rows(x)));
    }
    if (c.needs(2)) c.set(2, sum_to(g, c.like(2)));
  }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g();
    DType type = g.dtype();
    if (computed_in(type) != type) return false;
    Matrix rows = flattened(g);
    if (c.needs(0)) {
      Tensor gx = empty(c.like(0).sizes, type);
      multiply(rows, matrix_of(c.in(1)), gx);
      c.set(0, gx);
    }
    if (c.needs(1)) {
      Tensor x = c.in(0), gw = empty(c.like(1).sizes, type);
      multiply(rows.t(), flattened(x), gw);
      c.set(1, gw);
    }
    if (c.needs(2)) {
      const TensorMeta& b = c.like(2);
      bool usual = b.sizes.size() == 1 && b.sizes[0] == g.size(-1);
      c.set(2, usual ? reduce_dims(Reduce::sum, g, all_dims(g.dim() - 1), false) : sum_to(g, b));
    }
    return true;
  }
};
ADJ_OP(LinearNode, "_nodes.linear(input: Tensor, weight: Tensor, bias: Tensor? = None) -> Tensor",
       R"(
`nn.functional.linear` of a weight [out, in].

>>> adjoint.nn.functional.linear(adjoint.ones(2), adjoint.tensor([[1., 2.]]))
tensor([3.])
)");

// The same, under the names that torch gives the nodes of matrices.
struct LinearAddmm : LinearNode {};
ADJ_OP(LinearAddmm, "_nodes.addmm(input: Tensor, weight: Tensor, bias: Tensor? = None) -> Tensor",
       R"(
`nn.functional.linear` of an input [n, in] with a bias.

>>> adjoint.nn.functional.linear(adjoint.ones(1, 2), adjoint.tensor([[1., 2.]]), adjoint.ones(1))
tensor([[4.]])
)");
struct LinearMm : LinearNode {};
ADJ_OP(LinearMm, "_nodes.mm(input: Tensor, weight: Tensor, bias: Tensor? = None) -> Tensor", R"(
`nn.functional.linear` of an input [n, in] without a bias.

>>> adjoint.nn.functional.linear(adjoint.ones(1, 2), adjoint.tensor([[1., 2.]]))
tensor([[3.]])
)");

const Fn linear_node{"_nodes.linear"}, addmm_node{"_nodes.addmm"}, mm_node{"_nodes.mm"};

struct LinearFunction : Composite {
  static Outs define(const Args& args) {
    if (args[1].tensor->sizes.size() == 1) {
      Tensor y = ops::matmul(args[0], args[1]);
      return as_outs(args[2].is_none() ? y : ops::add(y, args[2]));
    }
    if (args[1].tensor->sizes.size() != 2)
      runtime_error("linear: expected a weight of shape [out, in], got ", args[1].tensor->sizes);
    bool matrix = args[0].tensor->sizes.size() == 2;
    const Fn& node = !matrix ? linear_node : args[2].is_none() ? mm_node : addmm_node;
    return dispatch(node.op(), args.values);
  }
};
ADJ_OP(LinearFunction,
       "nn.functional.linear(input: Tensor, weight: Tensor, bias: Tensor? = None) -> Tensor", R"(
`input @ weight.T + bias`: input [..., in], weight [out, in], bias [out]; the result is [..., out].

>>> adjoint.nn.functional.linear(adjoint.ones(1, 2), adjoint.tensor([[1., 2.]]), adjoint.tensor([10.]))
tensor([[13.]])
)");

struct BilinearFunction : Composite {
  static Tensor define(Tensor x, Tensor y, Tensor w, Tensor b) {
    if (x.dim() == 0 || x.dim() != y.dim() || w.dim() != 3)
      runtime_error(
          "bilinear(): expected inputs [..., in1] and [..., in2] and a weight [out, in1, in2], "
          "got ",
          x.sizes(), ", ", y.sizes(), " and ", w.sizes());
    for (int i = 0; i + 1 < x.dim(); ++i)
      if (x.size(i) != y.size(i))
        runtime_error("bilinear(): input batch dimensions do not match at dim ", i, ": got ",
                      x.size(i), " and ", y.size(i));
    if (x.size(-1) != w.size(1) || y.size(-1) != w.size(2))
      runtime_error("bilinear(): inputs of sizes ", x.size(-1), " and ", y.size(-1),
                    " do not match a weight of shape ", w.sizes());
    int64_t n = rows_of(x.sizes()), out = w.size(0), in1 = w.size(1), in2 = w.size(2);
    // [n, in1] @ [in1, out * in2], then the products with y
    Tensor wide = ops::reshape(ops::transpose(w, int64_t{0}, int64_t{1}), Dims{in1, out * in2});
    Tensor z = ops::reshape(ops::mm(as_rows(x), wide), Dims{n, out, in2});
    z = ops::bmm(z, ops::unsqueeze(as_rows(y), int64_t{2}));  // [n, out, 1]
    Dims sizes = x->sizes;
    sizes[sizes.size() - 1] = out;
    z = ops::reshape(z, sizes);
    return b.defined() ? ops::add(z, b) : z;
  }
};
ADJ_OP(
    BilinearFunction,
    "nn.functional.bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor? = None)"
    " -> Tensor",
    R"(
`x weight[o] y + bias[o]` for each o: inputs [..., in1] and [..., in2], weight [out, in1, in2], bias
[out]; the result is [..., out].

>>> w = adjoint.ones(1, 2, 2)
>>> adjoint.nn.functional.bilinear(adjoint.tensor([1., 2.]), adjoint.tensor([3., 4.]), w)
tensor([21.])
)");

}  // namespace
}  // namespace adj
