#include "cpu/isa/elementwise.h"
#include "ops/elementwise/trigonometric.h"
