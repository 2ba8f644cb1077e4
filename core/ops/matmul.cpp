// Products of vectors, matrices and batches of matrices.
#include "ops/matmul.h"

#include <algorithm>

#include "ops/reduce.h"

namespace adj {

namespace {

// The last two dims swapped.
Tensor t(const Tensor& x) { return ops::transpose(x, int64_t{-2}, int64_t{-1}); }

struct Mm : FastBilinear {
  static Tensor forward(const Args& args) {
    Tensor x = args[0].as_tensor(), y = args[1].as_tensor();
    check_mm(x, y);
    DType type = product_dtype("mm", x.dtype());
    Tensor z = empty(Dims{x.size(0), y.size(1)}, type);
    if (type == x.dtype()) {
      multiply(matrix_of(x), matrix_of(y), z);
      return z;
    }
    x = cast(x, type);
    y = cast(y, type);
    multiply(matrix_of(x), matrix_of(y), z);
    return cast(z, args[0].tensor->dtype);
  }
  static Tensor left(Tensor g, Tensor y, const TensorMeta&) { return ops::mm(g, t(y)); }
  static Tensor right(Tensor g, Tensor x, const TensorMeta&) { return ops::mm(t(x), g); }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g();
    if (product_dtype("mm", g.dtype()) != g.dtype()) return false;
    if (c.needs(0)) {
      Tensor y = c.in(1), gx = empty(c.like(0).sizes, g.dtype());
      multiply(matrix_of(g), matrix_of(y).t(), gx);
      c.set(0, gx);
    }
    if (c.needs(1)) {
      Tensor x = c.in(0), gy = empty(c.like(1).sizes, g.dtype());
      multiply(matrix_of(x).t(), matrix_of(g), gy);
      c.set(1, gy);
    }
    return true;
  }
  static Outs batch(Batch& b) { return as_outs(ops::matmul(b.in(0), b.in(1))); }
};
ADJ_OP(Mm, "mm(input: Tensor, mat2: Tensor) -> Tensor", R"(
The product of matrices [n, m] and [m, p]: [n, p]. A RuntimeError for other shapes or unequal dtypes.

>>> adjoint.mm(adjoint.tensor([[1., 2.]]), adjoint.tensor([[3.], [4.]]))
tensor([[11.]])
)");

struct Mv : FastBilinear {
  static Tensor forward(Tensor a, Tensor x) {
    if (a.dim() != 2 || x.dim() != 1)
      runtime_error("vector + matrix @ vector expected, got a matrix of ", a.dim(),
                    " and a vector of ", x.dim(), " dims");
    if (a.size(1) != x.size(0))
      runtime_error("size mismatch, got input (", a.size(0), "), mat (", a.size(0), "x", a.size(1),
                    "), vec (", x.size(0), ")");
    if (a.dtype() != x.dtype())
      runtime_error("mv: input tensors must have the same dtype, but got ",
                    scalar_name_of(a.dtype()), " and ", scalar_name_of(x.dtype()));
    DType type = product_dtype("mv", a.dtype());
    if (type != a.dtype()) return cast(forward(cast(a, type), cast(x, type)), a.dtype());
    Tensor z = empty(Dims{a.size(0)}, type);
    multiply(matrix_of(a), column_of(x), z);
    return z;
  }
  static Tensor left(Tensor g, Tensor x, const TensorMeta&) { return ops::outer(g, x); }
  static Tensor right(Tensor g, Tensor a, const TensorMeta&) { return ops::mv(t(a), g); }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g();
    if (product_dtype("mv", g.dtype()) != g.dtype()) return false;
    if (c.needs(0)) {
      Tensor x = c.in(1), ga = empty(c.like(0).sizes, g.dtype());
      multiply(column_of(g), row_of(x), ga);
      c.set(0, ga);
    }
    if (c.needs(1)) {
      Tensor a = c.in(0), gx = empty(c.like(1).sizes, g.dtype());
      multiply(matrix_of(a).t(), column_of(g), gx);
      c.set(1, gx);
    }
    return true;
  }
  static Outs batch(Batch& b) {
    if (!b.is_batched(0)) return as_outs(ops::matmul(b.in(1), t(b.in(0))));  // [B, m] [m, n]
    if (!b.is_batched(1)) return as_outs(ops::matmul(b.in(0), b.in(1)));
    Tensor z = ops::matmul(b.in(0), ops::unsqueeze(b.in(1), int64_t{-1}));
    return as_outs(ops::squeeze(z, int64_t{-1}));
  }
};
ADJ_OP(Mv, "mv(input: Tensor, vec: Tensor) -> Tensor", R"(
The product of a matrix [n, m] and a vector [m]: [n].

>>> adjoint.mv(adjoint.tensor([[1., 2.], [3., 4.]]), adjoint.tensor([1., 10.]))
tensor([21., 43.])
)");

struct Dot : FastBilinear {
  static Tensor forward(Tensor x, Tensor y) {
    if (x.dim() != 1 || y.dim() != 1)
      runtime_error("1D tensors expected, but got ", x.dim(), "D and ", y.dim(), "D tensors");
    if (x.dtype() != y.dtype())
      runtime_error("dot : expected both vectors to have same dtype, but found ",
                    scalar_name_of(x.dtype()), " and ", scalar_name_of(y.dtype()));
    if (x.size(0) != y.size(0))
      runtime_error("inconsistent tensor size, expected tensor ", x.sizes(), " and src ", y.sizes(),
                    " to have the same number of elements, but got ", x.size(0), " and ", y.size(0),
                    " elements respectively");
    DType type = product_dtype("dot", x.dtype());
    if (type != x.dtype()) return cast(forward(cast(x, type), cast(y, type)), x.dtype());
    Tensor z = empty({}, type);
    multiply(row_of(x), column_of(y), z);
    return z;
  }
  static Tensor left(Tensor g, Tensor y, const TensorMeta&) { return ops::mul(g, y); }
  static Tensor right(Tensor g, Tensor x, const TensorMeta&) { return ops::mul(g, x); }
  static bool fast_vjp(Vjp&) { return false; }
  static Outs batch(Batch& b) {
    if (!b.is_batched(0)) return as_outs(ops::matmul(b.in(1), b.in(0)));
    if (!b.is_batched(1)) return as_outs(ops::matmul(b.in(0), b.in(1)));
    Tensor z = ops::bmm(ops::unsqueeze(b.in(0), int64_t{1}), ops::unsqueeze(b.in(1), int64_t{2}));
    return as_outs(ops::reshape(z, Dims{b.size}));
  }
};
ADJ_OP(Dot, "dot(input: Tensor, tensor: Tensor) -> Tensor", R"(
The inner product of two vectors of one length.

>>> adjoint.dot(adjoint.tensor([1., 2.]), adjoint.tensor([3., 4.]))
tensor(11.)
)");

struct Bmm : Bilinear {
  static Tensor forward(Tensor x, Tensor y) {
    if (x.dim() != 3) runtime_error("batch1 must be a 3D tensor, but it has shape ", x.sizes());
    if (y.dim() != 3) runtime_error("batch2 must be a 3D tensor, but it has shape ", y.sizes());
    if (x.size(0) != y.size(0) || x.size(2) != y.size(1))
      runtime_error("Expected size for first two dimensions of batch2 tensor to be: [", x.size(0),
                    ", ", x.size(2), "] but got: [", y.size(0), ", ", y.size(1), "].");
    if (x.dtype() != y.dtype())
      runtime_error("expected scalar type ", scalar_name_of(x.dtype()), " but found ",
                    scalar_name_of(y.dtype()));
    DType type = product_dtype("bmm", x.dtype());
    if (type != x.dtype()) return cast(forward(cast(x, type), cast(y, type)), x.dtype());
    Tensor z = empty(Dims{x.size(0), x.size(1), y.size(2)}, type);
    multiply_batched(x, y, z);
    return z;
  }
  static Tensor left(Tensor g, Tensor y, const TensorMeta&) { return ops::bmm(g, t(y)); }
  static Tensor right(Tensor g, Tensor x, const TensorMeta&) { return ops::bmm(t(x), g); }
  static Outs batch(Batch& b) { return as_outs(ops::matmul(b.in(0), b.in(1))); }
};
ADJ_OP(Bmm, "bmm(input: Tensor, mat2: Tensor) -> Tensor", R"(
Products of the matrices of two batches [b, n, m] and [b, m, p]: [b, n, p].

>>> adjoint.bmm(adjoint.ones(2, 1, 3), adjoint.ones(2, 3, 1)).flatten()
tensor([3., 3.])
)");

// Every product that is not one of the above: a vector and a batch of matrices, matrices whose
// batches broadcast.
struct Broadcast : FastBilinear {
  static Tensor forward(Tensor x, Tensor y) {
    if (x.dim() == 0 || y.dim() == 0)
      runtime_error("both arguments to matmul need to be at least 1D, but they are ", x.dim(),
                    "D and ", y.dim(), "D");
    bool row = x.dim() == 1, column = y.dim() == 1;
    check_inner(x, y, row, column);
    if (x.dtype() != y.dtype())
      runtime_error("expected m1 and m2 to have the same dtype, but got: ", c_name_of(x.dtype()),
                    " != ", c_name_of(y.dtype()));
    DType type = product_dtype("matmul", x.dtype());
    if (type != x.dtype()) return cast(forward(cast(x, type), cast(y, type)), x.dtype());
    Dims sizes = broadcast_sizes(x.sizes().slice(0, row ? 0 : x.dim() - 2),
                                 y.sizes().slice(0, column ? 0 : y.dim() - 2));
    if (!row) sizes.push_back(x.size(-2));
    if (!column) sizes.push_back(y.size(-1));
    Tensor z = empty(sizes, type);
    if (y.dim() <= 2) {  // one product of all rows of x
      multiply(flattened(x), column ? column_of(y) : matrix_of(y), z);
      return z;
    }
    Dims full = sizes;
    if (row) full.insert(full.size() - 1, 1);
    Tensor a = row ? view_of(x, {{1, x.size(0)}, {x.size(0), x.stride(0)}, x->offset}) : x;
    multiply_batched(a, y, row ? view_of(z, {full, contiguous_strides(full), 0}) : z);
    return z;
  }
  static void check_inner(const Tensor& x, const Tensor& y, bool row, bool column) {
    int64_t k = x.size(-1);
    if (k == y.size(column ? -1 : -2)) return;
    if (column)
      runtime_error("size mismatch, got input (", x.numel() / (k ? k : 1), "), mat (",
                    x.numel() / (k ? k : 1), "x", k, "), vec (", y.size(0), "): shapes ", x.sizes(),
                    " and ", y.sizes());
    runtime_error("mat1 and mat2 shapes cannot be multiplied (", row ? 1 : x.size(-2), "x", k,
                  " and ", y.size(-2), "x", y.size(-1), "): shapes ", x.sizes(), " and ",
                  y.sizes());
  }
  static Tensor left(Tensor g, Tensor y, const TensorMeta& x) {
    if (y.dim() == 1) return sum_to(ops::mul(ops::unsqueeze(g, int64_t{-1}), y), x);
    if (x.sizes.size() > 1) return sum_to(ops::matmul(g, t(y)), x);
    return sum_to(ops::squeeze(ops::matmul(y, ops::unsqueeze(g, int64_t{-1})), int64_t{-1}), x);
  }
  static Tensor right(Tensor g, Tensor x, const TensorMeta& y) {
    int n = y.sizes.size();
    if (x.dim() == 1)
      return sum_to(ops::mul(ops::unsqueeze(x, int64_t{-1}), ops::unsqueeze(g, int64_t{-2})), y);
    if (n > 2) return sum_to(ops::matmul(t(x), g), y);
    // all rows of x at once
    Tensor rows = ops::reshape(x, Dims{x.sizes().slice(0, x.dim() - 1).product(), x.size(-1)});
    if (n == 1) return ops::mv(t(rows), ops::reshape(g, Dims{-1}));
    return ops::mm(t(rows), ops::reshape(g, Dims{rows.size(0), y.sizes[1]}));
  }
  static bool fast_vjp(Vjp& c) {
    Tensor g = c.g();
    if (computed_in(g.dtype()) != g.dtype()) return false;
    const TensorMeta &x = c.like(0), &y = c.like(1);
    if (x.sizes.size() != 1 || y.sizes.size() != 2) return false;
    if (c.needs(0)) {
      Tensor gx = empty(x.sizes, g.dtype());
      multiply(matrix_of(c.in(1)), column_of(g), gx);
      c.set(0, gx);
    }
    if (c.needs(1)) {
      Tensor gy = empty(y.sizes, g.dtype());
      multiply(column_of(c.in(0)), row_of(g), gy);
      c.set(1, gy);
    }
    return true;
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0), m = b.logical_dim(1);
    Tensor x = n == 1 ? ops::unsqueeze(b.in(0), int64_t{-2}) : b.in(0);
    Tensor y = m == 1 ? ops::unsqueeze(b.in(1), int64_t{-1}) : b.in(1);
    int rank = std::max({n, m, 2});
    for (int i = std::max(n, 2); b.is_batched(0) && i < rank; ++i)
      x = ops::unsqueeze(x, int64_t{1});
    for (int i = std::max(m, 2); b.is_batched(1) && i < rank; ++i)
      y = ops::unsqueeze(y, int64_t{1});
    Tensor z = ops::matmul(x, y);
    if (n == 1) z = ops::squeeze(z, int64_t{-2});
    if (m == 1) z = ops::squeeze(z, int64_t{-1});
    return as_outs(z);
  }
};
ADJ_OP(Broadcast, "_nodes.matmul(input: Tensor, other: Tensor) -> Tensor", R"(
`matmul` of operands of any rank.

>>> adjoint.matmul(adjoint.ones(2, 3, 4), adjoint.ones(4)).shape
torch.Size([2, 3])
)");

const Fn broadcast{"_nodes.matmul"};

struct Matmul : Composite {
  static Outs define(const Args& args) {
    int x = args[0].tensor->sizes.size(), y = args[1].tensor->sizes.size();
    bool same_batch = x == 3 && y == 3 && args[0].tensor->sizes[0] == args[1].tensor->sizes[0];
    const Fn& product = x == 2 && y == 2   ? ops::mm
                        : x == 1 && y == 1 ? ops::dot
                        : x == 2 && y == 1 ? ops::mv
                        : same_batch       ? ops::bmm
                                           : broadcast;
    return dispatch(product.op(), args.values);
  }
};
ADJ_OP(Matmul, "matmul(input: Tensor, other: Tensor) -> Tensor", R"(
The matrix product of the last two dims; dims before them are batches, which broadcast. A vector is a
row on the left and a column on the right, and its dim goes from the result. A RuntimeError for shapes
that do not fit and for unequal dtypes.

>>> adjoint.matmul(adjoint.tensor([1., 2.]), adjoint.tensor([[1., 0.], [0., 10.]]))
tensor([ 1., 20.])
>>> adjoint.matmul(adjoint.ones(5, 2, 3), adjoint.ones(3, 4)).shape
torch.Size([5, 2, 4])
)");

struct Vdot : Composite {
  static Tensor define(Tensor x, Tensor y) { return ops::dot(ops::conj(x), y); }
};
ADJ_OP(Vdot, "vdot(input: Tensor, other: Tensor) -> Tensor", R"(
The inner product of two vectors of one length, the first of them conjugated.

>>> adjoint.vdot(adjoint.tensor([1j]), adjoint.tensor([1j]))
tensor(1.+0.j)
)");

struct Outer : Composite {
  static Tensor define(Tensor x, Tensor y) {
    if (x.dim() != 1 || y.dim() != 1)
      runtime_error("outer: Expected 1-D arguments, but got ", x.dim(), "-D and ", y.dim(), "-D");
    return ops::mul(ops::unsqueeze(x, int64_t{1}), y);
  }
};
ADJ_OP(Outer, "outer(input: Tensor, vec2: Tensor) -> Tensor", R"(
All products of the elements of two vectors [n] and [m]: [n, m].

>>> adjoint.outer(adjoint.tensor([1., 2.]), adjoint.tensor([1., 10.]))
tensor([[ 1., 10.],
        [ 2., 20.]])
)");

struct Ger : Outer {};
ADJ_OP(Ger, "ger(input: Tensor, vec2: Tensor) -> Tensor", R"(
Another name of `outer`.

>>> adjoint.ger(adjoint.tensor([2.]), adjoint.tensor([1., 10.]))
tensor([[ 2., 20.]])
)");

struct Inner : Composite {
  static Tensor define(Tensor x, Tensor y) {
    if (x.dim() == 0 || y.dim() == 0) return ops::mul(x, y);
    if (x.size(-1) != y.size(-1))
      runtime_error("inner() the last dimension must match on both input tensors but got shapes ",
                    x.sizes(), " and ", y.sizes());
    int64_t k = x.size(-1);
    Dims sizes = x->sizes;
    sizes.pop_back();
    sizes.append(y.sizes().begin(), y.sizes().end() - 1);
    auto rows = [k](const Tensor& z) {
      return ops::reshape(z, Dims{z.sizes().slice(0, z.dim() - 1).product(), k});
    };
    return ops::reshape(ops::mm(rows(x), t(rows(y))), sizes);
  }
};
ADJ_OP(Inner, "inner(input: Tensor, other: Tensor) -> Tensor", R"(
Products of the elements summed over the last dim of both: [..., k] and [***, k] give [..., ***].

>>> adjoint.inner(adjoint.tensor([1., 2.]), adjoint.tensor([3., 4.]))
tensor(11.)
)");

}  // namespace
}  // namespace adj
