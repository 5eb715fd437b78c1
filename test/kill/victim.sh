#!/bin/sh
# The script that something happens to. Its exit code is that of its dlm command.
#
#   victim.sh HOW     at-once: its section runs under a lock
#                     inside:  a command under a lock converts that lock for its section
#                     by-id:   a script of its own holds a lock by its id, and converts it for its section
here=$(dirname "$0")
case $1 in
  at-once) "$DLM" lock prey -q -- sh "$here/section.sh" victim ;;
  inside) "$DLM" lock prey -m PR -q -- sh "$here/convert.sh" ;;
  by-id) sh "$here/convert.sh" by-id ;;
esac
exit $?
