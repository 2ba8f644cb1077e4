#include "cpu/reduce.h"

#include <cmath>
#include <cstring>
#include <type_traits>

#include "cpu/allocator.h"
#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

constexpr int64_t kGrain = 16384;      // elements per task
constexpr int64_t kRowPiece = 32768;   // longer rows are reduced in pieces
constexpr int64_t kColumnPiece = 512;  // rows of a piece of columns: at least
constexpr int64_t kWidth = 1024;       // columns per task, if there are many

struct Buffer {
  explicit Buffer(int64_t bytes)
      : size(static_cast<size_t>(bytes)), data(static_cast<char*>(allocate(size))) {}
  ~Buffer() { deallocate(data, size); }
  Buffer(const Buffer&) = delete;
  size_t size;
  char* data;
};

// How the middle dim is cut, by the shape alone.
struct Pieces {
  int64_t length, count;
};
Pieces pieces_of(int64_t outer, int64_t n, int64_t inner) {
  int64_t length = n;
  if (inner == 1) {
    if (n > 2 * kRowPiece && outer < 64) length = kRowPiece;
  } else {
    // enough pieces to share out, none below some 64k elements
    int64_t least = kColumnPiece > 65536 / inner ? kColumnPiece : 65536 / inner;
    int64_t tasks = outer * ((inner + kWidth - 1) / kWidth);
    if (n >= 2 * least && tasks < 64) length = least;
    if (n > 65536) length = length < 65536 ? length : 65536;  // keeps the tree of sums shallow
  }
  return {length, (n + length - 1) / length};
}

// Calls rows(row, rows, piece) or columns(outer index, piece, from column, columns) in parallel.
template <class F>
void over_rows(int64_t outer, const Pieces& p, const F& f) {
  int64_t grain = kGrain / (p.length + 64) + 1;
  if (p.count == 1) {
    parallel_for(outer, grain, [&](int64_t from, int64_t to) { f(from, to - from, 0); });
  } else {
    parallel_for(outer * p.count, grain, [&](int64_t from, int64_t to) {
      for (int64_t t = from; t < to; ++t) f(t / p.count, 1, t % p.count);
    });
  }
}
template <class F>
void over_columns(int64_t outer, int64_t inner, const Pieces& p, const F& f) {
  int64_t width = inner < kWidth ? inner : kWidth, blocks = (inner + width - 1) / width;
  int64_t grain = kGrain / (p.length * width + 64) + 1;
  parallel_for(outer * p.count * blocks, grain, [&](int64_t from, int64_t to) {
    for (int64_t t = from; t < to; ++t) {
      int64_t column = t % blocks * width, piece = t / blocks % p.count;
      f(t / blocks / p.count, piece, column, inner - column < width ? inner - column : width);
    }
  });
}

int64_t length_of(const Pieces& p, int64_t piece, int64_t n) {
  return n - piece * p.length < p.length ? n - piece * p.length : p.length;
}

Reduce merging(Reduce op) {
  return op == Reduce::sum_abs || op == Reduce::sum_squares || op == Reduce::count_nonzero
             ? Reduce::sum
             : op;
}

void fill_identity(Reduce op, DType t, void* out, int64_t n) {
  // a kernel given no rows to reduce writes the identity
  kernels().reduce.rows[static_cast<int>(op)][static_cast<int>(t)](out, out, n, 0, 0);
}

}  // namespace

DType reduced_dtype(Reduce op, DType t) {
  switch (op) {
    case Reduce::any:
    case Reduce::all: return DType::b8;
    case Reduce::count_nonzero: return DType::i64;
    case Reduce::sum:
    case Reduce::prod: return t <= DType::i64 ? DType::i64 : t;
    default: return t;
  }
}

void reduce(Reduce op, DType t, void* out, const void* x, int64_t outer, int64_t n, int64_t inner) {
  if (outer * inner == 0) return;
  if (is_complex(t)) {  // the sums of real and imaginary parts
    t = t == DType::c64 ? DType::f32 : DType::f64;
    inner *= 2;
  }
  if (n == 0) return fill_identity(op, t, out, outer * inner);
  auto* rows = kernels().reduce.rows[static_cast<int>(op)][static_cast<int>(t)];
  auto* columns = kernels().reduce.columns[static_cast<int>(op)][static_cast<int>(t)];
  auto size = static_cast<int64_t>(itemsize(t));
  DType out_t = reduced_dtype(op, t);
  auto out_size = static_cast<int64_t>(itemsize(out_t));
  auto* in = static_cast<const char*>(x);
  Pieces p = pieces_of(outer, n, inner);
  // partial results [outer, pieces, inner], unless there is one piece
  Buffer partial(p.count == 1 ? 1 : outer * p.count * inner * out_size);
  char* to = p.count == 1 ? static_cast<char*>(out) : partial.data;
  if (inner == 1) {
    over_rows(outer, p, [&](int64_t row, int64_t count, int64_t piece) {
      rows(to + (row * p.count + piece) * out_size, in + (row * n + piece * p.length) * size, count,
           length_of(p, piece, n), n);
    });
  } else {
    over_columns(outer, inner, p, [&](int64_t o, int64_t piece, int64_t column, int64_t width) {
      columns(to + ((o * p.count + piece) * inner + column) * out_size,
              in + ((o * n + piece * p.length) * inner + column) * size, length_of(p, piece, n),
              width, inner);
    });
  }
  if (p.count > 1) reduce(merging(op), out_t, out, partial.data, outer, p.count, inner);
}

void arg_reduce(bool smallest, DType t, void* values, int64_t* positions, const void* x,
                int64_t outer, int64_t n, int64_t inner) {
  if (outer * inner == 0) return;
  auto* rows = kernels().reduce.arg_rows[smallest][static_cast<int>(t)];
  auto* columns = kernels().reduce.arg_columns[smallest][static_cast<int>(t)];
  auto size = static_cast<int64_t>(itemsize(t));
  auto* in = static_cast<const char*>(x);
  auto* best = static_cast<char*>(values);
  if (inner > 1) {
    over_columns(outer, inner, {n, 1}, [&](int64_t o, int64_t, int64_t column, int64_t width) {
      int64_t at = o * inner + column;
      columns(best ? best + at * size : nullptr, positions + at,
              in + (o * n * inner + column) * size, n, width, inner);
    });
    return;
  }
  Pieces p = pieces_of(outer, n, 1);
  if (p.count == 1) {
    over_rows(outer, p, [&](int64_t row, int64_t count, int64_t) {
      rows(best ? best + row * size : nullptr, positions + row, in + row * n * size, count, n, n);
    });
    return;
  }
  Buffer tops(outer * p.count * size), places(outer * p.count * 8);
  auto* place = reinterpret_cast<int64_t*>(places.data);
  over_rows(outer, p, [&](int64_t row, int64_t count, int64_t piece) {
    int64_t at = row * p.count + piece;
    rows(tops.data + at * size, place + at, in + (row * n + piece * p.length) * size, count,
         length_of(p, piece, n), n);
  });
  rows(values, positions, tops.data, outer, p.count, p.count);
  for (int64_t row = 0; row < outer; ++row) {
    int64_t piece = positions[row];
    positions[row] = piece * p.length + place[row * p.count + piece];
  }
}

namespace {

template <class T>
void write_moments(const double* moments, T* variance, T* mean, int64_t count, double divisor,
                   bool root) {
  for (int64_t i = 0; i < count; ++i) {
    double v = moments[2 * i + 1] / divisor;
    if (variance) variance[i] = static_cast<T>(root ? std::sqrt(v) : v);
    if (mean) mean[i] = static_cast<T>(moments[2 * i]);
  }
}

}  // namespace

void variance(DType t, void* variance, void* mean, const void* x, int64_t outer, int64_t n,
              int64_t inner, double correction, bool root) {
  int64_t count = outer * inner;
  if (count == 0) return;
  bool is_double = t == DType::f64;
  auto size = static_cast<int64_t>(itemsize(t));
  auto* in = static_cast<const char*>(x);
  Pieces p = n == 0 ? Pieces{0, 1} : pieces_of(outer, n, inner);
  Buffer buffer(count * p.count * 16);
  auto* moments = reinterpret_cast<double*>(buffer.data);  // [outer, pieces, inner, 2]
  if (inner == 1) {
    auto* rows = kernels().reduce.moment_rows[is_double];
    over_rows(outer, p, [&](int64_t row, int64_t rows_here, int64_t piece) {
      rows(moments + (row * p.count + piece) * 2, in + (row * n + piece * p.length) * size,
           rows_here, length_of(p, piece, n), n);
    });
  } else {
    auto* columns = kernels().reduce.moment_columns[is_double];
    over_columns(outer, inner, p, [&](int64_t o, int64_t piece, int64_t column, int64_t width) {
      columns(moments + ((o * p.count + piece) * inner + column) * 2,
              in + ((o * n + piece * p.length) * inner + column) * size, length_of(p, piece, n),
              width, inner);
    });
  }
  // The first piece takes up the others (Chan et al.), then all are packed.
  if (p.count > 1) {
    for (int64_t o = 0; o < outer; ++o) {
      double* total = moments + o * p.count * inner * 2;
      for (int64_t piece = 1; piece < p.count; ++piece) {
        const double* part = total + piece * inner * 2;
        double before = double(piece * p.length), more = double(length_of(p, piece, n));
        double share = more / (before + more);
        for (int64_t j = 0; j < inner; ++j) {
          double delta = part[2 * j] - total[2 * j];
          total[2 * j + 1] += part[2 * j + 1] + delta * delta * before * share;
          total[2 * j] += delta * share;
        }
      }
      memmove(moments + o * inner * 2, total, static_cast<size_t>(inner) * 16);
    }
  }
  double divisor = double(n) - correction;
  if (divisor < 0) divisor = 0;
  if (n == 0)
    for (int64_t i = 0; i < count; ++i) moments[2 * i] = moments[2 * i + 1] = std::nan("");
  if (is_double)
    write_moments(moments, static_cast<double*>(variance), static_cast<double*>(mean), count,
                  divisor, root);
  else
    write_moments(moments, static_cast<float*>(variance), static_cast<float*>(mean), count, divisor,
                  root);
}

void logsumexp(DType t, void* out, const void* x, int64_t outer, int64_t n, int64_t inner) {
  if (outer * inner == 0) return;
  bool is_double = t == DType::f64;
  auto size = static_cast<int64_t>(itemsize(t));
  auto* in = static_cast<const char*>(x);
  auto* o = static_cast<char*>(out);
  Pieces whole{n, 1};
  if (inner == 1) {
    auto* rows = kernels().reduce.logsumexp_rows[is_double];
    over_rows(outer, whole, [&](int64_t row, int64_t count, int64_t) {
      rows(o + row * size, in + row * n * size, count, n, n);
    });
  } else {
    auto* columns = kernels().reduce.logsumexp_columns[is_double];
    over_columns(outer, inner, whole, [&](int64_t k, int64_t, int64_t column, int64_t width) {
      columns(o + (k * inner + column) * size, in + (k * n * inner + column) * size, n, width,
              inner);
    });
  }
}

}  // namespace adj
