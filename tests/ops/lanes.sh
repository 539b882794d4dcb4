#!/bin/sh
# The fast and the slow lane mixed at random: every byte once and in order.
# timeout: 300
case "$(uname -s)" in
Linux) ;;
*)
	echo "the fast lane is Linux's"
	exit 77
	;;
esac
for _ in 1 2 3 ${QUIRE_LONG:+4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20}; do
	"${QUIRE_B:-.build}/tests/ops/lanes" "${QUIRE_LONG:+1}300" || exit 1
done
