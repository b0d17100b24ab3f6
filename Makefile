# What every clone can do. Each target is what a person would type.
.PHONY: dev test bench check setup

REDIS := $(shell command -v redis-server || command -v valkey-server)
DENY := $(shell command -v cargo-deny)

dev: setup
	cargo run

test: setup
	cargo test

check: 
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
