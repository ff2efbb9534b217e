#!/bin/sh
# Installs the parts that the tests use: mariadbd with mariadb-install-db. Only where we are root and apt exists; otherwise the
# tests that need them skip, loudly. zsh and fish are for the tests of their completion alone, and tmux for those that type and
# look at the screen: without them those skip.
set -eu
find_server() {
	for d in $(echo "$PATH" | tr : ' ') /usr/sbin /usr/libexec /usr/local/sbin /usr/local/bin /usr/local/mysql/bin; do
		[ -x "$d/mariadbd" ] && return 0
	done
	return 1
}
find_shells() { command -v zsh >/dev/null 2>&1 && command -v fish >/dev/null 2>&1; }
if ! find_shells && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "parts: installing zsh and fish with apt-get"
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends zsh fish; } >/tmp/rig-parts.log 2>&1 ||
		echo "parts: no zsh and fish: the tests of their completion will be SKIPPED"
fi
if ! command -v tmux >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "parts: installing tmux with apt-get"
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends tmux; } >/tmp/rig-parts.log 2>&1 ||
		echo "parts: no tmux: the tests that type into a terminal will be SKIPPED"
fi
find_server && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "parts: installing mariadb-server-core with apt-get"
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends mariadb-server-core mariadb-client-core; } >/tmp/rig-parts.log 2>&1 || {
		cat /tmp/rig-parts.log
		echo "parts: apt-get failed"
		exit 1
	}
	exit 0
fi
echo "**********************************************************************"
echo "NO MARIADB: mariadbd is not on this machine and cannot be installed by"
echo "this user. Every test that needs a real server will be SKIPPED."
echo "Install it yourself: apt-get install mariadb-server-core"
echo "**********************************************************************"
