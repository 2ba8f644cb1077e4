#include "cpu/random_kernels.h"

#include <cstring>

#include "cpu/isa/vec.h"
#include "scalar/math.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace adj {
inline namespace ADJ_ISA {

constexpr int kCounters = 16, kWords = 64;
constexpr int64_t kBatch = 8;  // tiles of normal numbers at a time

// The low 32 bits of 64-bit lanes multiplied: one instruction, which compilers do not find.
#if defined(__AVX512F__)
inline Vec<uint64_t> multiply_low(Vec<uint64_t> a, Vec<uint64_t> b) {
  return reinterpret_cast<Vec<uint64_t>>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
}
#elif defined(__AVX2__)
inline Vec<uint64_t> multiply_low(Vec<uint64_t> a, Vec<uint64_t> b) {
  return reinterpret_cast<Vec<uint64_t>>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
}
#elif defined(__SSE2__)
inline Vec<uint64_t> multiply_low(Vec<uint64_t> a, Vec<uint64_t> b) {
  return reinterpret_cast<Vec<uint64_t>>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
}
#else
inline Vec<uint64_t> multiply_low(Vec<uint64_t> a, Vec<uint64_t> b) {
  Vec<uint64_t> low = splat(uint64_t(0xffffffff));
  return (a & low) * (b & low);
}
#endif

// words[16 w + i] is word w of counter i. Each word has a lane of 64 bits, whose upper half is
// noise.
void philox_tile(uint32_t* __restrict words, uint64_t seed, uint64_t tile) {
  using V = Vec<uint64_t>;
  constexpr int W = kWidth<uint64_t>, K = kCounters / W;
  alignas(64) static const uint64_t index[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  const V m0 = splat(uint64_t(0xD2511F53)), m1 = splat(uint64_t(0xCD9E8D57));
  uint64_t counter = tile * kCounters;
  for (int k = 0; k < K; k += 2) {  // two vectors at a time hide the latency of the products
    V a[2], b[2], c[2], d[2];
    for (int j = 0; j < 2; ++j) {
      a[j] = splat(counter + static_cast<uint64_t>((k + j) * W)) + load(index);
      b[j] = a[j] >> 32;
      c[j] = d[j] = splat(uint64_t(0));
    }
    auto k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      V x0 = splat(uint64_t(k0)), x1 = splat(uint64_t(k1));
      for (int j = 0; j < 2; ++j) {
        V p = multiply_low(a[j], m0), q = multiply_low(c[j], m1);
        a[j] = (q >> 32) ^ b[j] ^ x0;
        b[j] = q;
        c[j] = (p >> 32) ^ d[j] ^ x1;
        d[j] = p;
      }
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    alignas(64) uint64_t lanes[4][2 * W];
    for (int j = 0; j < 2; ++j) {
      store(lanes[0] + j * W, a[j]);
      store(lanes[1] + j * W, b[j]);
      store(lanes[2] + j * W, c[j]);
      store(lanes[3] + j * W, d[j]);
    }
    for (int w = 0; w < 4; ++w)
      for (int i = 0; i < 2 * W; ++i)
        words[w * kCounters + k * W + i] = static_cast<uint32_t>(lanes[w][i]);
  }
}

void words(uint32_t* out, int64_t tiles, uint64_t seed, uint64_t at) {
  for (int64_t t = 0; t < tiles; ++t)
    philox_tile(out + t * kWords, seed, at + static_cast<uint64_t>(t));
}

// Calls make(values, words) for each tile, which makes `count` values, and copies what is wanted.
template <int count, class T, class Make>
void by_tiles(T* out, int64_t n, uint64_t seed, uint64_t at, Make make) {
  alignas(64) uint32_t w[kWords];
  alignas(64) T values[count];
  for (int64_t i = 0; i < n; i += count, ++at) {
    philox_tile(w, seed, at);
    if (n - i >= count) {
      make(out + i, w);
    } else {
      make(values, w);
      memcpy(out + i, values, static_cast<size_t>(n - i) * sizeof(T));
    }
  }
}

// 53 bits of two words, in [0, 1).
inline double unit(uint32_t high, uint32_t low) {
  uint64_t bits = (uint64_t(high) << 32 | low) >> 11;
  return static_cast<double>(static_cast<int64_t>(bits)) * 0x1p-53;
}

void uniform32(void* out, int64_t n, uint64_t seed, uint64_t at, double low, double high) {
  auto from = static_cast<float>(low), range = static_cast<float>(high - low);
  by_tiles<64>(static_cast<float*>(out), n, seed, at, [=](float* o, const uint32_t* w) {
    for (int i = 0; i < 64; ++i)
      o[i] = from + range * (static_cast<float>(static_cast<int32_t>(w[i] >> 8)) * 0x1p-24f);
  });
}
void uniform64(void* out, int64_t n, uint64_t seed, uint64_t at, double low, double high) {
  double range = high - low;
  by_tiles<32>(static_cast<double*>(out), n, seed, at, [=](double* o, const uint32_t* w) {
    for (int i = 0; i < 16; ++i) o[i] = low + range * unit(w[i], w[16 + i]);
    for (int i = 0; i < 16; ++i) o[16 + i] = low + range * unit(w[32 + i], w[48 + i]);
  });
}

// Box and Muller: two uniform numbers make two normal ones. Those of sixteen u, in (0, 1], and v
// lie side by side in `o`, cosines first. The length is a variable to the compiler, or it would
// unroll the loops and call scalar functions.
template <class T>
[[gnu::noinline]] void box_muller(T* __restrict o, T* __restrict u, T* __restrict v, int64_t n,
                                  T mean, T deviation) {
  for (int64_t i = 0; i < n; ++i) u[i] = deviation * sqrt(T(-2) * log(u[i]));
  for (int64_t i = 0; i < n; ++i) v[i] *= T(2 * kPi);
  // one loop each: together they would become one function that does not vectorise
  alignas(64) T sine[kBatch * 32];
  for (int64_t i = 0; i < n; ++i) sine[i] = sin(v[i]);
  for (int64_t i = 0; i < n; ++i) v[i] = cos(v[i]);
  for (int64_t i = 0; i < n; i += 16)
    for (int64_t j = 0; j < 16; ++j) {
      o[2 * i + j] = mean + u[i + j] * v[i + j];
      o[2 * i + 16 + j] = mean + u[i + j] * sine[i + j];
    }
}

// `pairs`: u and v of a tile, 32 or 16 of each.
template <int per_tile, class T, class Pairs>
void normal(T* out, int64_t n, uint64_t seed, uint64_t at, T mean, T deviation, Pairs pairs) {
  constexpr int64_t kPairs = per_tile / 2;
  alignas(64) T u[kBatch * kPairs], v[kBatch * kPairs], values[kBatch * per_tile];
  alignas(64) uint32_t w[kWords];
  for (int64_t i = 0; i < n; i += kBatch * per_tile) {
    int64_t count = n - i < kBatch * per_tile ? n - i : kBatch * per_tile;
    int64_t tiles = (count + per_tile - 1) / per_tile;
    for (int64_t t = 0; t < tiles; ++t) {
      philox_tile(w, seed, at++);
      pairs(u + t * kPairs, v + t * kPairs, w);
    }
    bool whole = count == tiles * per_tile;
    box_muller(whole ? out + i : values, u, v, tiles * kPairs, mean, deviation);
    if (!whole) memcpy(out + i, values, static_cast<size_t>(count) * sizeof(T));
  }
}

void normal32(void* out, int64_t n, uint64_t seed, uint64_t at, double mean, double deviation) {
  normal<64>(static_cast<float*>(out), n, seed, at, static_cast<float>(mean),
             static_cast<float>(deviation), [](float* u, float* v, const uint32_t* w) {
               for (int i = 0; i < 32; ++i) {
                 int k = i + (i & 16);  // words 0 and 2 of the counters, then 1 and 3
                 // all 32 bits reach further into the tails; at least 2^-33
                 auto x = static_cast<int32_t>(w[k] ^ 0x80000000u);
                 u[i] = (static_cast<float>(x) + 0x1p31f) * 0x1p-32f + 0x1p-33f;
                 v[i] = static_cast<float>(static_cast<int32_t>(w[k + 16] >> 8)) * 0x1p-24f;
               }
             });
}
void normal64(void* out, int64_t n, uint64_t seed, uint64_t at, double mean, double deviation) {
  normal<32>(static_cast<double*>(out), n, seed, at, mean, deviation,
             [](double* u, double* v, const uint32_t* w) {
               for (int i = 0; i < 16; ++i) {
                 u[i] = 1 - unit(w[i], w[16 + i]);
                 v[i] = unit(w[32 + i], w[48 + i]);
               }
             });
}

template <class T>
void bernoulli(void* out, int64_t n, uint64_t seed, uint64_t at, double p, double one) {
  // word < threshold, as 32-bit integers; p = 1 is all ones
  auto threshold = static_cast<uint32_t>(p >= 1 ? 0xffffffffu : p * 0x1p32);
  bool always = p >= 1;
  auto value = static_cast<T>(one);
  by_tiles<64>(static_cast<T*>(out), n, seed, at, [=](T* o, const uint32_t* w) {
    for (int i = 0; i < 64; ++i) o[i] = (w[i] < threshold) | always ? value : T(0);
  });
}

void fill(RandomKernels& k) {
  k.words = words;
  k.uniform[0] = uniform32;
  k.uniform[1] = uniform64;
  k.normal[0] = normal32;
  k.normal[1] = normal64;
  k.bernoulli[0] = bernoulli<uint8_t>;
  k.bernoulli[1] = bernoulli<float>;
  k.bernoulli[2] = bernoulli<double>;
}

}  // namespace ADJ_ISA
}  // namespace adj
