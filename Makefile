# Everything here runs on a machine that has Python >= 3.10 with headers, GNU make and a C++20
# compiler; all else comes from PyPI into $(VENV). `make help` lists the targets.

VENV ?= .venv
BUILD ?= build/{wheel_tag}
ADJOINT_ISA ?= all
ADJOINT_SANITIZE ?=
ARGS ?=
# An editable install calls the cmake that it finds on the path.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$p && break; \
	done)
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
CONFIG = -Cbuild-dir='$(BUILD)' -Ccmake.define.ADJOINT_ISA='$(ADJOINT_ISA)' \
	-Ccmake.define.ADJOINT_SANITIZE='$(ADJOINT_SANITIZE)'
# Folders are listed too: a file that was added or removed changes its folder's time.
SOURCES := CMakeLists.txt pyproject.toml $(shell find core src cmake \( \
	-type d ! -name __pycache__ -o -name '*.cpp' -o -name '*.h' \
	-o -name '*.py' -o -name '*.pyi' -o -name '*.cmake' \) 2>/dev/null)

# Python itself is not instrumented, so the runtimes have to be loaded before it.
RUNTIMES = $(foreach lib,asan ubsan stdc++,$(shell $(CXX) -print-file-name=lib$(lib).so))
UNDER_SANITIZERS = env LD_PRELOAD="$(RUNTIMES)" PYTHONMALLOC=malloc \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

.PHONY: help demo test lint bench docs dev install wheel sanitize clean FORCE
.DELETE_ON_ERROR:

help:
	@echo 'make demo      train a classifier on handwritten digits and draw what it learnt'
	@echo 'make test      run every test                   (ARGS="-k name" goes to pytest)'
	@echo 'make lint      format and check the sources'
	@echo 'make bench     time adjoint, and torch and JAX where they are installed (ARGS="--only tanh")'
	@echo 'make docs      build the documentation into build/site'
	@echo 'make dev       an editable install: importing adjoint recompiles what changed'
	@echo 'make install   go back from it to an ordinary install'
	@echo 'make wheel     build a wheel into build/dist'
	@echo 'make sanitize  run the tests under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make clean     remove all that was built, the environment included'
	@echo 'ADJOINT_ISA=v3 (or v2, v4) before any of them compiles for that level alone: faster'

demo: $(VENV)/.package $(VENV)/.group-demo
	$(PY) examples/digits.py $(ARGS)

test: $(VENV)/.package $(VENV)/.group-test
	$(RUN) $(PY) -m pytest $(ARGS)

lint: $(VENV)/.group-lint
	$(VENV)/bin/pre-commit run --all-files $(ARGS)

bench: $(VENV)/.package
	$(PY) -m benchmarks $(ARGS)

docs: $(VENV)/.package $(VENV)/.group-docs
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo 'build/site/index.html'

dev: $(VENV)/.editable

install:
	rm -f $(VENV)/.editable $(VENV)/.package
	$(MAKE) $(VENV)/.package

wheel: $(VENV)/.tools
	rm -rf build/dist
	$(PIP) wheel -q --no-build-isolation --no-deps $(CONFIG) -w build/dist .
	@ls -l build/dist

# Its own environment and build folder, so that the ordinary ones stay as they are.
sanitize:
	$(MAKE) test VENV=build/sanitize/venv BUILD=build/sanitize/core \
		ADJOINT_SANITIZE='address;undefined' RUN='$(UNDER_SANITIZERS)'

clean:
	rm -rf $(VENV) build examples/out .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/pyvenv.cfg:
	@test -n '$(PYTHON)' || \
		{ echo 'adjoint needs Python 3.10 or newer: make PYTHON=/path/to/python'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo '$(PYTHON) has no venv or no pip;' \
		'on Debian: apt install python3-venv python3-dev'; exit 1; }

$(VENV)/.tools: $(VENV)/pyvenv.cfg pyproject.toml
	@echo 'Installing the build tools into $(VENV)'
	@$(PIP) install -q --upgrade 'pip>=25.1'
	@$(PIP) install -q --group build
	@touch $@

$(VENV)/.group-%: $(VENV)/.tools
	@echo 'Installing the requirements of make $*'
	@$(PIP) install -q --group $*
	@touch $@

# Changes only when the options do, so that an install with other options is not taken for this one.
$(VENV)/.config: $(VENV)/pyvenv.cfg FORCE
	@echo "$(CONFIG)" | cmp -s - $@ || echo "$(CONFIG)" > $@

# An editable install rebuilds itself when it is imported.
$(VENV)/.package: $(VENV)/.tools $(VENV)/.config $(SOURCES)
	@if [ -f $(VENV)/.editable ]; then \
		SKBUILD_EDITABLE_VERBOSE=1 $(PY) -c 'import adjoint'; \
	else \
		echo 'Building and installing adjoint'; \
		$(PIP) install -v --no-build-isolation $(CONFIG) .; \
	fi
	@touch $@

$(VENV)/.editable: $(VENV)/.tools $(VENV)/.config CMakeLists.txt pyproject.toml
	$(PIP) install -v --no-build-isolation $(CONFIG) \
		-Ceditable.rebuild=true -Ceditable.verbose=false -e .
	@touch $@ $(VENV)/.package
