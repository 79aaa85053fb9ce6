# Everything runs in a virtual environment of its own, .venv; nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(patsubst %/pyproject.toml,-e %,$(wildcard plugins/*/pyproject.toml))
SERVERS := $(patsubst localstack/requirements/%.txt,.venv-%/.done,$(wildcard localstack/requirements/*.txt))
SHOWN := --with aws-kms --with gcp-kms --with vault-transit
# tests/conftest.py says which tests share a worker, and so the servers that it starts.
PARALLEL ?= -n auto --maxprocesses 4 --dist loadgroup
# The official SDK for browsers, bundled with the modules of tests/browser/sdk.
SDK := .local/browser-sdk
BUNDLES := $(SDK)/passkeys.js $(SDK)/direct.js
# The official SDK for TypeScript.
TYPESCRIPT := .local/official-sdks
METADATA := pyproject.toml $(wildcard plugins/*/pyproject.toml) constraints.txt

.PHONY: help demo test soak fuzz check format bench lowest constraints emulator localstack openbao gcp-emulator operations example browser official-sdks deployment clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.runtime $(SERVERS) ## the main job on local servers: sign with each kind of key
	@$(BIN)/dfns-signers demo $(SHOWN)

# The workers and hundreds of further processes compile no module that another one has compiled.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.development $(SERVERS) ## run the test suite; COVERAGE=1 measures coverage, which takes twice as long
	@$(BIN)/python -m pytest $(PARALLEL) $(if $(COVERAGE),--cov --cov-report=term-missing:skip-covered) $(ARGS)

soak: $(VENV)/.development $(SERVERS) ## calls under faults for MINUTES=10; fails if one is lost, doubled or leaks
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10) $(ARGS)

fuzz: $(VENV)/.fuzzing ## fuzz whatever reads foreign bytes, for MINUTES=1 in all
	@$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),1) $(ARGS)

check: $(VENV)/.development ## format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: $(VENV)/.development ## format, and mend what lint can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lowest: ## run the suite on the lowest versions that the metadata allows
	$(call new-venv,.venv-lowest)
	@$(PYTHON) tests/lowest_versions.py pyproject.toml $(wildcard plugins/*/pyproject.toml) > .venv-lowest/constraints.txt
	@.venv-lowest/bin/pip install -q -c .venv-lowest/constraints.txt -e .[cli,emulator,gateway] $(PLUGINS) --group test
	@.venv-lowest/bin/python -m pytest $(ARGS)

bench: $(VENV)/.development $(SERVERS) ## measure, beside what others do, and write tables into .bench
	@$(BIN)/python -m bench $(ARGS)

emulator: $(VENV)/.runtime ## run a local Dfns API until Ctrl-C, and print a command that makes a signed call there
	@$(BIN)/dfns-signers emulator --listen 127.0.0.1:8080 --admin emulator $(ARGS)

localstack: $(VENV)/.runtime .venv-$(if $(findstring --ministack,$(ARGS)),ministack,localstack)/.done ## the same with keys in LocalStack, and print profiles that use them; ARGS=--ministack: in MiniStack
	@$(BIN)/python localstack/serve.py $(ARGS)

openbao: $(VENV)/.runtime .venv-openbao/.done ## the same in OpenBao, for Vault Transit
	@$(BIN)/python localstack/serve_openbao.py $(ARGS)

gcp-emulator: $(VENV)/.runtime ## the same in the Cloud KMS emulator
	@$(BIN)/python localstack/serve_gcp.py $(ARGS)

example: $(VENV)/.runtime ## run the web application of docs/delegated-signing.md against a local Dfns API
	@$(BIN)/python -m examples.delegated_signing $(ARGS)

browser: $(VENV)/.development $(BUNDLES) ## drive it in headless Chromium; screenshots go into .local/screenshots
	@$(BIN)/python -m pytest tests/browser $(ARGS)

official-sdks: $(VENV)/.development $(TYPESCRIPT)/node_modules ## call every method of the official SDK for TypeScript, also through a gateway; needs Node.js and a JDK
	@$(BIN)/python -m pytest tests/official_sdks $(ARGS)

deployment: $(VENV)/.development ## check the files in deploy with the tools of those that they are for; needs systemd
	@$(BIN)/pip install -q --group deployment
	@$(BIN)/python -m pytest tests/deployment $(ARGS)

constraints: | $(VENV)/bin/pip ## renew constraints.txt from the newest versions, for every Python from 3.10
	@$(BIN)/pip install -q uv
	@printf -- '-e %s\n' '.[cli,emulator,gateway]' $(patsubst %/pyproject.toml,./%,$(wildcard plugins/*/pyproject.toml)) \
	| $(BIN)/uv pip compile -q --universal --python-version 3.10 --no-header --no-annotate - --group check \
	| grep == > constraints.txt

operations: $(VENV)/.development ## renew the table of operations from the newest official SDKs; needs Node.js
	@$(BIN)/python -m scripts.renew_operations

clean: ## remove the environments and everything that tools left
	rm -rf .venv .venv-* .local .bench .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

# Debian's Python has no ensurepip: the environment is made without pip, and pip is put into it.
define new-venv
	@rm -rf $(1)
	@$(PYTHON) -m venv --without-pip $(1)
	@$(PYTHON) -m pip --python $(1)/bin/python install -q --disable-pip-version-check "pip>=25.1"
endef

define install-from-npm
	@command -v npm >/dev/null || { echo "npm not found: apt-get install npm"; exit 1; }
	@mkdir -p $(1) && cp $< $(1)
	@npm install --prefix $(1) $(2) --no-package-lock --no-audit --no-fund --loglevel=error \
	|| { echo "npm could not install what $< names: is its registry in reach?"; exit 1; }
	@touch $@
endef

# Each server for tests lives in an environment of its own, for its pins conflict with ours.
.venv-%/.done: localstack/requirements/%.txt
	@echo "installing $* into .venv-$* ..."
	$(call new-venv,.venv-$*)
	@.venv-$*/bin/pip install -q -r $<
	@touch $@

$(SDK)/node_modules: tests/browser/sdk/package.json
	$(call install-from-npm,$(SDK))

# The key signer has not named the version of the SDK that it works with.
$(TYPESCRIPT)/node_modules: tests/official_sdks/package.json
	$(call install-from-npm,$(TYPESCRIPT),--legacy-peer-deps)

$(SDK)/%.js: tests/browser/sdk/%.js examples/delegated_signing/page/passkeys.js | $(SDK)/node_modules
	@NODE_PATH=$(SDK)/node_modules $(SDK)/node_modules/.bin/esbuild $< --bundle --format=esm --log-level=error --outfile=$@

$(VENV)/bin/pip:
	$(call new-venv,$(VENV))

$(VENV)/.runtime: $(METADATA) | $(VENV)/bin/pip
	@echo "installing into $(VENV) ..."
	@$(BIN)/pip install -q -c constraints.txt -e .[cli,emulator,gateway] $(PLUGINS)
	@touch $@

$(VENV)/.development: $(METADATA) $(VENV)/.runtime | $(VENV)/bin/pip
	@$(BIN)/pip install -q -c constraints.txt -e .[cli,emulator,gateway] $(PLUGINS) --group check
	@touch $@

$(VENV)/.fuzzing: $(VENV)/.development
	@$(BIN)/pip install -q --group fuzz
	@touch $@
