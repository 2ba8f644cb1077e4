#include "ops/reduce.h"

#include <algorithm>
#include <complex>

#include "autograd/modes.h"

namespace adj {

DimMask reduced_dims(std::optional<DimsView> dim, int ndim) {
  if (!dim || dim->empty()) return all_dims(ndim);
  DimMask mask = 0;
  for (int64_t d : *dim) {
    DimMask bit = DimMask{1} << normalize_dim(d, ndim);
    if (mask & bit) runtime_error("dim ", d, " appears multiple times in the list of dims ", *dim);
    mask |= bit;
  }
  return mask & all_dims(ndim);
}

Dims reduced_sizes(DimsView sizes, DimMask mask, bool keepdim) {
  Dims out;
  for (int i = 0; i < sizes.size(); ++i) {
    bool gone = mask >> i & 1;
    if (!gone || keepdim) out.push_back(gone ? 1 : sizes[i]);
  }
  return out;
}

int64_t reduced_count(DimsView sizes, DimMask mask) {
  int64_t n = 1;
  for (int i = 0; i < sizes.size(); ++i)
    if (mask >> i & 1) n *= sizes[i];
  return n;
}

void check_not_empty(const char* name, const Tensor& x, std::optional<DimsView> dim, DimMask mask) {
  if (x.numel() != 0) return;
  if (!dim || dim->empty())
    runtime_error(name,
                  "(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
                  "reduction dim with the 'dim' argument; the input has shape ",
                  x.sizes());
  for (int i = 0; i < x.dim(); ++i)
    if ((mask >> i & 1) && x.size(i) == 0)
      index_error(name, "(): Expected reduction dim ", i,
                  " to have non-zero size; the input has shape ", x.sizes());
}

void check_floating(const char* name, DType t) {
  if (!is_floating(t))
    fail(ErrorKind::not_implemented, name, " is not implemented for '", scalar_name_of(t), "'");
}

Tensor dense(const Tensor& x) { return cast(x, x.dtype()); }

Tensor cast(const Tensor& x, DType dtype) {
  if (x.contiguous() && x.dtype() == dtype) return x;
  Tensor y = empty(x.sizes(), dtype);
  write_into(y, x);
  return y;
}

namespace {

// A run of dims that are contiguous to each other and are all reduced, or all kept.
struct Segment {
  int64_t size;
  bool reduced;
};

void add_segment(SmallVec<Segment, 8>& segments, int64_t size, bool reduced) {
  if (size == 1) return;
  if (!segments.empty() && segments.back().reduced == reduced) segments.back().size *= size;
  else segments.push_back({size, reduced});
}

// The dims in the order in which they lie in memory; false if the elements leave gaps or overlap.
bool memory_order(const Tensor& x, SmallVec<int, 8>& order) {
  for (int i = 0; i < x.dim(); ++i)
    if (x.size(i) != 1) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return x.stride(a) > x.stride(b); });
  int64_t step = 1;
  for (int i = order.size() - 1; i >= 0; --i) {
    if (x.stride(order[i]) != step) return false;
    step *= x.size(order[i]);
  }
  return true;
}

// What a repeated (expanded) dim does to a result: nothing, or so many times the sum.
bool counts_once(Reduce op) {
  return op == Reduce::amax || op == Reduce::amin || op == Reduce::any || op == Reduce::all;
}
void multiply(const Tensor& x, int64_t times) {
  for (int64_t i = 0; i < x.numel(); ++i) {
    if (x.dtype() == DType::f32) x.data<float>()[i] *= static_cast<float>(times);
    else if (x.dtype() == DType::f64) x.data<double>()[i] *= static_cast<double>(times);
    else x.data<int64_t>()[i] *= times;
  }
}

// Reduces contiguous memory cut into segments.
void reduce_runs(Reduce op, DType t, void* out, const void* x, SmallVec<Segment, 8> segments) {
  Tensor held;
  for (;;) {
    int last = -1, reduced = 0;
    for (int i = 0; i < segments.size(); ++i)
      if (segments[i].reduced) {
        last = i;
        ++reduced;
      }
    int64_t outer = 1, n = last < 0 ? 1 : segments[last].size, inner = 1;
    for (int i = 0; i < segments.size(); ++i) {
      if (i < last) outer *= segments[i].size;
      if (i > last) inner *= segments[i].size;
    }
    if (reduced <= 1) return reduce(op, t, out, x, outer, n, inner);
    // The innermost first; what is left is smaller, and of the same form.
    DType next = reduced_dtype(op, t);
    Tensor part = empty(Dims{outer * inner}, next);
    reduce(op, t, part.data(), x, outer, n, inner);
    SmallVec<Segment, 8> rest;
    for (int i = 0; i < segments.size(); ++i)
      if (i != last) add_segment(rest, segments[i].size, segments[i].reduced);
    segments = rest;
    held = part;
    x = held.data();
    t = next;
    if (op == Reduce::sum_abs || op == Reduce::sum_squares || op == Reduce::count_nonzero)
      op = Reduce::sum;
  }
}

template <class T>
void prod_loop(const Tensor& out, const Grouped& g) {
  auto* x = g.x.data<std::complex<T>>();
  auto* y = out.data<std::complex<T>>();
  for (int64_t o = 0; o < g.outer; ++o)
    for (int64_t i = 0; i < g.inner; ++i) {
      std::complex<T> product = 1;
      for (int64_t k = 0; k < g.n; ++k) product *= x[(o * g.n + k) * g.inner + i];
      y[o * g.inner + i] = product;
    }
}

Tensor complex_prod(const Tensor& x, DimMask mask, bool keepdim) {
  Tensor out = empty(reduced_sizes(x.sizes(), mask, keepdim), x.dtype());
  Grouped g = grouped(x, mask);
  x.dtype() == DType::c64 ? prod_loop<float>(out, g) : prod_loop<double>(out, g);
  return out;
}

}  // namespace

Tensor reduce_dims(Reduce op, const Tensor& given, DimMask mask, bool keepdim) {
  DType t = computed_in(given.dtype());
  if (is_complex(t) && (op == Reduce::any || op == Reduce::all || op == Reduce::count_nonzero))
    return reduce_dims(op, cast(given, DType::b8), mask, keepdim);
  if (is_complex(t) && op == Reduce::prod) return complex_prod(given, mask, keepdim);
  if (is_complex(t) && op != Reduce::sum)
    fail(ErrorKind::not_implemented, "this reduction is not implemented for '", scalar_name_of(t),
         "'");
  Tensor out = empty(reduced_sizes(given.sizes(), mask, keepdim), reduced_dtype(op, t));
  if (out.numel() == 0) return out;
  Tensor x = given.dtype() == t ? given : cast(given, t);
  if (x.numel() == 0) {
    reduce(op, t, out.data(), nullptr, 1, 0, out.numel());
    return out;
  }
  SmallVec<Segment, 8> segments;
  if (x.contiguous()) {
    for (int i = 0; i < x.dim(); ++i) add_segment(segments, x.size(i), mask >> i & 1);
    reduce_runs(op, t, out.data(), x.data(), segments);
    return out;
  }
  if (counts_once(op) || (op == Reduce::sum && !is_complex(t))) {
    Layout once = x.layout();
    int64_t times = 1;
    for (int i = 0; i < x.dim(); ++i)
      if ((mask >> i & 1) && x.stride(i) == 0) {
        times *= x.size(i);
        once.sizes[i] = 1;
      }
    if (times > 1) {
      out = reduce_dims(op, view_of(x, std::move(once)), mask, keepdim);
      if (op == Reduce::sum) multiply(out, times);
      return out;
    }
  }
  SmallVec<int, 8> order;
  if (!memory_order(x, order)) return reduce_dims(op, dense(x), mask, keepdim);
  bool in_order = true;  // the kept dims, among themselves
  int before = -1;
  for (int d : order) {
    bool reduced = mask >> d & 1;
    add_segment(segments, x.size(d), reduced);
    if (reduced) continue;
    in_order = in_order && d > before;
    before = d;
  }
  if (in_order) {
    reduce_runs(op, t, out.data(), x.data(), segments);
    return out;
  }
  Tensor part = empty(out.sizes(), out.dtype());
  reduce_runs(op, t, part.data(), x.data(), segments);
  // part lies in the order of memory: seen through the strides that this gives, it is the result
  Layout layout{out->sizes, Dims(out.dim()), 0};
  int64_t step = 1;
  for (int i = order.size() - 1; i >= 0; --i) {
    int d = order[i];
    if (mask >> d & 1) continue;
    int at = d;
    if (!keepdim)
      for (int k = 0; k < d; ++k) at -= static_cast<int>(mask >> k & 1);
    layout.strides[at] = step;
    step *= x.size(d);
  }
  write_into(out, view_of(part, std::move(layout)));
  return out;
}

Grouped grouped(const Tensor& given, DimMask mask) {
  Grouped g;
  int first = -1, last = -1;
  for (int i = 0; i < given.dim(); ++i) {
    if (given.size(i) == 1 || !(mask >> i & 1)) continue;
    if (first < 0) first = i;
    last = i;
  }
  bool together = true;
  for (int i = first; i >= 0 && i <= last; ++i)
    together = together && (given.size(i) == 1 || (mask >> i & 1));
  Tensor x = given;
  if (!together) {
    // kept dims first, then the reduced ones
    Layout layout{{}, {}, given->offset};
    for (int reduced = 0; reduced < 2; ++reduced)
      for (int i = 0; i < given.dim(); ++i)
        if ((mask >> i & 1) == static_cast<DimMask>(reduced)) {
          layout.sizes.push_back(given.size(i));
          layout.strides.push_back(given.stride(i));
          (reduced ? g.n : g.outer) *= given.size(i);
        }
    x = view_of(given, std::move(layout));
  } else {
    for (int i = 0; i < given.dim(); ++i)
      ((mask >> i & 1) ? g.n : first < 0 || i < first ? g.outer : g.inner) *= given.size(i);
  }
  g.x = dense(x);
  return g;
}

Tensor with_kept_dims(const Tensor& y, DimsView sizes, DimMask mask, bool keepdim) {
  if (keepdim || y.dim() == sizes.size()) return y;
  return ops::reshape(y, reduced_sizes(sizes, mask, true));
}

Tensor spread(const Tensor& g, const TensorMeta& x, DimMask mask, bool keepdim) {
  Tensor y = g.dtype() == x.dtype ? g : ops::to_dtype(g, x.dtype);
  if (y.sizes() == DimsView(x.sizes)) return y;
  if (!y.wrapped() && !(modes.grad && y.requires_grad())) {
    // Plain: one view instead of two operators.
    Layout layout{x.sizes, Dims(x.sizes.size()), y->offset};
    for (int i = 0, at = 0; i < x.sizes.size(); ++i) {
      if (mask >> i & 1) {
        if (keepdim) ++at;
      } else {
        layout.strides[i] = y.stride(at++);
      }
    }
    return view_of(y, std::move(layout));
  }
  return ops::expand(with_kept_dims(y, x.sizes, mask, keepdim), x.sizes);
}

Outs batch_over_dims(Batch& b, int dim, int keepdim) {
  int n = b.logical_dim(0);
  Tensor x = b.in(0);
  auto given = b.arg<std::optional<DimsView>>(dim);
  reduced_dims(given, n);
  Dims dims;
  if (n == 0) {
    x = ops::unsqueeze(x, int64_t{-1});
    dims.push_back(-1);
    b.values[keepdim] = false;
  } else if (given && !given->empty()) {
    for (int64_t d : *given) dims.push_back(normalize_dim(d, n) - n);
  } else {
    for (int i = 1; i <= n; ++i) dims.push_back(-i);
  }
  b.values[0] = x;
  b.values[dim] = dims;
  return dispatch(b.op, b.values);
}

Outs batch_over_dim(Batch& b, int dim, int keepdim) {
  int n = b.logical_dim(0);
  Tensor x = b.in(0);
  if (b.values[dim].is_none()) {
    x = flat_batch(b);
    b.values[dim] = int64_t{1};
    bool kept = keepdim >= 0 && b.values[keepdim].as_bool();
    if (keepdim >= 0) b.values[keepdim] = false;
    b.values[0] = x;
    Outs outs = dispatch(b.op, b.values);
    if (kept)
      for (auto& y : outs) {
        Dims ones{b.size};
        for (int i = 0; i < n; ++i) ones.push_back(1);
        y = ops::reshape(y, ones);
      }
    return outs;
  }
  int64_t d = b.values[dim].as_int();
  if (n == 0) {
    normalize_dim(d, 0);
    x = ops::unsqueeze(x, int64_t{-1});
    b.values[dim] = int64_t{-1};
    if (keepdim >= 0) b.values[keepdim] = false;
  } else {
    b.values[dim] = int64_t{normalize_dim(d, n) - n};
  }
  b.values[0] = x;
  Outs outs = dispatch(b.op, b.values);
  if (n == 0 && keepdim < 0)  // a scan keeps the dim that was put in
    for (auto& y : outs) y = ops::reshape(y, Dims{b.size});
  return outs;
}

Tensor flat_batch(const Batch& b) {
  Tensor x = b.in(0);
  return ops::reshape(x, Dims{b.size, x.sizes().slice(1, x.dim() - 1).product()});
}

}  // namespace adj
