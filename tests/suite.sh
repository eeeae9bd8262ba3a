#!/bin/sh
# The whole suite: BIN is the folder of the environment's programs. Called by `make test`, with its lists of files.
#
# Tests with real workers or a browser mostly wait, all others mostly compute: they run beside each other, the second
# ones two at a time and with a lower priority, so that no worker is late because of them.
set -u
log=$(mktemp)
$BIN/pytest ${PYTEST_ARGS:-} -m "workers or browser" $WITH_WORKERS >"$log" 2>&1 &
workers=$!
trap 'kill $workers 2>/dev/null; cat "$log"; rm -f "$log"' EXIT
trap 'exit 130' INT TERM

failed=0
beside() { nice -n 10 $BIN/pytest ${PYTEST_ARGS:-} -n 2 --dist loadfile -m "not (workers or browser)" "$@" || failed=1; }
beside
if [ -n "${DATABASE_URL_POSTGRES:-}" ] || [ "${CI:-}" = true ]; then
  echo "the engine, the ledger and the domains again, on Postgres"
  export DATABASE_URL="${DATABASE_URL_POSTGRES:-postgres://postgres@127.0.0.1:5432/postgres}"
  beside $ON_POSTGRES
else
  echo "not run again on Postgres: set DATABASE_URL_POSTGRES"
fi

echo "real workers and the browser"
wait $workers || failed=1
exit $failed
