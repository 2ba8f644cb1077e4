#include "cpu/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace adj {

namespace {

constexpr int kMaxThreads = 256;
constexpr int kSpins = 1500;  // some 40 us: about the pause between two loops of a training step

inline void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

thread_local bool inside = false;

struct Pool {
  std::mutex busy;  // held by the thread whose loop is running

  // The loop; written while it is closed and nobody is inside.
  void (*call)(const void*, int64_t, int64_t) = nullptr;
  const void* context = nullptr;
  int64_t n = 0, chunk = 0;
  int helpers = 0;
  std::exception_ptr error;
  std::atomic_flag failed = ATOMIC_FLAG_INIT;

  alignas(64) std::atomic<int64_t> next{0};
  alignas(64) std::atomic<uint32_t> epoch{0};  // counts loops; sleeping threads wait on it
  std::atomic<bool> open{false};
  alignas(64) std::atomic<int> members{0};     // threads besides the caller that are in the loop

  int started = 0;

  void work() {
    for (;;) {
      int64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
      if (begin >= n) return;
      int64_t end = begin + chunk < n ? begin + chunk : n;
      try {
        call(context, begin, end);
      } catch (...) {
        if (!failed.test_and_set()) error = std::current_exception();
        next.store(n, std::memory_order_relaxed);
      }
    }
  }

  [[noreturn]] void help(int index) {
    inside = true;
    uint32_t seen = 0;
    for (;;) {
      int spins = 0;
      while (epoch.load(std::memory_order_acquire) == seen) {
        if (++spins < kSpins) pause();
        else epoch.wait(seen, std::memory_order_acquire);
      }
      seen = epoch.load(std::memory_order_acquire);
      // Join, then look whether the loop is still open: the caller closes it, then waits for
      // members.
      members.fetch_add(1, std::memory_order_seq_cst);
      if (open.load(std::memory_order_seq_cst) && index < helpers) work();
      members.fetch_sub(1, std::memory_order_release);
    }
  }

  void start(int count);
};

struct Start {
  Pool* pool;
  int index;
};

Pool*& pool() {
  static Pool* p = new Pool;  // never destroyed: threads may outlive static objects
  return p;
}

void* thread_main(void* argument) {
  Start start = *static_cast<Start*>(argument);
  delete static_cast<Start*>(argument);
  start.pool->help(start.index);
}

void Pool::start(int count) {
  if (started >= count) return;
  // The threads leave signals to those of the application.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  while (started < count) {
    auto* argument = new Start{this, started};
    pthread_t thread;
    if (pthread_create(&thread, &attributes, thread_main, argument) != 0) {
      delete argument;
      break;
    }
    ++started;
  }
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

int cpu_count() {
  if (const char* text = std::getenv("ADJOINT_NUM_THREADS")) {
    int n = std::atoi(text);
    if (n > 0) return n < kMaxThreads ? n : kMaxThreads;
  }
  int n = 0;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
#endif
  if (n <= 0) n = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  return n < 1 ? 1 : n < kMaxThreads ? n : kMaxThreads;
}

std::atomic<int> thread_count{0};

// A child of fork has none of its parent's threads: it gets a new pool. The old one, which a thread
// that is not there may have locked, is abandoned.
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, [] {
  static Pool* abandoned;
  abandoned = pool();
  (void)abandoned;
  pool() = new Pool;
  inside = false;
});

}  // namespace

int get_num_threads() {
  int n = thread_count.load(std::memory_order_relaxed);
  if (n == 0) {
    n = cpu_count();
    thread_count.store(n, std::memory_order_relaxed);
  }
  return n;
}

void set_num_threads(int n) {
  thread_count.store(n < 1 ? 1 : n < kMaxThreads ? n : kMaxThreads, std::memory_order_relaxed);
}

bool in_parallel() { return inside; }

void run_chunks(int64_t n, int64_t chunk, void (*call)(const void*, int64_t, int64_t),
                const void* context) {
  Pool& p = *pool();
  int threads = get_num_threads();
  int64_t chunks = (n + chunk - 1) / chunk;
  if (chunks < threads) threads = static_cast<int>(chunks);
  // One loop at a time; a second caller works alone, through the same chunks.
  if (threads < 2 || inside || !p.busy.try_lock()) {
    for (int64_t begin = 0; begin < n; begin += chunk)
      call(context, begin, begin + chunk < n ? begin + chunk : n);
    return;
  }
  std::lock_guard<std::mutex> lock(p.busy, std::adopt_lock);
  p.start(threads - 1);
  p.call = call;
  p.context = context;
  p.n = n;
  p.chunk = chunk;
  p.helpers = threads - 1;
  p.error = nullptr;
  p.failed.clear();
  p.next.store(0, std::memory_order_relaxed);
  p.open.store(true, std::memory_order_seq_cst);
  p.epoch.fetch_add(1, std::memory_order_release);
  p.epoch.notify_all();
  inside = true;
  p.work();
  inside = false;
  p.open.store(false, std::memory_order_seq_cst);
  for (int spins = 0; p.members.load(std::memory_order_seq_cst) != 0;) {
    if (++spins < 4 * kSpins) pause();
    else sched_yield();
  }
  if (p.error) std::rethrow_exception(p.error);
}

}  // namespace adj
