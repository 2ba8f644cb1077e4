// Butterflies. Multiplications by twiddle factors follow the small transform (decimation in
// frequency).
#include "cpu/fft_kernels.h"
#include "scalar/math.h"

namespace adj {
inline namespace ADJ_ISA {

void fill(FftKernels&);

namespace {

template <class T>
struct C {
  T re, im;
  friend C operator+(C a, C b) { return {a.re + b.re, a.im + b.im}; }
  friend C operator-(C a, C b) { return {a.re - b.re, a.im - b.im}; }
  friend C operator*(C a, C b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
  friend C operator*(T a, C b) { return {a * b.re, a * b.im}; }
  C minus_i() const { return {im, -re}; }
};

template <class T>
void transform(C<T> (&a)[2]) {
  C<T> b = a[0] - a[1];
  a[0] = a[0] + a[1];
  a[1] = b;
}
template <class T>
void transform(C<T> (&a)[3]) {
  C<T> sum = a[1] + a[2], middle = a[0] - T(0.5) * sum;
  C<T> turn = T(0.866025403784438646763723170752936183) * (a[1] - a[2]).minus_i();
  a[0] = a[0] + sum;
  a[1] = middle + turn;
  a[2] = middle - turn;
}
template <class T>
void transform(C<T> (&a)[4]) {
  C<T> s = a[0] + a[2], d = a[0] - a[2], t = a[1] + a[3], u = (a[1] - a[3]).minus_i();
  a[0] = s + t;
  a[1] = d + u;
  a[2] = s - t;
  a[3] = d - u;
}
template <class T>
void transform(C<T> (&a)[5]) {
  constexpr T c1 = T(0.309016994374947424102293417182819059),
              c2 = T(-0.809016994374947424102293417182819059);
  constexpr T s1 = T(0.951056516295153572116439333379382143),
              s2 = T(0.587785252292473129168705954639072769);
  C<T> p1 = a[1] + a[4], m1 = (a[1] - a[4]).minus_i(), p2 = a[2] + a[3],
       m2 = (a[2] - a[3]).minus_i();
  C<T> r1 = a[0] + c1 * p1 + c2 * p2, r2 = a[0] + c2 * p1 + c1 * p2;
  C<T> t1 = s1 * m1 + s2 * m2, t2 = s2 * m1 - s1 * m2;
  a[0] = a[0] + p1 + p2;
  a[1] = r1 + t1;
  a[4] = r1 - t1;
  a[2] = r2 + t2;
  a[3] = r2 - t2;
}

template <int R, class T>
void pass(int64_t m, int64_t s, const C<T>* x, C<T>* y, const C<T>* w) {
  auto butterfly = [](const C<T>* in, C<T>* out, int64_t from, int64_t to, const C<T>* turns) {
    C<T> a[R];
    for (int k = 0; k < R; ++k) a[k] = in[k * from];
    transform(a);
    out[0] = a[0];
    for (int j = 1; j < R; ++j) out[j * to] = a[j] * turns[j - 1];
  };
  if (s == 1) {
    for (int64_t p = 0; p < m; ++p) butterfly(x + p, y + p * R, m, 1, w + p * (R - 1));
    return;
  }
  for (int64_t p = 0; p < m; ++p) {
    C<T> turns[R - 1];
    for (int j = 0; j < R - 1; ++j) turns[j] = w[p * (R - 1) + j];
    const C<T>* in = x + p * s;
    C<T>* out = y + p * R * s;
#pragma GCC ivdep
    for (int64_t q = 0; q < s; ++q) butterfly(in + q, out + q, m * s, s, turns);
  }
}

template <class T>
void pass_of_prime(int r, int64_t m, int64_t s, const C<T>* x, C<T>* y, const C<T>* w,
                   const C<T>* roots) {
  for (int64_t p = 0; p < m; ++p)
    for (int j = 0; j < r; ++j) {
      C<T>* out = y + (p * r + j) * s;
      C<T> turn = j ? w[p * (r - 1) + j - 1] : C<T>{1, 0};
      for (int64_t q = 0; q < s; ++q) {
        C<T> sum = x[p * s + q];
        for (int k = 1; k < r; ++k) sum = sum + x[(k * m + p) * s + q] * roots[j * k % r];
        out[q] = sum * turn;
      }
    }
}

template <class T>
void any_pass(int radix, int64_t m, int64_t s, const void* from, void* to, const void* turns,
              const void* roots) {
  auto* x = static_cast<const C<T>*>(from);
  auto* y = static_cast<C<T>*>(to);
  auto* w = static_cast<const C<T>*>(turns);
  switch (radix) {
    case 2: return pass<2, T>(m, s, x, y, w);
    case 3: return pass<3, T>(m, s, x, y, w);
    case 4: return pass<4, T>(m, s, x, y, w);
    case 5: return pass<5, T>(m, s, x, y, w);
    default: return pass_of_prime<T>(radix, m, s, x, y, w, static_cast<const C<T>*>(roots));
  }
}

}  // namespace

void fill(FftKernels& k) {
  k.pass[0] = any_pass<float>;
  k.pass[1] = any_pass<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
