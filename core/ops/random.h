// Generators of random numbers, and how many of them a factory makes under vmap.
#pragma once
#include <mutex>

#include "cpu/random.h"
#include "ops/kinds/kinds.h"

namespace adj {

struct Generator {
  static constexpr uint64_t kDefaultSeed = 67280421310721;
  std::mutex mutex;
  RandomState state{kDefaultSeed, 0};
};

Generator& default_generator();
// The one that a call was given (Tag::generator), or the default one.
Generator& generator_of(const Value& v);

// Calls make(sizes) for a random tensor of the sizes that the caller sees. Under vmap's "different"
// it is made with the dims of the batches in front, and wrapped; under "error" it is refused.
template <class F>
Tensor random_under_vmap(DimsView sizes, const char* name, const F& make) {
  Dims all;
  SmallVec<int, 2> ids;
  for (int id = 1; id <= live_levels(); ++id) {
    const LiveLevel& level = live_level(id);
    if (level.kind != LevelKind::batched) continue;
    if (level.randomness[0] == 'e')
      runtime_error("vmap: ", name,
                    " was called inside of vmap, whose randomness is 'error'. Give vmap "
                    "randomness='same' (one draw for the whole batch) or randomness='different' "
                    "(one for each "
                    "element), or draw outside of vmap");
    if (level.randomness[0] != 'd') continue;
    all.push_back(level.batch_size);
    ids.push_back(id);
  }
  all.append(sizes.begin(), sizes.end());
  Tensor x = make(DimsView(all));
  for (int id : ids) x = make_batched(x, id);
  return x;
}

}  // namespace adj
