#include "cpu/random.h"

#include <utility>

#include "cpu/cast.h"
#include "cpu/isa.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"

namespace adj {

namespace {

constexpr int64_t kGrain = 16384;  // a multiple of a tile

// f(out at an element, count, tile) in parallel; `per_tile` elements to a tile.
template <class F>
void by_tiles(DType t, void* out, int64_t n, int64_t per_tile, RandomState& state, const F& f) {
  auto size = static_cast<int64_t>(itemsize(t));
  uint64_t start = state.position;
  parallel_for(n, kGrain, [&](int64_t from, int64_t to) {
    f(static_cast<char*>(out) + from * size, to - from,
      start + static_cast<uint64_t>(from / per_tile));
  });
  state.position += static_cast<uint64_t>((n + per_tile - 1) / per_tile);
}

// The upper half of the product: a number in [0, range) whose bias is below range / 2^64.
uint64_t scaled(uint64_t word, uint64_t range) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(word) * range >> 64);
}

}  // namespace

void random_uniform(DType t, void* out, int64_t n, RandomState& state, double low, double high) {
  bool is_double = t == DType::f64;
  by_tiles(t, out, n, is_double ? 32 : 64, state, [&](void* o, int64_t count, uint64_t at) {
    kernels().random.uniform[is_double](o, count, state.seed, at, low, high);
  });
}

void random_normal(DType t, void* out, int64_t n, RandomState& state, double mean,
                   double deviation) {
  bool is_double = t == DType::f64;
  by_tiles(t, out, n, is_double ? 32 : 64, state, [&](void* o, int64_t count, uint64_t at) {
    kernels().random.normal[is_double](o, count, state.seed, at, mean, deviation);
  });
}

void random_bernoulli(DType t, void* out, int64_t n, RandomState& state, double p, double one) {
  int kind = t == DType::f64 ? 2 : t == DType::f32 ? 1 : 0;
  by_tiles(t, out, n, 64, state, [&](void* o, int64_t count, uint64_t at) {
    kernels().random.bernoulli[kind](o, count, state.seed, at, p, one);
  });
}

void random_integers(DType t, void* out, int64_t n, RandomState& state, int64_t low, int64_t high) {
  uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  auto size = static_cast<int64_t>(itemsize(t));
  by_tiles(t, out, n, 32, state, [&](void* o, int64_t count, uint64_t at) {
    uint32_t words[64];
    int64_t values[32];
    for (int64_t i = 0; i < count; i += 32, ++at) {
      kernels().random.words(words, 1, state.seed, at);
      int64_t m = count - i < 32 ? count - i : 32;
      for (int64_t k = 0; k < m; ++k) {
        uint64_t word = uint64_t(words[2 * k]) << 32 | words[2 * k + 1];
        values[k] = static_cast<int64_t>(static_cast<uint64_t>(low) + scaled(word, range));
      }
      convert_run(static_cast<char*>(o) + i * size, t, values, DType::i64, m);
    }
  });
}

// Fisher and Yates.
void random_permutation(int64_t* out, int64_t n, RandomState& state) {
  for (int64_t i = 0; i < n; ++i) out[i] = i;
  uint32_t words[64];
  int used = 64;
  for (int64_t i = n - 1; i > 0; --i) {
    if (used == 64) {
      kernels().random.words(words, 1, state.seed, state.position++);
      used = 0;
    }
    uint64_t word = uint64_t(words[used]) << 32 | words[used + 1];
    used += 2;
    std::swap(out[i], out[scaled(word, static_cast<uint64_t>(i) + 1)]);
  }
}

uint64_t random_word(RandomState& state) {
  uint32_t words[64];
  kernels().random.words(words, 1, state.seed, state.position++);
  return uint64_t(words[0]) << 32 | words[1];
}

}  // namespace adj
