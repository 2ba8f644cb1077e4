// LU factorisations with partial pivoting.
#include "ops/linalg.h"

namespace adj {

namespace {

// The permutation matrices [..., m, m] of one-based row exchanges [..., k].
struct PivotsToMatrix : Constant {
  static Tensor forward(Tensor pivots, int64_t m, DType t) {
    int64_t k = pivots.size(-1);
    pivots = dense(pivots);
    Dims batch = pivots.sizes().slice(0, pivots.dim() - 1).copy();
    Tensor p = empty(with_sizes(batch, {m, m}), DType::f32);
    for (int64_t i = 0; i < p.numel(); ++i) p.data<float>()[i] = 0;
    SmallVec<int64_t, 32> order(as_int(m));
    for (int64_t b = 0; b < DimsView(batch).product(); ++b) {
      for (int i = 0; i < m; ++i) order[i] = i;
      const int* swaps = pivots.data<int>() + b * k;
      for (int i = 0; i < k; ++i) {
        if (swaps[i] < 1 || swaps[i] > m)
          runtime_error("the pivots of LU must be between 1 and ", m, ", got ", swaps[i]);
        std::swap(order[i], order[swaps[i] - 1]);
      }
      // row order[i] of P L U is row i of L U
      for (int i = 0; i < m; ++i) p.data<float>()[b * m * m + order[i] * m + i] = 1;
    }
    return cast(p, t);
  }
  static Outs batch(Batch& b) { return b.run(); }
};
ADJ_OP(PivotsToMatrix, "_nodes.pivots_to_matrix(pivots: Tensor, m: int, dtype: dtype) -> Tensor",
       R"(
The permutation matrix P [..., m, m] of `A = P @ L @ U` from the pivots (int32, one-based) of
`linalg.lu_factor`.

>>> adjoint._core._namespaces["_nodes"]["pivots_to_matrix"](
...     adjoint.tensor([2, 2], dtype=adjoint.int32), 2, adjoint.float32)
tensor([[0., 1.],
        [1., 0.]])
)");
const Fn permutation{"_nodes.pivots_to_matrix"};

// L [..., m, k] with ones on the diagonal and U [..., k, n].
Tensor l_of(const Tensor& lu) {
  int64_t k = std::min(lu.size(-1), lu.size(-2));
  Tensor l = columns_until(lu, k);
  return ops::add(lower_part(l, -1), ops::eye(l.size(-2), k, l.dtype()));
}
Tensor u_of(const Tensor& lu) {
  return upper_part(rows_until(lu, std::min(lu.size(-1), lu.size(-2))));
}

struct LuFactorNode : Rule {
  static constexpr uint32_t saves = output(0) | output(1);

  static Outs forward(Tensor a, Text caller) {
    int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
    Dims batch = batch_sizes(a);
    Outs outs{empty_columns(batch, m, n, a.dtype()), empty(with_sizes(batch, {k}), DType::i32),
              zero_info(batch)};
    Matrices matrices(a, batch);
    with_type(a.dtype(), [&]<class T>(T) {
      T* lu = outs[0].data<T>();
      int *pivots = outs[1].data<int>(), *info = outs[2].data<int>();
      for_each_matrix(matrices.count(), m * n * k, [&](int64_t i) {
        matrices.to_columns(i, lu + i * m * n);
        info[i] = lu_factor(as_int(m), as_int(n), lu + i * m * n, pivots + i * k);
      });
    });
    check_info(outs[2], caller, Failure::lu);
    return outs;
  }
  // With a square matrix, P L^-T (tril(L^T gL, -1) + triu(gU U^T)) U^-T: from dA = P (dL U + L dU).
  // The rows below a square one are L2 = A2 U^-1, the columns beside it U2 = L^-1 A2.
  static void vjp(Vjp& c) {
    if (!c.has_g(0)) return;
    Tensor lu = c.out(0), g = c.g(0);
    int64_t m = lu.size(-2), n = lu.size(-1), k = std::min(m, n);
    Tensor square = columns_until(rows_until(lu, k), k), l = l_of(square), u = u_of(square);
    Tensor gs = columns_until(rows_until(g, k), k);
    Tensor gl = lower_part(gs, -1), gu = upper_part(gs), rest;
    if (m > k) {
      Tensor l2 = ops::narrow(lu, int64_t{-2}, k, m - k);
      rest = mt(ops::triangular(u, mt(ops::narrow(g, int64_t{-2}, k, m - k)), true));  // gL2 U^-T
      gu = ops::sub(gu, upper_part(ops::matmul(mt(l2), rest)));
    } else if (n > k) {
      Tensor u2 = ops::narrow(lu, int64_t{-1}, k, n - k);
      rest = ops::triangular(mt(l), ops::narrow(g, int64_t{-1}, k, n - k), true, true);
      gl = ops::sub(gl, lower_part(ops::matmul(rest, mt(u2)), -1));
    }
    Tensor inner =
        ops::add(lower_part(ops::matmul(mt(l), gl), -1), upper_part(ops::matmul(gu, mt(u))));
    Tensor x = ops::triangular(mt(l), inner, true, true);  // L^-T M
    Tensor ga = mt(ops::triangular(u, mt(x), true));  // ... U^-T
    if (rest.defined()) ga = ops::cat(TensorList{ga, rest}, m > k ? int64_t{-2} : int64_t{-1});
    c.set(0, ops::matmul(permutation(c.out(1), m, lu.dtype()), ga));
  }
  static Outs batch(Batch& b) { return batch_in_front(b); }
};
ADJ_OP(LuFactorNode,
       "_nodes.linalg_lu_factor_ex(A: Tensor, caller: str? = None) -> (Tensor LU, Tensor pivots, "
       "Tensor info)",
       R"(
The factors behind `linalg.lu_factor`; an error that names the caller, if there is one, instead of a
nonzero `info`.

>>> adjoint.linalg.lu_factor(adjoint.tensor([[2.]])).LU
tensor([[2.]])
)");

Outs factors_of(const Tensor& a, bool pivot, const char* name, bool checked) {
  check_linalg_dtype(a, name);
  check_matrix(a, name);
  if (!pivot) runtime_error(name, ": LU without pivoting is not implemented on the CPU");
  return ops::lu_factor_ex.all(a, checked ? Value(name) : Value());
}

struct LinalgLuFactor : Composite {
  static Outs define(Tensor a, bool pivot) {
    Outs outs = factors_of(a, pivot, "linalg.lu_factor", true);
    outs.pop_back();
    return outs;
  }
};
ADJ_OP(LinalgLuFactor,
       "linalg.lu_factor(A: Tensor, *, pivot: bool = True) -> (Tensor LU, Tensor pivots)", R"(
`A = P @ L @ U` of matrices [..., m, n], for `linalg.lu_solve`: L (without its diagonal of ones) and
U in one matrix, and the row exchanges (int32, one-based, [..., min(m, n)]). A `LinAlgError` if U
has a zero on its diagonal.

>>> LU, pivots = adjoint.linalg.lu_factor(adjoint.tensor([[1., 2.], [2., 2.]]))
>>> LU
tensor([[2.0000, 2.0000],
        [0.5000, 1.0000]])
>>> pivots
tensor([2, 2], dtype=torch.int32)
)");

struct LinalgLuFactorEx : Composite {
  static Outs define(Tensor a, bool pivot, bool check_errors) {
    return factors_of(a, pivot, "linalg.lu_factor_ex", check_errors);
  }
};
ADJ_OP(
    LinalgLuFactorEx,
    "linalg.lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> (Tensor "
    "LU, Tensor pivots, Tensor info)",
    R"(
`linalg.lu_factor` that reports in `info` (int32 [...]) the first zero on the diagonal of U (0:
none) instead of raising.

>>> adjoint.linalg.lu_factor_ex(adjoint.zeros(1, 1)).info
tensor(1, dtype=torch.int32)
)");

struct LuUnpack : Composite {
  static Outs define(Tensor lu, Tensor pivots, bool unpack_data, bool unpack_pivots) {
    check_matrix(lu, "lu_unpack", "LU_data");
    if (unpack_pivots && pivots.dtype() != DType::i32)
      runtime_error(
          "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of "
          "torch.int32 dtype. Note: this function is intended to be used with the "
          "output produced by torch.linalg.lu_factor");
    Tensor none = ops::zeros(Dims{0}, lu.dtype());
    return {unpack_pivots ? permutation(pivots, lu.size(-2), lu.dtype()) : none,
            unpack_data ? l_of(lu) : none, unpack_data ? u_of(lu) : none};
  }
};
ADJ_OP(
    LuUnpack,
    "lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = "
    "True) -> (Tensor P, Tensor L, Tensor U)",
    R"(
P [..., m, m], L [..., m, k] and U [..., k, n] from the results of `linalg.lu_factor`, k = min(m,
n). What is not unpacked is empty.

>>> adjoint.lu_unpack(*adjoint.linalg.lu_factor(adjoint.tensor([[1., 2.], [2., 2.]]))).L
tensor([[1.0000, 0.0000],
        [0.5000, 1.0000]])
)");

struct LinalgLu : Composite {
  static Outs define(Tensor a, bool pivot) {
    Outs outs = factors_of(a, pivot, "linalg.lu", false);
    return LuUnpack::define(outs[0], outs[1], true, true);
  }
};
ADJ_OP(LinalgLu, "linalg.lu(A: Tensor, *, pivot: bool = True) -> (Tensor P, Tensor L, Tensor U)",
       R"(
`A = P @ L @ U` of matrices [..., m, n]: a permutation [..., m, m], a lower triangular matrix with
ones on the diagonal [..., m, k], an upper triangular one [..., k, n], k = min(m, n).

>>> adjoint.linalg.lu(adjoint.tensor([[1., 2.], [2., 2.]])).U
tensor([[2., 2.],
        [0., 1.]])
)");

struct LuSolveNode : Fused {
  static Tensor define(Tensor lu, Tensor pivots, Tensor b, bool transposed) {
    Tensor l = l_of(lu), u = upper_part(lu), p = permutation(pivots, lu.size(-1), lu.dtype());
    if (!transposed)
      return ops::triangular(u, ops::triangular(l, ops::matmul(mt(p), b), false, true), true);
    return ops::matmul(p, ops::triangular(mt(l), ops::triangular(mt(u), b, false), true, true));
  }
  static Tensor forward(Tensor lu, Tensor pivots, Tensor b, bool transposed) {
    int64_t n = b.size(-2), k = b.size(-1);
    Dims batch = broadcast_sizes(batch_sizes(lu), batch_sizes(b));
    batch = broadcast_sizes(batch, pivots.sizes().slice(0, pivots.dim() - 1));
    Tensor x = empty_columns(batch, n, k, b.dtype());
    if (x.numel() == 0) return x;
    bool columns = n == 1 || (lu.stride(-2) == 1 && lu.stride(-1) == n);
    if (!columns) {
      Tensor copy = empty_columns(batch_sizes(lu), n, n, lu.dtype());
      write_into(copy, lu);
      lu = copy;
    }
    pivots = dense(pivots);
    Tensor swaps = view_of(pivots, row_layout(pivots));
    Matrices lus(lu, batch), bs(b, batch), ps(swaps, batch);
    with_type(b.dtype(), [&]<class T>(T) {
      for_each_matrix(bs.count(), n * n * k, [&](int64_t i) {
        T* out = x.data<T>() + i * n * k;
        bs.to_columns(i, out);
        adj::lu_solve(transposed, as_int(n), as_int(k), lus.at<T>(i), ps.at<int>(i), out);
      });
    });
    return x;
  }
  static bool fast_vjp(Vjp&) { return false; }
  static Outs batch(Batch& b) {
    int ndim = std::max({b.logical_dim(0), b.logical_dim(1) + 1, b.logical_dim(2)});
    Tensor lu = b.aligned(0, ndim), pivots = b.aligned(1, ndim - 1), rhs = b.aligned(2, ndim);
    return as_outs(ops::lu_solve(lu, pivots, rhs, b.arg<bool>(3)));
  }

 private:
  static Layout row_layout(const Tensor& pivots) {  // [..., 1, n]
    Layout layout = pivots.layout();
    layout.sizes.insert(layout.sizes.size() - 1, 1);
    layout.strides.insert(layout.strides.size() - 1, pivots.size(-1));
    return layout;
  }
};
ADJ_OP(LuSolveNode,
       "_nodes.linalg_lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, transpose: bool = False) -> "
       "Tensor",
       R"(
A^-1 B, or A^-T B, from the factors of A: behind `linalg.lu_solve`.

>>> LU, pivots = adjoint.linalg.lu_factor(adjoint.tensor([[2.]]))
>>> adjoint.linalg.lu_solve(LU, pivots, adjoint.tensor([[4.]]))
tensor([[2.]])
)");

Tensor solve(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint,
             const char* name) {
  check_linalg_dtype(lu, name);
  check_square(lu, name, "LU");
  check_matrix(b, name, "B");
  check_same_dtype(lu, b, name);
  if (pivots.dtype() != DType::i32)
    runtime_error(name, ": pivots should be a Tensor of scalar type torch.int32. Got ",
                  scalar_name_of(pivots.dtype()));
  int64_t rows = left ? b.size(-2) : b.size(-1);
  if (rows != lu.size(-1))
    runtime_error(name, ": Incompatible shapes of A and B for the equation ",
                  left ? "AX = B" : "XA = B", " (", lu.size(-2), "x", lu.size(-1), " and ",
                  b.size(-2), "x", b.size(-1), ")");
  Dims expected = lu.sizes().slice(0, lu.dim() - 1).copy();
  if (!(pivots.sizes() == DimsView(expected)))
    runtime_error(name,
                  ": Number of pivots per batch should be same as the dimension of the "
                  "matrix: expected pivots of shape ",
                  expected, ", got ", pivots.sizes());
  // A^-H B is the conjugate of A^-T conj(B)
  Tensor right = adjoint ? conj_of(b) : b;
  Tensor x = left ? ops::lu_solve(lu, pivots, right, adjoint)
                  : mt(ops::lu_solve(lu, pivots, mt(right), !adjoint));
  return adjoint ? conj_of(x) : x;
}

struct LinalgLuSolve : Composite {
  static Tensor define(Tensor lu, Tensor pivots, Tensor b, bool left, bool adjoint) {
    return solve(lu, pivots, b, left, adjoint, "linalg.lu_solve");
  }
};
ADJ_OP(
    LinalgLuSolve,
    "linalg.lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = "
    "False) -> Tensor",
    R"(
X with `A @ X = B` (`X @ A = B` if not `left`, A.mH in the place of A if `adjoint`) from what
`linalg.lu_factor(A)` gave: LU [..., n, n], pivots [..., n], B [..., n, k].

>>> LU, pivots = adjoint.linalg.lu_factor(adjoint.tensor([[2., 0.], [1., 1.]]))
>>> adjoint.linalg.lu_solve(LU, pivots, adjoint.tensor([[4.], [5.]]))
tensor([[2.],
        [3.]])
)");

struct LuSolve : Composite {
  static Tensor define(Tensor b, Tensor lu, Tensor pivots) {
    return solve(lu, pivots, b, true, false, "lu_solve");
  }
};
ADJ_OP(LuSolve, "lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor", R"(
See `linalg.lu_solve`, which takes `b` last.

>>> LU, pivots = adjoint.linalg.lu_factor(adjoint.tensor([[2.]]))
>>> adjoint.lu_solve(adjoint.tensor([[4.]]), LU, pivots)
tensor([[2.]])
)");

}  // namespace
}  // namespace adj
