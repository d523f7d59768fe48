# Every target makes .venv itself. Another Python: make demo PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# The heaviest tests hold a model each: two workers suit two cores.
TEST_WORKERS ?= 2
PIP_OPTIONS ?=
# Real vLLM has an environment of its own; it is made anew when these files change.
VLLM_VENV := .venv-vllm
VLLM_BIN := $(VLLM_VENV)/bin
VLLM_FILES := requirements/vllm.txt requirements/vllm-constraints.txt requirements/torchvision_without_cuda.py
VLLM_STAMP = $(VLLM_VENV)/.installed-$(shell cat $(VLLM_FILES) | sha256sum | cut -c1-16)
VLLM_ENVIRONMENT := HF_HUB_OFFLINE=1 VLLM_CPU_KVCACHE_SPACE=1 VLLM_ENABLE_V1_MULTIPROCESSING=0 TORCH_COMPILE_DISABLE=1 \
	OMP_NUM_THREADS=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 VLLM_LOGGING_LEVEL=ERROR
# Ray, Postgres and the launchers of other clusters: an environment of their own, as they want an older SQLAlchemy.
CLUSTER_FILES := requirements/cluster.txt requirements/cluster-constraints.txt
CLUSTER_STAMP = .venv-cluster/.installed-$(shell cat $(CLUSTER_FILES) | sha256sum | cut -c1-16)
# Each trainer, and lmms-eval, has an environment of its own, as their pins exclude one another: .venv-NAME, made anew when one of its files
# changes. NAME-alone.txt, where there is one, names packages that are installed without what they ask for.
TRAINERS := trl verl llamafactory swift lmms_eval
TRAINER_EXPORTS := build/trainer-exports
TRAINER_FILES = $(wildcard requirements/$(1).txt requirements/$(1)-*.txt) requirements/torchvision_without_cuda.py
TRAINER_STAMP = .venv-$(1)/.installed-$(shell cat $(call TRAINER_FILES,$(1)) | sha256sum | cut -c1-16)
# OMP_NUM_THREADS: the model is so small that threads would only wait for one another.
TRAINER_ENVIRONMENT := HF_HUB_OFFLINE=1 DO_NOT_TRACK=1 TOKENIZERS_PARALLELISM=false OMP_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help venv venv-vllm venv-cluster test-cluster demo insights dagit test test-vllm screenshots lint bench bench-vllm clean
.PHONY: test-trainers trainer-exports $(TRAINERS:%=venv-%) $(TRAINERS:%=test-%)

help:
	@echo "make demo   every table of a dataset, made by the embedded model (minutes, no GPU)"
	@echo "make insights  trains and scores on what make demo made, writes docs/insights.md (an hour and more; may be stopped)"
	@echo "make dagit  the web interface, http://127.0.0.1:3000"
	@echo "make test   all tests"
	@echo "make test-vllm  tests with real vLLM on CPUs, in an environment of its own (3 GB)"
	@echo "make test-cluster  two Ray nodes with Postgres and kills, in an environment of its own (1 GB); needs Postgres' binaries"
	@echo "make test-trainers  exports loaded by the real $(TRAINERS), each in an environment of its own (2 GB each)"
	@echo "make screenshots  the documentation's pictures of Dagit and of the graph, taken anew (needs Chromium)"
	@echo "make lint   ruff check and ruff format --check"
	@echo "make bench  benchmarks"
	@echo "make clean  caches and build results; tables (.lgt) and .venv stay"

venv: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) -c constraints.txt -e '.[embedded,train,photos,dev]'
	touch $@

demo: $(INSTALLED)
	$(BIN)/lgt demo

# One thread: two trainings at a time would only share the cores. INSIGHTS="--minutes 20 --seeds 1": less of it.
insights: $(INSTALLED)
	OMP_NUM_THREADS=1 nice $(BIN)/lgt insights $(INSIGHTS)

dagit: $(INSTALLED)
	$(BIN)/lgt dagit

test: $(INSTALLED)
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

# Afterwards look at every picture in docs/images: a person judges them.
screenshots: $(INSTALLED)
	$(BIN)/python -W ignore -m lgt_assets_tests.graph_picture
	LGT_WRITE_SCREENSHOTS=1 $(BIN)/python -m pytest lgt_assets_tests/dagit_pages

# torchaudio and torchcodec may come as CUDA builds, which break beside a torch for CPUs; nothing here uses them.
venv-vllm:
	@if test -e $(VLLM_STAMP); then exit 0; fi; set -ex; \
	rm -rf $(VLLM_VENV); $(PYTHON) -m venv $(VLLM_VENV); \
	$(VLLM_BIN)/python -m pip install --quiet $(PIP_OPTIONS) -c requirements/vllm-constraints.txt -r requirements/vllm.txt -e .; \
	$(VLLM_BIN)/python -m pip uninstall --quiet --yes torchaudio torchcodec triton; \
	packages=$$($(VLLM_BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	cp requirements/torchvision_without_cuda.py $$packages/; \
	echo 'import torchvision_without_cuda' > $$packages/torchvision_without_cuda.pth; \
	touch $(VLLM_STAMP)
	@$(VLLM_BIN)/python -m pip install --quiet $(PIP_OPTIONS) -c requirements/vllm-constraints.txt -e .

test-vllm: venv-vllm
	$(VLLM_ENVIRONMENT) $(VLLM_BIN)/python -m pytest -m vllm lgt_assets_tests/engines lgt_assets_tests/serving

venv-cluster:
	@if test -e $(CLUSTER_STAMP); then exit 0; fi; set -ex; \
	rm -rf .venv-cluster; $(PYTHON) -m venv .venv-cluster; \
	.venv-cluster/bin/python -m pip install --quiet $(PIP_OPTIONS) -c requirements/cluster-constraints.txt -r requirements/cluster.txt -e .; \
	touch $(CLUSTER_STAMP)
	@.venv-cluster/bin/python -m pip install --quiet $(PIP_OPTIONS) -c requirements/cluster-constraints.txt -e .

# --confcutdir: the fixtures of the main tests need the embedded model, which is not installed there.
test-cluster: venv-cluster
	.venv-cluster/bin/python -m pytest --confcutdir=lgt_assets_tests/cluster lgt_assets_tests/cluster

test-trainers: $(TRAINERS:%=test-%)

# torchvision: as in venv-vllm.
$(TRAINERS:%=venv-%): venv-%:
	@if test -e $(call TRAINER_STAMP,$*); then exit 0; fi; set -ex; \
	rm -rf .venv-$*; $(PYTHON) -m venv .venv-$*; pip=".venv-$*/bin/python -m pip install --quiet $(PIP_OPTIONS)"; \
	$$pip -c requirements/$*-constraints.txt -r requirements/$*.txt; \
	if test -e requirements/$*-alone.txt; then $$pip --no-deps -r requirements/$*-alone.txt; fi; \
	packages=$$(.venv-$*/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	cp requirements/torchvision_without_cuda.py $$packages/; \
	echo 'import torchvision_without_cuda' > $$packages/torchvision_without_cuda.pth; \
	touch $(call TRAINER_STAMP,$*)

trainer-exports: $(INSTALLED)
	$(BIN)/python -m lgt_assets_tests.trainers.exports $(TRAINER_EXPORTS)

# --confcutdir: the fixtures of the main tests need lgt_assets, which is not installed there.
$(TRAINERS:%=test-%): test-%: venv-% trainer-exports
	LGT_TRAINER_EXPORTS=$(abspath $(TRAINER_EXPORTS)) $(TRAINER_ENVIRONMENT) .venv-$*/bin/python -m pytest \
		--confcutdir=lgt_assets_tests/trainers -W ignore::FutureWarning -W ignore::DeprecationWarning lgt_assets_tests/trainers/$*

bench-vllm: venv-vllm
	$(VLLM_ENVIRONMENT) $(VLLM_BIN)/python -m benchmarks.vllm

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

clean:
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis *.egg-info .tmp_dagster_home_*
	find lgt_assets lgt_assets_tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
