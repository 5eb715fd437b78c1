#!/bin/sh
# Somebody on one node who adds to the number again and again, whatever happens to the node.
#
#   loop.sh WHO [up]     up: takes NL and converts; ends when there is a file stop
tag=n$FLEET_NODE.$1 i=0 mode=EX
[ "$2" = up ] && mode=NL
until [ -e "$KILL_STAGE/stop" ]; do
  i=$((i + 1))
  "$DLM" lock counter -m "$mode" -q -- sh "$FLEET_SCRIPTS/bump.sh" $2 "$tag.$i" || sleep 0.1
done
