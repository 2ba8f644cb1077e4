#include "cpu/isa/elementwise.h"
#include "ops/elementwise/bitwise.h"
