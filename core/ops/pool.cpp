#include "ops/pool.h"

#include <limits>

namespace adj {

namespace { constexpr const char* kWords[] = {"", "one int", "two ints", "three ints"}; }

Dims per_dim(const char* name, const char* argument, DimsView given, int nd, DimsView otherwise) {
  if (given.empty() && !otherwise.empty()) return otherwise.copy();
  if (given.size() != 1 && given.size() != nd)
    runtime_error(name, ": ", argument, " must either be a single int, or a tuple of ", kWords[nd],
                  ", but got ", given);
  Dims all(nd);
  for (int i = 0; i < nd; ++i) all[i] = given[given.size() == 1 ? 0 : i];
  return all;
}

void check_pool_input(const char* name, const Tensor& x, int nd) {
  bool fits = x.dim() == nd + 1 || x.dim() == nd + 2;
  for (int i = x.dim() - nd - 1; fits && i < x.dim(); ++i) fits = x.size(i) > 0;
  if (!fits)
    runtime_error(
        name, "() Expected ", nd + 1, "D or ", nd + 2,
        "D (batch mode) tensor with optional 0 dim batch size for input, but got: ", x.sizes());
}

PoolArgs pool_args(const char* name, const Tensor& x, int nd, DimsView kernel, DimsView stride,
                   DimsView padding, DimsView dilation, bool ceil_mode) {
  check_pool_input(name, x, nd);
  PoolArgs a;
  a.kernel = per_dim(name, "kernel_size", kernel, nd);
  a.stride = per_dim(name, "stride", stride, nd, a.kernel);
  a.padding = per_dim(name, "padding", padding, nd);
  a.dilation = per_dim(name, "dilation", dilation, nd);
  a.ceil_mode = ceil_mode;
  for (int i = 0; i < nd; ++i) {
    int64_t k = a.kernel[i], p = a.padding[i], d = a.dilation[i];
    if (k <= 0)
      runtime_error(name, ": kernel size should be greater than zero, but got ",
                    DimsView(a.kernel));
    if (a.stride[i] <= 0)
      runtime_error(name, ": stride should be greater than zero, but got ", DimsView(a.stride));
    if (d <= 0)
      runtime_error(name, ": dilation should be greater than zero, but got ", DimsView(a.dilation));
    if (p < 0) runtime_error(name, ": pad must be non-negative, but got pad: ", p);
    if (p > (d * (k - 1) + 1) / 2)
      runtime_error(name, ": pad should be at most half of effective kernel size, but got pad=", p,
                    ", kernel_size=", k, " and dilation=", d);
    int64_t n = x.size(i - nd), m = pooled_size(n, a, i);
    if (m < 1)
      runtime_error(name, ": Given input of shape ", x.sizes(), ", the calculated size of dim ",
                    i - nd, " of the output is ", m, ". Output size is too small");
  }
  return a;
}

int64_t pooled_size(int64_t n, const PoolArgs& a, int i) {
  int64_t k = a.kernel[i], s = a.stride[i], p = a.padding[i];
  int64_t room = n + 2 * p - a.dilation[i] * (k - 1) - 1 + (a.ceil_mode ? s - 1 : 0);
  if (room < 0) return 0;
  int64_t m = room / s + 1;
  // the last window must begin inside of the input or of the padding before it
  if (a.ceil_mode && (m - 1) * s >= n + p) --m;
  return m;
}

Dims with_last(DimsView sizes, DimsView last) {
  Dims out = sizes.slice(0, sizes.size() - last.size()).copy();
  out.append(last.begin(), last.end());
  return out;
}

Tensor flat_planes(const Tensor& x, int nd) {
  DimsView sizes = x.sizes();
  Dims flat = sizes.slice(0, x.dim() - nd).copy();
  flat.push_back(sizes.slice(x.dim() - nd, nd).product());
  return ops::reshape(x, flat);
}

void put_at_maxima(Vjp& c, int nd) {
  DimsView sizes = c.like(0).sizes;
  Dims flat = sizes.slice(0, sizes.size() - nd).copy();
  flat.push_back(sizes.slice(sizes.size() - nd, nd).product());
  Tensor where = ops::to_dtype(flat_planes(c.out(1), nd), DType::i64);
  Tensor g = flat_planes(c.g(), nd);
  Tensor dx = ops::scatter_add(ops::zeros(flat, g.dtype()), int64_t{-1}, where, g);
  c.set(0, ops::reshape(dx, sizes));
}

Outs take_at_maxima(Jvp& j, int nd) {
  Tensor t = j.t(0);
  if (!t.defined()) return Outs(j.outs.size());
  Tensor where = ops::to_dtype(flat_planes(j.outs[1], nd), DType::i64);
  return as_outs(
      ops::reshape(ops::gather(flat_planes(t, nd), int64_t{-1}, where), j.outs[0].sizes()));
}

Dims regular_windows(const Tensor& x, const PoolArgs& a) {
  Dims numbers;
  int nd = a.kernel.size();
  for (int i = 0; i < nd; ++i)
    for (int64_t v : {int64_t{0}, pooled_size(x.size(i - nd), a, i), a.kernel[i], a.stride[i],
                      a.padding[i], a.dilation[i]})
      numbers.push_back(v);
  return numbers;
}

Dims adaptive_windows(DimsView sizes) {
  Dims numbers;
  for (int64_t m : sizes)
    for (int64_t v : {int64_t{1}, m, int64_t{0}, int64_t{0}, int64_t{0}, int64_t{1}})
      numbers.push_back(v);
  return numbers;
}

Windows::Windows(DimsView sizes, DimsView numbers) : nd_(numbers.size() / kWindowNumbers) {
  if (nd_ < 1 || nd_ > 3 || numbers.size() % kWindowNumbers || sizes.size() < nd_)
    runtime_error("max pooling: ", numbers, " are no windows for an input of shape ", sizes);
  int64_t plane = 1;
  for (int d = 0; d < 3; ++d) {
    WindowDim& w = dims_[d];
    int i = d - (3 - nd_);
    const int64_t* v = numbers.data() + i * kWindowNumbers;
    int64_t adaptive = 0, padding = 0;
    if (i >= 0) {
      w.n = sizes[sizes.size() - nd_ + i];
      adaptive = v[0], w.m = v[1], w.kernel = v[2], w.stride = v[3], padding = v[4], w.step = v[5];
    }
    plane *= w.n;
    auto m = static_cast<size_t>(w.m);
    starts_[d].resize(m);
    counts_[d].resize(m);
    bool was_full = false;
    for (int64_t o = 0; o < w.m; ++o) {
      int64_t from, count;
      if (adaptive) {
        from = o * w.n / w.m;
        count = ((o + 1) * w.n + w.m - 1) / w.m - from;
      } else {
        from = o * w.stride - padding;
        int64_t skipped = from < 0 ? (-from + w.step - 1) / w.step : 0;
        from += skipped * w.step;
        count = from < w.n ? std::min(w.kernel - skipped, (w.n - 1 - from) / w.step + 1) : 0;
        bool full = count == w.kernel;
        if (full && !was_full) w.full_from = o;
        if (full) w.full_to = o + 1;
        was_full = full;
      }
      if (count < 1 || from >= w.n)
        runtime_error("max pooling: window ", o, " of dim ", i - nd_,
                      " holds nothing but padding; the input has shape ", sizes);
      starts_[d][static_cast<size_t>(o)] = static_cast<int32_t>(from);
      counts_[d][static_cast<size_t>(o)] = static_cast<int32_t>(count);
    }
    w.start = starts_[d].data();
    w.count = counts_[d].data();
  }
  if (plane > std::numeric_limits<int32_t>::max())
    runtime_error("max pooling: planes of at most 2^31 - 1 elements, got an input of shape ",
                  sizes);
}

int64_t Windows::planes(DimsView sizes) const {
  return sizes.slice(0, sizes.size() - nd_).product();
}

Dims Windows::result_sizes(DimsView sizes) const {
  Dims last;
  for (int d = 3 - nd_; d < 3; ++d) last.push_back(dims_[d].m);
  return with_last(sizes, last);
}

}  // namespace adj
