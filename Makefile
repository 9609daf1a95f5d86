# TrueSeat. `make demo` sets everything up and runs the main job; `make test` sets everything up and passes the tests.
PY := PYTHONUTF8=1 .venv/bin/python
PACKAGES := ledger agent client server_stub

.DEFAULT_GOAL := help
.PHONY: $(shell awk -F: "/^[a-z-]+:/ {print \$$1}" $(MAKEFILE_LIST))

help:  ## print all targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup-app:
	@build/setup.sh app

setup-dev:
	@build/setup.sh dev

demo: setup-app  ## the main job end to end: server, lesson, checks, archive, report (TAMPER=1: change one byte and see it refused; ROUTE=code: by a learner who shows no face; ENGINE=dnn: by the phone's eyes; WITNESSES=3: the class log watched)
	@$(PY) build/demo.py $(if $(TAMPER),--tamper) $(if $(HEADLESS),--headless) $(if $(ROUTE),--route $(ROUTE)) $(if $(ENGINE),--engine $(ENGINE)) $(if $(WITNESSES),--witnesses $(WITNESSES))

test: setup-dev lint  ## set everything up and pass all tests
	@$(PY) -m pytest -n 3 --dist loadgroup --durations=10

quick: setup-dev  ## the fast tests, a minute and a half on two quiet cores: nothing over half a second of work, every 8th story on a whole server, a tenth of the random examples
	@PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/.work/bytecode HYPOTHESIS_PROFILE=quick $(PY) -m pytest -n 2 --dist loadgroup --stories 8 -m "not slow and not x11" tests/ledger tests/agent tests/client tests/server_stub

lint: setup-dev
	@$(PY) -m ruff check $(PACKAGES) tests build
	@$(PY) -m mypy $(PACKAGES)
	@.venv/bin/lint-imports --no-cache >.venv/imports.log || { cat .venv/imports.log; exit 1; }
	@$(PY) build/errors_page.py --check
	@$(PY) build/licences.py --check

screens: setup-dev  ## every screen of the client, light and dark, some in English and at 200 %, and every page of the server, into docs/screens/
	@$(PY) -m client.player.gallery docs/screens
	@$(PY) -m tests.server_stub.screens docs/screens

pictures: setup-dev  ## the reference thumbnails of the screens anew
	@$(PY) -m tests.client.player.pictures --write

test-layout: setup-dev  ## every screen at five sizes, two sizes of text, both languages
	@TRUESEAT_LONG=1 $(PY) -m tests.client.player.scenes layout 1280x800

docs: setup-dev  ## generate docs/errors.md and docs/*.schema.json from the types
	@$(PY) build/errors_page.py
	@for what in events leaves report; do $(PY) -m ledger schema $$what > docs/$$what.schema.json; done

bench-player: setup-app  ## our player beside the bare one in one run
	@$(PY) build/bench_player.py

bench-proctor: setup-app  ## the detectors beside the plain reference chain and two peers, in one run (about 10 minutes)
	@[ -x .work/peers/bin/python ] || .venv/bin/uv venv -q --python 3.11 .work/peers
	@.venv/bin/uv pip install -q --python .work/peers/bin/python --require-hashes -r build/requirements/peers.txt
	@$(PY) build/bench_proctor.py --peers .work/peers/bin/python

bench-oldpc: setup-dev  ## (root, for the control groups) the whole lesson on one core and 2 GiB: memory, sound, checks
	@$(PY) build/bench_oldpc.py

pack: setup-app  ## encrypt a course package (COURSE=folder OUT=folder)
	@$(PY) build/pack_course.py $(COURSE) $(OUT)

lesson: setup-app  ## make the demo lesson's media again
	@$(PY) build/make_demo_lesson.py

test-long: setup-dev  ## the long forms: every byte of an archive flipped, more random examples
	@TRUESEAT_LONG=1 $(PY) -m pytest tests/ledger tests/client/test_session_properties.py tests/e2e/test_demo.py tests/e2e/test_text.py tests/e2e/test_hosts.py

bench-ledger: setup-dev  ## how close verification is to what the hardware must do: a million events, one line of JSON (about 10 minutes)
	@$(PY) -m tests.bench.ledger

fuzz-ledger: setup-dev  ## a million bent inputs for every parser of the ledger, a quarter as many steered by coverage (COUNT=…)
	@.venv/bin/uv pip install -q --python .venv/bin/python --require-hashes -r build/requirements/fuzz.txt
	@$(PY) -m tests.bench.fuzz $(if $(COUNT),--count $(COUNT))

bench-agent: setup-dev  ## what the agent costs at 150 and 1,000 processes, beside psutil, in one run
	@$(PY) tests/agent/bench_scan.py 150 1000

bench-pad: setup-dev  ## PAD on the attack range by species, without a species and a person, with a challenge, and its cost (RANGE=folder; 20 minutes)
	@nice -n 10 $(PY) build/bench_pad.py $(if $(RANGE),--range $(RANGE)) --out .work/pad.json

test-x11: setup-dev  ## the window on a real X server: foreground, a whole lesson at the desk, and one by a screen reader alone
	@TRUESEAT_LONG=1 $(PY) -m pytest -rs -m x11 tests

tools: setup-dev  ## (root) install the tools that the agent is tried against
	@build/tools.sh

test-tools: setup-dev  ## the agent against real tools and an honest desktop; prints which ran and which were left out
	@TRUESEAT_TOOLS=1 $(PY) -m pytest -vv -rs tests/agent/test_tools.py tests/agent/test_x11.py tests/agent/test_desktop.py tests/agent/test_tools_long.py

test-wine: setup-dev  ## the Windows collectors, the guard and its pipe under Wine, against tools built as .exe (the first time, as root, it installs Wine)
	@build/wine.sh setup
	@TRUESEAT_LONG=1 $(PY) -m pytest -s -rs tests/agent/windows/test_wine.py tests/client/player/test_windows.py tests/client/test_balloon.py tests/client/player/test_adapters.py tests/client/test_config.py

test-ray: setup-dev  ## archives verified by two workers of Ray, in an environment of its own
	@[ -x .work/ray/bin/python ] || .venv/bin/uv venv -q --python .venv/bin/python .work/ray
	@.venv/bin/uv pip install -q --python .work/ray/bin/python --require-hashes -r build/requirements/dev.txt -r build/requirements/ray.txt
	@PYTHONUTF8=1 .work/ray/bin/python -m pytest -rs tests/ledger/test_engine.py

test-api: setup-dev  ## the published interface under fire of schemathesis, in an environment of its own
	@[ -x .work/schemathesis/bin/python ] || .venv/bin/uv venv -q --python .venv/bin/python .work/schemathesis
	@.venv/bin/uv pip install -q --python .work/schemathesis/bin/python --require-hashes -r build/requirements/schemathesis.txt
	@$(PY) build/test_api.py --schemathesis .work/schemathesis/bin/schemathesis --examples 10
	@$(PY) build/test_api.py --schemathesis .work/schemathesis/bin/schemathesis --examples 5 --known

test-web: setup-dev  ## the staff's pages in real Chromium, and every route by every role
	@$(PY) -m pytest -rs tests/server_stub/test_browser.py tests/server_stub/test_privileges.py tests/server_stub/test_accessible.py tests/server_stub/test_passkeys.py tests/server_stub/test_me.py tests/server_stub/test_rooms.py tests/server_stub/test_warnings.py tests/server_stub/test_live_browser.py tests/server_stub/test_keyboard.py tests/server_stub/test_page_attacks.py tests/server_stub/test_waiting.py tests/server_stub/test_words.py

test-update: setup-dev  ## updates of the client against a repository on this machine, with the attacks that TUF names
	@$(PY) -m pytest -rs tests/client/sync/test_updates.py

bench-update: setup-dev  ## bytes that an update fetches where only our code changed (needs make freeze)
	@xvfb-run -a $(PY) build/bench_update.py

bench-bundle: setup-dev  ## what holding a client's bundle to its signed list costs (needs make freeze)
	@$(PY) build/bench_bundle.py dist/trueseat

test-postgres: setup-dev  ## people in a real PostgreSQL (Debian's postgresql)
	@TRUESEAT_POSTGRES=1 $(PY) -m pytest -rs tests/server_stub/test_postgres.py

bench-server: setup-dev  ## ingest beside its bare floor, and flat to 200,000 stored segments
	@$(PY) build/bench_server.py

bench-supervision: setup-dev  ## how long a public draw takes beside its hashes
	@$(PY) build/bench_supervision.py

bench-crash: setup-dev  ## never lose a minute: ten ways to be hurt, 100 times each at random moments, one line of JSON
	@$(PY) build/bench_crash.py

bench-warnings: setup-dev  ## what each early warning makes of labelled cohorts: precision and recall, one line of JSON
	@$(PY) build/bench_warnings.py

bench-people: setup-dev  ## 100,000 learners: import and search
	@$(PY) build/bench_people.py

bench-photo: setup-dev  ## how small a photo of a check is, and how much of the face is left
	@$(PY) -m tests.client.proctor.bench_photo

bench-leak: setup-dev  ## memory over 10,000 checks of every kind of picture
	@$(PY) -m tests.client.proctor.leak

bench-replay: setup-dev  ## how likely a film of the right person passes a challenge
	@$(PY) -m tests.client.proctor.replay

freeze: setup-app  ## the frozen client, agent and verifier for Linux, each a folder and a .tar.zst in dist/ (5 to 15 minutes; APPS=verifier)
	@build/freeze.sh $(APPS)

deb: setup-app  ## Debian packages of the frozen client and verifier
	@for app in client verifier; do \
	  name=trueseat$$([ $$app = client ] || echo -$$app); [ -d dist/$$name/_internal ] || build/freeze.sh $$app || exit 1; \
	  $(PY) build/deb/make.py $$app || exit 1; \
	done

windows: setup-app  ## (root the first time) the frozen programs for Windows under Wine, with setup.exe and .msi (12 to 25 minutes; APPS=verifier)
	@build/freeze-windows.sh $(APPS)
	@build/windows.sh $(APPS)

test-install: setup-dev  ## (root) installs, repairs, upgrades and removes what is in dist/ for real: in a clean Debian and under Wine
	@TRUESEAT_INSTALL=1 $(PY) -m pytest -rs tests/install

gates: setup-dev  ## the figures behind the quality gates
	@$(PY) -m tests.client.proctor.gates

sbom: setup-app  ## what a release is made of: dist/sbom.cdx.json (CycloneDX 1.6)
	@[ -x .work/sbom/bin/python ] || .venv/bin/uv venv -q --python .venv/bin/python .work/sbom
	@.venv/bin/uv pip install -q --python .work/sbom/bin/python --require-hashes -r build/requirements/sbom.txt
	@mkdir -p dist && .work/sbom/bin/cyclonedx-py requirements build/requirements/app.txt --output-reproducible --of JSON -o dist/sbom.cdx.json
	@$(PY) build/sbom.py dist/sbom.cdx.json

test-fresh:  ## (root) make demo in a bare Debian chroot
	@build/test-fresh.sh

lock:  ## resolve the requirements again
	@for want in app dev; do \
	  extras=$$([ $$want = dev ] && echo "--extra dev" || echo "--extra client --extra server"); \
	  .venv/bin/uv pip compile --universal --generate-hashes --no-header --python-version 3.11 $$extras -q pyproject.toml -o build/requirements/$$want.txt; \
	done

clean:  ## remove what was made, the environment too
	rm -rf .venv .work dist demo-data .mypy_cache .ruff_cache .pytest_cache .hypothesis
