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

void fill(OptimKernels& k) {
  k.sgd[0] = sgd<float>, k.sgd[1] = sgd<double>;
  k.adam[0] = adam<float>, k.adam[1] = adam<double>;
  k.rmsprop[0] = rmsprop<float>, k.rmsprop[1] = rmsprop<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
