#include "cpu/optim_kernels.h"

#include <cmath>

namespace adj {
inline namespace ADJ_ISA {

// f<true>() or f<false>(): a choice made outside of a loop.
template <class F>
void choose(bool a, const F& f) {
  if (a) f.template operator()<true>();
  else f.template operator()<false>();
}

// The gradient, with its sign and the decay of the parameter added.
template <bool Decay, class T>
inline T gradient(T g, T p, T sign, T decay) {
  if constexpr (Decay) return sign * g + decay * p;
  else return sign * g;
}

template <class T>
void sgd(void* p_, const void* g_, void* const* state, int64_t n, const SgdStep& s) {
  T* __restrict p = static_cast<T*>(p_);
  const T* __restrict g = static_cast<const T*>(g_);
  T* __restrict b = static_cast<T*>(state[0]);
  const T lr = T(s.lr), momentum = T(s.momentum), keep = T(s.keep), decay = T(s.decay),
          sign = T(s.sign);
  choose(s.decay != 0, [&]<bool Decay>() {
    if (!s.buffer) {
      for (int64_t i = 0; i < n; ++i) p[i] -= lr * gradient<Decay>(g[i], p[i], sign, decay);
      return;
    }
    choose(s.nesterov, [&]<bool Nesterov>() {
      choose(s.first, [&]<bool First>() {
        for (int64_t i = 0; i < n; ++i) {
          T d = gradient<Decay>(g[i], p[i], sign, decay);
          T v = First ? d : momentum * b[i] + keep * d;
          b[i] = v;
          p[i] -= lr * (Nesterov ? d + momentum * v : v);
        }
      });
    });
  });
}

template <class T>
void adam(void* p_, const void* g_, void* const* state, int64_t n, const AdamStep& s) {
  T* __restrict p = static_cast<T*>(p_);
  const T* __restrict g = static_cast<const T*>(g_);
  T* __restrict m = static_cast<T*>(state[0]);
  T* __restrict v = static_cast<T*>(state[1]);
  T* __restrict most = static_cast<T*>(state[2]);
  const T shrink = T(s.shrink), rate1 = T(1 - s.beta1), beta2 = T(s.beta2), rate2 = T(1 - s.beta2),
          eps = T(s.eps), decay = T(s.decay), sign = T(s.sign), size = T(s.step_size),
          scale = T(s.root_scale);
  choose(s.decay != 0, [&]<bool Decay>() {
    choose(s.amsgrad, [&]<bool Amsgrad>() {
      for (int64_t i = 0; i < n; ++i) {
        T d = gradient<Decay>(g[i], p[i], sign, decay);
        T first = m[i] + rate1 * (d - m[i]);
        T second = beta2 * v[i] + rate2 * d * d;
        m[i] = first;
        v[i] = second;
        if constexpr (Amsgrad) most[i] = second = second < most[i] ? most[i] : second;
        p[i] = p[i] * shrink - size * (first / (std::sqrt(second) * scale + eps));
      }
    });
  });
}

template <class T>
void rmsprop(void* p_, const void* g_, void* const* state, int64_t n, const RmspropStep& s) {
  T* __restrict p = static_cast<T*>(p_);
  const T* __restrict g = static_cast<const T*>(g_);
  T* __restrict v = static_cast<T*>(state[0]);
  T* __restrict a = static_cast<T*>(state[1]);
  T* __restrict b = static_cast<T*>(state[2]);
  const T lr = T(s.lr), alpha = T(s.alpha), rate = T(1 - s.alpha), eps = T(s.eps),
          decay = T(s.decay), momentum = T(s.momentum), sign = T(s.sign);
  choose(s.decay != 0, [&]<bool Decay>() {
    choose(s.centered, [&]<bool Centered>() {
      choose(s.buffer, [&]<bool Buffer>() {
        for (int64_t i = 0; i < n; ++i) {
          T d = gradient<Decay>(g[i], p[i], sign, decay);
          T second = alpha * v[i] + rate * d * d;
          v[i] = second;
          if constexpr (Centered) {
            T mean = a[i] + rate * (d - a[i]);
            a[i] = mean;
            second -= mean * mean;
          }
          T update = d / (std::sqrt(second) + eps);
          if constexpr (Buffer) b[i] = update = momentum * b[i] + update;
          p[i] -= lr * update;
        }
      });
    });
  });
}

// The rules: a new p from p, the gradient d, the buffers s (which they change) and numbers c.
struct Adadelta {  // s: square_avg, acc_delta; c: lr, rho, 1 - rho, eps
  static constexpr int states = 2;
  template <class T>
  static T step(T p, T d, T* s, const T* c) {
    s[0] = c[1] * s[0] + c[2] * d * d;
    T delta = std::sqrt(s[1] + c[3]) / std::sqrt(s[0] + c[3]) * d;
    s[1] = c[1] * s[1] + c[2] * delta * delta;
    return p - c[0] * delta;
  }
};
struct Adagrad {  // s: sum; c: rate, eps
  static constexpr int states = 1;
  template <class T>
  static T step(T p, T d, T* s, const T* c) {
    s[0] += d * d;
    return p - c[0] * (d / (std::sqrt(s[0]) + c[1]));
  }
};
struct Adamax {  // s: exp_avg, exp_inf; c: rate, 1 - beta1, beta2, eps
  static constexpr int states = 2;
  template <class T>
  static T step(T p, T d, T* s, const T* c) {
    s[0] += c[1] * (d - s[0]);
    T old = c[2] * s[1], now = std::abs(d) + c[3];
    s[1] = now < old ? old : now;
    return p - c[0] * (s[0] / s[1]);
  }
};
struct Asgd {  // s: ax; c: eta, mu
  static constexpr int states = 1;
  template <class T>
  static T step(T p, T d, T* s, const T* c) {
    T next = p - c[0] * d;
    s[0] = c[1] == 1 ? next : s[0] + c[1] * (next - s[0]);
    return next;
  }
};
struct Nadam {  // s: exp_avg, exp_avg_sq; c: rates of d and of exp_avg, 1 - beta1, beta2, eps,
                // scale
  static constexpr int states = 2;
  template <class T>
  static T step(T p, T d, T* s, const T* c) {
    s[0] += c[2] * (d - s[0]);
    s[1] = c[3] * s[1] + (1 - c[3]) * d * d;
    return p - (c[0] * d + c[1] * s[0]) / (std::sqrt(s[1]) * c[5] + c[4]);
  }
};
struct Radam {  // s: exp_avg, exp_avg_sq; c: adaptive rate, plain rate, 1 - beta1, beta2, eps
  static constexpr int states = 2;
  template <class T>
  static T step(T p, T d, T* s, const T* c) {
    s[0] += c[2] * (d - s[0]);
    s[1] = c[3] * s[1] + (1 - c[3]) * d * d;
    T adaptive = c[0] / (std::sqrt(s[1]) + c[4]);
    return p - s[0] * (c[1] != 0 ? c[1] : adaptive);
  }
};
struct Rprop {  // s: prev, step_size; c: eta-, eta+, smallest and largest size
  static constexpr int states = 2;
  template <class T>
  static T step(T p, T d, T* s, const T* c) {
    T turn = d * s[0];
    T size = s[1] * (turn > 0 ? c[1] : turn < 0 ? c[0] : T(1));
    size = size < c[2] ? c[2] : size;
    s[1] = size = size > c[3] ? c[3] : size;
    s[0] = d = turn < 0 ? T(0) : d;
    return p - size * (d > 0 ? T(1) : d < 0 ? T(-1) : T(0));
  }
};

template <class Rule, class T>
void apply(void* p_, const void* g_, void* const* state, int64_t n, const RuleStep& step) {
  T* __restrict p = static_cast<T*>(p_);
  const T* __restrict g = static_cast<const T*>(g_);
  T* __restrict a = static_cast<T*>(state[0]);
  T* __restrict b = static_cast<T*>(state[1]);
  const T decay = T(step.decay), sign = T(step.sign), shrink = T(step.shrink);
  T c[6];
  for (int k = 0; k < 6; ++k) c[k] = T(step.c[k]);
  for (int64_t i = 0; i < n; ++i) {
    T d = gradient<true>(g[i], p[i], sign, decay);
    T s[2] = {a[i], T(0)};
    if constexpr (Rule::states > 1) s[1] = b[i];
    p[i] = Rule::step(p[i] * shrink, d, s, c);
    a[i] = s[0];
    if constexpr (Rule::states > 1) b[i] = s[1];
  }
}

template <class... Rules>
void fill_rules(OptimKernels& k) {
  int i = 0;
  ((k.rule[i][0] = apply<Rules, float>, k.rule[i++][1] = apply<Rules, double>), ...);
}

void fill(OptimKernels& k) {
  fill_rules<Adadelta, Adagrad, Adamax, Asgd, Nadam, Radam, Rprop>(k);
  k.sgd[0] = sgd<float>, k.sgd[1] = sgd<double>;
  k.adam[0] = adam<float>, k.adam[1] = adam<double>;
  k.rmsprop[0] = rmsprop<float>, k.rmsprop[1] = rmsprop<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
