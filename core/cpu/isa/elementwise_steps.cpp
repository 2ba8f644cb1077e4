#include "cpu/isa/elementwise.h"
#include "ops/elementwise/steps.h"
