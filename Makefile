# Short names for the usual steps; CMake and ninja do the work.
#
#   make demo                   install, build and run one kernel with its check
#   make test                   install, build and run the tests
#   make test PRESET=asan       the same under the address sanitizer
#   make test PRESET=tsan       the runtime's under the thread sanitizer
#   make bench FILTER=causal    build and time the benchmarks of this name
#
# PRESET  dev (default), release, asan or tsan: see CMakePresets.json
# JOBS    parallel jobs of the build and the tests (default: their own choice)
# FILTER  regular expression of the names of benchmarks (default: all)

PRESET ?= dev
BUILD  := $(if $(filter dev,$(PRESET)),build,build-$(PRESET))
JOBS   ?=
SOURCE_DIRS := dialect passes codegen runtime tools test bench python
EXISTING_DIRS = $(wildcard $(SOURCE_DIRS))

.PHONY: help setup configure build demo test test-full bench format tidy docs clean

help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

setup:
	@cmake/setup.sh

configure: $(BUILD)/build.ninja

# Later changes of any CMakeLists.txt are noticed by ninja itself.
$(BUILD)/build.ninja: CMakePresets.json | setup
	@cmake --preset $(PRESET)
	@touch $@

build: configure
	@ninja -C $(BUILD) $(if $(JOBS),-j$(JOBS))

DEMO := $(BUILD)/bin/attn-run variants/softmax/causal.mlir --target=cpu \
        --dims=B=1,H=4,N=1024 --check --repeat=10

demo: build
	@echo
	@echo "variants/softmax/causal.mlir says what causal attention computes."
	@echo "attn-run compiles it for this CPU, runs it on random input (1 batch,"
	@echo "4 heads, 1024 tokens), and compares the result with the float64"
	@echo "executable definition of the same file:"
	@echo
	@echo "  $(DEMO)"
	@echo
	@$(DEMO)
	@echo
	@echo "The check passed. Try other sizes with --dims, other formulas from"
	@echo "variants/, or your own: CONTRIBUTING.md has the recipe."

test: build
	@test/run.sh --build=$(BUILD) $(if $(JOBS),--jobs=$(JOBS))

test-full: build
	@test/run.sh --build=$(BUILD) $(if $(JOBS),--jobs=$(JOBS)) --full

bench: build
	@$(BUILD)/bin/attn-bench bench/*.json $(if $(FILTER),--benchmark_filter='$(FILTER)')

format: setup
	@find $(EXISTING_DIRS) cmake \( -name '*.cpp' -o -name '*.h' \) -print0 | \
	  xargs -0 clang-format-22 -i

tidy: build
	@run-clang-tidy-22 -quiet -p $(BUILD) \
	  '^$(CURDIR)/($(subst $() ,|,$(strip $(EXISTING_DIRS))))/.*\.cpp$$'

docs: setup
	@docs/generate.sh

clean:
	rm -rf build build-release build-asan build-tsan
