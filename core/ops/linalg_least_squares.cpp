// Pseudo-inverses, ranks and least squares.
#include <cmath>

#include "ops/linalg.h"

namespace adj {

namespace {

double epsilon_of(DType t) { return real_of(t) == DType::f32 ? 0x1p-23 : 0x1p-52; }

// What singular values must exceed: max(atol, rtol * the largest), shaped like s[..., :1]. The
// standard rtol, max(m, n) * eps, holds where neither is given or atol is not positive.
Tensor cutoff(const Tensor& largest, const Value& atol, const Value& rtol, int64_t m, int64_t n) {
  DType t = largest.dtype();
  auto as_tensor = [&](const Value& v) {
    return v.is_tensor() ? column(ops::to_dtype(v.as_tensor(), t))
                         : scalar_tensor(v.as_double(), t);
  };
  double standard = epsilon_of(t) * static_cast<double>(std::max(m, n));
  Tensor a = atol.is_none() ? scalar_tensor(0.0, t) : as_tensor(atol), r;
  if (!rtol.is_none()) {
    r = as_tensor(rtol);
  } else if (atol.is_none()) {
    r = scalar_tensor(standard, t);
  } else {
    r = ops::where(ops::gt(a, 0.0), scalar_tensor(0.0, t), scalar_tensor(standard, t));
  }
  return ops::maximum(a, ops::mul(largest, r));
}
void check_tolerance(const Value& v, const char* name, const char* argument) {
  if (v.is_tensor() && is_complex(v.tensor->dtype))
    runtime_error(name, ": ", argument, " tensor of complex type is not supported. Got ",
                  scalar_name_of(v.tensor->dtype));
}

const Fn pinv_node{"_nodes.linalg_pinv"};

struct PinvNode : Rule {
  static constexpr uint32_t saves = input(0) | output(0);

  static Tensor forward(Tensor a, Value atol, Value rtol, bool hermitian) {
    int64_t m = a.size(-2), n = a.size(-1);
    if (a.numel() == 0) return ops::zeros(with_sizes(batch_sizes(a), {n, m}), a.dtype());
    Tensor left, s, right;  // the inverse is left diag(1/s) right
    if (hermitian) {
      Outs lv = ops::eigh.all(a, false, true, "linalg.pinv");
      left = lv[1];
      s = lv[0];
      right = ht(left);
    } else {
      Outs usv = ops::svd.all(a, false, true, "linalg.pinv");
      left = ht(usv[2]);
      s = usv[1];
      right = ht(usv[0]);
    }
    Tensor size = hermitian ? ops::abs(s) : s;
    Tensor limit = cutoff(ops::amax(size, int64_t{-1}, true), atol, rtol, m, n);
    Tensor inverse = ops::where(ops::gt(size, limit), ops::reciprocal(s), 0.0);
    return ops::matmul(ops::mul(left, row(inverse)), right);
  }
  static constexpr bool conjugates = true;
  // For a constant rank: dY = -Y dA Y + Y Y^H dA^H (1 - A Y) + (1 - Y A) dA^H Y^H Y. Golub and
  // Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems" (1973).
  static void vjp(Vjp& c) {
    Tensor a = c.in(0), y = c.out(), g = c.g(), yh = ht(y), gh = ht(g);
    Tensor first = ops::matmul(yh, ops::matmul(g, yh));
    Tensor p = ops::matmul(ops::matmul(gh, y), yh);  // g^H Y Y^H
    Tensor q = ops::matmul(yh, ops::matmul(y, gh));  // Y^H Y g^H
    p = ops::sub(p, ops::matmul(a, ops::matmul(y, p)));
    q = ops::sub(q, ops::matmul(ops::matmul(q, y), a));
    c.set(0, ops::sub(ops::add(p, q), first));
  }
  static Outs jvp(Jvp& j) {
    Tensor a = j.in(0), y = j.outs[0], t = j.t(0), th = ht(t), yh = ht(y);
    Tensor first = ops::matmul(y, ops::matmul(t, y));
    Tensor p = ops::matmul(y, ops::matmul(yh, th)), q = ops::matmul(ops::matmul(th, yh), y);
    p = ops::sub(p, ops::matmul(ops::matmul(p, a), y));
    q = ops::sub(q, ops::matmul(y, ops::matmul(a, q)));
    return as_outs(ops::sub(ops::add(p, q), first));
  }
  static Outs batch(Batch& b) {
    if (b.values[1].is_tensor() || b.values[2].is_tensor()) return batch_by_loop(b);
    return b.run();
  }
};
ADJ_OP(
    PinvNode,
    "_nodes.linalg_pinv(A: Tensor, atol: Operand? = None, rtol: Operand? = None, hermitian: bool = "
    "False) -> Tensor",
    R"(
The pseudo-inverse behind `linalg.pinv`.

>>> adjoint.linalg.pinv(adjoint.tensor([[2.], [0.]]))
tensor([[0.5000, 0.0000]])
)");

Tensor pinv(const Tensor& a, const Value& atol, const Value& rtol, bool hermitian,
            const char* name) {
  check_linalg_dtype(a, name);
  if (hermitian) check_square(a, name);
  else check_matrix(a, name);
  check_tolerance(atol, name, "atol");
  check_tolerance(rtol, name, "rtol");
  return pinv_node(a, atol, rtol, hermitian);
}

struct LinalgPinv : Composite {
  static Tensor define(Tensor a, Value atol, Value rtol, bool hermitian) {
    return pinv(a, atol, rtol, hermitian, "linalg.pinv");
  }
};
ADJ_OP(LinalgPinv,
       "linalg.pinv(A: Tensor, *, atol: Operand? = None, rtol: Operand? = None, hermitian: bool = "
       "False) -> Tensor",
       R"(
The pseudo-inverses of Moore and Penrose [..., n, m] of matrices [..., m, n]. Singular values up to
max(atol, rtol * the largest) count as 0; `rtol` is max(m, n) times the dtype's eps where neither is
given. `hermitian`: A is symmetric or Hermitian, and eigenvalues are used. The gradient holds where
the rank does not change (Golub and Pereyra 1973).

>>> adjoint.linalg.pinv(adjoint.tensor([[2., 0.], [0., 0.]]))
tensor([[0.5000, 0.0000],
        [0.0000, 0.0000]])
)");

struct LinalgPinvRcond : Composite {
  static Tensor define(Tensor a, Value rcond, bool hermitian) {
    return pinv(a, Value(0.0), rcond, hermitian, "linalg.pinv");
  }
};
ADJ_OP(LinalgPinvRcond,
       "linalg.pinv:rcond(A: Tensor, rcond: Operand, hermitian: bool = False) -> Tensor", R"(
With `rtol` under its old name.

>>> adjoint.linalg.pinv(adjoint.tensor([[2.]]), 1e-6)
tensor([[0.5000]])
)");

struct Pinverse : Composite {
  static Tensor define(Tensor a, double rcond) {
    return pinv(a, Value(0.0), Value(rcond), false, "pinverse");
  }
};
ADJ_OP(Pinverse, "pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor", R"(
See `linalg.pinv`.

>>> adjoint.pinverse(adjoint.tensor([[2.]]))
tensor([[0.5000]])
)");

// How many singular values exceed the cutoff.
struct MatrixRankNode : Constant {
  static Tensor forward(Tensor a, Value atol, Value rtol, bool hermitian) {
    Dims batch = batch_sizes(a);
    int64_t m = a.size(-2), n = a.size(-1);
    if (a.numel() == 0) return ops::zeros(batch, DType::i64);
    Tensor s = hermitian ? ops::abs(ops::eigh.all(a, false, false, "linalg.matrix_rank")[0])
                         : ops::svd.all(a, false, false, "linalg.matrix_rank")[1];
    Tensor limit = cutoff(ops::amax(s, int64_t{-1}, true), atol, rtol, m, n);
    return ops::sum(ops::gt(s, limit), int64_t{-1});
  }
  static Outs batch(Batch& b) {
    if (b.values[1].is_tensor() || b.values[2].is_tensor()) return batch_by_loop(b);
    return b.run();
  }
};
ADJ_OP(
    MatrixRankNode,
    "_nodes.matrix_rank(A: Tensor, atol: Operand? = None, rtol: Operand? = None, hermitian: bool "
    "= False) -> Tensor",
    R"(
The rank behind `linalg.matrix_rank`.

>>> adjoint.linalg.matrix_rank(adjoint.ones(2, 2))
tensor(1)
)");
const Fn rank_node{"_nodes.matrix_rank"};

Tensor matrix_rank(const Tensor& a, const Value& atol, const Value& rtol, bool hermitian) {
  const char* name = "linalg.matrix_rank";
  check_linalg_dtype(a, name);
  if (hermitian) check_square(a, name);
  else check_matrix(a, name);
  check_tolerance(atol, name, "atol");
  check_tolerance(rtol, name, "rtol");
  return rank_node(a, atol, rtol, hermitian);
}
struct LinalgMatrixRank : Composite {
  static Tensor define(Tensor a, Value atol, Value rtol, bool hermitian) {
    return matrix_rank(a, atol, rtol, hermitian);
  }
};
ADJ_OP(LinalgMatrixRank,
       "linalg.matrix_rank(A: Tensor, *, atol: Operand? = None, rtol: Operand? = None, hermitian: "
       "bool = False) -> Tensor",
       R"(
The number (int64 [...]) of singular values of [..., m, n] that exceed max(atol, rtol * the
largest), `rtol` being max(m, n) times the dtype's eps where neither is given. `hermitian`: of
eigenvalues, by magnitude.

>>> adjoint.linalg.matrix_rank(adjoint.ones(2, 3))
tensor(1)
)");

struct LinalgMatrixRankTol : Composite {
  static Tensor define(Tensor a, Value tol, bool hermitian) {
    return matrix_rank(a, tol, Value(0.0), hermitian);
  }
};
ADJ_OP(LinalgMatrixRankTol,
       "linalg.matrix_rank:tol(A: Tensor, tol: Operand, hermitian: bool = False) -> Tensor", R"(
With an absolute tolerance under its old name.

>>> adjoint.linalg.matrix_rank(adjoint.eye(2), 2.0)
tensor(0)
)");

struct LstsqNode : Rule {
  static constexpr uint32_t saves = input(0) | input(1) | output(0);

  static Outs forward(Tensor a, Tensor b, double rcond, Text driver) {
    int64_t m = a.size(-2), n = a.size(-1), k = b.size(-1), least = std::min(m, n);
    int64_t rows = std::max(m, n);
    Dims batch = broadcast_sizes(batch_sizes(a), batch_sizes(b));
    DType t = a.dtype();
    bool ranked = driver != "gels", valued = driver == "gelsd" || driver == "gelss";
    Tensor both = empty_columns(batch, rows, k, t), ranks = empty(batch, DType::i32);
    Tensor s = empty(with_sizes(batch, {least}), real_of(t)), info = zero_info(batch);
    write_into(ranks, scalar_tensor(int64_t{0}, DType::i32));
    Matrices as(a, batch), bs(b, batch);
    if (least == 0 || k == 0) {
      write_into(both, scalar_tensor(int64_t{0}, t));
      if (n == 0) write_into(both, b);  // all of it is residual
    } else {
      with_type(t, [&]<class T>(T) {
        for_each_matrix(as.count(), 4 * m * n * least, [&](int64_t i) {
          T* x = both.data<T>() + i * rows * k;
          RealOf<T>* si = s.data<RealOf<T>>() + i * least;
          Tensor copy = empty(Dims{n, m}, t), right = empty(Dims{k, m}, t);
          as.to_columns(i, copy.data<T>());
          bs.to_columns(i, right.data<T>());
          for (int64_t j = 0; j < k; ++j)
            for (int64_t r = 0; r < rows; ++r)
              x[j * rows + r] = r < m ? right.data<T>()[j * m + r] : T(0);
          run(driver, as_int(m), as_int(n), as_int(k), copy.data<T>(), x, si,
              static_cast<RealOf<T>>(rcond), ranks.data<int>() + i, info.data<int>() + i);
        });
      });
      check_info(info, "linalg.lstsq", Failure::least_squares);
    }
    Outs outs{ops::narrow(both, int64_t{-2}, int64_t{0}, n)};
    outs[0] = ops::contiguous_copy(outs[0]);
    outs.push_back(residuals(both, ranks, m, n, driver));
    outs.push_back(ranked ? cast(ranks, DType::i64) : empty(Dims{0}, DType::i64));
    outs.push_back(valued ? s : empty(Dims{0}, real_of(t)));
    return outs;
  }
  template <class T>
  static void run(Text driver, int m, int n, int k, T* a, T* b, RealOf<T>* s, RealOf<T> rcond,
                  int* rank, int* info) {
    const Lapack<T>& lapack = lapack_of<T>();
    int rows = std::max(m, n), lwork = -1, least_int = 0;
    T least[1] = {0};
    // real work space: gelsy 2 n, gelss 5 k with k = min(m, n); gelsd says what it wants
    RealOf<T> least_real[1] = {0};
    Tensor work, ints = empty(Dims{n}, DType::i32);
    DType t = dtype_for<T>();
    Tensor reals = real_work<T>(std::max(2 * n, 5 * std::min(m, n)), t);
    for (int64_t i = 0; i < n; ++i) ints.data<int>()[i] = 0;
    for (int pass = 0; pass < 2; ++pass) {  // first, how much work space it wants
      T* w = pass ? work.data<T>() : least;
      RealOf<T>* rw = pass || driver != "gelsd" ? data_of<T>(reals) : least_real;
      if (driver == "gels") lapack.gels("N", &m, &n, &k, a, &m, b, &rows, w, &lwork, info, 1);
      else if (driver == "gelsy")
        lapack.gelsy(&m, &n, &k, a, &m, b, &rows, ints.data<int>(), &rcond, rank, w, &lwork, rw,
                     info);
      else if (driver == "gelsd")
        lapack.gelsd(&m, &n, &k, a, &m, b, &rows, s, &rcond, rank, w, &lwork, rw,
                     pass ? ints.data<int>() : &least_int, info);
      else lapack.gelss(&m, &n, &k, a, &m, b, &rows, s, &rcond, rank, w, &lwork, rw, info);
      if (pass) break;
      lwork = static_cast<int>(std::real(least[0])) + 1;
      work = empty(Dims{lwork}, t);
      if (driver == "gelsd") {
        ints = empty(Dims{std::max(least_int, 1)}, DType::i32);
        reals = real_work<T>(static_cast<int64_t>(least_real[0]) + 1, t);
      }
    }
  }
  // What LAPACK leaves below the solution, squared and summed; nothing if that is not of full rank.
  static Tensor residuals(const Tensor& both, const Tensor& ranks, int64_t m, int64_t n,
                          Text driver) {
    bool full = m > n && driver != "gelsy";
    if (driver == "gelss" || driver == "gelsd")
      for (int64_t i = 0; i < ranks.numel(); ++i) full = full && ranks.data<int>()[i] == n;
    if (!full) return empty(Dims{0}, real_of(both.dtype()));
    Tensor rest = ops::narrow(both, int64_t{-2}, n, m - n);
    if (is_complex(rest.dtype())) rest = ops::abs(rest);
    return ops::sum(ops::square(rest), int64_t{-2});
  }
  static constexpr bool conjugates = true;
  // X = Y B with the pseudo-inverse Y: gB = Y^H g, and g B^H goes to Y.
  static void vjp(Vjp& c) {
    Tensor a = c.in(0), b = c.in(1), x = c.out(0), ga, gb;
    int64_t k = std::min(a.size(-1), a.size(-2));
    bool of_residuals = c.has_g(1) && c.out_like(1).sizes.back() == x.size(-1);  // else none
    bool of_values = c.has_g(3) && c.out_like(3).sizes.back() == k && c.needs(0);
    if (!c.has_g(0) && !of_residuals && !of_values) return;
    if (c.has_g(0)) {
      Tensor g = c.g(0), y = pinv_node(a);
      Tensor yh = ht(y);
      gb = ops::matmul(yh, g);
      if (c.needs(0)) {
        Tensor r = ops::sub(b, ops::matmul(a, x));             // the residual
        Tensor yg = ops::matmul(y, gb);                        // Y Y^H g
        Tensor null = ops::sub(g, ops::matmul(ops::matmul(y, a), g));  // (1 - Y A) g
        ga = ops::sub(ops::matmul(r, ht(yg)), ops::matmul(gb, ht(x)));
        ga = ops::add(ga, ops::matmul(ops::matmul(yh, x), ht(null)));
      }
    }
    if (of_residuals) {  // of the squared lengths of the residuals, by r = b - A x alone
      Tensor r = ops::mul(ops::sub(b, ops::matmul(a, x)), ops::mul(row(c.g(1)), 2.0));
      gb = plus(gb, r);
      if (c.needs(0)) ga = minus(ga, ops::matmul(r, ht(x)));
    }
    if (of_values) {
      Outs usv = ops::svd.all(a, false, true);
      ga = plus(ga, ops::matmul(ops::mul(usv[0], row(c.g(3))), usv[2]));
    }
    if (c.needs(0) && ga.defined()) c.set(0, sum_to(ga, c.like(0)));
    if (c.needs(1) && gb.defined()) c.set(1, sum_to(gb, c.like(1)));
  }
};
ADJ_OP(LstsqNode,
       "_nodes.linalg_lstsq(A: Tensor, B: Tensor, rcond: float, driver: str) -> (Tensor solution, "
       "Tensor residuals, Tensor rank, Tensor singular_values)",
       R"(
The least squares behind `linalg.lstsq`.

>>> adjoint.linalg.lstsq(adjoint.tensor([[2.]]), adjoint.tensor([[4.]])).solution
tensor([[2.]])
)");
const Fn lstsq_node{"_nodes.linalg_lstsq"};

struct LinalgLstsq : Composite {
  static Outs define(Tensor a, Tensor b, std::optional<double> rcond, Text driver) {
    const char* name = "linalg.lstsq";
    check_linalg_dtype(a, name);
    check_matrix(a, name, "input");
    if (b.dim() < 1) runtime_error("torch.linalg.lstsq: other must have at least 1 dimension.");
    check_same_dtype(a, b, name);
    bool vector =
        b.dim() == 1 || (b.dim() == a.dim() - 1 && b.sizes() == a.sizes().slice(0, a.dim() - 1));
    if (vector) b = column(b);
    if (a.size(-2) != b.size(-2))
      runtime_error("torch.linalg.lstsq: input.size(-2) should match other.size(", vector ? -1 : -2,
                    "), got ", a.size(-2), " and ", b.size(-2));
    const char* method = driver.empty() ? "gelsy" : nullptr;
    for (const char* known : {"gels", "gelsy", "gelsd", "gelss"})
      if (driver == known) method = known;
    if (!method)
      runtime_error(
          "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, "
          "gelss), got ",
          driver);
    double limit = rcond.value_or(epsilon_of(a.dtype()) *
                                  static_cast<double>(std::max(a.size(-1), a.size(-2))));
    Outs outs = lstsq_node.all(a, b, limit, method);
    if (vector) outs[0] = no_column(outs[0]);
    return outs;
  }
};
ADJ_OP(
    LinalgLstsq,
    "linalg.lstsq(A: Tensor, B: Tensor, rcond: float? = None, *, driver: str? = None) -> (Tensor "
    "solution, Tensor residuals, Tensor rank, Tensor singular_values)",
    R"(
The X of the least `||A @ X - B||` (of those, the shortest): A [..., m, n], B [..., m, k], or
vectors [..., m]; batches broadcast. `driver`: 'gelsy' (pivoted QR, the standard), 'gelsd', 'gelss'
(singular values), 'gels' (QR: A must have full rank). Singular values below `rcond` times the
largest (standard: max(m, n) eps) count as 0. `residuals` [..., k], squared, where m > n and the
rank is full, by all drivers but gelsy; `rank` (int64 [...]) by all but gels; `singular_values` by
gelsd and gelss: else empty.

>>> A, B = adjoint.tensor([[1.], [1.]]), adjoint.tensor([[1.], [3.]])
>>> adjoint.linalg.lstsq(A, B).solution
tensor([[2.0000]])
)");

}  // namespace
}  // namespace adj
