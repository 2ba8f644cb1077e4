#include "cpu/isa/elementwise.h"
#include "ops/elementwise/selection.h"
