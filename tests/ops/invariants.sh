#!/bin/sh
# The ten invariants of quire-design.7, each broken on purpose in a copy of the
# tree: the tests named beside it pass before, and each must fail.  A break that
# no longer finds its place in the code is a failure too, and all that `make
# check' looks at, where nothing is built.
# timeout: 900
set -u
top=${QUIRE_TOP:-$(pwd)}
long=${QUIRE_LONG:-}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' INT TERM
number=0 failed=0

# With its times, and without what was made of it.
tar -C "$top" --exclude=./.build --exclude=./.git --exclude=node_modules \
    -cf - . | tar -C "$copy" -xf - && cd "$copy" || exit 1

build() { make -s B=.build all tests fuzzers >build.log 2>&1; }

# pass TEST...: all of them; what does not is in $red.
pass()
{
	red=
	for t; do
		tests/run "$t" >run.log 2>&1 || red="$red $t"
	done
	[ -z "$red" ]
}

# named NUMBER TEXT FILE SED TEST...: adds to $names.
named()
{
	shift 4
	for t; do
		case "$names " in *" $t "*) ;; *) names="$names $t" ;; esac
	done
}

# broken NUMBER TEXT FILE SED TEST...
broken()
{
	what="invariant $1: $2" file=$3 script=$4
	shift 4
	number=$((number + 1))
	verdict=ok why=
	cp "$file" kept
	sed -i "$script" "$file"
	if cmp -s kept "$file"; then
		verdict='not ok' why=' (nothing was broken)'
	elif [ -z "$long" ]; then
		:
	elif ! build; then
		verdict='not ok' why=' (does not build)'
		tail -n 3 build.log
	else
		pass "$@"
		[ "$red" = " $*" ] || {
			verdict='not ok' why=" (only these noticed:$red)"
		}
	fi
	echo "$verdict $number - $what: $*$why"
	[ "$verdict" = ok ] || failed=1
	cp kept "$file"
}

# all_breaks FUNCTION: calls it with each.
all_breaks()
{
	"$1" 1 'states are not looked at' broker/dispatch.c \
	    's/(row->states & dispatch_states(s)) == 0/0 \&\& &/' unit/broker
	"$1" 1 'scopes are not looked at' broker/dispatch.c \
	    's/!scope_covers(s->scope, (enum scope)row->scope)/0/' unit/broker
	"$1" 1 'the scope of verbs is not looked at' broker/dispatch.c \
	    's/scope_covers(s->scope, v->scope))/1)/' unit/broker ops/hostile
	"$1" 2 'a refusal leaves something behind' broker/rule_secsync.c \
	    's/		return (CODE_GAP);/{ head->updates++; secsync_head_put(t, head);&}/' \
	    unit/rule_secsync
	"$1" 3 'answers leave before the flush' broker/batch.c \
	    's/^	if (!b->kv->changed) {$/	if (1) {/' ops/kill
	"$1" 3 'what waits for the flush lies where a worker sees it' \
	    broker/area.c 's/op->doc->dirty || //' unit/area
	"$1" 4 'a verdict does not wait for the ring' worker/verdicts.c \
	    's/r->pos >= m->f.verdict_position..u/m != NULL/' unit/worker_reader
	"$1" 5 'the live stream begins too late' broker/release.c \
	    's/^		op->position = before;/		(void)before;/' wire/canvas
	"$1" 6 'a reader does not see that it fell behind' worker/reader.c \
	    's/stop == READER_BEHIND || !ring_valid(&r->ring, start)/0/' \
	    unit/worker_reader ops/slow
	"$1" 7 'rings can be mapped for writing' common/ring_linux.c \
	    's/F_SEAL_FUTURE_WRITE | F_SEAL_SEAL/F_SEAL_SEAL/' unit/ring ops/hostile
	"$1" 8 'claims are read whatever the mac says' broker/token.c \
	    's/if (mac.n != sizeof(want))/if (mac.n == sizeof(want)) return (true);\n	if (0)/' \
	    unit/token
	"$1" 9 'a text that is none reaches other clients' broker/rule_secsync.c \
	    's/!secsync_body_ok(t, s)/0/' \
	    unit/rule_secsync
	"$1" 9 'what one session staged another can read' broker/decide_fetch.c \
	    's/if ((r = txn_blob_staged(f->t, e.blob)) != 0)/if (0)/' ops/hostile
	"$1" 10 'lengths are not checked against what is left' common/ipc.c \
	    's/ || n > in->n || / || /' unit/ipc fuzz/ipc
}

if [ -n "$long" ]; then
	# A build's objects come along: only what is broken is compiled.
	cp -a "$QUIRE_B" .build || exit 1
	unset MAKEFLAGS MFLAGS
	B=$copy/.build
	export QUIRE_TOP="$copy" QUIRE_B="$B" QUIRE_SAN_B="$B" QUIRE_LONG=
	build || { tail build.log; exit 1; }
	names=
	all_breaks named
	# shellcheck disable=SC2086 # words are meant
	pass $names || { echo "failed with nothing broken:$red"; exit 1; }
fi
all_breaks broken
echo "1..$number"
exit "$failed"
