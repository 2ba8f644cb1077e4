"""Version of the package, and of what it was built for."""

from adjoint import __version__

cuda = None
hip = None
debug = False
git_version = "unknown"

__all__ = ["__version__", "cuda", "debug", "git_version", "hip"]
