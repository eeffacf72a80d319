# Every command of the project; `make` alone lists them. Needs GNU make, Python 3.11 and, for the first installation, a package index.

VENV ?= .venv
DATA_DIR ?= data
DEMO_DIR ?= runs/demo
DEMO_EXPERIMENT ?= sngan/demo
SERVING_IMAGE ?= tensorflow/serving:2.20.0
SMOKE_PORT ?= 8501

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Settings of the processes below, not of the user's shell: Keras' backend may be set otherwise in ~/.keras/keras.json.
export KERAS_BACKEND := tensorflow
export MPLBACKEND := Agg
export TF_CPP_MIN_LOG_LEVEL ?= 2

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all lint format bench lock serve-smoke clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo; echo "  Variables: PYTHON=<python3.11>  VENV=$(VENV)  DATA_DIR=$(DATA_DIR)  DEMO_DIR=$(DEMO_DIR)  DEMO_EXPERIMENT=$(DEMO_EXPERIMENT)"

install: $(INSTALLED) ## make the environment: locked requirements (2.7 GB) and this project, in .venv

# PYTHON, when given, is the only candidate: a wrong one is an error and not silently replaced.
$(BIN)/python:
	@usable='import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 11))'; chosen=; \
	for candidate in $(or $(PYTHON),python3.11 python3 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.11*/bin/python); do \
	  if "$$candidate" -c "$$usable" >/dev/null 2>&1; then chosen=$$candidate; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
	  echo "make: no usable Python 3.11 among: $(or $(PYTHON),python3.11, python3, pyenv's versions)." >&2; \
	  echo "It must be version 3.11 (tensorflow-addons has no wheel for a later one) and have the modules venv and ensurepip." >&2; \
	  echo "Debian and Ubuntu: apt-get install python3.11 python3.11-venv. pyenv: pyenv install 3.11. Elsewhere: make install PYTHON=/path/to/python3.11" >&2; \
	  exit 1; \
	fi; \
	echo "$$chosen -m venv $(VENV)"; "$$chosen" -m venv $(VENV)

# Nothing is installed twice: the stamp is only out of date when the lock or the project's own metadata has changed.
$(INSTALLED): requirements_lock.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --no-input --disable-pip-version-check --quiet --require-hashes --requirement requirements_lock.txt
	$(BIN)/python -m pip install --no-input --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(INSTALLED) ## prepare, train, evaluate, sample, export and verify on the built-in dataset: minutes on two cores, offline
	$(BIN)/tfgan-data prepare captioned_shapes/studio --data_dir=$(DATA_DIR)
	$(BIN)/tfgan-train --experiment=$(DEMO_EXPERIMENT) --workdir=$(DEMO_DIR) --data_dir=$(DATA_DIR) --strategy=default
	$(BIN)/tfgan-evaluate --workdir=$(DEMO_DIR) --data_dir=$(DATA_DIR)
	$(BIN)/tfgan-sample --workdir=$(DEMO_DIR) --output=$(DEMO_DIR)/samples.png
	$(BIN)/tfgan-export --workdir=$(DEMO_DIR) --output=$(DEMO_DIR)/export
	@set -e; version=$$(dirname "$$(ls -t $(DEMO_DIR)/export/*/*/saved_model.pb | head -n 1)"); \
	echo; \
	echo "samples         $(DEMO_DIR)/samples.png"; \
	echo "metrics         $(DEMO_DIR)/metrics.json"; \
	echo "SavedModel      $$version (verified: $$version/assets.extra/verification.json)"; \
	echo "serving config  $(DEMO_DIR)/export/models.config (how to serve it: $(DEMO_DIR)/export/README.txt)"

# The server reports a version as available only after it has loaded it and answered every warm-up request.
serve-smoke: ## have TensorFlow Serving load the demo's export, in Docker: proves what make demo cannot
	@set -e; export=$(abspath $(DEMO_DIR))/export; \
	if [ ! -f "$$export/models.config" ]; then echo "make: nothing exported in $$export; run: make demo" >&2; exit 1; fi; \
	server=$$(docker run --detach --rm --publish 127.0.0.1:$(SMOKE_PORT):8501 --volume "$$export:/models:ro" $(SERVING_IMAGE) \
	  --model_config_file=/models/models.config --allow_version_labels_for_unavailable_models=true \
	  --enable_batching=true --enable_per_model_batching_parameters=true --batching_parameters_file=/models/batching.config --monitoring_config_file=/models/monitoring.config); \
	trap 'docker stop "$$server" >/dev/null' EXIT; \
	for model in "$$export"/*/; do \
	  if ! ls "$$model" | grep -qx '[0-9][0-9]*'; then continue; fi; \
	  state=; \
	  for second in $$(seq 60); do \
	    state=$$(curl --silent "http://127.0.0.1:$(SMOKE_PORT)/v1/models/$$(basename "$$model")" || true); \
	    case "$$state" in *'"AVAILABLE"'*) break;; esac; \
	    sleep 1; \
	  done; \
	  echo "$$(basename "$$model"): $$state"; \
	  case "$$state" in *'"AVAILABLE"'*) ;; *) docker logs --tail 30 "$$server" >&2; exit 1;; esac; \
	done

test: $(INSTALLED) ## run the tests that take minutes at most, offline and on the CPU
	CUDA_VISIBLE_DEVICES=-1 $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile

test-all: $(INSTALLED) ## run every test, the slow ones included
	CUDA_VISIBLE_DEVICES=-1 $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile -m "slow or not slow"

lint: $(INSTALLED) ## check style, format, the import rules and BUILD
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest tests/architecture_test.py tests/build_test.py

format: $(INSTALLED) ## rewrite the sources in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED) ## run every benchmark: same-run ratios, in JSON and Markdown
	@set -e; found=; for file in benchmarks/[!_]*.py; do \
	  if [ -f "$$file" ]; then found=1; module=benchmarks.$$(basename "$$file" .py); echo "$(BIN)/python -m $$module"; $(BIN)/python -m "$$module"; fi; \
	done; \
	if [ -z "$$found" ]; then echo "make: no file benchmarks/*.py to run" >&2; exit 1; fi

lock: $(INSTALLED) ## write requirements_lock.txt anew from requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --output-file requirements_lock.txt requirements.txt

clean: ## remove caches and build products; .venv, data and runs stay
	rm -rf .pytest_cache .ruff_cache build dist *.egg-info
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
