# Developer commands. Python 3.11 or newer with venv, and make, are all that a machine needs.
#   make shell    a shell on the demo node, through the deployed stacks (starts all that it needs)
#   make test     every test, with coverage; ARGS='-k …' chooses some
#   make check    formatting, lint, types, import rules and the quick tests
#   make up/down  the embedded AWS with stacks and demo, in the background
#   make synth    the CloudFormation templates, without an account
#   make deploy   into the AWS account of your credentials; ARGS='-c stage=…' go to the CDK
#   make agent-bundle  the agent and its installer as one archive; ARGS=--wheels with its packages
#   make lock     pins requirements.in again

.DEFAULT_GOAL := help
.PHONY: help prepare shell up down synth deploy test check lint unit agent-bundle lock

python := .venv/bin/python
# The CDK's Python runs Node, which is in the virtual environment.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
code := hatchway lambdas agent infra local tests tools app.py

help:
	@sed -n 's/^#   //p' Makefile

prepare:
	@local/prepare.sh </dev/null

shell: prepare
	@$(python) -m local shell

up: prepare
	@$(python) -m local up

down: prepare
	@$(python) -m local down

synth: prepare
	@$(python) -m local synth

deploy: prepare
	@$(python) -m local deploy $(ARGS)

# All tests, at length; with ARGS, those that they choose. What must be covered is asked of all only.
test: prepare
	@$(python) -m pytest --hypothesis-profile=ci --cov --cov-report=term:skip-covered \
	    $(if $(ARGS),$(ARGS),--cov-fail-under=95)
	@$(if $(ARGS),:,$(core_coverage))

# The core is covered to the last branch: silent when it is.
core_coverage = table=$$($(python) -m coverage report --include='hatchway/core/*' --skip-covered \
    --show-missing --fail-under=100) || { echo "$$table"; exit 1; }

check: lint unit

lint: prepare
	.venv/bin/ruff format --check $(wildcard $(code) benchmarks)
	.venv/bin/ruff check $(wildcard $(code) benchmarks)
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

unit: prepare
	$(python) -m pytest -q -n auto --dist loadgroup -m 'not stack and not slow' tests/infra tests/unit tests/contract

agent-bundle: prepare
	@$(python) -m tools.agent_bundle $(ARGS)

pin = .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
    --universal -p 3.11 --custom-compile-command 'make lock'

lock: prepare
	$(pin) requirements.in -o requirements.txt
	$(pin) -c requirements.txt lambdas/requirements.in -o lambdas/requirements.txt
	$(pin) -c requirements.txt agent/requirements.in -o agent/requirements.txt
