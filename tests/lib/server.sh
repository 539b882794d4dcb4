# server.sh, sourced at a test's beginning: the rest of the test runs beside a
# relay of its own, with its address and tokens in the environment as
# tests/wire/serve.c says.  Settings for it, one a line, may stand in $settings.
# shellcheck shell=sh
QUIRE_B=${QUIRE_B:-.build}
export QUIRE_B
if [ -z "${QUIRE_DIR:-}" ]; then
	while IFS= read -r setting; do
		[ -z "$setting" ] || set -- -s "$setting" "$@"
	done <<-END
	${settings:-}
	END
	exec "$QUIRE_B/tests/wire/serve" "$@" "$0"
fi
