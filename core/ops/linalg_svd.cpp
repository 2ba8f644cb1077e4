// Singular values.
#include <cmath>

#include "ops/linalg.h"

namespace adj {

namespace {

Tensor skew(const Tensor& x) { return ops::sub(x, ht(x)); }

// A^T, column-major, is the memory of a row-major A; A^T = V S U^T, so U and Vh come out row-major.
struct SvdNode : Rule {
  static constexpr uint32_t saves = input(0) | output(0) | output(1) | output(2);

  static Outs forward(Tensor a, bool full, bool vectors, Text name) {
    int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
    int64_t of_u = full ? m : k, of_v = full ? n : k;
    Dims batch = batch_sizes(a);
    DType t = a.dtype();
    Outs outs{vectors ? empty(with_sizes(batch, {m, of_u}), t) : empty(Dims{0}, t),
              empty(with_sizes(batch, {k}), real_of(t)),
              vectors ? empty(with_sizes(batch, {of_v, n}), t) : empty(Dims{0}, t)};
    if (k == 0) {
      if (vectors && full) {
        write_into(outs[0], identity(m, t));
        write_into(outs[2], identity(n, t));
      }
      return outs;
    }
    Tensor info = zero_info(batch);
    Matrices matrices(a, batch);
    with_type(t, [&]<class T>(T) {
      const Lapack<T>& lapack = lapack_of<T>();
      const char* job = !vectors ? "N" : full ? "A" : "S";
      int rows = as_int(n), columns = as_int(m), ldu = as_int(n), ldvt = as_int(of_u);
      int lwork = -1, failed = 0;
      RealOf<T>* s = outs[1].data<RealOf<T>>();
      T least = 0, *u = vectors ? outs[2].data<T>() : nullptr,
        *vt = vectors ? outs[0].data<T>() : nullptr;
      if (!vectors) ldvt = 1;
      lapack.gesdd(job, &rows, &columns, &least, &rows, s, u, &ldu, vt, &ldvt, &least, &lwork,
                   nullptr, nullptr, &failed, 1);
      lwork = static_cast<int>(std::real(least));
      // LAPACK's documentation of zgesdd; 7 k where there are no vectors, for its older versions
      int64_t most = std::max(m, n), reals = vectors ? 5 * k * k + 7 * k + 2 * most * k : 7 * k;
      for_each_matrix(matrices.count(), 20 * m * n * k, [&](int64_t i) {
        Tensor copy = empty(Dims{m, n}, t), work = empty(Dims{lwork}, t);
        Tensor ints = empty(Dims{8 * k}, DType::i32), more = real_work<T>(reals, t);
        matrices.to_rows(i, copy.data<T>());
        lapack.gesdd(job, &rows, &columns, copy.data<T>(), &rows, s + i * k,
                     u ? u + i * of_v * n : nullptr, &ldu, vt ? vt + i * m * of_u : nullptr, &ldvt,
                     work.data<T>(), &lwork, data_of<T>(more), ints.data<int>(),
                     info.data<int>() + i, 1);
        if (!std::isfinite(s[i * k])) info.data<int>()[i] = as_int(k);
      });
    });
    check_info(info, name, Failure::svd);
    return outs;
  }
  static constexpr bool conjugates = true;
  // With E_ij = s_j^2 - s_i^2:
  //   U (skew(U^H gU) / E S + S skew(V^H gV) / E + diag(gS)) V^H
  //   + (1 - U U^H) gU S^-1 V^H + U S^-1 gV^H (1 - V V^H)
  // where of complex matrices the first skew(...) has a diagonal: to be divided by 2 s_i^2. (The
  // phases of U and V being free together, the second one's is its negative.)
  // Townsend, "Differentiating the singular value decomposition" (2016); Giles (2008), 3.3.
  static void vjp(Vjp& c) {
    Tensor u = c.out(0), s = c.out(1), vh = c.out(2), gu, gvh;
    if (!c.arg<bool>(2)) {
      if (!c.has_g(1)) return;
      Outs all = ops::svd.all(c.in(0), false, true);
      c.set(0, ops::matmul(ops::mul(all[0], row(c.g(1))), all[2]));
      return;
    }
    int64_t k = s.size(-1), m = u.size(-2), n = vh.size(-1);
    if (c.has_g(0)) gu = columns_until(c.g(0), k);
    if (c.has_g(2)) gvh = rows_until(c.g(2), k);
    u = columns_until(u, k);
    vh = rows_until(vh, k);
    Tensor uh = ht(u), v = ht(vh), inner, ga;
    if (!gu.defined() && !gvh.defined()) {
      if (c.has_g(1)) c.set(0, ops::matmul(ops::mul(u, row(c.g(1))), vh));
      return;
    }
    Tensor square = ops::square(s);
    Tensor e = ops::masked_fill(ops::sub(row(square), column(square)), diagonal_mask(k), 1.0);
    Tensor of_left = gu.defined() ? ops::matmul(uh, gu) : Tensor();
    Tensor of_right = gvh.defined() ? ops::matmul(vh, ht(gvh)) : Tensor();
    if (is_complex(u.dtype()))
      check_phases(plus(of_left, of_right), "linalg.svd", "singular vectors");
    if (gu.defined()) {
      Tensor of_u = e;
      if (is_complex(u.dtype()))
        of_u = ops::where(diagonal_mask(k), column(ops::mul(square, 2.0)), e);
      inner = ops::mul(ops::div(skew(of_left), of_u), row(s));
    }
    if (is_complex(u.dtype())) e = ops::masked_fill(e, diagonal_mask(k), INFINITY);
    if (gvh.defined()) inner = plus(inner, ops::mul(column(s), ops::div(skew(of_right), e)));
    if (c.has_g(1)) inner = ops::add(inner, diagonal_matrix(c.g(1)));
    // the smaller of the two products first
    if (m > k && gu.defined()) {
      ga = ops::div(gu, row(s));
      ga = ops::add(ops::matmul(u, ops::sub(inner, ops::matmul(uh, ga))), ga);
      ga = ops::matmul(ga, vh);
    } else {
      ga = ops::matmul(u, ops::matmul(inner, vh));
    }
    if (n > k && gvh.defined()) {
      Tensor w = ops::div(gvh, column(s));
      w = ops::sub(w, ops::matmul(ops::matmul(w, v), vh));
      ga = ops::add(ga, ops::matmul(u, w));
    }
    c.set(0, ga);
  }
  static Outs batch(Batch& b) {
    Outs outs = b.run();
    if (!b.arg<bool>(2))
      for (int i : {0, 2}) outs[i] = ops::expand(outs[i], Dims{b.size, 0});
    return outs;
  }
};
ADJ_OP(SvdNode,
       "_nodes.linalg_svd(A: Tensor, full_matrices: bool, vectors: bool, caller: str = "
       "'linalg.svd') -> (Tensor U, Tensor S, Tensor Vh)",
       R"(
The decomposition behind `linalg.svd` and `linalg.svdvals`, which has no vectors.

>>> adjoint.linalg.svd(adjoint.tensor([[2.]])).S
tensor([2.])
)");

void check(const Tensor& a, Text driver, const char* name) {
  check_linalg_dtype(a, name);
  check_matrix(a, name);
  if (!driver.empty())
    runtime_error(name,
                  ": keyword argument `driver=` is only supported on CUDA inputs with "
                  "cuSOLVER backend.");
}

struct LinalgSvd : Composite {
  static Outs define(Tensor a, bool full, Text driver) {
    check(a, driver, "linalg.svd");
    return ops::svd.all(a, full, true, "linalg.svd");
  }
};
ADJ_OP(LinalgSvd,
       "linalg.svd(A: Tensor, full_matrices: bool = True, *, driver: str? = None) -> (Tensor U, "
       "Tensor "
       "S, Tensor Vh)",
       R"(
`A = U @ diag(S) @ Vh` of matrices [..., m, n]: orthonormal columns U [..., m, k], singular values S
[..., k] descending, orthonormal rows Vh [..., k, n], k = min(m, n); with `full_matrices` U is [...,
m, m] and Vh [..., n, n], whose further columns and rows no gradient flows through. The gradient
through U and Vh is of the order of one over the smallest difference of two singular values; that of
a loss which depends on the phases of complex U and Vh is a RuntimeError. A `LinAlgError` if the
algorithm does not converge.

>>> adjoint.linalg.svd(adjoint.tensor([[3., 0.], [0., 4.]])).S
tensor([4., 3.])
)");

struct LinalgSvdvals : Composite {
  static Tensor define(Tensor a, Text driver) {
    check(a, driver, "linalg.svdvals");
    return ops::svd.all(a, false, false, "linalg.svdvals")[1];
  }
};
ADJ_OP(LinalgSvdvals, "linalg.svdvals(A: Tensor, *, driver: str? = None) -> Tensor", R"(
The singular values [..., min(m, n)] of matrices [..., m, n], descending: see `linalg.svd`.

>>> adjoint.linalg.svdvals(adjoint.tensor([[3., 0.], [0., 4.]]))
tensor([4., 3.])
)");

struct Svd : Composite {
  static Outs define(Tensor a, bool some, bool compute_uv) {
    check(a, {}, "svd");
    if (compute_uv) {
      Outs outs = ops::svd.all(a, !some, true, "linalg.svd");
      return {outs[0], outs[1], ht(outs[2])};
    }
    Tensor s = ops::svd.all(a, false, false, "linalg.svd")[1];
    Dims batch = batch_sizes(a);
    int64_t m = a.size(-2), n = a.size(-1);
    return {ops::zeros(with_sizes(batch, {m, m}), a.dtype()), s,
            ops::zeros(with_sizes(batch, {n, n}), a.dtype())};
  }
};
ADJ_OP(
    Svd,
    "svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> (Tensor U, Tensor S, Tensor "
    "V)",
    R"(
The old form of `linalg.svd`: `input = U @ diag(S) @ V.mH`, reduced if `some`; without `compute_uv`
U and V are zeros.

>>> adjoint.svd(adjoint.tensor([[3., 0.], [0., 4.]])).S
tensor([4., 3.])
)");

}  // namespace
}  // namespace adj
