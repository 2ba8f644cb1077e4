// Powers, exponentials and long products of matrices.
#include <cmath>

#include "ops/linalg.h"

namespace adj {

namespace {

Tensor power(const Tensor& given, int64_t n, const char* name) {
  check_square(given, name);
  Tensor a = given;
  if (n == 0) {
    return ops::copy(a, identity(a.size(-1), a.dtype()));  // the gradient is 0, not absent
  }
  if (n < 0) {
    check_linalg_dtype(a, name);
    a = ops::inverse_ex(a, "linalg.inv");
    n = -n;
  }
  if (n == 1) return ops::clone(a);
  Tensor result;
  for (;; a = ops::matmul(a, a)) {
    if (n & 1) result = result.defined() ? ops::matmul(result, a) : a;
    if (!(n >>= 1)) return result;
  }
}

struct LinalgMatrixPower : Composite {
  static Tensor define(Tensor a, int64_t n) { return power(a, n, "linalg.matrix_power"); }
};
ADJ_OP(LinalgMatrixPower, "linalg.matrix_power(A: Tensor, n: int) -> Tensor", R"(
The n-th power of square matrices [..., k, k], by repeated squaring; of the inverse if n is
negative.

>>> adjoint.linalg.matrix_power(adjoint.tensor([[1., 1.], [0., 1.]]), 3)
tensor([[1., 3.],
        [0., 1.]])
)");

struct MatrixPower : Composite {
  static Tensor define(Tensor a, int64_t n) { return power(a, n, "matrix_power"); }
};
ADJ_OP(MatrixPower, "matrix_power(input: Tensor, n: int) -> Tensor", R"(
See `linalg.matrix_power`.

>>> adjoint.matrix_power(adjoint.tensor([[2.]]), -1)
tensor([[0.5000]])
)");

const Fn exp_node{"_nodes.linalg_matrix_exp"};

// [[a, b], [0, a]]
Tensor block(const Tensor& a, const Tensor& b) {
  Tensor top = ops::cat(TensorList{a, b}, int64_t{-1});
  Tensor bottom = ops::cat(TensorList{ops::zeros_like(a), a}, int64_t{-1});
  return ops::cat(TensorList{top, bottom}, int64_t{-2});
}
// The derivative of exp at `a` in the direction `e`: the upper right part of the exponential of
// [[a, e], [0, a]]. Najfeld and Havel, "Derivatives of the matrix exponential and their
// computation" (1995).
Tensor exp_along(const Tensor& a, const Tensor& e) {
  int64_t n = a.size(-1);
  Tensor all = exp_node(block(a, e));
  return ops::narrow(ops::narrow(all, int64_t{-2}, int64_t{0}, n), int64_t{-1}, n, n);
}

struct MatrixExpNode : Rule {
  static constexpr uint32_t saves = input(0);

  // Scaling and squaring with the Pade approximants of order 13 and, for float32, 7: Higham, "The
  // scaling and squaring method for the matrix exponential revisited" (2005), algorithm 2.3.
  static Tensor forward(Tensor a) {
    int64_t n = a.size(-1);
    if (a.numel() == 0) return ops::zeros(a.sizes(), a.dtype());
    bool single = real_of(a.dtype()) == DType::f32;
    double limit = single ? 3.925724783138660 : 5.371920351148152;
    Tensor norm =
        cast(dense(ops::amax(ops::sum(ops::abs(a), int64_t{-2}), int64_t{-1})), DType::f64);
    Tensor times = empty(norm.sizes(), DType::i64), scale = empty(norm.sizes(), DType::f64);
    int64_t most = 0;
    for (int64_t i = 0; i < norm.numel(); ++i) {
      double x = norm.data<double>()[i];
      int64_t s = x > limit && x < 1e300 ? std::ilogb(x / limit) + 1 : 0;
      times.data<int64_t>()[i] = s;
      scale.data<double>()[i] = std::ldexp(1.0, static_cast<int>(-s));
      most = std::max(most, s);
    }
    auto per_matrix = [](const Tensor& x) { return column(column(x)); };
    if (most) a = ops::mul(a, per_matrix(cast(scale, a.dtype())));
    Tensor x = pade(a, identity(n, a.dtype()), single);
    times = per_matrix(times);
    for (int64_t i = 0; i < most; ++i) {
      Tensor squared = ops::matmul(x, x);
      x = norm.numel() == 1 ? squared : ops::where(ops::gt(times, i), squared, x);
    }
    return x;
  }
  static Tensor pade(const Tensor& a, const Tensor& one, bool single) {
    // c0 + c1 A^2 + c2 A^4 + c3 A^6
    Tensor a2 = ops::matmul(a, a), a4 = ops::matmul(a2, a2), a6 = ops::matmul(a4, a2);
    auto sum = [&](double c0, double c1, double c2, double c3) {
      Tensor y = ops::add(ops::mul(a2, c1), ops::mul(a4, c2));
      y = ops::add(y, ops::mul(a6, c3));
      return c0 == 0 ? y : ops::add(y, ops::mul(one, c0));
    };
    Tensor odd, even;
    if (single) {
      odd = sum(8648640, 277200, 1512, 1);
      even = sum(17297280, 1995840, 25200, 56);
    } else {
      odd = ops::add(ops::matmul(a6, sum(0, 40840800, 16380, 1)),
                     sum(32382376266240000, 1187353796428800, 10559470521600, 33522128640));
      even = ops::add(ops::matmul(a6, sum(0, 1323241920, 960960, 182)),
                      sum(64764752532480000, 7771770303897600, 129060195264000, 670442572800));
    }
    odd = ops::matmul(a, odd);
    return ops::solve_ex(ops::sub(even, odd), ops::add(even, odd));
  }
  static void vjp(Vjp& c) { c.set(0, exp_along(mt(c.in(0)), c.g())); }
  static Outs jvp(Jvp& j) { return as_outs(exp_along(j.in(0), j.t(0))); }
  static Outs batch(Batch& b) { return batch_in_front(b); }
};
ADJ_OP(MatrixExpNode, "_nodes.linalg_matrix_exp(A: Tensor) -> Tensor", R"(
The exponential behind `linalg.matrix_exp`.

>>> adjoint.linalg.matrix_exp(adjoint.zeros(1, 1))
tensor([[1.]])
)");

Tensor matrix_exp(const Tensor& a, const char* name) {
  check_linalg_dtype(a, name);
  check_square(a, name);
  return exp_node(a);
}

struct LinalgMatrixExp : Composite {
  static Tensor define(Tensor a) { return matrix_exp(a, "linalg.matrix_exp"); }
};
ADJ_OP(LinalgMatrixExp, "linalg.matrix_exp(A: Tensor) -> Tensor", R"(
The sum of `A^k / k!` of square matrices [..., n, n].

>>> adjoint.linalg.matrix_exp(adjoint.tensor([[0., 1.], [0., 0.]]))
tensor([[1., 1.],
        [0., 1.]])
)");

struct MatrixExp : Composite {
  static Tensor define(Tensor a) { return matrix_exp(a, "linalg.matrix_exp"); }
};
ADJ_OP(MatrixExp, "matrix_exp(input: Tensor) -> Tensor", R"(
See `linalg.matrix_exp`.

>>> adjoint.matrix_exp(adjoint.zeros(1, 1))
tensor([[1.]])
)");

// The product of matrices i .. j in the order of the fewest multiplications.
struct Chain {
  Tensors factors;
  SmallVec<int64_t, 8> sizes;  // factor i is [sizes[i], sizes[i + 1]]
  SmallVec<int, 16> split;     // of the product of i .. j, at i * n + j

  explicit Chain(Tensors xs, const Tensor* data) : factors{data, xs.size()} {
    int n = factors.size();
    for (int i = 0; i < n; ++i) sizes.push_back(factors[i].size(0));
    sizes.push_back(factors[n - 1].size(1));
    SmallVec<int64_t, 16> cost(n * n);
    split.resize(n * n);
    for (int i = 0; i < n * n; ++i) cost[i] = 0;
    for (int length = 2; length <= n; ++length)
      for (int i = 0; i + length <= n; ++i) {
        int j = i + length - 1;
        cost[i * n + j] = INT64_MAX;
        for (int k = i; k < j; ++k) {
          int64_t c =
              cost[i * n + k] + cost[(k + 1) * n + j] + sizes[i] * sizes[k + 1] * sizes[j + 1];
          if (c < cost[i * n + j]) {
            cost[i * n + j] = c;
            split[i * n + j] = k;
          }
        }
      }
  }
  Tensor product(int i, int j) const {
    if (i == j) return factors[i];
    int k = split[i * factors.size() + j];
    return ops::mm(product(i, k), product(k + 1, j));
  }
};

Tensor multi_dot(Tensors xs, const char* name) {
  int n = xs.size();
  if (n < 2) runtime_error(name, "(): expected at least 2 tensors but got ", n);
  TensorList factors;
  for (auto& x : xs) factors.push_back(x);
  bool vector = factors[0].dim() == 1, to_vector = factors[n - 1].dim() == 1;
  if (vector) factors[0] = ops::unsqueeze(factors[0], int64_t{0});
  if (to_vector) factors[n - 1] = ops::unsqueeze(factors[n - 1], int64_t{1});
  for (int i = 0; i < n; ++i) {
    if (factors[i].dim() != 2)
      runtime_error(name,
                    "(): the first and last tensors must be 1D or 2D and all others 2D, but "
                    "tensor ",
                    i, " has ", xs[i].dim(), " dims");
    if (i && factors[i - 1].size(1) != factors[i].size(0))
      runtime_error(name, "(): tensors ", i - 1, " and ", i, " with shapes ", xs[i - 1].sizes(),
                    " and ", xs[i].sizes(), " cannot be multiplied");
  }
  Tensor y = Chain(xs, factors.data()).product(0, n - 1);
  if (!vector && !to_vector) return y;
  Dims sizes;
  if (!vector) sizes.push_back(y.size(0));
  if (!to_vector) sizes.push_back(y.size(1));
  return ops::reshape(y, sizes);
}

struct MultiDot : Composite {
  static Tensor define(Tensors tensors) { return multi_dot(tensors, "multi_dot"); }
};
ADJ_OP(MultiDot, "linalg.multi_dot(tensors: Tensor[]) -> Tensor", R"(
The product of two or more matrices, in the order that takes the fewest multiplications. The first
and the last may be vectors.

>>> adjoint.linalg.multi_dot([adjoint.ones(2), adjoint.ones(2, 3), adjoint.ones(3)])
tensor(6.)
)");

struct ChainMatmul : Composite {
  static Tensor define(Tensors matrices) {
    for (auto& x : matrices)
      if (x.dim() != 2)
        runtime_error("chain_matmul: Tensor dimension is ", x.dim(), ", expected 2 instead.");
    return matrices.size() == 1 ? matrices[0] : multi_dot(matrices, "chain_matmul");
  }
};
ADJ_OP(ChainMatmul, "chain_matmul(matrices: Tensor[]) -> Tensor", R"(
The product of matrices: see `linalg.multi_dot`.

>>> adjoint.chain_matmul(adjoint.ones(1, 2), adjoint.ones(2, 3), adjoint.ones(3, 1))
tensor([[6.]])
)");

struct Vecdot : Composite {
  static Tensor define(Tensor x, Tensor y, int64_t dim) {
    if (x.dtype() != y.dtype())
      runtime_error("linalg.vecdot: Expected x and y to have the same dtype, but found x of type ",
                    scalar_name_of(x.dtype()), " and y of type ", scalar_name_of(y.dtype()),
                    " instead");
    if (!is_floating(x.dtype()) && !is_complex(x.dtype()))
      runtime_error("linalg.vecdot: Expected a floating point or complex tensor as input. Got ",
                    scalar_name_of(x.dtype()));
    return ops::sum(ops::mul(conj_of(x), y), dim);
  }
};
ADJ_OP(Vecdot, "linalg.vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor", R"(
Inner products along `dim`, of complex vectors with `x` conjugated; other dims broadcast.

>>> adjoint.linalg.vecdot(adjoint.tensor([[1., 2.], [3., 4.]]), adjoint.tensor([1., 1.]))
tensor([3., 7.])
)");

struct LinalgMatmul : Composite {
  static Tensor define(Tensor x, Tensor y) { return ops::matmul(x, y); }
};
ADJ_OP(LinalgMatmul, "linalg.matmul(input: Tensor, other: Tensor) -> Tensor", R"(
See `matmul`.

>>> adjoint.linalg.matmul(adjoint.ones(1, 2), adjoint.ones(2, 1))
tensor([[2.]])
)");

struct LinalgDiagonal : Composite {
  static Tensor define(Tensor a, int64_t offset, int64_t dim1, int64_t dim2) {
    return ops::diagonal(a, offset, dim1, dim2);
  }
};
ADJ_OP(LinalgDiagonal,
       "linalg.diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor",
       R"(
The diagonals of matrices: `diagonal` of the last two dims.

>>> adjoint.linalg.diagonal(adjoint.eye(2))
tensor([1., 1.])
)");

// 1, x, x^2, ... in a new last dim.
Tensor vander(const Tensor& x, int64_t n, const char* name) {
  if (x.dtype() == DType::b8) runtime_error(name, ": bools have no powers");
  Tensor ones = ops::ones_like(column(x));
  if (is_integral(x.dtype())) ones = ops::to_dtype(ones, DType::i64);
  if (n <= 1) return ops::narrow(ones, int64_t{-1}, int64_t{0}, n);
  Tensor powers = ops::cumprod(ops::expand(column(x), with_sizes(x.sizes(), {n - 1})), int64_t{-1});
  return ops::cat(TensorList{ones, powers}, int64_t{-1});
}
struct LinalgVander : Composite {
  static Tensor define(Tensor x, std::optional<int64_t> count) {
    if (x.dim() == 0 && !count)
      runtime_error("linalg.vander: x must have at least one dimension where N is not given");
    int64_t n = count ? *count : x.size(-1);
    if (n <= 1) runtime_error("N must be greater than 1, got ", n);
    return vander(x.dim() ? x : ops::unsqueeze(x, int64_t{0}), n, "linalg.vander");
  }
};
ADJ_OP(LinalgVander, "linalg.vander(x: Tensor, *, N: int? = None) -> Tensor", R"(
Vandermonde's matrices [..., n, N] of vectors [..., n]: the powers 0 .. N - 1 of each element in a
row (N None: n). A number counts as a vector.

>>> adjoint.linalg.vander(adjoint.tensor([1, 2, 3]))
tensor([[1, 1, 1],
        [1, 2, 4],
        [1, 3, 9]])
)");

struct Vander : Composite {
  static Tensor define(Tensor x, std::optional<int64_t> count, bool increasing) {
    if (x.dim() != 1) runtime_error("x must be a one-dimensional tensor, got ", x.dim(), " dims");
    int64_t n = count.value_or(x.size(0));
    if (n < 0) runtime_error("N must be non-negative, got ", n);
    Tensor y = vander(x, n, "vander");
    return increasing ? y : ops::flip(y, Dims{-1});
  }
};
ADJ_OP(Vander, "vander(x: Tensor, N: int? = None, increasing: bool = False) -> Tensor", R"(
Vandermonde's matrix [n, N] of a vector [n] (N None: n): the powers of each element in a row, the
highest first unless `increasing`.

>>> adjoint.vander(adjoint.tensor([1, 2, 3]))
tensor([[1, 1, 1],
        [4, 2, 1],
        [9, 3, 1]])
)");

struct Addbmm : Composite {
  static constexpr bool in_place = true;
  static Tensor define(Tensor x, Tensor a, Tensor b, Number beta, Number alpha) {
    if (a.dim() != 3 || b.dim() != 3)
      runtime_error("addbmm: batch1 and batch2 must be 3D tensors, got shapes ", a.sizes(), " and ",
                    b.sizes());
    if (a.size(0) != b.size(0) || a.size(2) != b.size(1))
      runtime_error("addbmm: batch1 and batch2 have incompatible shapes ", a.sizes(), " and ",
                    b.sizes());
    int64_t inner = a.size(0) * a.size(2);
    Tensor wide = ops::reshape(ops::permute(a, Dims{1, 0, 2}), Dims{a.size(1), inner});
    return ops::addmm(x, wide, ops::reshape(b, Dims{inner, b.size(2)}), beta, alpha);
  }
};
ADJ_OP(
    Addbmm,
    "addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) "
    "-> Tensor",
    R"(
`beta * input + alpha * (the sum over b of batch1[b] @ batch2[b])`: batches [b, n, m] and [b, m, p],
an input that broadcasts to [n, p].

>>> adjoint.addbmm(adjoint.zeros(1, 1), adjoint.ones(2, 1, 3), adjoint.ones(2, 3, 1))
tensor([[6.]])
)");

}  // namespace
}  // namespace adj
