// Random numbers out of a counter: a seed and a position give the same numbers whoever computes
// them, so work may be split over threads. Philox 4x32-10 (Salmon et al., "Parallel random numbers:
// as easy as 1, 2, 3", 2011).
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace adj {

// A place in the sequence of a seed. Every function below moves it past what it has used.
struct RandomState {
  uint64_t seed = 0;
  uint64_t position = 0;
};

// float32 and float64. Uniform numbers are in [low, high); they have 24 and 53 random bits.
void random_uniform(DType t, void* out, int64_t n, RandomState& state, double low, double high);
void random_normal(DType t, void* out, int64_t n, RandomState& state, double mean,
                   double deviation);
// `one` with probability p, else 0; bool, float32 or float64. The mask of dropout has one = 1 / p.
void random_bernoulli(DType t, void* out, int64_t n, RandomState& state, double p, double one);
// Integers in [low, high), any integer dtype.
void random_integers(DType t, void* out, int64_t n, RandomState& state, int64_t low, int64_t high);
// A random order of 0 .. n - 1.
void random_permutation(int64_t* out, int64_t n, RandomState& state);

// A single 64-bit number.
uint64_t random_word(RandomState& state);

}  // namespace adj
