#include "cpu/isa/elementwise.h"
#include "ops/elementwise/gamma.h"
