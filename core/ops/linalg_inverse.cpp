// Inverses, and systems of linear equations.
#include "ops/linalg.h"

namespace adj {

namespace {

struct InverseNode : Rule {
  static constexpr uint32_t saves = output(0);

  static Outs forward(Tensor a, Text caller) {
    int64_t n = a.size(-1);
    Dims batch = batch_sizes(a);
    Outs outs{empty_columns(batch, n, n, a.dtype()), zero_info(batch)};
    Matrices matrices(a, batch);
    with_type(a.dtype(), [&]<class T>(T) {
      T* x = outs[0].data<T>();
      int* info = outs[1].data<int>();
      for_each_matrix(matrices.count(), 2 * n * n * n, [&](int64_t i) {
        matrices.to_columns(i, x + i * n * n);
        info[i] = inverse(as_int(n), x + i * n * n);
      });
    });
    check_info(outs[1], caller, Failure::inverse);
    return outs;
  }
  // -X^T g X^T: Giles, "Collected matrix derivative results" (2008), 2.2.3.
  static void vjp(Vjp& c) {
    if (!c.has_g(0)) return;
    Tensor xt = mt(c.out(0));
    c.set(0, ops::neg(ops::matmul(xt, ops::matmul(c.g(0), xt))));
  }
  static Outs jvp(Jvp& j) {
    Tensor x = j.outs[0];
    Outs outs(2);
    outs[0] = ops::neg(ops::matmul(x, ops::matmul(j.t(0), x)));
    return outs;
  }
  static Outs batch(Batch& b) { return batch_in_front(b); }
};
ADJ_OP(InverseNode,
       "_nodes.linalg_inv_ex(A: Tensor, caller: str? = None) -> (Tensor inverse, Tensor info)", R"(
The inverse behind `linalg.inv`; an error that names the caller, if there is one, instead of a
nonzero `info`.

>>> adjoint.linalg.inv(adjoint.tensor([[2.]]))
tensor([[0.5000]])
)");

Outs inverse_of(const Tensor& a, const char* name, bool checked) {
  check_linalg_dtype(a, name);
  check_square(a, name);
  return ops::inverse_ex.all(a, checked ? Value(name) : Value());
}

struct LinalgInv : Composite {
  static Tensor define(Tensor a) { return inverse_of(a, "linalg.inv", true)[0]; }
};
ADJ_OP(LinalgInv, "linalg.inv(A: Tensor) -> Tensor", R"(
The inverses of square matrices [..., n, n]. A `LinAlgError` for a singular one. `linalg.solve(A,
B)` is faster and more exact than `linalg.inv(A) @ B`.

>>> adjoint.linalg.inv(adjoint.tensor([[2., 1.], [1., 1.]]))
tensor([[ 1., -1.],
        [-1.,  2.]])
)");

struct Inverse : Composite {
  static Tensor define(Tensor a) { return inverse_of(a, "linalg.inv", true)[0]; }
};
ADJ_OP(Inverse, "inverse(input: Tensor) -> Tensor", R"(
See `linalg.inv`.

>>> adjoint.inverse(adjoint.tensor([[2.]]))
tensor([[0.5000]])
)");

struct LinalgInvEx : Composite {
  static Outs define(Tensor a, bool check_errors) {
    return inverse_of(a, "linalg.inv_ex", check_errors);
  }
};
ADJ_OP(LinalgInvEx,
       "linalg.inv_ex(A: Tensor, *, check_errors: bool = False) -> (Tensor inverse, Tensor info)",
       R"(
`linalg.inv` that reports in `info` (int32 [...]) the first pivot that is zero (0: none is) instead
of raising; the inverse is then meaningless.

>>> adjoint.linalg.inv_ex(adjoint.zeros(1, 1)).info
tensor(1, dtype=torch.int32)
)");

struct SolveNode : FastRule {
  static constexpr uint32_t saves = input(0) | output(0) | output(1) | output(2);

  static Outs forward(Tensor a, Tensor b, Text caller) {
    int64_t n = a.size(-1), k = b.size(-1);
    Dims own = batch_sizes(a), batch = broadcast_sizes(own, batch_sizes(b));
    Outs outs{empty_columns(batch, n, k, b.dtype()), empty_columns(own, n, n, a.dtype()),
              empty(with_sizes(own, {n}), DType::i32), zero_info(own)};
    Matrices as(a, own), lus(outs[1], batch), bs(b, batch);
    Tensor numbers =
        batch.size() && !(DimsView(own) == DimsView(batch)) ? index_of(own, batch) : Tensor();
    with_type(a.dtype(), [&]<class T>(T) {
      T *x = outs[0].data<T>(), *lu = outs[1].data<T>();
      int *pivots = outs[2].data<int>(), *info = outs[3].data<int>();
      for_each_matrix(as.count(), n * n * n, [&](int64_t i) {
        as.to_columns(i, lu + i * n * n);
        info[i] = lu_factor(as_int(n), as_int(n), lu + i * n * n, pivots + i * n);
      });
      check_info(outs[3], caller, Failure::solve);
      for_each_matrix(bs.count(), n * n * k, [&](int64_t i) {
        int64_t at = numbers.defined() ? numbers.data<int64_t>()[i] : i;
        bs.to_columns(i, x + i * n * k);
        adj::lu_solve(false, as_int(n), as_int(k), lu + at * n * n, pivots + at * n, x + i * n * k);
      });
    });
    return outs;
  }
  // gB = A^-T g, gA = -gB X^T: Giles (2008), 2.3.1.
  static void gradients(Vjp& c, const Tensor& gb) {
    if (c.needs(1)) c.set(1, sum_to(gb, c.like(1)));
    if (c.needs(0)) c.set(0, sum_to(ops::neg(ops::matmul(gb, mt(c.out(0)))), c.like(0)));
  }
  static void vjp(Vjp& c) {
    if (c.has_g(0)) gradients(c, ops::solve_ex(mt(c.in(0)), c.g(0)));
  }
  static bool fast_vjp(Vjp& c) {
    if (c.has_g(0)) gradients(c, ops::lu_solve(c.out(1), c.out(2), c.g(0), true));
    return true;
  }
  static Outs jvp(Jvp& j) {
    Tensor x = j.outs[0], db = j.t(1), da = j.t(0);
    if (da.defined()) da = ops::matmul(da, x);
    Tensor d = minus(db, da);
    if (!(d.sizes() == x.sizes())) d = ops::expand(d, x.sizes());
    Outs outs(4);
    outs[0] = ops::solve_ex(j.in(0), d);
    return outs;
  }
  static Outs batch(Batch& b) {
    Outs outs = batch_of_two(b);
    // The factors have the batch of A alone: without the 1s of alignment, or the same for all.
    Dims sizes = b.in(0)->sizes;
    for (int i = 1; i < outs.size(); ++i) {
      if (i > 1) sizes.pop_back();
      outs[i] = b.is_batched(0) ? ops::reshape(outs[i], sizes)
                                : ops::expand(outs[i], with_batch(b, outs[i].sizes()));
    }
    return outs;
  }

 private:
  // Which matrix of A belongs to each of the whole batch.
  static Tensor index_of(DimsView own, DimsView batch) {
    Tensor numbers = ops::reshape(ops::arange(int64_t{0}, own.product()), own);
    return dense(ops::expand(numbers, batch));
  }
};
ADJ_OP(SolveNode,
       "_nodes.linalg_solve_ex(A: Tensor, B: Tensor, caller: str? = None) -> (Tensor result, "
       "Tensor LU, "
       "Tensor pivots, Tensor info)",
       R"(
A^-1 B with B [..., n, k], and the factors of A, behind `linalg.solve`; an error that names the
caller, if there is one, instead of a nonzero `info`.

>>> adjoint.linalg.solve(adjoint.tensor([[2.]]), adjoint.tensor([[4.]]))
tensor([[2.]])
)");

Outs solution_of(const Tensor& a, const Tensor& b, bool left, const char* name, bool checked) {
  check_linalg_dtype(a, name);
  check_square(a, name);
  check_same_dtype(a, b, name);
  bool vector =
      b.dim() == 1 || (b.dim() == a.dim() - 1 && b.sizes() == a.sizes().slice(0, a.dim() - 1));
  if (vector && !left)
    runtime_error(name,
                  ": Vector broadcasting of the left hand side is not supported for left=False");
  if (!vector) check_matrix(b, name, "B");
  int64_t rows = vector ? b.size(-1) : left ? b.size(-2) : b.size(-1);
  if (rows != a.size(-1))
    runtime_error(name, ": Incompatible shapes of A and B for the equation ",
                  left ? "AX = B" : "XA = B", " (", a.size(-2), "x", a.size(-1), " and ",
                  b.dim() > 1 ? b.size(-2) : rows, "x", vector ? int64_t{1} : b.size(-1), ")");
  Value caller = checked ? Value(name) : Value();
  Outs all = left ? ops::solve_ex.all(a, vector ? column(b) : b, caller)
                  : ops::solve_ex.all(mt(a), mt(b), caller);
  Tensor x = all[0];
  return {vector ? no_column(x) : left ? x : mt(x), all[3]};
}

struct LinalgSolve : Composite {
  static Tensor define(Tensor a, Tensor b, bool left) {
    return solution_of(a, b, left, "linalg.solve", true)[0];
  }
};
ADJ_OP(LinalgSolve, "linalg.solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor", R"(
X with `A @ X = B` (`X @ A = B` if not `left`): A [..., n, n]; B [..., n, k], or a vector [n], or
vectors [..., n] with the batch of A. Batches broadcast. A `LinAlgError` for a singular matrix.

>>> adjoint.linalg.solve(adjoint.tensor([[2., 0.], [1., 1.]]), adjoint.tensor([4., 5.]))
tensor([2., 3.])
)");

struct LinalgSolveEx : Composite {
  static Outs define(Tensor a, Tensor b, bool left, bool check_errors) {
    return solution_of(a, b, left, "linalg.solve_ex", check_errors);
  }
};
ADJ_OP(LinalgSolveEx,
       "linalg.solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> "
       "(Tensor result, Tensor info)",
       R"(
`linalg.solve` that reports in `info` (int32, the batch of A) the first pivot that is zero (0: none
is) instead of raising.

>>> adjoint.linalg.solve_ex(adjoint.tensor([[2.]]), adjoint.tensor([4.])).result
tensor([2.])
)");

// A [a..., b...] with prod(a) = prod(b) as a square matrix.
struct TensorInv : Composite {
  static Tensor define(Tensor a, int64_t ind) {
    if (ind <= 0) runtime_error("Expected a strictly positive integer for 'ind', got ", ind);
    int k = static_cast<int>(std::min<int64_t>(ind, a.dim()));
    Dims sizes = a.sizes().slice(k, a.dim() - k).copy();
    int64_t columns = DimsView(sizes).product(), rows = a.sizes().slice(0, k).product();
    if (rows != columns)
      runtime_error(
          "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
          "prod(self.shape[:ind]), but got ",
          columns, " != ", rows);
    sizes.append(a.sizes().begin(), a.sizes().begin() + k);
    Tensor x = inverse_of(ops::reshape(a, Dims{rows, columns}), "linalg.tensorinv", true)[0];
    return ops::reshape(x, sizes);
  }
};
ADJ_OP(TensorInv, "linalg.tensorinv(A: Tensor, ind: int = 2) -> Tensor", R"(
The inverse of A as a map of tensors: `tensordot(tensorinv(A, ind), B, ind)` solves `tensordot(A, X,
A.dim() - ind) = B`. The products of the first `ind` sizes and of the others must agree.

>>> adjoint.linalg.tensorinv(adjoint.eye(4).reshape(2, 2, 4)).shape
torch.Size([4, 2, 2])
)");

struct TensorSolve : Composite {
  static Tensor define(Tensor a, Tensor b, std::optional<DimsView> dims) {
    if (dims) {
      Dims from, to;
      for (int i = 0; i < dims->size(); ++i) {
        from.push_back((*dims)[i]);
        to.push_back(a.dim() - dims->size() + i);
      }
      a = ops::movedim(a, from, to);
    }
    int k = std::min(b.dim(), a.dim());
    Dims sizes = a.sizes().slice(k, a.dim() - k).copy();
    int64_t columns = DimsView(sizes).product();
    if (a.numel() != columns * columns || b.numel() != columns)
      runtime_error(
          "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
          "prod(self.shape[:other.ndim]), but got ",
          columns, " != ", b.numel());
    Tensor x = solution_of(ops::reshape(a, Dims{columns, columns}), ops::reshape(b, Dims{columns}),
                           true, "linalg.tensorsolve", true)[0];
    return ops::reshape(x, sizes);
  }
};
ADJ_OP(TensorSolve, "linalg.tensorsolve(A: Tensor, B: Tensor, dims: int[]? = None) -> Tensor", R"(
X with `tensordot(A, X, X.dim()) = B`; `dims` of A are moved to its end first.

>>> adjoint.linalg.tensorsolve(2 * adjoint.eye(4).reshape(2, 2, 4), adjoint.ones(2, 2))
tensor([0.5000, 0.5000, 0.5000, 0.5000])
)");

}  // namespace
}  // namespace adj
