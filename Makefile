# basegate: what a person types. `make help` lists the targets; each needs only Python >= 3.11 and make to begin with.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DATA ?= ./data
LISTEN ?= 127.0.0.1:5000
JOBS ?= 2
export PATH := $(CURDIR)/.tools/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help serve install develop tools lint types contracts unit clients clients-table conformance artifacts test test-azure test-kubernetes test-cosign test-kyverno test-cluster test-cgroup2 test-mirror azure-requirements web-shots bench bench-registries testing-cycles fuzz crash runtime runtime-fuzz cut-pushes events import-memory requirements clean

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

serve: install ## start the registry on LISTEN with its data in DATA
	@exec $(BIN)/basegate serve --data $(DATA) --listen $(LISTEN)

install: $(VENV)/.runtime ## .venv with the pinned dependencies
develop: $(VENV)/.develop ## .venv with the development tools as well

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no Python >= 3.11 found on PATH; install one or run make PYTHON=/path/to/python3"; exit 2; }
	@echo "creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { echo "cannot create $(VENV): on Debian and Ubuntu install the package python3-venv"; rm -rf $(VENV); exit 2; }

# The project itself is installed without build isolation: its build backend is pinned in requirements.txt too.
# What the server imports is compiled now: a start that finds no bytecode takes three times as long.
$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	@echo "installing the pinned dependencies"
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -c "import policy.cli.serve, policy.inspection.worker.main, jwt, uvloop; from policy.web.environment import compile_all; compile_all()"
	@touch $@

$(VENV)/.develop: requirements-dev.txt $(VENV)/.runtime
	@echo "installing the pinned development tools"
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@

tools: develop ## what the client and conformance tests drive (apt as root; Go modules into .tools/bin)
	@sh .ci/system-packages
	@sh .ci/go-tools
	@sh .ci/go-tools .ci/bench-registries.txt registry
	@sh .ci/debian-root
	@sh .ci/promtool
	@[ "$$CI" != true ] || sh .ci/azure-clients

lint: develop ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: develop ## mypy --strict over source and tests
	@$(BIN)/mypy registry policy tests

contracts: develop ## the arrows between packages
	@$(BIN)/lint-imports

unit: develop ## every test that needs nothing but Python
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "not client and not conformance" $(ARGS)

clients: tools ## docker, podman, skopeo, … against a live server
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup tests/clients $(ARGS)

clients-table: tools ## docs/clients.md, from a run of the client tests
	@$(BIN)/python -m pytest tests/clients --clients-table docs/clients.md $(ARGS)

runtime: tools ## what docker, containerd and podman show in images of every kind: all cases
	@RUNTIME_ALL=1 $(BIN)/python -m pytest -n $(JOBS) tests/runtime $(ARGS)

runtime-fuzz: tools ## the same of random stacks of layers (SEED, COUNT, ARGS=--torn); goes on where it stopped
	@sh .ci/newest-containerd
	@$(BIN)/python -m tests.runtime --seed $(or $(SEED),0) --count $(or $(COUNT),5000) $(ARGS)

cut-pushes: tools ## pushes over a TLS line that is cut at any byte (COUNT in all), and what became of them
	@CUT_PUSHES=$(or $(COUNT),200) $(BIN)/python -m pytest -s tests/clients/test_many_cuts.py $(ARGS)

artifacts: tools ## what helm, cosign, ko, conftest and BuildKit push (builds them first)
	@sh .ci/go-tools .ci/artifact-tools.txt
	@ARTIFACT_TOOLS=1 $(BIN)/python -m pytest tests/clients/test_artifact_tools.py tests/clients/test_buildkit_cache.py $(ARGS)

conformance: tools ## the official suite of the OCI distribution specification, every profile
	@$(BIN)/python -m pytest -n $(JOBS) tests/conformance_suite $(ARGS)

# Style, types and import contracts are tests as well (tests/architecture).
test: tools ## everything
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

test-azure: tools ## Microsoft's own clients (az, azure-ai-ml, azureml-core, azure-containerregistry) against a live server; part of `test` where CI=true
	@sh .ci/azure-clients
	@$(BIN)/python -m pytest tests/clients/azure $(ARGS)

test-mirror: tools bench-registries ## the pull-through cache with distribution and zot as upstreams, and its readers, containerd 2 too
	@sh .ci/newest-containerd
	@NEWEST_CONTAINERD=1 MIRROR_ZOT=1 $(BIN)/python -m pytest tests/registry/mirror tests/registry/registry_client tests/policy/test_mirror_doors.py \
		tests/crash/test_killed_fetches.py tests/clients/test_mirror_readers.py $(ARGS)

test-cgroup2: tools ## limits of builds under cgroup v2: in an emulated machine with Debian's kernel, over this one's own tree, read-only (as root; slow)
	@sh .ci/cgroup2-machine
	@sh .ci/in-cgroup2-machine -v --tb short $(or $(ARGS),tests/policy/azure/builds)

test-kubernetes: develop ## parts of Kubernetes itself (ImagePolicyWebhook, kube-apiserver) ask a live server; compiles them first
	@sh .ci/kubernetes-programs
	@KUBERNETES=1 $(BIN)/python -m pytest tests/kubernetes $(ARGS)

test-cosign: develop ## stock cosign (3.1.3, 2.6.5) verifies signed verdicts of a live server; builds both first
	@sh .ci/cosign
	@COSIGN=1 $(BIN)/python -m pytest tests/cosign $(ARGS)

test-kyverno: develop ## Kyverno's command line (1.19.1) judges Pods by signed verdicts of a live server; compiles it first
	@sh .ci/kyverno
	@KYVERNO=1 $(BIN)/python -m pytest tests/kyverno $(ARGS)

test-cluster: tools ## versitygw (S3), azurite (Azure): what every store promises, and real clients; two nodes behind nginx; the chart
	@sh .ci/object-stores
	@sh .ci/go-tools .ci/artifact-tools.txt helm
	@CLUSTER=1 $(BIN)/python -m pytest tests/cluster $(ARGS)

web-shots: tools ## pictures of every page, at 320 and 1280 px, light and dark, into results/web-shots
	@$(BIN)/python -m tests.policy.web.shots results/web-shots

testing-cycles: develop ## registries for tests, started and ended 1,000 times: what is left, and how long each takes
	@$(BIN)/python -m tests.policy.testing.cycles 1000

bench-registries: ## the registries that the bench measures beside basegate, into .tools/bin
	@sh .ci/go-tools .ci/bench-registries.txt

bench: develop ## measure beside other registries, in interleaved rounds (ARGS: see python -m tests.bench run --help)
	@$(BIN)/python -m tests.bench run $(ARGS)

fuzz: develop ## the long mode of the inspection's fuzzing (CASES, default a million)
	@FUZZ_CASES=$(or $(CASES),1000000) $(BIN)/python -m pytest --timeout 0 tests/fuzz $(ARGS)

crash: develop ## faults in a live registry: kills, power cuts, refused calls (SEED, COUNT); goes on where it stopped
	@$(BIN)/python -m tests.crash --seed $(or $(SEED),0) --count $(or $(COUNT),10000) $(ARGS)

events: develop ## events with a sink that is dead and then alive, and kills (COUNT, KILLS)
	@$(BIN)/python -m tests.crash.event_sinks $(or $(COUNT),1000000) $(or $(KILLS),100)

import-memory: develop ## the memory of an import and an export of 5 GB (10 GB of disk)
	@IMPORT_BYTES=5368709120 $(BIN)/python -m pytest -s tests/policy/cli/test_import_memory.py $(ARGS)

# Run by hand when pyproject.toml changes; the files are committed.
requirements: develop ## pin the dependencies anew
	@echo "setuptools>=77" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make requirements" pyproject.toml - --output-file requirements.txt $(UPGRADE)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --constraint requirements.txt \
		--custom-compile-command "make requirements" --extra dev pyproject.toml --output-file requirements-dev.txt $(UPGRADE)
	@echo "setuptools>=77" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --constraint requirements.txt \
		--custom-compile-command "make requirements" --extra cluster pyproject.toml - --output-file requirements-cluster.txt $(UPGRADE)

AZURE_PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make azure-requirements"

# Run by hand for newer clients; the lists are committed. azureml-core wants a setuptools before 80.
azure-requirements: develop ## pin Microsoft's clients anew
	@echo "azure-cli" | $(AZURE_PIN) - --output-file .ci/azure-cli.txt $(UPGRADE)
	@echo "azure-ai-ml" | $(AZURE_PIN) - --output-file .ci/azure-ai-ml.txt $(UPGRADE)
	@printf 'azure-containerregistry\nazure-identity\n' | $(AZURE_PIN) - --output-file .ci/azure-containerregistry.txt $(UPGRADE)
	@printf 'azureml-core\nsetuptools<80\n' | $(AZURE_PIN) - --output-file .ci/azureml-core.txt $(UPGRADE)

clean: ## everything that was built; the data folder stays
	rm -rf $(VENV) .tools build results .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
