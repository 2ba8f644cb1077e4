#include "cpu/fft.h"

#include <cmath>
#include <complex>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

constexpr int kLargestPrime = 13;

// exp(-2 pi i k / n), exact in the quarters and rounded once elsewhere.
template <class T>
std::complex<T> root(int64_t k, int64_t n) {
  k %= n;
  int64_t quarter = 4 * k / n;
  long double angle = 1.57079632679489661923132169163975144L *
                      static_cast<long double>(4 * k - quarter * n) / static_cast<long double>(n);
  auto c = static_cast<T>(std::cos(angle)), s = static_cast<T>(std::sin(angle));
  switch (quarter) {
    case 0: return {c, -s};
    case 1: return {-s, -c};
    case 2: return {-c, s};
    default: return {s, c};
  }
}

// No prime factor above 5.
bool has_small_factors(int64_t n) {
  for (int r : {2, 3, 5})
    while (n % r == 0) n /= r;
  return n == 1;
}

template <class T>
struct Plan {
  using C = std::complex<T>;
  struct Pass {
    int radix;
    int64_t m, s;
    std::vector<C> turns, roots;
  };
  int64_t n;
  std::vector<Pass> passes;
  // Bluestein: n as a convolution of a size that has small factors.
  std::shared_ptr<const Plan> longer;
  std::vector<C> chirp, spectrum;
  std::vector<C> halves;  // exp(-2 pi i k / 2n): to make a real transform of size 2n of this one

  // Room that `run` needs for each line, in complex numbers.
  int64_t room() const { return longer ? longer->n + longer->room() : n; }

  // In place on x [n, lines], forwards: several lines side by side fill the vector registers.
  void run(C* x, C* room, int64_t lines = 1) const {
    if (longer) return convolve(x, room, lines);
    FftPass kernel = kernels().fft.pass[sizeof(T) == 8];
    C *from = x, *to = room;
    for (const Pass& p : passes) {
      kernel(p.radix, p.m, p.s * lines, from, to, p.turns.data(), p.roots.data());
      std::swap(from, to);
    }
    if (from != x) std::copy(from, from + n * lines, x);
  }
  void convolve(C* x, C* room, int64_t lines) const {
    C *y = room, *more = room + longer->n * lines;
    auto times = [](C a, C b) {
      return C(a.real() * b.real() - a.imag() * b.imag(),
               a.real() * b.imag() + a.imag() * b.real());
    };
    auto each = [lines](int64_t count, const std::vector<C>& factors, const auto& f) {
      for (int64_t k = 0; k < count; ++k)
        for (int64_t i = k * lines; i < (k + 1) * lines; ++i) f(i, factors[static_cast<size_t>(k)]);
    };
    each(n, chirp, [&](int64_t i, C w) { y[i] = times(x[i], w); });
    std::fill(y + n * lines, y + longer->n * lines, C(0));
    longer->run(y, more, lines);
    // conjugated: the way back is forwards as well
    each(longer->n, spectrum, [&](int64_t i, C w) { y[i] = std::conj(times(y[i], w)); });
    longer->run(y, more, lines);
    each(n, chirp, [&](int64_t i, C w) { x[i] = times(std::conj(y[i]), w); });
  }
};

template <class T>
std::shared_ptr<const Plan<T>> plan_of(int64_t n);

template <class T>
std::shared_ptr<const Plan<T>> make_plan(int64_t n) {
  auto plan = std::make_shared<Plan<T>>();
  plan->n = n;
  std::vector<int> radices;
  int64_t rest = n;
  for (int r : {4, 2, 3, 5, 7, 11, kLargestPrime})
    for (; rest % r == 0; rest /= r) radices.push_back(r);
  for (int64_t k = 0; k <= n; ++k) plan->halves.push_back(root<T>(k, 2 * n));
  if (rest == 1) {
    int64_t left = n, s = 1;
    for (int r : radices) {
      typename Plan<T>::Pass pass{r, left / r, s, {}, {}};
      for (int64_t p = 0; p < pass.m; ++p)
        for (int j = 1; j < r; ++j) pass.turns.push_back(root<T>(j * p, left));
      for (int k = 0; r > 5 && k < r; ++k) pass.roots.push_back(root<T>(k, r));
      plan->passes.push_back(std::move(pass));
      left /= r;
      s *= r;
    }
    return plan;
  }
  int64_t size = 2 * n - 1;
  while (!has_small_factors(size)) ++size;
  plan->longer = plan_of<T>(size);
  // w^(k^2 / 2): k^2 modulo 2n, as it grows beyond what is exact
  for (int64_t k = 0, square = 0; k < n; ++k) {
    plan->chirp.push_back(root<T>(square, 2 * n));
    square = (square + 2 * k + 1) % (2 * n);
  }
  auto& b = plan->spectrum;
  b.assign(static_cast<size_t>(size), 0);
  T by = T(1) / static_cast<T>(size);
  for (int64_t k = 0; k < n; ++k) {
    auto value = std::conj(plan->chirp[static_cast<size_t>(k)]) * by;
    b[static_cast<size_t>(k)] = value;
    if (k) b[static_cast<size_t>(size - k)] = value;
  }
  std::vector<std::complex<T>> room(static_cast<size_t>(plan->longer->room()));
  plan->longer->run(b.data(), room.data());
  return plan;
}

template <class T>
std::shared_ptr<const Plan<T>> plan_of(int64_t n) {
  static std::mutex mutex;
  static std::map<int64_t, std::shared_ptr<const Plan<T>>> known;
  {
    std::lock_guard lock(mutex);
    auto found = known.find(n);
    if (found != known.end()) return found->second;
  }
  auto plan = make_plan<T>(n);
  std::lock_guard lock(mutex);
  if (known.size() > 32) known.clear();
  return known.emplace(n, std::move(plan)).first->second;
}

// Transforms rows, up to 8 of them side by side: load(row, k) is element k, store(row, z, step)
// takes the results z[k * step].
template <class T, class Load, class Store>
void over_rows(const Plan<T>& plan, int64_t rows, const Load& load, const Store& store) {
  using C = std::complex<T>;
  int64_t n = plan.n, side = n <= 8192 ? 8 : 1, groups = (rows + side - 1) / side;
  parallel_for(groups, 16384 / (n * side) + 1, [&](int64_t from, int64_t to) {
    std::vector<C> memory(static_cast<size_t>((n + plan.room()) * side));
    C* x = memory.data();
    for (int64_t group = from; group < to; ++group) {
      int64_t first = group * side, lines = rows - first < side ? rows - first : side;
      for (int64_t l = 0; l < lines; ++l)
        for (int64_t k = 0; k < n; ++k) x[k * lines + l] = load(first + l, k);
      plan.run(x, x + n * side, lines);
      for (int64_t l = 0; l < lines; ++l) store(first + l, x + l, lines);
    }
  });
}

template <class T>
void complex_rows(bool inverse, const std::complex<T>* x, std::complex<T>* y, int64_t rows,
                  int64_t n, T scale) {
  using C = std::complex<T>;
  auto plan = plan_of<T>(n);
  // The inverse with the parts exchanged is the transform with the parts exchanged.
  if (inverse)
    return over_rows(
        *plan, rows,
        [=](int64_t row, int64_t k) { return C(x[row * n + k].imag(), x[row * n + k].real()); },
        [=](int64_t row, const C* z, int64_t step) {
          for (int64_t k = 0; k < n; ++k)
            y[row * n + k] = {scale * z[k * step].imag(), scale * z[k * step].real()};
        });
  over_rows(
      *plan, rows, [=](int64_t row, int64_t k) { return x[row * n + k]; },
      [=](int64_t row, const C* z, int64_t step) {
        for (int64_t k = 0; k < n; ++k)
          y[row * n + k] = {scale * z[k * step].real(), scale * z[k * step].imag()};
      });
}

template <class T>
void real_rows(const T* x, std::complex<T>* y, int64_t rows, int64_t n, T scale) {
  using C = std::complex<T>;
  int64_t half = n / 2;
  if (n % 2)
    return over_rows(
        *plan_of<T>(n), rows, [=](int64_t row, int64_t k) { return C(x[row * n + k]); },
        [=](int64_t row, const C* z, int64_t step) {
          for (int64_t k = 0; k <= half; ++k) y[row * (half + 1) + k] = z[k * step] * scale;
        });
  // Even and odd elements as real and imaginary parts: a transform of half the size.
  auto plan = plan_of<T>(half);
  const C* halves = plan->halves.data();
  over_rows(
      *plan, rows,
      [=](int64_t row, int64_t k) { return C(x[row * n + 2 * k], x[row * n + 2 * k + 1]); },
      [=](int64_t row, const C* z, int64_t step) {
        for (int64_t k = 0; k <= half; ++k) {
          C a = z[k == half ? 0 : k * step], b = z[k == 0 ? 0 : (half - k) * step], w = halves[k];
          T er = a.real() + b.real(), ei = a.imag() - b.imag();  // twice the even elements' part
          T odd_r = a.imag() + b.imag(), odd_i = b.real() - a.real();
          T re = er + w.real() * odd_r - w.imag() * odd_i;
          T im = ei + w.real() * odd_i + w.imag() * odd_r;
          y[row * (half + 1) + k] = {re * (scale / 2), im * (scale / 2)};
        }
      });
}

template <class T>
void half_complex_rows(const std::complex<T>* x, T* y, int64_t rows, int64_t n, T scale) {
  using C = std::complex<T>;
  int64_t half = n / 2;
  if (n % 2)
    return over_rows(
        *plan_of<T>(n), rows,
        [=](int64_t row, int64_t k) {  // conjugates: the way back by a way forwards
          const C* in = x + row * (half + 1);
          return k == 0 ? C(in[0].real()) : k <= half ? std::conj(in[k]) : in[n - k];
        },
        [=](int64_t row, const C* z, int64_t step) {
          for (int64_t k = 0; k < n; ++k) y[row * n + k] = z[k * step].real() * scale;
        });
  auto plan = plan_of<T>(half);
  const C* halves = plan->halves.data();
  over_rows(
      *plan, rows,
      [=](int64_t row, int64_t k) {
        const C* in = x + row * (half + 1);
        C a = in[k], b = in[half - k], w = halves[k];
        if (k == 0) {
          a = a.real();
          b = b.real();
        }
        T er = a.real() + b.real(), ei = a.imag() - b.imag();
        T dr = a.real() - b.real(), di = a.imag() + b.imag();
        // times conj(w)
        T odd_r = dr * w.real() + di * w.imag(), odd_i = di * w.real() - dr * w.imag();
        return C(ei + odd_r, er - odd_i);  // with the parts exchanged, as above
      },
      [=](int64_t row, const C* z, int64_t step) {
        for (int64_t k = 0; k < half; ++k) {
          y[row * n + 2 * k] = z[k * step].imag() * scale;
          y[row * n + 2 * k + 1] = z[k * step].real() * scale;
        }
      });
}

}  // namespace

void fft_complex(DType t, bool inverse, const void* x, void* y, int64_t rows, int64_t n,
                 double scale) {
  if (rows * n == 0) return;
  if (t == DType::f32)
    return complex_rows(inverse, static_cast<const std::complex<float>*>(x),
                        static_cast<std::complex<float>*>(y), rows, n, static_cast<float>(scale));
  complex_rows(inverse, static_cast<const std::complex<double>*>(x),
               static_cast<std::complex<double>*>(y), rows, n, scale);
}

void fft_real(DType t, const void* x, void* y, int64_t rows, int64_t n, double scale) {
  if (rows * n == 0) return;
  if (t == DType::f32)
    return real_rows(static_cast<const float*>(x), static_cast<std::complex<float>*>(y), rows, n,
                     static_cast<float>(scale));
  real_rows(static_cast<const double*>(x), static_cast<std::complex<double>*>(y), rows, n, scale);
}

void fft_half_complex(DType t, const void* x, void* y, int64_t rows, int64_t n, double scale) {
  if (rows * n == 0) return;
  if (t == DType::f32)
    return half_complex_rows(static_cast<const std::complex<float>*>(x), static_cast<float*>(y),
                             rows, n, static_cast<float>(scale));
  half_complex_rows(static_cast<const std::complex<double>*>(x), static_cast<double*>(y), rows, n,
                    scale);
}

}  // namespace adj
