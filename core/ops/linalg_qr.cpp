// QR factorisations and products of Householder's reflections.
#include <cstring>

#include "ops/linalg.h"

namespace adj {

namespace {

// The lower triangle, and its adjoint above the diagonal, of which only the real part counts: that
// of R is real.
Tensor mirrored(const Tensor& x) {
  Tensor below = lower_part(x, -1);
  if (!is_complex(x.dtype())) return ops::add(lower_part(x), mt(below));
  return ops::add(ops::add(below, ht(below)), diagonal_matrix(ops::real(diagonal_of(x))));
}

// reflections(m, n, a [m, n] column-major, tau) in place: R, and the reflections below it
template <class T>
void factor(int m, int n, T* a, T* tau, T* work, int lwork) {
  int info = 0;
  if (m && n) lapack_of<T>().geqrf(&m, &n, a, &m, tau, work, &lwork, &info);
}
// in place: the first n columns of the product of k reflections
template <class T>
void product(int m, int n, int k, T* a, const T* tau, T* work, int lwork) {
  int info = 0;
  if (m && n) lapack_of<T>().orgqr(&m, &n, &k, a, &m, tau, work, &lwork, &info);
}
constexpr int kBlock = 64;  // columns of work space per column: enough for LAPACK's blocks

struct QrNode : Rule {
  static constexpr uint32_t saves = input(0) | output(0) | output(1);

  static Outs forward(Tensor a, Text mode) {
    int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
    bool complete = mode == "complete", no_q = mode == "r";
    int64_t q_columns = complete ? m : k, rows = complete ? m : k;
    Dims batch = batch_sizes(a);
    DType t = a.dtype();
    Outs outs{no_q ? empty(Dims{0}, t) : empty_columns(batch, m, q_columns, t),
              empty(with_sizes(batch, {rows, n}), t)};
    Matrices matrices(a, batch);
    with_type(t, [&]<class T>(T) {
      for_each_matrix(matrices.count(), 4 * m * n * k, [&](int64_t i) {
        // Q may have more columns than A, or fewer
        int64_t lwork = kBlock * std::max<int64_t>(std::max(n, q_columns), 1);
        Tensor space = empty(Dims{m * std::max(n, q_columns) + k + lwork}, t);
        T *x = space.data<T>(), *tau = x + m * std::max(n, q_columns), *work = tau + k;
        matrices.to_columns(i, x);
        factor(as_int(m), as_int(n), x, tau, work, as_int(lwork));
        T* r = outs[1].data<T>() + i * rows * n;
        for (int64_t y = 0; y < rows; ++y)
          for (int64_t z = 0; z < n; ++z) r[y * n + z] = z >= y ? x[z * m + y] : T(0);
        if (no_q) return;
        product(as_int(m), as_int(q_columns), as_int(k), x, tau, work, as_int(lwork));
        if (k == 0)  // nothing was reflected
          for (int64_t z = 0; z < q_columns; ++z)
            for (int64_t y = 0; y < m; ++y) x[z * m + y] = y == z;
        memcpy(outs[0].data<T>() + i * m * q_columns, x,
               sizeof(T) * static_cast<size_t>(m * q_columns));
      });
    });
    return outs;
  }
  static constexpr bool conjugates = true;
  // (gQ + Q mirrored(R gR^H - gQ^H Q)) R^-H for m >= n: Walter and Lehmann, "Algorithmic
  // differentiation of linear algebra functions with application in optimum experimental design"
  // (2010). The columns that a wide A = [A1 A2] has beyond a square are A2 = Q R2: what flows into
  // R2 goes on to A2 as Q gR2 and to Q as A2 gR2^H (Roberts and Roberts, 2020).
  static void vjp(Vjp& c) {
    Text mode = c.arg<Text>(1);
    Tensor a = c.in(0), q = c.out(0), r = c.out(1), gq, gr, rest;
    int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
    if (mode == "complete" && m > n)
      runtime_error(
          "The QR decomposition is not differentiable when mode='complete' and nrows > "
          "ncols: the columns of Q beyond those of A are arbitrary");
    if (mode != "r" && c.has_g(0)) gq = c.g(0);
    if (c.has_g(1)) gr = c.g(1);
    if (!gq.defined() && !gr.defined()) return;
    if (mode == "r") {
      Outs both = ops::qr.all(a, "reduced");
      q = both[0];
      r = both[1];
    }
    if (n > k) {
      if (gr.defined()) {
        Tensor gr2 = ops::narrow(gr, int64_t{-1}, k, n - k);
        rest = ops::matmul(q, gr2);
        gq = plus(gq, ops::matmul(ops::narrow(a, int64_t{-1}, k, n - k), ht(gr2)));
        gr = columns_until(gr, k);
      }
      r = columns_until(r, k);
    }
    Tensor inner;
    if (gr.defined()) inner = ops::matmul(r, ht(gr));
    if (gq.defined()) inner = minus(inner, ops::matmul(ht(gq), q));
    Tensor ga = plus(gq, ops::matmul(q, mirrored(inner)));
    ga = ht(ops::triangular(r, ht(ga), true));
    if (n > k) {
      if (!rest.defined()) rest = ops::zeros(with_sizes(batch_sizes(a), {m, n - k}), a.dtype());
      ga = ops::cat(TensorList{ga, rest}, int64_t{-1});
    }
    c.set(0, ga);
  }
  static Outs batch(Batch& b) {
    Outs outs = b.run();
    if (b.arg<Text>(1) == "r") outs[0] = ops::expand(outs[0], Dims{b.size, 0});
    return outs;
  }
};
ADJ_OP(QrNode, "_nodes.linalg_qr(A: Tensor, mode: str = 'reduced') -> (Tensor Q, Tensor R)", R"(
The factors behind `linalg.qr`.

>>> adjoint.linalg.qr(adjoint.tensor([[2.]]))[0].shape
torch.Size([1, 1])
)");

Outs qr(const Tensor& a, Text mode, const char* name) {
  check_linalg_dtype(a, name);
  check_matrix(a, name);
  for (const char* known : {"reduced", "complete", "r"})
    if (mode == known) return ops::qr.all(a, known);
  runtime_error("qr received unrecognized mode '", mode,
                "' but expected one of 'reduced' (default), 'r', or 'complete'");
}

struct LinalgQr : Composite {
  static Outs define(Tensor a, Text mode) { return qr(a, mode, "linalg.qr"); }
};
ADJ_OP(LinalgQr, "linalg.qr(A: Tensor, mode: str = 'reduced') -> (Tensor Q, Tensor R)", R"(
`A = Q @ R` of matrices [..., m, n] with orthonormal columns Q and an upper triangular R, whose
diagonal is real. `mode` 'reduced': Q [..., m, k], R [..., k, n], k = min(m, n); 'complete': Q [...,
m, m], R [..., m, n]; 'r': R of the reduced form, and an empty Q. The gradient needs the first k
columns of A to be independent, and does not exist for the complete form of a tall matrix (a
RuntimeError).

>>> Q, R = adjoint.linalg.qr(adjoint.tensor([[3., 1.], [4., 2.]]))
>>> (Q @ R).round(decimals=4)
tensor([[3., 1.],
        [4., 2.]])
)");

struct Qr : Composite {
  static Outs define(Tensor a, bool some) { return qr(a, some ? "reduced" : "complete", "qr"); }
};
ADJ_OP(Qr, "qr(input: Tensor, some: bool = True) -> (Tensor Q, Tensor R)", R"(
The old form of `linalg.qr`, reduced if `some`.

>>> adjoint.qr(adjoint.ones(3, 2)).R.shape
torch.Size([2, 2])
)");

struct Geqrf : Composite {
  static Outs define(Tensor a) {
    check_linalg_dtype(a, "geqrf");
    check_matrix(a, "geqrf", "input");
    static const Fn node{"_nodes.geqrf"};
    return node.all(a);
  }
};
struct GeqrfNode : Rule {
  static Outs forward(Tensor a) {
    int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
    Dims batch = batch_sizes(a);
    Outs outs{empty_columns(batch, m, n, a.dtype()), empty(with_sizes(batch, {k}), a.dtype())};
    Matrices matrices(a, batch);
    with_type(a.dtype(), [&]<class T>(T) {
      for_each_matrix(matrices.count(), 4 * m * n * k, [&](int64_t i) {
        Tensor work = empty(Dims{kBlock * (n + 1)}, a.dtype());
        T* x = outs[0].data<T>() + i * m * n;
        matrices.to_columns(i, x);
        factor(as_int(m), as_int(n), x, outs[1].data<T>() + i * k, work.data<T>(),
               as_int(work.numel()));
      });
    });
    return outs;
  }
  static void vjp(Vjp&) {
    fail(ErrorKind::not_implemented, "the derivative of geqrf is not defined: use linalg.qr");
  }
  static Outs batch(Batch& b) { return batch_in_front(b); }
};
ADJ_OP(GeqrfNode, "_nodes.geqrf(input: Tensor) -> (Tensor a, Tensor tau)", R"(
The reflections behind `geqrf`.

>>> adjoint.geqrf(adjoint.ones(3, 2)).tau.shape
torch.Size([2])
)");
ADJ_OP(Geqrf, "geqrf(input: Tensor) -> (Tensor a, Tensor tau)", R"(
R of `input` [..., m, n] on and above the diagonal of `a`, below it the reflections of Householder
whose product is Q, with their factors tau [..., min(m, n)]: see `linalg.householder_product`.
Without a derivative.

>>> adjoint.geqrf(adjoint.ones(3, 2)).tau.shape
torch.Size([2])
)");

void check_reflections(const Tensor& a, const Tensor& tau, const char* name) {
  check_linalg_dtype(a, name);
  check_matrix(a, name, "input");
  if (a.size(-2) < a.size(-1))
    runtime_error(name, ": input.shape[-2] must be greater than or equal to input.shape[-1], got ",
                  a.sizes());
  if (tau.dim() != a.dim() - 1)
    runtime_error(name,
                  ": Expected tau to have one dimension less than input, but got tau.ndim "
                  "equal to ",
                  tau.dim(), " and input.ndim is equal to ", a.dim());
  if (tau.size(-1) > a.size(-1))
    runtime_error(name, ": input.shape[-1] must be greater than or equal to tau.shape[-1], got ",
                  a.size(-1), " and ", tau.size(-1));
  check_same_dtype(a, tau, name);
}
// v_i: column i of the reflections, 0 above the diagonal and 1 on it. [..., m, 1]
Tensor reflector(const Tensor& a, int64_t i) {
  Tensor v = ops::narrow(a, int64_t{-1}, i, int64_t{1});
  Tensor below = ops::narrow(v, int64_t{-2}, i + 1, v.size(-2) - i - 1);
  Dims batch = batch_sizes(a);
  Tensor above = ops::zeros(with_sizes(batch, {i, 1}), a.dtype());
  Tensor one = ops::ones(with_sizes(batch, {1, 1}), a.dtype());
  return ops::cat(TensorList{above, one, below}, int64_t{-2});
}
// (1 - tau_i v_i v_i^H) x
Tensor reflect(const Tensor& a, const Tensor& tau, int64_t i, const Tensor& x) {
  Tensor v = reflector(a, i), factor = column(ops::narrow(tau, int64_t{-1}, i, int64_t{1}));
  return ops::sub(x, ops::matmul(ops::mul(factor, v), ops::matmul(ht(v), x)));
}

struct HouseholderProduct : Fused {
  static Tensor define(Tensor a, Tensor tau) {
    check_reflections(a, tau, "linalg.householder_product");
    Tensor q = ops::expand(ops::eye(a.size(-2), a.size(-1), a.dtype()), a.sizes());
    for (int64_t i = tau.size(-1) - 1; i >= 0; --i) q = reflect(a, tau, i, q);
    return q;
  }
  static Tensor forward(Tensor a, Tensor tau) {
    check_reflections(a, tau, "linalg.householder_product");
    int64_t m = a.size(-2), n = a.size(-1), k = tau.size(-1);
    Dims batch = batch_sizes(a);
    Tensor q = empty_columns(batch, m, n, a.dtype());
    tau = dense(tau);
    Matrices matrices(a, batch);
    with_type(a.dtype(), [&]<class T>(T) {
      for_each_matrix(matrices.count(), 4 * m * n * k, [&](int64_t i) {
        Tensor work = empty(Dims{kBlock * (n + 1)}, a.dtype());
        T* x = q.data<T>() + i * m * n;
        matrices.to_columns(i, x);
        product(as_int(m), as_int(n), as_int(k), x, tau.data<T>() + i * k, work.data<T>(),
                as_int(work.numel()));
      });
    });
    return q;
  }
  static Outs batch(Batch& b) {
    static const Fn product{"linalg.householder_product"};
    return as_outs(product(b.expanded(0), b.expanded(1)));
  }
  static bool fast_vjp(Vjp&) { return false; }
};
ADJ_OP(HouseholderProduct, "linalg.householder_product(A: Tensor, tau: Tensor) -> Tensor", R"(
The first n columns [..., m, n] of the product of the reflections `1 - tau[i] * v_i v_i^H`: A [...,
m, n], m >= n, holds v_i below its diagonal (above it zeros and on it ones are meant), tau [..., k],
k <= n.

>>> a, tau = adjoint.geqrf(adjoint.tensor([[3.], [4.]]))
>>> adjoint.linalg.householder_product(a, tau)
tensor([[-0.6000],
        [-0.8000]])
)");
const Fn householder_product{"linalg.householder_product"};

struct Orgqr : Composite {
  static Tensor define(Tensor a, Tensor tau) { return householder_product(a, tau); }
};
ADJ_OP(Orgqr, "orgqr(input: Tensor, tau: Tensor) -> Tensor", R"(
See `linalg.householder_product`.

>>> a, tau = adjoint.geqrf(adjoint.tensor([[3.], [4.]]))
>>> adjoint.orgqr(a, tau)
tensor([[-0.6000],
        [-0.8000]])
)");

struct Ormqr : Composite {
  static Tensor define(Tensor a, Tensor tau, Tensor other, bool left, bool transposed) {
    check_linalg_dtype(a, "ormqr");
    check_matrix(a, "ormqr", "input");
    check_matrix(other, "ormqr", "other");
    int64_t rows = left ? other.size(-2) : other.size(-1);
    if (rows != a.size(-2))
      runtime_error("torch.ormqr: other.shape[", left ? -2 : -1,
                    "] must be equal to input.shape[-2], got ", rows, " and ", a.size(-2));
    if (!left) return ht(define(a, tau, ht(other), true, !transposed));
    int64_t k = tau.size(-1);
    if (transposed) tau = conj_of(tau);
    for (int64_t i = 0; i < k; ++i) other = reflect(a, tau, transposed ? i : k - 1 - i, other);
    return other;
  }
};
ADJ_OP(
    Ormqr,
    "ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False) "
    "-> Tensor",
    R"(
`Q @ other` (`other @ Q` if not `left`, with Q.mH if `transpose`), Q [..., m, m] being the product
of the reflections in `input` and `tau`: see `geqrf`.

>>> a, tau = adjoint.geqrf(adjoint.tensor([[3.], [4.]]))
>>> adjoint.ormqr(a, tau, adjoint.tensor([[5.], [0.]]))
tensor([[-3.],
        [-4.]])
)");

}  // namespace
}  // namespace adj
