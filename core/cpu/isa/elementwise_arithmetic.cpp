#include "cpu/isa/elementwise.h"
#include "ops/elementwise/arithmetic.h"
