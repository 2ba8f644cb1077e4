// Eigenvalues and eigenvectors of symmetric and Hermitian matrices.
#include <cmath>

#include "ops/linalg.h"

namespace adj {

namespace {

// Eigenvectors differ by l_j - l_i; ones on the diagonal, which is masked.
Tensor gaps(const Tensor& l) {
  Tensor e = ops::sub(row(l), column(l));
  return ops::masked_fill(e, diagonal_mask(l.size(-1)), 1.0);
}
Tensor off_diagonal(const Tensor& x) { return ops::masked_fill(x, diagonal_mask(x.size(-1)), 0.0); }

struct EighNode : Rule {
  static constexpr uint32_t saves = input(0) | output(0) | output(1);

  static Outs forward(Tensor a, bool upper, bool vectors, Text name) {
    int64_t n = a.size(-1);
    Dims batch = batch_sizes(a);
    Outs outs{empty(with_sizes(batch, {n}), real_of(a.dtype())),
              vectors ? empty_columns(batch, n, n, a.dtype()) : empty(Dims{0}, a.dtype())};
    Tensor info = zero_info(batch);
    Tensor scratch = vectors ? outs[1] : empty_columns(batch, n, n, a.dtype());
    if (n == 0) return outs;
    Matrices matrices(a, batch);
    with_type(a.dtype(), [&]<class T>(T) {
      const Lapack<T>& lapack = lapack_of<T>();
      int order = as_int(n), lwork = -1, lrwork = -1, liwork = -1, least_int = 0, failed = 0;
      T least = 0;
      RealOf<T> least_real = 0;
      const char* job = vectors ? "V" : "N";
      // of real matrices the transpose is taken, which is the same and a plain copy
      const char* part = upper == kIsComplex<T> ? "U" : "L";
      RealOf<T>* l = outs[0].data<RealOf<T>>();
      T* v = scratch.data<T>();
      lapack.syevd(job, part, &order, v, &order, l, &least, &lwork, &least_real, &lrwork,
                   &least_int, &liwork, &failed, 1, 1);
      lwork = static_cast<int>(std::real(least));
      lrwork = static_cast<int>(least_real);
      liwork = least_int;
      for_each_matrix(matrices.count(), 10 * n * n * n, [&](int64_t i) {
        Tensor work = empty(Dims{lwork}, a.dtype()), ints = empty(Dims{liwork}, DType::i32);
        Tensor reals = real_work<T>(lrwork, a.dtype());
        T* mine = v + i * n * n;
        if constexpr (kIsComplex<T>) matrices.to_columns(i, mine);
        else matrices.to_rows(i, mine);
        lapack.syevd(job, part, &order, mine, &order, l + i * n, work.data<T>(), &lwork,
                     data_of<T>(reals), &lrwork, ints.data<int>(), &liwork, info.data<int>() + i, 1,
                     1);
        if (!std::isfinite(l[i * n])) info.data<int>()[i] = order;  // NaN goes through unnoticed
      });
    });
    check_info(info, name, Failure::eigh);
    return outs;
  }
  static constexpr bool conjugates = true;
  // The Hermitian part of V (diag(gL) + (V^H gV) / E) V^H with E_ij = l_j - l_i: Giles (2008), 3.1.
  static void vjp(Vjp& c) {
    Tensor l = c.out(0), v = c.out(1), inner;
    if (!c.arg<bool>(2)) {
      if (!c.has_g(0)) return;
      v = ops::eigh.all(c.in(0), c.arg<bool>(1), true)[1];
    } else if (c.has_g(1)) {
      Tensor turn = ops::matmul(ht(v), c.g(1));
      check_phases(turn, "linalg.eigh", "eigenvectors");
      inner = ops::div(off_diagonal(turn), gaps(l));
    }
    if (c.has_g(0)) inner = plus(inner, diagonal_matrix(ops::to_dtype(c.g(0), v.dtype())));
    if (inner.defined()) c.set(0, symmetric(ops::matmul(v, ops::matmul(inner, ht(v)))));
  }
  // dL = diag(V^H dA V), dV = V (V^H dA V / E)
  static Outs jvp(Jvp& j) {
    Tensor l = j.outs[0], v = j.outs[1];
    bool vectors = j.arg<bool>(2);
    if (!vectors) v = ops::eigh.all(j.in(0), j.arg<bool>(1), true)[1];
    Tensor turned = ops::matmul(ht(v), ops::matmul(symmetric(j.t(0)), v));
    Outs outs(2);
    Tensor slopes = diagonal_of(turned);
    outs[0] = is_complex(slopes.dtype()) ? ops::real(slopes) : slopes;
    if (vectors) outs[1] = ops::matmul(v, ops::div(off_diagonal(turned), gaps(l)));
    return outs;
  }
  static Outs batch(Batch& b) {
    Outs outs = b.run();
    if (!b.arg<bool>(2)) outs[1] = ops::expand(outs[1], Dims{b.size, 0});
    return outs;
  }
};
ADJ_OP(EighNode,
       "_nodes.linalg_eigh(A: Tensor, upper: bool, vectors: bool, caller: str = 'linalg.eigh') -> "
       "(Tensor eigenvalues, Tensor eigenvectors)",
       R"(
The decomposition behind `linalg.eigh` and `linalg.eigvalsh`, which has no eigenvectors.

>>> adjoint.linalg.eigh(adjoint.tensor([[2.]])).eigenvalues
tensor([2.])
)");

bool is_upper(Text uplo, const char* name) {
  if (uplo != "L" && uplo != "U" && uplo != "l" && uplo != "u")
    runtime_error("Expected UPLO argument to be 'L' or 'U', but got ", uplo, " (in ", name, ")");
  return uplo == "U" || uplo == "u";
}

Outs eigh(const Tensor& a, Text uplo, bool vectors, const char* name) {
  check_linalg_dtype(a, name);
  check_square(a, name);
  return ops::eigh.all(a, is_upper(uplo, name), vectors, name);
}

struct LinalgEigh : Composite {
  static Outs define(Tensor a, Text uplo) { return eigh(a, uplo, true, "linalg.eigh"); }
};
ADJ_OP(LinalgEigh,
       "linalg.eigh(A: Tensor, UPLO: str = 'L') -> (Tensor eigenvalues, Tensor eigenvectors)", R"(
`A = V @ diag(L) @ V.mH` of symmetric, or complex Hermitian, matrices [..., n, n], of which the
lower (`UPLO` 'L') or upper triangle is read: L [..., n] ascending and real, the eigenvectors the
columns of V [..., n, n]. The gradient through V is of the order of one over the smallest difference
of two eigenvalues, and of V only what does not depend on its signs, or phases, is a function of A:
the gradient of a loss that depends on phases is a RuntimeError. A `LinAlgError` if the algorithm
does not converge.

>>> adjoint.linalg.eigh(adjoint.tensor([[2., 0.], [0., 1.]])).eigenvalues
tensor([1., 2.])
)");

struct LinalgEigvalsh : Composite {
  static Tensor define(Tensor a, Text uplo) { return eigh(a, uplo, false, "linalg.eigvalsh")[0]; }
};
ADJ_OP(LinalgEigvalsh, "linalg.eigvalsh(A: Tensor, UPLO: str = 'L') -> Tensor", R"(
The eigenvalues [..., n] of symmetric or Hermitian matrices [..., n, n], ascending: see
`linalg.eigh`.

>>> adjoint.linalg.eigvalsh(adjoint.tensor([[2., 0.], [0., 1.]]))
tensor([1., 2.])
)");

}  // namespace
}  // namespace adj
