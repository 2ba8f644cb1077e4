// Memory for tensors and for small objects of the core: 64-byte aligned, cached when freed.
//
// Blocks of up to 4 KiB come from free lists of the calling thread. Bigger ones are kept by size
// when freed, up to a bounded total, because asking the system for fresh pages costs more than most
// operators. A block may be freed by any thread; `deallocate` takes the size that was asked for.
#pragma once
#include <cstddef>

namespace adj {

void* allocate(size_t bytes);  // throws std::bad_alloc
void deallocate(void* block, size_t bytes) noexcept;

struct AllocatorStats {
  size_t in_use;  // bytes handed out in big blocks, as rounded
  size_t peak;  // the most that in_use has been since the last reset
  size_t cached;  // bytes of big blocks that are free and kept
  size_t small_pages;  // bytes of the pages that small blocks are cut from
};
AllocatorStats allocator_stats();
void reset_peak_memory();

// Gives the free big blocks back to the system.
void empty_cache();
// The most bytes of free big blocks to keep; by default an eighth of the machine's memory.
void set_cache_limit(size_t bytes);

}  // namespace adj
