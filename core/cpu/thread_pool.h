// A small thread pool for data-parallel loops. No OpenMP.
//
// Work is cut into chunks that depend on its size and grain alone, never on the number of threads,
// so results do not depend on it either. Threads start with the first loop that needs them.
#pragma once
#include <cstdint>

namespace adj {

// How many threads a loop may use, the caller included: at first the number of CPUs that the
// process may run on, or ADJOINT_NUM_THREADS.
int get_num_threads();
void set_num_threads(int n);

// True inside of a parallel loop, where further loops run serially.
bool in_parallel();

// The size of the chunks that a loop over n is cut into: at least `grain`, at most 256 chunks.
constexpr int64_t chunk_size(int64_t n, int64_t grain) {
  int64_t chunk = (n + 255) / 256;
  if (chunk < grain) chunk = grain;
  if (chunk >= 64) chunk = (chunk + 63) / 64 * 64;  // chunks of vectors start on a cache line
  return chunk < 1 ? 1 : chunk;
}

void run_chunks(int64_t n, int64_t chunk, void (*call)(const void*, int64_t, int64_t),
                const void* context);

// Calls f(begin, end) on chunks of [0, n), possibly at once. The first exception is thrown again in
// the caller when all threads have left the loop.
template <class F>
void parallel_for(int64_t n, int64_t grain, const F& f) {
  if (n <= 0) return;
  if (n <= grain) {
    f(int64_t(0), n);
    return;
  }
  auto call = [](const void* body, int64_t begin, int64_t end) {
    (*static_cast<const F*>(body))(begin, end);
  };
  run_chunks(n, chunk_size(n, grain), call, &f);
}

}  // namespace adj
