#!/bin/sh
# Somebody who wants the same lock, again and again, whatever happens to the node.
#
#   rival.sh [MODE]     with MODE: first holds it in that mode until it is told to finish
here=$(dirname "$0")
[ -n "$1" ] && "$DLM" lock prey -m "$1" -q -- sh "$here/section.sh" hold
until [ -e "$KILL_STAGE/stop" ]; do
  "$DLM" lock prey -q -- sh "$here/section.sh" rival || sleep 0.1
done
