# The functions that `eval "$(dlm shellenv zsh)"` gives to a zsh: dlm_lock, dlm_convert, dlm_unlock, dlm_lvb.
#
# They are those of shell-functions.bash, where their rules are written down, in the words of zsh.

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
  local __dlm_answer __dlm_code __dlm_id= __dlm_mode= __dlm_token= __dlm_text= __dlm_limit=10 __dlm_waits=
  local __dlm_status
  [[ ${__dlm_asker-} == $sysparams[pid] ]] || __dlm_join $1 || return
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
    elif ((__dlm_status > 0)) || [[ $__dlm_answer != "@$__dlm_serial "* ]]; then
      continue
    fi
    __dlm_split
    [[ $__dlm_code == + ]] || break
    __dlm_limit=
    [[ -z $__dlm_text ]] || printf '%b' $__dlm_text >&2
    # From now on an interrupt takes the call back; in a subshell it ends the subshell, and the node sees that.
    if [[ -z $__dlm_waits && $sysparams[pid] == $$ ]]; then
      __dlm_waits=1
      [[ $(trap) == *"trap -- '' INT"* ]] || trap __dlm_stop INT
    fi
  done
  typeset -g __dlm_heard=$__dlm_serial
  [[ -z ${__dlm_stopped-} ]] || return 130
  __dlm_tell $1
}

# The words of a call as one line, and away with it.
__dlm_write() {
  local -a __dlm_words=("${(@)${(@)${(@)@//\\/\\\\}//$'\t'/\\t}//$'\n'/\\n}")
  local __dlm_line=$sysparams[pid]$'\t'$((__dlm_serial + 1))$'\t'$__dlm_heard$'\t'${(pj:\t:)__dlm_words}
  if ((${#__dlm_line} > 240)) && ! __dlm_is_short $__dlm_line; then
    __dlm_say 'the line is longer than 1000 bytes' 'a value as long as this is written with the command: dlm lvb set'
    return 64
  fi
  typeset -g __dlm_serial=$((__dlm_serial + 1))
  syswrite -o $__dlm_to -- $__dlm_line$'\n' || { __dlm_gone $1; return }
}

__dlm_is_short() {
  setopt localoptions no_multibyte
  ((${#1} < 1000))
}

# The next line of the node, in __dlm_answer. What came after it is kept in __dlm_unread.
__dlm_read() {
  local __dlm_more
  while [[ ${__dlm_unread-} != *$'\n'* ]]; do
    sysread -i $__dlm_from ${__dlm_limit:+-t} $__dlm_limit __dlm_more || return
    typeset -g __dlm_unread=${__dlm_unread-}$__dlm_more
  done
  __dlm_answer=${__dlm_unread%%$'\n'*}
  typeset -g __dlm_unread=${__dlm_unread#*$'\n'}
}

# The answer is @SERIAL CODE [ID MODE TOKEN [TEXT]].
__dlm_split() {
  local __dlm_rest=${__dlm_answer#* }
  __dlm_text=
  __dlm_code=${__dlm_rest%% *}
  [[ $__dlm_rest == *' '* ]] || return 0
  __dlm_rest=${__dlm_rest#* }
  __dlm_id=${__dlm_rest%% *}
  __dlm_rest=${__dlm_rest#* }
  __dlm_mode=${__dlm_rest%% *}
  __dlm_rest=${__dlm_rest#* }
  __dlm_token=${__dlm_rest%% *}
  [[ $__dlm_rest == *' '* ]] || return 0
  __dlm_text=${__dlm_rest#* }
}

__dlm_stop() {
  typeset -g __dlm_stopped=1
  syswrite -o $__dlm_to -- $sysparams[pid]$'\t'$__dlm_serial$'\t'$__dlm_heard$'\tcancel\n'
}

# What became of the call, for the shell: its variables, words, and the exit code.
__dlm_tell() {
  if ((__dlm_code > 0)); then
    [[ $1 != lock ]] || typeset -g DLM_LKID= DLM_MODE= DLM_TOKEN=
    [[ -z $__dlm_text ]] || printf '%b' $__dlm_text >&2
    return $__dlm_code
  fi
  if [[ $1 == (lock|convert) && -n $__dlm_id && $__dlm_id != - ]]; then
    typeset -g DLM_LKID=$__dlm_id DLM_MODE=$__dlm_mode DLM_TOKEN=$__dlm_token
  fi
  [[ -z $__dlm_text ]] || printf '%b' $__dlm_text
}

# The node has ended the session: what the shell had is lost, and what it asked for is not to be had.
__dlm_gone() {
  if [[ $__dlm_asker == $sysparams[pid] ]]; then
    exec {__dlm_to}>&- {__dlm_from}<&-
    typeset -g __dlm_asker=gone
  fi
  local __dlm_again='eval "$(dlm shellenv zsh)"'
  case $1 in
    convert | unlock)
      __dlm_say 'the node has ended the session of this shell, and its locks are lost' "stop touching what they protect; begin again with: $__dlm_again"
      return 84
      ;;
    lock) typeset -g DLM_LKID= DLM_MODE= DLM_TOKEN= ;;
  esac
  __dlm_say 'the node has ended the session of this shell' "begin again with: $__dlm_again"
  return 95
}

__dlm_say() { print -u2 -r -- "dlm: $1"$'\n'"hint: $2" }

# A subshell asks for the first time: it needs a pipe of its own for its answers.
__dlm_join() {
  local __dlm_pipe __dlm_both __dlm_own __dlm_line
  case ${__dlm_asker-} in
    '')
      __dlm_say 'this shell has no session with a node' 'begin with: eval "$(dlm shellenv zsh)"'
      return 95
      ;;
    gone)
      __dlm_gone $1
      return
      ;;
  esac
  if [[ ! -d $__dlm_folder ]] || [[ -d /proc/1 && ! -d /proc/$__dlm_node ]]; then
    __dlm_gone $1
    return
  fi
  __dlm_pipe=$__dlm_folder/$sysparams[pid]
  if ! __dlm_make_pipe $__dlm_pipe || ! { exec {__dlm_both}<>$__dlm_pipe {__dlm_own}<$__dlm_pipe } 2>/dev/null; then
    __dlm_say "cannot make a pipe in $__dlm_folder for this subshell" 'see whether mkfifo is in the PATH, and whether the disk is full'
    return 104
  fi
  syswrite -o $__dlm_to -- $sysparams[pid]$'\t0\t0\tjoin\n'
  if ! sysread -i $__dlm_own -t 10 __dlm_line; then
    __dlm_gone $1
    return
  fi
  exec {__dlm_both}>&-
  typeset -g __dlm_from=$__dlm_own __dlm_asker=$sysparams[pid] __dlm_serial=0 __dlm_heard=0 __dlm_unread=
}

__dlm_make_pipe() { command mkfifo -m 600 $1 2>/dev/null || { command rm -f $1 && command mkfifo -m 600 $1 } 2>/dev/null }

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
  syswrite -o $__dlm_to -- $sysparams[pid]$'\t0\t0\thello\n'
  typeset -g __dlm_asker=$sysparams[pid]
  sysread -i $__dlm_from -t 10 __dlm_line || __dlm_gone lock
}
