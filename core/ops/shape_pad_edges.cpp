// Padding with what is in the input: its mirror image, its edges, its other end.
#include <complex>
#include <cstring>

#include "cpu/thread_pool.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace adj {

namespace {

// Where each position of a padded dim comes from. From `low` on `n` of them are the input's own.
struct Source {
  int64_t n, m, from, count;  // outputs from, ..., from + count - 1 are inputs in order
  std::vector<int64_t> at;

  Source(int64_t n, int64_t low, int64_t high, Text mode) : n(n), m(n + low + high) {
    for (int64_t i = 0; i < m; ++i) {
      int64_t k = i - low;
      if (mode == "replicate") k = std::clamp<int64_t>(k, 0, n - 1);
      else if (mode == "circular") k = (k + n) % n;
      else k = k < 0 ? -k : k >= n ? 2 * (n - 1) - k : k;
      at.push_back(k);
    }
    from = std::max<int64_t>(low, 0);
    count = std::min(low + n, m) - from;
  }
};

// The last dims of an input, three of them, 1s in front.
struct Sources {
  std::vector<Source> dims;
  int64_t in = 1, out = 1, planes = 1;
  Dims sizes;

  // `pad` holds pairs for the last dim, the one before it, ...
  Sources(DimsView given, DimsView pad, Text mode) {
    int nd = pad.size() / 2;
    sizes = given.copy();
    for (int i = 0; i < 3 - nd; ++i) dims.emplace_back(1, 0, 0, mode);
    for (int i = nd - 1; i >= 0; --i) {
      int d = given.size() - 1 - i;
      dims.emplace_back(given[d], pad[2 * i], pad[2 * i + 1], mode);
      sizes[d] = dims.back().m;
    }
    for (int d = 0; d < given.size() - nd; ++d) planes *= given[d];
    for (auto& s : dims) in *= s.n, out *= s.m;
  }
  // f(row of the output, row of the input) of one plane, in elements.
  template <class F>
  void rows(const F& f) const {
    int64_t to = 0;
    for (int64_t i : dims[0].at)
      for (int64_t j : dims[1].at) {
        f(to, (i * dims[1].n + j) * dims[2].n);
        to += dims[2].m;
      }
  }
};

template <class T>
void take(const Sources& s, T* y, const T* x) {
  const Source& last = s.dims[2];
  parallel_for(s.planes, 16384 / (s.out + 1) + 1, [&](int64_t from, int64_t to) {
    for (int64_t p = from; p < to; ++p)
      s.rows([&](int64_t out, int64_t in) {
        T* o = y + p * s.out + out;
        const T* a = x + p * s.in + in;
        for (int64_t k = 0; k < last.from; ++k) o[k] = a[last.at[static_cast<size_t>(k)]];
        if (last.count > 0)
          memcpy(o + last.from, a + last.at[static_cast<size_t>(last.from)],
                 sizeof(T) * static_cast<size_t>(last.count));
        for (int64_t k = last.from + std::max<int64_t>(last.count, 0); k < last.m; ++k)
          o[k] = a[last.at[static_cast<size_t>(k)]];
      });
  });
}

template <class T>
void put(const Sources& s, T* x, const T* g) {
  const Source& last = s.dims[2];
  parallel_for(s.planes, 16384 / (s.out + 1) + 1, [&](int64_t from, int64_t to) {
    for (int64_t p = from; p < to; ++p) {
      for (int64_t i = p * s.in; i < (p + 1) * s.in; ++i) x[i] = T(0);
      s.rows([&](int64_t out, int64_t in) {
        const T* o = g + p * s.out + out;
        T* a = x + p * s.in + in;
        for (int64_t k = 0; k < last.from; ++k) a[last.at[static_cast<size_t>(k)]] += o[k];
        if (last.count > 0) {
          T* own = a + last.at[static_cast<size_t>(last.from)];
          const T* theirs = o + last.from;
#pragma GCC ivdep
          for (int64_t k = 0; k < last.count; ++k) own[k] += theirs[k];
        }
        for (int64_t k = last.from + std::max<int64_t>(last.count, 0); k < last.m; ++k)
          a[last.at[static_cast<size_t>(k)]] += o[k];
      });
    }
  });
}

Tensor edges_taken(const Tensor& given, DimsView pad, Text mode) {
  Tensor x = dense(given);
  Sources s(x.sizes(), pad, mode);
  Tensor y = empty(s.sizes, x.dtype());
  switch (itemsize(x.dtype())) {
    case 1: take(s, y.data<uint8_t>(), x.data<uint8_t>()); break;
    case 2: take(s, y.data<uint16_t>(), x.data<uint16_t>()); break;
    case 4: take(s, y.data<uint32_t>(), x.data<uint32_t>()); break;
    case 8: take(s, y.data<uint64_t>(), x.data<uint64_t>()); break;
    default: take(s, y.data<std::complex<double>>(), x.data<std::complex<double>>());
  }
  return y;
}

Tensor edges_put(const Tensor& given, DimsView sizes, DimsView pad, Text mode) {
  DType t = computed_in(given.dtype());
  Tensor g = cast(given, t), x = empty(sizes, t);
  Sources s(sizes, pad, mode);
  if (t == DType::f32) put(s, x.data<float>(), g.data<float>());
  else if (t == DType::f64) put(s, x.data<double>(), g.data<double>());
  else if (t == DType::c64) put(s, x.data<std::complex<float>>(), g.data<std::complex<float>>());
  else put(s, x.data<std::complex<double>>(), g.data<std::complex<double>>());
  return cast(x, given.dtype());
}

const Fn edges_transpose{"_nodes.pad_edges_transpose"}, edges{"_nodes.pad_edges"};

// For vmap and the transposes the dims are counted from the right.
struct PadEdges : Linear {
  static Tensor forward(Tensor x, DimsView pad, Text mode) { return edges_taken(x, pad, mode); }
  static Tensor transpose(Tensor g, const TensorMeta& like, DimsView pad, Text mode) {
    return edges_transpose(
        g, DimsView(like.sizes).slice(like.sizes.size() - pad.size() / 2, pad.size() / 2), pad,
        mode.data());
  }
  static Outs batch(Batch& b) { return b.run(); }
};
ADJ_OP(PadEdges, "_nodes.pad_edges(input: Tensor, pad: int[], mode: str) -> Tensor", R"(
`nn.functional.pad` of the last dims (three at most) in another mode than "constant".

>>> adjoint._core._namespaces["_nodes"]["pad_edges"](adjoint.tensor([1, 2, 3]), (2, 1), "reflect")
tensor([3, 2, 1, 2, 3, 2])
)");

struct ReflectionPad1d : PadEdges {};
ADJ_OP(ReflectionPad1d,
       "_nodes.reflection_pad1d:/ReflectionPad1DBackward0(input: Tensor, pad: int[], mode: str) -> "
       "Tensor",
       R"(
As `pad_edges`.

>>> f = adjoint._core._namespaces["_nodes"]["reflection_pad1d"]
>>> f(adjoint.tensor([1, 2, 3]), (1, 0), "reflect")
tensor([2, 1, 2, 3])
)");
struct ReflectionPad2d : PadEdges {};
ADJ_OP(ReflectionPad2d,
       "_nodes.reflection_pad2d:/ReflectionPad2DBackward0(input: Tensor, pad: int[], mode: str) -> "
       "Tensor",
       R"(
As `pad_edges`.

>>> f = adjoint._core._namespaces["_nodes"]["reflection_pad2d"]
>>> f(adjoint.tensor([1, 2, 3]), (1, 0), "reflect")
tensor([2, 1, 2, 3])
)");
struct ReflectionPad3d : PadEdges {};
ADJ_OP(ReflectionPad3d,
       "_nodes.reflection_pad3d:/ReflectionPad3DBackward0(input: Tensor, pad: int[], mode: str) -> "
       "Tensor",
       R"(
As `pad_edges`.

>>> f = adjoint._core._namespaces["_nodes"]["reflection_pad3d"]
>>> f(adjoint.tensor([1, 2, 3]), (1, 0), "reflect")
tensor([2, 1, 2, 3])
)");
struct ReplicationPad1d : PadEdges {};
ADJ_OP(
    ReplicationPad1d,
    "_nodes.replication_pad1d:/ReplicationPad1DBackward0(input: Tensor, pad: int[], mode: str) -> "
    "Tensor",
    R"(
As `pad_edges`.

>>> f = adjoint._core._namespaces["_nodes"]["replication_pad1d"]
>>> f(adjoint.tensor([1, 2, 3]), (1, 0), "replicate")
tensor([1, 1, 2, 3])
)");
struct ReplicationPad2d : PadEdges {};
ADJ_OP(
    ReplicationPad2d,
    "_nodes.replication_pad2d:/ReplicationPad2DBackward0(input: Tensor, pad: int[], mode: str) -> "
    "Tensor",
    R"(
As `pad_edges`.

>>> f = adjoint._core._namespaces["_nodes"]["replication_pad2d"]
>>> f(adjoint.tensor([1, 2, 3]), (1, 0), "replicate")
tensor([1, 1, 2, 3])
)");
struct ReplicationPad3d : PadEdges {};
ADJ_OP(
    ReplicationPad3d,
    "_nodes.replication_pad3d:/ReplicationPad3DBackward0(input: Tensor, pad: int[], mode: str) -> "
    "Tensor",
    R"(
As `pad_edges`.

>>> f = adjoint._core._namespaces["_nodes"]["replication_pad3d"]
>>> f(adjoint.tensor([1, 2, 3]), (1, 0), "replicate")
tensor([1, 1, 2, 3])
)");

struct PadEdgesTranspose : Linear {
  static Tensor forward(Tensor g, DimsView last, DimsView pad, Text mode) {
    Dims sizes = g.sizes().slice(0, g.dim() - last.size()).copy();
    sizes.append(last.begin(), last.end());
    return edges_put(g, sizes, pad, mode);
  }
  static Tensor transpose(Tensor t, const TensorMeta&, DimsView, DimsView pad, Text mode) {
    return edges(t, pad, mode.data());
  }
  static Outs batch(Batch& b) { return b.run(); }
};
ADJ_OP(PadEdgesTranspose,
       "_nodes.pad_edges_transpose(input: Tensor, sizes: int[], pad: int[], mode: str) -> Tensor",
       R"(
The transpose of the padding of an input whose last dims had these sizes: every position gets the
sum of those that came from it.

>>> f = adjoint._core._namespaces["_nodes"]["pad_edges_transpose"]
>>> f(adjoint.ones(6), (3,), (2, 1), "reflect")
tensor([1., 3., 2.])
)");

}  // namespace
}  // namespace adj
