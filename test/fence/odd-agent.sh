#!/bin/sh
# A fence agent that behaves as its first parameter says: well, badly, or not at all. A folder of its own is its host:
# a file `on` there means that the host is on.
action=reboot behaviour=honest folder='' passwd='' node=unknown
while IFS= read -r line; do
  case $line in
    action=*) action=${line#*=} ;;
    behaviour=*) behaviour=${line#*=} ;;
    folder=*) folder=${line#*=} ;;
    passwd=*) passwd=${line#*=} ;;
    node=*) node=${line#*=} ;;
  esac
done

if [ "$action" = metadata ]; then
  echo '<resource-agent name="odd"><parameters><parameter name="node" /></parameters><actions>'
  case $0 in
    *no-status*) echo '<action name="off" /><action name="monitor" />' ;;
    *no-off*) echo '<action name="reboot" /><action name="status" />' ;;
    *) echo '<action name="on" /><action name="off" /><action name="status" /><action name="monitor" />' ;;
  esac
  echo '</actions></resource-agent>'
  exit 0
fi

echo "$action" >> "$folder/calls"
echo "$action of node $node with $# words" >> "$folder/told"

if [ "$action" = off ]; then
  case $behaviour in
    fail) echo 'the plug is stuck' >&2; exit 1 ;;
    betray) printf 'no login as %s:\033[2J %0200d\n\n' "$passwd" 0 >&2; exit 1 ;;
    lie) echo 'Success: Powered OFF'; exit 0 ;;
    shot) kill -9 $$ ;;
    hang)
      # Also with a child in another group of the session, which keeps the output open.
      set -m
      sleep 1000 &
      echo "$$ $!" > "$folder/pids.new"
      mv "$folder/pids.new" "$folder/pids"
      wait
      ;;
    leave)
      sleep 1000 &
      echo "$!" > "$folder/left"
      ;;
    flood) yes 'more and more' | head -c 1000000 ;;
    spell)
      echo "logged in with $passwd"
      echo "as $(printf %s "$passwd" | base64)" >&2
      head -c 16370 /dev/zero | tr '\0' x
      echo "$passwd"
      tr '\0' '\n' < "/proc/$$/cmdline" > "$folder/cmdline"
      tr '\0' '\n' < "/proc/$$/environ" > "$folder/environ"
      ;;
  esac
fi

case $action in
  off) rm -f "$folder/on" ;;
  on) : > "$folder/on" ;;
  status) if [ -e "$folder/on" ]; then echo on; else echo off; exit 2; fi ;;
  monitor) ;;
  *) exit 1 ;;
esac
