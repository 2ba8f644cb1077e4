// Random numbers per instruction-set level: Philox 4x32-10 (Salmon et al., 2011), sixteen counters
// at a time. A tile is the 64 words of 32 bits that come of them.
#pragma once
#include <cstdint>

namespace adj {

struct RandomKernels {
  // The words of `tiles` tiles from the tile `at` on, sixteen by sixteen.
  void (*words)(uint32_t* out, int64_t tiles, uint64_t seed, uint64_t at);
  // n numbers from the tile `at` on; 64 to a tile in float32, 32 in float64. [double]
  void (*uniform[2])(void* out, int64_t n, uint64_t seed, uint64_t at, double low, double high);
  void (*normal[2])(void* out, int64_t n, uint64_t seed, uint64_t at, double mean,
                    double deviation);
  // n values, 64 to a tile: `one` with probability p, else 0; as bool, float32, float64.
  void (*bernoulli[3])(void* out, int64_t n, uint64_t seed, uint64_t at, double p, double one);
};

}  // namespace adj
