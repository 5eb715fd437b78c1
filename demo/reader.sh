#!/bin/sh
# A script that needs the number to stay still while it looks: it reads twice and
# notes whether somebody changed it in between.
#
#   reader.sh NAME FILE TIMES     LOCK: the command to read under
name=$1 file=$2 times=$3

i=1
while [ "$i" -le "$times" ]; do
  $LOCK sh -c 'a=$(cat "$1"); sleep 0.05; b=$(cat "$1"); [ "$a" = "$b" ] && echo still || echo moved' sh "$file" >> "$file.read-$name"
  i=$((i + 1))
done
