// LDL factorisations of symmetric matrices that need not be positive-definite.
#include "ops/linalg.h"

namespace adj {

namespace {

struct LdlFactorNode : Rule {
  static Outs forward(Tensor a, Text caller, bool hermitian) {
    int64_t n = a.size(-1);
    Dims batch = batch_sizes(a);
    Outs outs{empty_columns(batch, n, n, a.dtype()), empty(with_sizes(batch, {n}), DType::i32),
              zero_info(batch)};
    Matrices matrices(a, batch);
    if (n == 0) return outs;
    with_type(a.dtype(), [&]<class T>(T) {
      const Lapack<T>& lapack = lapack_of<T>();
      for_each_matrix(matrices.count(), n * n * n / 3, [&](int64_t i) {
        int order = as_int(n), lwork = as_int(64 * n);
        Tensor work = empty(Dims{lwork}, a.dtype());
        T* ld = outs[0].data<T>() + i * n * n;
        matrices.to_columns(i, ld);
        auto factor = hermitian ? lapack.hetrf : lapack.sytrf;
        factor("L", &order, ld, &order, outs[1].data<int>() + i * n, work.data<T>(), &lwork,
               outs[2].data<int>() + i, 1);
        for (int64_t c = 1; c < n; ++c)
          for (int64_t r = 0; r < c; ++r) ld[c * n + r] = 0;
      });
    });
    check_info(outs[2], caller, Failure::ldl);
    return outs;
  }
  static void vjp(Vjp&) {
    fail(ErrorKind::not_implemented,
         "the derivative of linalg.ldl_factor is not defined: use linalg.solve");
  }
  static Outs batch(Batch& b) { return batch_in_front(b); }
};
ADJ_OP(LdlFactorNode,
       "_nodes.linalg_ldl_factor_ex(A: Tensor, caller: str? = None, hermitian: bool = False) -> "
       "(Tensor LD, Tensor pivots, Tensor info)",
       R"(
The factors behind `linalg.ldl_factor`.

>>> adjoint.linalg.ldl_factor(adjoint.eye(1)).LD
tensor([[1.]])
)");
const Fn factor_node{"_nodes.linalg_ldl_factor_ex"}, solve_node{"_nodes.linalg_ldl_solve"};

Outs factors_of(const Tensor& a, bool hermitian, const char* name, bool checked) {
  check_linalg_dtype(a, name);
  check_square(a, name);
  return factor_node.all(a, checked ? Value(name) : Value(), hermitian);
}

struct LdlFactor : Composite {
  static Outs define(Tensor a, bool hermitian) {
    Outs outs = factors_of(a, hermitian, "linalg.ldl_factor", true);
    outs.pop_back();
    return outs;
  }
};
ADJ_OP(LdlFactor,
       "linalg.ldl_factor(A: Tensor, *, hermitian: bool = False) -> (Tensor LD, Tensor pivots)", R"(
Bunch and Kaufman's factorisation of symmetric matrices [..., n, n], of which the lower triangle is
read, for `linalg.ldl_solve`; of Hermitian ones if `hermitian`. Without a derivative.

>>> adjoint.linalg.ldl_factor(adjoint.tensor([[2., 1.], [1., 1.]])).LD
tensor([[2.0000, 0.0000],
        [0.5000, 0.5000]])
)");

struct LdlFactorEx : Composite {
  static Outs define(Tensor a, bool hermitian, bool check_errors) {
    return factors_of(a, hermitian, "linalg.ldl_factor_ex", check_errors);
  }
};
ADJ_OP(LdlFactorEx,
       "linalg.ldl_factor_ex(A: Tensor, *, hermitian: bool = False, check_errors: bool = False) -> "
       "(Tensor LD, Tensor pivots, Tensor info)",
       R"(
`linalg.ldl_factor` that reports in `info` (int32 [...]) the first pivot that is zero (0: none is)
instead of raising.

>>> adjoint.linalg.ldl_factor_ex(adjoint.eye(1)).info
tensor(0, dtype=torch.int32)
)");

// A is symmetric or Hermitian, so the gradient of B is another solution.
struct LdlSolveNode : Rule {
  static constexpr uint32_t saves = input(0) | input(1);

  static Tensor forward(Tensor ld, Tensor pivots, Tensor b, bool hermitian) {
    int64_t n = b.size(-2), k = b.size(-1);
    Dims batch = broadcast_sizes(batch_sizes(ld), batch_sizes(b));
    Tensor x = empty_columns(batch, n, k, b.dtype());
    if (x.numel() == 0) return x;
    Tensor rows = ops::contiguous_copy(ops::unsqueeze(pivots, int64_t{-2}));
    Matrices lds(ld, batch), bs(b, batch), ps(rows, batch);
    with_type(b.dtype(), [&]<class T>(T) {
      const Lapack<T>& lapack = lapack_of<T>();
      for_each_matrix(bs.count(), n * n * k, [&](int64_t i) {
        int order = as_int(n), count = as_int(k), info = 0;
        Tensor copy = empty(Dims{n, n}, b.dtype());
        lds.to_columns(i, copy.data<T>());
        T* out = x.data<T>() + i * n * k;
        bs.to_columns(i, out);
        auto solve = hermitian ? lapack.hetrs : lapack.sytrs;
        solve("L", &order, &count, copy.data<T>(), &order, ps.at<int>(i), out, &order, &info, 1);
      });
    });
    return x;
  }
  static void vjp(Vjp& c) {
    if (c.needs(0))
      fail(
          ErrorKind::not_implemented,
          "the derivative of linalg.ldl_solve with respect to LD is not defined: use linalg.solve");
    if (!c.needs(2)) return;
    bool hermitian = c.arg<bool>(3);
    // the kind takes the conjugates that a symmetric matrix needs; a Hermitian one needs none
    Tensor g = hermitian ? conj_of(c.g()) : c.g();
    Tensor gb = solve_node(c.in(0), c.in(1), g, hermitian);
    c.set(2, sum_to(hermitian ? conj_of(gb) : gb, c.like(2)));
  }
};
ADJ_OP(LdlSolveNode,
       "_nodes.linalg_ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, hermitian: bool = False) -> "
       "Tensor",
       R"(
The solution behind `linalg.ldl_solve`.

>>> adjoint.linalg.ldl_solve(*adjoint.linalg.ldl_factor(adjoint.eye(1)), adjoint.ones(1, 1))
tensor([[1.]])
)");

struct LdlSolve : Composite {
  static Tensor define(Tensor ld, Tensor pivots, Tensor b, bool hermitian) {
    const char* name = "linalg.ldl_solve";
    check_linalg_dtype(ld, name);
    check_square(ld, name, "LD");
    check_matrix(b, name, "B");
    check_same_dtype(ld, b, name);
    if (pivots.dtype() != DType::i32)
      runtime_error(name, ": Expected pivots to be int32. Got ", scalar_name_of(pivots.dtype()));
    if (ld.size(-1) != b.size(-2))
      runtime_error(name, ": Incompatible shapes of A and B for the equation AX = B (", ld.size(-2),
                    "x", ld.size(-1), " and ", b.size(-2), "x", b.size(-1), ")");
    return solve_node(ld, pivots, b, hermitian);
  }
};
ADJ_OP(
    LdlSolve,
    "linalg.ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor",
    R"(
X with `A @ X = B` from what `linalg.ldl_factor(A)` gave: LD [..., n, n], pivots [..., n], B [...,
n, k]. Differentiable in B.

>>> LD, pivots = adjoint.linalg.ldl_factor(adjoint.tensor([[2., 1.], [1., 1.]]))
>>> adjoint.linalg.ldl_solve(LD, pivots, adjoint.tensor([[3.], [2.]]))
tensor([[1.],
        [1.]])
)");

}  // namespace
}  // namespace adj
