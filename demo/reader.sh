#!/bin/sh
# A script that needs the number to stay as it is while it looks, and notes each
# time whether it did.
#
#   reader.sh NAME FILE TIMES     LOCK: the command to run look.sh under
name=$1 file=$2 times=$3
here=$(dirname "$0")

i=1
while [ "$i" -le "$times" ]; do
  $LOCK "$here/look.sh" "$file" >> "$file.read-$name"
  i=$((i + 1))
done
