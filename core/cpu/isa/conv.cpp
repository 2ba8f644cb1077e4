// Convolution: tiles of results in registers, read from a laid out source at the taps' offsets.
#include "cpu/conv_kernels.h"

#include "cpu/isa/transpose.h"
#include "cpu/isa/vec.h"

namespace adj {
inline namespace ADJ_ISA {

namespace {

#if defined(__AVX512F__)
constexpr int kMostRows = 12, kMostVectors = 4;
#else
constexpr int kMostRows = 6, kMostVectors = 2;
#endif
template <class T>
constexpr int kColumns = 2 * kWidth<T>;

template <class T>
void lay_out(void* to, const void* from, const ConvLayout& l) {
  auto* y = static_cast<T*>(to);
  auto* plane = static_cast<const T*>(from);
  int64_t s = l.stride[2], row = l.q[2], size = l.in[2];
  for (int64_t c = 0; c < l.channels; ++c, plane += l.in[0] * l.in[1] * size)
    for (int64_t r0 = 0; r0 < l.phases[0]; ++r0)
      for (int64_t r1 = 0; r1 < l.phases[1]; ++r1)
        for (int64_t r2 = 0; r2 < l.phases[2]; ++r2) {
          // u in [low, high) lies inside of the source
          int64_t first = l.pad[2] - r2, low = first > 0 ? (first + s - 1) / s : 0;
          int64_t high = size + first > 0 ? (size + first - 1) / s + 1 : 0;
          if (low > row) low = row;
          if (high > row) high = row;
          if (high < low) high = low;
          for (int64_t u0 = 0; u0 < l.q[0]; ++u0)
            for (int64_t u1 = 0; u1 < l.q[1]; ++u1, y += row) {
              int64_t i = u0 * l.stride[0] + r0 - l.pad[0], j = u1 * l.stride[1] + r1 - l.pad[1];
              if (i < 0 || i >= l.in[0] || j < 0 || j >= l.in[1]) {
                memset(y, 0, static_cast<size_t>(row) * sizeof(T));
                continue;
              }
              const T* x = plane + (i * l.in[1] + j) * size - first;
              for (int64_t u = 0; u < low; ++u) y[u] = T(0);
              if (s == 1) memcpy(y + low, x + low, static_cast<size_t>(high - low) * sizeof(T));
              else if (s == 2)
                for (int64_t u = low; u < high; ++u) y[u] = x[2 * u];
              else
                for (int64_t u = low; u < high; ++u) y[u] = x[u * s];
              for (int64_t u = high; u < row; ++u) y[u] = T(0);
            }
        }
  memset(y, 0, kConvSlack);
}

template <class T>
void pack(void* to, const void* from, int64_t rows, int64_t depth) {
  auto* y = static_cast<T*>(to);
  auto* a = static_cast<const T*>(from);
  int64_t block = conv_block(rows, kMostRows);
  for (int64_t m = 0; m < rows; m += block) {
    int64_t count = rows - m < block ? rows - m : block;
    for (int64_t k = 0; k < depth; ++k)
#pragma GCC unroll 1
      for (int64_t i = 0; i < count; ++i) *y++ = a[(m + i) * depth + k];
  }
}

// line[R][kColumns] = bias + A times the columns from x on.
template <int R, class T>
void tile(int64_t depth, const T* a, const T* x, const int64_t* offsets, const T* bias, T* line) {
  constexpr int W = kWidth<T>;
  Vec<T> acc[R][2];
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i) acc[i][0] = acc[i][1] = splat(bias ? bias[i] : T(0));
  for (int64_t p = 0; p < depth; ++p, a += R) {
    const T* b = x + offsets[p];
    Vec<T> b0 = load(b), b1 = load(b + W);
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i) {
      Vec<T> w = splat(a[i]);
      acc[i][0] += w * b0;
      acc[i][1] += w * b1;
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i) {
    store(line + i * 2 * W, acc[i][0]);
    store(line + i * 2 * W + W, acc[i][1]);
  }
}

template <class T>
using Tile = void (*)(int64_t, const T*, const T*, const int64_t*, const T*, T*);
template <class T>
constexpr Tile<T> kTiles[] = {
    tile<1, T>, tile<2, T>, tile<3, T>, tile<4, T>,  tile<5, T>,  tile<6, T>,
#if defined(__AVX512F__)
    tile<7, T>, tile<8, T>, tile<9, T>, tile<10, T>, tile<11, T>, tile<12, T>,
#endif
};

// Columns [at, at + count) of a tile that are results, and where they go.
struct Segment {
  int64_t at, count, to;
};

// The results among columns q, ..., q + n - 1 of the layout.
inline int segments_of(Segment* segments, int64_t q, int64_t n, const ConvPass& p,
                       const ConvLayout& l) {
  int found = 0;
  for (int64_t at = 0; at < n;) {
    int64_t line = (q + at) / l.q[2], t2 = (q + at) % l.q[2];
    int64_t t0 = line / l.q[1], t1 = line % l.q[1];
    int64_t rest = l.q[2] - t2, count = p.out[2] - t2;
    if (rest > n - at) rest = n - at;
    if (count > rest) count = rest;
    if (t0 < p.out[0] && t1 < p.out[1] && count > 0) {
      int64_t to = p.start + t0 * p.step[0] + t1 * p.step[1] + t2 * p.step[2];
      Segment* last = found ? &segments[found - 1] : nullptr;
      if (last && p.step[2] == 1 && last->at + last->count == at && last->to + last->count == to)
        last->count += count;
      else segments[found++] = {at, count, to};
    }
    at += rest;
  }
  return found;
}

template <class T>
void pass(void* to, const void* biases, const void* layout, const ConvPass& p, const ConvLayout& l,
          int64_t from, int64_t end) {
  constexpr int64_t N = kColumns<T>, W = kWidth<T>;
  auto* y = static_cast<T*>(to);
  auto *bias = static_cast<const T*>(biases), *x = static_cast<const T*>(layout);
  alignas(64) T lines[(kMostRows + 1) * N];
  memset(lines + kMostRows * N, 0, N * sizeof(T));
  int64_t block = conv_block(p.rows, kMostRows);
  // Results fill whole planes, in order: a wide store may then run into what comes later.
  bool dense = p.start == 0 && p.step[2] == 1 && p.step[1] == p.out[2] &&
               p.step[0] == p.out[1] * p.out[2] && p.plane == p.out[0] * p.step[0];
  int64_t last = ((p.out[0] - 1) * l.q[1] + p.out[1] - 1) * l.q[2] + p.out[2];
  for (int64_t q = 0; q < last; q += N) {
    Segment segments[N];
    int count = segments_of(segments, q, last - q < N ? last - q : N, p, l);
    if (!count) continue;
    for (int64_t m = from; m < end; m += block) {
      int64_t rows = end - m < block ? end - m : block;
      kTiles<T>[rows - 1](p.depth, static_cast<const T*>(p.a) + m* p.depth, x + q, p.offsets,
                          bias ? bias + m : nullptr, lines);
      for (int64_t i = 0; i < rows; ++i) {
        const T* line = lines + i * N;
        T* plane = y + (m + i) * p.plane;
        for (int s = 0; s < count; ++s) {
          const Segment& g = segments[s];
          const T* v = line + g.at;
          T* o = plane + g.to;
          if (p.step[2] != 1) {
            for (int64_t j = 0; j < g.count; ++j) o[j * p.step[2]] = v[j];
          } else if (dense && g.to + N <= p.plane) {
            // what is too much is overwritten by later columns
            store(o, load(v));
            if (g.count > W) store(o + W, load(v + W));
          } else {
#pragma GCC unroll 1
            for (int64_t j = 0; j < g.count; ++j) o[j] = v[j];
          }
        }
      }
    }
  }
}

// dw[R rows from row 0 on, V vectors] += the sum over the positions.
template <int R, int V, class T>
void weight_tile(T* dw, int64_t wide, const T* gt, const T* x, const int64_t* offsets,
                 const ConvPass& p, const ConvLayout& l) {
  constexpr int W = kWidth<T>;
  Vec<T> acc[R][V];
#pragma GCC unroll 6
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[i][v] = splat(T(0));
  for (int64_t t0 = 0; t0 < p.out[0]; ++t0)
    for (int64_t t1 = 0; t1 < p.out[1]; ++t1) {
      const T* line = x + (t0 * l.q[1] + t1) * l.q[2];
      const T* rows[R];
#pragma GCC unroll 6
      for (int i = 0; i < R; ++i) rows[i] = line + offsets[i];
      for (int64_t t2 = 0; t2 < p.out[2]; ++t2, gt += wide) {
        Vec<T> b[V];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) b[v] = load(gt + v * W);
#pragma GCC unroll 6
        for (int i = 0; i < R; ++i) {
          Vec<T> a = splat(rows[i][t2]);
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) acc[i][v] += a * b[v];
        }
      }
    }
#pragma GCC unroll 6
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      T* o = dw + i * wide + v * W;
      store(o, load(o) + acc[i][v]);
    }
}

template <int V, class T>
void weight_rows(T* dw, int64_t wide, const T* gt, const T* x, const ConvPass& p,
                 const ConvLayout& l) {
  int64_t k = 0;
  for (; k + 6 <= p.depth; k += 6)
    weight_tile<6, V>(dw + k * wide, wide, gt, x, p.offsets + k, p, l);
  for (; k + 3 <= p.depth; k += 3)
    weight_tile<3, V>(dw + k * wide, wide, gt, x, p.offsets + k, p, l);
  for (; k < p.depth; ++k) weight_tile<1, V>(dw + k * wide, wide, gt, x, p.offsets + k, p, l);
}

// For few channels: sums along the positions.
template <class T>
void weight_dots(T* dw, int64_t wide, const T* g, const T* x, const ConvPass& p,
                 const ConvLayout& l) {
  for (int64_t m = 0; m < p.rows; ++m)
    for (int64_t k = 0; k < p.depth; ++k) {
      Vec<T> sums = splat(T(0));
      T rest = 0;
      const T* a = g + m * p.plane;
      for (int64_t t0 = 0; t0 < p.out[0]; ++t0)
        for (int64_t t1 = 0; t1 < p.out[1]; ++t1, a += p.out[2]) {
          const T* b = x + p.offsets[k] + (t0 * l.q[1] + t1) * l.q[2];
          int64_t i = 0;
          for (; i + kWidth<T> <= p.out[2]; i += kWidth<T>) sums += load(a + i) * load(b + i);
          for (; i < p.out[2]; ++i) rest += a[i] * b[i];
        }
      for (int i = 0; i < kWidth<T>; ++i) rest += sums[i];
      dw[k * wide + m] += rest;
    }
}

template <class T>
void weight(void* dws, void* gts, const void* gs, const void* layout, const ConvPass& p,
            const ConvLayout& l) {
  constexpr int64_t size = sizeof(T), W = kWidth<T>;
  auto *dw = static_cast<T*>(dws), *gt = static_cast<T*>(gts);
  auto* x = static_cast<const T*>(layout);
  int64_t wide = conv_wide(p.rows), positions = p.out[0] * p.out[1] * p.out[2];
  if (p.rows < 4) return weight_dots(dw, wide, static_cast<const T*>(gs), x, p, l);
  if (wide != p.rows)
    for (int64_t t = 0; t < positions; ++t)
      for (int64_t m = p.rows; m < wide; ++m) gt[t * wide + m] = T(0);
  transpose<sizeof(T)>(gt, wide * size, gs, p.plane * size, p.rows, positions);
  int64_t m = 0;
  for (; m + kMostVectors * W <= wide; m += kMostVectors * W)
    weight_rows<kMostVectors>(dw + m, wide, gt + m, x, p, l);
  for (; m + 2 * W <= wide; m += 2 * W) weight_rows<2>(dw + m, wide, gt + m, x, p, l);
  for (; m < wide; m += W) weight_rows<1>(dw + m, wide, gt + m, x, p, l);
}

}  // namespace

void fill(ConvKernels& k) {
  k.block_rows = kMostRows;
  k.lay_out[0] = lay_out<float>;
  k.lay_out[1] = lay_out<double>;
  k.pack[0] = pack<float>;
  k.pack[1] = pack<double>;
  k.pass[0] = pass<float>;
  k.pass[1] = pass<double>;
  k.weight[0] = weight<float>;
  k.weight[1] = weight<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
