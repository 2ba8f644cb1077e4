#include "cpu/isa/elementwise.h"
#include "ops/elementwise/normal.h"
