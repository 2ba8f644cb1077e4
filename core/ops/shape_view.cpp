// Other shapes of the same elements, made of the views in view.cpp.
#include "ops/shape.h"

namespace adj {

namespace {

struct Flatten : Composite {
  static Tensor define(Tensor x, int64_t start_dim, int64_t end_dim) {
    int from = normalize_dim(start_dim, x.dim()), to = normalize_dim(end_dim, x.dim());
    if (from > to)
      runtime_error("flatten() has invalid args: start_dim (", start_dim,
                    ") cannot come after end_dim (", end_dim, ")");
    if (x.dim() == 0) return ops::reshape(x, Dims{1});
    if (from == to) return x;
    Dims sizes;
    for (int i = 0; i < x.dim(); ++i) {
      if (i <= from || i > to) sizes.push_back(x.size(i));
      else sizes.back() *= x.size(i);
    }
    return ops::reshape(x, sizes);
  }
};
ADJ_OP(Flatten, "flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor", R"(
The dims from `start_dim` to `end_dim` as one; a view where the layout allows it.

>>> adjoint.flatten(adjoint.zeros(2, 3, 4), 1).shape
torch.Size([2, 12])
)");

struct Ravel : Composite {
  static Tensor define(Tensor x) { return ops::flatten(x); }
};
ADJ_OP(Ravel, "ravel(input: Tensor) -> Tensor", R"(
All elements in one dim; a view where the layout allows it.

>>> adjoint.ravel(adjoint.tensor([[1, 2], [3, 4]]))
tensor([1, 2, 3, 4])
)");

struct Unflatten : Composite {
  static Tensor define(Tensor x, int64_t dim, DimsView sizes) {
    int d = normalize_dim(dim, x.dim());
    if (sizes.empty()) runtime_error("unflatten: sizes must be non-empty");
    if (x.dim() == 0) index_error("unflatten: a 0-d tensor has no dim to unflatten");
    int64_t known = 1;
    int unknown = -1;
    for (int i = 0; i < sizes.size(); ++i) {
      if (sizes[i] != -1) known *= sizes[i];
      else if (unknown < 0) unknown = i;
      else runtime_error("unflatten: only one dimension can be inferred, got sizes ", sizes);
    }
    Dims inner = sizes.copy();
    int64_t n = x.size(d);
    if (unknown >= 0 && known) inner[unknown] = n / known;
    if (unknown >= 0 ? !known || n % known : known != n)
      runtime_error("unflatten: Provided sizes ", sizes, " don't multiply up to the size of dim ",
                    d, " (", n, ") in the input tensor");
    Dims all;
    for (int i = 0; i < x.dim(); ++i) {
      if (i == d) all.append(inner.begin(), inner.end());
      else all.push_back(x.size(i));
    }
    return ops::view(x, all);
  }
};
ADJ_OP(Unflatten, "unflatten(input: Tensor, dim: int, sizes: int[]) -> Tensor", R"(
One dim as several of the given sizes, one of which may be -1.

>>> adjoint.unflatten(adjoint.zeros(2, 12), 1, (3, -1)).shape
torch.Size([2, 3, 4])
)");

struct Movedim : Composite {
  static Tensor define(Tensor x, DimsView source, DimsView destination) {
    int n = x.dim();
    if (source.size() != destination.size())
      runtime_error("movedim: Invalid source or destination dims: source (", source,
                    " dims) should contain the same number of dims as destination (", destination,
                    " dims)");
    Dims order(n);  // which dim of x comes at each place
    for (auto& d : order) d = -1;
    uint64_t moved = 0;
    for (int i = 0; i < source.size(); ++i) {
      int from = normalize_dim(source[i], n), to = normalize_dim(destination[i], n);
      if (moved >> from & 1) runtime_error("movedim: repeated dim in `source` (", source, ")");
      moved |= uint64_t{1} << from;
      if (n == 0) continue;
      if (order[to] >= 0)
        runtime_error("movedim: repeated dim in `destination` (", destination, ")");
      order[to] = from;
    }
    int next = 0;
    for (auto& d : order) {
      if (d >= 0) continue;
      while (moved >> next & 1) ++next;
      d = next++;
    }
    return n ? ops::permute(x, order) : ops::alias(x);
  }
};
// The one of two integers comes first: the binding reads `x.movedim(0, 1)` as a list otherwise.
struct MovedimOne : Composite {
  static Tensor define(Tensor x, int64_t source, int64_t destination) {
    return Movedim::define(x, DimsView(&source, 1), DimsView(&destination, 1));
  }
};
ADJ_OP(MovedimOne, "movedim:one(input: Tensor, source: int, destination: int) -> Tensor", R"(
A view with one dim at another place, the others in order.

>>> adjoint.movedim(adjoint.zeros(2, 3, 4), 0, -1).shape
torch.Size([3, 4, 2])
)");
ADJ_OP(Movedim, "movedim(input: Tensor, source: int[], destination: int[]) -> Tensor", R"(
A view with the dims `source` at the places `destination`, the others in order.

>>> adjoint.movedim(adjoint.zeros(2, 3, 4), (0, 1), (2, 0)).shape
torch.Size([3, 4, 2])
)");
struct MoveaxisOne : MovedimOne {};
ADJ_OP(MoveaxisOne, "moveaxis:one(input: Tensor, source: int, destination: int) -> Tensor", R"(
The same as `movedim`.

>>> adjoint.moveaxis(adjoint.zeros(2, 3, 4), 0, -1).shape
torch.Size([3, 4, 2])
)");
struct Moveaxis : Movedim {};
ADJ_OP(Moveaxis, "moveaxis(input: Tensor, source: int[], destination: int[]) -> Tensor", R"(
The same as `movedim`.

>>> adjoint.moveaxis(adjoint.zeros(2, 3, 4), (0, 1), (2, 0)).shape
torch.Size([3, 4, 2])
)");

struct Swap : Composite {
  static Tensor define(Tensor x, int64_t a, int64_t b) { return ops::transpose(x, a, b); }
};
struct Swapaxes : Swap {};
ADJ_OP(Swapaxes, "swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor", R"(
The same as `transpose`.

>>> adjoint.swapaxes(adjoint.zeros(2, 3), 0, 1).shape
torch.Size([3, 2])
)");
struct Swapdims : Swap {};
ADJ_OP(Swapdims, "swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor", R"(
The same as `transpose`.

>>> adjoint.swapdims(adjoint.zeros(2, 3), 0, 1).shape
torch.Size([3, 2])
)");

struct T : View {
  static Layout layout(Tensor x) {
    if (x.dim() > 2)
      runtime_error("t() expects a tensor with <= 2 dimensions, but self is ", x.dim(), "D");
    Layout out = x.layout();
    if (x.dim() == 2) {
      std::swap(out.sizes[0], out.sizes[1]);
      std::swap(out.strides[0], out.strides[1]);
    }
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&) {
    return g.dim() == 2 ? ops::transpose(g, 0, 1) : g;
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    if (n > 2) runtime_error("t() expects a tensor with <= 2 dimensions, but self is ", n, "D");
    return as_outs(n == 2 ? ops::transpose(b.in(0), 1, 2) : ops::alias(b.in(0)));
  }
};
ADJ_OP(T, "t(input: Tensor) -> Tensor", R"(
A matrix transposed, as a view; vectors and 0-d tensors as they are.

>>> adjoint.t(adjoint.tensor([[1, 2, 3]]))
tensor([[1],
        [2],
        [3]])
)");

struct Narrow : Composite {
  static Tensor define(Tensor x, int64_t dim, int64_t start, int64_t length) {
    if (x.dim() == 0) runtime_error("narrow() cannot be applied to a 0-dim tensor.");
    if (length < 0) runtime_error("narrow(): length must be non-negative, got ", length);
    int64_t n = x.size(normalize_dim(dim, x.dim()));
    if (start < -n || start > n)
      index_error("start out of range (expected to be in range of [", -n, ", ", n, "], but got ",
                  start, ")");
    if (start < 0) start += n;
    if (start + length > n)
      runtime_error("start (", start, ") + length (", length, ") exceeds dimension size (", n,
                    ").");
    return ops::slice(x, dim, start, start + length, 1);
  }
};
ADJ_OP(Narrow, "narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor", R"(
A view of `length` positions of `dim` from `start` on. A RuntimeError if there are not that many.

>>> adjoint.narrow(adjoint.arange(5), 0, 1, 3)
tensor([1, 2, 3])
)");

struct BroadcastTo : Composite {
  static Tensor define(Tensor x, DimsView size) { return ops::expand(x, size); }
};
ADJ_OP(BroadcastTo, "broadcast_to(input: Tensor, size: int[]) -> Tensor", R"(
The same as `expand`.

>>> adjoint.broadcast_to(adjoint.tensor([1, 2]), (2, 2))
tensor([[1, 2],
        [1, 2]])
)");

struct ExpandAs : Composite {
  static Tensor define(Tensor x, Tensor other) { return ops::expand(x, other.sizes()); }
};
ADJ_OP(ExpandAs, "expand_as(input: Tensor, other: Tensor) -> Tensor", R"(
`expand` to the shape of `other`.

>>> adjoint.ones(1).expand_as(adjoint.zeros(3))
tensor([1., 1., 1.])
)");
struct ViewAs : Composite {
  static Tensor define(Tensor x, Tensor other) { return ops::view(x, other.sizes()); }
};
ADJ_OP(ViewAs, "view_as(input: Tensor, other: Tensor) -> Tensor", R"(
`view` in the shape of `other`.

>>> adjoint.arange(4).view_as(adjoint.zeros(2, 2))
tensor([[0, 1],
        [2, 3]])
)");
struct ReshapeAs : Composite {
  static Tensor define(Tensor x, Tensor other) { return ops::reshape(x, other.sizes()); }
};
ADJ_OP(ReshapeAs, "reshape_as(input: Tensor, other: Tensor) -> Tensor", R"(
`reshape` to the shape of `other`.

>>> adjoint.arange(4).reshape_as(adjoint.zeros(2, 2))
tensor([[0, 1],
        [2, 3]])
)");

struct Unfold : View {
  static Layout layout(Tensor x, int64_t dim, int64_t size, int64_t step) {
    int d = normalize_dim(dim, x.dim());
    int64_t n = x.dim() ? x.size(d) : 1;
    if (size < 0) runtime_error("unfold: size is ", size, " but must be >= 0");
    if (size > n)
      runtime_error("maximum size for tensor at dimension ", d, " is ", n, " but size is ", size);
    if (step <= 0) runtime_error("step is ", step, " but must be > 0");
    Layout out = x.layout();
    int64_t stride = x.dim() ? x.stride(d) : 1;
    if (x.dim()) {
      out.sizes[d] = (n - size) / step + 1;
      out.strides[d] *= step;
    }
    out.sizes.push_back(size);
    out.strides.push_back(stride);
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta& x, int64_t dim, int64_t size, int64_t step) {
    return ops::unfold_transpose(g, x.sizes, dim, size, step);
  }
  static Outs batch(Batch& b) {
    int n = b.logical_dim(0);
    int64_t size = b.arg<int64_t>(2), step = b.arg<int64_t>(3);
    if (n) return as_outs(ops::unfold(b.in(0), from_right(b.arg<int64_t>(1), n), size, step));
    Tensor x = ops::unfold(ops::unsqueeze(b.in(0), -1), -1, size, step);
    return as_outs(ops::select(x, 1, 0));
  }
};
ADJ_OP(Unfold, "unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor", R"(
A view of all windows of `size` positions of a dim, `step` apart; the windows' elements are the last
dim. Windows may overlap.

>>> adjoint.arange(5).unfold(0, 3, 1)
tensor([[0, 1, 2],
        [1, 2, 3],
        [2, 3, 4]])
)");

struct UnfoldTranspose : Linear {
  static Tensor forward(Tensor g, DimsView sizes, int64_t dim, int64_t size, int64_t step) {
    Tensor out = ops::zeros(sizes, g.dtype());
    Tensor windows = view_of(out, Unfold::layout(out, dim, size, step));
    if (sizes.empty()) {
      write_into(windows, g);
      return out;
    }
    // Element k of all windows at once: these do not overlap.
    for (int64_t k = 0; k < size; ++k) {
      Tensor part = ops::select(windows, -1, k), term = ops::select(g, -1, k);
      ops::add.into(part, term);
    }
    return out;
  }
  static Tensor transpose(Tensor g, const TensorMeta&, DimsView, int64_t dim, int64_t size,
                          int64_t step) {
    return ops::unfold(g, dim, size, step);
  }
  static Outs batch(Batch& b) {
    DimsView sizes = b.arg<DimsView>(1);
    int64_t size = b.arg<int64_t>(3), step = b.arg<int64_t>(4);
    if (sizes.empty()) {
      Tensor g = ops::unsqueeze(b.in(0), 1);
      return as_outs(ops::select(ops::unfold_transpose(g, Dims{b.size, 1}, -1, size, step), 1, 0));
    }
    int64_t d = from_right(b.arg<int64_t>(2), sizes.size());
    return as_outs(ops::unfold_transpose(b.in(0), with_batch(b, sizes), d, size, step));
  }
};
ADJ_OP(UnfoldTranspose,
       "_nodes.unfold_transpose(input: Tensor, sizes: int[], dimension: int, size: int, step: "
       "int) -> Tensor",
       R"(
The windows of `unfold` added up in a tensor of shape `sizes`: its transpose.

>>> from adjoint import _core
>>> _core._namespaces["_nodes"]["unfold_transpose"](adjoint.ones(2, 3), (4,), 0, 3, 1)
tensor([1., 2., 2., 1.])
)");

}  // namespace
}  // namespace adj
