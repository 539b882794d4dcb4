# log.sh, sourced before server.sh: what the relay beside the test says goes to
# $log, a file that the test is to remove.
# shellcheck shell=sh
if [ -z "${QUIRE_DIR:-}" ]; then
	log=$(mktemp)
	export log
	exec 2>"$log"
fi
