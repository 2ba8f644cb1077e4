#include "cpu/isa/elementwise.h"
#include "ops/elementwise/polynomials.h"
