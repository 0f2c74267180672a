# Every target sets up what it needs in .venv first; a second call starts at once.
PYTHON ?= python3
PORT ?= 8501
ARGS ?=
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
LIVE := static/live
KERNEL ?= $(LIVE)/kernel.wasm
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
PIP := $(BIN)/python -m pip install --disable-pip-version-check
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed

.DEFAULT_GOAL := help
.PHONY: help run test test-all lint bench screenshots kernel

help:
	@echo "make run          set up .venv and open the studio on http://localhost:$(PORT) (PORT=8502 for another port)"
	@echo "make test         the tests that show most, in four minutes (ARGS='-k store' chooses, JOBS=4 on more cores)"
	@echo "make test-all     every test, in half an hour: every page for every model, the long repetitions"
	@echo "make lint         ruff and mypy"
	@echo "make bench        what measures speed, as tables"
	@echo "make kernel       the live studio's WebAssembly, from $(LIVE)/kernel.c (needs clang and lld)"
	@echo "make screenshots  the README's pictures, taken anew from the running studio (ARGS=generate chooses)"

run: $(RUNTIME)
	@exec $(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: $(DEV)
	@$(PYTEST) -m "not slow" --durations=10 $(ARGS)

test-all: $(DEV)
	@$(PYTEST) $(ARGS)

lint: $(DEV)
	@$(BIN)/python -m ruff check
	@$(BIN)/python -m ruff format --check
	@$(BIN)/python -m mypy

bench: $(DEV)
	@$(BIN)/python -m benchmarks $(ARGS)

screenshots: $(DEV)
	@$(BIN)/python -m docs.screenshots $(ARGS)

kernel:
	clang --target=wasm32 -O3 -msimd128 -nostdlib -ffreestanding -Wall -Wextra -Wl,--no-entry -Wl,--import-memory \
		-Wl,--strip-all -Wl,--export=__heap_base -Wl,-z,stack-size=4096 -o $(KERNEL) $(LIVE)/kernel.c
	@chmod 644 $(KERNEL)

# The stamps are newer than the pins they were made from. A half-made environment has no working pip and is made anew.
$(RUNTIME): requirements.txt
	@command -v "$(PYTHON)" >/dev/null || { echo "make: no $(PYTHON) here; install Python 3.11 or newer, or say make PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is $$("$(PYTHON)" -V 2>&1); genlib needs Python 3.11 or newer: make PYTHON=python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "make: $(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	@$(PIP) -r requirements-dev.txt
	@touch $@
