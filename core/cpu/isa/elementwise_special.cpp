#include "cpu/isa/elementwise.h"
#include "ops/elementwise/special.h"
