// Eigenvalues of matrices that need not be symmetric: complex.
#include "ops/linalg.h"

namespace adj {

namespace {

struct EigNode : Rule {
  static constexpr uint32_t saves = input(0) | output(0) | output(1);

  static Outs forward(Tensor a, bool vectors, Text name) {
    int64_t n = a.size(-1);
    Dims batch = batch_sizes(a);
    DType t = real_of(a.dtype()) == DType::f32 ? DType::c64 : DType::c128;
    Outs outs{empty(with_sizes(batch, {n}), t),
              vectors ? empty_columns(batch, n, n, t) : empty(Dims{0}, t)};
    if (a.numel() == 0) return outs;
    Tensor info = zero_info(batch);
    Matrices matrices(a, batch);
    with_type(a.dtype(), [&]<class T>(T) {
      using C = std::complex<RealOf<T>>;
      const Lapack<T>& lapack = lapack_of<T>();
      for_each_matrix(matrices.count(), 25 * n * n * n, [&](int64_t i) {
        int order = as_int(n), ldvl = 1, lwork = as_int(8 * n);
        C *l = outs[0].data<C>() + i * n, *out = vectors ? outs[1].data<C>() + i * n * n : nullptr;
        Tensor copy = empty(Dims{n, n}, a.dtype()), reals = real_work<T>(2 * n, a.dtype());
        Tensor parts = empty(Dims{2, n}, a.dtype()), work = empty(Dims{lwork}, a.dtype()), space;
        T *re = parts.data<T>(), *im = re + n, *v = nullptr;
        if constexpr (kIsComplex<T>) {
          v = out;
        } else {
          space = empty(Dims{vectors ? n : 1, n}, a.dtype());
          v = space.data<T>();
        }
        matrices.to_columns(i, copy.data<T>());
        lapack.geev("N", vectors ? "V" : "N", &order, copy.data<T>(), &order, re, im, nullptr,
                    &ldvl, v, &order, work.data<T>(), &lwork, data_of<T>(reals),
                    info.data<int>() + i, 1, 1);
        if constexpr (kIsComplex<T>) {
          for (int64_t k = 0; k < n; ++k) l[k] = re[k];
        } else {
          for (int64_t k = 0; k < n; ++k) l[k] = {re[k], im[k]};
          if (vectors) join_conjugates(n, im, v, out);
        }
      });
    });
    check_info(info, name, Failure::eig);
    return outs;
  }
  // Of a pair of conjugates LAPACK gives the real and the imaginary part in two columns.
  template <class R>
  static void join_conjugates(int64_t n, const R* im, const R* v, std::complex<R>* out) {
    for (int64_t k = 0; k < n; ++k) {
      bool first = im[k] > 0, second = im[k] < 0;
      const R *x = v + (second ? k - 1 : k) * n, *y = x + n;
      for (int64_t r = 0; r < n; ++r) out[k * n + r] = {x[r], first ? y[r] : second ? -y[r] : R(0)};
    }
  }
  // With V^H gV less what only rescales the eigenvectors, which have length 1, over the differences
  // of the eigenvalues (Boeddeker et al., "On the computation of complex-valued gradients with
  // application to statistically optimum beamforming", 2017, eq. 4.77).
  static constexpr bool conjugates = true;
  static void vjp(Vjp& c) {
    if (!c.needs(0)) return;
    Tensor l = c.out(0), v = c.out(1), vh = ops::conj(mt(v));
    Tensor inside = c.has_g(0) ? diagonal_matrix(c.g(0)) : Tensor();
    if (c.has_g(1)) {
      Tensor vg = ops::matmul(vh, c.g(1));
      check_phases(vg, "linalg.eig", "eigenvectors");
      Tensor lengths = ops::real(diagonal_of(vg));
      Tensor turned = ops::sub(vg, ops::mul(ops::matmul(vh, v), row(lengths)));
      Tensor conj_l = ops::conj(l), differences = ops::sub(row(conj_l), column(conj_l));
      Tensor same = diagonal_mask(l.size(-1));
      differences = ops::masked_fill(differences, same, 1.0);
      inside = plus(inside, ops::masked_fill(ops::div(turned, differences), same, 0.0));
    }
    Tensor g = ops::solve_ex(vh, ops::matmul(inside, vh));
    c.set(0, is_complex(c.like(0).dtype) ? g : ops::real(g));
  }
  static Outs batch(Batch& b) {
    Outs outs = b.run();
    if (!b.arg<bool>(1)) outs[1] = ops::expand(outs[1], Dims{b.size, 0});
    return outs;
  }
};
ADJ_OP(EigNode,
       "_nodes.linalg_eig(A: Tensor, vectors: bool = True, caller: str = 'linalg.eig') -> (Tensor "
       "eigenvalues, Tensor eigenvectors)",
       R"(
The decomposition behind `linalg.eig` and `linalg.eigvals`, which has no eigenvectors.

>>> adjoint.linalg.eig(adjoint.eye(2)).eigenvalues.dtype
torch.complex64
)");
const Fn eig_node{"_nodes.linalg_eig"};

void check(const Tensor& a, const char* name) {
  check_linalg_dtype(a, name);
  check_square(a, name);
}

struct LinalgEig : Composite {
  static Outs define(Tensor a) {
    check(a, "linalg.eig");
    return eig_node.all(a, true, "linalg.eig");
  }
};
ADJ_OP(LinalgEig, "linalg.eig(A: Tensor) -> (Tensor eigenvalues, Tensor eigenvectors)", R"(
`A = V @ diag(L) @ inv(V)` of square matrices [..., n, n]: L [..., n] and V [..., n, n] are complex.
Of symmetric matrices use `linalg.eigh`. The gradient through V is of the order of one over the
smallest difference of two eigenvalues, and of V only what does not depend on the phases of its
columns is a function of A: the gradient of a loss that depends on them is a RuntimeError. A
`LinAlgError` if the algorithm does not converge.

>>> adjoint.linalg.eig(adjoint.eye(2)).eigenvalues.dtype
torch.complex64
)");

struct LinalgEigvals : Composite {
  static Tensor define(Tensor a) {
    check(a, "linalg.eigvals");
    bool vectors = a.requires_grad() || a.wrapped();  // which the derivative needs
    return eig_node.all(a, vectors, "linalg.eigvals")[0];
  }
};
ADJ_OP(LinalgEigvals, "linalg.eigvals(A: Tensor) -> Tensor", R"(
The complex eigenvalues [..., n] of square matrices [..., n, n]: see `linalg.eig`.

>>> adjoint.linalg.eigvals(adjoint.eye(2)).dtype
torch.complex64
)");

}  // namespace
}  // namespace adj
