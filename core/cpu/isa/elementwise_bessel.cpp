#include "cpu/isa/elementwise.h"
#include "ops/elementwise/bessel.h"
