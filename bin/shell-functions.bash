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

dlm_lock() { __dlm_call lock "$@"; }
dlm_convert() { __dlm_call convert "$@"; }
dlm_unlock() { __dlm_call unlock "$@"; }
dlm_lvb() { __dlm_call lvb "$@"; }

__dlm_call() {
  local REPLY __dlm_status __dlm_rest __dlm_code __dlm_id= __dlm_mode= __dlm_token= __dlm_text= __dlm_limit=10 __dlm_trap= __dlm_stopped=
  [[ ${__dlm_asker-} == "$BASHPID" ]] || __dlm_join "$1" || return
  __dlm_write "$@" || return
  while :; do
    __dlm_read && __dlm_status=0 || __dlm_status=$?
    if ((__dlm_status > 128)); then
      # A signal with a trap came, or the time is up in which a node that lives says something.
      [[ -z $__dlm_limit || $__dlm_status -ne 142 ]] && continue
      __dlm_say 'the node has accepted the call and says nothing' 'it may be stopped or overloaded; what was asked for is taken back'
      return 95
    fi
    if ((__dlm_status > 0)); then
      [[ -z $__dlm_trap ]] || builtin eval "$__dlm_trap"
      __dlm_gone "$1"
      return
    fi
    [[ $REPLY == "@$__dlm_serial "* ]] || continue
    __dlm_split
    [[ $__dlm_code == + ]] || break
    __dlm_wait
  done
  __dlm_heard=$__dlm_serial
  [[ -z $__dlm_trap ]] || builtin eval "$__dlm_trap"
  if [[ -n $__dlm_stopped ]]; then
    # Whoever interrupts the wait means the script, too.
    builtin kill -INT "$BASHPID"
    return 130
  fi
  __dlm_tell "$1"
}

# The words of a call as one line, and away with it.
__dlm_write() {
  local IFS= __dlm_line __dlm_word
  if [[ $* == *[$'\\\t\n']* ]]; then
    local -a __dlm_words=()
    for __dlm_word; do
      __dlm_word=${__dlm_word//\\/\\\\}
      __dlm_word=${__dlm_word//$'\t'/\\t}
      __dlm_words+=("${__dlm_word//$'\n'/\\n}")
    done
    set -- "${__dlm_words[@]}"
  fi
  IFS=$'\t'
  __dlm_line=$BASHPID$'\t'$((__dlm_serial + 1))$'\t'$__dlm_heard$'\t'$*
  if ((${#__dlm_line} > 240)) && ! __dlm_is_short "$__dlm_line"; then
    __dlm_say 'the line is longer than 1000 bytes' 'a value as long as this is written with the command: dlm lvb set'
    return 64
  fi
  __dlm_serial=$((__dlm_serial + 1))
  builtin printf '%s\n' "$__dlm_line" >&"$__dlm_to" || { __dlm_gone "$1"; return; }
}

__dlm_is_short() {
  local LC_ALL=C
  ((${#1} < 1000))
}

# The next line of the node, in REPLY.
__dlm_read() {
  if [[ -n $__dlm_limit ]]; then builtin read -r -t "$__dlm_limit" -u "$__dlm_from"; else builtin read -r -u "$__dlm_from"; fi
}

# REPLY is @SERIAL CODE [ID MODE TOKEN [TEXT]].
__dlm_split() {
  __dlm_text=
  __dlm_rest=${REPLY#* }
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

# The call waits. From now on an interrupt takes it back; in a subshell it ends the subshell, and the node sees that.
__dlm_wait() {
  __dlm_limit=
  [[ -z $__dlm_text ]] || builtin printf '%b' "$__dlm_text" >&2
  [[ -z $__dlm_trap && $BASHPID == "$$" ]] || return 0
  __dlm_trap=$(builtin trap -p INT)
  case $__dlm_trap in
    '') __dlm_trap='trap - INT' ;;
    "trap -- '' "*) return 0 ;;
  esac
  builtin trap __dlm_stop INT
}

__dlm_stop() {
  __dlm_stopped=1
  builtin printf '%s\t%s\t%s\tcancel\n' "$BASHPID" "$__dlm_serial" "$__dlm_heard" >&"$__dlm_to"
}

# What became of the call, for the shell: its variables, words, and the exit code.
__dlm_tell() {
  if ((__dlm_code > 0)); then
    [[ $1 != lock ]] || DLM_LKID= DLM_MODE= DLM_TOKEN=
    [[ -z $__dlm_text ]] || builtin printf '%b' "$__dlm_text" >&2
    return "$__dlm_code"
  fi
  case $1 in
    lock | convert) [[ -z $__dlm_id || $__dlm_id == - ]] || DLM_LKID=$__dlm_id DLM_MODE=$__dlm_mode DLM_TOKEN=$__dlm_token ;;
  esac
  [[ -z $__dlm_text ]] || builtin printf '%b' "$__dlm_text"
}

# The node has ended the session: what the shell had is lost, and what it asked for is not to be had.
__dlm_gone() {
  if [[ $__dlm_asker == "$BASHPID" ]]; then
    exec {__dlm_to}>&- {__dlm_from}<&-
    __dlm_asker=gone
  fi
  local __dlm_again='eval "$(dlm shellenv bash)"'
  case $1 in
    convert | unlock)
      __dlm_say 'the node has ended the session of this shell, and its locks are lost' "stop touching what they protect; begin again with: $__dlm_again"
      return 84
      ;;
    lock) DLM_LKID= DLM_MODE= DLM_TOKEN= ;;
  esac
  __dlm_say 'the node has ended the session of this shell' "begin again with: $__dlm_again"
  return 95
}

__dlm_say() { builtin printf 'dlm: %s\nhint: %s\n' "$1" "$2" >&2; }

# A subshell asks for the first time: it needs a pipe of its own for its answers.
__dlm_join() {
  local REPLY __dlm_pipe __dlm_both __dlm_own __dlm_to_all=${__dlm_to-}
  case ${__dlm_asker-} in
    '')
      __dlm_say 'this shell has no session with a node' 'begin with: eval "$(dlm shellenv bash)"'
      return 95
      ;;
    gone)
      __dlm_gone "$1"
      return
      ;;
  esac
  if [[ ! -d $__dlm_folder || (-d /proc/1 && ! -d /proc/$__dlm_node) ]]; then
    __dlm_gone "$1"
    return
  fi
  __dlm_pipe=$__dlm_folder/$BASHPID
  if ! __dlm_make_pipe "$__dlm_pipe" || ! { exec {__dlm_both}<>"$__dlm_pipe" {__dlm_own}<"$__dlm_pipe"; } 2>/dev/null; then
    __dlm_say "cannot make a pipe in $__dlm_folder for this subshell" 'see whether mkfifo is in the PATH, and whether the disk is full'
    return 104
  fi
  builtin printf '%s\t0\t0\tjoin\n' "$BASHPID" >&"$__dlm_to"
  if ! builtin read -r -t 10 -u "$__dlm_own"; then
    __dlm_gone "$1"
    return
  fi
  exec {__dlm_both}>&-
  __dlm_from=$__dlm_own __dlm_asker=$BASHPID __dlm_serial=0 __dlm_heard=0
}

__dlm_make_pipe() { command mkfifo -m 600 "$1" 2>/dev/null || { command rm -f "$1" && command mkfifo -m 600 "$1"; } 2>/dev/null; }

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
  builtin printf '%s\t0\t0\thello\n' "$BASHPID" >&"$__dlm_to"
  __dlm_asker=$BASHPID
  builtin read -r -t 10 -u "$__dlm_from" || __dlm_gone lock
}
