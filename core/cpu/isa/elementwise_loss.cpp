#include "cpu/isa/elementwise.h"
#include "ops/elementwise/loss.h"
