#!/bin/sh
# Runs each fuzz target of the tree for a while.
set -eu
for pkg in $(go list -tags "$1" ./...); do
	for f in $(go test -tags "$1" -list '^Fuzz' "$pkg" 2>/dev/null | grep '^Fuzz' || true); do
		echo "== $pkg $f"
		go test -tags "$1" -run '^$' -fuzz "^$f\$" -fuzztime "${FUZZTIME:-20s}" -fuzzminimizetime 1x "$pkg"
	done
done
