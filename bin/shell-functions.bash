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
#   - The way of a call that is granted at once is short: one line out, one in, and no function called twice.

dlm_lock() { __dlm_call lock "$@"; }
dlm_convert() { __dlm_call convert "$@"; }
dlm_unlock() { __dlm_call unlock "$@"; }
dlm_lvb() { __dlm_call lvb "$@"; }

__dlm_call() {
  local REPLY
  [[ ${__dlm_asker-} == "$BASHPID" ]] || __dlm_join "$1" || return
  [[ $__dlm_heard == "$__dlm_serial" ]] || __dlm_drain
  if [[ $* == *[$'\\\t\n']* ]]; then
    local -a __dlm_words
    __dlm_escape "$@"
    set -- "${__dlm_words[@]}"
  fi
  [[ ${*:200:1} == '' ]] || __dlm_is_short "$*" || return
  __dlm_serial=$((__dlm_serial + 1))
  builtin printf '\t%s' "$BASHPID" "$__dlm_serial" "$__dlm_heard" "$@" $'\n' >&"$__dlm_to"
  if builtin read -r -t 10 -N 160 -u "$__dlm_from" && [[ $REPLY == "@$__dlm_serial 0 0 "* ]]; then
    __dlm_heard=$__dlm_serial
    case $1 in
      lock | convert)
        REPLY=${REPLY#* 0 0 }
        DLM_LKID=${REPLY%% *}
        REPLY=${REPLY#* }
        DLM_MODE=${REPLY%% *}
        REPLY=${REPLY#* }
        DLM_TOKEN=${REPLY%% *}
        ;;
    esac
  else
    __dlm_listen "$1" "$?"
  fi
}

# Everything but a call that is granted at once. The first read has ended with the status $2, and its line is in REPLY.
__dlm_listen() {
  local __dlm_status=$2 __dlm_limit=10 __dlm_trap= __dlm_stopped= __dlm_exit __dlm_lines
  while :; do
    if ((__dlm_status > 128)); then
      # A signal with a trap came, or the time is up in which a node that lives says something.
      if [[ -n $__dlm_limit && $__dlm_status -eq 142 ]]; then
        __dlm_say 'the node has accepted the call and says nothing' 'it may be stopped or overloaded; what was asked for is taken back'
        return 95
      fi
    elif [[ -z $REPLY ]]; then
      [[ -z $__dlm_trap ]] || builtin eval "$__dlm_trap"
      __dlm_gone "$1"
      return
    elif [[ $REPLY == @+([0-9])' '* ]]; then
      __dlm_exit=${REPLY#* }
      __dlm_lines=${__dlm_exit#* }
      __dlm_lines=${__dlm_lines%% *}
      __dlm_exit=${__dlm_exit%% *}
      if [[ $REPLY != "@$__dlm_serial "* ]]; then
        __dlm_print 3 3>/dev/null
      elif [[ $__dlm_exit == + ]]; then
        __dlm_limit=
        __dlm_print 2
        [[ -n $__dlm_trap || $BASHPID != "$$" ]] || __dlm_catch
      else
        break
      fi
    fi
    __dlm_status=0
    if [[ -n $__dlm_limit ]]; then builtin read -r -t 10 -N 160 -u "$__dlm_from"; else builtin read -r -N 160 -u "$__dlm_from"; fi || __dlm_status=$?
  done
