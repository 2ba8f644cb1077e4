#include "cpu/isa/elementwise.h"
#include "ops/elementwise/activations.h"
