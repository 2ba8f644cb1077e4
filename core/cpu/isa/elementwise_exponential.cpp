#include "cpu/isa/elementwise.h"
#include "ops/elementwise/exponential.h"
