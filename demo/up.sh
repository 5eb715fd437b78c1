#!/bin/sh
# Run under a lock in NL, which is in nobody's way: convert it to EX, then run a command.
#
#   up.sh COMMAND...     DLM: the program dlm
"$DLM" convert "$DLM_LKID" -m EX -q && exec "$@"
