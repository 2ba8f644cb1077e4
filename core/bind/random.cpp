// torch.Generator, and the default generator of the process.
#include <nanobind/nanobind.h>

#include <cstring>
#include <random>

#include "bind/casters.h"
#include "ops/random.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace adj::py {

namespace {

// Seeds are 64 bits; negative ones count from the top, as in torch.
uint64_t seed_of(nb::handle number) {
  nb::object index = nb::steal<nb::object>(PyNumber_Index(number.ptr()));
  if (!index) throw nb::python_error();
  int overflow = 0;
  long long small = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (!overflow) return static_cast<uint64_t>(small);
  if (overflow > 0) {
    unsigned long long large = PyLong_AsUnsignedLongLong(index.ptr());
    if (!PyErr_Occurred()) return large;
    PyErr_Clear();
  }
  runtime_error("Overflow when unpacking a seed: ", nb::str(index).c_str(),
                " does not fit into 64 bits");
}

void set_seed(Generator& g, uint64_t seed) {
  std::lock_guard lock(g.mutex);
  g.state = {seed, 0};
}

uint64_t fresh_seed(Generator& g) {
  std::random_device device;
  uint64_t seed = (uint64_t{device()} << 32 | device()) >> 1;
  set_seed(g, seed);
  return seed;
}

Tensor get_state(Generator& g) {
  std::lock_guard lock(g.mutex);
  Tensor x = empty({static_cast<int64_t>(sizeof g.state)}, DType::u8);
  memcpy(x.data(), &g.state, sizeof g.state);
  return x;
}

void set_state(Generator& g, const Tensor& x) {
  if (x.dtype() != DType::u8) type_error("expected a torch.ByteTensor, but got dtype ", x.dtype());
  if (x.numel() != static_cast<int64_t>(sizeof g.state) || x.dim() != 1 || !x.contiguous())
    runtime_error("RNG state is wrong size: expected a contiguous vector of ",
                  static_cast<int64_t>(sizeof g.state), " bytes, got shape ", x.sizes());
  std::lock_guard lock(g.mutex);
  memcpy(&g.state, x.data(), sizeof g.state);
}

void check_device(nb::handle device) {
  Device d;
  if (!as_device(device.ptr(), d))
    type_error("Generator(): expected a torch.device or str, got ", Py_TYPE(device.ptr())->tp_name);
  require_cpu(d);
}

}  // namespace

void bind_random(nb::module_& m) {
  nb::class_<Generator>(m, "Generator", R"(
A source of random numbers with a state of its own, for the `generator` argument of functions.

>>> g = adjoint.Generator().manual_seed(0)
>>> a = adjoint.rand(3, generator=g)
>>> bool((a == adjoint.rand(3, generator=g.manual_seed(0))).all())
True
)")
      .def(
          "__init__",
          [](Generator* g, nb::object device) {
            check_device(device);
            new (g) Generator;
          },
          "device"_a = "cpu")
      .def(
          "manual_seed",
          [](nb::handle self, nb::handle seed) {
            set_seed(nb::cast<Generator&>(self), seed_of(seed));
            return nb::borrow(self);
          },
          "seed"_a, "Starts the sequence of a seed (64 bits), and returns the generator.")
      .def("seed", fresh_seed,
           "Starts a sequence that is different each time, and returns its seed.")
      .def(
          "initial_seed", [](Generator& g) { return g.state.seed; },
          "The seed that the sequence started from.")
      .def("get_state", get_state, "The state, as a vector of bytes.")
      .def(
          "set_state",
          [](nb::handle self, const Tensor& x) {
            set_state(nb::cast<Generator&>(self), x);
            return nb::borrow(self);
          },
          "new_state"_a, "Goes on from a state that `get_state` gave. Returns the generator.")
      .def(
          "clone_state",
          [](Generator& g) {
            auto* copy = new Generator;
            copy->state = g.state;
            return copy;
          },
          nb::rv_policy::take_ownership, "Another generator in the same state.")
      .def_prop_ro("device", [](Generator&) { return nb::steal<nb::object>(wrap(Device{})); })
      .def_prop_ro("_handle", [](Generator& g) { return reinterpret_cast<uintptr_t>(&g); });

  nb::object standard = nb::cast(&default_generator(), nb::rv_policy::reference);
  m.attr("default_generator") = standard;
  m.def(
      "manual_seed",
      [standard](nb::handle seed) {
        set_seed(default_generator(), seed_of(seed));
        return standard;
      },
      "seed"_a, R"(
Starts the default generator's sequence of a seed: what follows is the same each time.

>>> a = adjoint.manual_seed(0) and adjoint.rand(2)
>>> b = adjoint.manual_seed(0) and adjoint.rand(2)
>>> bool((a == b).all())
True
)");
  m.def(
      "seed", [] { return fresh_seed(default_generator()); },
      "Starts a sequence of the default generator that is different each time, and returns its "
      "seed.");
  m.def(
      "initial_seed", [] { return default_generator().state.seed; },
      "The seed that the default generator's sequence started from.");
  m.def("get_rng_state", [] { return get_state(default_generator()); }, R"(
The state of the default generator, as a vector of bytes.

>>> state = adjoint.get_rng_state()
>>> a = adjoint.rand(2)
>>> adjoint.set_rng_state(state)
>>> bool((a == adjoint.rand(2)).all())
True
)");
  // The in-place draws are functions of a private namespace and methods of Tensor.
  nb::dict draws = nb::cast<nb::dict>(m.attr("_namespaces")["_in_place"]);
  for (auto [name, function] : draws) {
    const char* text = nb::cast<const char*>(name);
    if (text[strlen(text) - 1] != '_') continue;
    nb::object method = nb::steal(PyInstanceMethod_New(function.ptr()));
    if (PyObject_SetAttr(reinterpret_cast<PyObject*>(tensor_type), name.ptr(), method.ptr()))
      throw nb::python_error();
  }
  m.def(
      "set_rng_state", [](Tensor state) { set_state(default_generator(), state); }, "new_state"_a,
      "Lets the default generator go on from a state that `get_rng_state` gave.");
}

}  // namespace adj::py
