#include "cpu/isa/elementwise.h"
#include "ops/elementwise/extremes.h"
