// beta * input + alpha * (a product): one pass over memory instead of three.
#include "ops/fused_rule.h"
#include "ops/matmul.h"
#include "ops/reduce.h"

namespace adj {

namespace {

Tensor t(const Tensor& x) { return ops::transpose(x, int64_t{-2}, int64_t{-1}); }
bool is_complex(const Number& n) { return n.value.tag == Tag::complex; }
Tensor times(const Tensor& x, const Number& n) {
  if (!is_complex(n)) return n.real() == 1 ? x : ops::mul(x, n);
  Tensor factor = empty({}, DType::c128);
  auto* parts = factor.data<double>();
  parts[0] = n.value.real_part();
  parts[1] = n.value.imag_part();
  return ops::mul(x, factor);
}

// P states the product: its sizes, the product itself on plain tensors and in operators, and the
// gradients left(g, b) and right(g, a) of its operands.
template <class P>
struct AddProduct : FusedRule {
  static constexpr bool in_place = true;
  static constexpr uint32_t reads[] = {0, input(2), input(1)};

  static Dims check(const Tensor& x, const Tensor& a, const Tensor& b) {
    Dims sizes = P::sizes(a, b);
    if (a.dtype() != b.dtype() || x.dtype() != a.dtype())
      runtime_error(P::name, ": ", a.dtype() != b.dtype() ? "mat1 and mat2" : "self and mat2",
                    " must have the same dtype, but got ",
                    scalar_name_of(a.dtype() != b.dtype() ? a.dtype() : x.dtype()), " and ",
                    scalar_name_of(b.dtype()));
    int extra = sizes.size() - x.dim();
    bool fits = extra >= 0;
    for (int i = 0; fits && i < x.dim(); ++i)
      fits = x.size(i) == 1 || x.size(i) == sizes[i + extra];
    if (!fits)
      runtime_error("The expanded size of the tensor must match the existing size: ", P::name,
                    " cannot add ", "an input of shape ", x.sizes(), " to a product of shape ",
                    sizes);
    return sizes;
  }
  static Tensor forward(Tensor x, Tensor a, Tensor b, Number beta, Number alpha) {
    Dims sizes = check(x, a, b);
    if (is_complex(alpha) || is_complex(beta)) {
      if (!is_complex(x.dtype()))
        runtime_error("For non-complex input tensors, argument ",
                      is_complex(alpha) ? "alpha" : "beta", " of ", P::name,
                      " must not be a complex number.");
      return define(x, a, b, beta, alpha);
    }
    DType type = product_dtype(P::name, x.dtype());
    if (type != x.dtype())
      return cast(forward(cast(x, type), cast(a, type), cast(b, type), beta, alpha), x.dtype());
    double by = beta.real(), product = alpha.real();
    Tensor y = empty(sizes, type);
    if (is_integral(type) && (beta.integer() != 1 || alpha.integer() != 1)) {
      // the integer kernels know no factors
      P::add(a, b, y, 1, 0);
      y = ops::mul(y, alpha.integer());
      return beta.integer() == 0 ? y : ops::add(y, ops::mul(x, beta.integer()));
    }
    if (is_integral(type)) by = product = 1;
    if (by != 0) write_into(y, x);
    P::add(a, b, y, product, by);
    return y;
  }
  static Tensor define(Tensor x, Tensor a, Tensor b, Number beta, Number alpha) {
    Dims sizes = check(x, a, b);
    Tensor y = times(P::product(a, b), alpha);
    return !is_complex(beta) && beta.real() == 0 ? y : ops::add(y, times(x, beta));
  }
  static void vjp(Vjp& c) {
    Tensor g = c.g();
    auto beta = c.arg<Number>(3), alpha = c.arg<Number>(4);
    if (c.needs(0)) c.set(0, sum_to(times(g, beta), c.like(0)));
    if (!c.needs(1) && !c.needs(2)) return;
    g = times(g, alpha);
    if (c.needs(1)) c.set(1, P::left(g, c.in(2)));
    if (c.needs(2)) c.set(2, P::right(g, c.in(1)));
  }
  static bool fast_vjp(Vjp&) { return false; }
};

struct AddmmProduct {
  static constexpr const char* name = "addmm";
  static Dims sizes(const Tensor& a, const Tensor& b) {
    if (a.dim() != 2 || b.dim() != 2)
      runtime_error("addmm: mat1 and mat2 must be matrices, got shapes ", a.sizes(), " and ",
                    b.sizes());
    if (a.size(1) != b.size(0))
      runtime_error("mat1 and mat2 shapes cannot be multiplied (", a.size(0), "x", a.size(1),
                    " and ", b.size(0), "x", b.size(1), ")");
    return {a.size(0), b.size(1)};
  }
  static void add(const Tensor& a, const Tensor& b, const Tensor& y, double alpha, double beta) {
    multiply(y.dtype(), matrix_of(a), matrix_of(b), y.data(), y.size(1), alpha, beta);
  }
  static Tensor product(const Tensor& a, const Tensor& b) { return ops::mm(a, b); }
  static Tensor left(const Tensor& g, const Tensor& b) { return ops::mm(g, t(b)); }
  static Tensor right(const Tensor& g, const Tensor& a) { return ops::mm(t(a), g); }
};
struct Addmm : AddProduct<AddmmProduct> {};
ADJ_OP(Addmm,
       "addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1) "
       "-> Tensor",
       R"(
`beta * input + alpha * (mat1 @ mat2)`: mat1 [n, m], mat2 [m, p], and an input that broadcasts to [n, p].
With `beta` 0 the input is not read.

>>> adjoint.addmm(adjoint.tensor([1., 2.]), adjoint.ones(1, 3), adjoint.ones(3, 2), beta=10)
tensor([[13., 23.]])
)");

struct AddmvProduct {
  static constexpr const char* name = "addmv";
  static Dims sizes(const Tensor& a, const Tensor& b) {
    if (a.dim() != 2 || b.dim() != 1)
      runtime_error("vector + matrix @ vector expected, got a matrix of ", a.dim(),
                    " and a vector of ", b.dim(), " dims");
    if (a.size(1) != b.size(0))
      runtime_error("size mismatch, got input (", a.size(0), "), mat (", a.size(0), "x", a.size(1),
                    "), vec (", b.size(0), ")");
    return {a.size(0)};
  }
  static void add(const Tensor& a, const Tensor& b, const Tensor& y, double alpha, double beta) {
    multiply(y.dtype(), matrix_of(a), column_of(b), y.data(), 1, alpha, beta);
  }
  static Tensor product(const Tensor& a, const Tensor& b) { return ops::mv(a, b); }
  static Tensor left(const Tensor& g, const Tensor& b) { return ops::outer(g, b); }
  static Tensor right(const Tensor& g, const Tensor& a) { return ops::mv(t(a), g); }
};
struct Addmv : AddProduct<AddmvProduct> {};
ADJ_OP(Addmv,
       "addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1) -> "
       "Tensor",
       R"(
`beta * input + alpha * (mat @ vec)`: mat [n, m], vec [m], and an input that broadcasts to [n].

>>> adjoint.addmv(adjoint.ones(2), adjoint.ones(2, 3), adjoint.ones(3), alpha=2)
tensor([7., 7.])
)");

struct BaddbmmProduct {
  static constexpr const char* name = "baddbmm";
  static Dims sizes(const Tensor& a, const Tensor& b) {
    if (a.dim() != 3 || b.dim() != 3)
      runtime_error("batch1 and batch2 must be 3D tensors, got shapes ", a.sizes(), " and ",
                    b.sizes());
    if (a.size(0) != b.size(0) || a.size(2) != b.size(1))
      runtime_error("Expected size for first two dimensions of batch2 tensor to be: [", a.size(0),
                    ", ", a.size(2), "] but got: [", b.size(0), ", ", b.size(1), "].");
    return {a.size(0), a.size(1), b.size(2)};
  }
  static void add(const Tensor& a, const Tensor& b, const Tensor& y, double alpha, double beta) {
    multiply_batched(a, b, y, alpha, beta);
  }
  static Tensor product(const Tensor& a, const Tensor& b) { return ops::bmm(a, b); }
  static Tensor left(const Tensor& g, const Tensor& b) { return ops::bmm(g, t(b)); }
  static Tensor right(const Tensor& g, const Tensor& a) { return ops::bmm(t(a), g); }
};
struct Baddbmm : AddProduct<BaddbmmProduct> {};
ADJ_OP(
    Baddbmm,
    "baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1)"
    " -> Tensor",
    R"(
`beta * input + alpha * (batch1 @ batch2)`: batches [b, n, m] and [b, m, p], and an input that broadcasts
to [b, n, p].

>>> adjoint.baddbmm(adjoint.zeros(1), adjoint.ones(2, 1, 3), adjoint.ones(2, 3, 1)).flatten()
tensor([3., 3.])
)");

struct AddrProduct {
  static constexpr const char* name = "addr";
  static Dims sizes(const Tensor& a, const Tensor& b) {
    if (a.dim() != 1 || b.dim() != 1)
      runtime_error("addr: Expected 1-D argument vec1 and vec2, but got ", a.dim(), "-D and ",
                    b.dim(), "-D");
    return {a.size(0), b.size(0)};
  }
  static void add(const Tensor& a, const Tensor& b, const Tensor& y, double alpha, double beta) {
    multiply(y.dtype(), column_of(a), row_of(b), y.data(), y.size(1), alpha, beta);
  }
  static Tensor product(const Tensor& a, const Tensor& b) { return ops::outer(a, b); }
  static Tensor left(const Tensor& g, const Tensor& b) { return ops::mv(g, b); }
  static Tensor right(const Tensor& g, const Tensor& a) { return ops::mv(t(g), a); }
};
struct Addr : AddProduct<AddrProduct> {};
ADJ_OP(Addr,
       "addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> "
       "Tensor",
       R"(
`beta * input + alpha * outer(vec1, vec2)`: vectors [n] and [m], and an input that broadcasts to [n, m].

>>> adjoint.addr(adjoint.zeros(2, 2), adjoint.tensor([1., 2.]), adjoint.tensor([1., 10.]))
tensor([[ 1., 10.],
        [ 2., 20.]])
)");

}  // namespace
}  // namespace adj
