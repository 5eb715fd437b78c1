#!/bin/sh
# Read the number twice, a moment apart: was it still, or did somebody move it?
#
#   look.sh FILE
before=$(cat "$1")
sleep 0.05
[ "$(cat "$1")" = "$before" ] && echo still || echo moved
