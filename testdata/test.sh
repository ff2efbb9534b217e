#!/bin/sh
# Runs every test, says which were skipped and why, and ends with one line of counts.
set -eu
tags=$1
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	export RIG_NEED_MARIADB=1 # the server was installed: a test that cannot find it fails
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
go test -tags "$tags" -timeout 15m -json ./... >"$out" || status=$?
go run -tags "$tags" ./testdata/summary "$out" || status=1
exit $status
