# The verbs. Each is a script in scripts/, which says what it does.
.PHONY: help demo test test-races test-asserts accept unit psql lint fuzz deb install clean
PG ?= 15
PG_CONFIG ?= pg_config

help:
	@echo 'make demo                   plays the main job on a throw-away PostgreSQL 15'
	@echo 'make psql [PG=15]           a throw-away server with a guarded table, and a prompt'
	@echo 'make unit [K=expr]          the tests of the pure crate: no PostgreSQL, seconds'
	@echo 'make test [PG=15|16|17|18|all] [K=expr]   all tests; K: only those whose name matches'
	@echo 'make test-races [PG=15] [ARGS=…]   the full form of the races; ARGS=--help says what can be set'
	@echo 'make test-asserts [PG=15|17|18]   tests against a PostgreSQL built with its own assertions (once per release)'
	@echo 'make accept NAME=x [PG=15]  takes what golden file or isolation spec x prints as expected'
	@echo 'make fuzz [TARGET=json|dialect|digest|request] [FOR=30|-runs=N]   looks for bytes that break the pure crate'
	@echo 'make lint                   rustfmt, clippy, cargo-deny, pgspot, shellcheck and what else needs no test'
	@echo 'make install PG_CONFIG=/path/to/pg_config [DESTDIR=…]   release build into your own server'
	@echo 'make deb PG_CONFIG=/path/to/pg_config   a Debian package of it: target/debian/postgresql-NN-pg-verdict_…deb'
	@echo 'make clean                  removes target/ and the work directory with its PostgreSQL trees'

demo:
	@scripts/demo

psql:
	@scripts/psql $(PG)

unit:
	@scripts/unit $(if $(K),'$(K)')

test:
	@scripts/test $(PG) $(if $(K),-k '$(K)')

test-races:
	@scripts/test-races $(PG) $(ARGS)

test-asserts:
	@scripts/test-asserts $(PG) $(if $(K),-k '$(K)')

accept:
	$(if $(NAME),,$(error say which: make accept NAME=name-of-the-file-without-suffix))@scripts/test $(PG) --accept '$(NAME)'

fuzz:
	@scripts/fuzz $(or $(TARGET),all) $(FOR)

lint:
	@scripts/lint

deb:
	@scripts/deb $(PG_CONFIG)

install:
	@scripts/install $(PG_CONFIG)

clean:
	@scripts/clean
