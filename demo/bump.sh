#!/bin/sh
# Add one to the number in a file, as scripts do it: read, think, write back.
# Two of these at once, and one of the additions is lost.
#
#   bump.sh FILE [MARK]     with MARK: create that file and think for very long
file=$1 mark=$2

number=$(cat "$file")
if [ -n "$mark" ]; then
  : > "$mark"
  sleep 30
fi
sleep 0.02
echo $((number + 1)) > "$file.$$" && mv "$file.$$" "$file"
