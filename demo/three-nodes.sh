#!/usr/bin/env bash
# The third part of the demo, read by demo/run: three nodes of one cluster on this machine, scripts on each, and one
# node killed with -9 while it holds, waits, converts, and decides for the others.
#
# `say`, `title`, `report`, $dlm and $work are those of demo/run.

additions=6    # that each script makes
nina_pauses=2  # her second is the one that is interrupted

# at NODE COMMAND...: as somebody who uses that node.
at() { local node=$1; shift; DLM_DIR=$work/n$node "$@"; }

join() { at "$1" $dlm node join --cluster demo --cluster-dir "$work/clusters" --node "$1" --name "n$1" --detach "${@:2}"; }

# from_here: a table of members, with paths as from the checkout, and the head of the last column moved along with them.
from_here() { sed "s#$PWD/##; 1s/ \{$((${#PWD} + 1))\}LOCKSPACES/LOCKSPACES/; s/^/  /"; }

# soon WHAT COMMAND...: repeat it until it succeeds, for ten seconds.
soon() {
  local what=$1 i
  shift
  for i in {1..200}; do "$@" > /dev/null 2>&1 && return; sleep 0.05; done
  say "  It did not come true: $what."
  return 1
}

# add NODE NAME LOCK [PAUSE_AT]: one who adds, in the background.
add() {
  DLM=$PWD/bin/dlm DLM_DIR=$work/n$1 LOCK="$dlm lock counter $3" sh demo/adder.sh "$2" "$work/shared" "$additions" ${4:-} 2>> "$work/shared.words" &
  adders+=($!)
}

# n2_does STATE: does a script of node 2 hold, wait or convert?
n2_does() { at 2 $dlm locks counter | grep ":2\." | grep -q " $1 "; }

# steps NODE: what the log of that node says since the kill, and how long after it. 
steps() {
  local line time
  tail -n +"$((${logged[$1]} + 1))" "$work/n$1/node.log" | while read -r time line; do
    case $line in
      *'has failed'* | *lockspace* | *'is ended'*) printf '  node %s  +%4d ms  %s\n' "$1" "$(($(date -d "$time" +%s%3N) - killed_at))" "$line" ;;
    esac
  done
}

three_nodes() {
  local adders=() node logged=() killed_at
  rm -f "$work/shared"*
  echo 0 > "$work/shared"
  say '  Each has a folder of its own, and is reached with DLM_DIR:' '' \
    "  DLM_DIR=n1 dlm node join --cluster demo --node 1 --detach      (and n2, n3)" ''
  for node in 1 2 3; do join "$node" -q || return 1; done
  at 1 $dlm members | from_here

  # Whoever locks first has the say about the counter, as long as nobody joins the lockspace after that.
  for node in 1 2 3; do at "$node" $dlm lockspace create default -q > /dev/null || return 1; done
  add 2 nina '-q --' "$nina_pauses"
  soon 'nina is in the middle' test -e "$work/shared.middle" || return 1
  # Even a request for NL waits behind those who wait, so she comes before them.
  add 2 paula "-m NL -q -- demo/up.sh"
  soon 'paula converts' n2_does converting || return 1
  add 2 oscar '-q --'
  add 1 alice '-q --'
  add 1 bob '-q --'
  add 3 dave '-q --'
  soon 'oscar waits' n2_does waiting || return 1

  say '' '  Six scripts add to one number. Node 2 is in the middle of it: Nina holds the lock, Oscar waits,' \
    '  Paula converts hers from NL; and it is node 2 that decides about the counter for all:' ''
  at 2 $dlm locks counter | sed 's/^/  /'
  at 2 $dlm lockspace show default | sed -n 's/^Resource/  Resource/p'
  for node in 1 3; do logged[node]=$(wc -l < "$work/n$node/node.log"); done
  killed_at=$(date +%s%3N)
  kill -9 "$(cat "$work/n2/node.lock")"
  say '' '  kill -9: node 2. What the others did, from their logs:' ''
  for node in 1 3; do soon 'they go on' recovered "$node" || return 1; done
  for node in 1 3; do steps "$node"; done
  say '' '  In the steps all learn who is left (members), and wait until node 2 is fenced (ready); then where everything' \
    '  is (directory), who decides now (masters), and who holds what (locks); then they put the queues in order (done),' \
    '  and go on. What ran under the locks of node 2 was ended before. The record that node 3 has kept of it:' ''
  at 3 $dlm recover show | sed 's/^/  /'
  say '' '  The scripts of node 2 try again until it is back:' ''
  join 2 2>&1 | sed 's/^/  /'
  wait "${adders[@]}" 2> /dev/null
  say ''
}

recovered() { tail -n +"$((${logged[$1]} + 1))" "$work/n$1/node.log" | grep -q 'open again'; }

leave_all() { local node; for node in 1 2 3; do [ -e "$work/n$node" ] && at "$node" $dlm node leave --force > /dev/null 2>&1; done; }
