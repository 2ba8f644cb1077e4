#include "cpu/isa/elementwise.h"
#include "ops/elementwise/comparison.h"
