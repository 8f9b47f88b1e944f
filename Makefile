# Everything runs in a locked environment that scripts/bootstrap makes: Python 3.11 or newer and git are enough.
# Settings can be given to every target: make dev PAGE_PORT=9090 LLM_MODELS=local/responder (see .env.example).
.DEFAULT_GOAL := help
.PHONY: help dev test test-unit chaos scenes replay bench lint format container audit lock token page livekit-server clean

RUN := @exec sh scripts/bootstrap

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  Ports are chosen with PAGE_PORT, LIVEKIT_PORT, MODELS_PORT and WORKER_PORT (0: any free one),"
	@echo "  e.g. make dev PAGE_PORT=9090; .env.example lists every setting."

dev: ## run everything: LiveKit, chat, local models, page and worker, on http://127.0.0.1:8080
	$(RUN) python -m agent dev

test: ## run every check and test, in a real browser too (ARGS="-k words" goes to pytest)
	$(RUN) sh scripts/test $(ARGS)

test-unit: ## run the fast tests alone
	$(RUN) python -m pytest tests/unit $(ARGS)

chaos: ## break everything in the middle of many calls: make chaos SEED=7 TURNS=1000; without a seed another one each time; ARGS=--live: real calls
	$(RUN) python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(TURNS),--turns $(TURNS)) $(ARGS)

bench: ## measure on this machine: make bench ARGS="bridge", ARGS="--help" for all
	$(RUN) python -m bench $(ARGS)

scenes: ## play the scenes of tests/scenes and say how each went (ARGS="--room" for a real room)
	$(RUN) python -m tests.scenes $(ARGS)

replay: ## run a recording through the pipeline: make replay FILE=call.wav (ARGS="--fast" for no waiting)
	$(RUN) python -m agent replay "$(FILE)" $(ARGS)

lint: ## check format, style and types
	$(RUN) sh -c 'ruff format --check . && ruff check . && mypy'

format: ## format the Python sources
	$(RUN) sh -c 'ruff format . && ruff check --fix .'

container: ## build the image's steps in a clean Debian, start the worker from it and call it (Linux, root; ARGS=trial: the whole trial)
	$(RUN) sh scripts/container-check $(ARGS)

audit: ## ask OSV for known vulnerabilities of what is locked (ARGS=--strict: fail where OSV is not reached)
	$(RUN) python scripts/audit $(ARGS)

lock: ## pin what pyproject.toml asks for (needs uv); ARGS=--upgrade for the newest allowed versions
	@sh scripts/lock $(ARGS)

token: ## print an address and a token to join a call: make token CONVERSATION=42
	$(RUN) python -m agent token --conversation "$(or $(CONVERSATION),cli)"

page: ## build the page if its sources have changed
	$(RUN) python -m agent.dev.prepare page

livekit-server: ## build livekit-server if there is none
	$(RUN) python -m agent.dev.prepare livekit-server

clean: ## remove what was built and installed here; conversations in .data stay
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis agent/dev/page/dist agent/dev/page/node_modules
