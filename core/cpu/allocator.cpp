#include "cpu/allocator.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <mutex>
#include <new>

// With AddressSanitizer every block is its own, so that it sees use after free.
#if defined(__SANITIZE_ADDRESS__)
#define ADJ_NO_CACHE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADJ_NO_CACHE 1
#endif
#endif

namespace adj {

namespace {

constexpr size_t kAlign = 64;
constexpr size_t kSmall = 4096;
constexpr size_t kHuge = size_t(4) << 20;  // from here on in huge pages
constexpr size_t kHugePage = size_t(2) << 20;

struct Free {
  Free* next;
};

// Small blocks: multiples of 64 bytes up to 1 KiB, of 256 bytes up to 4 KiB.
constexpr int kClasses = 16 + 12;
constexpr int class_of(size_t bytes) {
  return bytes <= 1024 ? static_cast<int>((bytes + 63) / 64) - (bytes > 0)
                       : 15 + static_cast<int>((bytes - 1024 + 255) / 256);
}
constexpr size_t class_size(int c) {
  return c < 16 ? size_t(c + 1) * 64 : 1024 + size_t(c - 15) * 256;
}
static_assert(class_of(0) == 0 && class_of(1) == 0 && class_of(64) == 0 && class_of(65) == 1);
static_assert(class_of(1024) == 15 && class_of(1025) == 16 && class_of(kSmall) == kClasses - 1);
static_assert(class_size(kClasses - 1) == kSmall);

// How many blocks move between a thread and the common lists at a time.
constexpr int batch_of(int c) {
  size_t n = 16384 / class_size(c);
  return n > 64 ? 64 : static_cast<int>(n);
}

struct List {
  Free* head = nullptr;
  int count = 0;
};

std::atomic<size_t> small_pages{0};

// What threads hand to each other, and the memory that is cut up next.
struct Common {
  std::mutex mutex;
  Free* batches[kClasses] = {};  // lists of batch_of(c) blocks, chained through their second word
  List rest[kClasses];  // less than a batch, from threads that have ended
  char* pages = nullptr;
  size_t left = 0;
};

// The second word of a batch's first block points to the next batch.
Free*& next_batch(Free* batch) { return reinterpret_cast<Free**>(batch)[1]; }

constinit Common common;  // trivially destroyed, so it outlives everything

// A list of batch_of(c) blocks, linked.
Free* take_batch(int c) {
  std::lock_guard lock(common.mutex);
  if (Free* batch = common.batches[c]) {
    common.batches[c] = next_batch(batch);
    return batch;
  }
  size_t size = class_size(c), bytes = size * batch_of(c);
  if (common.left < bytes) {
    constexpr size_t kPages = size_t(256) << 10;
    void* p = mmap(nullptr, kPages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    common.pages = static_cast<char*>(p);
    common.left = kPages;
    small_pages.fetch_add(kPages, std::memory_order_relaxed);
  }
  Free* head = nullptr;
  for (int i = batch_of(c) - 1; i >= 0; --i) {
    auto* block = reinterpret_cast<Free*>(common.pages + size * i);
    block->next = head;
    head = block;
  }
  common.pages += bytes;
  common.left -= bytes;
  return head;
}

void give_batch(int c, Free* batch) {
  std::lock_guard lock(common.mutex);
  next_batch(batch) = common.batches[c];
  common.batches[c] = batch;
}

struct ThreadCache {
  List lists[kClasses];
};

// A plain pointer is read without a call in a shared library; who frees it is `owner` below.
#if defined(__GNUC__) && defined(__linux__)
__attribute__((tls_model("initial-exec")))
#endif
thread_local ThreadCache* cache = nullptr;

// Takes a batch off a list that is long enough.
Free* split_batch(List& list, int c) {
  Free* batch = list.head;
  Free* last = batch;
  for (int i = 1; i < batch_of(c); ++i) last = last->next;
  list.head = last->next;
  list.count -= batch_of(c);
  last->next = nullptr;
  return batch;
}

// Hands the blocks of a thread that ends to the others.
struct Owner {
  bool registered = false;
  ~Owner() {
    ThreadCache* mine = cache;
    cache = nullptr;
    if (!mine) return;
    for (int c = 0; c < kClasses; ++c) {
      List& list = mine->lists[c];
      while (list.count >= batch_of(c)) give_batch(c, split_batch(list, c));
      while (Free* block = list.head) {
        list.head = block->next;
        Free* batch = nullptr;
        {
          std::lock_guard lock(common.mutex);
          List& rest = common.rest[c];
          block->next = rest.head;
          rest.head = block;
          if (++rest.count == batch_of(c)) batch = split_batch(rest, c);
        }
        if (batch) give_batch(c, batch);
      }
    }
    delete mine;
  }
};
thread_local Owner owner;

ThreadCache* make_cache() {
  owner.registered = true;  // the first use of `owner` in a thread arranges for its destruction
  cache = new ThreadCache;
  return cache;
}

[[gnu::noinline]] void* allocate_small_slow(int c) {
  ThreadCache* mine = cache ? cache : make_cache();
  List& list = mine->lists[c];
  if (!list.head) {
    list.head = take_batch(c);
    list.count = batch_of(c);
  }
  Free* block = list.head;
  list.head = block->next;
  --list.count;
  return block;
}

[[gnu::noinline]] void deallocate_small_slow(Free* block, int c) {
  ThreadCache* mine = cache ? cache : make_cache();
  List& list = mine->lists[c];
  if (list.count >= 4 * batch_of(c)) give_batch(c, split_batch(list, c));
  block->next = list.head;
  list.head = block;
  ++list.count;
}

// Big blocks: eight sizes to each power of two, whole pages.
constexpr int kBigClasses = 8 * 64;
struct BigClass {
  int index;
  size_t size;
};
BigClass big_class(size_t bytes) {
  int exponent = 63 - std::countl_zero(bytes - 1);  // 2^exponent < bytes <= 2^(exponent + 1)
  size_t step = size_t(1) << (exponent - 3);
  size_t size = (bytes + step - 1) / step * step;
  int eighth = static_cast<int>((size - (size_t(1) << exponent)) >> (exponent - 3));  // 1 .. 8
  return {exponent * 8 + eighth - 1, size};
}

struct BigBlock {  // the header of a free block, in its first bytes
  BigBlock* next;
};

struct Big {
  std::mutex mutex;
  BigBlock* free[kBigClasses] = {};
  size_t sizes[kBigClasses] = {};
  size_t cached = 0;
  size_t in_use = 0;
  size_t peak = 0;
  size_t limit = 0;
  bool limited = false;  // whether `limit` has been set
};
constinit Big big;

size_t cache_limit() {  // under the lock
  if (!big.limited) {
    auto pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    big.limit = pages > 0 && size > 0 ? size_t(pages) / 8 * size_t(size) : size_t(1) << 30;
    big.limited = true;
  }
  return big.limit;
}

std::align_val_t alignment_of(size_t size) {
  return std::align_val_t(size < 65536 ? kAlign : 4096);
}

void* map(size_t size) {
  if (size < kHuge) return ::operator new(size, alignment_of(size));
  // Aligned to a huge page: map more, and cut off what is too much.
  size_t whole = (size + kHugePage - 1) / kHugePage * kHugePage;
  void* p =
      mmap(nullptr, whole + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  auto from = reinterpret_cast<uintptr_t>(p);
  auto aligned = (from + kHugePage - 1) / kHugePage * kHugePage;
  if (aligned != from) munmap(p, aligned - from);
  if (size_t tail = from + kHugePage - aligned)
    munmap(reinterpret_cast<void*>(aligned + whole), tail);
#if defined(MADV_HUGEPAGE)
  madvise(reinterpret_cast<void*>(aligned), whole, MADV_HUGEPAGE);
#endif
  return reinterpret_cast<void*>(aligned);
}

void unmap(void* p, size_t size) {
  if (size < kHuge) ::operator delete(p, alignment_of(size));
  else munmap(p, (size + kHugePage - 1) / kHugePage * kHugePage);
}

// Gives free blocks back, biggest first, until at most `target` bytes are left.
void shrink(size_t target) {
  Big& b = big;
  for (int c = kBigClasses - 1; c >= 0 && b.cached > target; --c)
    while (b.free[c] && b.cached > target) {
      BigBlock* block = b.free[c];
      b.free[c] = block->next;
      b.cached -= b.sizes[c];
      unmap(block, b.sizes[c]);
    }
}

void* allocate_big(size_t bytes) {
  if (bytes > SIZE_MAX / 4) throw std::bad_alloc();
  BigClass c = big_class(bytes);
  Big& b = big;
  {
    std::lock_guard lock(b.mutex);
    b.in_use += c.size;
    if (b.in_use > b.peak) b.peak = b.in_use;
    if (BigBlock* block = b.free[c.index]) {
      b.free[c.index] = block->next;
      b.cached -= c.size;
      return block;
    }
    b.sizes[c.index] = c.size;
  }
  try {
    return map(c.size);
  } catch (const std::bad_alloc&) {
    empty_cache();
    try {
      return map(c.size);
    } catch (...) {
      std::lock_guard lock(b.mutex);
      b.in_use -= c.size;
      throw;
    }
  }
}

void deallocate_big(void* p, size_t bytes) {
  BigClass c = big_class(bytes);
  Big& b = big;
  bool keep;
  {
    std::lock_guard lock(b.mutex);
    b.in_use -= c.size;
    size_t limit = cache_limit();
    keep = c.size <= limit;
    if (keep) {
      if (b.cached + c.size > limit) shrink(limit - c.size);
      auto* block = static_cast<BigBlock*>(p);
      block->next = b.free[c.index];
      b.free[c.index] = block;
      b.cached += c.size;
    }
  }
  if (!keep) unmap(p, c.size);
}

// A child of fork may inherit locks that nobody will open: take them over the fork.
[[maybe_unused]] const int at_fork = pthread_atfork(
    [] {
      common.mutex.lock();
      big.mutex.lock();
    },
    [] {
      big.mutex.unlock();
      common.mutex.unlock();
    },
    [] {
      big.mutex.unlock();
      common.mutex.unlock();
    });

}  // namespace

void* allocate(size_t bytes) {
#if defined(ADJ_NO_CACHE)
  return ::operator new(bytes ? bytes : 1, std::align_val_t(kAlign));
#else
  if (bytes > kSmall) return allocate_big(bytes);
  int c = class_of(bytes);
  if (ThreadCache* mine = cache) [[likely]] {
    List& list = mine->lists[c];
    if (Free* block = list.head) [[likely]] {
      list.head = block->next;
      --list.count;
      return block;
    }
  }
  return allocate_small_slow(c);
#endif
}

void deallocate(void* p, [[maybe_unused]] size_t bytes) noexcept {
  if (!p) return;
#if defined(ADJ_NO_CACHE)
  ::operator delete(p, std::align_val_t(kAlign));
#else
  if (bytes > kSmall) return deallocate_big(p, bytes);
  int c = class_of(bytes);
  auto* block = static_cast<Free*>(p);
  if (ThreadCache* mine = cache) [[likely]] {
    List& list = mine->lists[c];
    if (list.count < 4 * batch_of(c)) [[likely]] {
      block->next = list.head;
      list.head = block;
      ++list.count;
      return;
    }
  }
  deallocate_small_slow(block, c);
#endif
}

AllocatorStats allocator_stats() {
  std::lock_guard lock(big.mutex);
  return {big.in_use, big.peak, big.cached, small_pages.load(std::memory_order_relaxed)};
}

void reset_peak_memory() {
  std::lock_guard lock(big.mutex);
  big.peak = big.in_use;
}

void empty_cache() {
  std::lock_guard lock(big.mutex);
  shrink(0);
}

void set_cache_limit(size_t bytes) {
  std::lock_guard lock(big.mutex);
  big.limit = bytes;
  big.limited = true;
  shrink(bytes);
}

}  // namespace adj
