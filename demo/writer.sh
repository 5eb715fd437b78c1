#!/bin/sh
# A script that adds to the shared number again and again, and notes in a file of
# its own each addition it has completed.
#
#   writer.sh NAME FILE TIMES [PAUSE_AT]     LOCK: the command to run bump.sh under
name=$1 file=$2 times=$3 pause_at=$4
here=$(dirname "$0")

i=1
while [ "$i" -le "$times" ]; do
  mark=
  [ "$i" = "$pause_at" ] && mark=$file.middle
  $LOCK "$here/bump.sh" "$file" $mark && echo "$name $i" >> "$file.done-$name"
  i=$((i + 1))
done
