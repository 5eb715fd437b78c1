#!/bin/sh
# Stands in for Pacemaker's stonith_admin: its options, its XML, its exit codes. Its folder is where it lies; there
# `fails` and `forgets` say how it goes, and `history` is what it remembers.
folder=$(dirname "$0")
echo "$*" >> "$folder/words"
case $1 in
  --fence=*)
    [ ! -e "$folder/fails" ] || { echo "Fencing failed: No such device" >&2; exit 237; }
    [ -e "$folder/forgets" ] ||
      echo "<fence_event status=\"success\" action=\"off\" target=\"${1#*=}\" client=\"stonith_admin.1\" origin=\"h1\" delegate=\"h1\" completed=\"2026-03-01 12:00:0$(wc -l < "$folder/words") +00:00\"/>" >> "$folder/history"
    ;;
  --history=*) echo "<pacemaker-result><fence_history target=\"${1#*=}\">$(cat "$folder/history" 2>/dev/null)</fence_history></pacemaker-result>" ;;
  --list=h3) echo "1 fence device found" ;;
  *) exit 1 ;;
esac
