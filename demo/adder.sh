#!/bin/sh
# A script that adds to the shared number until it has done so often enough, and notes each addition it has completed.
# Whatever fails is tried again: its node may be killed, and come back.
#
#   adder.sh NAME FILE TIMES [PAUSE_AT]     LOCK: the command to run bump.sh under
name=$1 file=$2 times=$3 pause_at=$4
here=$(dirname "$0")

i=1
while [ "$i" -le "$times" ]; do
  mark=
  [ "$i" = "$pause_at" ] && [ ! -e "$file.middle" ] && mark=$file.middle
  if $LOCK "$here/bump.sh" "$file" $mark; then
    echo "$name $i" >> "$file.done-$name"
    i=$((i + 1))
  else
    sleep 0.2
  fi
done
