# The functions that `eval "$(dlm shellenv zsh)"` gives to a zsh: dlm_lock, dlm_convert, dlm_unlock, dlm_lvb.
#
# What must hold is written down in shell-functions.bash; this is the same in the words of zsh, where calling a function
# is what costs most.

zmodload zsh/system || return 1

dlm_lock() { __dlm_call lock "$@" }
dlm_convert() { __dlm_call convert "$@" }
dlm_unlock() { __dlm_call unlock "$@" }
dlm_lvb() { __dlm_call lvb "$@" }

__dlm_call() {
  emulate -L zsh
  local __dlm_answer= __dlm_line="$*" __dlm_limit= __dlm_caught= __dlm_stopped= __dlm_status=
  [[ ${__dlm_asker-} == $sysparams[pid] ]] || __dlm_join $1 || return
  [[ $__dlm_heard == $__dlm_serial ]] || __dlm_drain
  if [[ $__dlm_line == *[$'\\\t\n']* || ${#__dlm_line} -gt 200 ]]; then
    set -- "${(@)${(@)${(@)@//\\/\\\\}//$'\t'/\\t}//$'\n'/\\n}"
    __dlm_is_short "$*" || return
  fi
  if [[ $__dlm_line == *' -'* || -o interactive ]]; then
    __dlm_call_carefully "$@"
  else
    __dlm_serial=$((__dlm_serial + 1))
    syswrite -o $__dlm_to -- $'\t'$sysparams[pid]$'\t'$__dlm_serial$'\t'$__dlm_heard$'\t'${(pj:\t:)@}$'\t\n'
    if sysread -i $__dlm_from -s 160 __dlm_answer && [[ $__dlm_answer == "@$__dlm_serial 0 0 "* ]]; then
      __dlm_heard=$__dlm_serial
      [[ $1 == (lock|convert) ]] || return 0
      local IFS=' '
      set -- ${=__dlm_answer}
      DLM_LKID=$4 DLM_MODE=$5 DLM_TOKEN=$6
      return 0
    else
      __dlm_status=$?
      __dlm_listen $1
    fi
  fi
  __dlm_status=$?
  # A trap that was put aside is back. Whoever has interrupted the wait means the script, too.
  ((__dlm_status != 130)) || kill -INT $sysparams[pid]
  return $__dlm_status
}

# Whoever gives options may be in a hurry, and shall not wait for a node that hangs. And an interrupt does not end a shell
# with a prompt, so that nothing may be sent there before an interrupt can take it back.
__dlm_call_carefully() {
  emulate -L zsh
  [[ $__dlm_line != *' -'* ]] || __dlm_limit=10
  if [[ -o interactive && $sysparams[pid] == $$ ]]; then
    __dlm_caught=1
    __dlm_ignores_interrupts || trap __dlm_stop INT
  fi
  __dlm_serial=$((__dlm_serial + 1))
  syswrite -o $__dlm_to -- $'\t'$sysparams[pid]$'\t'$__dlm_serial$'\t'$__dlm_heard$'\t'${(pj:\t:)@}$'\t\n'
  # It was interrupted before there was anything to take back.
  [[ -z $__dlm_stopped ]] || __dlm_stop
  __dlm_read
  __dlm_listen $1
}

__dlm_is_short() {
  setopt localoptions no_multibyte
  ((${#1} < 900)) && return
  __dlm_say 'the line is longer than 900 bytes' 'a value as long as this is written with the command: dlm lvb set'
  return 64
}

# Everything but a call that is granted at once. The first read has ended with __dlm_status and __dlm_answer.
__dlm_listen() {
  emulate -L zsh
  local -a __dlm_fields
  while :; do
    if ((__dlm_status == 4)); then
      __dlm_say 'the node has accepted the call and says nothing' 'it may be stopped or overloaded; what was asked for is taken back'
      return 95
    elif ((__dlm_status == 5)); then
      __dlm_gone $1
      return
    elif ((__dlm_status < 2)); then
      # @SERIAL EXIT LINES ID MODE TOKEN
      __dlm_fields=(${(s: :)__dlm_answer})
      if [[ $__dlm_fields[1] != @<-> ]]; then
        # The rest of something that was interrupted; should it have taken the answer with it, none will come.
        __dlm_drain
        __dlm_limit=10
      elif [[ $__dlm_fields[1] != @$__dlm_serial ]]; then
        __dlm_print $__dlm_fields[3] >/dev/null
      elif [[ $__dlm_fields[2] == + ]]; then
        __dlm_limit=
        __dlm_print $__dlm_fields[3] >&2
        # From now on an interrupt takes the call back; in a subshell it ends the subshell, and the node sees that.
        if [[ -z $__dlm_caught && $sysparams[pid] == $$ ]]; then
          __dlm_caught=1
          __dlm_ignores_interrupts || trap __dlm_stop INT
        fi
      else
        break
      fi
    fi
    __dlm_read
  done
  __dlm_tell $1 $__dlm_fields[2,-1]
}

# The first line of what comes next.
__dlm_read() {
  __dlm_answer=
  sysread -i $__dlm_from ${__dlm_limit:+-t} $__dlm_limit -s 160 __dlm_answer
  __dlm_status=$?
}

# So many lines of text follow.
__dlm_print() {
  local __dlm_text __dlm_left
  for ((__dlm_left = $1; __dlm_left > 0; __dlm_left -= 1)); do
    IFS= read -r -u $__dlm_from __dlm_text || return 0
    print -r -- $__dlm_text
  done
}

# An earlier call was interrupted: nobody wants what is still to be read of its answer.
__dlm_drain() {
  local __dlm_text
  while sysread -t 0 -i $__dlm_from __dlm_text; do :; done
}

# A function does not see what `trap` lists; the system tells.
__dlm_ignores_interrupts() {
  local match mbegin mend MATCH MBEGIN MEND
  [[ "$(</proc/self/status)" =~ 'SigIgn:[[:space:]]*([0-9a-f]+)' ]] && ((16#${match[1]} & 2))
}

__dlm_stop() {
  __dlm_stopped=1
  syswrite -o $__dlm_to -- $'\t'$sysparams[pid]$'\t'$__dlm_serial$'\t'$__dlm_heard$'\tcancel\t\n'
}

# The call is over: its words, the variables of the shell, and the exit code. VERB EXIT LINES ID MODE TOKEN
__dlm_tell() {
  if [[ -n $__dlm_stopped ]]; then
    __dlm_print $3 >/dev/null
    __dlm_heard=$__dlm_serial
    return 130
  fi
  if (($2 == 0)); then __dlm_print $3; else __dlm_print $3 >&2; fi
  __dlm_heard=$__dlm_serial
  case $1:$2:$3 in
    lock:0:0 | convert:0:0) DLM_LKID=$4 DLM_MODE=$5 DLM_TOKEN=$6 ;;
    lock:0:*) ;;
    lock:*) DLM_LKID= DLM_MODE= DLM_TOKEN= ;;
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
    lock) DLM_LKID= DLM_MODE= DLM_TOKEN= ;;
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
  syswrite -o $__dlm_to -- $'\t'$sysparams[pid]$'\t0\t0\tjoin\t\n'
  if ! sysread -i $__dlm_own -t 10 __dlm_line; then
    __dlm_gone $1
    return
  fi
  exec {__dlm_both}>&-
  typeset -g __dlm_from=$__dlm_own __dlm_asker=$sysparams[pid] __dlm_serial=0 __dlm_heard=0
}

__dlm_make() { command mkfifo -m 600 $1 2>/dev/null || { command rm -f $1 && command mkfifo -m 600 $1 } 2>/dev/null }

# Begin: FOLDER NODE-PID LOCKSPACE. A session that this very process has already, and that lives, goes on.
__dlm_open() {
  emulate -L zsh
  local __dlm_both __dlm_line
  if [[ ${__dlm_asker-} == $sysparams[pid] ]] && __dlm_call use $3 2>/dev/null; then return 0; fi
  [[ ${__dlm_asker-} != [0-9]* ]] || exec {__dlm_to}>&- {__dlm_from}<&-
  typeset -g __dlm_folder=$1 __dlm_node=$2 __dlm_asker= __dlm_serial=0 __dlm_heard=0 __dlm_to __dlm_from
  if ! { exec {__dlm_to}<>$1/requests {__dlm_both}<>$1/answers {__dlm_from}<$1/answers } 2>/dev/null; then
    __dlm_say 'the node has gone before the session began' 'try again: eval "$(dlm shellenv zsh)"'
    return 95
  fi
  exec {__dlm_both}>&-
  typeset -g __dlm_asker=$sysparams[pid]
  syswrite -o $__dlm_to -- $'\t'$sysparams[pid]$'\t0\t0\thello\t\n'
  sysread -i $__dlm_from -t 10 __dlm_line || __dlm_gone lock
}
