#include "cpu/isa/elementwise.h"
#include "ops/elementwise/sign.h"
