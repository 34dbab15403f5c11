export CGO_ENABLED := 0
# A go.work above this folder does not concern golam.
export GOWORK := off

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Generate a project, build it, and show the claims that its function puts into tokens
	go run ./cmd/demo

.PHONY: test
test: judges ## Run every test, the golden projects and their judges included
	go vet ./...
	rm -rf .cache/counts
	GOLAM_COUNTS="$(CURDIR)/.cache/counts" go test -count=1 -timeout 40m ./...
	@cat .cache/counts/*.txt

.PHONY: judges
judges: ## Install the tools that judge generated projects, once, into .cache
	scripts/install-judges.sh

.PHONY: golden
golden: ## Render the golden projects and the reference documentation again
	go test ./golden -run '^TestGolden$$|^TestReference$$' -update
	go test ./cmd -run '^TestHostileInputIsDocumented$$' -update

.PHONY: sizes
sizes: ## Build the golden projects and hold their packages against the budgets
	python3 scripts/sizes.py

.PHONY: lint
lint: ## Vet golam for every system it runs on, and lint it
	go vet ./...
	GOOS=darwin go vet ./...
	GOOS=windows go vet ./...
	scripts/install-judges.sh golangci-lint
	.cache/judges/bin/golangci-lint run

.PHONY: install
install: ## Install golam to where go install puts programs
	go install ./cmd/golam

.PHONY: benchmarks
benchmarks: ## Measure generated functions beside their peers, and write docs/benchmarks.md
	scripts/install-judges.sh sam
	go run ./bench/lambda -write

.PHONY: bench
bench: ## Measure golam new, and the first call of functions that publish events
	python3 bench/new.py
	go run ./bench/firstcall
