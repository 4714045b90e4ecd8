# Needs Python 3.11+ and make; everything else is installed into .venv from the lock file.
PYTHON ?= python3
UV := .venv-tools/bin/uv
CASEBRIDGE := .venv/bin/casebridge
export UV_PYTHON_DOWNLOADS = never

.PHONY: audit sbom setup demo test lint openapi bench fuzz paging probes duplicates clients oracle clean

setup: .venv/.ready

.venv/.ready: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Casebridge needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(UV) || { $(PYTHON) -m venv .venv-tools && .venv-tools/bin/pip install --quiet 'uv>=0.9'; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@$(UV) sync --frozen --quiet
	@touch .venv/.ready

demo: setup
	@$(CASEBRIDGE) demo $(ARGS)

test: setup lint
	.venv/bin/python -m pytest -n 2 --dist worksteal $(ARGS)

lint: setup
	.venv/bin/ruff format --check --quiet .
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

# What we ship, as CycloneDX, and whether anything of it has a known hole (OSV). Not fatal where the database is away.
sbom: setup
	@mkdir -p dist
	@$(UV) export --frozen --no-dev --no-emit-project --quiet --preview-features sbom-export --format cyclonedx1.5 \
	  --output-file dist/sbom.cdx.json
	@echo "dist/sbom.cdx.json"

audit: setup
	@UV=$(UV) sh scripts/audit_dependencies.sh

openapi: setup
	.venv/bin/python scripts/write_openapi.py

bench: setup
	$(CASEBRIDGE) bench $(ARGS)

# 100,000 resources loaded, then searches followed to their end while 1,000 of them change.
paging: setup
	.venv/bin/python scripts/paging.py $(ARGS)

fuzz: setup
	.venv/bin/python scripts/fuzz.py --requests 20000 $(ARGS)

# 3,000 questions of a partner for what is not its own, each compared with a service that does not hold it.
probes: setup
	CASEBRIDGE_PROBES=$${CASEBRIDGE_PROBES:-3000} .venv/bin/python -m pytest -q tests/stories/test_probes.py $(ARGS)

# 2,000 labelled pairs of services: precision and recall, and whether anything hidden is told.
duplicates: setup
	CASEBRIDGE_PAIRS=2000 .venv/bin/python -m pytest -q -s tests/coordination/test_duplicates.py \
	  tests/flows/test_hidden_duplicates.py $(ARGS)

# Real clients against a running service: libraries of npm (Node 20 or newer), smart-fetch for bulk data (run by uv).
clients: setup
	cd tests/clients && npm ci --silent
	.venv/bin/python tests/clients/run.py
	UV=$(UV) .venv/bin/python tests/clients/bulk.py

# 500 referrals to five agencies, one away, one flaky, one slow, 20 workers killed: minutes.
faults: setup
	.venv/bin/python tests/stories/faults.py $(ARGS)

oracle: setup
	.venv/bin/python scripts/oracle.py

clean:
	rm -rf .venv .venv-tools .demo data
