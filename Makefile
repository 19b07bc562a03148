# Nothing is asked of the machine but make and Python 3.11 or newer.
# ARGS="…" reaches the program: make run ARGS="--once"

PYTHON ?= python3
VENV := .venv
# Where bytecode may not be kept, every process compiles all that it imports, each time.
unexport PYTHONDONTWRITEBYTECODE
# Where this is set, `python -m` doesn't find what lies here.
unexport PYTHONSAFEPATH
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := $(VENV)/.ready-tools

.PHONY: always help setup tools run test test-long test-peers test-engine quick check docs listing bench headline alternatives package preview deploy destroy lock clean

help:  ## show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 10

setup: $(READY)  ## make .venv from the lock files (the other targets do it, and add the tools that they need)

tools: $(TOOLS)  ## add what tests and checks need

# An interpreter that is gone, after an upgrade of the machine's, has it set up again.
BROKEN := $(shell [ ! -e $(READY) ] || $(BIN)/python -c "" 2>/dev/null || echo broken)

$(READY): requirements.txt requirements/uv.txt $(if $(BROKEN),always)
	@$(PYTHON) -I set_up.py

$(TOOLS): requirements/dev.txt $(READY)
	@$(PYTHON) -I set_up.py tools

always:

run: $(READY)  ## the whole system on this machine: make run, or make run ARGS="--once"
	@trap : INT; $(BIN)/python -m local up $(ARGS) || { code=$$?; [ $$code -eq 130 ] || exit $$code; }

test: $(TOOLS)  ## every test
	@$(BIN)/python -m pytest $(ARGS)

test-long: $(TOOLS)  ## every test, the long ones too, and the table in docs/reliability.md
	@rm -rf .daybook/faults
	@DAYBOOK_LONG=1 DAYBOOK_FAULTS=.daybook/faults $(BIN)/python -m pytest $(ARGS)
	@$(BIN)/python tests/reliability.py .daybook/faults

# Engines that nobody here wrote, each of one version, kept in .daybook/peers: tests/peers.
PEERS := .daybook/peers
MINISTACK := 1.5.33
RUNTIME_EMULATOR := v0.0.0-20261030222936-bef5c4ba774d
GO := $(shell command -v go || ls /usr/local/go/bin/go 2>/dev/null)

test-peers: $(TOOLS) $(PEERS)/.node $(PEERS)/ministack-$(MINISTACK) $(PEERS)/.rie-$(RUNTIME_EMULATOR)  ## the stack, its parts and its packages on engines that nobody here wrote
	@DAYBOOK_PEERS=1 $(BIN)/python -m pytest tests/test_peers_*.py $(ARGS)

$(PEERS)/.node: tests/peers/package-lock.json
	@mkdir -p $(PEERS) && cp tests/peers/package.json tests/peers/package-lock.json tests/peers/.npmrc $(PEERS)
	@(command -v npm && cd $(PEERS) && npm ci --silent && touch .node) >/dev/null || echo "No Node.js here, or no registry for it: Kinesis and DynamoDB are not tried on other engines."

$(PEERS)/ministack-$(MINISTACK): tests/peers/ministack.txt | $(TOOLS)
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $@
	@$(BIN)/uv pip install --quiet --python $@/bin/python --require-hashes --requirement tests/peers/ministack.txt
	@ln -sfn $(@F) $(PEERS)/ministack && touch $@

$(PEERS)/.rie-$(RUNTIME_EMULATOR):
	@mkdir -p $(PEERS)
	@([ -n "$(GO)" ] && GOBIN=$(abspath $(PEERS))/bin $(GO) install github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@$(RUNTIME_EMULATOR) && touch $@) || echo "No Go here, or no modules for it: the packages are not tried on AWS's runtime emulator."

test-engine: $(TOOLS)  ## pulumi up by Pulumi's own engine, into the local cloud; needs pulumi, or Go to build it once
	@$(BIN)/python tests/engine/pulumi_cli.py
	@DAYBOOK_ENGINE=1 $(BIN)/python -m pytest tests/engine $(ARGS)

quick: $(TOOLS)  ## the tests without the local cloud: half a minute
	@$(BIN)/python -m pytest -m "not cloud" $(ARGS)

check: $(TOOLS)  ## ruff, basedpyright, import-linter
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python $(BIN)/basedpyright && $(BIN)/python $(BIN)/lint-imports

docs: $(TOOLS)  ## write docs/commands.md, settings.md and schemas/ anew, from the code
	@$(BIN)/python -m docs.generate

listing: $(TOOLS)  ## write tests/golden/resources.yaml anew, after a change of the stack that is meant
	@PYTHONPATH=. $(BIN)/python -W ignore tests/listing.py

bench: $(TOOLS)  ## the goals of speed and cost, measured here: benchmarks/results.json
	@$(BIN)/python -m benchmarks $(ARGS)

headline: $(READY)  ## how wrong the usual increment is, on the sources' own history: 200 MB, fetched once, or from DAYBOOK_DATA
	@$(BIN)/python -m benchmarks.headline

alternatives: $(READY)  ## the table of docs/why-not.md: other ways of keeping the record, on the same publishing history
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --target .daybook/alternatives --requirement benchmarks/alternatives.txt
	@$(BIN)/python -m benchmarks.alternatives $(ARGS)

package: $(READY)  ## what is uploaded beside the code: layers and the dashboard's bundle, in .daybook/packages
	@$(BIN)/python -m infra.package

# The stack is Pulumi's: make deploy STACK=prod. In a workflow: ARGS="--yes --non-interactive".
STACK ?= dev
PULUMI = command -v pulumi >/dev/null || { echo "Pulumi's CLI is missing: https://www.pulumi.com/docs/install/"; exit 1; }; pulumi

preview: package  ## what a deployment would change: make preview STACK=prod
	@$(PULUMI) preview --stack $(STACK) $(ARGS)

# OPS finds the region in the stack's settings. HISTORY=1 enters the public history before the first run.
OPS = AWS_REGION=$$(pulumi config get aws:region --stack $(STACK) 2>/dev/null || echo "$$AWS_REGION") \
	$(BIN)/python -m ops --stack $(STACK)

deploy: package  ## deploy, then make a run and wait for its report; HISTORY=1: first the sources' public history
	@$(PULUMI) up --stack $(STACK) $(ARGS)
	@$(if $(filter 1,$(HISTORY)),$(OPS) backfill)
	@$(OPS) run --wait

destroy: $(READY)  ## take a stack down; what is protected stays: docs/deploying.md
	@$(PULUMI) destroy --stack $(STACK) $(ARGS)

lock: $(TOOLS)  ## resolve the lock files again from requirements/*.in
	@for name in dashboard run dev uv functions fetcher lambda; do \
		out=requirements/$$name.txt; python=3.11; \
		[ $$name = run ] && out=requirements.txt; \
		[ $$name = dashboard ] && out=dashboard/requirements.txt; \
		case $$name in functions | fetcher | lambda) python=3.13 ;; esac; \
		$(BIN)/uv pip compile --quiet --universal --python-version $$python --generate-hashes --no-header $(ARGS) requirements/$$name.in -o $$out || exit 1; \
	done
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(ARGS) tests/peers/ministack.in -o tests/peers/ministack.txt
	@cd tests/peers && npm install --silent --package-lock-only

clean:  ## remove what was made here, the local cloud's state included
	rm -rf $(VENV) .daybook .pytest_cache .ruff_cache
