#include <complex>
#include <cstring>
#include <type_traits>

#include "cpu/cast.h"
#include "cpu/thread_pool.h"
#include "ops/index.h"
#include "scalar/half.h"

namespace adj {

namespace {

bool is_mask(const Tensor& x) { return x.dtype() == DType::b8 || x.dtype() == DType::u8; }

constexpr int64_t kOne[] = {1};

// Runs of elements that lie side by side both in the tensor and in the result.
struct Runs {
  int64_t length = 1;
  int64_t step;                       // from one position to the next in the result
  Dims sizes, strides, result_strides;  // of the dims around
};

Runs runs_of(const Positions& at) {
  Runs r;
  int n = at.rest_sizes.size();
  Dims result = contiguous_strides(at.result);
  int inner = n;
  while (inner > at.before &&
         (at.rest_sizes[inner - 1] == 1 || at.rest_strides[inner - 1] == r.length))
    r.length *= at.rest_sizes[--inner];
  r.step = 1;
  for (int i = at.before; i < n; ++i) r.step *= at.rest_sizes[i];
  for (int i = 0; i < inner; ++i) {
    r.sizes.push_back(at.rest_sizes[i]);
    r.strides.push_back(at.rest_strides[i]);
    r.result_strides.push_back(result[i < at.before ? i : i + at.shape.size()]);
  }
  return r;
}

template <class Unit>
void take_units(char* dst, int64_t step, const char* src, const int64_t* offsets, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    Unit u;
    memcpy(&u, src + offsets[i] * static_cast<int64_t>(sizeof(Unit)), sizeof(Unit));
    memcpy(dst + i * step, &u, sizeof(Unit));
  }
}

struct Unit16 {
  uint64_t low, high;
};

// dst[i * step] = src[offsets[i]], runs of `length` items; steps in bytes.
void take_runs(char* dst, int64_t step, const char* src, const int64_t* offsets, int64_t n,
               int64_t item, int64_t length) {
  if (length == 1) {
    switch (item) {
      case 1: return take_units<uint8_t>(dst, step, src, offsets, n);
      case 2: return take_units<uint16_t>(dst, step, src, offsets, n);
      case 4: return take_units<uint32_t>(dst, step, src, offsets, n);
      case 8: return take_units<uint64_t>(dst, step, src, offsets, n);
      default: return take_units<Unit16>(dst, step, src, offsets, n);
    }
  }
  size_t bytes = static_cast<size_t>(length * item);
  for (int64_t i = 0; i < n; ++i) memcpy(dst + i * step, src + offsets[i] * item, bytes);
}

template <class T>
T smaller(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return b != b || b < a ? b : a;
  else return b < a ? b : a;
}
template <class T>
T larger(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return b != b || b > a ? b : a;
  else return b > a ? b : a;
}

template <Put how, class T>
T combine(T x, T y) {
  using Wide = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;
  if constexpr (how == Put::copy) return y;
  else if constexpr (std::is_same_v<T, bool>)
    return how == Put::add || how == Put::amax ? x | y : x & y;
  else if constexpr (how == Put::add) return static_cast<T>(Wide(x) + Wide(y));
  else if constexpr (how == Put::mul) return static_cast<T>(Wide(x) * Wide(y));
  else if constexpr (how == Put::amax) return static_cast<T>(larger<Wide>(x, y));
  else return static_cast<T>(smaller<Wide>(x, y));
}

template <Put how, class T>
void put_typed(void* dst, const int64_t* offsets, const void* src, int64_t src_step, int64_t n,
               int64_t run) {
  T* to = static_cast<T*>(dst);
  const T* from = static_cast<const T*>(src);
  if (run == 1) {
    for (int64_t i = 0; i < n; ++i)
      to[offsets[i]] = combine<how, T>(to[offsets[i]], from[i * src_step]);
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    T* __restrict row = to + offsets[i];
    const T* __restrict values = from + i * src_step;
    for (int64_t j = 0; j < run; ++j) row[j] = combine<how, T>(row[j], values[j]);
  }
}

template <Put how>
PutRuns put_runs_of(DType t) {
  switch (t) {
    case DType::b8: return put_typed<how, bool>;
    case DType::u8: return put_typed<how, uint8_t>;
    case DType::i8: return put_typed<how, int8_t>;
    case DType::i16: return put_typed<how, int16_t>;
    case DType::i32: return put_typed<how, int32_t>;
    case DType::i64: return put_typed<how, int64_t>;
    case DType::f16: return put_typed<how, Half>;
    case DType::bf16: return put_typed<how, BFloat16>;
    case DType::f32: return put_typed<how, float>;
    case DType::f64: return put_typed<how, double>;
    case DType::c64:
      if constexpr (how <= Put::mul) return put_typed<how, std::complex<float>>;
      break;
    case DType::c128:
      if constexpr (how <= Put::mul) return put_typed<how, std::complex<double>>;
      break;
  }
  fail(ErrorKind::not_implemented, "complex numbers have no order: no amax or amin of '",
       scalar_name_of(t), "'");
}

}  // namespace

PutRuns put_runs(Put how, DType t) {
  switch (how) {
    case Put::copy: return put_runs_of<Put::copy>(t);
    case Put::add: return put_runs_of<Put::add>(t);
    case Put::mul: return put_runs_of<Put::mul>(t);
    case Put::amax: return put_runs_of<Put::amax>(t);
    default: return put_runs_of<Put::amin>(t);
  }
}

Tensor plain_indices(const Tensor& index) {
  if (index.dtype() == DType::i64 && index.contiguous()) return index;
  Tensor out = empty(index.sizes(), DType::i64);
  write_into(out, index);
  return out;
}

TensorList expand_masks(Tensors indices) {
  TensorList out;
  int fillers = 0;
  for (const Tensor& x : indices) {
    if (!x.defined()) {
      if (fillers) --fillers;
      else out.push_back({});
      continue;
    }
    fillers = 0;
    if (is_mask(x)) {
      Tensor at = ops::nonzero(x);  // [n, dims of the mask]
      for (int d = 0; d < x.dim(); ++d) out.push_back(ops::select(at, 1, d));
      if (x.dim() == 0) index_error("a 0-d mask must be given a dim of size 1 to index");
      fillers = x.dim() - 1;
    } else if (is_integral(x.dtype())) {
      out.push_back(x);
    } else {
      index_error("tensors used as indices must be long, int, byte or bool tensors, not ",
                  x.dtype());
    }
  }
  return out;
}

Positions positions_of(DimsView sizes, DimsView strides, Tensors given) {
  int at_dim = 0;
  for (int i = 0; i < given.size(); ++i) {  // masks must fit before they are counted out
    const Tensor& x = given[i];
    if (!x.defined() || !is_mask(x)) {
      ++at_dim;
      continue;
    }
    for (int k = 0; k < x.dim(); ++k)
      if (at_dim + k >= sizes.size() || x.size(k) != sizes[at_dim + k])
        index_error("The shape of the mask ", x.sizes(), " at index ", k,
                    " does not match the shape of the indexed tensor ", sizes, " at index ",
                    at_dim + k);
    int fillers = x.dim() - 1;
    while (fillers > 0 && i + 1 < given.size() && !given[i + 1].defined()) --fillers, ++i;
    at_dim += x.dim();
  }
  TensorList indices = expand_masks(given);
  if (indices.size() > sizes.size())
    index_error("too many indices for tensor of dimension ", sizes.size(), " (got ", indices.size(),
                ")");
  while (indices.size() < sizes.size()) indices.push_back({});

  Positions p;
  int first = -1, last = -1, used = 0;
  for (int d = 0; d < sizes.size(); ++d) {
    if (!indices[d].defined()) continue;
    if (first < 0) first = d;
    last = d;
    ++used;
    DimsView own = indices[d].sizes();
    if (used == 1) {
      p.shape = own.copy();
    } else if (!(own == DimsView(p.shape))) {
      for (int k = 1; k <= std::min(own.size(), p.shape.size()); ++k) {
        int64_t a = own[own.size() - k], b = p.shape[p.shape.size() - k];
        if (a == b || a == 1 || b == 1) continue;
        std::string shapes;
        for (auto& x : indices)
          if (x.defined()) shapes += (shapes.empty() ? "" : ", ") + adj::cat(x.sizes());
        index_error("shape mismatch: indexing tensors could not be broadcast together with shapes ",
                    shapes);
      }
      p.shape = broadcast_sizes(p.shape, own);
    }
  }
  int64_t count = DimsView(p.shape).product();
  bool adjacent = used && last - first + 1 == used;
  p.before = adjacent ? first : 0;
  int64_t rest = 1;
  for (int d = 0; d < sizes.size(); ++d) {
    if (indices[d].defined()) continue;
    p.rest_sizes.push_back(sizes[d]);
    p.rest_strides.push_back(strides[d]);
    rest *= sizes[d];
  }
  p.result.append(p.rest_sizes.begin(), p.rest_sizes.begin() + p.before);
  p.result.append(p.shape.begin(), p.shape.end());
  p.result.append(p.rest_sizes.begin() + p.before, p.rest_sizes.end());

  p.offsets = empty({count}, DType::i64);
  int64_t* offsets = p.offsets.data<int64_t>();
  std::fill(offsets, offsets + count, 0);
  for (int d = 0; d < sizes.size(); ++d) {
    if (!indices[d].defined()) continue;
    Tensor index = indices[d];
    if (!(index.sizes() == DimsView(p.shape)) || !index.contiguous() ||
        index.dtype() != DType::i64) {
      Tensor wide = empty(p.shape, DType::i64);
      write_into(wide, index);
      index = wide;
    }
    const int64_t* from = index.data<int64_t>();
    int64_t n = sizes[d], stride = strides[d];
    for (int64_t i = 0; i < count; ++i) {
      int64_t k = from[i];
      if (k < -n || k >= n) {
        if (rest == 0) continue;  // nothing is read
        index_error("index ", k, " is out of bounds for dimension ", d, " with size ", n);
      }
      offsets[i] += (k < 0 ? k + n : k) * stride;
    }
  }
  return p;
}

Positions positions_along(DimsView sizes, DimsView strides, int dim, const Tensor& index) {
  Positions p;
  p.shape = index.sizes().copy();
  p.before = dim;
  for (int d = 0; d < sizes.size(); ++d) {
    if (d == dim) continue;
    p.rest_sizes.push_back(sizes[d]);
    p.rest_strides.push_back(strides[d]);
  }
  p.result.append(p.rest_sizes.begin(), p.rest_sizes.begin() + dim);
  p.result.append(p.shape.begin(), p.shape.end());
  p.result.append(p.rest_sizes.begin() + dim, p.rest_sizes.end());
  Tensor plain = plain_indices(index);
  p.offsets = empty({plain.numel()}, DType::i64);
  for (int64_t i = 0; i < plain.numel(); ++i)
    p.offsets.data<int64_t>()[i] = plain.data<int64_t>()[i] * strides[dim];
  return p;
}

Tensor element_offsets(DimsView sizes, DimsView strides, int dim, const Tensor& index,
                       const char* name) {
  if (index.dtype() != DType::i64 && index.dtype() != DType::i32)
    runtime_error(name, "(): Expected dtype int32/int64 for index, got ", index.dtype());
  Tensor out = empty({index.numel()}, DType::i64);
  if (index.numel() == 0) return out;
  if (index.dim() != sizes.size() && !(index.dim() <= 1 && sizes.size() <= 1))
    runtime_error(name,
                  "(): Index tensor must have the same number of dimensions as input tensor: got ",
                  index.sizes(), " and ", sizes);
  if (sizes.size() == 0) {
    sizes = DimsView(kOne, 1);
    strides = DimsView(kOne, 1);
  }
  Tensor plain = plain_indices(index);
  if (plain.dim() == 0) plain = view_of(plain, {{1}, {1}, plain->offset});
  int last = sizes.size() - 1;
  Dims around = plain.sizes().copy(), steps = strides.copy(),
       counts = contiguous_strides(plain.sizes());
  for (int d = 0; d <= last; ++d)
    if (d != dim && plain.size(d) > sizes[d])
      runtime_error(name, "(): Size does not match at dimension ", d, " expected index ",
                    index.sizes(), " to be no larger than self ", sizes, " apart from dimension ",
                    dim);
  int64_t line = around[last], along = dim == last ? 0 : strides[last], by = strides[dim],
          n = sizes[dim];
  steps[dim] = 0;
  around[last] = 1;
  for_each_offset(around, steps, counts, [&](int64_t base, int64_t at) {
    const int64_t* from = plain.data<int64_t>() + at;
    int64_t* to = out.data<int64_t>() + at;
    uint64_t outside = 0;
    for (int64_t j = 0; j < line; ++j) {
      outside |= static_cast<uint64_t>(from[j]) >= static_cast<uint64_t>(n);
      to[j] = base + j * along + from[j] * by;
    }
    if (!outside) return;
    for (int64_t j = 0; j < line; ++j)
      if (static_cast<uint64_t>(from[j]) >= static_cast<uint64_t>(n))
        runtime_error(name, "(): index ", from[j], " is out of bounds for dimension ", dim,
                      " with size ", n);
  });
  return out;
}

Tensor take_elements(const Tensor& x, const Tensor& offsets, DimsView sizes) {
  Tensor out = empty(sizes, x.dtype());
  auto item = static_cast<int64_t>(itemsize(x.dtype()));
  parallel_for(out.numel(), 32768, [&](int64_t begin, int64_t end) {
    take_runs(out.data() + begin * item, item, x.data(), offsets.data<int64_t>() + begin,
              end - begin, item, 1);
  });
  return out;
}

Tensor take_positions(const Tensor& x, const Positions& at) {
  Tensor out = empty(at.result, x.dtype());
  if (out.numel() == 0) return out;
  Runs r = runs_of(at);
  auto item = static_cast<int64_t>(itemsize(x.dtype()));
  int64_t n = at.offsets.numel();
  int64_t grain = std::max<int64_t>(1, 32768 / r.length);
  for_each_offset(r.sizes, r.strides, r.result_strides, [&](int64_t from, int64_t to) {
    parallel_for(n, grain, [&](int64_t begin, int64_t end) {
      take_runs(out.data() + (to + begin * r.step) * item, r.step * item, x.data() + from * item,
                at.offsets.data<int64_t>() + begin, end - begin, item, r.length);
    });
  });
  return out;
}

void put_positions(const Tensor& x, const Positions& at, const Tensor& values, bool accumulate) {
  if (DimsView(at.result).product() == 0) return;
  Runs r = runs_of(at);
  PutRuns put = put_runs(accumulate ? Put::add : Put::copy, x.dtype());
  auto item = static_cast<int64_t>(itemsize(x.dtype()));
  int64_t n = at.offsets.numel();
  Tensor source = values;
  bool one = values.numel() == 1;
  if (one) {  // a run of the same value over and over
    source = empty({r.length}, x.dtype());
    write_into(source, ops::reshape(values, Dims{1}));
  } else if (!(values.sizes() == DimsView(at.result)) || !values.contiguous() ||
             values.dtype() != x.dtype()) {
    source = empty(at.result, x.dtype());
    write_into(source, values);
  }
  for_each_offset(r.sizes, r.strides, r.result_strides, [&](int64_t to, int64_t from) {
    put(x.data() + to * item, at.offsets.data<int64_t>(), source.data() + (one ? 0 : from * item),
        one ? 0 : r.step, n, r.length);
  });
}

}  // namespace adj
