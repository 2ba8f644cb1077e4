#include "cpu/conv.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu/allocator.h"
#include "cpu/conv_kernels.h"
#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

struct Scratch {
  explicit Scratch(int64_t bytes) : size(static_cast<size_t>(bytes)), data(allocate(size)) {}
  ~Scratch() { deallocate(data, size); }
  Scratch(const Scratch&) = delete;
  size_t size;
  void* data;
};

template <class T>
T* at(T* p, int64_t bytes) {
  if constexpr (std::is_const_v<T>) return static_cast<const char*>(p) + bytes;
  else return p ? static_cast<char*>(p) + bytes : nullptr;
}

int64_t volume(const int64_t* d) { return d[0] * d[1] * d[2]; }

// A pass with what it points to.
struct Pass : ConvPass {
  std::vector<int64_t> taps;  // of the kernel
  std::vector<int64_t> places;
  std::vector<char> packed;  // [group][...]

  // offsets of (channel, tap) from those of taps
  void set_offsets(const std::vector<int64_t>& tap_offsets, int64_t channels, int64_t plane) {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t o : tap_offsets) places.push_back(c * plane + o);
    offsets = places.data();
    depth = static_cast<int64_t>(places.size());
  }
};

void dense_results(Pass& p, const int64_t* out) {
  std::copy(out, out + 3, p.out);
  p.start = 0;
  p.step[2] = 1;
  p.step[1] = out[2];
  p.step[0] = out[1] * out[2];
  p.plane = volume(out);
}

// x as the kernel of the forward pass sees it, and the offsets of the taps.
ConvLayout layout_of(const ConvShape& s, std::vector<int64_t>& taps) {
  ConvLayout l{};
  l.channels = s.c;
  for (int i = 0; i < 3; ++i) {
    int64_t reach = (s.kernel[i] - 1) * s.dilation[i];
    l.in[i] = s.in[i];
    l.stride[i] = s.stride[i];
    l.pad[i] = s.pad[i];
    l.phases[i] = std::min(s.stride[i], reach + 1);
    l.q[i] = s.out[i] + reach / s.stride[i];
  }
  int64_t k[3];
  for (k[0] = 0; k[0] < s.kernel[0]; ++k[0])
    for (k[1] = 0; k[1] < s.kernel[1]; ++k[1])
      for (k[2] = 0; k[2] < s.kernel[2]; ++k[2]) {
        int64_t phase = 0, place = 0;
        for (int i = 0; i < 3; ++i) {
          int64_t j = k[i] * s.dilation[i];
          phase = phase * l.phases[i] + j % s.stride[i];
          place = place * l.q[i] + j / s.stride[i];
        }
        taps.push_back(phase * volume(l.q) + place);
      }
  return l;
}

// Parts that the channels of results are cut into where there are few images.
int64_t parts_of(int64_t tasks, int64_t rows, int64_t block) {
  int64_t blocks = (rows + block - 1) / block;
  return tasks >= 8 || tasks == 0 ? 1 : std::min(blocks, (8 + tasks - 1) / tasks);
}

template <class F>
void for_each_task(int64_t n, double work, const F& f) {
  if (work < 50000) return f(int64_t(0), n);
  int64_t few = static_cast<int64_t>(50000.0 * static_cast<double>(n) / work);
  parallel_for(n, std::max<int64_t>(few, 1), f);
}

double work_of(const ConvShape& s) {
  return static_cast<double>(s.n * s.groups * s.m * s.c * volume(s.out) * volume(s.kernel));
}

// All passes over each of the sources [n, groups, channels, l.in], into y.
template <class T>
void run(const ConvShape& s, const ConvLayout& l, const std::vector<Pass>& passes, void* y,
         const void* source, const void* bias) {
  constexpr int64_t size = sizeof(T);
  const auto& k = kernels().conv;
  int64_t rows = passes[0].rows, plane = passes[0].plane;
  int64_t block = conv_block(rows, k.block_rows), images = s.n * s.groups;
  int64_t parts = parts_of(images, rows, block);
  int64_t step = (rows + block * parts - 1) / (block * parts) * block;
  for_each_task(images * parts, work_of(s), [&](int64_t from, int64_t to) {
    Scratch scratch(l.channels * l.plane() * size + kConvSlack);
    for (int64_t task = from, before = -1; task < to; ++task) {
      int64_t image = task / parts, part = task % parts, g = image % s.groups;
      int64_t first = part * step, last = std::min(first + step, rows);
      if (first >= last) continue;
      if (image != before)
        k.lay_out[size == 8](scratch.data, at(source, image * l.channels * volume(l.in) * size), l);
      before = image;
      for (const Pass& p : passes) {
        ConvPass q = p;
        q.a = at(static_cast<const void*>(p.packed.data()), g * rows * p.depth * size);
        k.pass[size == 8](at(y, image * rows * plane * size),
                          bias ? at(bias, g * rows * size) : nullptr, scratch.data, q, l, first,
                          last);
      }
    }
  });
}

template <class T>
void forward(const ConvShape& s, void* y, const void* x, const T* w, const void* bias) {
  std::vector<int64_t> offsets;
  ConvLayout l = layout_of(s, offsets);
  std::vector<Pass> passes(1);
  Pass& p = passes[0];
  int64_t taps = volume(s.kernel);
  for (int64_t t = 0; t < taps; ++t) p.taps.push_back(t);
  p.rows = s.m;
  p.set_offsets(offsets, s.c, l.plane());
  dense_results(p, s.out);
  p.packed.resize(static_cast<size_t>(s.groups * s.m * p.depth) * sizeof(T));
  for (int64_t g = 0; g < s.groups; ++g) {
    int64_t at_group = g * s.m * p.depth;
    kernels().conv.pack[sizeof(T) == 8](reinterpret_cast<T*>(p.packed.data()) + at_group,
                                        w + at_group, s.m, p.depth);
  }
  run<T>(s, l, passes, y, x, bias);
}

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

// Position i of x is i + p = u s + r: for each phase r, y at u - k d / s for the taps with k d = r
// modulo s.
template <class T>
void input(const ConvShape& s, void* x, const void* y, const T* w, const void* bias) {
  int64_t low[3] = {}, high[3] = {};  // the positions of y that are read
  auto first_of = [&](int i, int64_t r) { return -floor_div(r - s.pad[i], s.stride[i]); };
  auto last_of = [&](int i, int64_t r) {
    return floor_div(s.pad[i] + s.in[i] - 1 - r, s.stride[i]);
  };
  for (int i = 0; i < 3; ++i)
    for (int64_t k = 0; k < s.kernel[i]; ++k) {
      int64_t r = k * s.dilation[i] % s.stride[i], e = k * s.dilation[i] / s.stride[i];
      low[i] = std::min(low[i], first_of(i, r) - e);
      high[i] = std::max(high[i], last_of(i, r) - e);
    }
  ConvLayout l{};
  l.channels = s.m;
  for (int i = 0; i < 3; ++i) {
    l.in[i] = s.out[i];
    l.stride[i] = l.phases[i] = 1;
    l.pad[i] = -low[i];
    l.q[i] = high[i] - low[i] + 1;
  }
  std::vector<Pass> passes;
  int64_t r[3];
  for (r[0] = 0; r[0] < s.stride[0]; ++r[0])
    for (r[1] = 0; r[1] < s.stride[1]; ++r[1])
      for (r[2] = 0; r[2] < s.stride[2]; ++r[2]) {
        Pass p;
        p.rows = s.c;
        p.plane = volume(s.in);
        p.step[2] = s.stride[2];
        p.step[1] = s.stride[1] * s.in[2];
        p.step[0] = s.stride[0] * s.in[1] * s.in[2];
        p.start = 0;
        bool any = true;
        for (int i = 0; i < 3; ++i) {
          p.out[i] = last_of(i, r[i]) - first_of(i, r[i]) + 1;
          any = any && p.out[i] > 0;
          p.start = p.start * s.in[i] + first_of(i, r[i]) * s.stride[i] + r[i] - s.pad[i];
        }
        if (!any) continue;
        std::vector<int64_t> offsets;
        int64_t tap = 0, k[3];
        for (k[0] = 0; k[0] < s.kernel[0]; ++k[0])
          for (k[1] = 0; k[1] < s.kernel[1]; ++k[1])
            for (k[2] = 0; k[2] < s.kernel[2]; ++k[2], ++tap) {
              int64_t place = 0;
              bool here = true;
              for (int i = 0; i < 3; ++i) {
                int64_t j = k[i] * s.dilation[i];
                here = here && j % s.stride[i] == r[i];
                place = place * l.q[i] + first_of(i, r[i]) - j / s.stride[i] - low[i];
              }
              if (!here) continue;
              offsets.push_back(place);
              p.taps.push_back(tap);
            }
        p.set_offsets(offsets, s.m, l.plane());
        int64_t taps = volume(s.kernel);
        int64_t count = static_cast<int64_t>(p.taps.size());
        std::vector<T> a(static_cast<size_t>(s.c * p.depth));
        p.packed.resize(static_cast<size_t>(s.groups * s.c * p.depth) * sizeof(T));
        for (int64_t g = 0; g < s.groups; ++g) {
          for (int64_t m = 0; m < s.m; ++m)
            for (int64_t c = 0; c < s.c; ++c) {
              const T* from = w + ((g * s.m + m) * s.c + c) * taps;
              T* to = a.data() + c * p.depth + m * count;
              for (int64_t t = 0; t < count; ++t) to[t] = from[p.taps[static_cast<size_t>(t)]];
            }
          kernels().conv.pack[sizeof(T) == 8](
              reinterpret_cast<T*>(p.packed.data()) + g * s.c * p.depth, a.data(), s.c, p.depth);
        }
        passes.push_back(std::move(p));
      }
  for (Pass& p : passes) p.offsets = p.places.data();
  run<T>(s, l, passes, x, y, bias);
}

template <class T>
void weight(const ConvShape& s, T* w, const void* x, const void* y) {
  constexpr int64_t size = sizeof(T);
  const auto& k = kernels().conv;
  std::vector<int64_t> offsets;
  ConvLayout l = layout_of(s, offsets);
  Pass p;
  p.rows = s.m;
  p.set_offsets(offsets, s.c, l.plane());
  dense_results(p, s.out);
  int64_t wide = conv_wide(s.m), all = p.depth * wide;
  // The batch in at most eight chunks, each with a sum of its own; added in their order.
  int64_t chunk = (s.n + 7) / 8, chunks = (s.n + chunk - 1) / chunk;
  Scratch sums(chunks * s.groups * all * size);
  memset(sums.data, 0, sums.size);
  for_each_task(chunks * s.groups, work_of(s), [&](int64_t from, int64_t to) {
    Scratch scratch(l.channels * l.plane() * size + kConvSlack);
    Scratch gt(wide * volume(s.out) * size);
    for (int64_t task = from; task < to; ++task) {
      int64_t g = task % s.groups, first = task / s.groups * chunk;
      for (int64_t n = first; n < std::min(first + chunk, s.n); ++n) {
        int64_t image = n * s.groups + g;
        k.lay_out[size == 8](scratch.data, at(x, image * s.c * volume(s.in) * size), l);
        k.weight[size == 8](at(sums.data, task * all * size), gt.data,
                            at(y, image * s.m * p.plane * size), scratch.data, p, l);
      }
    }
  });
  for (int64_t g = 0; g < s.groups; ++g) {
    T* total = static_cast<T*>(sums.data) + g * all;
    for (int64_t i = 1; i < chunks; ++i) {
      const T* more = static_cast<T*>(sums.data) + (i * s.groups + g) * all;
      for (int64_t j = 0; j < all; ++j) total[j] += more[j];
    }
    T* to = w + g * s.m * p.depth;
    for (int64_t m = 0; m < s.m; ++m)
      for (int64_t d = 0; d < p.depth; ++d) *to++ = total[d * wide + m];
  }
}

bool is_double(DType t) { return t == DType::f64; }

}  // namespace

void conv_forward(DType t, const ConvShape& s, void* y, const void* x, const void* w,
                  const void* bias) {
  if (is_double(t)) forward(s, y, x, static_cast<const double*>(w), bias);
  else forward(s, y, x, static_cast<const float*>(w), bias);
}

void conv_input(DType t, const ConvShape& s, void* x, const void* y, const void* w,
                const void* bias) {
  if (is_double(t)) input(s, x, y, static_cast<const double*>(w), bias);
  else input(s, x, y, static_cast<const float*>(w), bias);
}

void conv_weight(DType t, const ConvShape& s, void* w, const void* x, const void* y) {
  if (is_double(t)) weight(s, static_cast<double*>(w), x, y);
  else weight(s, static_cast<float*>(w), x, y);
}

}  // namespace adj
