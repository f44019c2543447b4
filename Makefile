# The project's commands. `make` lists them. Everything is installed into .venv; nothing needs root or a compiler.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
WORKERS ?= 2
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := host_tools hil tests firmware

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup test lint types stale unit sizes demo bench bench-hub bench-tools sniff generate format bench-firmware bench-hil bench-bus bench-slip bench-dbc clean distclean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv and install everything from PyPI into it (PYTHON=python3.12 chooses the Python)

$(STAMP): pyproject.toml .ci/pick-python
	@set -e; \
	if ! $(BIN)/python -c '' 2>/dev/null; then \
	  python=$$(.ci/pick-python "$(PYTHON)"); \
	  echo "setup: $(VENV) with $$($$python -V)"; \
	  rm -rf $(VENV); \
	  $$python -m venv $(VENV) || { echo "setup: $$python cannot make a virtual environment;" \
	    "on Debian and Ubuntu install python3-venv" >&2; rm -rf $(VENV); exit 1; }; \
	fi
	@echo "setup: installing from PyPI (some minutes the first time)"
	@$(PIP) install -e '.[test]'
	@touch $@

test: lint types stale sizes unit ## set up, lint, types, stale files, sizes, unit and bench tests

lint: $(STAMP) ## check style
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/ruff format --check --quiet $(SOURCES) || { echo "run \`make format\`"; exit 1; }
	@$(BIN)/twinaxle dbc lint dbc/powertrain.dbc --fail-on style
	@echo "lint: ok"

types: $(STAMP) ## check types
	@$(BIN)/mypy host_tools/twinaxle hil tests/host_tools tests/sniff

stale: $(STAMP) ## check that the generated files are those of their sources
	@$(BIN)/twinaxle dbc generate dbc/powertrain.dbc -o firmware/vcu/protocol.py --signals firmware --check
	@$(BIN)/twinaxle dbc doc dbc/powertrain.dbc -o docs/protocol.md --check
	@$(BIN)/twinaxle calibrate --check
	@echo "stale: ok"

sizes: $(STAMP) ## sizes of the compiled firmware against RT-03
	@$(BIN)/twinaxle firmware sizes

unit: $(STAMP) ## unit and bench tests alone (WORKERS=2 processes)
	@$(BIN)/python -m pytest -q -n $(WORKERS) --requirements

demo: $(STAMP) ## drive the virtual car; writes build/report.html
	@$(BIN)/twinaxle demo

bench: $(STAMP) ## the virtual car in real time, its bus open to other programs (ARGS="--scenario launch")
	@$(BIN)/twinaxle bench $(ARGS)

generate: $(STAMP) ## write the generated files: protocol from the DBC, split from loss maps, calibration from TOML
	@$(BIN)/twinaxle split write
	@$(BIN)/twinaxle dbc generate dbc/powertrain.dbc -o firmware/vcu/protocol.py --signals firmware
	@$(BIN)/twinaxle dbc doc dbc/powertrain.dbc -o docs/protocol.md
	@$(BIN)/twinaxle calibrate

bench-firmware: $(STAMP) ## instructions of a tick on the board: counted on an emulated Cortex-M4, and estimated from times
	@$(BIN)/twinaxle firmware count --check
	@$(BIN)/twinaxle firmware cost

sniff: $(STAMP) ## watch the bus of a running `make bench` in this terminal (ARGS="--show from:VCU")
	@$(BIN)/twinaxle sniff -i twinaxle $(ARGS)

bench-hub: $(STAMP) ## frames a second and latency of the live bench's server
	@$(BIN)/python -m hil.live.benchmark

bench-tools: $(STAMP) ## the tools beside their peers: decode beside cantools' loop, recording, sniff beside cantools monitor and can.viewer
	@$(BIN)/python -m twinaxle.logs.benchmark
	@$(BIN)/python -m twinaxle.recording.benchmark
	@$(BIN)/python -m twinaxle.sniff.trial.benchmark

bench-dbc: $(STAMP) ## time of `twinaxle dbc lint` for a large file, beside cantools
	@$(BIN)/python -m tests.dbc.lint.benchmark

bench-hil: $(STAMP) ## how much faster than real time the bench runs, and where the time goes (SECONDS=120 of the WLTC)
	@$(BIN)/python -m hil.benchmark $(SECONDS)

bench-bus: $(STAMP) ## cost of a frame on the virtual bus
	@$(BIN)/python -m hil.bus.benchmark

bench-slip: $(STAMP) ## grip and slip of launches with each number of slip control 15 % lower and higher (SEEDS=2)
	@$(BIN)/python -m hil.slip_study $(SEEDS)

format: $(STAMP) ## format and mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix $(SOURCES) || true
	@$(BIN)/ruff format $(SOURCES)

clean: ## remove what was built
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv too
	@rm -rf $(VENV) *.egg-info
