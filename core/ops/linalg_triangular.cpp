// Systems with a triangular matrix.
#include "ops/linalg.h"

namespace adj {

namespace {

Tensor triangle(const Tensor& x, bool upper, bool unit) {
  return upper ? upper_part(x, unit ? 1 : 0) : lower_part(x, unit ? -1 : 0);
}
// (sum over the dims of the batch that were added) of x y^T
Tensor outer_product(const Tensor& x, const Tensor& y) { return ops::matmul(x, mt(y)); }

struct SolveTriangularNode : Rule {
  static constexpr uint32_t saves = input(0) | output(0);

  static Tensor forward(Tensor a, Tensor b, bool upper, bool unit) {
    Dims batch = broadcast_sizes(batch_sizes(a), batch_sizes(b));
    int64_t n = b.size(-2), k = b.size(-1);
    Tensor x = empty(with_sizes(batch, {n, k}), b.dtype());
    if (x.numel() == 0) return x;
    Matrices as(a, batch), bs(b, batch);
    with_type(x.dtype(), [&]<class T>(T) {
      for_each_matrix(bs.count(), n * n * k, [&](int64_t i) {
        T* out = x.data<T>() + i * n * k;
        bs.to_rows(i, out);
        solve_triangular(as_int(n), as_int(k),
                         Triangle<T>{as.at<T>(i), as.row_stride, as.column_stride, upper, unit},
                         out);
      });
    });
    return x;
  }
  // gB = A^-T g, gA = -gB X^T on the triangle: Giles (2008), 2.3.1.
  static void vjp(Vjp& c) {
    bool upper = c.arg<bool>(2), unit = c.arg<bool>(3);
    Tensor gb = ops::triangular(mt(c.in(0)), c.g(), !upper, unit);
    if (c.needs(1)) c.set(1, sum_to(gb, c.like(1)));
    if (c.needs(0)) {
      Tensor ga = triangle(ops::neg(outer_product(gb, c.out())), upper, unit);
      c.set(0, sum_to(ga, c.like(0)));
    }
  }
  static Outs jvp(Jvp& j) {
    bool upper = j.arg<bool>(2), unit = j.arg<bool>(3);
    Tensor a = j.in(0), x = j.outs[0], db = j.t(1), da = j.t(0);
    if (da.defined()) da = ops::matmul(triangle(da, upper, unit), x);
    Tensor d = minus(db, da);
    if (!(d.sizes() == x.sizes())) d = ops::expand(d, x.sizes());
    return as_outs(ops::triangular(a, d, upper, unit));
  }
  static Outs batch(Batch& b) { return batch_of_two(b); }
};
ADJ_OP(SolveTriangularNode,
       "_nodes.linalg_solve_triangular(A: Tensor, B: Tensor, upper: bool, unitriangular: bool = "
       "False) -> Tensor",
       R"(
A^-1 B with a triangular A [..., n, n] and B [..., n, k], behind `linalg.solve_triangular`.

>>> adjoint.linalg.solve_triangular(adjoint.tensor([[2.]]), adjoint.tensor([[4.]]), upper=True)
tensor([[2.]])
)");

Tensor solve(const Tensor& a, const Tensor& b, bool upper, bool left, bool unit, const char* name) {
  check_linalg_dtype(a, name);
  check_square(a, name);
  check_matrix(b, name, "B");
  check_same_dtype(a, b, name);
  if (left ? a.size(-2) != b.size(-2) : a.size(-1) != b.size(-1))
    runtime_error(name, ": Incompatible shapes of A and B for the equation ",
                  left ? "AX = B" : "XA = B", " (", a.size(-2), "x", a.size(-1), " and ",
                  b.size(-2), "x", b.size(-1), ")");
  return left ? ops::triangular(a, b, upper, unit)
              : mt(ops::triangular(mt(a), mt(b), !upper, unit));
}

struct SolveTriangular : Composite {
  static Tensor define(Tensor a, Tensor b, bool upper, bool left, bool unit) {
    return solve(a, b, upper, left, unit, "linalg.solve_triangular");
  }
};
ADJ_OP(SolveTriangular,
       "linalg.solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, "
       "unitriangular: bool = False) -> Tensor",
       R"(
X with `A @ X = B` (`X @ A = B` if not `left`), A [..., n, n] triangular, B [..., n, k]; batches
broadcast. Only the upper or lower triangle of A is read, of which the diagonal is taken as ones if
`unitriangular`. A zero on the diagonal gives infinities, not an error.

>>> A, B = adjoint.tensor([[2., 1.], [0., 4.]]), adjoint.tensor([[4.], [8.]])
>>> adjoint.linalg.solve_triangular(A, B, upper=True)
tensor([[1.],
        [2.]])
)");

struct TorchTriangularSolve : Composite {
  static Outs define(Tensor b, Tensor a, bool upper, bool transposed, bool unit) {
    Tensor of = transposed ? mt(a) : a;
    Tensor x = solve(of, b, upper != transposed, true, unit, "triangular_solve");
    return {x, ops::clone(a)};
  }
};
ADJ_OP(TorchTriangularSolve,
       "triangular_solve(b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, "
       "unitriangular: bool = False) -> (Tensor solution, Tensor cloned_coefficient)",
       R"(
The old form of `linalg.solve_triangular`: the solution of `A @ X = b` (of `A.mT @ X = b` if
`transpose`), and a copy of A.

>>> adjoint.triangular_solve(adjoint.tensor([[4.]]), adjoint.tensor([[2.]])).solution
tensor([[2.]])
)");

}  // namespace
}  // namespace adj
