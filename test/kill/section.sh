#!/bin/sh
# A critical section: beats, a line each, in the ledger that all share, until it is told to finish. Two writers whose
# beats mix have been in it at the same time. A TERM ends it, but it takes its time: it goes on for some beats first.
#
#   section.sh WHO     finishes when there is a file finish-WHO; writes its pid into pid-WHO
echo $$ > "$KILL_STAGE/pid-$1"
n=0 dying=
trap 'dying=${dying:-40}' TERM
while :; do
  n=$((n + 1))
  echo "$$ $1 $n" >> "$KILL_STAGE/ledger"
  [ $n -ge 3 ] && [ -e "$KILL_STAGE/finish-$1" ] && [ -z "$dying" ] && break
  [ -n "$dying" ] && dying=$((dying - 1)) && [ $dying -le 0 ] && { trap - TERM; kill -TERM $$; }
  sleep 0.03
done
echo "$$ $1 end" >> "$KILL_STAGE/ledger"
