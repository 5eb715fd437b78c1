#!/bin/sh
# Add one to the number in a file that all nodes share: read, think, write back. Beside the number stands who wrote it;
# the ledger gets a line a beat, so that two who were here together are found out, whoever believes to hold what.
#
#   bump.sh TAG        TAG: a word that nobody else uses
#   bump.sh up TAG     first converts the lock it runs under
cd "$KILL_STAGE" || exit 1
[ "$1" = up ] && { shift; "$DLM" convert "$DLM_LKID" -m EX -q || exit $?; }
echo "$1 bump 1" >> ledger
read -r number writer < count
echo "$1 $writer" >> seen
sleep 0.02
echo "$1 bump 2" >> ledger
# Whoever is told to end may lose its mv first.
echo "$((number + 1)) $1" > "count.$1" && mv "count.$1" count || exit 1
echo "$1 bump end" >> ledger
