"""The same workloads on adjoint and, where it is installed, on torch: `python -m benchmarks`."""
