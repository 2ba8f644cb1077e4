// Determinants.
#include <cmath>

#include "ops/linalg.h"

namespace adj {

namespace {

// The determinants of LU factors, as a sign and a logarithm if `log`.
struct Factors {
  Tensor lu, pivots;
};
Factors factors_of(const Tensor& a) {
  Outs outs = ops::lu_factor_ex.all(a);
  return {outs[0], outs[1]};
}
// f(diagonal of U as a function of its index, whether the rows are permuted oddly, matrix number)
template <class T, class F>
void for_each_diagonal(const Factors& f, const F& body) {
  int64_t n = f.lu.size(-1),
          count = batch_sizes(f.lu).empty() ? 1 : DimsView(batch_sizes(f.lu)).product();
  for (int64_t i = 0; i < count; ++i) {
    const T* lu = f.lu.data<T>() + i * n * n;
    const int* pivots = f.pivots.data<int>() + i * n;
    bool odd = false;
    for (int64_t k = 0; k < n; ++k) odd ^= pivots[k] != k + 1;
    body(i, odd, [&](int64_t k) { return lu[k * n + k]; });
  }
}

const Fn cofactors{"_nodes.cofactors"}, cofactors_along{"_nodes.cofactors_along"};

Tensor det_of(const Factors& f) {
  Tensor y = empty(batch_sizes(f.lu), f.lu.dtype());
  int64_t n = f.lu.size(-1);
  with_type(y.dtype(), [&]<class T>(T) {
    for_each_diagonal<T>(f, [&](int64_t i, bool odd, auto diagonal) {
      T det = odd ? -1 : 1;
      for (int64_t k = 0; k < n; ++k) det *= diagonal(k);
      y.data<T>()[i] = det;
    });
  });
  return y;
}
// Whether every U has a diagonal without (nearly) zeros, so that inverses can be trusted.
bool well_conditioned(const Factors& f) {
  bool good = true;
  int64_t n = f.lu.size(-1);
  with_type(f.lu.dtype(), [&]<class T>(T) {
    using R = RealOf<T>;
    R limit = std::is_same_v<R, float> ? R(1e-3) : R(1e-5);
    for_each_diagonal<T>(f, [&](int64_t, bool, auto diagonal) {
      R least = INFINITY, most = 0;
      for (int64_t k = 0; k < n; ++k) {
        least = std::min(least, std::abs(diagonal(k)));
        most = std::max(most, std::abs(diagonal(k)));
      }
      good = good && (n == 0 || least > limit * most);
    });
  });
  return good;
}
Tensor as_matrix(const Tensor& x) { return column(column(x)); }
Tensor trace_of(const Tensor& x) { return ops::sum(diagonal_of(x), -1); }

// The products of all s but those at the places left out, without a division.
template <class T, class Skip>
T product_without(const T* s, int64_t n, const Skip& skip) {
  T p = 1;
  for (int64_t k = 0; k < n; ++k)
    if (!skip(k)) p *= s[k];
  return p;
}
// det(U) det(Vh) of unitary factors, of magnitude 1: [...]
Tensor orientation(const Tensor& u, const Tensor& vh) {
  return ops::mul(det_of(factors_of(u)), det_of(factors_of(vh)));
}

struct DetNode : FastRule {
  static constexpr uint32_t saves = input(0) | output(0) | output(1) | output(2);

  static Outs forward(Tensor a) {
    Factors f = factors_of(a);
    return {det_of(f), f.lu, f.pivots};
  }
  static void vjp(Vjp& c) {
    if (c.has_g(0)) c.set(0, ops::mul(as_matrix(c.g(0)), cofactors(c.in(0))));
  }
  // det A^-T, by the factors that are there.
  static bool fast_vjp(Vjp& c) {
    Factors f{c.out(1), c.out(2)};
    if (!c.has_g(0) || !well_conditioned(f)) return false;
    int64_t n = f.lu.size(-1);
    Tensor g = diagonal_matrix(
        ops::expand(column(ops::mul(c.g(0), c.out(0))), with_sizes(batch_sizes(f.lu), {n})));
    c.set(0, ops::lu_solve(f.lu, f.pivots, g, true));
    return true;
  }
  static Outs jvp(Jvp& j) {
    Outs outs(3);
    outs[0] = ops::sum(ops::mul(cofactors(j.in(0)), j.t(0)), Dims{-2, -1});
    return outs;
  }
  static Outs batch(Batch& b) { return batch_in_front(b); }
};
ADJ_OP(DetNode, "_nodes.linalg_det(A: Tensor) -> (Tensor result, Tensor LU, Tensor pivots)", R"(
The determinant behind `linalg.det`, and the factors that it came from.

>>> adjoint.linalg.det(adjoint.tensor([[2., 1.], [1., 1.]]))
tensor(1.)
)");

// With A = U S Vh the cofactors are det(U) det(Vh) conj(U) diag(products of the other s) conj(Vh).
struct Cofactors : Rule {
  static constexpr uint32_t saves = input(0);

  static Tensor forward(Tensor a) {
    Factors f = factors_of(a);
    if (well_conditioned(f)) return ops::mul(as_matrix(det_of(f)), mt(ops::inverse_ex(a)));
    Outs usv = ops::svd.all(a, false, true);
    Tensor s = dense(usv[1]), others = empty(s.sizes(), s.dtype());
    int64_t n = a.size(-1);
    with_real_type(s.dtype(), [&]<class T>(T) {
      for (int64_t i = 0; i < s.numel(); ++i)
        others.data<T>()[i] =
            product_without(s.data<T>() + i / n * n, n, [&](int64_t k) { return k == i % n; });
    });
    others = ops::mul(others, column(orientation(usv[0], usv[2])));
    return ops::matmul(ops::mul(conj_of(usv[0]), row(others)), conj_of(usv[2]));
  }
  static void vjp(Vjp& c) { c.set(0, cofactors_along(c.in(0), c.g())); }
  static Outs jvp(Jvp& j) { return as_outs(cofactors_along(j.in(0), j.t(0))); }
  static Outs batch(Batch& b) { return batch_in_front(b); }
};
ADJ_OP(Cofactors, "_nodes.cofactors(A: Tensor) -> Tensor", R"(
The gradient of the determinant of A [..., n, n]: `det(A) * inv(A).mT` where there is an inverse,
and the transposed adjugate in any case.

>>> adjoint._core._namespaces["_nodes"]["cofactors"](adjoint.tensor([[1., 2.], [3., 4.]]))
tensor([[ 4., -3.],
        [-2.,  1.]])
)");

// The directional derivative of the cofactors. The Hessian of det is symmetric: this is also the
// vjp.
struct CofactorsAlong : Rule {
  static constexpr uint32_t saves = input(0) | input(1);

  // det (tr(X E) X^T - (X E X)^T) with X = A^-1
  static Tensor by_inverse(const Tensor& a, const Tensor& e, const Tensor& det) {
    Tensor x = ops::inverse_ex(a), xe = ops::matmul(x, e);
    Tensor y = ops::sub(ops::mul(as_matrix(trace_of(xe)), x), ops::matmul(xe, x));
    return ops::mul(as_matrix(det), mt(y));
  }
  // In the basis of A = U S Vh, with F = U^H E V and w_ij the product of all s but i and j: element
  // (i, i) is the sum over j of w_ij F_jj, element (i, j) is -w_ij F_ji; and back with conjugates.
  static Tensor forward(Tensor a, Tensor e) {
    Factors f = factors_of(a);
    if (well_conditioned(f)) return by_inverse(a, e, det_of(f));
    Outs usv = ops::svd.all(a, false, true);
    Tensor s = dense(usv[1]);
    Tensor turned = dense(ops::matmul(ops::matmul(ht(usv[0]), e), ht(usv[2])));
    Tensor y = empty(turned.sizes(), a.dtype());
    int64_t n = a.size(-1), count = n ? y.numel() / (n * n) : 0, of_s = n ? s.numel() / n : 1;
    with_type(a.dtype(), [&]<class T>(T) {
      for (int64_t b = 0; b < count; ++b) {
        const RealOf<T>* sb = s.data<RealOf<T>>() + b % of_s * n;
        const T* fb = turned.data<T>() + b * n * n;
        T* yb = y.data<T>() + b * n * n;
        for (int64_t i = 0; i < n; ++i) yb[i * n + i] = 0;
        for (int64_t i = 0; i < n; ++i)
          for (int64_t j = 0; j < n; ++j) {
            if (i == j) continue;
            RealOf<T> w = product_without(sb, n, [&](int64_t k) { return k == i || k == j; });
            yb[i * n + i] += w * fb[j * n + j];
            yb[i * n + j] = -w * fb[j * n + i];
          }
      }
    });
    y = ops::mul(y, as_matrix(orientation(usv[0], usv[2])));
    return ops::matmul(ops::matmul(conj_of(usv[0]), y), conj_of(usv[2]));
  }
  static void vjp(Vjp& c) {
    Tensor a = c.in(0), e = c.in(1), g = c.g();
    if (c.needs(1)) c.set(1, cofactors_along(a, g));
    if (!c.needs(0)) return;
    // <G, D(A)[E]>, differentiated once more in A by the formula for an inverse there is:
    // with X = A^-1 and P = X E it is
    // h = det (tr P tr(G X) - tr(G P X)), and dX = -X dA X, d det = det tr(X dA)
    Tensor x = ops::inverse_ex(a), det = as_matrix(ops::linalg_det(a));
    Tensor xe = ops::matmul(x, e), xg = ops::matmul(x, g);
    Tensor xex = ops::matmul(xe, x), xgx = ops::matmul(xg, x);
    Tensor of_e = as_matrix(trace_of(xe)), of_g = as_matrix(trace_of(xg));
    Tensor h = ops::sub(ops::mul(of_e, of_g), as_matrix(trace_of(ops::matmul(xg, xe))));
    Tensor cross = ops::add(ops::matmul(xe, xgx), ops::matmul(xg, xex));
    Tensor d = ops::sub(ops::mul(h, x), ops::add(ops::mul(of_g, xex), ops::mul(of_e, xgx)));
    c.set(0, ops::mul(det, mt(ops::add(d, cross))));
  }
  static Outs batch(Batch& b) { return as_outs(cofactors_along(b.expanded(0), b.expanded(1))); }
};
ADJ_OP(CofactorsAlong, "_nodes.cofactors_along(A: Tensor, E: Tensor) -> Tensor", R"(
The derivative of `_nodes.cofactors(A)` in the direction E [..., n, n]: second derivatives of the
determinant, of singular matrices too. (Third ones need an inverse.)

>>> along = adjoint._core._namespaces["_nodes"]["cofactors_along"]
>>> along(adjoint.zeros(2, 2), adjoint.tensor([[1., 2.], [3., 4.]]))
tensor([[ 4., -3.],
        [-2.,  1.]])
)");

Tensor det(const Tensor& a, const char* name) {
  check_linalg_dtype(a, name);
  check_square(a, name);
  return ops::linalg_det(a);
}

struct LinalgDet : Composite {
  static Tensor define(Tensor a) { return det(a, "linalg.det"); }
};
ADJ_OP(LinalgDet, "linalg.det(A: Tensor) -> Tensor", R"(
The determinants of square matrices [..., n, n]: [...]. The gradient is the matrix of cofactors,
which exists for singular matrices too.

>>> adjoint.linalg.det(adjoint.tensor([[2., 0.], [1., 3.]]))
tensor(6.)
)");

struct Det : Composite {
  static Tensor define(Tensor a) { return det(a, "linalg.det"); }
};
ADJ_OP(Det, "det(input: Tensor) -> Tensor", R"(
See `linalg.det`.

>>> adjoint.det(adjoint.tensor([[2., 0.], [1., 3.]]))
tensor(6.)
)");

// s times the sign of d.
template <class T>
T signed_like(T s, T d) {
  if constexpr (kIsComplex<T>) return d == T(0) ? T(0) : s * (d / std::abs(d));
  else return d == 0 ? 0 : d < 0 ? -s : s;
}

struct SlogdetNode : FastRule {
  static constexpr uint32_t saves = input(0) | output(0) | output(2) | output(3);

  static Outs forward(Tensor a) {
    Factors f = factors_of(a);
    Tensor sign = empty(batch_sizes(a), a.dtype()), log = empty(batch_sizes(a), real_of(a.dtype()));
    int64_t n = a.size(-1);
    with_type(a.dtype(), [&]<class T>(T) {
      for_each_diagonal<T>(f, [&](int64_t i, bool odd, auto diagonal) {
        T s = odd ? -1 : 1;
        RealOf<T> sum = 0;
        for (int64_t k = 0; k < n; ++k) {
          T d = diagonal(k);
          s = signed_like(s, d);
          sum += std::log(std::abs(d));
        }
        sign.data<T>()[i] = s;
        log.data<RealOf<T>>()[i] = sum;
      });
    });
    return {sign, log, f.lu, f.pivots};
  }
  static constexpr bool conjugates = true;
  // A^-H: Giles (2008), 2.2.4; not finite where A is singular. The derivative of a complex sign is
  // i sign Im(tr(A^-1 dA)), that of the logarithm Re(tr(A^-1 dA)).
  static void vjp(Vjp& c) {
    Tensor factor;
    if (c.has_g(1)) factor = c.g(1);
    if (c.has_g(0) && is_complex(c.g(0).dtype())) {
      Tensor along = ops::imag(ops::mul(c.g(0), ops::conj(c.out(0))));
      factor = ops::complex(factor.defined() ? factor : ops::zeros_like(along), along);
    }
    if (factor.defined()) c.set(0, ops::mul(as_matrix(factor), ht(ops::inverse_ex(c.in(0)))));
  }
  static bool fast_vjp(Vjp& c) {
    if (is_complex(c.out(2).dtype())) return false;
    if (!c.has_g(1)) return true;
    Tensor lu = c.out(2);
    Tensor g = ops::expand(column(c.g(1)), with_sizes(batch_sizes(lu), {lu.size(-1)}));
    c.set(0, ops::lu_solve(lu, c.out(3), diagonal_matrix(g), true));
    return true;
  }
  static Outs jvp(Jvp& j) {
    Outs outs(4);
    Tensor trace = trace_of(ops::solve_ex(j.in(0), j.t(0)));
    if (is_complex(trace.dtype())) {
      Tensor turn = ops::complex(ops::zeros_like(j.outs[1]), ops::imag(trace));
      outs[0] = ops::mul(j.outs[0], turn);
      outs[1] = ops::real(trace);
    } else {
      outs[0] = ops::zeros_like(j.outs[0]);
      outs[1] = trace;
    }
    return outs;
  }
  static Outs batch(Batch& b) { return batch_in_front(b); }
};
ADJ_OP(
    SlogdetNode,
    "_nodes.linalg_slogdet(A: Tensor) -> (Tensor sign, Tensor logabsdet, Tensor LU, Tensor pivots)",
    R"(
The results behind `linalg.slogdet`, and the factors that they came from.

>>> adjoint.linalg.slogdet(adjoint.eye(2)).logabsdet
tensor(0.)
)");
const Fn slogdet_node{"_nodes.linalg_slogdet"};

Outs slogdet(const Tensor& a, const char* name) {
  check_linalg_dtype(a, name);
  check_square(a, name);
  Outs outs = slogdet_node.all(a);
  outs.resize(2);
  return outs;
}

struct LinalgSlogdet : Composite {
  static Outs define(Tensor a) { return slogdet(a, "linalg.slogdet"); }
};
ADJ_OP(LinalgSlogdet, "linalg.slogdet(A: Tensor) -> (Tensor sign, Tensor logabsdet)", R"(
The sign (1, -1 or 0; of complex matrices a complex number of magnitude 1, or 0) of the determinants
of [..., n, n] and the logarithm of their magnitudes, -inf for a singular matrix, where the gradient
is not finite.

>>> adjoint.linalg.slogdet(adjoint.tensor([[0., 1.], [1., 0.]])).sign
tensor(-1.)
)");

struct Slogdet : Composite {
  static Outs define(Tensor a) { return slogdet(a, "linalg.slogdet"); }
};
ADJ_OP(Slogdet, "slogdet(input: Tensor) -> (Tensor sign, Tensor logabsdet)", R"(
See `linalg.slogdet`.

>>> adjoint.slogdet(adjoint.eye(2)).sign
tensor(1.)
)");

struct Logdet : Composite {
  static Tensor define(Tensor a) {
    Outs outs = slogdet(a, "logdet");
    if (is_complex(a.dtype())) return ops::add(ops::log(outs[0]), outs[1]);
    return ops::where(ops::eq(outs[0], -1.0), NAN, outs[1]);
  }
};
ADJ_OP(Logdet, "logdet(input: Tensor) -> Tensor", R"(
The logarithms of the determinants of [..., n, n]: -inf for 0, NaN for negative ones; of complex
matrices complex.

>>> adjoint.logdet(adjoint.eye(2))
tensor(0.)
)");

}  // namespace
}  // namespace adj
