#!/bin/sh
# Looks together with others, then converts to be alone.
#
#   convert.sh           under dlm lock, whose lock it converts
#   convert.sh by-id     with a lock of its own
echo $$ > "$KILL_STAGE/pid-convert"
[ "$1" = by-id ] && { DLM_LKID=$("$DLM" lock prey -m PR -q) || exit $?; }
"$DLM" convert "$DLM_LKID" -m EX -q || exit $?
sh "$(dirname "$0")/section.sh" victim
[ "$1" = by-id ] && "$DLM" unlock "$DLM_LKID" -q
exit 0
