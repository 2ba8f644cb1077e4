// The elementwise operators, for the registry; their loops are compiled in core/cpu/isa.
#include "ops/kinds/elementwise.h"
#include "ops/elementwise/var.h"

#include "ops/elementwise/activations.h"
#include "ops/elementwise/arithmetic.h"
#include "ops/elementwise/bitwise.h"
#include "ops/elementwise/comparison.h"
#include "ops/elementwise/complex.h"
#include "ops/elementwise/division.h"
#include "ops/elementwise/exponential.h"
#include "ops/elementwise/extremes.h"
#include "ops/elementwise/power.h"
#include "ops/elementwise/selection.h"
#include "ops/elementwise/sign.h"
#include "ops/elementwise/special.h"
#include "ops/elementwise/trigonometric.h"

#include "ops/elementwise/aliases.h"  // of those above, so they come last
