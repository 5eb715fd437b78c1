# The functions that `eval "$(dlm shellenv zsh)"` gives to a zsh: dlm_lock, dlm_convert, dlm_unlock, dlm_lvb.
#
# What must hold is written down in shell-functions.bash; this is the same in the words of zsh. A zsh reads all that has
# come at once, so what follows the line that is wanted is kept in __dlm_unread.

zmodload zsh/system || return 1

dlm_lock() { __dlm_ask lock "$@" }
dlm_convert() { __dlm_ask convert "$@" }
dlm_unlock() { __dlm_ask unlock "$@" }
dlm_lvb() { __dlm_ask lvb "$@" }

# The trap that takes a waiting call back ends with __dlm_call; then the interrupt is passed on to the script.
__dlm_ask() {
  __dlm_call "$@"
  local __dlm_status=$?
  if [[ -n ${__dlm_stopped-} ]]; then
    __dlm_stopped=
    kill -INT $sysparams[pid]
  fi
  return $__dlm_status
}

__dlm_call() {
  emulate -L zsh
  local __dlm_answer __dlm_limit= __dlm_caught= __dlm_status
  [[ ${__dlm_asker-} == $sysparams[pid] ]] || __dlm_join $1 || return
  # Whoever gives options may be in a hurry, and shall not wait for a node that hangs.
  [[ "$*" != *' -'* ]] || __dlm_limit=10
  __dlm_write "$@" || return
  while :; do
    __dlm_read
    __dlm_status=$?
    if ((__dlm_status == 4)); then
      __dlm_say 'the node has accepted the call and says nothing' 'it may be stopped or overloaded; what was asked for is taken back'
      return 95
    elif ((__dlm_status == 5)); then
      __dlm_gone $1
      return
    elif ((__dlm_status == 0)); then
      # @SERIAL EXIT LINES ID MODE TOKEN
      local -a __dlm_fields=(${(s: :)__dlm_answer})
      if [[ $__dlm_fields[1] != @$__dlm_serial ]]; then
        __dlm_print ${__dlm_fields[3]:-0} >/dev/null
      elif [[ $__dlm_fields[2] == + ]]; then
        __dlm_limit=
        __dlm_print $__dlm_fields[3] >&2
        # From now on an interrupt takes the call back; in a subshell it ends the subshell, and the node sees that.
        if [[ -z $__dlm_caught && $sysparams[pid] == $$ ]]; then
          __dlm_caught=1
          [[ $(trap) == *"trap -- '' INT"* ]] || trap __dlm_stop INT
        fi
      else
        break
      fi
    fi
  done
  __dlm_tell $1 $__dlm_fields[2,-1]
}

# The words of a call as one line, and away with it.
__dlm_write() {
  local __dlm_line="$*"
  if [[ $__dlm_line == *[$'\\\t\n']* || ${#__dlm_line} -gt 200 ]]; then
    set -- "${(@)${(@)${(@)@//\\/\\\\}//$'\t'/\\t}//$'\n'/\\n}"
    if ! __dlm_is_short "$*"; then
      __dlm_say 'the line is longer than 900 bytes' 'a value as long as this is written with the command: dlm lvb set'
      return 64
    fi
  fi
  typeset -g __dlm_serial=$((__dlm_serial + 1))
  __dlm_send $__dlm_serial $__dlm_heard "$@" || { __dlm_gone $1; return }
}

__dlm_send() { syswrite -o $__dlm_to -- $'\t'$sysparams[pid]$'\t'${(pj:\t:)@}$'\t\n' }

__dlm_is_short() {
  setopt localoptions no_multibyte
  ((${#1} < 900))
}

# The next line of the node, in __dlm_answer.
__dlm_read() {
  local __dlm_more
  while [[ ${__dlm_unread-} != *$'\n'* ]]; do
    sysread -i $__dlm_from ${__dlm_limit:+-t} $__dlm_limit __dlm_more || return
    typeset -g __dlm_unread=${__dlm_unread-}$__dlm_more
  done
  __dlm_answer=${__dlm_unread%%$'\n'*}
  typeset -g __dlm_unread=${__dlm_unread#*$'\n'}
}

# So many lines of text follow.
__dlm_print() {
  local __dlm_answer __dlm_left
  for ((__dlm_left = $1; __dlm_left > 0; __dlm_left -= 1)); do
    __dlm_read || return 0
    print -r -- $__dlm_answer
  done
}

__dlm_stop() {
  typeset -g __dlm_stopped=1
  __dlm_send $__dlm_serial $__dlm_heard cancel
}

# The call is over: its words, the variables of the shell, and the exit code. VERB EXIT LINES ID MODE TOKEN
__dlm_tell() {
  if [[ -n ${__dlm_stopped-} ]]; then
    __dlm_print $3 >/dev/null
    typeset -g __dlm_heard=$__dlm_serial
    return 130
  fi
  if (($2 == 0)); then __dlm_print $3; else __dlm_print $3 >&2; fi
  typeset -g __dlm_heard=$__dlm_serial
  case $1:$2:$3 in
    lock:0:0 | convert:0:0) typeset -g DLM_LKID=$4 DLM_MODE=$5 DLM_TOKEN=$6 ;;
    lock:0:*) ;;
    lock:*) typeset -g DLM_LKID= DLM_MODE= DLM_TOKEN= ;;
  esac
  return $2
}

# The node has ended the session: what the shell had is lost, and what it asked for is not to be had.
__dlm_gone() {
  if [[ $__dlm_asker == $sysparams[pid] ]]; then
    exec {__dlm_to}>&- {__dlm_from}<&-
    typeset -g __dlm_asker=gone
  fi
  case $1 in
    convert | unlock)
      __dlm_say 'the node has ended the session of this shell, and its locks are lost' 'stop touching what they protect; begin again with: eval "$(dlm shellenv zsh)"'
      return 84
      ;;
    lock) typeset -g DLM_LKID= DLM_MODE= DLM_TOKEN= ;;
  esac
  __dlm_say 'the node has ended the session of this shell' 'begin again with: eval "$(dlm shellenv zsh)"'
  return 95
}

__dlm_say() { print -u2 -r -- "dlm: $1"$'\n'"hint: $2" }

# A subshell asks for the first time: it needs a pipe of its own for its answers.
__dlm_join() {
  local __dlm_pipe __dlm_both __dlm_own __dlm_line
  if [[ -z ${__dlm_asker-} ]]; then
    __dlm_say 'this shell has no session with a node' 'begin with: eval "$(dlm shellenv zsh)"'
    return 95
  fi
  if [[ $__dlm_asker == gone || ! -d $__dlm_folder ]] || [[ -d /proc/1 && ! -d /proc/$__dlm_node ]]; then
    __dlm_gone $1
    return
  fi
  __dlm_pipe=$__dlm_folder/$sysparams[pid]
  if ! __dlm_make $__dlm_pipe || ! { exec {__dlm_both}<>$__dlm_pipe {__dlm_own}<$__dlm_pipe } 2>/dev/null; then
    __dlm_say "cannot make a pipe in $__dlm_folder for this subshell" 'see whether mkfifo is in the PATH, and whether the disk is full'
    return 104
  fi
  __dlm_send 0 0 join
  if ! sysread -i $__dlm_own -t 10 __dlm_line; then
    __dlm_gone $1
    return
  fi
  exec {__dlm_both}>&-
  typeset -g __dlm_from=$__dlm_own __dlm_asker=$sysparams[pid] __dlm_serial=0 __dlm_heard=0 __dlm_unread=
}

__dlm_make() { command mkfifo -m 600 $1 2>/dev/null || { command rm -f $1 && command mkfifo -m 600 $1 } 2>/dev/null }

# Begin: FOLDER NODE-PID LOCKSPACE. A session that this very process has already, and that lives, goes on.
__dlm_open() {
  emulate -L zsh
  local __dlm_both __dlm_line
  if [[ ${__dlm_asker-} == $sysparams[pid] ]] && __dlm_call use $3 2>/dev/null; then return 0; fi
  [[ ${__dlm_asker-} != [0-9]* ]] || exec {__dlm_to}>&- {__dlm_from}<&-
  typeset -g __dlm_folder=$1 __dlm_node=$2 __dlm_asker= __dlm_serial=0 __dlm_heard=0 __dlm_unread= __dlm_stopped= __dlm_to __dlm_from
  if ! { exec {__dlm_to}<>$1/requests {__dlm_both}<>$1/answers {__dlm_from}<$1/answers } 2>/dev/null; then
    __dlm_say 'the node has gone before the session began' 'try again: eval "$(dlm shellenv zsh)"'
    return 95
  fi
  exec {__dlm_both}>&-
  typeset -g __dlm_asker=$sysparams[pid]
  __dlm_send 0 0 hello
  sysread -i $__dlm_from -t 10 __dlm_line || __dlm_gone lock
}
