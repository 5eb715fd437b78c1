# The functions that `eval "$(dlm shellenv bash)"` gives to a bash: dlm_lock, dlm_convert, dlm_unlock, dlm_lvb.
#
# They speak with the node through two named pipes; src/core/host/shell-protocol.ts describes the lines. What must hold:
#
#   - Nothing here may end the shell: not set -e or -u, not a broken pipe. The shell has the pipe of requests open for
#     reading too, so that writing into it raises no signal when the node is gone. The pipe of answers it has open for
#     reading alone, so that `read` sees the end when the node is gone.
#   - Lines of two processes must not mix. A line of less than 1000 bytes is written in one piece, and each subshell
#     makes itself a pipe for its answers when it first asks.
#   - An answer that was not read to its end was not heard: its number is not in __dlm_heard, so that the node takes the
#     call back before the next one.
#   - While a call waits, a trap of the script may run. It finds nothing changed but variables that begin with __dlm_.
#   - A call that is granted at once goes a short way: one line out, one line in.

# Aliases are put in while a function is read; none of ours is meant to have any.
if shopt -q expand_aliases; then __dlm_aliases=-s; else __dlm_aliases=-u; fi
shopt -u expand_aliases

dlm_lock() { __dlm_call lock "$@"; }
dlm_convert() { __dlm_call convert "$@"; }
dlm_unlock() { __dlm_call unlock "$@"; }
dlm_lvb() { __dlm_call lvb "$@"; }

__dlm_call() {
  local REPLY="$*"
  [[ ${__dlm_asker-} == "$BASHPID" ]] || __dlm_join "$1" || return
  [[ $__dlm_heard == "$__dlm_serial" ]] || __dlm_drain
  if [[ $REPLY == *[$'\\\t\n']* || ${#REPLY} -gt 200 ]]; then
    local -a __dlm_words=()
    __dlm_escape "$@" || return
    set -- "${__dlm_words[@]}"
  fi
  if [[ $REPLY == *' -'* || $- == *i* ]]; then
    __dlm_call_carefully "$@"
    return
  fi
  REPLY=
  __dlm_serial=$((__dlm_serial + 1))
  builtin printf '\t%s' "$BASHPID" "$__dlm_serial" "$__dlm_heard" "$@" $'\n' >&"$__dlm_to"
  if builtin read -r -N 160 -u "$__dlm_from" && [[ $REPLY == "@$__dlm_serial 0 0 "* ]]; then
    __dlm_heard=$__dlm_serial
    case $1 in
      lock | convert)
        local IFS=' '
        set -- $REPLY
        DLM_LKID=$4 DLM_MODE=$5 DLM_TOKEN=$6
        ;;
    esac
  else
    local __dlm_status=$? __dlm_limit= __dlm_trap= __dlm_stopped=
    __dlm_listen "$1"
  fi
}

# Whoever gives options may be in a hurry, and shall not wait for a node that hangs. And an interrupt does not end a shell
# with a prompt, so that nothing may be sent there before an interrupt can take it back.
__dlm_call_carefully() {
  local __dlm_status __dlm_limit= __dlm_trap= __dlm_stopped=
  [[ $REPLY != *' -'* ]] || __dlm_limit=10
  [[ $- != *i* ]] || __dlm_catch
  __dlm_serial=$((__dlm_serial + 1))
  builtin printf '\t%s' "$BASHPID" "$__dlm_serial" "$__dlm_heard" "$@" $'\n' >&"$__dlm_to"
  # It was interrupted before there was anything to take back.
  [[ -z $__dlm_stopped ]] || { __dlm_stopped= && __dlm_stop; }
  __dlm_read
  __dlm_listen "$1"
}

# The words of a call in a line of their own, if they can be.
__dlm_escape() {
  local LC_ALL=C __dlm_word __dlm_length=0
  for __dlm_word; do
    __dlm_word=${__dlm_word//\\/\\\\}
    __dlm_word=${__dlm_word//$'\t'/\\t}
    __dlm_word=${__dlm_word//$'\n'/\\n}
    __dlm_length=$((__dlm_length + ${#__dlm_word} + 1))
    __dlm_words+=("$__dlm_word")
  done
  ((__dlm_length < 900)) && return
  __dlm_say 'the line is longer than 900 bytes' 'a value as long as this is written with the command: dlm lvb set'
  return 64
}

# Everything but a call that is granted at once. The first read has ended with __dlm_status and REPLY.
__dlm_listen() {
  local __dlm_exit __dlm_lines
  while :; do
    if ((__dlm_status > 128)); then
      # A signal with a trap came, or the time is up.
      if [[ -n $__dlm_limit && $__dlm_status -eq 142 ]]; then
        [[ -z $__dlm_trap ]] || builtin eval "$__dlm_trap"
        __dlm_say 'the node has accepted the call and says nothing' 'it may be stopped or overloaded; what was asked for is taken back'
        return 95
      fi
    elif [[ -z $REPLY ]]; then
      [[ -z $__dlm_trap ]] || builtin eval "$__dlm_trap"
      __dlm_gone "$1"
      return
    elif [[ $REPLY != @+([0-9])' '* ]]; then
      # The rest of something that was interrupted; should it have taken the answer with it, none will come.
      __dlm_drain
      __dlm_limit=10
    else
      __dlm_exit=${REPLY#* }
      __dlm_lines=${__dlm_exit#* }
      __dlm_lines=${__dlm_lines%% *}
      __dlm_exit=${__dlm_exit%% *}
      if [[ $REPLY != "@$__dlm_serial "* ]]; then
        __dlm_print >/dev/null
      elif [[ $__dlm_exit == + ]]; then
        __dlm_limit=
        __dlm_print >&2
        [[ -n $__dlm_trap ]] || __dlm_catch
      else
        break
      fi
    fi
    __dlm_read
  done
  __dlm_tell "$1"
}

# The next line. With a limit of time bash pays for every byte, so the limit is for the first one: a line comes in one piece.
__dlm_read() {
  REPLY= __dlm_status=0
  if [[ -z $__dlm_limit ]]; then
    builtin read -r -N 160 -u "$__dlm_from" || __dlm_status=$?
  else
    builtin read -r -t "$__dlm_limit" -N 1 -u "$__dlm_from" && builtin read -r -N 159 -u "$__dlm_from" && REPLY=@$REPLY || __dlm_status=$?
  fi
}

# The call is over: its words, the variables of the shell, and the exit code.
__dlm_tell() {
  [[ -z $__dlm_trap ]] || builtin eval "$__dlm_trap"
  if [[ -n $__dlm_stopped ]]; then
    __dlm_print >/dev/null
    __dlm_heard=$__dlm_serial
    # Whoever interrupts the wait means the script, too.
    builtin kill -INT "$BASHPID"
    return 130
  fi
  if ((__dlm_exit == 0)); then __dlm_print; else __dlm_print >&2; fi
  __dlm_heard=$__dlm_serial
  case $1:$__dlm_exit:$__dlm_lines in
    lock:0:0 | convert:0:0)
      local IFS=' '
      set -- $REPLY
      DLM_LKID=$4 DLM_MODE=$5 DLM_TOKEN=$6
      ;;
    lock:0:*) ;;
    lock:*) DLM_LKID= DLM_MODE= DLM_TOKEN= ;;
  esac
  return "$__dlm_exit"
}

# The lines of text that follow.
__dlm_print() {
  local REPLY __dlm_left=$__dlm_lines
  while ((__dlm_left > 0)) && builtin read -r -u "$__dlm_from"; do
    builtin printf '%s\n' "$REPLY"
    __dlm_left=$((__dlm_left - 1))
  done
}

# The call waits. From now on an interrupt takes it back; in a subshell it ends the subshell, and the node sees that.
__dlm_catch() {
  __dlm_trap=:
  [[ $BASHPID == "$$" ]] || return 0
  # Through a file, and not through a subshell: an interrupt that comes just then would be lost in there.
  { builtin trap -p INT >|"$__dlm_folder/trap" && { builtin read -r -d '' __dlm_trap <"$__dlm_folder/trap" || :; }; } 2>/dev/null
  case $__dlm_trap in
    '') __dlm_trap='trap - INT' ;;
    "trap -- '' "*) return 0 ;;
  esac
  builtin trap __dlm_stop INT
}

# The first interrupt asks the node, the second does not wait for its answer.
__dlm_stop() {
  if [[ -n $__dlm_stopped ]]; then
    builtin eval "$__dlm_trap"
    builtin kill -INT "$BASHPID"
  fi
  __dlm_stopped=1
  builtin printf '\t%s' "$BASHPID" "$__dlm_serial" "$__dlm_heard" cancel $'\n' >&"$__dlm_to"
}

# An earlier call was interrupted: nobody wants what is still to be read of its answer.
__dlm_drain() {
  local REPLY
  while builtin read -t 0 -u "$__dlm_from" && builtin read -r -t 1 -u "$__dlm_from"; do :; done
  return 0
}

# The node has ended the session: what the shell had is lost, and what it asked for is not to be had.
__dlm_gone() {
  if [[ $__dlm_asker == "$BASHPID" ]]; then
    exec {__dlm_to}>&- {__dlm_from}<&-
    __dlm_asker=gone
  fi
  case $1 in
    convert | unlock)
      __dlm_say 'the node has ended the session of this shell, and its locks are lost' 'stop touching what they protect; begin again with: eval "$(dlm shellenv bash)"'
      return 84
      ;;
    lock) DLM_LKID= DLM_MODE= DLM_TOKEN= ;;
  esac
  __dlm_say 'the node has ended the session of this shell' 'begin again with: eval "$(dlm shellenv bash)"'
  return 95
}

__dlm_say() { builtin printf 'dlm: %s\nhint: %s\n' "$1" "$2" >&2; }

# A subshell asks for the first time: it needs a pipe of its own for its answers.
__dlm_join() {
  local REPLY __dlm_pipe __dlm_both __dlm_own
  if [[ -z ${__dlm_asker-} ]]; then
    __dlm_say 'this shell has no session with a node' 'begin with: eval "$(dlm shellenv bash)"'
    return 95
  fi
  if [[ $__dlm_asker == gone || ! -d $__dlm_folder || (-d /proc/1 && ! -d /proc/$__dlm_node) ]]; then
    __dlm_gone "$1"
    return
  fi
  __dlm_pipe=$__dlm_folder/$BASHPID
  if ! __dlm_make "$__dlm_pipe" || ! { exec {__dlm_both}<>"$__dlm_pipe" {__dlm_own}<"$__dlm_pipe"; } 2>/dev/null; then
    __dlm_say "cannot make a pipe in $__dlm_folder for this subshell" 'see whether mkfifo is in the PATH, and whether the disk is full'
    return 104
  fi
  builtin printf '\t%s' "$BASHPID" 0 0 join $'\n' >&"$__dlm_to"
  if ! builtin read -r -t 10 -N 160 -u "$__dlm_own"; then
    __dlm_gone "$1"
    return
  fi
  exec {__dlm_both}>&-
  __dlm_from=$__dlm_own __dlm_asker=$BASHPID __dlm_serial=0 __dlm_heard=0
}

__dlm_make() { command mkfifo -m 600 "$1" 2>/dev/null || { command rm -f "$1" && command mkfifo -m 600 "$1"; } 2>/dev/null; }

# Begin: FOLDER NODE-PID LOCKSPACE. A session that this very process has already, and that lives, goes on.
__dlm_open() {
  local REPLY __dlm_both
  if [[ ${__dlm_asker-} == "$BASHPID" ]] && __dlm_call use "$3" 2>/dev/null; then return 0; fi
  [[ ${__dlm_asker-} != [0-9]* ]] || exec {__dlm_to}>&- {__dlm_from}<&-
  __dlm_folder=$1 __dlm_node=$2 __dlm_asker= __dlm_serial=0 __dlm_heard=0
  if ! { exec {__dlm_to}<>"$1/requests" {__dlm_both}<>"$1/answers" {__dlm_from}<"$1/answers"; } 2>/dev/null; then
    __dlm_say 'the node has gone before the session began' 'try again: eval "$(dlm shellenv bash)"'
    return 95
  fi
  exec {__dlm_both}>&-
  __dlm_asker=$BASHPID
  builtin printf '\t%s' "$BASHPID" 0 0 hello $'\n' >&"$__dlm_to"
  builtin read -r -t 10 -N 160 -u "$__dlm_from" || __dlm_gone lock
}

shopt "$__dlm_aliases" expand_aliases
