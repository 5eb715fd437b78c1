#!/bin/sh
# Stands in for Pacemaker's stonith_admin: its options, its XML, its words, its exit codes, as 2.1.5 has them. Its folder
# is where it lies; there `stopped`, `fails` and `forgets` say how it goes, and `history` is what it remembers, the latest first.
folder=$(dirname "$0")
echo "$*" >> "$folder/words"
answer() { printf '<pacemaker-result api-version="2.25" request="stonith_admin">\n%s\n  <status code="0" message="OK"/>\n</pacemaker-result>\n' "$1"; }
remember() {
  [ ! -e "$folder/forgets" ] || return 0
  echo "    <fence_event action=\"$2\" target=\"$1\" client=\"(null).dlm.$$\" origin=\"h1\" status=\"success\" delegate=\"h2\" completed=\"2026-03-01 12:00:0$(wc -l < "$folder/words")Z\"/>" > "$folder/latest"
  cat "$folder/history" >> "$folder/latest" 2>/dev/null
  mv "$folder/latest" "$folder/history"
}
if [ -e "$folder/stopped" ]; then
  case $* in
    *--output-as=xml*) echo '<pacemaker-result><status code="102" message="Not connected"><errors><error>Could not connect to fencer: Transport endpoint is not connected</error></errors></status></pacemaker-result>' ;;
    *) echo "stonith_admin: Couldn't fence ${1#*=}: Transport endpoint is not connected" >&2 ;;
  esac
  exit 102
fi
case $1 in
  --fence=*|--reboot=*)
    [ ! -e "$folder/fails" ] || { echo "stonith_admin: Couldn't fence ${1#*=}: No such device" >&2; exit 105; }
    case $1 in --fence=*) remember "${1#*=}" off ;; *) remember "${1#*=}" reboot ;; esac
    ;;
  --history=*) answer "  <list name=\"fencing history\">
$(cat "$folder/history" 2>/dev/null)
  </list>" ;;
  --list=h3) answer '  <list name="registered fence devices" count="1">
    <item name="device">bmc3</item>
  </list>' ;;
  --list=*) answer '  <list name="registered fence devices" count="0"/>' ;;
  *) exit 64 ;;
esac
