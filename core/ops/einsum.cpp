// Sums of products by index notation; tensordot and kron.
#include <algorithm>
#include <string>

#include "ops/kinds/kinds.h"
#include "ops/vocabulary.h"

namespace adj {

namespace {

// A label is a letter, or, from kLetters on, a dim of the ellipsis counted from its right.
constexpr int kLetters = 52, kLabels = 64 + kLetters, kEllipsis = -1;
using Labels = SmallVec<int, 8>;

struct Equation {
  SmallVec<Labels, 4> operands;  // kEllipsis stands for "..."
  Labels output;
  bool has_output = false;
};

std::string name_of(int label) {
  if (label >= kLetters) return "...";
  return std::string(1, static_cast<char>(label < 26 ? 'A' + label : 'a' + label - 26));
}

int label_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  return -2;
}

Equation parsed(std::string_view text) {
  Equation e;
  e.operands.push_back({});
  Labels* now = &e.operands.back();
  bool ellipsis = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ' ') continue;
    if (text.substr(i, 3) == "...") {
      if (ellipsis)
        runtime_error("einsum(): found '.' for operand ", e.operands.size() - 1,
                      " for which an ellipsis was already found");
      ellipsis = true;
      now->push_back(kEllipsis);
      i += 2;
    } else if (c == ',' && !e.has_output) {
      e.operands.push_back({});
      now = &e.operands.back();
      ellipsis = false;
    } else if (text.substr(i, 2) == "->" && !e.has_output) {
      e.has_output = true;
      now = &e.output;
      ellipsis = false;
      ++i;
    } else if (label_of(c) >= 0) {
      now->push_back(label_of(c));
    } else {
      runtime_error(
          "einsum(): invalid subscript given at index ", static_cast<int64_t>(i),
          " in the equation '", text,
          "': subscripts must be in [a-zA-Z], with '...' for the other dims and '->' once");
    }
  }
  return e;
}

// Replaces the ellipsis of an operand (or of the output) by labels for `dims` dims.
Labels expanded(const Labels& labels, int dims) {
  Labels out;
  for (int l : labels) {
    if (l != kEllipsis) out.push_back(l);
    else
      for (int i = dims - 1; i >= 0; --i) out.push_back(kLetters + i);
  }
  return out;
}

int position_of(const Labels& labels, int label) {
  for (int i = 0; i < labels.size(); ++i)
    if (labels[i] == label) return i;
  return -1;
}

// The operand with one dim for each of `order`, size 1 where it has no such label.
Tensor aligned(Tensor x, Labels labels, const Labels& order) {
  for (int i = 0; i < labels.size(); ++i)
    for (int j = i + 1; j < labels.size();) {
      if (labels[j] != labels[i]) {
        ++j;
        continue;
      }
      x = ops::movedim(ops::diagonal(x, int64_t{0}, int64_t{i}, int64_t{j}), int64_t{-1},
                       int64_t{i});
      labels.erase(j);
    }
  Dims permutation, sizes;
  bool moved = false;
  for (int l : order) {
    int at = position_of(labels, l);
    sizes.push_back(at < 0 ? 1 : x.size(at));
    if (at < 0) continue;
    moved = moved || at != permutation.size();
    permutation.push_back(at);
  }
  if (moved) x = ops::permute(x, permutation);
  return sizes.size() == x.dim() ? x : ops::reshape(x, sizes);
}

// The products of two aligned operands, summed over the dims of `over` (which stay, as 1).
Tensor contracted(Tensor x, Tensor y, const SmallVec<bool, 8>& over) {
  int n = x.dim();
  Dims both, left, right, inner, alone_x, alone_y;
  int64_t batches = 1, rows = 1, columns = 1, terms = 1;
  for (int i = 0; i < n; ++i) {
    bool has_x = x.size(i) != 1, has_y = y.size(i) != 1;
    if (over[i] && has_x && has_y) {
      inner.push_back(i);
      terms *= x.size(i);
    } else if (over[i] && has_x) {
      alone_x.push_back(i);
    } else if (over[i] && has_y) {
      alone_y.push_back(i);
    } else if (has_x && has_y) {
      both.push_back(i);
      batches *= x.size(i);
    } else if (has_x) {
      left.push_back(i);
      rows *= x.size(i);
    } else if (has_y) {
      right.push_back(i);
      columns *= y.size(i);
    }
  }
  if (!alone_x.empty()) x = ops::sum(x, alone_x, true);
  if (!alone_y.empty()) y = ops::sum(y, alone_y, true);
  if (inner.empty()) return ops::mul(x, y);

  // x [both, left, inner] @ y [both, inner, right]; the other dims are 1
  auto ordered = [&](std::initializer_list<const Dims*> groups) {
    Dims order;
    uint64_t used = 0;
    for (auto* group : groups)
      for (int64_t d : *group) {
        order.push_back(d);
        used |= uint64_t{1} << d;
      }
    for (int i = 0; i < n; ++i)
      if (!(used >> i & 1)) order.push_back(i);
    return order;
  };
  x = ops::permute(x, ordered({&both, &left, &inner}));
  y = ops::permute(y, ordered({&both, &inner, &right}));
  Tensor z =
      batches == 1 && both.empty()
          ? ops::mm(ops::reshape(x, Dims{rows, terms}), ops::reshape(y, Dims{terms, columns}))
          : ops::bmm(ops::reshape(x, Dims{batches, rows, terms}),
                     ops::reshape(y, Dims{batches, terms, columns}));
  Dims order = ordered({&both, &left, &right}), sizes, back(n);
  for (int i = 0; i < n; ++i) {
    int d = static_cast<int>(order[i]);
    int group = both.size() + left.size();
    int at = i < group ? i : i < group + right.size() ? i - group : -1;
    sizes.push_back(at < 0 ? 1 : i < group ? x.size(i) : y.size(both.size() + inner.size() + at));
    back[d] = i;
  }
  return ops::permute(ops::reshape(z, sizes), back);
}

Tensor einsum(Text text, const Tensor* operands, int count) {
  Equation e = parsed(text);
  if (count != e.operands.size())
    runtime_error("einsum(): ", count > e.operands.size() ? "more" : "fewer",
                  " operands were provided than specified in the equation '", text, "': ", count,
                  " instead of ", e.operands.size());
  // Labels for every dim, their sizes, and how often letters occur.
  int64_t size[kLabels];
  int times[kLabels] = {}, dims_of_ellipsis = 0;
  std::fill(size, size + kLabels, int64_t{1});
  for (int k = 0; k < count; ++k) {
    bool ellipsis = position_of(e.operands[k], kEllipsis) >= 0;
    int named = e.operands[k].size() - ellipsis, have = operands[k].dim();
    if (ellipsis ? named > have : named != have)
      runtime_error("einsum(): the number of subscripts in the equation (", named,
                    ellipsis ? ") is more than" : ") does not match", " the number of dimensions (",
                    have, ") for operand ", k, ellipsis ? "" : " and no ellipsis was given");
    if (ellipsis) dims_of_ellipsis = std::max(dims_of_ellipsis, have - named);
    e.operands[k] = expanded(e.operands[k], have - named);
    for (int i = 0; i < have; ++i) {
      int l = e.operands[k][i];
      int64_t n = operands[k].size(i);
      for (int j = 0; j < i; ++j)
        if (e.operands[k][j] == l && operands[k].size(j) != n)
          runtime_error("einsum(): subscript ", name_of(l), " is repeated for operand ", k,
                        " but the sizes don't match, ", n, " != ", operands[k].size(j));
      if (n != 1 && size[l] != 1 && size[l] != n)
        runtime_error("einsum(): operands do not broadcast: subscript ", name_of(l), " has size ",
                      n, " for operand ", k, ", which does not fit the size ", size[l],
                      " seen before");
      if (n != 1) size[l] = n;
      ++times[l];
    }
  }
  if (e.has_output) {
    e.output = expanded(e.output, dims_of_ellipsis);
    for (int i = 0; i < e.output.size(); ++i) {
      int l = e.output[i];
      if (position_of(e.output, l) != i)
        runtime_error("einsum(): output subscript ", name_of(l),
                      " appears more than once in the output");
      if (!times[l])
        runtime_error("einsum(): output subscript ", name_of(l),
                      " does not appear in the equation for any input operand");
    }
  } else {
    for (int i = dims_of_ellipsis - 1; i >= 0; --i) e.output.push_back(kLetters + i);
    for (int l = 0; l < kLetters; ++l)
      if (times[l] == 1) e.output.push_back(l);
  }
  Labels order = e.output;
  for (int l = 0; l < kLabels; ++l)
    if (times[l] && position_of(e.output, l) < 0) order.push_back(l);

  // From left to right; a label is summed over with the last operand that has it.
  Tensor x = aligned(operands[0], e.operands[0], order);
  auto summed_after = [&](int k) {
    SmallVec<bool, 8> over;
    for (int l : order) {
      bool now = position_of(e.output, l) < 0;
      for (int later = k + 1; later < count; ++later)
        now = now && position_of(e.operands[later], l) < 0;
      over.push_back(now);
    }
    return over;
  };
  for (int k = 1; k < count; ++k)
    x = contracted(x, aligned(operands[k], e.operands[k], order), summed_after(k));
  Dims rest;
  for (int i = e.output.size(); i < order.size(); ++i) rest.push_back(i);
  if (rest.empty()) return x.same(operands[0]) ? ops::alias(x) : x;
  if (count == 1) return ops::sum(x, rest, false);
  Dims sizes;
  for (int i = 0; i < e.output.size(); ++i) sizes.push_back(x.size(i));
  return ops::reshape(x, sizes);
}

struct Einsum : Composite {
  static Tensor define(Text equation, Tensors operands) {
    if (operands.size() == 0) runtime_error("einsum(): must provide at least one operand");
    return einsum(equation, operands.begin(), operands.size());
  }
};
ADJ_OP(Einsum, "einsum(equation: str, operands: Tensor[]) -> Tensor", R"(
Products of the elements of all operands, summed over the subscripts that are not in the output:
`"ij,jk->ik"` is a matrix product. Without `->` the output has the subscripts that occur once, in
alphabetical order; `...` stands for any dims, which broadcast; a subscript that an operand has twice
takes its diagonal. Operands are multiplied from left to right. A RuntimeError for an equation that does
not fit.

>>> adjoint.einsum("i,i->", [adjoint.tensor([1., 2.]), adjoint.tensor([3., 4.])])
tensor(11.)
)");

// Sums over those dims that the other tensor has with size 1 alone.
Tensor summed_where_single(Tensor x, const Dims& over_x, const Tensor& y, const Dims& over_y) {
  for (int i = 0; i < over_x.size(); ++i) {
    int a = normalize_dim(over_x[i], x.dim()), b = normalize_dim(over_y[i], y.dim());
    if (x.size(a) != 1 && y.size(b) == 1) x = ops::sum(x, Dims{a}, true);
  }
  return x;
}

Tensor tensordot(Tensor x, Tensor y, const Dims& over_x, const Dims& over_y) {
  if (over_x.size() != over_y.size())
    runtime_error("tensordot: both dimension lists should have same length, got ", over_x, " and ",
                  over_y);
  Tensor given = x;
  x = summed_where_single(x, over_x, y, over_y);
  y = summed_where_single(y, over_y, given, over_x);
  uint64_t in_x = 0, in_y = 0;
  Dims dims_x, dims_y;
  int64_t terms = 1;
  for (int i = 0; i < over_x.size(); ++i) {
    int a = normalize_dim(over_x[i], x.dim()), b = normalize_dim(over_y[i], y.dim());
    if (x.size(a) != y.size(b))
      runtime_error("tensordot: contracted dimensions need to match, but first has size ",
                    x.size(a), " in dim ", a, " and second has size ", y.size(b), " in dim ", b);
    if ((in_x >> a & 1) || (in_y >> b & 1))
      runtime_error("tensordot: a dim is contracted twice: ", over_x, " and ", over_y);
    in_x |= uint64_t{1} << a;
    in_y |= uint64_t{1} << b;
    dims_x.push_back(a);
    dims_y.push_back(b);
    terms *= x.size(a);
  }
  Dims left, right = dims_y, sizes;
  int64_t rows = 1, columns = 1;
  for (int i = 0; i < x.dim(); ++i)
    if (!(in_x >> i & 1)) {
      left.push_back(i);
      sizes.push_back(x.size(i));
      rows *= x.size(i);
    }
  left.append(dims_x.begin(), dims_x.end());
  for (int i = 0; i < y.dim(); ++i)
    if (!(in_y >> i & 1)) {
      right.push_back(i);
      sizes.push_back(y.size(i));
      columns *= y.size(i);
    }
  Tensor a = ops::reshape(ops::permute(x, left), Dims{rows, terms});
  Tensor b = ops::reshape(ops::permute(y, right), Dims{terms, columns});
  return ops::reshape(ops::mm(a, b), sizes);
}

struct Tensordot : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, Tensor y, int64_t dims) {
    if (dims < 0) runtime_error("tensordot expects dims >= 0, but got dims=", dims);
    if (dims > x.dim() || dims > y.dim())
      runtime_error("tensordot: cannot contract ", dims, " dims of shapes ", x.sizes(), " and ",
                    y.sizes());
    Dims last, first;
    for (int64_t i = 0; i < dims; ++i) {
      last.push_back(x.dim() - dims + i);
      first.push_back(i);
    }
    return tensordot(x, y, last, first);
  }
};
ADJ_OP(Tensordot, "tensordot(a: Tensor, b: Tensor, dims: int = 2) -> Tensor", R"(
Products summed over the last `dims` dims of `a` and the first `dims` of `b`.

>>> adjoint.tensordot(adjoint.tensor([1., 2.]), adjoint.tensor([3., 4.]), 1)
tensor(11.)
)");

struct TensordotLists : Composite {
  static constexpr bool is_method = false;
  static Tensor define(Tensor x, Tensor y, DimsView dims_self, DimsView dims_other) {
    return tensordot(x, y, dims_self.copy(), dims_other.copy());
  }
};
ADJ_OP(TensordotLists,
       "tensordot:lists(a: Tensor, b: Tensor, dims_self: int[], dims_other: int[]) -> Tensor", R"(
Products summed over the dims `dims_self` of `a`, paired with `dims_other` of `b`.

>>> adjoint.tensordot(adjoint.tensor([[1., 2.]]), adjoint.tensor([3., 4.]), ([1], [0]))
tensor([11.])
)");

struct Kron : Composite {
  static Tensor define(Tensor x, Tensor y) {
    int n = std::max(x.dim(), y.dim());
    Dims of_x, of_y, sizes;  // [1 or x, y or 1] for each dim
    for (int i = 0; i < n; ++i) {
      int64_t a = i < n - x.dim() ? 1 : x.size(i - n + x.dim()),
              b = i < n - y.dim() ? 1 : y.size(i - n + y.dim());
      of_x.push_back(a);
      of_x.push_back(1);
      of_y.push_back(1);
      of_y.push_back(b);
      sizes.push_back(a * b);
    }
    return ops::reshape(ops::mul(ops::reshape(x, of_x), ops::reshape(y, of_y)), sizes);
  }
};
ADJ_OP(Kron, "kron(input: Tensor, other: Tensor) -> Tensor", R"(
The Kronecker product: `other` times each element of `input`, in blocks.

>>> adjoint.kron(adjoint.tensor([1., 10.]), adjoint.tensor([1., 2.]))
tensor([ 1.,  2., 10., 20.])
)");

}  // namespace
}  // namespace adj
