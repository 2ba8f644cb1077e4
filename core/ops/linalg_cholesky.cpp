// Cholesky's factorisation, and what is solved with it.
#include "ops/linalg.h"

namespace adj {

namespace {

// The lower triangle, with half of the diagonal.
Tensor half_lower(const Tensor& x) {
  return ops::sub(lower_part(x), diagonal_matrix(ops::mul(diagonal_of(x), 0.5)));
}
// L^-1 X
Tensor solve_lower(const Tensor& l, const Tensor& x) { return ops::triangular(l, x, false); }

struct CholeskyNode : Rule {
  static constexpr uint32_t saves = output(0);

  static Outs forward(Tensor a, Text caller) {
    int64_t n = a.size(-1);
    Dims batch = batch_sizes(a);
    Outs outs{empty_columns(batch, n, n, a.dtype()), zero_info(batch)};
    Matrices matrices(a, batch);
    with_type(a.dtype(), [&]<class T>(T) {
      T* l = outs[0].data<T>();
      int* info = outs[1].data<int>();
      for_each_matrix(matrices.count(), n * n * n / 3, [&](int64_t i) {
        matrices.to_columns(i, l + i * n * n);
        info[i] = cholesky(as_int(n), l + i * n * n);
      });
    });
    check_info(outs[1], caller, Failure::cholesky);
    return outs;
  }
  static constexpr bool conjugates = true;
  // L^-H sym(half_lower(L^H gL)) L^-1: Murray, "Differentiation of the Cholesky decomposition"
  // (2016), eq. 9.
  static void vjp(Vjp& c) {
    if (!c.has_g(0)) return;
    Tensor l = c.out(0), lh = ht(l);
    Tensor p = symmetric(half_lower(ops::matmul(lh, c.g(0))));
    Tensor x = ops::triangular(lh, p, true);  // L^-H P
    c.set(0, mt(ops::triangular(mt(l), mt(x), true)));  // L^-H P L^-1
  }
  // L half_lower(L^-1 dA L^-H): eq. 8.
  static Outs jvp(Jvp& j) {
    Tensor l = j.outs[0], x = solve_lower(l, symmetric(j.t(0)));
    Outs outs(2);
    outs[0] = ops::matmul(l, half_lower(solve_lower(l, ht(x))));
    return outs;
  }
  static Outs batch(Batch& b) { return batch_in_front(b); }
};
ADJ_OP(CholeskyNode,
       "_nodes.linalg_cholesky_ex(A: Tensor, caller: str? = None) -> (Tensor L, Tensor info)", R"(
The lower factor behind `linalg.cholesky`; an error that names the caller, if there is one, instead
of a nonzero `info`.

>>> adjoint.linalg.cholesky(adjoint.tensor([[4.]]))
tensor([[2.]])
)");

const Fn cholesky_node{"_nodes.linalg_cholesky_ex"};

Outs cholesky_of(const Tensor& a, bool upper, const char* name, bool checked) {
  check_linalg_dtype(a, name);
  check_square(a, name);
  Outs outs = cholesky_node.all(upper ? ht(a) : a, checked ? Value(name) : Value());
  if (upper) outs[0] = ht(outs[0]);
  return outs;
}

struct LinalgCholesky : Composite {
  static Tensor define(Tensor a, bool upper) {
    return cholesky_of(a, upper, "linalg.cholesky", true)[0];
  }
};
ADJ_OP(LinalgCholesky, "linalg.cholesky(A: Tensor, *, upper: bool = False) -> Tensor", R"(
The lower triangular L with `A = L @ L.mH` of Hermitian (real: symmetric) positive-definite matrices
[..., n, n], or with `upper` the upper triangular U with `A = U.mH @ U`. Only that triangle of A is
read; the gradient is Hermitian (Murray 2016). A `LinAlgError` if a matrix is not positive-definite.

>>> adjoint.linalg.cholesky(adjoint.tensor([[4., 2.], [2., 5.]]))
tensor([[2., 0.],
        [1., 2.]])
)");

struct LinalgCholeskyEx : Composite {
  static Outs define(Tensor a, bool upper, bool check_errors) {
    return cholesky_of(a, upper, "linalg.cholesky_ex", check_errors);
  }
};
ADJ_OP(LinalgCholeskyEx,
       "linalg.cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> "
       "(Tensor L, Tensor info)",
       R"(
`linalg.cholesky` that reports in `info` (int32 [...]) which leading minor is not positive-definite
(0: all are) instead of raising.

>>> adjoint.linalg.cholesky_ex(adjoint.tensor([[1., 2.], [2., 1.]])).info
tensor(2, dtype=torch.int32)
)");

struct Cholesky : Composite {
  static Tensor define(Tensor a, bool upper) { return cholesky_of(a, upper, "cholesky", true)[0]; }
};
ADJ_OP(Cholesky, "cholesky(input: Tensor, upper: bool = False) -> Tensor", R"(
See `linalg.cholesky`.

>>> adjoint.cholesky(adjoint.tensor([[4., 2.], [2., 5.]]))
tensor([[2., 0.],
        [1., 2.]])
)");

struct CholeskySolve : Composite {
  static Tensor define(Tensor b, Tensor l, bool upper) {
    check_linalg_dtype(b, "cholesky_solve");
    check_matrix(b, "cholesky_solve", "B");
    check_square(l, "cholesky_solve");
    check_same_dtype(l, b, "cholesky_solve");
    if (l.size(-1) != b.size(-2))
      runtime_error("cholesky_solve: Incompatible matrix sizes for A and B: each A matrix is ",
                    l.size(-2), " by ", l.size(-1), " but each b matrix is ", b.size(-2), " by ",
                    b.size(-1));
    Tensor lower = upper ? ht(l) : l, higher = upper ? l : ht(l);
    return ops::triangular(higher, solve_lower(lower, b), true);
  }
};
ADJ_OP(CholeskySolve, "cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor", R"(
X with `A @ X = B`, given the factor L of Cholesky (`A = L @ L.mH`, or `L.mH @ L` if `upper`): L
[..., n, n], B [..., n, k].

>>> adjoint.cholesky_solve(adjoint.tensor([[8.]]), adjoint.tensor([[2.]]))
tensor([[2.]])
)");

struct CholeskyInverse : Composite {
  static Tensor define(Tensor l, bool upper) {
    check_linalg_dtype(l, "cholesky_inverse");
    check_square(l, "cholesky_inverse");
    Tensor w = solve_lower(upper ? ht(l) : l, identity(l.size(-1), l.dtype()));
    return ops::matmul(ht(w), w);
  }
};
ADJ_OP(CholeskyInverse, "cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor", R"(
The inverse of A given its factor L of Cholesky: [..., n, n].

>>> adjoint.cholesky_inverse(adjoint.tensor([[2.]]))
tensor([[0.2500]])
)");

}  // namespace
}  // namespace adj
