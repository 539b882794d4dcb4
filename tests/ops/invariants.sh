#!/bin/sh
# The ten invariants of quire-design.7, each broken on purpose in a copy of the
# tree: the tests named beside it must fail.  A break that no longer finds its
# place in the code is a failure too.  Long, so in check-long only.
# timeout: 900
set -u
[ -n "${QUIRE_LONG:-}" ] || { echo "in check-long"; exit 77; }
top=${QUIRE_TOP:-$(pwd)}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' INT TERM
number=0 failed=0

# A build's objects come along, so that only what is broken is compiled.
(cd "$top" && git ls-files -z | xargs -0 cp --parents -t "$copy") &&
    cp -a "$QUIRE_B" "$copy/.build" || exit 1
ln -s "$top/../shared" "$copy/../shared" 2>/dev/null || :
cd "$copy" || exit 1
unset MAKEFLAGS MFLAGS
B=$copy/.build
export QUIRE_TOP="$copy" QUIRE_B="$B" QUIRE_SAN_B="$B" QUIRE_LONG=

build() { make -s B=.build all tests >build.log 2>&1; }

# broken NUMBER TEXT FILE SED TEST...
broken()
{
	what="invariant $1: $2" file=$3 script=$4
	shift 4
	number=$((number + 1))
	cp "$file" kept
	sed -i "$script" "$file"
	if cmp -s kept "$file"; then
		verdict='not ok' why=' (nothing was broken)'
	elif ! build; then
		verdict='not ok' why=' (does not build)'
		tail -n 3 build.log
	elif tests/run "$@" >run.log 2>&1; then
		verdict='not ok' why=' (nobody noticed)'
	else
		verdict=ok why=
	fi
	echo "$verdict $number - $what: $*$why"
	[ "$verdict" = ok ] || failed=1
	cp kept "$file"
}

build || { tail build.log; exit 1; }
broken 1 'states are not looked at' broker/dispatch.c \
    's/if ((row->states & s->state) == 0)/if (0)/' unit/broker
broken 1 'scopes are not looked at' broker/dispatch.c \
    's/!scope_covers(s->scope, (enum scope)row->scope)/0/' unit/broker
broken 1 'the scope of verbs is not looked at' broker/dispatch.c \
    's/scope_covers(s->scope, v->scope))/1)/' unit/broker ops/hostile
broken 2 'a refusal leaves something behind' broker/rule_secsync.c \
    's/		return (CODE_GAP);/{ head->updates++; secsync_head_put(t, head);&}/' \
    unit/rule_secsync
broken 3 'answers leave before the flush' broker/batch.c \
    's/^	if (!b->kv->changed) {$/	if (1) {/' ops/kill
broken 4 'a verdict does not wait for the ring' worker/reader.c \
    's/r->pos >= m->f.verdict_position..u/m != NULL/' unit/worker_reader
broken 5 'the live stream begins too late' broker/release.c \
    's/^		op->position = before;/		(void)before;/' wire/canvas
broken 6 'a reader does not see that it fell behind' worker/reader.c \
    's/stop == READER_BEHIND || !ring_valid(&r->ring, start)/0/' \
    unit/worker_reader ops/slow
broken 7 'rings can be mapped for writing' common/ring_linux.c \
    's/F_SEAL_FUTURE_WRITE | F_SEAL_SEAL/F_SEAL_SEAL/' unit/ring ops/hostile
broken 8 'claims are read whatever the mac says' broker/token.c \
    's/if (mac.n != sizeof(want))/if (mac.n == sizeof(want)) return (true);\n	if (0)/' \
    unit/token
broken 9 'a text that is none reaches other clients' broker/rule_secsync.c \
    's/!secsync_body_ok(t, s)/0/' \
    unit/rule_secsync
broken 9 'what one session staged another can read' broker/decide_fetch.c \
    's/if ((r = txn_blob_staged(f->t, e.blob)) != 0)/if (0)/' ops/hostile
broken 10 'lengths are not checked against what is left' common/ipc.c \
    's/ || n > in->n || / || /' unit/ipc fuzz/ipc
echo "1..$number"
exit "$failed"
